"""How a kind shows itself to people and programs: what it has beyond its acts. Pure.

`<kind>/face.py` holds a `FACE`; a kind without one is shown by its acts, words and items alone. Its items come from the
`CYCLE` of its package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tansiq.dossiers.model import DossierState
from tansiq.kinds.items import Cycle, Item
from tansiq.terms import NodeId

Facts = Mapping[str, Any]
Groups = tuple[tuple[str, tuple[str, ...]], ...]
"""A form's groups, in order: (heading, a code of the kind's words; the facts and parts under it). What is in none of
them stands first; a name that is a fact and a part stands for both."""
Chance = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a kind's own summary: a head (a code of the kind's words, table `fact`), and what stands under it."""

    head: str
    values: tuple[str, ...]
    """Ids, instants, numbers, codes or words: who shows them tells them apart by their form."""
    about: str = ""
    """The entry that it speaks of; empty: the whole dossier."""
    odd: bool = False
    """Something that people should look at, e.g. a disagreement."""


@dataclass(frozen=True, slots=True)
class Made:
    """An act whose body the node makes from what its officer writes, because the officer cannot or must not."""

    facts: Any
    """What is written: a msgspec Struct; None: nothing."""
    body: Callable[[DossierState, NodeId, Facts, Chance], dict[str, Any]]
    """Raises `Invalid` or `Conflict`."""


@dataclass(frozen=True, slots=True)
class Face:
    """What pages, commands and the API ask of a kind."""

    summary: Callable[[DossierState], tuple[Line, ...]] = lambda _state: ()
    view: Callable[[DossierState, datetime], Any] = lambda _state, _now: None
    """(state, now) -> what the kind's own page draws in place of the summary; None: it has no view, or nothing yet."""
    shows: frozenset[str] = frozenset()
    """Sorts of items that the view shows: they need no table of their own beside it."""
    offers: Callable[[str, str, frozenset[str]], frozenset[str] | None] = lambda _act, _field, _countries: None
    """(act, fact, countries that take part) -> the values that are possible at all; None: all of the fact's type."""
    axes: Callable[[DossierState, str, str], tuple[tuple[tuple[str, str], ...], ...]] = lambda _state, _act, _field: ()
    """(state, act, fact that is a table) -> what stands at its side, and over its columns: keys, each with the entry
    that says what it is (or nothing). Empty: whoever fills it in names its lines."""
    elsewhere: frozenset[str] = frozenset()
    """Acts that officers do not write by hand: another verb of the node counts or makes what they say."""
    say: Callable[[str, str], str] = lambda _value, _language: ""
    """(value, language) -> what a value is called that is data of the kind, not a word of its vocabulary."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Fault (a code of the kind's words, table `fault`) -> the fact that is wrong, where it is one of them."""
    forms: Mapping[str, Groups] = field(default_factory=dict)
    """Act -> how its form is grouped; an act that is not here has its facts in the order of its type."""
    made: Mapping[str, Made] = field(default_factory=dict)
    """Act -> how its body is made."""


@cache
def face_of(kind: str) -> Face:
    """A kind's face; the plain one where it has none."""
    name = f"tansiq.kinds.{kind}.face"
    if not kind.isidentifier() or find_spec(f"tansiq.kinds.{kind}") is None or find_spec(name) is None:
        return Face()
    found: Face = import_module(name).FACE
    return found


@cache
def cycle_of(kind: str) -> Cycle | None:
    """The tables of a kind's items; None where it keeps none."""
    if not kind.isidentifier() or find_spec(f"tansiq.kinds.{kind}") is None:
        return None
    found: Cycle | None = getattr(import_module(f"tansiq.kinds.{kind}"), "CYCLE", None)
    return found


def items_of(state: DossierState) -> tuple[Item, ...]:
    """The dossier's items, each sort together, the oldest first."""
    items: Mapping[str, Item] = getattr(state.own, "items", None) or {}
    return tuple(sorted(items.values(), key=lambda i: (i.sort, i.trail[0][2], i.key)))


def steppable(cycle: Cycle, items: Iterable[Item], act: str, me: NodeId) -> tuple[Item, ...]:
    """The items that this member's act may step now."""
    found = []
    for row in cycle.of(act):
        for item in items if not row.begins else ():
            allowed = {
                "any": True,
                "owner": me == item.owner,
                "author": me == item.author,
                "other": me != item.owner,
            }
            if item.sort == row.sort and allowed[row.by] and (not row.before or item.state in row.before):
                found.append(item)
    return tuple(found)


def makes(kind: str, act: str) -> Made | None:
    return face_of(kind).made.get(act)
