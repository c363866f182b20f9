"""Which free texts of a question the rules merely ask for, so that one answer serves for every wording. Pure.

An officer's justification is another one each time; where no rule reads more out of it than whether it is there, the
gate may remember its answer. Read from the rules that are in force: a service's own may look more closely.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from tansiq.policy.model import Question
from tansiq.policy.wire import Rule

TEXTS = frozenset({"justification", "legal_basis", "handling_text"})
"""Attributes of the rules' context that hold an officer's own words. They bear the names of the question's fields."""
STATED = "stated"
_NAMES = tuple(f.name for f in fields(Question))
_PLACES = {name: place for place, name in enumerate(_NAMES)}
_VALUES = attrgetter(*_NAMES)
_EMPTY = {"Value": ""}


def only_asked_for(rules: Iterable[Rule]) -> frozenset[str]:
    """The texts that every rule compares with the empty text alone, or does not look at."""
    read: set[str] = set()
    for rule in rules:
        _read(rule.cedar.get("conditions", []), read)
    return TEXTS - read


def _read(node: Any, read: set[str]) -> None:
    """Add what is looked at in any other way. A context used as a whole may be looked at in every way."""
    if isinstance(node, list | tuple):
        for item in node:
            _read(item, read)
    elif isinstance(node, Mapping):
        if node.get("Var") == "context":
            read |= TEXTS
            return
        for operator, inner in node.items():
            if name := _attribute(operator, inner):
                read.add(name)
            elif not _asks_for(operator, inner):
                _read(inner, read)


def _attribute(operator: str, inner: Any) -> str:
    """`context.<name>`; empty for anything else."""
    whole = isinstance(inner, Mapping) and inner.get("left") == {"Var": "context"}
    return str(inner.get("attr", "")) if operator == "." and whole else ""


def _asks_for(operator: str, inner: Any) -> bool:
    """`context.<name> == ""`, or `!=`, either way round."""
    if operator not in ("==", "!=") or not isinstance(inner, Mapping):
        return False
    left, right = inner.get("left"), inner.get("right")
    other = right if left == _EMPTY else left if right == _EMPTY else None
    return isinstance(other, Mapping) and len(other) == 1 and bool(_attribute(*next(iter(other.items()))))


def without_wording(q: Question, texts: frozenset[str]) -> Question:
    """The question with one word in place of each of these texts that says anything."""
    found: dict[str, Any] = {name: STATED for name in texts if _says_something(getattr(q, name))}
    return replace(q, **found) if any(getattr(q, n) != STATED for n in found) else q


def key_of(q: Question, texts: frozenset[str]) -> tuple[Any, ...]:
    """The values of `without_wording(q, texts)`, without making it: what a gate remembers its answer under."""
    values = list(_VALUES(q))
    for name in texts:
        place = _PLACES[name]
        if _says_something(values[place]):
            values[place] = STATED
    return tuple(values)


def _says_something(text: str) -> bool:
    """What is no text at all (a lone surrogate) stays as it is: the rules cannot be asked with it, and refuse."""
    return bool(text.strip()) and (text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text))
