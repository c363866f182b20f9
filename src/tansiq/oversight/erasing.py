"""What was to be erased and is still held: a duty of the data-protection officer until it is gone.

LED art. 5: time limits for erasure are kept; art. 16(2): it is erased without undue delay. A sweep does so by itself
every hour, so what is left of a day that is over was refused by the law gate, could not be read, or was never swept.
All of it is read from what is held: the duty ends with the erasure, and every process of this node says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tansiq.bank import Bank
from tansiq.oversight.sources import Folds
from tansiq.terms.instants import FIRST, later

OWED = "erasure.owed"
ESCALATIONS = frozenset({OWED})
"""Duties of the data-protection officer."""
CLAUSE = "LED arts 5, 16"
WITHIN = timedelta(days=1)
"""From the beginning of the day on which it was to be erased: that day."""
MOST = 200
"""Single records of the bank; where more are left, the oldest stand for them."""


@dataclass(frozen=True, slots=True)
class ErasureDuty:
    """What this service owes the persons concerned; partners do not see it."""

    record: str
    """A dossier, or a record of the bank."""
    since: datetime
    parts: int
    why: str = ""
    """A stable code, where a sweep of this process has tried it."""
    dossier: str = ""
    code: str = OWED
    clause: str = CLAUSE
    urgent: bool = True

    @property
    def due_at(self) -> datetime:
        return later(self.since, WITHIN)


def owed(dossiers: Folds, bank: Bank) -> list[ErasureDuty]:
    """The oldest first."""
    return sorted([*_of_dossiers(dossiers), *_of_bank(bank)], key=lambda d: (d.since, d.record))


def _of_dossiers(dossiers: Folds) -> Iterator[ErasureDuty]:
    for left in dossiers.unerased():
        yield ErasureDuty(left.dossier, _begin(left.day), left.parts, left.why, left.dossier)


def _of_bank(bank: Bank) -> Iterator[ErasureDuty]:
    for record, day in bank.unerased(MOST):
        yield ErasureDuty(record, _begin(day), 1, bank.refused.get(record, ""))


def _begin(day: str) -> datetime:
    try:
        return datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        return FIRST  # what stands there is older than this program's check of it: it is owed all the more
