"""Persons: every attribute's row, agreement and conflict alike."""

from __future__ import annotations

import pytest

from tansiq.matching import compare_persons
from tansiq.matching.dates import Day, compare_days, islamic_to_gregorian, parse_day


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ("1987-03-14", "1987-03-14", "same_date"),
        ("1987-03-04", "1987-04-03", "day_month_swapped"),
        ("1987-03-14", "1987-03-15", "one_digit_wrong"),
        ("1987-03-14", "1978-03-14", "one_digit_wrong"),
        ("1987-01-01", "1987-01-01", "placeholder"),
        ("1987-01-01", "1987-06-20", "placeholder"),
        ("1987", "1987-06-20", "same_year"),
        ("1987", "1988", "near_year"),
        ("1987-03", "1987-03-09", "same_month"),
        ("1987-03", "1987-09", "same_year_other_month"),
        ("1987-03-14", "1987-10-29", "same_year_other_day"),
        ("1987-03-14", "1961-11-02", "other_date"),
        ("1407-07-14", "1987-03-14", "islamic_calendar"),
        ("1407", "1987", "islamic_calendar"),
        ("١٩٨٧-٠٣-١٤", "1987-03-14", "same_date"),
    ],
)
def test_birth_dates(a: str, b: str, how: str) -> None:
    x, y = parse_day(a), parse_day(b)
    assert x is not None
    assert y is not None
    assert compare_days(x, y)[0] == how
    assert compare_days(y, x) == compare_days(x, y)


@pytest.mark.parametrize("text", ["", "yesterday", "87", "1987-13-01", "1987-01-44", "19870314"])
def test_no_date(text: str) -> None:
    assert parse_day(text) is None


def test_islamic_calendar() -> None:
    # the first day of 1400 was 21 November 1979 by the tabular calendar (20 or 21 by others)
    found = islamic_to_gregorian(Day(1400, 1, 1))
    assert found is not None
    assert (found.year, found.month) == (1979, 11)
    assert found.day in {20, 21}


SAME = {
    "names": ["Youssef El Idrissi"],
    "birth_dates": ["1987-03-04"],
    "nationalities": ["MA"],
    "birth_places": ["Tanger"],
    "sex": "m",
    "father": ["Ahmed"],
    "documents": [{"number": "AB 123456", "country": "MA", "kind": "identity_card"}],
    "phones": ["+212 612-345678"],
}


def test_agreement_row_by_row() -> None:
    other = {
        **SAME,
        "names": ["يوسف الإدريسي"],
        "birth_places": ["طنجة"],
        "father": ["أحمد الإدريسي"],
        "documents": ["ab123456"],
        "phones": ["00212612345678"],
    }
    found = compare_persons(SAME, other)
    assert found.score > 0.999
    assert found.conflicts == 0
    assert {"birth_date", "nationality", "birth_place", "sex", "father", "document", "phone"} <= {
        r.part for r in found.rows
    }


def test_conflict_is_shown() -> None:
    other = {
        "names": ["Youssef El Idrissi"],
        "birth_dates": ["1951-11-20"],
        "nationalities": ["PT"],
        "sex": "f",
        "father": ["Brahim"],
    }
    found = compare_persons(SAME, other)
    assert found.conflicts >= 4
    assert found.score < 0.05


def test_names_alone_and_nothing_at_all() -> None:
    assert compare_persons({"names": ["Karim Haddad"]}, {"names": ["كريم حداد"]}).score > 0.9
    empty = compare_persons({}, {"names": ["Karim Haddad"]})
    assert not empty.comparable
    assert empty.score == 0.0


def test_a_document_speaks_without_names() -> None:
    found = compare_persons({"documents": SAME["documents"]}, {"documents": SAME["documents"]})
    assert found.comparable
    assert found.score > 0.9
