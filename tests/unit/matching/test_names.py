"""Names: the hand-made vectors, the reasons that an explanation gives, and the register."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tansiq.errors import Invalid
from tansiq.matching import NameIndex, explain, read_tokens, score
from tansiq.matching.batch import Words
from tansiq.matching.names import known, price_of, rarity, worth
from tansiq.matching.parts import parts

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/matching/names.json").read_text(encoding="utf-8"))
THRESHOLD = 0.5


def _case(v: dict[str, object]) -> object:
    # `open` vectors are errors that remain (docs/matching.md): strict, so that a mended vector must lose its mark
    marks = [pytest.mark.xfail(strict=True, reason="an error that remains")] if v.get("open") else []
    return pytest.param(v, marks=marks, id=f"{v['reason']}: {v['a']} | {v['b']}")


@pytest.mark.parametrize("v", [_case(v) for v in VECTORS])
def test_vector(v: dict[str, object]) -> None:
    assert (score(str(v["a"]), str(v["b"])) >= THRESHOLD) == v["same"]


def test_there_are_enough_vectors() -> None:
    assert len(VECTORS) >= 300
    assert sum(not v["same"] for v in VECTORS) >= 70
    assert sum(bool(v.get("open")) for v in VECTORS) <= 10


@pytest.mark.parametrize(
    ("a", "b", "how"),
    [
        ("Karim Haddad", "Karim Haddad", "same_spelling"),
        ("Karim Haddad", "كريم حداد", "same_name_two_scripts"),
        ("Karim Benali", "Karim Ben Ali", "particle_apart"),
        ("Karim Haddad", "Haddad Karim", "different_position"),
        ("Karim Haddad Tazi", "Karim Haddad", "only_in_a"),
        ("Karim Haddad", "Karim Trabelsi", "different"),
        ("Omar Fassi", "Omar El Fassi", "article_apart"),
        ("Mohamed Amine Ziani", "Mohamedamine Ziani", "written_together"),
        ("William Barrow", "Bill Barrow", "same_name_other_form"),
    ],
)
def test_reasons(a: str, b: str, how: str) -> None:
    assert how in {r.how for r in explain(a, b).rows}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Nadia Idrissi", "Tsegai"),
        ("Karim Mansouri", "Abu Jarrah"),
        ("Karim", "Nadia"),
        ("Karim", "Tsegai Berhane"),
        ("كريم", "Nadia"),
    ],
)
def test_a_name_of_one_part_does_not_meet_a_stranger(a: str, b: str) -> None:
    assert score(a, b) < THRESHOLD
    assert score(a, b) < score(a, a)


def test_parts_are_shown_as_written() -> None:
    rows = [r for r in explain("Abd al-Rahmān Ben Yūsuf", "عبد الرحمن بن يوسف").rows if r.part == "name"]
    assert [r.a for r in rows] == ["Abd al-Rahmān", "Ben Yūsuf"]
    assert [r.b for r in rows] == ["عبد الرحمن", "بن يوسف"]


@pytest.mark.parametrize("text", ["EL 63", "al-", "ال", "(Al)"])
def test_a_lone_article_is_no_name(text: str) -> None:
    assert not explain(text, "Abdellah").comparable
    assert not explain(text, text).comparable
    assert explain(f"{text} Fassi", "El Fassi").comparable


@pytest.mark.parametrize("text", ["", "王小明", "😀", "1234", "\u202e"])
def test_without_letters_nothing_is_comparable(text: str) -> None:
    e = explain(text, text)
    assert not e.comparable
    assert e.score == score(text, text) == score(text, "Karim Haddad") == 0.0


def test_many_words_at_once_give_the_same_numbers() -> None:
    found = [p for v in VECTORS for n in (v["a"], v["b"]) for p in parts(str(n)) if len(p.letters) > 1]
    words = Words()
    for p in found:
        words.add(p)
    for p in found[::40]:
        at_once = words.points(p, list(range(len(found)))).tolist()
        one_by_one = [worth((rarity(p) + rarity(q)) // 2) - price_of(p, q)[0] for q in found]
        assert at_once == one_by_one
    assert isinstance(known(found[0]), bool)


REGISTER = [
    "Karim Haddad",
    "كريم حداد",
    "Khalid Hammouchi",
    "خالد حموشي",
    "Sofia Marino",
    "Mohamed Amine Ziani",
    "María García",
]


def test_a_register_is_searched_across_scripts() -> None:
    index = NameIndex()
    index.build(REGISTER)
    assert {i for i, s in index.search("Jalid Jamuchi", 5) if s > 0.5} == {2, 3}
    assert index.search("Mohamedamine Ziani", 1)[0][0] == 5
    assert index.search("😀", 5) == []
    assert index.search("Karim Haddad", 0) == []


def test_a_register_changes_and_is_kept(tmp_path: Path) -> None:
    index = NameIndex()
    index.build(REGISTER)
    assert index.add("Nabil Benjelloun") == len(REGISTER)
    index.remove(0)
    index.remove(0)
    index.save(tmp_path / "names.tqx")
    again = NameIndex.load(tmp_path / "names.tqx")
    for held in (index, again):
        assert len(held) == len(REGISTER)
        assert [i for i, _ in held.search("نبيل بنجلون", 1)] == [len(REGISTER)]
        assert 0 not in dict(held.search("Karim Haddad", 9))
    with pytest.raises(Invalid):
        index.remove(99)
    (tmp_path / "bad").write_bytes(b"no index")
    with pytest.raises(Invalid):
        NameIndex.load(tmp_path / "bad")


@pytest.mark.parametrize("unseen", ["\0", "\x1f", "\x9d", "\u200b", "\u2066", "\u3164", "\U000e0041"])
def test_what_no_browser_shows_parts_no_word(unseen: str) -> None:
    """Else a partner writes a name that reads as one word, and that no search finds."""
    assert set(read_tokens(f"Qana{unseen}rita")) == set(read_tokens("Qanarita"))
    assert score(f"Qana{unseen}rita Bell", "Qanarita Bell") > 0.99
    assert set(read_tokens("Qana\trita")) == {"qana", "rita"}
