"""The table of chances behind `compare_persons`: m and u of every way in which an attribute can meet.

    points = log2(m / u) * dependence

m is how often records of one person meet in this way, u how often records of two persons with near names do.
`data/persons.json` says of each pair of chances whether it was counted or stated; benchmarks/train_persons.py makes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tansiq.matching.model import Outcome
from tansiq.matching.text import load

OUTCOME = {
    "same": Outcome.AGREE,
    "same_date": Outcome.AGREE,
    "same_month": Outcome.AGREE,
    "islamic_calendar": Outcome.AGREE,
    "solar_calendar": Outcome.AGREE,
    "same_year": Outcome.PARTIAL,
    "in_range": Outcome.PARTIAL,
    "placeholder": Outcome.PARTIAL,
    "day_month_swapped": Outcome.PARTIAL,
    "one_digit_wrong": Outcome.PARTIAL,
    "near_year": Outcome.PARTIAL,
    "islamic_year": Outcome.PARTIAL,
    "solar_year": Outcome.PARTIAL,
    "same_country": Outcome.PARTIAL,
    "other_town": Outcome.PARTIAL,
    "same_year_other_day": Outcome.CONFLICT,
    "same_year_other_month": Outcome.CONFLICT,
    "other_date": Outcome.CONFLICT,
    "other_generation": Outcome.CONFLICT,
    "other_number": Outcome.CONFLICT,
    "different": Outcome.CONFLICT,
}
"""What a way of meeting says, whatever it is worth."""


@dataclass(frozen=True, slots=True)
class Names:
    """How the sum of a name's rows becomes evidence: `shift`, and a bit counts `above` or `below` where the sum is
    above or below nothing."""

    shift: float
    above: float
    below: float

    def scale(self, found: float) -> float:
        return self.above if found > 0 else self.below


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is read from persons.json."""

    prior: float
    """log2 of the odds before anything is compared."""
    names: dict[str, Names]
    """by script: `latin`, `arabic`, or `mixed` where one name is written in each."""
    points: dict[str, dict[str, dict[str, float]]]
    """attribute -> class -> how -> points."""


def read(table: dict[str, Any]) -> Evidence:
    """The table as points; agreement never counts against and conflict never for."""
    share = float(table["prior"]["share"])
    points: dict[str, dict[str, dict[str, float]]] = {}
    for attribute, classes in table["chances"].items():
        scale = float(table["dependence"].get(attribute, 1.0))
        points[attribute] = {
            name: {how: weight(how, chance[0], chance[1], scale) for how, chance in hows.items()}
            for name, hows in classes.items()
        }
    return Evidence(
        math.log2(share / (1 - share)),
        {k: Names(float(v["shift"]), float(v["above"]), float(v["below"])) for k, v in table["names"].items()},
        points,
    )


def weight(how: str, m: float, u: float, scale: float = 1.0) -> float:
    """Points of one way of meeting, to two decimals."""
    found = math.log2(m / u) * scale
    if OUTCOME[how] is Outcome.AGREE or how == "same_country":
        found = max(found, 0.0)
    elif OUTCOME[how] is Outcome.CONFLICT:
        found = min(found, 0.0)
    return round(found, 2)


EVIDENCE = read(load("persons.json"))
