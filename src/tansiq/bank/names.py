"""The names of all records, in memory: which record a spelling belongs to. Follows commits, never ahead of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple

from tansiq.bank.rules import NOTHING_TOLD
from tansiq.matching import NameIndex, Told


class Spelling(NamedTuple):
    """A spelling of a record that is near to the one asked for."""

    record: str
    name: str
    score: float


class Names:
    """Thread-safe. The index is searched outside the lock: many searches run side by side."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        """Owns everything below; never held while the store is asked."""
        self._index = NameIndex()
        self._owner: dict[int, tuple[str, str]] = {}
        self._positions: dict[str, tuple[int, ...]] = {}
        self._told: dict[str, Told] = {}
        """Of the records that tell any: most near names are of people born in other years, with other numbers."""
        self._waiting: dict[str, tuple[tuple[str, ...], Told]] = {}
        """Put and not in the index yet: that is the next search's work, and not that of the commit which put it."""
        self._seen = 0
        """All changes of the bank up to this one are in the index, or wait to be."""

    @property
    def seen(self) -> int:
        return self._seen

    def put(self, record: str, spellings: tuple[str, ...], change: int = 0, told: Told = NOTHING_TOLD) -> None:
        """`change` is the number of the commit's change, where it is the caller's own."""
        with self._lock:
            self._waiting.pop(record, None)
            self._waiting[record] = spellings, told
            # With a gap in between, another process has written too: its records are still to be read.
            if change == self._seen + 1:
                self._seen = change

    def caught_up(self, change: int) -> None:
        with self._lock:
            self._seen = max(self._seen, change)
            self._take_in()
        self._index.settle()

    def drop(self, ids: Iterable[str]) -> None:
        with self._lock:
            for record in ids:
                self._waiting.pop(record, None)
                self._told.pop(record, None)
                self._forget(record)

    def told(self, record: str) -> Told:
        """Of a record that a search has found."""
        return self._told.get(record, NOTHING_TOLD)

    def search(self, name: str, k: int, floor: float) -> list[Spelling]:
        """Spellings of at most `k` records that score `floor` or more, best first; a record may have several."""
        self.take_in()
        # Long entries have ten spellings of one name: with just `k` of them they would crowd the others out.
        near = self._index.search(name, k * 2)
        found: list[Spelling] = []
        records: set[str] = set()
        with self._lock:
            for position, score in near:
                # What was taken out meanwhile has no owner any more, and positions are never given out twice.
                owner = self._owner.get(position) if score >= floor else None
                if owner is not None and (owner[0] in records or len(records) < k):
                    records.add(owner[0])
                    found.append(Spelling(*owner, score))
        return found

    def only(self, records: Iterable[str]) -> Names:
        """The spellings of these records alone, to be searched beside the others."""
        self.take_in()
        aside = Names()
        with self._lock:
            for record in records:
                if held := self._positions.get(record):
                    aside.put(record, tuple(self._owner[at][1] for at in held))
        return aside

    def take_in(self) -> None:
        """What was put goes into the index. A search does it first; who has time does it before."""
        if self._waiting:
            with self._lock:
                self._take_in()

    def _take_in(self) -> None:
        """All that waits, in one step."""
        fresh: list[tuple[str, tuple[str, ...]]] = []
        for record, (spellings, told) in self._waiting.items():
            if told:
                self._told[record] = told
            else:
                self._told.pop(record, None)
            held = self._positions.get(record)
            if held is None or tuple(self._owner[i][1] for i in held) != spellings:
                self._forget(record)
                fresh.append((record, spellings))
        positions = iter(self._index.add_many(name for _, spellings in fresh for name in spellings))
        for record, spellings in fresh:
            own = tuple(next(positions) for _ in spellings)
            self._positions[record] = own
            self._owner.update({i: (record, name) for i, name in zip(own, spellings, strict=True)})
        self._waiting.clear()

    def _forget(self, record: str) -> None:
        for position in self._positions.pop(record, ()):
            self._owner.pop(position, None)
            self._index.remove(position)
