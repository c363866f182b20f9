"""Clauses as the reader's law books write them: `LED art. 35(1)(e)` is `JI-Richtlinie Art. 35 Abs. 1 e` in German.

A clause is a code: ledger, API and files keep it as it is written here, and pages show it by this one function. What
is not known (a law that a partner's rules name) is shown as it is written, never guessed.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup, escape

from tansiq.kinds import LANGUAGES

PLACE = re.compile(r",? (arts?\.?|recitals?|Annex(?:es)?|§§?) (.+)")
NUMBER = re.compile(r"(\d+[a-z]?)?((?:\([0-9a-z]+\))*)")
RANGE = re.compile(r"(\d+)-(\d+)")
UNCHECKED = re.compile(r" \[GK[^\]]*\]$")
ABJAD = dict(zip("abcdefghij", ("أ", "ب", "ج", "د", "هـ", "و", "ز", "ح", "ط", "ي"), strict=True))
ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4"}
"""Of a point's own points, in Arabic: the official texts count them."""
LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9/().,§ -]*[A-Za-z0-9)]|[A-Za-z]")
"""A run that reads from left to right inside Arabic, where it has a letter."""


@cache
def _texts() -> dict[str, dict[str, tuple[str, ...]]]:
    text = files("tansiq.web").joinpath("laws.toml").read_text(encoding="utf-8")
    return {table: {name: tuple(row) for name, row in rows.items()} for table, rows in tomllib.loads(text).items()}


def _word(name: str, language: str) -> str:
    return _texts()["word"][name][LANGUAGES.index(language)]


def cited(clause: str, language: str) -> str:
    """A clause in this language; several of them are parted by semicolons."""
    between = "؛ " if language == "ar" else "\u00a0; " if language == "fr" else "; "
    return between.join(_citation(c, language) for c in clause.split("; "))


def on_page(clause: str, language: str) -> Markup:
    """The same for a page: in Arabic, what is written in Latin letters keeps its own direction."""
    text = cited(clause, language)
    if language != "ar":
        return escape(text)
    found, at = Markup(""), 0
    for run in (r for r in LATIN.finditer(text) if re.search("[A-Za-z]", r[0])):
        found += escape(text[at : run.start()]) + Markup('<bdi dir="ltr">{}</bdi>').format(run[0])
        at = run.end()
    return found + escape(text[at:])


def called(gate: Any, clause: str, language: str) -> str:
    """What a clause of a decision is called: the rule's title, else (no rule has this id) the citation that it is."""
    title = str(gate.title(clause, language)) if gate is not None else clause
    return cited(clause, language) if title == clause else title


def _citation(clause: str, language: str) -> str:
    bare = UNCHECKED.sub("", clause)
    note = f" [{_word('unchecked', language)}]" if bare != clause else ""
    laws = _texts()["law"]
    law = next((name for name in sorted(laws, key=len, reverse=True) if bare.startswith(name)), "")
    rest = bare[len(law) :]
    name = laws[law][LANGUAGES.index(language)] if law else ""
    if not rest and law:
        return name + note
    place = PLACE.fullmatch(rest if law else f" {rest}")
    if place is None:
        return bare + note
    if language == "en":
        return f"{name} {place[1]} {place[2]}".strip() + note
    told = _place(place[1], place[2], language)
    if not law:
        return told + note
    if language == "ar":
        return f"{told} {_word('of', language)} {name}{note}"
    return f"{told} {name}{note}" if language == "de" else f"{name}, {told}{note}"


def _place(kind: str, numbers: str, language: str) -> str:
    """Where in a law: `arts 4(1)(b), 8`."""
    conjunction = _word("and", language)
    if kind.startswith("Annex"):
        parts = re.split(r" and |, (?=[IVX])", numbers)
        joined = f" {conjunction} ".join(parts) if language != "ar" else f" {conjunction}".join(parts)
        return f"{_word('annexes' if len(parts) > 1 else 'annex', language)} {joined}"
    told = [_number(n, language) for n in numbers.split(", ")]
    spread = any(RANGE.fullmatch(n) for n in numbers.split(", "))
    articles = sum(not n.startswith("(") for n in numbers.split(", "))
    if kind.startswith("recital"):
        word = _word("recital", language)
    elif kind.startswith("§") and language != "ar":
        word = "§"
    else:
        word = _word("arts" if spread or articles > 2 else "two_arts" if articles == 2 else "art", language)
    if language == "ar":
        return f"{word} {' '.join([told[0], *(conjunction + n for n in told[1:])])}"
    if len(told) > 1 and any(" " in n for n in told) and not spread:
        # "art. 7, par. 3, 16" would not say whether 16 is an article: the word stands before each.
        one = "" if word == "§" else _word("art", language) + " "
        told = [f"{one}{n}" if n[0].isdigit() else n for n in told]
        word = ""
    *first, last = told
    return f"{word} {f' {conjunction} '.join([', '.join(first), last]) if first else last}".strip()


def _number(number: str, language: str) -> str:
    """`35(1)(e)`: article, paragraph, point."""
    if span := RANGE.fullmatch(number):
        before = "من " if language == "ar" else ""
        return f"{before}{span[1]} {_word('to', language)} {span[2]}"
    match = NUMBER.fullmatch(number)
    if match is None:
        return number
    inner = re.findall(r"\(([0-9a-z]+)\)", match[2])
    if language == "ar":
        letters = (
            x if x.isdigit() else (ROMAN.get(x) if n > 1 else None) or ABJAD.get(x, x) for n, x in enumerate(inner)
        )
        return (match[1] or "") + "".join(f"({x})" for x in letters)
    told = [match[1]] if match[1] else []
    for n, x in enumerate(inner):
        if x.isdigit():
            told.append(f"{_word('paragraph', language)} {x}")
        elif language == "de":
            told.append(f"{'Buchst.' if n < 2 else 'Ziff.'} {x}")
        else:
            told.append(("letra " if language == "es" and n < 2 else "") + f"{x})")
    return (" " if language == "de" else ", ").join(told)
