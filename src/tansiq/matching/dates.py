"""Birth dates with the precision they were given, and the ways in which two of them meet.

A date is a day, a month, a year, a span of years or `about` a year, by the Gregorian calendar or, where the year is
1250 to 1549, by the Islamic or the Persian solar one. What a way of meeting is worth stands in `evidence.py`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from functools import lru_cache
from typing import NamedTuple

FIRST, LAST = 1250, 2200
TURN = 1550
"""Years before this are not Gregorian: nobody alive was born then."""
SPAN = 20
"""Years of a span; a wider one tells nobody apart."""
NEAR = 2
GENERATION = 12
ISLAMIC_DAYS = 2
"""The tabular calendar, Umm al-Qura and the sighted moon differ by up to two days."""


class Day(NamedTuple):
    """A date; month or day 0 = not given."""

    year: int
    month: int
    day: int


class Birth(NamedTuple):
    """What a record says of a birth: `until` is the last year of a span (0 = none), `about` that it is not certain."""

    day: Day
    until: int = 0
    about: bool = False

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last year that fit."""
        return self.day.year, self.until or self.day.year


_ABOUT = re.compile(
    r"(?i)^(?:circa|ca\.?|c\.|approximately|approx\.?|about|around|vers|environ|env\.|hacia|aproximadamente|aprox\.?|um"
    r"|etwa|ungefähr|intorno al|circa il|por volta de|حوالي|نحو|~)\s*|\s*(?:~|\?|\(?circa\)?|\(?ca\.\)?)$"
)
_ISO = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
_SPAN = re.compile(
    r"(?i)(?:between|entre|zwischen|from|de|tra|بين)?\s*(\d{4})\s*(?:-|–|/|\.\.|to|and|et|y|e|und|bis|à|a|و)\s*(\d{4})"
)


def _digits(text: str) -> str:
    """Any script's digits as ASCII, without the marks that turn the direction."""
    return "".join(
        str(unicodedata.digit(c)) if unicodedata.digit(c, None) is not None and c.isdigit() else c
        for c in text
        if unicodedata.category(c) != "Cf"
    ).strip()


def parse_day(text: str) -> Day | None:
    """`1987`, `1987-03`, `1987-03-14`, `14/03/1987` (day first), in any script's digits; None when it is no date.
    Where only the other order of day and month is a date, it is that one."""
    plain = _digits(text[:40])
    if m := _ISO.fullmatch(plain):
        year, month, day = int(m[1]), int(m[2] or 0), int(m[3] or 0)
    elif m := _DAY_FIRST.fullmatch(plain):
        year, month, day = int(m[3]), int(m[2]), int(m[1])
    else:
        return None
    if month > 12 >= day > 0:
        month, day = day, month
    if not FIRST <= year <= LAST or month > 12 or day > 31:
        return None
    return Day(year, month, day if month else 0)


@lru_cache(maxsize=4096)
def parse_birth(text: str) -> Birth | None:
    """A date, a span of years (`1961-1966`, `entre 1961 y 1966`) or an uncertain date (`circa 1961`)."""
    plain = _digits(text[:60])
    bare = _ABOUT.sub("", plain)
    if span := _SPAN.fullmatch(bare):
        first, last = int(span[1]), int(span[2])
        if FIRST <= first <= last <= LAST and last - first <= SPAN:
            return Birth(Day(first, 0, 0), last if last > first else 0, about=True)
        return None
    found = parse_day(bare)
    if found is None:
        return None
    # an uncertain date is not known to the day: only its year is meant
    return Birth(Day(found.year, 0, 0), 0, about=True) if bare != plain else Birth(found)


def join_years(births: list[Birth]) -> list[Birth]:
    """Years in a row, as lists write a span out (`1961`, `1962`, `1963`), put together again."""
    bare = sorted({b.day.year for b in births if not b.day.month and not b.until and not b.about})
    if len(bare) < 3 or bare[-1] - bare[0] != len(bare) - 1 or len(bare) > SPAN:
        return births
    rest = [b for b in births if b.day.month or b.until or b.about]
    return [*rest, Birth(Day(bare[0], 0, 0), bare[-1], about=True)]


def islamic_to_gregorian(d: Day) -> Day | None:
    """Tabular civil Islamic calendar (epoch 16 July 622 Julian); within a day or two of the sighted one."""
    if not 1300 <= d.year <= 1500:
        return None
    month, day = d.month or 1, d.day or 1
    days = day + -(-59 * (month - 1) // 2) + (d.year - 1) * 354 + (3 + 11 * d.year) // 30 + 227014
    g = date.fromordinal(days)
    return Day(g.year, g.month if d.month else 0, g.day if d.day else 0)


def solar_to_gregorian(d: Day) -> Day | None:
    """Persian and Afghan solar calendar: the year begins on 20 to 22 March; within two days."""
    if not 1270 <= d.year <= 1450:
        return None
    month, day = d.month or 1, d.day or 1
    days = (month - 1) * 31 if month <= 7 else 186 + (month - 7) * 30
    g = date.fromordinal(date(d.year + 621, 3, 21).toordinal() + days + day - 1)
    return Day(g.year, g.month if d.month else 0, g.day if d.day else 0)


def _ordinal(d: Day) -> int | None:
    try:
        return date(d.year, d.month, d.day).toordinal()
    except ValueError:
        return None


def _one_digit(a: Day, b: Day) -> bool:
    """One digit of eight is another, or two neighbours are exchanged."""
    x, y = f"{a.year:04}{a.month:02}{a.day:02}", f"{b.year:04}{b.month:02}{b.day:02}"
    wrong = [i for i in range(8) if x[i] != y[i]]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and x[wrong[0]] == y[wrong[1]] and x[wrong[1]] == y[wrong[0]]


def _new_year(d: Day) -> bool:
    return (d.month, d.day) == (1, 1)


def _apart(apart: int) -> str:
    return "near_year" if apart <= NEAR else "other_date" if apart <= GENERATION else "other_generation"


def _days(a: Day, b: Day) -> tuple[str, str]:
    if a == b:
        return "day", "placeholder" if _new_year(a) else "same_date"
    if _new_year(a) or _new_year(b):
        # a clerk's 1 January stands for a year without a day
        return "year", "placeholder" if a.year == b.year else _apart(abs(a.year - b.year))
    if a.year == b.year and (a.month, a.day) == (b.day, b.month):
        return "day", "day_month_swapped"
    if _one_digit(a, b):
        return "day", "one_digit_wrong"
    return "day", "same_year_other_day" if a.year == b.year else _apart(abs(a.year - b.year))


def _other_calendar(old: Birth, new: Birth) -> tuple[str, str]:
    nearest = 999
    fits = []
    for name, turn in (("islamic", islamic_to_gregorian), ("solar", solar_to_gregorian)):
        turned = turn(old.day)
        if turned is None:
            continue
        here, there = _ordinal(turned), _ordinal(new.day)
        if old.day.day and here and there and abs(here - there) <= ISLAMIC_DAYS:
            return "calendar", f"{name}_calendar"
        first, last = new.years
        # a year without a month begins in one Gregorian year and ends in the next
        latest = turned.year + (0 if old.day.month else 1)
        gap = max(first - latest, turned.year - last, 0)
        nearest = min(nearest, gap)
        if gap == 0 and not (old.day.day and new.day.day):
            fits.append(f"{name}_year")
    return ("calendar", fits[0]) if fits else ("year", _apart(max(nearest, 1)))


def meet(a: Birth, b: Birth) -> tuple[str, str]:
    """(class, how) of two births: how exactly both are known, and how they meet."""
    if (a.day.year < TURN) != (b.day.year < TURN):
        return _other_calendar(a, b) if a.day.year < TURN else _other_calendar(b, a)
    if a.until or b.until or a.about or b.about:
        gap = max(a.years[0] - b.years[1], b.years[0] - a.years[1], 0)
        return "span", _apart(gap) if gap else "in_range"
    x, y = a.day, b.day
    if x.day and y.day:
        return _days(x, y)
    apart = abs(x.year - y.year)
    if x.month and y.month:
        if apart:
            return "month", _apart(apart)
        return "month", "same_month" if x.month == y.month else "same_year_other_month"
    return "year", _apart(apart) if apart else "same_year"
