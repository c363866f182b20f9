"""Entities from the outside: what is on the closed lists comes in, everything else is refused by name."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.bank import entity_to_json, parse_entity, properties
from tansiq.bank.model import SCHEMAS
from tansiq.errors import Invalid


def person(*claims, **more):
    return {"id": "p1", "schema": "Person", "claims": list(claims) or [claim()], **more}


def claim(**more):
    return {"property": "name", "value": "Yasir Benomar", **more}


VECTORS = Path(__file__).parents[2] / "vectors" / "bank"
BAD = json.loads((VECTORS / "entities_bad.json").read_text("utf-8"))["vectors"]
GOOD = json.loads((VECTORS / "entities_good.json").read_text("utf-8"))["vectors"]


@pytest.mark.parametrize("vector", BAD, ids=[f"{v['code']}-{i}" for i, v in enumerate(BAD)])
def test_what_is_wrong_is_refused_with_its_field_and_without_its_value(vector):
    with pytest.raises(Invalid) as caught:
        parse_entity(vector["entity"])
    assert (caught.value.code, caught.value.field) == (vector["code"], vector["field"])
    assert "Yasir" not in f"{caught.value} {caught.value.detail} {caught.value.hint} {caught.value.field}"


@pytest.mark.parametrize("vector", GOOD, ids=[v["clause"] for v in GOOD])
def test_an_entity_has_one_wire_form(vector):
    assert entity_to_json(parse_entity(vector["entity"])) == vector["entity"]


def test_an_entity_of_more_claims_than_any_list_has_is_refused():
    with pytest.raises(Invalid) as caught:
        parse_entity(person(*[claim()] * 501))
    assert caught.value.code == "entity.too_many_claims"


@pytest.mark.parametrize("date", ["1985", "1985-03", "1985-03-20", "2000-02-29"])
def test_a_birth_date_may_be_partial(date):
    entity = parse_entity(person(claim(property="birthDate", value=date)))
    assert entity.values("birthDate") == (date,)


def test_names_in_arabic_keep_their_letters_and_lose_direction_marks():
    entity = parse_entity(person(claim(value="\u202bياسر  بنعمر\u202c", lang="ar")))
    assert entity.names() == ("ياسر بنعمر",)


def test_a_claim_says_of_itself_what_differs_from_its_entry():
    said = {"handling": "H2", "legal_basis": " art.  108 ", "erase_on": "2027-02-01"}
    found = parse_entity(person(claim(property="phone", value="+212600000087", **said))).claims[0]
    assert (found.handling, found.legal_basis, found.erase_on) == ("H2", "art. 108", "2027-02-01")


def test_a_claim_that_leaves_all_to_its_entry_has_the_wire_form_that_it_always_had():
    written = {"property": "name", "value": "Yasir Benomar", "basis": "fact", "grade": "X4"}
    empty = {"precision": "", "handling": "", "legal_basis": "", "erase_on": ""}
    assert entity_to_json(parse_entity(person(written)))["claims"] == [written]
    assert entity_to_json(parse_entity(person({**written, **empty})))["claims"] == [written]


def test_an_ungraded_claim_is_x4():
    assert parse_entity(person()).claims[0].grade == "X4"


def test_every_schema_has_properties_and_none_of_article_10():
    assert set(properties()) == set(SCHEMAS)
    for known in properties().values():
        assert not {"ethnicity", "religion", "political", "password", "privateKey"} & set(known)


claims = st.fixed_dictionaries(
    {"property": st.sampled_from(["name", "alias", "notes"]), "value": st.text(min_size=1, max_size=40)},
    optional={"lang": st.sampled_from(["ar", "fr-Latn"]), "grade": st.sampled_from(["A1", "B2", "X4"])},
)
dates = st.sampled_from([("1985", "year"), ("1985", "circa"), ("1985-03", "month"), ("1985-03-20", "day")])
rare = st.builds(
    lambda dated, more: {"property": "birthDate", "value": dated[0], "precision": dated[1], **more},
    dates,
    st.fixed_dictionaries(
        {},
        optional={
            "handling": st.sampled_from(["H1", "H2", "H1 H2", ""]) | st.text(max_size=4),
            "legal_basis": st.text(max_size=30),
            "erase_on": st.dates().map(str) | st.text(max_size=10),
            "precision": st.sampled_from(["day", "circa", "50", "locality", ""]),
        },
    ),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
near = st.fixed_dictionaries(
    {
        "id": st.text(max_size=5) | json_values,
        "schema": st.sampled_from([*SCHEMAS, "X", ""]) | json_values,
        "claims": st.lists(claims | rare | json_values, max_size=4) | json_values,
    },
    optional={"role": st.sampled_from(["SUSP", "", "x"]) | json_values, "more": json_values},
)


@given(json_values | near)
def test_whatever_arrives_is_an_entity_or_invalid(raw):
    try:
        entity = parse_entity(raw)
    except Invalid:
        return
    again = parse_entity(json.loads(json.dumps(entity_to_json(entity))))
    assert again == entity
