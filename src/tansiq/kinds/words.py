"""What a kind's codes are called, in five languages: data beside the rules, so that a new kind brings its words.

`words.toml` here holds what kinds share; `<kind>/words.toml` what is its own and wins. Tables: kind, act (what was
done, for entries), do (what one is about to do, for buttons), duty, fact, value, part, phase, item, state, figure,
fault (why an act is not legal), view (what the kind's own page says beside its codes), group (headings of forms), hint
(what a form says under a fact or a part whose name alone is not plain).
A fact of one act alone is `<act>.<fact>`. `report` and `request` have their words in the pages' catalogues.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "fr", "es", "de", "ar")
"""The order of each word's texts."""
TABLES = ("kind", "act", "do", "duty", "fact", "value", "part", "phase", "item", "state", "figure", "fault", "view",
          "group", "hint")  # fmt: skip

Words = Mapping[str, Mapping[str, tuple[str, ...]]]


def read(text: str) -> Words:
    """A `words.toml`. Raises `ValueError`: the file is ours."""
    found = {}
    for table, rows in tomllib.loads(text).items():
        if table not in TABLES or any(len(row) != len(LANGUAGES) or not all(row) for row in rows.values()):
            raise ValueError(f"words: {table}")
        found[table] = {code: tuple(row) for code, row in rows.items()}
    return found


@cache
def of(kind: str) -> Words:
    """The words of a kind, over those that all share; of an unknown kind those alone."""
    root = files("tansiq.kinds")
    shared = read((root / "words.toml").read_text(encoding="utf-8"))
    own = root / kind / "words.toml" if kind.isidentifier() else None
    mine = read(own.read_text(encoding="utf-8")) if own is not None and own.is_file() else {}
    return {table: {**shared.get(table, {}), **mine.get(table, {})} for table in TABLES}


def say(kind: str, table: str, code: str, language: str) -> str:
    """The word, or nothing where this kind has none of its own for the code."""
    row = of(kind)[table].get(code)
    return row[LANGUAGES.index(language)] if row else ""


@cache
def _patterns(kind: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """The kind's faults; those with fewer places first, so that a sentence of its own wins."""
    known = sorted(of(kind)["fault"], key=lambda f: f.count("{}"))
    return tuple((re.compile("(.+)".join(re.escape(piece) for piece in f.split("{}"))), f) for f in known)


def fault_of(kind: str, said: str) -> tuple[str, tuple[str, ...]]:
    """The fault that a rule's sentence is, and what it put in; nothing where the sentence is none that we know."""
    for pattern, fault in _patterns(kind):
        if met := pattern.fullmatch(said):
            return fault, met.groups()
    return "", ()


def say_fault(kind: str, said: str, language: str) -> str:
    """Why an act is not legal, in this language; the rule's own sentence where it has no words."""
    fault, put_in = fault_of(kind, said)
    words = say(kind, "fault", fault, language) if fault else ""
    named = [
        next((w for t in ("state", "phase", "item", "value") if (w := say(kind, t, x, language))), x) for x in put_in
    ]
    return words.format(*named) if words else said
