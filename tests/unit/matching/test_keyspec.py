"""Keys of a private check: which they are, which spellings meet, what is never a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.matching.keyspec import (
    ALWAYS,
    CHECKED,
    MAX_KEYS,
    KeyClass,
    KeyTier,
    asked_keys,
    fingerprint,
    group_of,
    held_keys,
    tier_of,
)

PINNED = json.loads((Path(__file__).parents[2] / "vectors" / "matching" / "keyspec.json").read_text(encoding="utf-8"))


def person(name: str, born: str = "1987-03-14", **more: Any) -> dict[str, Any]:
    return {"names": [name], "birth_dates": [born] if born else [], **more}


def met(asked: dict[str, Any], held: dict[str, Any], classes: Any = ALWAYS) -> set[str]:
    return {k.key_class.value for k in set(asked_keys(asked, classes)) & set(held_keys(held, classes))}


def test_the_keys_of_this_keyspec_are_pinned() -> None:
    """A rule that moves a key makes another keyspec: raise KEYSPEC and rebuild the vector, both or neither."""
    assert fingerprint() == PINNED["fingerprint"]
    for case in PINNED["cases"]:
        assert [k.input.decode() for k in asked_keys(case["person"], KeyClass)] == case["asked"]
        assert len(held_keys(case["person"], KeyClass)) == case["held"]


@pytest.mark.parametrize(
    ("asked", "held"),
    [
        ("Mohammed El Hammouchi", "محمد الحموشي"),
        ("Hamouchi Mohamed", "Mohammed Hammouchi"),
        ("Abderrahmane Benali", "عبد الرحمن بن علي"),
        ("Abd al-Rahman Ben Ali", "Abderrahmane Benali"),
        ("Kamal al-Din Haddad", "Kamaluddin Haddad"),
        ("Imad al-Din Haddad", "عماد الدين حداد"),
        ("Ksenia Shcherbakova", "Ксения Щербакова"),
        ("Georgios Papadopoulos", "Γεώργιος Παπαδόπουλος"),
        ("Yana Kovac", "Jana Kovač"),
        ("Ivanoff Sergei", "Sergej Ivanov"),
        ("Mikael Nikolas", "Michael Nicholas"),
        ("Çağrı Şahin", "Cagri Sahin"),
        ("Karim Tazi Lahlou", "Karim Lahlou"),
    ],
)
def test_spellings_of_one_name_share_a_pair_and_a_date(asked: str, held: str) -> None:
    assert "nd" in met(person(asked), person(held))


def test_one_wrong_part_leaves_the_initial_family() -> None:
    assert met(person("Rachid Benkirane"), person("Rachid Bensouda")) == {"nh"}
    assert met(person("Rachid Benkirane"), person("Rachid Tazi")) == set()


def test_day_and_month_in_either_order_still_meet_by_the_pair_alone() -> None:
    assert met(person("Karim Tazi", "1987-03-04"), person("Karim Tazi", "1987-04-03")) == {"nd"}
    assert met(person("Karim Tazi", "1987-03-04"), person("Karim Tazi", "1986-03-04")) == set()


@pytest.mark.parametrize("exchanged", ["1987-22-03", "03/22/1987", "22/03/1987"])
def test_a_month_above_twelve_is_the_day_and_meets_in_every_class(exchanged: str) -> None:
    assert met(person("Karim Tazi", exchanged), person("Karim Tazi", "1987-03-22")) == {"nd", "nh"}


@pytest.mark.parametrize(
    "born", ["", "1987", "1987-03", "1987-01-01", "1987-02-30", "1987-31-02", "1987-13-13", "1987-22-00", "sometime"]
)
def test_without_a_whole_date_a_name_is_no_key(born: str) -> None:
    """A pair and a year open a holding to guessing: ten thousand guesses find a twelfth of it."""
    assert asked_keys(person("Karim Tazi", born)) == []
    assert held_keys(person("Karim Tazi", born)) == []


def test_a_single_name_is_no_key() -> None:
    assert asked_keys(person("Karim")) == []


def test_an_independent_attribute_stands_for_the_day_only_where_it_is_asked_for() -> None:
    here, there = (
        person(n, "1987", birth_places=[p]) for n, p in (("Karim Tazi", "Marrakech"), ("كريم تازي", "مراكش"))
    )
    assert met(here, there) == set()
    assert met(here, there, KeyClass) == {"np"}
    by_father = (person("Karim Tazi", "1987", fathers=["Hassan"]), person("Karim Tazy", "1987-05-02", fathers=["حسن"]))
    assert met(*by_father, KeyClass) == {"nf"}
    other = person("Karim Tazi", "1987", fathers=["Driss"], birth_places=["Oujda"])
    assert met(by_father[0], other, KeyClass) == set()


def test_numbers_meet_in_their_one_written_form_and_broken_ones_are_no_keys() -> None:
    asked = {
        "phones": ["06 12 34 56 78"],
        "documents": [{"number": "ab-123 456", "country": "MA", "kind": "passport"}],
        "ibans": ["ES91 2100 0418 4502 0005 1332", "ES91 2100 0418 4502 0005 1333"],
        "plates": [{"number": "12345 أ 6", "country": "MA"}],
        "emails": ["Karim@Example.org"],
    }
    asked["phones"] = [{"number": "06 12 34 56 78", "country": "MA"}]
    held = {
        "phones": ["+212612345678"],
        "documents": ["AB123456"],
        "ibans": ["ES9121000418450200051332"],
        "plates": ["MA 12345-A-6", {"number": "12345-A-6", "country": "MA"}],
        "emails": ["karim@example.org"],
    }
    assert met(asked, held) == {"phone", "doc", "iban", "plate", "email"}
    assert sum(k.key_class is KeyClass.IBAN for k in asked_keys(asked)) == 1


def test_a_node_of_the_keyspec_before_is_another_keyspec() -> None:
    """The first keyspec dropped a date whose month is above twelve: its lists and questions are refused by name."""
    assert fingerprint().startswith("3-")


def test_an_issuer_that_differs_is_another_document() -> None:
    asked = {"documents": [{"number": "AB123456", "country": "MA"}]}
    keys = {k.value for k in asked_keys(asked)}
    assert keys == {"MA:AB123456", ":AB123456"}


def test_tiers_and_groups() -> None:
    assert all(tier_of(c) is KeyTier.HIGH for c in CHECKED)
    assert {tier_of(c) for c in (KeyClass.PHONE, KeyClass.PLATE, KeyClass.PAIR_DATE)} == {KeyTier.LOW}
    assert {group_of(c) for c in KeyClass if c.value.startswith("n")} == {"name"}
    assert group_of(KeyClass.PHONE) == "phone"
    assert "Tazi" not in repr(asked_keys(person("Karim Tazi")))


names = st.text(max_size=60) | st.sampled_from(["Karim Tazi", "محمد بن علي", "O'Neil-Ávila", "A B C D E F G H I J K"])


@given(names, st.sampled_from(["1987-03-14", "2001-12-31"]))
def test_what_is_asked_of_a_description_is_listed_for_the_same_description(name: str, born: str) -> None:
    asked, held = asked_keys(person(name, born), KeyClass), held_keys(person(name, born), KeyClass)
    assert set(asked) <= set(held)
    assert len(held) <= MAX_KEYS
    assert all(b"\x1f" in k.input and len(k.input) < 1000 for k in held)


@given(
    st.dictionaries(
        st.sampled_from(["names", "birth_dates", "phones", "documents", "fathers"]),
        st.recursive(
            st.none() | st.text(max_size=20) | st.integers(),
            lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(["number", "country"]), x, max_size=2),
            max_leaves=6,
        ),
    )
)
def test_any_description_gives_keys_or_none(described: dict[str, Any]) -> None:
    asked_keys(described, KeyClass)
    held_keys(described, KeyClass)
