"""Names and numbers out of whatever an entity says: never an exception, and one form for one number."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tansiq.bank import identifiers, properties
from tansiq.bank.model import IDENTIFIER_KINDS, SCHEMAS, BankRecord, Candidate, Claim, Entity, Provenance
from tansiq.bank.records import pack
from tansiq.bank.rules import (
    IDENTIFIERS,
    POINTS,
    Asked,
    best,
    may_reach,
    normal_form,
    score_entity,
    searchable_names,
    told,
)
from tansiq.matching import score

# Lone surrogates too: a command line in another encoding brings them.
anything = st.text(st.characters(), min_size=1, max_size=60)


@st.composite
def entities(draw):
    schema = draw(st.sampled_from(SCHEMAS))
    known = sorted(properties()[schema])
    claims = draw(st.lists(st.builds(Claim, st.sampled_from(known), anything), min_size=1, max_size=5))
    return Entity("x", schema, tuple(claims))


def record(given, ident="b-1"):
    return BankRecord(ident, given, Provenance("own", "r", originator="MA"), datetime(2026, 11, 22, tzinfo=UTC))


@given(entities(), entities(), st.sampled_from(["", "MA", "ES", "??"]))
def test_whatever_two_entities_say_they_are_compared_and_the_points_add_up(asked, held, country):
    for kind, value in identifiers(asked, country):
        assert kind in IDENTIFIER_KINDS
        value.encode()
    for name in searchable_names(asked):
        assert name
    candidate = score_entity(Asked(asked, country), record(held))
    shown = candidate.explanation
    assert 0.0 <= candidate.score <= 1.0
    if shown["comparable"]:
        total = shown["start"] + sum(r["points"] for r in shown["rows"])
        assert abs(total - shown["sum"]) < 0.01


@given(st.sampled_from(sorted(POINTS)), anything, st.sampled_from(["", "MA", "DE"]))
def test_the_normal_form_of_a_number_is_its_own_normal_form_or_met_by_its_signs(kind, value, country):
    once = normal_form(kind, value, country)
    if once is not None:
        assert once.strip() == once != ""


def test_every_kind_of_identifier_has_its_points_and_its_properties_exist():
    assert set(POINTS) == IDENTIFIER_KINDS
    assert {kind for known in IDENTIFIERS.values() for kind in known.values()} == IDENTIFIER_KINDS
    for schema, known in IDENTIFIERS.items():
        assert set(known) <= set(properties()[schema])


@given(st.lists(st.floats(0.001, 0.999), max_size=12), st.integers(1, 6))
def test_the_best_are_the_best_and_in_order(scores, k):
    held = Entity("x", "Person", (Claim("name", "Yasser Tazeghart"),))
    found = best([Candidate(record(held, f"b-{i}"), s, {"rows": []}) for i, s in enumerate(scores)], k)
    assert [c.score for c in found] == sorted(scores, reverse=True)[:k]


NAMES = ["Younes Bamou", "يونس بامو", "Yunes Bamo", "Karim Badi", "Younes Zoufa"]
PHONES = ["+212612345678", "0612345678", "612345678", "+34612345678", "+212612345679", "+49301234567"]
PAPERS = ["AB123456", "AB123457", "AB124356", "00AB123456", "ZZ999999"]


@st.composite
def persons(draw):
    claims = [Claim("name", draw(st.sampled_from(NAMES)))]
    for name, values in (
        ("birthDate", ["1981-03-04", "1981", "1981-04-03", "1981-01-01", "1401", "1955", "1980", "1979-1983"]),
        ("phone", PHONES),
        ("passportNumber", PAPERS),
        ("idNumber", PAPERS),
        ("nationality", ["MA", "ES"]),
        ("birthPlace", ["Fès", "Rabat"]),
        ("gender", ["male", "female"]),
        ("fatherName", ["Ahmed", "Karim"]),
    ):
        claims += [Claim(name, v) for v in draw(st.lists(st.sampled_from(values), max_size=2))]
    return Entity("x", "Person", tuple(claims))


@given(persons(), persons(), st.sampled_from(["", "MA", "ES"]), st.sampled_from(["", "MA", "DE"]))
def test_who_can_come_to_the_least_score_is_read(asked, held, country, origin):
    there = BankRecord("b-1", held, Provenance("own", "r", originator=origin), datetime(2026, 11, 22, tzinfo=UTC))
    near = max(score(a, b) for a in searchable_names(asked) for b in searchable_names(held))
    for least in (0.2, 0.6):
        # What shares a number is read for that; the bound is for everybody else.
        if score_entity(Asked(asked, country), there, shares=False).score >= least:
            assert may_reach(Asked(asked, country), least)(near, told(held, origin))


def test_who_was_born_in_another_year_and_has_another_number_is_not_read():
    def person(name, *more):
        return Entity("x", "Person", (Claim("name", name), *(Claim(p, v) for p, v in more)))

    asked = person("يونس بامو", ("birthDate", "1981"), ("phone", "+212612345678"))
    near = 0.1
    enough = may_reach(Asked(asked, "MA"), 0.2)
    assert enough(near, told(person("Younes Zoufa", ("birthDate", "1955"), ("phone", "612345678")), "MA"))
    assert not enough(near, told(person("Younes Zoufa", ("birthDate", "1955"), ("phone", "+212699999999")), "MA"))
    assert not enough(near, told(person("Younes Zoufa", ("birthDate", "1955")), "MA"))


def test_of_what_is_no_person_the_name_alone_says_whether_it_is_read():
    enough = may_reach(Asked(Entity("x", "Organization", (Claim("name", "Tazeghart Import SARL"),)), "MA"), 0.2)
    there = told(Entity("y", "Organization", (Claim("name", "Tazeghart Export SARL"),)), "MA")
    assert (enough(0.2, there), enough(0.9, there), enough(0.1, there)) == (True, True, False)


def born(date, precision="", place="", place_precision=""):
    claims = [Claim("name", "Yasser Tazeghart"), Claim("birthDate", date, precision=precision)]
    return Entity("x", "Person", (*claims, *([Claim("birthPlace", place, precision=place_precision)] if place else [])))


def row_of(part, asked, held):
    rows = score_entity(Asked(asked), record(held)).explanation["rows"]
    return next((r for r in rows if r["part"] == part), None)


def points_of(part, asked, held):
    found = row_of(part, asked, held)
    return found["points"] if found else None


def test_a_year_that_is_not_certain_says_less_than_one_that_is():
    exact, circa = (row_of("birth_date", born("1985-03-20"), born("1985", p)) for p in ("year", "circa"))
    assert (exact["how"], exact["b"]) == ("same_year", "1985")
    assert (circa["how"], circa["b"]) == ("in_range", "circa 1985")
    assert circa["points"] < exact["points"]


def test_a_place_known_to_its_region_contradicts_no_town():
    town = born("1985", place="Rabat, Morocco")
    apart = points_of("birth_place", town, born("1985", place="Casablanca, Morocco"))
    region = points_of("birth_place", town, born("1985", place="Casablanca-Settat, Morocco", place_precision="region"))
    assert apart < region
    assert points_of("birth_place", town, born("1985", place="Casablanca-Settat", place_precision="region")) is None


def test_what_is_kept_of_a_plain_claim_is_what_was_kept_before_it_could_say_more():
    plain = Entity("x", "Person", (Claim("name", "Yasser Tazeghart"),))
    packed = msgspec.msgpack.decode(pack(plain, Provenance("own", "r")))
    assert packed[3] == [["name", "Yasser Tazeghart", "", "fact", "X4", "4x4", ""]]
