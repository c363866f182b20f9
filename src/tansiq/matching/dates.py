"""Birth dates with the precision they were given, compared in bits; Islamic dates are turned into Gregorian ones.

The points are Fellegi-Sunter weights log2(m/u) from stated chances, not from counts: no birth dates are in the
training data. u: two persons share a full date about once in 365 * 60, a year once in 40 (ages bunch). m:
stated at each constant.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import NamedTuple

from tansiq.matching.model import Outcome

EXACT = 13.0  # m .80, u 1/21,900 = 14.1 bits less 0.3, rounded down for shared registers
PLACEHOLDER = 4.0  # both say 1 January: worth little more than the year
SWAPPED = 8.0  # day and month exchanged, m .01 of true pairs, u 1/43,800 and less
ONE_DIGIT = 5.0  # one digit read wrong
ISLAMIC = 9.0  # the same day by the Islamic calendar, within two days
YEAR = 5.0
YEAR_MONTH = 8.0
NEAR_YEAR = 1.0
SAME_YEAR_OTHER_DAY = -1.5
FAR = -6.0
GENERATION = -9.0


class Day(NamedTuple):
    """A date; month or day 0 = not given."""

    year: int
    month: int
    day: int


def parse_day(text: str) -> Day | None:
    """`1987`, `1987-03`, `1987-03-14`, with any script's digits; None when it is no date."""
    plain = "".join(
        str(unicodedata.digit(c, -1)) if c.isdigit() and unicodedata.digit(c, -1) >= 0 else c for c in text[:40]
    )
    m = re.fullmatch(r"\s*(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?\s*(?:T.*)?", plain)
    if not m:
        return None
    year, month, day = int(m.group(1)), int(m.group(2) or 0), int(m.group(3) or 0)
    if not 1250 <= year <= 2200 or month > 12 or day > 31:
        return None
    return Day(year, month, day if month else 0)


def islamic_to_gregorian(d: Day) -> Day | None:
    """Tabular civil Islamic calendar (epoch 16 July 622 Julian); within a day or two of the sighted one."""
    if not 1300 <= d.year <= 1500:
        return None
    month, day = d.month or 1, d.day or 1
    days = day + -(-59 * (month - 1) // 2) + (d.year - 1) * 354 + (3 + 11 * d.year) // 30 + 227014
    g = date.fromordinal(days)
    return Day(g.year, g.month if d.month else 0, g.day if d.day else 0)


def _one_digit(a: Day, b: Day) -> bool:
    x, y = f"{a.year:04}{a.month:02}{a.day:02}", f"{b.year:04}{b.month:02}{b.day:02}"
    wrong = [i for i in range(8) if x[i] != y[i]]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and x[wrong[0]] == y[wrong[1]] and x[wrong[1]] == y[wrong[0]]


def _full(a: Day, b: Day) -> tuple[str, Outcome, float]:
    if a == b:
        new_year = (a.month, a.day) == (1, 1)
        return ("placeholder", Outcome.PARTIAL, PLACEHOLDER) if new_year else ("same_date", Outcome.AGREE, EXACT)
    if a.year == b.year and (a.month, a.day) == (b.day, b.month):
        return "day_month_swapped", Outcome.PARTIAL, SWAPPED
    if a.year == b.year and (1, 1) in {(a.month, a.day), (b.month, b.day)}:
        return "placeholder", Outcome.PARTIAL, PLACEHOLDER - 1
    if _one_digit(a, b):
        return "one_digit_wrong", Outcome.PARTIAL, ONE_DIGIT
    if a.year == b.year:
        return "same_year_other_day", Outcome.CONFLICT, SAME_YEAR_OTHER_DAY
    return _years(a, b)


def _years(a: Day, b: Day) -> tuple[str, Outcome, float]:
    apart = abs(a.year - b.year)
    if apart == 0:
        return "same_year", Outcome.PARTIAL, YEAR
    coarse = not (a.day and b.day) or (1, 1) in {(a.month, a.day), (b.month, b.day)}
    if apart <= 2 and coarse:
        return "near_year", Outcome.PARTIAL, NEAR_YEAR - (apart - 1)
    return "other_date", Outcome.CONFLICT, GENERATION if apart > 12 else FAR


def compare_days(a: Day, b: Day) -> tuple[str, Outcome, float]:
    """(how, outcome, points) of two birth dates."""
    if (a.year < 1550) != (b.year < 1550):
        old, new = (a, b) if a.year < 1550 else (b, a)
        turned = islamic_to_gregorian(old)
        if turned is None:
            return "other_date", Outcome.CONFLICT, FAR
        if turned.day and new.day:
            apart = abs(date(turned.year, turned.month, turned.day).toordinal() - _ordinal(new))
            if apart <= 2:
                return "islamic_calendar", Outcome.AGREE, ISLAMIC
        how, outcome, points = _years(turned, new) if turned.year != new.year else ("", Outcome.PARTIAL, YEAR - 1)
        if turned.year + 1 == new.year and not old.month:
            return "islamic_calendar", Outcome.PARTIAL, YEAR - 1
        return ("islamic_calendar" if outcome is not Outcome.CONFLICT else how), outcome, points
    if a.day and b.day:
        return _full(a, b)
    if a.month and b.month and a.year == b.year:
        if a.month == b.month:
            return "same_month", Outcome.AGREE, YEAR_MONTH
        return "same_year_other_month", Outcome.CONFLICT, SAME_YEAR_OTHER_DAY
    return _years(a, b)


def _ordinal(d: Day) -> int:
    try:
        return date(d.year, d.month, d.day).toordinal()
    except ValueError:
        return 0
