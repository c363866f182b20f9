"""The latest instant that is known to be past: what a clock that has leapt is measured by.

What is erased on its day is gone for good, so the clock's day is believed only where it is near an instant that
something else vouches for: the last sweep's, a partner's signature, an administrator's word. A leaf of the log is no
such thing: it bears whatever the clock said when it was written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tansiq.ledger import records
from tansiq.store import Store
from tansiq.terms import format_instant, later, parse_instant

BOUND = timedelta(days=7)
"""A node that was off for longer waits until it has heard from somebody. Less would trouble one that rests at times.
By one leap nothing is erased more than so much too early; who sets a clock on in smaller steps is not found."""
NEAR = timedelta(hours=2)
"""Two clocks that are right differ by no more."""
GRAIN = timedelta(hours=1)
"""What partners say is written down at most so often: it must not cost every envelope a commit."""
OWED = "clock.leapt"
ESCALATIONS = frozenset({OWED})


@dataclass(frozen=True, slots=True)
class ClockDuty:
    """The clock stands further ahead than anything vouches for: an officer says whether it is right."""

    since: datetime
    """The latest instant that is known to be past."""
    now: datetime
    """What the clock says."""
    code: str = OWED
    clause: str = "LED art. 29"
    urgent: bool = True
    dossier: str = ""

    @property
    def due_at(self) -> datetime:
        return self.now


def leaps(now: datetime, known: datetime) -> bool:
    """Whether `now` is further ahead than `known` bears. Pure."""
    return now > later(known, BOUND)


class KnownTime:
    """What the day of an erasure is measured by. One for each process of a node; threads may share it."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: datetime | None = None
        self._kept: datetime | None = None

    def doubt(self) -> ClockDuty | None:
        """None while the clock may be believed; before the first sweep there is nothing to measure it by."""
        now = self._clock()
        with self._store.read() as tx:
            kept = records.load_known_time(tx)
        if not kept:
            return None
        known = max(parse_instant(kept), self._heard or parse_instant(kept))
        return ClockDuty(known, now) if leaps(now, known) else None

    def hear(self, said: datetime) -> None:
        """A partner signed that it is so late. What is further ahead than our own clock vouches for nothing: who always
        spoke of a far day would vouch for every leap of ours."""
        now = self._clock()
        if said > later(now, NEAR):
            return
        word = min(said, now)
        with self._lock:
            if self._heard is not None and word <= self._heard:
                return
            self._heard = word
            if self._kept is not None and word < self._kept + GRAIN:
                return
            self._kept = word
        self._store.write(lambda tx: self._keep(tx, word))

    def note(self) -> None:
        """A sweep has believed the clock."""
        now = self._clock()
        self._store.write(lambda tx: records.keep_known_time(tx, format_instant(now)))

    def set(self, tx: Connection, at: datetime) -> None:
        """Somebody who knows says so; or it is the instant of a backup."""
        records.put_known_time(tx, format_instant(at))
        with self._lock:
            self._heard = None

    def _keep(self, tx: Connection, word: datetime) -> None:
        # Before the first sweep nothing is measured, and a bound of hearsay alone would hold it up.
        if records.load_known_time(tx):
            records.keep_known_time(tx, format_instant(word))
