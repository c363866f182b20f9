"""Entities from the outside: what is on the closed lists comes in, everything else is refused by name."""

import json

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


BAD = [
    ("entity.not_an_object", "entity", ["a", "list"]),
    ("entity.field_unknown", "entity.nationality", person(nationality="MA")),
    ("entity.field_unknown", "entity.?", person(**{"Yasir Benomar": "1"})),
    ("entity.schema_unknown", "entity.schema", {**person(), "schema": "Human"}),
    ("entity.not_text", "entity.schema", {**person(), "schema": 3}),
    ("entity.id_malformed", "entity.id", {**person(), "id": ""}),
    ("entity.id_malformed", "entity.id", {**person(), "id": "../x"}),
    ("entity.role_unknown", "entity.role", person(role="BOSS")),
    (
        "entity.role_not_a_person",
        "entity.role",
        {"id": "v", "schema": "Phone", "role": "SUSP", "claims": [{"property": "number", "value": "+212600000000"}]},
    ),
    ("entity.no_claims", "entity.claims", {**person(), "claims": []}),
    ("entity.no_claims", "entity.claims", {**person(), "claims": "name"}),
    ("entity.too_many_claims", "entity.claims", person(*[claim()] * 501)),
    ("claim.not_an_object", "entity.claims[0]", person("name")),
    ("entity.field_unknown", "entity.claims[0].weight", person(claim(weight=1))),
    ("claim.special_category", "entity.claims[0].religion", person(claim(property="religion"))),
    ("claim.special_category", "entity.claims[0].ethnicity", person(claim(property="ethnicity"))),
    ("claim.special_category", "entity.claims[0].political", person(claim(property="political"))),
    ("claim.property_unknown", "entity.claims[0].property", person(claim(property="iban"))),
    ("claim.property_unknown", "entity.claims[0].property", person(claim(property="password"))),
    ("claim.value_empty", "entity.claims[0].value", person(claim(value=" \u200f "))),
    ("claim.value_control", "entity.claims[0].value", person(claim(value="a\x00b"))),
    ("claim.value_control", "entity.claims[0].value", person(claim(value="a\ud800b"))),
    ("claim.value_too_long", "entity.claims[0].value", person(claim(value="a" * 513))),
    ("entity.not_text", "entity.claims[0].value", person(claim(value=None))),
    ("claim.lang_malformed", "entity.claims[0].lang", person(claim(lang="Arabic!"))),
    ("claim.basis_unknown", "entity.claims[0].basis", person(claim(basis="rumour"))),
    ("grade.unknown", "entity.claims[0].grade", person(claim(grade="Z9"))),
    ("grade.scheme", "entity.claims[0].grade", person(claim(scheme="9x9"))),
    ("date.malformed", "entity.claims[0].value", person(claim(property="birthDate", value="1999-02-29"))),
    ("date.malformed", "entity.claims[0].value", person(claim(property="birthDate", value="12/03/1999"))),
    ("date.malformed", "entity.claims[0].value", person(claim(property="birthDate", value="١٩٩٩"))),
    ("date.malformed", "entity.claims[0].as_of", person(claim(as_of="yesterday"))),
]


@pytest.mark.parametrize(("code", "field", "raw"), BAD, ids=[f"{c}-{i}" for i, (c, _, _) in enumerate(BAD)])
def test_what_is_wrong_is_refused_with_its_field_and_without_its_value(code, field, raw):
    with pytest.raises(Invalid) as caught:
        parse_entity(raw)
    assert (caught.value.code, caught.value.field) == (code, field)
    assert "Yasir" not in f"{caught.value} {caught.value.detail} {caught.value.hint} {caught.value.field}"


@pytest.mark.parametrize("date", ["1985", "1985-03", "1985-03-20", "2000-02-29"])
def test_a_birth_date_may_be_partial(date):
    entity = parse_entity(person(claim(property="birthDate", value=date)))
    assert entity.values("birthDate") == (date,)


def test_names_in_arabic_keep_their_letters_and_lose_direction_marks():
    entity = parse_entity(person(claim(value="\u202bياسر  بنعمر\u202c", lang="ar")))
    assert entity.names() == ("ياسر بنعمر",)


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
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=20,
)
near = st.fixed_dictionaries(
    {
        "id": st.text(max_size=5) | json_values,
        "schema": st.sampled_from([*SCHEMAS, "X", ""]) | json_values,
        "claims": st.lists(claims | json_values, max_size=4) | json_values,
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
