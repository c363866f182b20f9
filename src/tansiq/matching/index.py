"""A register of names that finds the nearest ones: words first, then the names that hold them, then `score`.

A word of the query meets the register's distinct words that share a consonant skeleton with it, give or take one consonant;
each found word is worth its points; the names that hold the most points are scored in full. The work grows with the number of
distinct words and with the length of their lists, not with the number of names times the number of words.
"""

from __future__ import annotations

import heapq
import json
import zipfile
from collections.abc import Iterable, Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from tansiq.errors import Invalid
from tansiq.matching.names import meet, score
from tansiq.matching.parts import Part, core, parts, skeleton

WORDS_PER_PART = 400
CANDIDATES = 80
_VERSION = 1


def neighbours(key: str) -> set[str]:
    """The skeleton and what is left of it when one consonant is dropped."""
    return {key} | ({key[:i] + key[i + 1 :] for i in range(len(key))} if len(key) > 2 else set())


class NameIndex:
    """Positions are given out in order and never reused; a removed name is never found again."""

    def __init__(self) -> None:
        self._names: list[str | None] = []
        self._words: dict[Part, int] = {}
        self._parts: list[Part] = []
        self._holders: list[list[int]] = []
        self._packed: list[npt.NDArray[np.int32] | None] = []
        self._keys: dict[str, list[int]] = {}
        self._size: list[int] = []

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
        self._size.append(len(found))
        for p in found:
            word = self._word(p)
            if not self._holders[word] or self._holders[word][-1] != position:
                self._holders[word].append(position)
                self._packed[word] = None
        return position

    def _word(self, p: Part) -> int:
        key = Part("", p.script, p.letters, p.units, p.skips, False, "", False)
        word = self._words.get(key)
        if word is None:
            word = self._words[key] = len(self._parts)
            self._parts.append(key)
            self._holders.append([])
            self._packed.append(None)
            for k in self._skeletons(p):
                self._keys.setdefault(k, []).append(word)
        return word

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

    def _holding(self, word: int) -> npt.NDArray[np.int32]:
        packed = self._packed[word]
        if packed is None:
            packed = self._packed[word] = np.asarray(self._holders[word], dtype=np.int32)
        return packed

    def _near_words(self, p: Part) -> list[tuple[int, int]]:
        """[(points, word)] of the register's words that may be spellings of this one."""
        seen: set[int] = set()
        for k in sorted(self._skeletons(p), key=len, reverse=True):
            seen.update(self._keys.get(k, ()))
            if len(seen) > 20 * WORDS_PER_PART:
                break
        n = len(p.units)
        close = [w for w in seen if abs(len(self._parts[w].units) - n) <= 5 or p.skips or self._parts[w].skips]
        met = ((meet(0, 1, 0, 1, p, self._parts[w]).points, w) for w in close)
        return heapq.nlargest(WORDS_PER_PART, (x for x in met if x[0] > 0))

    def search(self, query: str, k: int = 10) -> list[tuple[int, float]]:
        """The k best (position, score), best first; names that cannot be compared are not found."""
        found = parts(query)
        if not found or not self._names or k < 1:
            return []
        total = np.zeros(len(self._names), dtype=np.float32)
        for p in found:
            best = np.zeros(len(self._names), dtype=np.float32)
            for points, word in reversed(self._near_words(p)):
                best[self._holding(word)] = points
            total += best
        sizes = np.asarray(self._size, dtype=np.float32)
        total -= np.where(total > 0, 60 * np.abs(sizes - len(found)), 0)
        wanted = min(len(total), max(CANDIDATES, 2 * k))
        near = np.argpartition(total, -wanted)[-wanted:]
        scored = ((score(query, name), -int(i)) for i in near if total[i] > 0 and (name := self._names[i]) is not None)
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
            names: Sequence[str | None] = raw["names"]
            if raw["version"] != _VERSION or not isinstance(names, list):
                raise KeyError("version")
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as exc:
            raise Invalid(
                "names.index.file", "not a name index of this version", step="matching", field="path"
            ) from exc
        index = cls()
        for i, name in enumerate(names):
            index.add(name if isinstance(name, str) else "")
            if not isinstance(name, str):
                index.remove(i)
        return index
