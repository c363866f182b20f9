"""The search of texts: what it finds is what a look through all parts finds, whatever came, went or changed."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tansiq.bureau import search
from tansiq.bureau.search import SOUNDS, SPELLED, Search, query_words
from tansiq.matching import read_words
from tansiq.terms import DossierId, EntryId, PartId

AT = "2026-11-22T08:00:00.000Z"
WORDS = ("pier", "van", "night", "harbour", "مرفأ", "Hammouchi", "Hamouchi", "الحموشي", "quay", "crane")


class Texts:
    """Dossiers of parts in memory, as `Dossiers` gives them; the clock stands still."""

    def __init__(self) -> None:
        self.held: dict[DossierId, dict[tuple[EntryId, PartId], str]] = {}
        self.marks: dict[DossierId, int] = {}
        self.read = 0

    def put(self, dossier: str, part: str, said: str | None) -> None:
        there = self.held.setdefault(DossierId(dossier), {})
        key = (EntryId("e-1"), PartId(part))
        there.pop(key, None)
        if said is not None:
            there[key] = said
        self.marks[DossierId(dossier)] = self.marks.get(DossierId(dossier), 0) + 1

    def changed(self, since: str, last: str, most: int) -> list[tuple[DossierId, str, int]]:
        assert since <= AT
        return [(d, AT, self.marks[d]) for d in sorted(self.marks) if d > last][:most]

    def contents(self, known: Any) -> Any:
        return {dossier: self._of(dossier, there) for dossier, there in known.items()}

    def _of(self, dossier: DossierId, known: Any) -> Any:
        held = {key: len(said) for key, said in self.held[dossier].items()}
        fresh = [
            (*key, {"kind": "note", "text": self.held[dossier][key]}) for key in held if known.get(key) != held[key]
        ]
        self.read += len(fresh)
        return held, fresh

    def slow(self, words: str) -> dict[tuple[str, str], float]:
        """Every part that has each word, with its score."""
        found = {}
        for dossier, there in self.held.items():
            for (_, part), said in there.items():
                tokens = list(read_words(said))
                scores = [
                    max(
                        (
                            SPELLED if w.spelled == spelled else SOUNDS if sound and w.sound == sound else 0.0
                            for w in tokens
                        ),
                        default=0.0,
                    )
                    for spelled, sound in query_words(words)
                ]
                if all(scores):
                    found[dossier, part] = sum(scores) / len(scores)
        return found


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_the_best_of_all_and_the_newest_among_equals(seed: int) -> None:
    chance, texts = random.Random(seed), Texts()  # noqa: S311 # a test's drawn data
    there = Search(texts.changed, texts.contents)
    order: list[tuple[str, str]] = []
    for number in range(120):
        place = (f"d-{chance.randrange(9)}", f"p-{number}")
        texts.put(*place, " ".join(chance.choices(WORDS, k=chance.randint(1, 6))))
        there.refresh()
        order.append(place)
        if chance.random() < 0.2:
            gone = chance.choice(order)
            texts.put(*gone, None)
            order.remove(gone)
    for words in (*WORDS, "pier van", "van night crane", "Hammouchi pier", "harbour harbour", "zanzibar"):
        every = texts.slow(words)
        wanted = sorted(every, key=lambda place: (every[place], order.index(place)), reverse=True)
        for limit in (1, 3, 10, 1000):
            found = there.find(words, limit)
            assert [(p.dossier, p.part) for p in found] == wanted[:limit], (words, limit)
            assert [p.score for p in found] == [every[place] for place in wanted[:limit]]


def test_a_common_word_is_not_looked_at_in_every_part(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = Texts()
    for number in range(2_000):
        texts.put("d-1", f"p-{number}", "a van by night")
    there = Search(texts.changed, texts.contents)
    there.refresh()
    looked: list[int] = []
    real = search._has
    monkeypatch.setattr(search, "_has", lambda numbers, n: looked.append(n) or real(numbers, n))
    assert [p.part for p in there.find("van night", 5)] == [f"p-{n}" for n in range(1_999, 1_994, -1)]
    assert len(set(looked)) == 5


def test_what_single_values_were_erased_of_is_read_anew_and_the_rest_is_not() -> None:
    texts = Texts()
    there = Search(texts.changed, texts.contents)
    texts.put("d-1", "p-1", "Hammouchi and zanzibar")
    texts.put("d-1", "p-2", "pier")
    assert there.refresh() == 2
    texts.put("d-1", "p-1", "Hammouchi")
    assert there.find("zanzibar", 5) == []
    assert [p.part for p in there.find("Hammouchi", 5)] == ["p-1"]
    assert texts.read == 3


def test_what_was_forgotten_is_read_again_though_the_mark_is_the_same() -> None:
    texts = Texts()
    there = Search(texts.changed, texts.contents)
    texts.put("d-1", "p-1", "Hammouchi")
    there.refresh()
    there.forget(DossierId("d-1"), EntryId("e-1"), PartId("p-1"))
    assert [p.part for p in there.find("Hammouchi", 5)] == ["p-1"]
