"""How much a partner may lay down here, and when it is asked to come again with the rest (ADR 19).

Beside the fold, never in it: what a member has taken in it folds as every other member does. An entry that is put off
is an entry that is delayed, and a delay changes no state. So every answer here is "later", none is "no", and each ends:
- so many entries and bytes a partner lays down at once, and as many again in a day; of one dossier, so many entries;
- so many entries that are not here they name, or wait for an opening: these cost most and bring least;
- of a service that is no member, so many stand in a dossier at all. Those of an honest newcomer come in when the list
  that admits it has come: then they are a member's.
Memory of this process: a new start forgives. What it bounds is how fast a node grows, and an officer reads of it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from tansiq.dossiers.model import Bounds, DossierState, Entry, PutOff
from tansiq.dossiers.rules import named_in
from tansiq.dossiers.standing import Standing
from tansiq.exchange.model import LATER
from tansiq.terms import EntryId, NodeId

log = structlog.get_logger()

DAY = timedelta(days=1)
OUTSIDERS = ("not_a_member", "after_removal", "wrong_kind", "second_opening")
"""Faults of entries that no member builds upon, whatever comes after them."""
REMEMBERED = 16_384
"""Flows that are counted, the newest. Those of a partner as a whole are used with each of its entries."""


@dataclass(slots=True)
class _Flow:
    """What is left of so much a day: it fills up again as the day passes."""

    left: float
    at: datetime

    def refilled(self, most: int, now: datetime) -> float:
        passed = max(timedelta(), now - self.at) / DAY
        return min(float(most), self.left + most * passed)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What an entry takes of one flow."""

    name: str
    of: str
    most: int
    cost: float


class Admission:
    """Asked before an entry is filed. Written by who writes alone; `notices` is for everybody."""

    def __init__(self, clock: Callable[[], datetime], bounds: Bounds) -> None:
        self._clock = clock
        self._most = bounds
        self._flows: OrderedDict[tuple[str, str], _Flow] = OrderedDict()
        self._put_off: dict[NodeId, PutOff] = {}

    def admit(self, before: Standing | None, after: Standing, entry: Entry, size: int) -> str:
        """Why this entry is to come again later, or nothing: then it is counted. `size`: bytes of its delivery."""
        now, state = self._clock(), after.folded.state
        if _is_outside(state, entry) and before is not None and self._is_full(before.folded.state, entry):
            return self._later("outsider", entry, now)
        wanted = self._wanted(after, entry, size)
        if (lacks := self._lacking(wanted, now)) is not None:
            return self._later(lacks.name, entry, now)
        self._take(wanted, now)
        return ""

    def admit_all(self, after: Standing, entries: Sequence[tuple[Entry, int]]) -> bool:
        """Whether all of these are let in at once, with their sizes; if not, none is counted. Of members alone."""
        now, sums = self._clock(), dict[tuple[str, str], _Wanted]()
        for entry, size in entries:
            for w in self._wanted(after, entry, size):
                there = sums.pop((w.name, w.of), None)
                sums[(w.name, w.of)] = w if there is None else replace(w, cost=there.cost + w.cost)
        if self._lacking(sums.values(), now) is not None:
            return False
        self._take(sums.values(), now)
        return True

    def _lacking(self, wanted: Iterable[_Wanted], now: datetime) -> _Wanted | None:
        # What alone is more than a day's comes when a whole day is left.
        return next((w for w in wanted if self._left(w, now) < min(w.cost, w.most)), None)

    def _take(self, wanted: Iterable[_Wanted], now: datetime) -> None:
        for w in wanted:
            self._flows[(w.name, w.of)] = _Flow(self._left(w, now) - w.cost, now)
            self._flows.move_to_end((w.name, w.of))
        while len(self._flows) > REMEMBERED:
            self._flows.popitem(last=False)

    def notices(self) -> list[PutOff]:
        """The partners that were put off within a day, the first of them first."""
        now = self._clock()
        return sorted((n for n in list(self._put_off.values()) if now - n.last < DAY), key=lambda n: n.since)

    def _is_full(self, state: DossierState, entry: Entry) -> bool:
        """Whether so many of its author's entries stand there and count for nobody. One that a member's entry names is
        wanted all the same: whether it is known tells what that entry counts."""
        outside = {m.entry for m in state.marks if m.code in OUTSIDERS}
        author = entry.statement.author
        if sum(e.statement.author == author for e in state.entries if e.id in outside) < self._most.outsider:
            return False
        return not any(entry.id in named_in(e) for e in state.entries if e.id not in outside)

    def _wanted(self, after: Standing, entry: Entry, size: int) -> list[_Wanted]:
        # The partner's own flows last: of what is not used for a while they are forgotten last.
        author, state = entry.statement.author, after.folded.state
        here = f"{author} {state.id}"
        found = [_Wanted("dossier", here, self._most.dossier, 1)]
        # Each id that is named and not here is sought again with every entry that comes: those are counted.
        unknown = len({n for n in named_in(entry) if not after.folded.knows(EntryId(n))})
        if state.opener is None:
            # Ids of dossiers cost nothing: of those without an opening there is one flow for all.
            found.append(_Wanted("waiting", author, self._most.waiting, max(1, unknown)))
        elif unknown:
            found.append(_Wanted("waiting", here, self._most.waiting, unknown))
        found.append(_Wanted("megabytes", author, self._most.megabytes, size / 1_000_000))
        found.append(_Wanted("entries", author, self._most.entries, 1))
        return found

    def _left(self, wanted: _Wanted, now: datetime) -> float:
        flow = self._flows.get((wanted.name, wanted.of))
        return float(wanted.most) if flow is None else flow.refilled(wanted.most, now)

    def _later(self, name: str, entry: Entry, now: datetime) -> str:
        author, why = entry.statement.author, f"{LATER}{name}"
        known = self._put_off.get(author)
        if known is None or (known.why, known.dossier) != (why, entry.statement.dossier):
            log.warning("partner put off", peer=author, dossier=entry.statement.dossier, why=why)
        since, times = (known.since, known.times) if known is not None and now - known.last < DAY else (now, 0)
        self._put_off[author] = PutOff(author, since, now, times + 1, why, entry.statement.dossier)
        return why


def _is_outside(state: DossierState, entry: Entry) -> bool:
    return any(m.entry == entry.id and m.code in OUTSIDERS for m in state.marks)
