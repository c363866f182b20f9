"""The search of a register in Python and numpy: what `kernel/search.c` does, in the same whole numbers, slower.

    word    every distinct word that the query's word can be read as for at most REACH, or another form of its name
    name    the best word for each part of the query, less STRANGER a part that met nothing, less LONE a part too many
    in full the meetings of both names' parts (names.align), for the best CANDIDATES
    score   the first FOREMOST stand among themselves by nearness and score together, as found (judge.as_found)

Where neither runs out of candidates the answer is the true order. Who is found is decided by nearness, not by score:
start, `only` and `ends` of the score say how two names came to be compared at all, which in a register is the same for
all. Who of those found stands first is decided by both, because the forest in the score sees more than the meetings.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tansiq.matching import judge
from tansiq.matching.batch import Words
from tansiq.matching.edit import TABLES
from tansiq.matching.model import probability
from tansiq.matching.names import _initial, _start, align, asked, known, whole
from tansiq.matching.parts import GROUPS, MAX_PARTS, Part, make_part, merged, parts

REACH = {True: 650, False: 450}
"""Centibits that a spelling may cost, within one script and between two."""
REACH_JOINED = 350
"""The same for two neighbours read as one word, which must spell it well to be worth it."""
FLOOR, STRANGER, LONE = -100, 400, 150
CANDIDATES, FOREMOST, MAX_SPLITS, SPLIT_LEAST = 256, 10, 3, 3

Ints = npt.NDArray[np.int32]
Array = npt.NDArray[Any]


def bare(p: Part) -> Part:
    """The part as a word of a register: without how it was written in one name."""
    return Part("", p.script, p.letters, p.units, p.skips, False, "", p.title)


class Plain:
    """A register's words as parts, and its names as rows of words."""

    def __init__(self) -> None:
        self.words: list[Part] = []
        self._table = Words()
        self._scripts: list[int] = []
        self._short: list[bool] = []
        self._akin: set[int] = set()

    def add_word(self, p: Part) -> None:
        """The next word of the register."""
        self.words.append(p)
        self._table.add(p)
        self._scripts.append(p.script)
        self._short.append(len(p.letters) == 1)
        self._akin |= GROUPS.get(p.letters, frozenset())

    def look_at(self, first: Array, held: Array, sizes: Array) -> None:
        """The names of now."""
        self.first, self.held, self.sizes = first, held, sizes.astype(np.int32)
        self.name_of = np.repeat(np.arange(len(sizes)), (first[1:] - first[:-1]).astype(np.int64))

    def _gains(self, p: Part, joined: bool = False) -> Ints:
        """What every word is worth for this part, plus STRANGER; 0 where it is beyond reach."""
        out = np.zeros(len(self.words), dtype=np.int32)
        if len(p.letters) > 1:
            out = self._long_gains(p, joined)
        if not joined:
            for w in np.flatnonzero(self._short) if len(p.letters) > 1 else range(len(self.words)):
                if p.letters == self.words[w].letters or _initial(p, self.words[w]):
                    out[w] = TABLES.row["initial"] + STRANGER
        return out

    def _long_gains(self, p: Part, joined: bool) -> Ints:
        rows = np.arange(len(self.words), dtype=np.int32)
        scripts = np.array(self._scripts)
        near = np.zeros(len(rows), dtype=bool)
        for script in (0, 1):
            of = rows[scripts == script]
            if len(of):
                reach = REACH_JOINED if joined else REACH[script == p.script]
                near[of] = self._table.costs(p, of, script) <= reach
        groups = GROUPS.get(p.letters, frozenset())
        if groups & self._akin:
            near |= [not groups.isdisjoint(GROUPS.get(w.letters, ())) for w in self.words]
        near &= ~np.array(self._short, dtype=bool)
        at = rows[near]
        out = np.zeros(len(rows), dtype=np.int32)
        if len(at):
            points = self._table.points(p, at) + (TABLES.row["join"] if joined else 0)
            out[at] = np.where(points >= FLOOR, points + STRANGER, 0)
        return out

    def _best(self, gains: Ints) -> Ints:
        out = np.zeros(len(self.sizes), dtype=np.int32)
        np.maximum.at(out, self.name_of, gains[self.held])
        return out

    def _collect(self, query: tuple[Part, ...]) -> set[int]:
        """The names that are worth most by their words alone."""
        n, sizes = len(query), self.sizes
        single = [self._best(self._gains(bare(p))) for p in query]
        total = np.sum(single, axis=0, dtype=np.int32)
        met = total > 0
        value = total - STRANGER * np.minimum(n, sizes) - LONE * np.abs(n - sizes)
        for k, (a, b) in enumerate(pairwise(query)):
            word = merged(a, b)
            if word is None or len(word.letters) < 2:
                continue
            best = self._best(self._gains(bare(word), joined=True))
            joined = total - single[k] - single[k + 1] + best
            joined = joined - STRANGER * np.minimum(n - 1, sizes) - LONE * np.abs(n - 1 - sizes)
            value = np.where(best > 0, np.maximum(value, joined), value)
            met |= best > 0
        at = np.flatnonzero(met & (sizes > 0))
        return set(at[np.lexsort((at, -value[at]))[:CANDIDATES]].tolist())

    def search(self, query: str, k: int) -> list[tuple[int, float]]:
        """The k nearest (position, score), nearest first."""
        found = parts(query)
        if not found:
            return []
        near = self._collect(found)
        for split in splits(found):
            near |= self._collect(split)
        ranked = []
        for x in near:
            other = tuple(self.words[w] for w in self.held[self.first[x] : self.first[x + 1]])
            nearness, centibits, found_as = in_full(found, other)
            ranked.append((-nearness, x, centibits, found_as))
        ranked.sort()
        first = sorted(ranked[:FOREMOST], key=lambda r: (r[0] - r[3], r[1]))
        return [(x, probability(centibits / 100)) for _, x, centibits, _ in (first + ranked[FOREMOST:])[:k]]


def splits(query: tuple[Part, ...]) -> list[tuple[Part, ...]]:
    """The query with a rare word that two common ones make read as those two (`Mohamedamine`, `Mohamed Amine`)."""
    out: list[tuple[Part, ...]] = []
    for k, p in enumerate(query):
        if known(p) or len(query) == MAX_PARTS:
            continue
        for cut in range(SPLIT_LEAST, len(p.letters) - SPLIT_LEAST + 1):
            halves = p.letters[:cut], p.letters[cut:]
            if len(out) == MAX_SPLITS or not TABLES.known.issuperset(halves):
                continue
            made = [make_part(p.script, half, "", "", False) for half in halves]
            if made[0] is not None and made[1] is not None:
                out.append((*query[:k], made[0], made[1], *query[k + 1 :]))
    return out


def in_full(query: tuple[Part, ...], other: tuple[Part, ...]) -> tuple[int, int, int]:
    """(nearness, centibits of the score, the same as judge.as_found): nearness is what the meetings say, less LONE a
    part that met nothing."""
    turned = [p.letters for p in other] < [p.letters for p in query]
    x, y = (other, query) if turned else (query, other)
    met = align(x, y)
    judged = dict(whole(x, y, met))
    total = _start(x, y) + sum(g.points for g in met) + sum(judged.values())
    nearness = judged.get("different_position", 0)
    for g in met:
        if g.i2 > g.i and g.j2 > g.j:
            nearness += g.points
        elif not (x[g.i] if g.i2 > g.i else y[g.j]).title:
            nearness -= LONE
    if judge.equal(x, y):
        return nearness, total, total
    answers = asked(x, y, met)
    return nearness, total, total - sum(judge.grow(answers)) + sum(judge.grow(judge.as_found(answers)))
