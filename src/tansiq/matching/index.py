"""A register of names that finds the nearest ones: words first, then the names that hold them, then `score`.

A word of the query meets the register's distinct words that share a consonant skeleton with it, give or take
two consonants; each found word is worth its points; the names that hold the most points are scored in full. The
work grows with the number of distinct words and with the length of their lists, not with the number of names
times the number of words.
"""

from __future__ import annotations

import heapq
import json
import zipfile
from collections.abc import Iterable
from itertools import chain, pairwise
from os import PathLike

import numpy as np
import numpy.typing as npt

from tansiq.errors import Invalid
from tansiq.matching.batch import Words
from tansiq.matching.edit import TABLES
from tansiq.matching.names import _conflict, score
from tansiq.matching.parts import Part, core, merged, parts, skeleton

WORDS_PER_PART = 600
CANDIDATES = 100
_VERSION = 1

Floats = npt.NDArray[np.float32]


_COARSE = str.maketrans({"G": "K", "H": None})
"""g, j, q and k are written for one another (`Gnaoui`, `Kenaoui`, `القناوي`), and h, kh, j come and go."""


def neighbours(skeleton_key: str) -> set[str]:
    """The coarse skeleton and what is left of it when one consonant is dropped, or, of two, unknown."""
    key = skeleton_key.translate(_COARSE)
    key = "".join(c for i, c in enumerate(key) if i == 0 or c != key[i - 1])
    if len(key) < 3:
        return {key, "?" + key[1:], key[:1] + "?"} if len(key) == 2 else {key or skeleton_key}
    return {key} | {key[:i] + key[i + 1 :] for i in range(len(key))}


def _bare(p: Part) -> Part:
    """The part as a word of the register: without how it was written in one name."""
    return Part("", p.script, p.letters, p.units, p.skips, False, "", False)


class NameIndex:
    """Positions are given out in order and never reused; a removed name is never found again."""

    def __init__(self) -> None:
        self._names: list[str | None] = []
        self._size = np.zeros(256, dtype=np.float32)
        self._rows: dict[Part, int] = {}
        self._words = Words()
        self._holders: list[list[int]] = []
        self._packed: list[npt.NDArray[np.int32] | None] = []
        self._keys: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return sum(n is not None for n in self._names)

    def build(self, names: Iterable[str]) -> None:
        """Replaces what was held."""
        self.__init__()  # type: ignore[misc]
        for name in names:
            self.add(name)

    def add(self, name: str) -> int:
        """Adds one name and gives its position."""
        position = len(self._names)
        self._names.append(name)
        found = parts(name)
        if position == len(self._size):
            self._size = np.concatenate([self._size, np.zeros_like(self._size)])
        self._size[position] = len(found)
        for p in found:
            row = self._row(_bare(p))
            if not self._holders[row] or self._holders[row][-1] != position:
                self._holders[row].append(position)
                self._packed[row] = None
        return position

    def _row(self, word: Part) -> int:
        row = self._rows.get(word)
        if row is None:
            row = self._rows[word] = self._words.add(word)
            self._holders.append([])
            self._packed.append(None)
            for k in self._skeletons(word):
                self._keys.setdefault(k, []).append(row)
        return row

    @staticmethod
    def _skeletons(p: Part) -> set[str]:
        out: set[str] = set()
        for u in {core(p), p.units}:
            out |= neighbours(skeleton(u))
        return out

    def remove(self, index: int) -> None:
        """Forgets the name at this position; a second time is no error."""
        if not 0 <= index < len(self._names):
            raise Invalid("names.index.position", "no such position", step="matching", field="index")
        self._names[index] = None
        self._size[index] = 0

    def _holding(self, row: int) -> npt.NDArray[np.int32]:
        packed = self._packed[row]
        if packed is None:
            packed = self._packed[row] = np.asarray(self._holders[row], dtype=np.int32)
        return packed

    def _near(self, p: Part) -> list[tuple[int, int]]:
        """[(points, row)] of the register's words that may be spellings of this one, worst first."""
        rows = sorted(set(chain.from_iterable(self._keys.get(k, ()) for k in self._skeletons(p))))
        if not rows:
            return []
        at = np.asarray(rows, dtype=np.int32)
        points = self._words.points(_bare(p), at)
        if len(at) > WORDS_PER_PART:
            best = np.argpartition(points, -WORDS_PER_PART)[-WORDS_PER_PART:]
            at, points = at[best], points[best]
        keep = points > -100
        at, points = at[keep], points[keep]
        order = np.argsort(points, kind="stable")
        return list(zip(points[order].tolist(), at[order].tolist(), strict=True))

    def _spread(self, p: Part) -> tuple[Floats, Floats]:
        """(points, met) of one word over all names."""
        best = np.full(len(self._names), -1000, dtype=np.float32)
        for points, row in self._near(p):
            best[self._holding(row)] = points
        met = best > -1000
        return np.where(met, best, 0).astype(np.float32), met.astype(np.float32)

    def _rough(self, found: tuple[Part, ...]) -> Floats:
        """What every name may be worth for this query, by words alone."""
        n = len(self._names)
        sizes = self._size[:n]
        total = np.zeros(n, dtype=np.float32)
        count = np.zeros(n, dtype=np.float32)
        pairs = [merged(a, b) for a, b in pairwise(found)]
        spread = [self._spread(p) for p in found]
        for points, met in spread:
            total += points
            count += met
        # words written together in the register and apart in the query
        for k, joined in enumerate(pairs):
            if joined is not None:
                points, met = self._spread(joined)
                gain = points + TABLES.row["join"] - spread[k][0] - spread[k + 1][0]
                better = (met > 0) & (gain > 0)
                total += np.where(better, gain, 0)
                count += np.where(better, 1 - spread[k][1] - spread[k + 1][1], 0)
        strangers = np.minimum(sizes, len(found)) - count
        total += np.where(strangers > 0, strangers * _conflict(900), 0) - 25 * np.abs(sizes - len(found))
        total[(count <= 0) | (sizes == 0)] = -np.inf
        return total

    def search(self, query: str, k: int = 10) -> list[tuple[int, float]]:
        """The k best (position, score), best first; names that cannot be compared are not found."""
        found = parts(query)
        if not found or not self._names or k < 1:
            return []
        total = self._rough(found)
        wanted = min(len(total), max(CANDIDATES, 2 * k))
        near = np.argpartition(total, -wanted)[-wanted:]
        near = near[np.isfinite(total[near])]
        scored = ((score(query, name), -int(i)) for i in near if (name := self._names[i]) is not None)
        return [(-i, s) for s, i in heapq.nlargest(k, scored) if s > 0]

    def save(self, path: str | PathLike[str]) -> None:
        """Writes one file (zip with JSON)."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
            z.writestr("index.json", json.dumps({"version": _VERSION, "names": self._names}, ensure_ascii=False))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> NameIndex:
        """Reads what `save` wrote; `Invalid` when the file is no name index of this version."""
        try:
            with zipfile.ZipFile(path) as z:
                raw = json.loads(z.read("index.json"))
            names = list(raw["names"])
            right = raw["version"] == _VERSION
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as exc:
            raise Invalid("names.index.file", "not a name index", step="matching", field="path") from exc
        if not right or not all(n is None or isinstance(n, str) for n in names):
            raise Invalid("names.index.version", "not a name index of this version", step="matching", field="path")
        index = cls()
        for i, name in enumerate(names):
            index.add(name or "")
            if name is None:
                index.remove(i)
        return index
