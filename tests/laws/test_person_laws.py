"""Laws of comparing persons: symmetric, adding up, agreement never lowers, conflict never raises."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tansiq.matching import compare_persons

NAMES = ["Karim Haddad", "كريم حداد", "Youssef El Idrissi", "يوسف الإدريسي", "Ahmed Benali", "Karim", "王小明"]
VALUES: dict[str, list[Any]] = {
    "birth_dates": [
        "1987",
        "1987-03",
        "1987-03-14",
        "1987-01-01",
        "1407-07-14",
        "1365-12-23",
        "1961-1966",
        "circa 1961",
    ],
    "nationalities": ["MA", "es", "FR"],
    "birth_places": ["Tanger", "طنجة, المغرب", "Oujda", "Spain"],
    "sex": ["m", "f", "male"],
    "father": ["Ahmed", "أحمد بنعلي", "Brahim Tazi"],
    "mother": ["Fatima", "فاطمة الزهراء"],
    "documents": ["AB123456", {"number": "XY1234567", "country": "MA", "kind": "passport"}],
    "phones": ["+212612345678", "0612345678"],
}
OTHER: dict[str, tuple[Any, Any]] = {
    "birth_dates": ("1987-03-14", "1951-10-22"),
    "nationalities": ("MA", "PT"),
    "birth_places": ("Tanger", "Sevilla"),
    "sex": ("m", "f"),
}

person = st.fixed_dictionaries(
    {"names": st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)},
    optional={k: st.lists(st.sampled_from(v), min_size=1, max_size=2) for k, v in VALUES.items()},
)


@given(person, person)
def test_symmetric_and_adding_up(a: dict[str, Any], b: dict[str, Any]) -> None:
    here, there = compare_persons(a, b), compare_persons(b, a)
    assert here.score == there.score
    assert sorted((r.part, r.how, r.points) for r in there.rows if r.part != "name") == sorted(
        (r.part, r.how, r.points) for r in here.rows if r.part != "name"
    )
    if here.comparable:
        assert abs(1 / (1 + 2**-here.sum) - here.score) < 1e-9


@given(person, person, st.sampled_from(sorted(VALUES)), st.data())
def test_an_agreeing_attribute_never_lowers(
    a: dict[str, Any], b: dict[str, Any], key: str, data: st.DataObject
) -> None:
    value = data.draw(st.sampled_from(VALUES[key]))
    without = [{k: v for k, v in p.items() if k != key} for p in (a, b)]
    with_it = [{**p, key: [value]} for p in without]
    assert compare_persons(*with_it).score >= compare_persons(*without).score


@given(person, person, st.sampled_from(sorted(OTHER)))
def test_a_conflict_never_raises(a: dict[str, Any], b: dict[str, Any], key: str) -> None:
    x, y = ({k: v for k, v in p.items() if k != key} for p in (a, b))
    before = compare_persons(x, y)
    after = compare_persons({**x, key: [OTHER[key][0]]}, {**y, key: [OTHER[key][1]]})
    assert after.score <= before.score
    assert after.conflicts == before.conflicts + 1


@given(person, person, st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=9), max_size=3))
def test_unknown_keys_say_nothing(a: dict[str, Any], b: dict[str, Any], extra: dict[str, Any]) -> None:
    extra = {k: v for k, v in extra.items() if k not in VALUES and k != "names"}
    assert compare_persons({**a, **extra}, b) == compare_persons(a, b)


@given(person, st.sampled_from([None, 7, object(), [None], [7, {}], {"number": None}, "\u202e", "😀" * 999]))
def test_what_is_no_value_breaks_nothing(a: dict[str, Any], odd: Any) -> None:
    for key in (*VALUES, "names"):
        found = compare_persons({**a, key: odd}, a)
        assert 0.0 <= found.score <= 1.0
