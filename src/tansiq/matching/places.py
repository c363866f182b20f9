"""Places as records write them: `Tétouan`, `Tetuán, Morocco`, `تطوان`; a town and its country are told apart."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from tansiq.matching.kernel import score
from tansiq.matching.text import load, words

MAX_PARTS = 4
ALIKE = 0.8
"""The name's score from which two spellings are one town."""
_PLACES = load("places.json")
_SMALL = frozenset(_PLACES["small"].split())
"""Words that say what a place is, not which."""


class Place(NamedTuple):
    """`towns` as they are compared, `countries` as ISO codes."""

    towns: tuple[str, ...]
    countries: frozenset[str]


def _key(text: str) -> str:
    return " ".join(letters for _, letters, _ in words(text))


COUNTRY: dict[str, str] = load("countries.json")["names"]
_GROUP: dict[str, int] = {_key(name): i for i, group in enumerate(_PLACES["groups"]) for name in group.split("|")}


def country_code(text: str) -> str:
    """ISO 3166 alpha-2 of a code or of a country's name; what is not known stays as it is written."""
    return text.upper() if len(text) == 2 else COUNTRY.get(_key(text), text.upper())


@lru_cache(maxsize=4096)
def parse_place(text: str) -> Place:
    """The parts between commas; a part that names a country says the country, the others say the town."""
    towns: list[str] = []
    countries: set[str] = set()
    for part in re.split(r"[,;()/،؛\n]", text[:200])[:8]:
        whole = _key(part)
        if not whole:
            continue
        if whole in COUNTRY:
            countries.add(COUNTRY[whole])
            continue
        town = " ".join(w for w in whole.split() if w not in _SMALL)
        if town and len(towns) < MAX_PARTS:
            towns.append(town)
    return Place(tuple(dict.fromkeys(towns)), frozenset(countries))


@lru_cache(maxsize=8192)
def _same_town(x: str, y: str) -> bool:
    if x == y:
        return True
    here, there = _GROUP.get(x), _GROUP.get(y)
    if here is not None and there is not None:
        return here == there
    return score(x, y) >= ALIKE


def meet(a: Place, b: Place) -> str:
    """`same`, `same_country` (a side tells no town), `other_town` (of one country), `different`, or `` where the two
    cannot be compared."""
    if any(_same_town(min(x, y), max(x, y)) for x in a.towns for y in b.towns):
        return "same"
    if a.countries & b.countries:
        return "other_town" if a.towns and b.towns else "same_country"
    if (a.towns and b.towns) or (a.countries and b.countries):
        return "different"
    return ""
