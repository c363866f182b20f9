"""The latest instant that is known to be past: what a clock that has leapt is measured by.

What is erased on its day is gone for good, so the clock's day is believed only where it is near an instant that
something else vouches for: a partner's signature, an administrator's word, and the machine's own count since then. A
leaf of the log is no such thing: it bears whatever the clock said when it was written; nor is a sweep that believed it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tansiq.ledger import records
from tansiq.store import Store
from tansiq.terms import format_instant, later, parse_instant

BOUND = timedelta(days=7)
"""A node that was off for longer waits until it has heard from somebody. Less would trouble one that rests at times.
By leaps nothing is erased more than so much too early, however many they are: the hours that a node was off are
indistinguishable from leaps, and add up with them until somebody has vouched."""
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


def running() -> float:
    """Seconds that this machine has been on, which no setting of its clock moves; with its sleep, where the system
    counts that."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class KnownTime:
    """What the day of an erasure is measured by. One for each process of a node; threads may share it.

    Known is the latest instant that a partner or an administrator has vouched for, and what has run since by the
    machine's own count. Hazard: the clock's own word is never written down as known, but for the very first. A clock
    that is set on by six days after each sweep would else vouch for itself, step by step.
    """

    def __init__(self, store: Store, clock: Callable[[], datetime], elapsed: Callable[[], float] = running) -> None:
        self._store = store
        self._clock = clock
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._since: tuple[datetime, float] | None = None
        """A known instant, and what the machine counted then."""
        self._kept: datetime | None = None

    def doubt(self) -> ClockDuty | None:
        """None while the clock may be believed; before the first sweep there is nothing to measure it by.

        Asked at each delivery: the database is read only where memory alone would doubt.
        """
        now = self._clock()
        known = self._known()
        if known is not None and not leaps(now, known):
            return None
        with self._store.read() as tx:
            kept = records.load_known_time(tx)
        if not kept:
            return None
        known = self._learn(parse_instant(kept))
        return ClockDuty(known, now) if leaps(now, known) else None

    def past(self) -> datetime:
        """An instant that is surely past: the clock's while it is believed, else the latest that is known."""
        doubt = self.doubt()
        return self._clock() if doubt is None else doubt.since

    def hear(self, said: datetime) -> None:
        """A partner signed that it is so late. What is further ahead than our own clock vouches for nothing: who always
        spoke of a far day would vouch for every leap of ours."""
        now = self._clock()
        if said > later(now, NEAR):
            return
        word = min(said, now)
        known = self._known()
        if known is not None and word <= known:
            return
        self._learn(word)
        with self._lock:
            if self._kept is not None and word < self._kept + GRAIN:
                return
            self._kept = word
        self._store.write(lambda tx: self._keep(tx, word))

    def note(self) -> None:
        """A sweep has believed the clock: what is known is written down, for the next start."""
        now = self._clock()

        def work(tx: Connection) -> None:
            kept = records.load_known_time(tx)
            known = self._learn(parse_instant(kept) if kept else now)
            records.keep_known_time(tx, format_instant(min(known, now)))

        self._store.write(work)

    def set(self, tx: Connection, at: datetime) -> None:
        """Somebody who knows says so; or it is the instant of a backup."""
        records.put_known_time(tx, format_instant(at))
        with self._lock:
            self._since = self._kept = None

    def _known(self) -> datetime | None:
        since = self._since
        return None if since is None else later(since[0], timedelta(seconds=max(0.0, self._elapsed() - since[1])))

    def _learn(self, at: datetime) -> datetime:
        """The latest that is known, with this."""
        with self._lock:
            known = self._known()
            if known is None or at > known:
                self._since = (at, self._elapsed())
                return at
            return known

    def _keep(self, tx: Connection, word: datetime) -> None:
        # Before the first sweep nothing is measured, and a bound of hearsay alone would hold it up.
        if records.load_known_time(tx):
            records.keep_known_time(tx, format_instant(word))
