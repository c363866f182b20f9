"""Items: what a dossier keeps many of, each with a life cycle and a clock of its own. Pure; every kind may use it.

A task, a recommendation, a request for information, a party's signature, a partner's acknowledgement: each begins with
an entry, is stepped by later entries that name it in `facts.about`, is owed by one member until an instant, and ends.
A kind states its items as two tables (`Step`, `Owed`); who may step what, what follows and what is due come from here.

    begins="one"    the entry begins one item, owed by the member named in `facts.owner` (else by its author)
    begins="each"   the entry begins one item for each addressee, or for each member that the facts' field `of` lists
    begins="all"    as "each", and one for its author: what every member owes for itself
    begins=""       the entry steps the item that `facts.about` names; of an `each` item, its author's own

An item's key is the beginning entry's id, or `<entry id>/<node id>` for an item of one addressee.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from tansiq.dossiers.model import DossierState, Duty, Entry
from tansiq.errors import TansiqError
from tansiq.terms import LAST, EntryId, NodeId, later, parse_instant

Facts = Mapping[str, Any]
Clock = Callable[[Facts, datetime], datetime | None]
"""(the item's facts with the act's, the act's instant) -> when the item is due from now on; None: no clock runs."""

FARTHEST = timedelta(days=3660)
"""No instant that a partner writes carries a clock further than this."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item as the fold leaves it."""

    key: str
    sort: str
    begun: EntryId
    state: str
    author: NodeId
    owner: NodeId
    since: datetime
    due_at: datetime | None
    facts: Facts
    """Those of the beginning act, overlaid by each later act's (without `about`)."""
    last: EntryId
    trail: tuple[tuple[str, NodeId, datetime], ...] = ()
    """(act, author, instant) of each step, the beginning first."""

    def entered(self, act: str) -> datetime | None:
        """When this act last happened to the item."""
        return next((at for name, _who, at in reversed(self.trail) if name == act), None)


Items = Mapping[str, Item]


def keep(_facts: Facts, _at: datetime) -> datetime | None:
    """The marker of a step that leaves the clock as it runs (never called)."""
    raise AssertionError("a marker, not a clock")


def stop(_facts: Facts, _at: datetime) -> datetime | None:
    """No clock runs from now on."""
    return None


def after(length: timedelta) -> Clock:
    """A clock of this length from the act's instant."""
    return lambda _facts, at: later(at, length)


def working_days_later(at: datetime, days: int) -> datetime:
    """Monday to Friday. National holidays are not known here: a duty is then due a little early, never late."""
    while days and at < LAST:
        at = later(at, timedelta(days=1))
        days -= at.weekday() < 5
    return at


def months_later(at: datetime, months: int) -> datetime:
    """The same day and hour some calendar months on; the last day of a shorter month, or of the calendar."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if year > LAST.year:
        return LAST
    day = min(at.day, monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def told(field: str = "due") -> Clock:
    """A clock that ends at the instant which the act's facts tell, within reason; none where they tell nothing."""

    def clock(facts: Facts, at: datetime) -> datetime | None:
        try:
            due = parse_instant(str(facts.get(field, "")))
        except TansiqError:
            return None
        return due if abs(due - at) <= FARTHEST else None

    return clock


@dataclass(frozen=True, slots=True)
class Step:
    """One row: what an act does to items of one sort."""

    act: str
    sort: str
    begins: Literal["", "one", "each", "all"]
    by: Literal["any", "owner", "author", "other"]
    """Who may step it: any member; who owes it; who began it; any member but who owes it."""
    before: tuple[str, ...]
    after: str
    clock: Clock = keep
    owner: Literal["", "author", "actor", "told"] = ""
    """Who owes the item from now on: as before, who began it, who does this act, or whom `facts.owner` names."""
    of: str = ""
    """With `begins="each"`: the field of the facts that lists whose items they are; empty: the addressees."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One row: what is owed while an item of a sort stands in one of these states."""

    sort: str
    states: tuple[str, ...]
    code: str
    clause: str
    paused: str = ""
    """A word for why no clock runs, e.g. `clarification`; shown where the item has no due instant."""
    urgent: tuple[str, ...] = ()
    """Values of the fact `by` that make the duty urgent."""
    by: str = "urgency"


@dataclass(frozen=True, slots=True)
class Move:
    """One row: an item goes on because of an act that does not name it (another's signature, a newer version ...)."""

    sort: str
    before: tuple[str, ...]
    after: str
    because: str
    """The act, and in which case where that is not always so."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """The items of one kind: its tables."""

    steps: tuple[Step, ...]
    owed: tuple[Owed, ...] = ()
    moves: tuple[Move, ...] = ()
    phases: tuple[Move, ...] = ()
    """Phases of the dossier (no sort) that its acts' own table does not tell."""

    def moved(self, item: Item, to: str, **changes: Any) -> Item:
        """The item moved by the rules themselves; as it is where the tables know no such move."""
        known = any(m.sort == item.sort and item.state in m.before and m.after == to for m in self.moves)
        return replace(item, state=to, **changes) if known else item

    def states(self, sort: str) -> frozenset[str]:
        """Every state in which an item of this sort can stand."""
        stepped = {s.after for s in self.steps if s.sort == sort}
        return frozenset(stepped | {m.after for m in self.moves if m.sort == sort})

    def of(self, act: str) -> tuple[Step, ...]:
        return tuple(s for s in self.steps if s.act == act)

    def check(self, state: DossierState, items: Items, entry: Entry) -> str:
        """Why the act is illegal for its item; empty when legal, or when it touches none."""
        rows = self.of(entry.statement.type)
        if not rows:
            return ""
        told = entry.statement.facts.get("owner")
        if told and told not in state.members:
            return "its owner is no member"
        # An act that both steps an item and begins others is legal when the step is.
        faults = [_fault(row, items, entry) for row in rows if not row.begins]
        return "" if not faults or "" in faults else faults[0]

    def step(self, items: Items, entry: Entry) -> Items:
        """The items after a legal act: the one that it steps, and those that it begins."""
        rows = self.of(entry.statement.type)
        stepped = next((r for r in rows if not r.begins and not _fault(r, items, entry)), None)
        item = _meant(stepped, items, entry) if stepped else None
        if stepped and item:
            items = {**items, item.key: _stepped(stepped, item, entry)}
        for row in rows:
            if row.begins:
                items = {**items, **_begun(row, entry)}
        return items

    def duties(self, state: DossierState, items: Items) -> tuple[Duty, ...]:
        """What is owed by whom, for members that are still there."""
        return tuple(_duties(self.owed, state, items.values()))


def _meant(row: Step, items: Items, entry: Entry) -> Item | None:
    """The item that an act names: the whole one, or of an `each` item the lane of its author or of `facts.member`."""
    s = entry.statement
    about = str(s.facts.get("about", ""))
    lane = str(s.facts.get("member", "")) or s.author
    found = (items.get(about), items.get(f"{about}/{lane}"))
    return next((i for i in found if i is not None and i.sort == row.sort), None)


def _fault(row: Step, items: Items, entry: Entry) -> str:
    if row.begins:
        return ""
    item = _meant(row, items, entry)
    if item is None:
        return f"it names no {row.sort} of this dossier"
    actor = entry.statement.author
    allowed = {"any": True, "owner": actor == item.owner, "author": actor == item.author, "other": actor != item.owner}
    if not allowed[row.by]:
        return f"not theirs to do: {row.by}"
    if row.before and item.state not in row.before:
        return f"not while {item.state}"
    return ""


def _begun(row: Step, entry: Entry) -> dict[str, Item]:
    s = entry.statement
    facts = dict(s.facts)
    due = None if row.clock is keep else row.clock(facts, s.at)
    trail = ((s.type, s.author, s.at),)

    def item(key: str, owner: str) -> Item:
        return Item(key, row.sort, entry.id, row.after, s.author, NodeId(owner), s.at, due, facts, entry.id, trail)

    if row.begins == "one":
        return {entry.id: item(entry.id, str(facts.get("owner") or s.author))}
    whose = [str(n) for n in facts.get(row.of) or ()] if row.of else [n for n in s.addressees if n != s.author]
    if row.begins == "all":
        whose.append(s.author)
    return {(key := f"{entry.id}/{node}"): item(key, node) for node in whose}


def _stepped(row: Step, item: Item, entry: Entry) -> Item:
    s = entry.statement
    facts = {**item.facts, **{k: v for k, v in s.facts.items() if k not in ("about", "member")}}
    told = NodeId(str(s.facts.get("owner") or item.owner))
    return replace(
        item,
        state=row.after,
        owner={"": item.owner, "author": item.author, "actor": s.author, "told": told}[row.owner],
        since=s.at if row.after != item.state else item.since,
        due_at=item.due_at if row.clock is keep else row.clock(facts, s.at),
        facts=facts,
        last=entry.id,
        trail=(*item.trail, (s.type, s.author, s.at)),
    )


def _duties(owed: tuple[Owed, ...], state: DossierState, items: Iterable[Item]) -> Iterable[Duty]:
    for item in items:
        if item.owner not in state.members:
            continue
        for row in owed:
            if row.sort == item.sort and item.state in row.states:
                urgent = str(item.facts.get(row.by, "")) in row.urgent
                paused = row.paused if item.due_at is None else ""
                yield Duty(
                    state.id,
                    item.owner,
                    row.code,
                    item.due_at,
                    item.since,
                    row.clause,
                    item.begun,
                    urgent,
                    item.author if item.author != item.owner else None,
                    paused,
                )
