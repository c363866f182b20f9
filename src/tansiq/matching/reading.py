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

from tansiq.matching.parts import skeleton
from tansiq.matching.text import units, words

MAX_TEXT = 200_000
SOUNDS = 3
"""Fewer consonants say too little: they would meet half of all words."""
TAIL = 8
_NUMBER = re.compile(r"\d[\d \-./()]{2,24}\d")
_ARTICLE = "ال"


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
    for found in _NUMBER.finditer(text):
        digits = "".join(str(unicodedata.digit(c)) for c in found.group() if c.isdigit())
        # With and without a country's code, a number ends the same.
        sound = f"~#{digits[-TAIL:]}" if len(digits) >= TAIL else ""
        yield Word(f"#{digits}", sound, found.start(), found.end())
    for piece in re.finditer(r"\S{1,400}", text):
        for script, letters, _ in words(piece.group()):
            sound = skeleton(units(script, letters))
            yield Word(letters, f"~{sound}" if len(sound) >= SOUNDS else "", piece.start(), piece.end())
            if letters.startswith(_ARTICLE) and len(letters) > len(_ARTICLE) + 2:
                bare = letters.removeprefix(_ARTICLE)
                sound = skeleton(units(script, bare))
                yield Word(bare, f"~{sound}" if len(sound) >= SOUNDS else "", piece.start(), piece.end())
