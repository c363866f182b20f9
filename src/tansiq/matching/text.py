"""From any Unicode text to words of units: letters and letter groups of one canonical alphabet.

Rules this module keeps:
- of whatever comes in, at most MAX_CHARS characters are read; at most MAX_WORDS words of MAX_LETTERS letters and
  MAX_UNITS units come out;
- a word has one script (Arabic, or Latin: Cyrillic, Greek and Hebrew are spelled in Latin first);
- case, accents that no alphabet of ours tells apart, tatweel, vowel marks, bidi and other format characters vanish.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from importlib import resources
from typing import Any

MAX_CHARS = 400
MAX_WORDS = 24
MAX_LETTERS = 40
MAX_UNITS = 22

LATIN, ARABIC = 0, 1
_JOINERS = frozenset("'’‘ʼʿʾ`´ʹʻʽˈ′־״׳ـ")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Hangul letters without a sign."""
_BREAKS = frozenset("\t\n\v\f\r\x85")


def load(name: str) -> dict[str, Any]:
    """A packaged data file of this capability."""
    text = resources.files("tansiq.matching").joinpath("data", name).read_text(encoding="utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


_SCRIPTS = load("scripts.json")
_LATIN_FOLD: dict[str, str] = _SCRIPTS["latin"]
_ARABIC_FOLD: dict[str, str] = _SCRIPTS["arabic"]
_OTHER: dict[str, str] = _SCRIPTS["other"]

ROMANISATION = load("romanisation.json")
LATIN_UNITS: tuple[str, ...] = tuple(ROMANISATION["latin_units"])
ARABIC_UNITS: tuple[str, ...] = tuple(ROMANISATION["arabic"])
UNITS: tuple[str, ...] = LATIN_UNITS + ARABIC_UNITS
UNIT_ID: dict[str, int] = {u: i for i, u in enumerate(UNITS)}
VOWEL: frozenset[int] = frozenset(UNIT_ID[v] for v in ROMANISATION["vowels"].split() if v in UNIT_ID)
_GROUP = re.compile("|".join(sorted((re.escape(u) for u in LATIN_UNITS), key=len, reverse=True)))


@lru_cache(maxsize=4096)
def _fold_char(c: str) -> tuple[int, str]:
    """(script, spelling) of one lower-case character; script -1 separates words, -2 vanishes."""
    if "a" <= c <= "z":
        return LATIN, c
    if c in _LATIN_FOLD:
        return LATIN, _LATIN_FOLD[c]
    if c in _ARABIC_FOLD:
        return ARABIC, _ARABIC_FOLD[c]
    if c in UNIT_ID:
        return ARABIC, c
    if c in _OTHER:
        return LATIN, _OTHER[c]
    category = unicodedata.category(c)
    if c in _JOINERS or category in {"Mn", "Me", "Cf", "Lm"}:
        return -2, ""
    # No browser shows these: within a word they would hide it from every search.
    if c in _FILLERS or (category == "Cc" and c not in _BREAKS):
        return -2, ""
    if category[0] != "L":
        return -1, ""
    base = unicodedata.normalize("NFKD", c).casefold()
    if base == c:
        return -1, ""
    out, script = "", -1
    for b in base:
        s, t = _fold_char(b) if b != c else (-1, "")
        if s >= 0 and script in {-1, s}:
            out, script = out + t, s
    return (script, out) if out else (-1, "")


def written(text: str) -> str:
    """The text that the positions of `words` count in."""
    return unicodedata.normalize("NFC", text[:MAX_CHARS])


def words(text: str) -> list[tuple[int, str, tuple[int, int]]]:
    """[(script, folded letters, (begin, end) in `written(text)`)] of a name."""
    out: list[tuple[int, str, tuple[int, int]]] = []
    text = written(text)
    script, letters, begin = -1, "", 0
    for at, c in enumerate(text + " "):
        for s, t in _folded(c):
            if s == -2:
                continue
            if letters and s != script:
                out.append((script, letters[:MAX_LETTERS], (begin, at)))
                script, letters = -1, ""
                if len(out) == MAX_WORDS:
                    return out
            if s >= 0:
                if not letters:
                    begin = at
                script, letters = s, letters + t
    return out


@lru_cache(maxsize=8192)
def _folded(c: str) -> tuple[tuple[int, str], ...]:
    """One written character as the folded characters it stands for."""
    if "a" <= c <= "z":
        return ((LATIN, c),)
    return tuple(_fold_char(x) for x in unicodedata.normalize("NFC", unicodedata.normalize("NFKC", c).casefold()))


_DOUBLE = re.compile(r"([bcdfghjklmnpqrstvwxyzşçžğñaiuāöüä]|sh|ch|kh|gh|th|dh)\1+")
_SPECIAL = (
    (re.compile("gu(?![ei])"), "g\0u"),  # gu is one sound before e and i only
    (re.compile("iy(?=[aeou])"), "y"),
    (re.compile("yi(?=[aeou])"), "y"),
    (re.compile("^mc(?=[a-z])"), "mac"),
)


@lru_cache(maxsize=16384)
def units(script: int, letters: str) -> tuple[int, ...]:
    """The units of one folded word; doubled Latin letters count once, as the Arabic writing does."""
    if script == ARABIC:
        return tuple(UNIT_ID[c] for c in letters if c in UNIT_ID)[:MAX_UNITS]
    letters = _DOUBLE.sub(r"\1", letters)
    for pattern, to in _SPECIAL:
        letters = pattern.sub(to, letters)
    return tuple(UNIT_ID[m.group()] for m in _GROUP.finditer(letters))[:MAX_UNITS]
