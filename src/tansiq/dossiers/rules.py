"""The fold and the frame: who counts as a member, which entries count, what every kind has in common. Pure.

Rules (docs/protocol.md numbers them D-1 ...):
- D-1 the order is (clock, author, entry id); a fold depends on the set of entries only;
- D-2 a dossier's id belongs to its opener; the opener alone writes member lists, each replacing the last;
- D-3 an entry counts if its author was a member; a removed member's count only where the removal had seen them, but
  for its recalls and its answers to recalls (D-22: `parting.py`);
- D-4 a clock is one more than the newest parent's: it can neither race nor turn back;
- D-5 of two entries of one author under one clock the first in order counts, and both are marked;
- D-6 an act that the life cycle does not allow stays visible, marked, and changes nothing;
- D-7 the fold never raises on entries that verified;
- D-13 facts are codes, instants, numbers and ids: an act whose facts hold words is marked and changes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tansiq.dossiers import parting
from tansiq.dossiers.frame import FRAME_ACTS, check_frame, missing_reference, step_frame
from tansiq.dossiers.model import ActRule, AutoAct, DossierState, Duty, Entry, Kind, Mark, Recall
from tansiq.dossiers.wire import dossier_id, field_of
from tansiq.errors import Invalid
from tansiq.terms import DossierId, EntryId, NodeId, later

TIME_TOLERANCE = timedelta(hours=1)
"""Partners' clocks may be this far apart before officers are told."""
CLOCK_JUMP = 1000
OUTSIDE = ("not_a_member", "after_removal", "wrong_kind", "second_opening", "clock_wrong")
"""Faults of entries that nobody builds upon."""


def in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    unique = {e.id: e for e in entries}
    return tuple(sorted(unique.values(), key=_place))


def _place(entry: Entry) -> tuple[int, str, str]:
    """D-1: where an entry stands in its dossier."""
    return entry.statement.clock, entry.statement.author, entry.id


def ancestors(of: EntryId, known: dict[EntryId, Entry]) -> frozenset[EntryId]:
    """Everything that `of` had seen, as far as this node has it."""
    seen: set[EntryId] = set()
    todo = [of]
    while todo:
        entry = known.get(todo.pop())
        for parent in entry.statement.parents if entry else ():
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return frozenset(seen)


@dataclass
class _Memory:
    """What a fold has to remember to go on. Never leaves this module, never changes once its fold is done."""

    known: dict[EntryId, Entry]
    opening: Entry | None = None
    awaited: set[str] = field(default_factory=set)
    """Ids that entries name, as parents or in their facts, and that are not known."""
    marks: list[Mark] = field(default_factory=list)
    lists: list[Entry] = field(default_factory=list)
    removals: dict[NodeId, list[frozenset[EntryId]]] = field(default_factory=dict)
    first_under_clock: dict[tuple[str, int], EntryId] = field(default_factory=dict)
    parted: set[EntryId] = field(default_factory=set)
    """Acts that count although their authors had been removed."""
    newest: int = 0

    def with_entry(self, entry: Entry) -> _Memory:
        """A copy that knows one entry more: the fold that this one belongs to stays what it is."""
        return replace(
            self,
            known={**self.known, entry.id: entry},
            awaited=self.awaited | {n for n in named_in(entry) if n not in self.known},
            marks=[*self.marks],
            first_under_clock={**self.first_under_clock},
            parted={*self.parted},
        )


@dataclass(frozen=True, slots=True)
class Folded:
    """A fold that can go on when another entry comes (`extend`)."""

    state: DossierState
    _memory: _Memory

    @property
    def is_opened(self) -> bool:
        return self._memory.opening is not None

    def knows(self, entry: EntryId) -> bool:
        return entry in self._memory.known


def parse_facts(rule: ActRule, facts: object) -> Any:
    """The typed facts of an act. Raises `Invalid` naming the field, without quoting the input."""
    if rule.facts is None:
        if facts:
            raise Invalid("facts.unexpected", "this act has no facts", field="facts")
        return None
    try:
        typed = msgspec.convert(facts, type=rule.facts)
    except (msgspec.ValidationError, RecursionError) as exc:
        where = field_of(exc, "facts")
        raise Invalid("facts.malformed", "missing, unknown or of the wrong form", field=where) from None
    if wordy := _wordy(facts, "facts"):
        raise Invalid("facts.words", "codes, instants and ids only: words belong in a part", field=wordy)
    return typed


_CODE = re.compile(r"[A-Za-z0-9_.:+#/=-]{0,512}")
NOT_CODES = frozenset({"text", "proof"})
"""The words of a restriction (H3), which all who see the entry must read, and the ledger's proof of an erasure."""


def _wordy(facts: Any, path: str) -> str:
    """The first place in an act's facts that holds words. Everybody sees facts and nobody can erase them: D-13."""
    if isinstance(facts, str):
        return "" if _CODE.fullmatch(facts) else path
    if isinstance(facts, Mapping):
        named = ((f"{path}.{k}", k, v) for k, v in facts.items())
        found = (path if not _CODE.fullmatch(str(k)) else _wordy(v, at) for at, k, v in named if k not in NOT_CODES)
        return next((f for f in found if f), "")
    if isinstance(facts, list | tuple):
        return next((f for n, v in enumerate(facts) if (f := _wordy(v, f"{path}[{n}]"))), "")
    return ""


def fold(dossier: DossierId, entries: Iterable[Entry], kind: Kind) -> DossierState:
    """The state of a dossier. Total: any verified entries, in any order, any number of times."""
    return folded(dossier, entries, kind).state


def unopened(dossier: DossierId, kind: Kind) -> DossierState:
    """The fold of no entries: what an opening is made on."""
    return _empty(dossier, kind.name, (), {})


def folded(dossier: DossierId, entries: Iterable[Entry], kind: Kind) -> Folded:
    """As `fold`, with what it takes to go on."""
    ordered = in_order(e for e in entries if e.statement.dossier == dossier)
    known = {e.id: e for e in ordered}
    memory = _Memory(known, awaited={n for e in ordered for n in named_in(e) if n not in known})
    state = _empty(dossier, kind.name, ordered, known)
    memory.opening = _find_opening(ordered, kind)
    if memory.opening is not None:
        _collect_member_lists(ordered, memory.opening, memory)
    for entry in ordered:
        state = _take(entry, kind, state, memory)
    outside = {m.entry for m in memory.marks if m.code in OUTSIDE}
    state = replace(state, marks=tuple(memory.marks), heads=_heads(ordered, outside))
    if memory.parted:
        state = replace(state, missing=_missing((e for e in ordered if e.id not in memory.parted), known))
    return Folded(state, memory)


def extend(before: Folded, entry: Entry, kind: Kind) -> Folded:
    """The fold of one entry more: what `folded` makes of all of them, at the price of one where it comes last.

    Looking back is what costs: an entry that lands in the middle, that others wait for, or that is a member list (which
    rules over earlier entries too) makes the fold begin anew.
    """
    memory, state, s = before._memory, before.state, entry.statement
    if s.dossier != state.id or entry.id in memory.known:
        return before
    if memory.opening is None or _rules_over_others(entry, before):
        return folded(state.id, (*state.entries, entry), kind)
    memory = memory.with_entry(entry)
    gone = [p for p in s.parents if p not in memory.known]
    missing = tuple(sorted({*state.missing, *gone})) if gone else state.missing
    grown = replace(state, entries=(*state.entries, entry), missing=missing, marks=(), heads=())
    grown = _take(entry, kind, grown, memory)
    if entry.id in memory.parted:
        grown = replace(grown, missing=state.missing)
    heads = state.heads
    if not any(m.entry == entry.id and m.code in OUTSIDE for m in memory.marks[len(state.marks) :]):
        heads = (*(h for h in heads if h not in s.parents), entry.id)
    return Folded(replace(grown, marks=tuple(memory.marks), heads=heads), memory)


def extend_all(before: Folded, entries: Iterable[Entry], kind: Kind) -> Folded:
    """The fold of several entries more, at the price of one where any of them makes it begin anew."""
    found, come = before, in_order(entries)
    for entry in come:
        if found._memory.opening is None or _rules_over_others(entry, found):
            return folded(before.state.id, (*before.state.entries, *come), kind)
        found = extend(found, entry, kind)
    return found


def _rules_over_others(entry: Entry, before: Folded) -> bool:
    s, memory = entry.statement, before._memory
    if _place(entry) < _place(before.state.entries[-1]) or entry.id in memory.awaited:
        return True
    opener = memory.opening.statement.author if memory.opening else None
    return s.type == "dossier.members" and s.author == opener and s.members is not None


def _take(entry: Entry, kind: Kind, state: DossierState, memory: _Memory) -> DossierState:
    """One step: the state after the next entry in order, and the marks that it gets."""
    if memory.opening is None:
        memory.marks.append(Mark(entry.id, "opening_missing", void=True))
        return state
    reason = _frame_fault(entry, memory.opening, memory, state)
    if not reason:
        state, reason = _apply(entry, memory.opening, kind, state)
    if reason:
        memory.marks.append(Mark(entry.id, reason.split(": ")[0], void=True, detail=reason.partition(": ")[2]))
    else:
        _oddities(entry, memory)
    return state


def named_in(entry: Entry) -> Iterator[str]:
    """Ids of entries that this one names: its parents, and whatever looks like one in its facts."""
    yield from entry.statement.parents
    todo: list[Any] = [entry.statement.facts]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            if value.startswith("e-"):
                yield value
        elif isinstance(value, Mapping):
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value


def _heads(ordered: tuple[Entry, ...], outside: set[EntryId]) -> tuple[EntryId, ...]:
    """What the next entry names as its parents. What stands outside must neither set our clock nor fill our parents.

    A member's entry that only its life cycle voids stays in: its author, perhaps we, must not use its clock again.
    """
    counting = [e for e in ordered if e.id not in outside]
    children = {p for e in counting for p in e.statement.parents}
    return tuple(e.id for e in counting if e.id not in children)


def _empty(dossier: DossierId, kind: str, ordered: tuple[Entry, ...], known: dict[EntryId, Entry]) -> DossierState:
    return DossierState(
        id=dossier,
        kind=kind,
        opener=None,
        opened_at=None,
        members=(),
        members_version=0,
        entries=ordered,
        heads=(),
        missing=_missing(ordered, known),
        marks=(),
        permissions=(),
        recalls=(),
        restrictions=(),
        phase="unopened",
    )


def _missing(entries: Iterable[Entry], known: Mapping[EntryId, Entry]) -> tuple[EntryId, ...]:
    """Parents that are not here. Those that a former member's act names are not waited for: it knows the dossier as it
    was, may have written what nobody took, and must not keep the members busy."""
    return tuple(sorted({p for e in entries for p in e.statement.parents if p not in known}))


def is_opening(entry: Entry) -> bool:
    """D-2: a dossier's id is the hash of its opener and a nonce; nobody else can write its first entry."""
    s = entry.statement
    first = s.clock == 0 and not s.parents and s.members is not None
    return first and dossier_id(s.author, s.nonce) == s.dossier


def _find_opening(ordered: tuple[Entry, ...], kind: Kind) -> Entry | None:
    for entry in ordered:
        s = entry.statement
        if s.type == kind.opening.type and s.kind == kind.name and is_opening(entry):
            return entry
    return None


def _collect_member_lists(ordered: tuple[Entry, ...], opening: Entry, memory: _Memory) -> None:
    opener = opening.statement.author
    seen_clocks: set[int] = set()
    for entry in ordered:
        s = entry.statement
        lists = entry.id == opening.id or (s.type == "dossier.members" and s.members is not None)
        if lists and s.author == opener and s.clock not in seen_clocks:
            seen_clocks.add(s.clock)
            memory.lists.append(entry)
    removals: dict[NodeId, list[frozenset[EntryId]]] = defaultdict(list)
    for before, after in zip(memory.lists, memory.lists[1:], strict=False):
        gone = set(before.statement.members or ()) - set(after.statement.members or ())
        past = ancestors(after.id, memory.known) if gone else frozenset()
        for node in gone:
            removals[node].append(past)
    memory.removals = dict(removals)


def _membership_fault(entry: Entry, opening: Entry, memory: _Memory, state: DossierState) -> str:
    author = entry.statement.author
    if author == opening.statement.author:
        return ""
    if not any(author in (m.statement.members or ()) for m in memory.lists):
        return "not_a_member"
    if author in (memory.lists[-1].statement.members or ()):
        return ""
    # D-3: removal is strong. An entry that the removal had not seen does not count, whatever clock it claims.
    if any(entry.id in past for past in memory.removals.get(author, ())):
        return ""
    if not parting.counts(state, entry):
        return "after_removal"
    memory.parted.add(entry.id)
    return ""


def _frame_fault(entry: Entry, opening: Entry, memory: _Memory, state: DossierState) -> str:
    s = entry.statement
    if entry.id == opening.id:
        memory.first_under_clock[(s.author, s.clock)] = entry.id
        return ""
    if s.kind != opening.statement.kind:
        return "wrong_kind"
    if not s.parents:
        return "second_opening"
    fault = _membership_fault(entry, opening, memory, state)
    if fault:
        return fault
    parents = [memory.known[p].statement.clock for p in s.parents if p in memory.known]
    complete = len(parents) == len(s.parents)
    if (complete and s.clock != max(parents) + 1) or (parents and s.clock <= max(parents)):
        return "clock_wrong"
    if not complete and s.clock > memory.newest + CLOCK_JUMP:
        return "clock_wrong"
    memory.newest = max(memory.newest, s.clock)
    first = memory.first_under_clock.setdefault((s.author, s.clock), entry.id)
    if first != entry.id:
        if not any(m.entry == first and m.code == "equivocation" for m in memory.marks):
            memory.marks.append(Mark(first, "equivocation", void=False))
        return "equivocation"
    return ""


def _apply(entry: Entry, opening: Entry, kind: Kind, state: DossierState) -> tuple[DossierState, str]:
    s = entry.statement
    if entry.id == opening.id:
        try:
            parse_facts(kind.opening, s.facts)
        except Invalid as exc:
            return state, f"facts_wrong: {exc.field}"
        opened = replace(
            state, opener=s.author, opened_at=s.at, members=s.members or (), members_version=1, phase=kind.opening.after
        )
        fault = kind.check(opened, entry)
        if fault:
            return state, f"illegal_act: {fault}"
        return replace(opened, own=kind.begin(entry)), ""
    if state.opener is None:
        return state, "opening_missing"
    rule = kind.act(s.type) or FRAME_ACTS.get(s.type)
    if rule is None or rule is kind.opening:
        return state, "unknown_type"
    fault = _act_fault(entry, rule, state)
    if fault:
        return state, fault
    if s.type in FRAME_ACTS:
        if missing := missing_reference(state, entry):
            return state, f"reference_missing: {missing}"
        fault = check_frame(state, entry)
        return (state, f"illegal_act: {fault}") if fault else (step_frame(state, entry), "")
    fault = kind.check(state, entry)
    if fault:
        return state, f"illegal_act: {fault}"
    phase, own = kind.step(state, entry)
    return replace(state, phase=phase, own=own), ""


def _act_fault(entry: Entry, rule: ActRule, state: DossierState) -> str:
    s = entry.statement
    if s.members is not None and s.type != "dossier.members":
        return "illegal_act: only a member list names members"
    if rule.by == "opener" and s.author != state.opener:
        return "not_the_opener"
    if rule.by == "addressee" and s.author == state.opener:
        return "not_an_addressee"
    if rule.before and state.phase not in rule.before:
        return f"illegal_act: not while {state.phase}"
    try:
        parse_facts(rule, s.facts)
    except Invalid as exc:
        return f"facts_wrong: {exc.field}"
    return ""


def _oddities(entry: Entry, memory: _Memory) -> None:
    """What officers should see although the entry counts."""
    s = entry.statement
    parents = [memory.known[p].statement for p in s.parents if p in memory.known]
    if parents and s.at < max(p.at for p in parents) - TIME_TOLERANCE:
        memory.marks.append(Mark(entry.id, "time_before_parents", void=False))
    if parents and s.clock > max(p.clock for p in parents) + CLOCK_JUMP:
        memory.marks.append(Mark(entry.id, "clock_jump", void=False))
    if len(parents) < len(s.parents):
        memory.marks.append(Mark(entry.id, "parents_missing", void=False))


# --- duties and automatic acts of the frame ---


def duties(state: DossierState, kind: Kind) -> tuple[Duty, ...]:
    """Who owes what until when: the frame's duties and the kind's."""
    if state.opener is None or state.opened_at is None:
        return ()
    found = list(kind.duties(state))
    for p in state.permissions:
        about = state.entry(p.asked)
        if not p.answer and about is not None:
            found.append(
                Duty(
                    state.id,
                    _permission_owner(state, p.asked),
                    "dossier.permission.answer",
                    later(p.at, timedelta(days=7)),
                    p.at,
                    "Reg. 2016/794 art. 19(2); LED art. 35(1)(e)",
                    p.asked,
                    creditor=p.by,
                )
            )
    for r in state.recalls:
        entry = state.entry(r.entry)
        holders = _holders(state, r) if entry else ()
        found += [
            Duty(
                state.id, n, "dossier.erase", r.at, r.at, "LED art. 7(3), 16", r.entry, creditor=entry.statement.author
            )
            for n in holders
            if entry and n not in r.erased
        ]
    for x in state.restrictions:
        about = state.entry(x.about)
        found += [
            Duty(
                state.id,
                n,
                "dossier.restriction.acknowledge",
                later(x.at, timedelta(days=3)),
                x.at,
                "Reg. 2016/794 art. 19(2)",
                x.entry,
            )
            for n in (about.statement.addressees if about else ())
            if n in state.members and n not in x.acknowledged
        ]
    found += _review_duties(state, kind)
    return tuple(found)


def _permission_owner(state: DossierState, asked: EntryId) -> NodeId:
    entry = state.entry(asked)
    about = state.entry(EntryId(str(entry.statement.facts.get("about", "")))) if entry else None
    return about.statement.author if about else (state.opener or NodeId(""))


def _holders(state: DossierState, recall: Recall) -> tuple[NodeId, ...]:
    """Who may hold the part: of the members its entry's addressees, and who joined later; of those that were members
    whoever the recall is addressed to. Who was withheld it says so."""
    about = state.entry(recall.about)
    if about is None:
        return ()
    first = set(state.first.statement.members or ())
    gone = sorted(parting.former(state).intersection(parting.addressed(state, recall)))
    given = set(about.statement.addressees) | ({*state.members, *gone} - first)
    return tuple(n for n in (*state.members, *gone) if n in given and n != about.statement.author)


def _review_duties(state: DossierState, kind: Kind) -> list[Duty]:
    """Who has erased all of it has nothing left to review."""
    opening = state.first.statement
    if not opening.legal.review_on or state.opened_at is None:
        return []
    due = datetime.fromisoformat(opening.legal.review_on).replace(tzinfo=UTC)
    owed = kind.erases(state)
    gone = owed.told if owed else frozenset()
    return [
        Duty(state.id, n, "dossier.review", due, state.opened_at, "LED art. 5; Dir. 2023/977 art. 16(4)")
        for n in state.members
        if n not in gone
    ]


def erasure_to_tell(state: DossierState, kind: Kind, me: NodeId) -> AutoAct | None:
    """The act with which we say that we erased all contents; None: nothing is to be said, or it was."""
    owed = kind.erases(state) if state.opener is not None else None
    if owed is None or me not in state.members or me in owed.told:
        return None
    return AutoAct(kind.erased_act, owed.facts)


def automatic(state: DossierState, kind: Kind, me: NodeId) -> tuple[AutoAct, ...]:
    """What this node writes by itself: its answer to a recall, and what the kind asks for."""
    found = [
        AutoAct("dossier.erased", {"recall": r.entry, "part": r.part})
        for r in state.recalls
        if me in _holders(state, r) and me not in r.erased
    ]
    return (*found, *kind.automatic(state, me)) if me in state.members else tuple(found)
