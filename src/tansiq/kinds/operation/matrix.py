"""The partner-pair matrix: which measures are legally possible between two countries. Data, not code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from itertools import combinations, product

Matrix = Mapping[frozenset[str], Mapping[str, str]]
"""Pair of countries -> measure -> the clause that allows it."""


def read(text: str) -> Matrix:
    """The matrix of a `measures.toml`."""
    found: dict[frozenset[str], dict[str, str]] = {}
    for row in tomllib.loads(text)["rows"]:
        pairs = product(row["between"], row["with"]) if row.get("with") else combinations(row["between"], 2)
        for a, b in pairs:
            found.setdefault(frozenset((a, b)), {})[row["measure"]] = row["clause"]
    return found


MATRIX = read((files("tansiq.kinds.operation") / "measures.toml").read_text(encoding="utf-8"))
WITHIN = "coordination"
"""To talk to one another needs no row."""


def possible(countries: Iterable[str], matrix: Matrix = MATRIX) -> dict[str, tuple[str, ...]]:
    """Measures possible between all of these countries, each with the clauses of the pairs. One country: none."""
    pairs = [frozenset(p) for p in combinations(sorted(set(countries)), 2)]
    if not pairs:
        return {}
    rows = [matrix.get(p, {}) for p in pairs]
    common = sorted(set.intersection(*(set(r) for r in rows)))
    return {m: tuple(sorted({r[m] for r in rows})) for m in common}
