"""Analysis of competing hypotheses (Heuer, chapter 8), and scores of judgements. Pure arithmetic, formula version 1.

A cell is CC, C, N, I or II. Only inconsistency counts against a hypothesis: I is 1, II is 2, times the weight of the
evidence's grade. The hypothesis with the least inconsistency leads. Evidence that says the same of all hypotheses
tells nothing apart and carries no weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CELL = {"CC": 2, "C": 1, "N": 0, "I": -1, "II": -2}
SOURCE_WEIGHT = {
    "4x4": {"A": 3, "B": 2, "C": 1, "X": 1},
    "6x6": {"A": 3, "B": 2, "C": 2, "D": 1, "E": 1, "F": 1},
    "5x5x5": {"A": 3, "B": 2, "C": 1, "D": 1, "E": 1},
    "3x5x2": {"1": 2, "2": 1, "3": 1},
}
"""Ours: how much an inconsistency counts by the source's grade. An unknown source counts as a poor one."""

Cells = Mapping[str, Mapping[str, str]]
"""Evidence label -> hypothesis label -> cell."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hypotheses, the least inconsistent first, with their weighted inconsistency; lower is better."""

    order: tuple[str, ...]
    inconsistency: Mapping[str, int]

    @property
    def leaders(self) -> frozenset[str]:
        least = min(self.inconsistency.values(), default=0)
        return frozenset(h for h, n in self.inconsistency.items() if n == least)


def weight(grade: str, scheme: str) -> int:
    return SOURCE_WEIGHT.get(scheme, {}).get(grade[:1], 1)


def diagnosticity(row: Mapping[str, str], hypotheses: tuple[str, ...]) -> int:
    """How far a piece of evidence tells the hypotheses apart: 0 (says the same of all) to 4."""
    values = [CELL[row.get(h, "N")] for h in hypotheses]
    return max(values) - min(values) if values else 0


def rank(cells: Cells, hypotheses: tuple[str, ...], weights: Mapping[str, int]) -> Ranking:
    """`weights`: evidence label -> weight; a missing one counts 1."""
    against = {
        h: sum(
            max(0, -CELL[row.get(h, "N")]) * weights.get(e, 1)
            for e, row in cells.items()
            if diagnosticity(row, hypotheses)
        )
        for h in hypotheses
    }
    return Ranking(tuple(sorted(hypotheses, key=lambda h: (against[h], h))), against)


def sensitivity(cells: Cells, hypotheses: tuple[str, ...], weights: Mapping[str, int]) -> dict[str, frozenset[str]]:
    """Evidence label -> who would lead without it, where that differs from who leads with all of it."""
    whole = rank(cells, hypotheses, weights).leaders
    found = {}
    for e in sorted(cells):
        without = rank({k: v for k, v in cells.items() if k != e}, hypotheses, weights).leaders
        if without != whole:
            found[e] = without
    return found


def brier(percent: Mapping[str, int], came_true: str) -> float | None:
    """Mean squared error over the judged hypotheses: 0 is perfect, 1 is certain and wrong. None: nothing judged."""
    if not percent:
        return None
    return sum((p / 100 - (h == came_true)) ** 2 for h, p in percent.items()) / len(percent)
