"""What every verb of the dossiers shares: the node's wiring, the loaded state, its duties, an erasure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from tansiq import crypto
from tansiq.bank import Bank
from tansiq.bank.model import Provenance
from tansiq.dossiers import records
from tansiq.dossiers.model import DossierState, Entry, Kind
from tansiq.dossiers.rules import automatic, duties, fold, in_order, is_opening
from tansiq.errors import Invalid, NotFound
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, PartId, country_of

Enqueue = Callable[[Connection, NodeId, str, str, datetime], None]
"""(tx, to, kind, ref, expires_at): the exchange's outbox, in our transaction."""


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
    enqueue: Enqueue
    requeue: Enqueue
    """The same for what was delivered before: the partner may now have more of it."""
    resolve: Callable[[str], NodeId]
    keys_of: Callable[[Connection, NodeId], crypto.PublicKeys]
    """The pinned keys of a partner; raises `Untrusted` for one that is not pinned."""
    after_file: list[Callable[[Connection, DossierId, EntryId, str], None]] = field(default_factory=list)
    after_erase: list[Callable[[Connection, PartId], None]] = field(default_factory=list)
    item_days: int = 60
    fault: Callable[[str], None] = lambda _point: None
    """Called at named points; tests raise there to simulate a crash. The default does nothing."""


def kind_of(w: Wiring, name: str) -> Kind:
    """Raises `Invalid` on a kind that this node does not know."""
    kind = w.kinds.get(name)
    if kind is None:
        known = ", ".join(sorted(w.kinds))
        raise Invalid("kind.unknown", f"known kinds: {known}", step="open the dossier", field="kind")
    return kind


def load_state(w: Wiring, tx: Connection, dossier: DossierId, *, contents: bool) -> tuple[DossierState, Kind]:
    entries = records.load_entries(tx, w.vault, dossier, contents=contents)
    if not entries:
        raise NotFound("dossier.unknown", "no such dossier", step="read the dossier", field="id")
    kind = kind_of(w, opening_of(entries).statement.kind)
    return fold(dossier, entries, kind), kind


def opening_of(entries: Iterable[Entry]) -> Entry:
    """The true opening, or while it is missing the first in order: a stranger's entry must not choose the kind."""
    ordered = in_order(entries)
    return next((e for e in ordered if is_opening(e)), ordered[0])


def refresh(w: Wiring, tx: Connection, state: DossierState, kind: Kind, now: datetime) -> None:
    opening = state.first.statement
    if state.opener is not None:
        records.set_opener(tx, state.id, state.opener, state.opened_at or now)
    records.replace_duties(tx, state.id, duties(state, kind))
    unsettled = bool(state.missing or automatic(state, kind, w.node))
    records.update_dossier(tx, state.id, state.phase, now, opening.legal.erase_on, unsettled)


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


def erase(w: Wiring, tx: Connection, part: PartId, why: str, now: datetime) -> None:
    if not records.erase_part(tx, part):
        return
    w.bank.erase_part(tx, part)
    for hook in w.after_erase:
        hook(tx, part)
    content = {"officer": "", "purpose": "system", "justification": why, "clauses": ["LED art. 16", "LED art. 25"]}
    w.ledger.append(tx, verb=LogVerb.ERASE, subject=part, content=content, at=now)
