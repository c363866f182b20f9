"""Running text to words that can be looked up: as they are spelled, as they sound in either script, and numbers.

Names are compared by `names.py`, word by word and with reasons. A text of thousands of words only needs to be found
again: each word stands there folded (case, accents, vowel marks gone) and as its coarse consonants, which are the same
for حموشي and Hammouchi.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tansiq.matching.parts import skeleton
from tansiq.matching.text import units, words

MAX_TEXT = 200_000
SOUNDS = 3
"""Fewer consonants say too little: they would meet half of all words."""
TAIL = 8
_NUMBER = re.compile(r"\d[\d \-./()]{2,24}\d")
_PIECE = re.compile(r"[\S\x1c-\x1f]{1,400}")  # those four part no word: see `text.py`
_ARTICLE = "ال"
USUAL = 40
"""Longer pieces are addresses and the like, and not met again."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text. `begin` and `end` count in the text as it was given."""

    spelled: str
    sound: str
    """Empty where it has too few consonants."""
    begin: int
    end: int


def read_words(text: str) -> Iterator[Word]:
    """Every word and every number of a text, in order; of a longer text its first `MAX_TEXT` characters."""
    text = text[:MAX_TEXT]
    yield from _numbers(text)
    for piece in _PIECE.finditer(text):
        for spelled, sound in _spellings(piece.group()):
            yield Word(spelled, sound, piece.start(), piece.end())


def read_tokens(text: str) -> Iterator[str]:
    """What `read_words` says of the text's words, spelled and sounding, in no order and without their places."""
    text = text[:MAX_TEXT]
    for word in _numbers(text):
        yield from (word.spelled, word.sound) if word.sound else (word.spelled,)
    for piece in set(_PIECE.findall(text)):
        yield from _tokens(piece) if len(piece) <= USUAL else _tokens.__wrapped__(piece)


@lru_cache(maxsize=32_768)  # the same few words make up most texts; they lie in the searcher's index anyway
def _tokens(piece: str) -> tuple[str, ...]:
    return tuple(t for pair in _spellings(piece) for t in pair if t)


def _numbers(text: str) -> Iterator[Word]:
    for found in _NUMBER.finditer(text):
        digits = "".join(str(unicodedata.digit(c)) for c in found.group() if c.isdigit())
        # With and without a country's code, a number ends the same.
        sound = f"~#{digits[-TAIL:]}" if len(digits) >= TAIL else ""
        yield Word(f"#{digits}", sound, found.start(), found.end())


def _spellings(piece: str) -> Iterator[tuple[str, str]]:
    """(spelled, sound) of the words in a piece of text between two spaces."""
    for script, letters, _ in words(piece):
        yield letters, _sound(script, letters)
        if letters.startswith(_ARTICLE) and len(letters) > len(_ARTICLE) + 2:
            bare = letters.removeprefix(_ARTICLE)
            yield bare, _sound(script, bare)


def _sound(script: int, letters: str) -> str:
    sound = skeleton(units(script, letters))
    return f"~{sound}" if len(sound) >= SOUNDS else ""
