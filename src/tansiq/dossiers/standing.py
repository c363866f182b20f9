"""Folds kept in memory, so that one entry more costs one step and not the whole dossier again; and what the running
transaction has written of our own entries, for the envelope that is formed in it.

Nothing here is believed: a fold counts only if the database says, in the snapshot that asks, that its last entry bears
its number, and what came after it is added. Entries are never changed nor removed, and writers are serial, so the same
last entry under the same number is the same set. What a write made is kept for its own transaction, and for everybody
once that is committed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, RootTransaction

from tansiq.dossiers import records
from tansiq.dossiers.model import Entry, Kind
from tansiq.dossiers.rules import Folded
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, NodeId, PartId

MOST_DOSSIERS = 1024
MOST_ENTRIES = 16_384
"""About 3 KB each. Without contents: no personal data."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A dossier as far as entry number `number`, which is `last`. Every part looks withheld: it is for rules alone."""

    kind: Kind
    folded: Folded
    number: int
    last: EntryId
    shown: bool = False
    """The dossier's row and its duties say the same, because this process has written them."""


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of ours as the running transaction wrote it: to read and open it again would bring the same."""

    dossier: DossierId
    raw: bytes
    grants: Mapping[NodeId, records.Grant]
    parts: tuple[tuple[PartId, bytes, msgspec.Raw], ...]

    def sending(self, to: NodeId) -> tuple[records.Grant, DossierId, bytes] | None:
        """As `records.load_sending`."""
        grant = self.grants.get(to)
        return None if grant is None else (grant, self.dossier, self.raw)


class Standings:
    """The folds of one process. Thread-safe."""

    def __init__(self, store: Store, most_dossiers: int = MOST_DOSSIERS, most_entries: int = MOST_ENTRIES) -> None:
        self._store = store
        self._most = (most_dossiers, most_entries)
        self._lock = threading.Lock()
        self._kept: OrderedDict[DossierId, Standing] = OrderedDict()
        self._entries = 0
        """Owned by the lock, with `_kept`."""
        self._own: dict[DossierId, Standing] = {}
        self._own_tx: RootTransaction | None = None
        """What the running write transaction made; touched by who writes alone."""
        self._written: dict[EntryId, Written] = {}
        """The same. Contents lie here until the commit; where it fails, until the next transaction."""

    def load(self, tx: Connection, dossier: DossierId) -> tuple[Standing | None, list[tuple[int, Entry]]]:
        """The fold that holds in this snapshot, or None, and the entries that came after it (all of them for None)."""
        there = self._find(tx, dossier)
        if there is not None:
            rows = records.load_from(tx, dossier, there.number)
            if rows and (rows[0][0], rows[0][1].id) == (there.number, there.last):
                return there, rows[1:]
        return None, records.load_from(tx, dossier, 0)

    def kept(self, dossier: DossierId) -> Standing | None:
        """What is kept, believed by whoever has seen in the database that its last entry is the last."""
        with self._lock:
            return self._kept.get(dossier)

    def keep(self, tx: Connection, dossier: DossierId, standing: Standing) -> None:
        """From a read at once; from a write for the same transaction, and for others after its commit."""
        if not self._store.is_write(tx):
            self._put(dossier, standing)
            return
        self._begin(tx)
        self._own[dossier] = standing
        self._store.after_commit(tx, lambda: self._put(dossier, standing))

    def note(self, tx: Connection, entry: EntryId, written: Written) -> None:
        """From a write, for the same transaction."""
        self._begin(tx)
        self._written[entry] = written
        self._store.after_commit(tx, self._written.clear)

    def written(self, tx: Connection, entry: EntryId) -> Written | None:
        """What this very transaction wrote of an entry, and has not changed since."""
        if entry in self._written and self._own_tx is tx.get_transaction():
            return self._written[entry]
        return None

    def changed(self, entry: EntryId) -> None:
        """From a write: parts or grants of an entry are not what they were."""
        self._written.pop(entry, None)

    def _begin(self, tx: Connection) -> None:
        if self._own_tx is not tx.get_transaction():
            self._own, self._written, self._own_tx = {}, {}, tx.get_transaction()

    def _find(self, tx: Connection, dossier: DossierId) -> Standing | None:
        if dossier in self._own and self._own_tx is tx.get_transaction():
            return self._own[dossier]
        with self._lock:
            there = self._kept.get(dossier)
            if there is not None:
                self._kept.move_to_end(dossier)
            return there

    def _put(self, dossier: DossierId, standing: Standing) -> None:
        with self._lock:
            before = self._kept.pop(dossier, None)
            self._entries += standing.number - (before.number if before else 0)
            self._kept[dossier] = standing
            while len(self._kept) > self._most[0] or self._entries > self._most[1]:
                self._entries -= self._kept.popitem(last=False)[1].number
