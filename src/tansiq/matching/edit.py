"""What it costs to read one word as a spelling of another: a weighted edit distance over units.

All costs are whole centibits (1/100 of a bit of evidence against), so that this plain loop, the numpy batch and
any later compiled kernel give the same numbers. The costs were learned on the dev split by
`benchmarks/train_names.py`.
"""

from __future__ import annotations

from array import array
from base64 import b64decode
from functools import lru_cache
from typing import Any

from tansiq.matching.parts import Part
from tansiq.matching.text import UNITS, VOWEL, load

FAR = 9999
"""More than any two words are worth: stop looking."""


KNOWN = 3
"""How common a spelling is, is written as the bit length of its count: known is one that four dev names hold."""


class Forest:
    """Decision trees over whole numbers, flat: node `k` asks feature[k] <= limit[k]; yes: left[k], no: left[k] + 1.

    A leaf has feature -1. Every node has a value, what is said of the pairs that reach it, so that what a leaf says
    can be told as a sum of steps, each step owed to the feature that was asked.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.roots: list[int] = raw["roots"]
        self.feature: list[int] = raw["feature"]
        self.limit: list[int] = raw["limit"]
        self.left: list[int] = raw["left"]
        self.value: list[int] = raw["value"]


ARTICLE = "ال"
"""Links hold Arabic words without their article: `سعيد` and `السعيد` are linked with the same Latin spellings."""


class Tables:
    """The learned costs. One instance is packaged; the trainer makes others."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.sub: list[list[int]] = raw["sub"]
        self.gap: list[list[list[int]]] = raw["gap"]
        self.skip: list[int] = raw["skip"]
        self.row: dict[str, Any] = raw["row"]
        self.common: dict[str, int] = {w: int(k) for k, line in raw["common"].items() for w in line.split()}
        self.known: frozenset[str] = frozenset(w for w, k in self.common.items() if k >= KNOWN)
        self.given: dict[str, int] = {w: int(k) for k, line in raw["given"].items() for w in line.split()}
        self.forest = Forest(raw["forest"])
        self.groups: array[int] = array("b", b64decode(raw["groups"]))
        self.rare_groups: bytes = b64decode(raw["rare_groups"])
        self.links: dict[str, frozenset[str]] = {
            k: frozenset(form for w in v.split() for form in (w, ARTICLE + w)) for k, v in raw["links"].items()
        }
        for latin, arabic in list(self.links.items()):
            for word in arabic:
                self.links[word] = self.links.get(word, frozenset()) | {latin}
        self.counts: dict[str, int] = raw["counts"]
        self.total: int = raw["total"]
        if len(self.sub) != len(UNITS):
            raise ValueError("learned tables and alphabet differ")


TABLES = Tables(load("learned.json"))


def context(u: tuple[int, ...], i: int) -> int:
    """Where a unit stands: 0 first, then by vowel or not before it and (vowel, consonant, nothing) after it."""
    if i == 0:
        return 0
    after = 2 if i + 1 == len(u) else int(u[i + 1] in VOWEL)
    return 1 + 3 * (u[i - 1] in VOWEL) + after


CONTEXTS = 7


@lru_cache(maxsize=16384)
def edges(
    u: tuple[int, ...], skips: tuple[tuple[int, int], ...], other: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(price of leaving out each unit, price of leaving out the first k units) against the script `other`."""
    prices = TABLES.gap[other]
    n = len(u)
    gaps = tuple(prices[context(u, i)][x] for i, x in enumerate(u))
    start = [0] * (n + 1)
    for i in range(n):
        start[i + 1] = start[i] + gaps[i]
    for k, kind in skips:
        price = TABLES.skip[kind]
        for i in range(k, n + 1):
            start[i] = min(start[i], price + start[i] - start[k] if i > k else price)
    return gaps, tuple(start)


def cost(a: Part, b: Part) -> int:
    """Centibits; 0 for the same spelling. Symmetric."""
    if a.units == b.units:
        return 0
    ga, sa = edges(a.units, a.skips, b.script)
    gb, sb = edges(b.units, b.skips, a.script)
    sub = TABLES.sub
    prev = list(sb)
    ub = b.units
    for i, x in enumerate(a.units):
        row, g = sub[x], ga[i]
        left = sa[i + 1]
        cur = [left]
        add = cur.append
        diagonal = prev[0]
        for y, gap, above in zip(ub, gb, prev[1:], strict=True):
            best = diagonal + row[y]
            left += gap
            if left < best:
                best = left
            if above + g < best:
                best = above + g
            diagonal = above
            left = best
            add(best)
        prev = cur
    return min(prev[-1], FAR)
