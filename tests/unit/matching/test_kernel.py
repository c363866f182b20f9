"""The compiled kernel and its Python twin: the same numbers for any two texts, and no input that breaks the C."""

from __future__ import annotations

import gzip
import json
import platform
import random
import shutil
import sys
import sysconfig
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tansiq.errors import Invalid
from tansiq.matching import explain, kernel, score, score_many
from tansiq.matching.edit import TABLES
from tansiq.matching.kernel import door, tables
from tansiq.matching.names import price_of, rarity, worth
from tansiq.matching.parts import Part, merged, parts

HERE = Path(__file__).parents[2]
VECTORS = json.loads((HERE / "vectors/matching/names.json").read_text(encoding="utf-8"))
DEV = HERE.parent.parent / "shared/data/names"

TWIN = kernel.Twin()
COMPILED = door._compiled() if door._kernel else None
needs_c = pytest.mark.skipif(COMPILED is None, reason="no C compiler when this was installed")

WORDS = sorted(
    {w for v in VECTORS for n in (v["a"], v["b"]) for w in n.split()}
    | {"Abdullah", "Abdusalam", "Abdennour", "Nuruddin", "Izz", "Eldin", "Echchakir", "Esshaa", "McGuire", "Guillermo"}
    | {"Guadalupe", "Riyad", "Iyad", "Dr", "J.", "K", "A", "Özgür", "Žižek", "Петров", "Юлия", "Γιώργος", "דוד", "משה"}
    | {
        "Shshakh",
        "Nnaji",
        "Hh",
        "ء",
        "ـ",
        "ﷺ",
        "ﻻ",
        "王",
        "😀",
        "\u202e",
        "a\u0301",
        "ﬁ",
        "½",
        "ß",
        "ŀ",
        "ĳ",
        "ابو",
        "عبدالله",
    }
    | {
        "نورالدين",
        "عبد",
        "الدين",
        "بلقاسم",
        "ولد",
        "بنت",
        "ايت",
        "الله",
        "ولدعلي",
        "گل",
        "چنگیز",
        "del",
        "ben",
        "al",
        "ash",
    }
)
LETTERS = "abdehiklmnorstuyzçşğñöä-' " + "ابتثجحخدذرسشصضطظعغفقكلمنهويةىءآ"


def made_up(chance: random.Random) -> str:
    """A name of known words, some with letters changed, dropped or doubled, so that rules meet halfway."""
    out = []
    for _ in range(chance.choice([1, 1, 2, 2, 3, 3, 4, 6, 12])):
        w = chance.choice(WORDS)
        for _ in range(chance.choice([0, 0, 0, 1, 2])):
            at = chance.randrange(len(w) + 1)
            w = w[:at] + chance.choice(["", chance.choice(LETTERS), w[at : at + 2]]) + w[at + chance.choice([0, 1]) :]
        out.append(w + (chance.choice(WORDS) if chance.random() < 0.1 else ""))
    return chance.choice([" ", " ", " ", "-", ""]).join(out)


def same(a: str, b: str) -> None:
    """Everything the two kernels say of these texts is the same."""
    assert COMPILED
    for name in (a, b):
        assert COMPILED.pack_name(name) == TWIN.pack_name(name), repr(name)
    assert COMPILED.centibits(a, b) == TWIN.centibits(a, b), (a, b)
    assert COMPILED.score(a, b) == TWIN.score(a, b), (a, b)
    assert COMPILED.explain(a, b) == TWIN.explain(a, b), (a, b)


def test_where_a_compiler_is_the_kernel_is_compiled() -> None:
    there = shutil.which("cc") and Path(sysconfig.get_path("include"), "Python.h").exists()
    if not there or sys.platform not in {"linux", "darwin"} or platform.python_implementation() != "CPython":
        pytest.skip("nothing here could compile it")
    assert kernel.kernel_in_use() == ("compiled", "")


@needs_c
def test_vectors_give_the_same_numbers() -> None:
    for v in VECTORS:
        same(v["a"], v["b"])
        same(v["b"], v["a"])
    for v, w in pairwise(VECTORS):
        same(v["a"], w["b"])


@needs_c
@pytest.mark.parametrize("seed", range(2))
def test_made_up_names_give_the_same_numbers(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - names, no secrets
    for _ in range(700):
        same(made_up(chance), made_up(chance))


@needs_c
@pytest.mark.parametrize("file", ["pairs_dev", "pairs_stress_dev"])
def test_dev_names_give_the_same_numbers(file: str) -> None:
    path = DEV / f"{file}.jsonl.gz"
    if not path.exists():
        pytest.skip("the public lists are not here")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        pairs = [(r["a"], r["b"]) for r in map(json.loads, lines)]
    for a, b in random.Random(file).sample(pairs, 700):  # noqa: S311
        same(a, b)


@needs_c
@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=300)
def test_any_text_gives_the_same_numbers(a: str, b: str) -> None:
    same(a, b)
    same(a + " " + b, b + a)


@needs_c
def test_every_letter_of_the_first_planes_is_read_alike() -> None:
    assert COMPILED
    for c in [*range(0x20, 0x2100), *range(0xFB00, 0x10000), *range(0x2100, 0x20000, 37), 0xD800, 0x10FFFF]:
        name = f"ab{chr(c)}ba م{chr(c)}م"
        assert COMPILED.pack_name(name) == TWIN.pack_name(name), hex(c)


@needs_c
@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 10_000,
        "م" * 10_000,
        "gu" * 5_000,
        "a b " * 2_500,
        "ﷺ" * 3_000,
        "\U0001d160" * 500,
        "ṩ̣" * 500,
        "mc" + "a" * 50,
        "bu" + "x" * 60,
        "abdul" * 20 + "din",
        "ben " * 30,
        "عبد " * 30,
        "din " * 30,
        "karim " + "allah " * 30,
        "\u202e\u2066\u200f" * 100,
        "\ud800\udfff",
        "-" * 500,
        "tschtschtsch" * 30,
        "x" * 39 + "é" + "y",
    ],
)
def test_hostile_text_gives_the_same_numbers(text: str) -> None:
    for other in (text, text[::-1], "Karim Haddad", "كريم بن حداد", "a"):
        same(text, other)


@needs_c
def test_words_meet_alike() -> None:
    assert door._kernel
    found = [p for v in VECTORS for n in (v["a"], v["b"]) for p in parts(n) if len(p.letters) > 1]
    packed = [kernel.pack(p) for p in found]
    assert all(len(record) == door._kernel.RECORD for record in packed)
    for p, record in list(zip(found, packed, strict=True))[::60]:
        for q, other in zip(found, packed, strict=True):
            assert door._kernel.points(record, other) == worth((rarity(p) + rarity(q)) // 2) - price_of(p, q)[0]
    for p, q in pairwise(found):
        joined = merged(p, q)
        expected = kernel.pack(joined) if isinstance(joined, Part) else None
        assert door._kernel.merged(kernel.pack(p), kernel.pack(q)) == expected


@needs_c
def test_a_broken_record_is_refused() -> None:
    assert door._kernel
    good = kernel.pack(parts("Karim")[0])
    assert door._kernel.points(good, good) > 0
    for broken in (b"", good[:-1], good + b"\0", b"\xff" * len(good), bytes(len(good))):
        with pytest.raises(ValueError, match="word record"):
            door._kernel.points(good, broken)


@needs_c
def test_arguments_of_another_kind_are_refused() -> None:
    assert door._kernel
    module = door._kernel
    for call in (
        lambda: module.score("a"),  # type: ignore[call-arg]
        lambda: module.score("a", None),  # type: ignore[arg-type]
        lambda: module.score(b"a", "a"),  # type: ignore[arg-type]
        lambda: module.score_many("a", ["b", 1]),  # type: ignore[list-item]
        lambda: module.score_many("a", "b"),  # type: ignore[arg-type]
        lambda: module.pack_name(None),  # type: ignore[arg-type]
        lambda: module.load([]),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()


@pytest.fixture
def restored() -> Iterator[None]:
    yield
    kernel.reload()
    kernel.kernel_in_use()


@needs_c
@pytest.mark.usefixtures("restored")
def test_tables_of_another_shape_are_refused() -> None:
    assert door._kernel
    right = tables.tables()
    for key in right:
        wrong = [None, b"\xff" * 3] if key not in {"fold", "normalize"} else [None]
        for bad in wrong:
            if key == "full_forms" and bad:
                continue  # any words will do
            with pytest.raises(ValueError, match="kernel"):
                door._kernel.load({**right, key: bad})  # type: ignore[dict-item]
            with pytest.raises(RuntimeError):
                door._kernel.score("a", "b")
        with pytest.raises(ValueError, match=key if key not in {"fold", "normalize"} else "fold"):
            door._kernel.load({k: v for k, v in right.items() if k != key})


@needs_c
@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    "tree",
    [
        [(0, 1 << 15, 1, 0), (-1, 0, 0, 0), (-1, 0, 0, 0)],  # a limit that two bytes do not hold
        [(0, 5, 256, 0), *[(-1, 0, 0, 0)] * 257],  # a child farther than one byte tells
        [(0, 5, 2, 0), (-1, 0, 0, 0), (-1, 0, 0, 0)],  # a child behind the end
        [(0, 5, 0, 0), (-1, 0, 0, 0)],  # a way without an end
    ],
)
def test_a_forest_that_the_kernel_cannot_walk_is_refused(tree: list[tuple[int, int, int, int]]) -> None:
    assert door._kernel
    wrong = {"forest": tables._ints("i", [x for node in tree for x in node]), "forest_roots": tables._ints("I", [0])}
    with pytest.raises(ValueError, match="a forest that the kernel cannot walk"):
        door._kernel.load({**tables.tables(), **wrong})


@needs_c
@pytest.mark.usefixtures("restored")
def test_other_learned_tables_reach_the_kernel() -> None:
    before, named = score("Karim Haddad", "Karim Tazi"), kernel.version()
    start = TABLES.row["start"]
    TABLES.row["start"] = [[x + 100 for x in row] for row in start]
    try:
        kernel.reload()
        assert score("Karim Haddad", "Karim Tazi") > before
        assert score("Karim Haddad", "Karim Tazi") == TWIN.score("Karim Haddad", "Karim Tazi")
        assert kernel.version() != named
    finally:
        TABLES.row["start"] = start
    kernel.reload()
    assert score("Karim Haddad", "Karim Tazi") == before
    assert kernel.version() == named


@pytest.mark.usefixtures("restored")
def test_the_twin_runs_where_there_is_no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    told = explain("Jalid Jamuchi", "خالد حموشي")
    monkeypatch.setattr(door, "_kernel", None)
    kernel.reload()
    name, why_not = kernel.kernel_in_use()
    assert (name, why_not) == ("twin", "not there")
    assert explain("Jalid Jamuchi", "خالد حموشي") == told
    with pytest.raises(Invalid, match="not there"):
        kernel.use("compiled")


@pytest.mark.usefixtures("restored")
def test_the_twin_can_be_chosen() -> None:
    before = kernel.use("twin")
    assert kernel.kernel_in_use()[0] == "twin"
    assert score_many("Karim", ["Karim", "😀"]) == [score("Karim", "Karim"), 0.0]
    assert kernel.pack_name("Karim") == TWIN.pack_name("Karim")
    assert kernel.centibits("Karim", "") is None
    assert kernel.use(before) == "twin"


def test_one_against_many_gives_the_single_scores_in_many_threads() -> None:
    chance = random.Random(5)  # noqa: S311
    names = [made_up(chance) for _ in range(1500)] + ["", "a" * 500, "\ud800"]
    expected = [score("Karim ben Haddad", n) for n in names]
    found: list[list[float]] = []

    def run() -> None:
        found.append(score_many("Karim ben Haddad", names))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [expected] * 4
    assert score_many("😀", ["Karim"]) == [0.0]
    assert score_many("Karim", []) == []
