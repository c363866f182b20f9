"""How a form is grouped: what is decided together stands together, under a heading. No kind is known by name.

A kind says which of an act's facts and texts stand under which heading, in which order (`Face.forms`). What it does not
name stands first, so that nothing is ever left out of a form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tansiq.kinds import LANGUAGES, face_of, words_of
from tansiq.web.factforms import FactField

SPARE = "more"
"""The heading over what only helps."""
Text = tuple[str, str]
"""(kind of part, its field's name in the form)."""


@dataclass(frozen=True)
class FormGroup:
    """What stands under one heading (a code of the kind's words; empty: none), in order."""

    heading: str
    rows: tuple[FactField | Text, ...]


def groups(kind: str, act: str, fields: Iterable[FactField], texts: Iterable[Text]) -> list[FormGroup]:
    """An act's facts and texts, as its kind groups them; without its word: the facts, then the texts."""
    facts, words = {f.name: f for f in fields}, {k: (k, at) for k, at in texts}
    found = []
    for heading, names in face_of(kind).forms.get(act, ()):
        rows: list[FactField | Text] = []
        for name in names:
            rows += [row for row in (facts.pop(name, None), words.pop(name, None)) if row is not None]
        if rows:
            found.append(FormGroup(heading, tuple(rows)))
    rest: tuple[FactField | Text, ...] = (*facts.values(), *words.values())
    return [FormGroup("", rest), *found] if rest else found


def spare(grouped: Iterable[FormGroup]) -> frozenset[str]:
    """The texts that stand under what only helps: folded until somebody wants them."""
    return frozenset(row[0] for g in grouped if g.heading == SPARE for row in g.rows if isinstance(row, tuple))


def first_text(grouped: Iterable[FormGroup]) -> tuple[str, ...]:
    """The first text under a heading: the one that stands open where none must be written."""
    return tuple(row[0] for g in grouped if g.heading for row in g.rows if isinstance(row, tuple))[:1]


def is_laid_out(kind: str) -> bool:
    """Whether the kind says how its forms are grouped: then persons and things are folded until they are wanted."""
    return bool(face_of(kind).forms)


def hint(kind: str, act: str, f: FactField, language: str, spoken: Callable[[str], str]) -> str:
    """What a form says under a fact: the kind's own words for this act, for the fact anywhere, else the pages'."""
    hints = words_of(kind)["hint"]
    own = hints.get(f"{act}.{f.name}") or hints.get(f.name)
    return own[LANGUAGES.index(language)] if own else spoken(f.hint)
