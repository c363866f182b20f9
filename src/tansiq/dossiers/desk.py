"""What every verb of the dossiers shares: the node's wiring, the loaded state, its duties, an erasure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access.model import Acting
from tansiq.bank import Bank
from tansiq.bank.model import Entity, Provenance
from tansiq.dossiers import records
from tansiq.dossiers.model import Bounds, DossierState, Entry, Kind, Part, Presence, Statement
from tansiq.dossiers.records import Head
from tansiq.dossiers.rules import automatic, duties, extend, extend_all, folded, in_order, is_opening
from tansiq.dossiers.standing import Standing, Standings
from tansiq.errors import Invalid, NotFound, TansiqError
from tansiq.exchange.model import Foreseen, SignedAhead
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.policy.model import Action
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, PartId, country_of

Enqueue = Callable[[Connection, NodeId, str, str, datetime], None]
"""(tx, to, kind, ref, expires_at): the exchange's outbox, in our transaction."""


class EnqueueAhead(Protocol):
    """The same; with it, perhaps, the envelope that was foreseen."""

    def __call__(
        self, tx: Connection, to: NodeId, kind: str, ref: str, expires_at: datetime, ahead: SignedAhead | None = None, /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a node gives its dossiers. `after_*`: how capabilities above hear of it, in our transaction."""

    node: NodeId
    country: str
    signing: crypto.SigningKeys
    vault: crypto.Vault
    store: Store
    ledger: Ledger
    gate: Gate
    bank: Bank
    kinds: Mapping[str, Kind]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    enqueue: EnqueueAhead
    requeue: Enqueue
    """The same for what was delivered before: the partner may now have more of it."""
    resolve: Callable[[str], NodeId]
    keys_of: Callable[[Connection, NodeId], crypto.PublicKeys]
    """The pinned keys of a partner; raises `Untrusted` for one that is not pinned."""
    foresee: Callable[[NodeId, str, str, Callable[[], bytes], datetime, int], Foreseen | None] = lambda *_: None
    """(to, kind, ref, load, expires_at, least) -> the envelope that it will likely go in: to be signed with it. What
    `load` gives has `least` bytes or more."""
    log_keys: Callable[[Connection, NodeId], tuple[crypto.PublicKeys, ...]] = lambda _tx, _node: ()
    """All keys by which a node's ledger verifies, its own and a removed partner's too: the present ones first."""
    look_ahead: Callable[[Connection, Entry, Mapping[PartId, Entity]], object] = lambda _tx, _entry, _entities: None
    """What `after_file` may make use of, looked up in a snapshot before; None where it does that itself."""
    after_file: list[Callable[[Connection, DossierId, EntryId, str, object], None]] = field(default_factory=list)
    after_erase: list[Callable[[Connection, EntryId, PartId, list[str]], None]] = field(default_factory=list)
    """(tx, entry, part, bank records that went with it)"""
    after_reduce: list[Callable[[Connection, DossierId, EntryId, PartId, Entity | None], None]] = field(
        default_factory=list
    )
    """(tx, dossier, entry, part, what is left of its entity where that is one of ours)"""
    believes: Callable[[], bool] = lambda: True
    """Whether the clock may be believed where a day decides on an erasure."""
    item_days: int = 60
    bounds: Bounds = field(default_factory=Bounds)
    """How much partners may lay down here."""
    fault: Callable[[str], None] = lambda _point: None
    """Called at named points; tests raise there to simulate a crash. The default does nothing."""
    standings: Standings = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "standings", Standings(self.store))


def kind_of(w: Wiring, name: str) -> Kind:
    """Raises `Invalid` on a kind that this node does not know."""
    kind = w.kinds.get(name)
    if kind is None:
        known = ", ".join(sorted(w.kinds))
        raise Invalid("kind.unknown", f"known kinds: {known}", step="open the dossier", field="kind")
    return kind


def load_standing(w: Wiring, tx: Connection, dossier: DossierId) -> Standing:
    """The dossier's fold in this snapshot, for rules: what is held of its parts is not looked at."""
    there, newer = w.standings.load(tx, dossier)
    if there is None and not newer:
        raise NotFound("dossier.unknown", "no such dossier", step="read the dossier", field="id")
    if there is not None and not newer:
        return there
    if there is None:
        entries = [e for _, e in newer]
        kind = kind_of(w, opening_of(entries).statement.kind)
        there = Standing(kind, folded(dossier, entries, kind), newer[-1][0], newer[-1][1].id)
    else:
        for _number, entry in newer:
            there = with_entry(w, there, entry)
    w.standings.keep(tx, dossier, there)
    return there


def load_folds(w: Wiring, dossiers: Iterable[DossierId]) -> Iterator[tuple[DossierId, DossierState | TansiqError]]:
    """The folds of many dossiers, without contents, by few statements; why, of one that does not read. What is not
    there is left out."""
    wanted = list(dict.fromkeys(dossiers))
    for start in range(0, len(wanted), records.GROUP):
        with w.store.read() as tx:
            group = list(records.load_raws(tx, wanted[start : start + records.GROUP]))
        for dossier, rows in group:
            try:
                yield dossier, _fold_rows(w, dossier, rows)
            except TansiqError as exc:
                yield dossier, exc


def _fold_rows(w: Wiring, dossier: DossierId, rows: Sequence[Any]) -> DossierState:
    """By what is kept of it where that is as new. It is not kept itself: a figure over all dossiers would push out
    those that officers and partners work at."""
    kept = w.standings.kept(dossier)
    if kept is not None and (kept.number, kept.last) == (rows[-1].number, rows[-1].id):
        return kept.folded.state
    entries = records.read_raws(rows)
    return folded(dossier, entries, kind_of(w, opening_of(entries).statement.kind)).state


def with_entry(w: Wiring, there: Standing, entry: Entry) -> Standing:
    """The dossier with one entry more, which comes next. Nothing is kept."""
    if there.folded.is_opened and not is_opening(entry):
        return Standing(there.kind, extend(there.folded, entry, there.kind), there.number + 1, entry.id)
    entries = [*there.folded.state.entries, entry]
    kind = kind_of(w, opening_of(entries).statement.kind)
    return Standing(kind, folded(entry.statement.dossier, entries, kind), there.number + 1, entry.id)


def with_entries(there: Standing, entries: Sequence[Entry]) -> Standing:
    """An opened dossier with several entries more, none of them an opening, in the order in which they are numbered.
    Nothing is kept."""
    after = extend_all(there.folded, entries, there.kind)
    return Standing(there.kind, after, there.number + len(entries), entries[-1].id)


def new_standing(w: Wiring, entry: Entry) -> Standing:
    """A dossier of which this is the first entry that we see."""
    kind = kind_of(w, entry.statement.kind)
    return Standing(kind, folded(entry.statement.dossier, [entry], kind), 1, entry.id)


def without_contents(entry: Entry) -> Entry:
    """As standings hold it."""
    return Entry(entry.id, entry.statement, tuple(Part(r, Presence.WITHHELD, None) for r in entry.statement.parts))


def load_state(w: Wiring, tx: Connection, dossier: DossierId) -> tuple[DossierState, Kind]:
    """The fold with what this node has of each part: for people."""
    there = load_standing(w, tx, dossier)
    state = there.folded.state
    return replace(state, entries=tuple(records.with_contents(tx, w.vault, dossier, state.entries))), there.kind


def opening_of(entries: Iterable[Entry]) -> Entry:
    """The true opening, or while it is missing the first in order: a stranger's entry must not choose the kind."""
    ordered = in_order(entries)
    return next((e for e in ordered if is_opening(e)), ordered[0])


def show(w: Wiring, tx: Connection, before: Standing | None, after: Standing, now: datetime) -> None:
    """Bring the dossier's row and its duties up to what the fold says. `before`: as they stand; None: nowhere yet."""
    state = after.folded.state
    owed = duties(state, after.kind)
    if before is None:
        records.insert_dossier(tx, head_of(w, after, now))
        records.insert_duties(tx, state.id, owed, now)
        return
    records.update_dossier(tx, head_of(w, after, now))
    if not before.shown or duties(before.folded.state, before.kind) != owed:
        records.drop_duties(tx, state.id)
        records.insert_duties(tx, state.id, owed, now)


def head_of(w: Wiring, there: Standing, now: datetime) -> Head:
    """The dossier's row. While its opening is missing, the first entry in order stands for it."""
    state = there.folded.state
    first = state.first.statement
    return Head(
        id=state.id,
        kind=there.kind.name,
        opener=state.opener or first.author,
        opened_at=state.opened_at or first.at,
        phase=state.phase,
        updated_at=now,
        erase_on=_erase_on(there),
        unsettled=bool(state.missing or automatic(state, there.kind, w.node)),
    )


def _erase_on(there: Standing) -> str:
    """The day that the opening names, or the one by which the members owe the erasure where that comes first."""
    state = there.folded.state
    owed = there.kind.erases(state) if state.opener is not None else None
    days = (state.first.statement.legal.erase_on, owed.by.date().isoformat() if owed else "")
    return min((d for d in days if d), default="")


def provenance(entry: Entry, part: PartId) -> Provenance:
    s = entry.statement
    return Provenance(
        source="dossier",
        dossier=s.dossier,
        reference=entry.id,
        part=part,
        originator=country_of(s.author),
        handling=tuple(str(c) for c in s.handling.codes),
        legal_basis=s.legal.legal_basis,
        erase_on=s.legal.erase_on,
    )


def recalled(state: DossierState) -> frozenset[tuple[EntryId, PartId]]:
    return frozenset((r.about, r.part) for r in state.recalls)


def translates(s: Statement) -> tuple[EntryId, PartId] | None:
    """The entry and the part that a translation is of."""
    if s.type != "dossier.translated":
        return None
    return EntryId(str(s.facts.get("about", ""))), PartId(str(s.facts.get("part", "")))


def erase_late_translation(w: Wiring, tx: Connection, state: DossierState, entry: Entry, now: datetime) -> None:
    """A translation that arrives after its original was erased or recalled goes the same way."""
    original = translates(entry.statement)
    if original is None:
        return
    if original in recalled(state) or records.presence_of(tx, *original) == Presence.ERASED.value:
        for part in entry.statement.parts:
            if part.kind == "translation":
                erase(w, tx, entry.id, part.id, "its original was erased", now)


def erase_translations(w: Wiring, tx: Connection, entry: EntryId, part: PartId, why: str, now: datetime) -> None:
    """What says the same in another language goes with the part."""
    dossier = records.find_dossier_of(tx, entry)
    if dossier is None:
        return
    for found in load_standing(w, tx, dossier).folded.state.entries:
        if translates(found.statement) == (entry, part):
            for ref in found.statement.parts:
                if ref.kind == "translation":
                    erase(w, tx, found.id, ref.id, why, now)


def erase(w: Wiring, tx: Connection, entry: EntryId, part: PartId, why: str, now: datetime) -> None:
    """Erase an entry's part, its translations and what was made of it. The same content in another entry stays.

    Raises `Refused` where the law gate wants it kept: then nobody is told that it is gone.
    """
    clauses = w.bank.permitted(Action.ERASE, Acting.machine(), "erase")
    if not records.erase_part(tx, entry, part):
        return
    w.standings.changed(entry)
    erase_translations(w, tx, entry, part, why, now)
    gone = w.bank.erase_part(tx, entry, part)
    for hook in w.after_erase:
        hook(tx, entry, part, gone)
    content: dict[str, Any] = {"officer": "", "purpose": "system", "justification": why}
    content["clauses"] = [*clauses, "LED art. 16", "LED art. 25"]
    # Under the part, by which people look for it; which entry's it was stands within.
    w.ledger.append(tx, verb=LogVerb.ERASE, subject=part, content={**content, "entry": entry}, at=now)
