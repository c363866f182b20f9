"""Persons: every attribute's row, agreement and conflict alike."""

from __future__ import annotations

import pytest

from tansiq.matching import compare_persons
from tansiq.matching.dates import (
    Day,
    islamic_to_gregorian,
    meet,
    parse_birth,
    solar_to_gregorian,
)
from tansiq.matching.evidence import EVIDENCE, OUTCOME
from tansiq.matching.model import Outcome
from tansiq.matching.places import meet as meet_places
from tansiq.matching.places import parse_place


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
        ("1987-03-14", "1961-11-02", "other_generation"),
        ("1987-03-14", "1979-11-02", "other_date"),
        ("1987-03-14", "1988-11-02", "near_year"),
        ("1987-03", "1987-03", "same_month"),
        ("1987-01-01", "1988-06-20", "near_year"),
        ("1407-07-14", "1987-03-14", "islamic_calendar"),
        ("1407", "1987", "islamic_year"),
        ("1407-07", "1987-03-14", "islamic_year"),
        ("1407", "1995", "other_date"),
        ("1365-12-23", "1987-03-14", "solar_calendar"),
        ("1365", "1986", "solar_year"),
        ("1400-01-01", "1979-11-20", "islamic_calendar"),
        ("1400-01-01", "1979-11-21", "islamic_calendar"),
        ("١٩٨٧-٠٣-١٤", "1987-03-14", "same_date"),
        ("14/03/1987", "1987-03-14", "same_date"),
        ("03.14.1987", "1987-03-14", "same_date"),
        ("1961-1966", "1964-05-05", "in_range"),
        ("1961-1966", "1966-1970", "in_range"),
        ("1961-1966", "1968", "near_year"),
        ("between 1961 and 1966", "1975", "other_date"),
        ("circa 1961", "1961-05-05", "in_range"),
        ("vers 1961", "1962", "near_year"),
        ("حوالي ١٩٦١", "1990-02-02", "other_generation"),
    ],
)
def test_birth_dates(a: str, b: str, how: str) -> None:
    x, y = parse_birth(a), parse_birth(b)
    assert x is not None
    assert y is not None
    assert meet(x, y)[1] == how
    assert meet(y, x) == meet(x, y)
    cls, how = meet(x, y)
    assert cls in EVIDENCE.points["birth_date"]
    assert how in EVIDENCE.points["birth_date"][cls]


@pytest.mark.parametrize(
    "text", ["", "yesterday", "87", "1987-13-14", "1987-01-44", "19870314", "circa", "1900-1999", "1966-1961"]
)
def test_no_date(text: str) -> None:
    assert parse_birth(text) is None


def test_other_calendars() -> None:
    # the first day of 1400 was 21 November 1979 by the tabular calendar, 20 November by Umm al-Qura
    found = islamic_to_gregorian(Day(1400, 1, 1))
    assert found is not None
    assert (found.year, found.month) == (1979, 11)
    assert found.day in {20, 21}
    # 1 Farvardin 1400 was 21 March 2021, 23 Esfand 1365 was 14 March 1987
    assert solar_to_gregorian(Day(1400, 1, 1)) == Day(2021, 3, 21)
    turned = solar_to_gregorian(Day(1365, 12, 23))
    assert turned is not None
    assert (turned.year, turned.month) == (1987, 3)
    assert abs(turned.day - 14) <= 1


def test_a_date_is_worth_what_it_can_tell_apart() -> None:
    """The order of the ways of meeting, whatever the counts of the day are."""
    base = parse_birth("1987-03-04")
    assert base is not None
    worth = []
    for other in ("1987-03-04", "1987-04-03", "1987-03-05", "1987-11-20", "1995-11-20", "1951-11-20"):
        birth = parse_birth(other)
        assert birth is not None
        cls, how = meet(base, birth)
        worth.append(EVIDENCE.points["birth_date"][cls][how])
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 10
    assert worth[1] > 4
    assert worth[2] > 0
    assert worth[-2] < -2
    assert worth[-1] < -3


def test_every_chance_is_a_chance_and_speaks_as_it_should() -> None:
    for classes in EVIDENCE.points.values():
        for hows in classes.values():
            for how, points in hows.items():
                if OUTCOME[how] is Outcome.AGREE:
                    assert points >= 0, how
                if OUTCOME[how] is Outcome.CONFLICT:
                    assert points <= 0, how


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ("Tanger", "طنجة", "same"),
        ("Tétouan, Morocco", "Tetuán (Marruecos)", "same"),
        ("Fès, Maroc", "Oujda, المغرب", "other_town"),
        ("Morocco", "Rabat, Marokko", "same_country"),
        ("Fès, Maroc", "Sevilla, España", "different"),
        ("Morocco", "Spain", "different"),
        ("Casablanca", "Agadir", "different"),
        ("Casablanca", "Spain", ""),
        ("", "Spain", ""),
    ],
)
def test_places(a: str, b: str, how: str) -> None:
    x, y = parse_place(a), parse_place(b)
    assert meet_places(x, y) == how
    assert meet_places(y, x) == how


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
    alone = compare_persons({"names": ["Karim Haddad"]}, {"names": ["كريم حداد"]})
    assert 0.5 < alone.score < 0.99, "a common name is likely, never certain"
    empty = compare_persons({}, {"names": ["Karim Haddad"]})
    assert not empty.comparable
    assert empty.score == 0.0


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("Ali Benali", "Omar Benali"),
        ("Ali Benali", "عمر بن علي"),
        ("Benali Ali", "Omar Benali"),
        ("Hassan Benali", "Hussein Benali"),
        ("Fatima Zahra Benali", "Khadija Benali"),
        ("Samir Haddad", "Samira Haddad"),
        ("Mohamed Amine Alaoui", "Mohamed Yassine Alaoui"),
        ("Klaus Becker", "Karl Becker"),
        ("María García López", "Lucía García López"),
    ],
)
def test_twins_are_not_one_person_beyond_doubt(x: str, y: str) -> None:
    """The same family name and the same full date under two given names: an officer must not read 99 of 100."""
    a, b = ({"names": [n], "birth_dates": ["1990-05-05"]} for n in (x, y))
    found = compare_persons(a, b)
    dated = next(r for r in found.rows if r.part == "birth_date")
    alike = next(r for r in compare_persons(a, a).rows if r.part == "birth_date")
    assert 0 < dated.points < alike.points - 2
    assert found.score < 0.985
    assert compare_persons(b, a).score == found.score


@pytest.mark.parametrize(("x", "y"), [("Salim Haddad", "Salem Haddad"), ("Karim Haddad", "كريم حداد")])
def test_another_spelling_is_no_twin(x: str, y: str) -> None:
    found = compare_persons(*({"names": [n], "birth_dates": ["1990-05-05"]} for n in (x, y)))
    assert found.score > 0.995


def test_a_document_speaks_without_names() -> None:
    found = compare_persons({"documents": SAME["documents"]}, {"documents": SAME["documents"]})
    assert found.comparable
    assert found.score > 0.9


def test_documents_meet_and_differ() -> None:
    def row(x: object, y: object) -> tuple[str, str]:
        found = compare_persons(
            {"names": ["Karim Haddad"], "documents": [x]}, {"names": ["Karim Haddad"], "documents": [y]}
        )
        return next(((r.how, r.outcome.value) for r in found.rows if r.part == "document"), ("", ""))

    passport = {"number": "XY1234567", "country": "MA", "kind": "passport"}
    assert row(passport, {**passport, "number": "xy 1234567"}) == ("same", "agree")
    assert row(passport, "XY1234567") == ("same", "partial")
    assert row(passport, {**passport, "number": "XY1234568"}) == ("one_digit_wrong", "partial")
    assert row(passport, {**passport, "number": "AB9876543"}) == ("other_number", "conflict")
    # another issuer's number says nothing, and neither does another kind of document
    assert row(passport, {**passport, "country": "DZ"}) == ("", "")
    assert row(passport, {"number": "AB987654", "country": "MA", "kind": "identity_card"}) == ("", "")


def test_a_father_in_the_full_name_is_not_counted_twice() -> None:
    with_father = {"names": ["Youssef ben Ahmed El Idrissi"], "father": ["Ahmed"]}
    found = compare_persons(with_father, {**with_father, "names": ["يوسف بن أحمد الإدريسي"], "father": ["أحمد"]})
    row = next(r for r in found.rows if r.part == "father")
    assert (row.how, row.points) == ("said_in_the_name", 0.0)
    apart = compare_persons(
        {"names": ["Youssef El Idrissi"], "father": ["Ahmed"]}, {"names": ["يوسف الإدريسي"], "father": ["أحمد"]}
    )
    assert next(r for r in apart.rows if r.part == "father").points > 1


@pytest.mark.parametrize(
    ("x", "y", "met"),
    [
        ("+212612345678", "00212 6 12 34 56 78", True),
        ("+212612345678", "0612345678", True),
        ("٠٦١٢٣٤٥٦٧٨", "+212 612-345678", True),
        ("0612345678", "06 12 34 56 78", True),
        ("+212612345678", "+33612345678", False),
        ("+212612345678", "0612345679", False),
        ("1234", "1234", False),
    ],
)
def test_phones(x: str, y: str, met: bool) -> None:
    a, b = ({"names": ["Karim Haddad"], "phones": [p]} for p in (x, y))
    assert any(r.part == "phone" for r in compare_persons(a, b).rows) is met
    assert any(r.part == "phone" for r in compare_persons(b, a).rows) is met


def test_a_nationality_is_a_code_or_a_name() -> None:
    a, b = (
        {"names": ["Karim Haddad"], "nationalities": ["MA"]},
        {"names": ["Karim Haddad"], "nationalities": ["المغرب"]},
    )
    row = next(r for r in compare_persons(a, b).rows if r.part == "nationality")
    assert (row.how, row.a, row.b) == ("same", "MA", "MA")


def test_years_in_a_row_are_a_span() -> None:
    found = compare_persons(
        {"names": ["Karim Haddad"], "birth_dates": ["1961", "1962", "1963", "1964"]},
        {"names": ["Karim Haddad"], "birth_dates": ["1962-05-05"]},
    )
    row = next(r for r in found.rows if r.part == "birth_date")
    assert (row.how, row.a) == ("in_range", "1961-1964")


def test_conflict_weighs_as_agreement_does() -> None:
    """Two records that agree on the name alone and differ in everything else are not the same."""
    base = {"names": ["Karim Haddad"]}
    score = compare_persons(base, base).score
    for key, x, y in (
        ("birth_dates", "1987-03-14", "1951-10-22"),
        ("nationalities", "MA", "PT"),
        ("birth_places", "Tanger", "Sevilla"),
        ("sex", "m", "f"),
        ("father", "Ahmed", "Brahim"),
    ):
        assert compare_persons({**base, key: [x]}, {**base, key: [y]}).score < score, key
