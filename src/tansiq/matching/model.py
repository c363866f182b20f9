"""The nouns of matching: an explanation whose rows add up to its score."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What one row of evidence says."""

    AGREE = "agree"
    PARTIAL = "partial"
    CONFLICT = "conflict"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Row:
    """One piece of evidence: what stands in `a`, what stands in `b`, how they met, points in bits (log2)."""

    part: str
    a: str
    b: str
    how: str
    outcome: Outcome
    points: float

    def to_dict(self) -> dict[str, object]:
        return {
            "part": self.part,
            "a": self.a,
            "b": self.b,
            "how": self.how,
            "outcome": self.outcome.value,
            "points": self.points,
        }


def probability(points: float) -> float:
    """1 / (1 + 2^-points), safe for any finite points."""
    if points < -60:
        return float(2.0 ** max(points, -1000.0))
    return float(1.0 / (1.0 + 2.0**-points))


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two names score what they score. `score` = 1 / (1 + 2^-sum), sum = start + the points of the rows."""

    score: float
    comparable: bool
    start: float
    rows: tuple[Row, ...]

    @property
    def sum(self) -> float:
        return round(self.start + sum(r.points for r in self.rows), 4)

    def to_dict(self) -> dict[str, object]:
        return {
            "score": self.score,
            "comparable": self.comparable,
            "start": self.start,
            "rows": [r.to_dict() for r in self.rows],
            "sum": self.sum,
        }


@dataclass(frozen=True, slots=True)
class PersonComparison(Explanation):
    """Two persons, attribute by attribute. `conflicts` counts the rows that speak against."""

    @property
    def conflicts(self) -> int:
        return sum(r.outcome is Outcome.CONFLICT for r in self.rows)
