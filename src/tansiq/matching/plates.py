"""Number plates of Morocco, Spain, France, Germany, Italy and Portugal, of today and of before."""

from __future__ import annotations

import re
from collections.abc import Callable

from tansiq.matching.text import load

_DATA = load("plates.json")
_LETTERS: dict[str, str] = _DATA["MA"]["letters"]
_PREFECTURES: int = _DATA["MA"]["prefectures"]
_OFFICIAL = frozenset(_DATA["MA"]["official"])
_ES_PROVINCES = "|".join(sorted(_DATA["ES"]["provinces"].split(), key=len, reverse=True))
_IT_PROVINCES = "|".join(_DATA["IT"]["provinces"].split())
_NEVER = frozenset(_DATA["DE"]["never"])

_ES = re.compile(
    r"\d{4}[BCDFGHJKLMNPRSTVWXYZ]{3}"  # since 2000: no vowels, no Ñ and Q
    rf"|(?:{_ES_PROVINCES})\d{{4}}[A-PR-Z]{{1,2}}"  # 1971 to 2000
    rf"|(?:{_ES_PROVINCES})\d{{1,6}}"  # before 1971
    r"|[CEHPRSTV]\d{4}[BCDFGHJKLMNPRSTVWXYZ]{3}"  # mopeds, trailers, historic, temporary
    r"|(?:PGC|CNP|ET|EA|FN|CME|MF|MMA|DGP|MOP|PME)\d{4,6}[A-Z]?"  # the State
    r"|(?:CD|CC|OI|TA)\d{5,6}"  # diplomats
)
_FR = re.compile(
    r"(?!SS)[A-HJ-NP-TV-Z]{2}(?!000)\d{3}(?!SS)[A-HJ-NP-TV-Z]{2}"  # since 2009: no I, O, U, no SS
    r"|W\d{3}[A-HJ-NP-TV-Z]{2}"  # garages
    r"|[1-9]\d{0,3}[A-HJ-NP-TV-Z]{1,3}(?:0[1-9]|[1-8]\d|9[0-5]|2[AB]|97[1-6])"  # before 2009
    r"|\d{1,3}(?:CMD|CD|C|K)\d{1,4}[A-Z]?"  # diplomats
)
_DE = re.compile(
    r"[A-ZÄÖÜ]{1,3}[A-Z]{1,2}[1-9]\d{0,3}[EH]?"
    r"|[A-ZÄÖÜ]{1,3}0[67]\d{2,4}"  # dealers, historic
    r"|[A-ZÄÖÜ]{1,4}[1-9]\d{0,5}"  # authorities
    r"|0\d{3,6}[A-Z]?"  # diplomats
)
_IT = re.compile(
    r"[A-HJ-NPR-TV-Z]{2}\d{3}[A-HJ-NPR-TV-Z]{2}"  # since 1994: no I, O, Q, U
    r"|[A-HJ-NPR-TV-Z]{2}\d{5}"  # motor cycles
    rf"|(?:{_IT_PROVINCES}|ROMA)(?:\d{{4,6}}|\d[A-Z0-9]\d{{4}}|\d{{5}}[A-Z]|[A-Z]\d{{5}})"  # before 1994
    r"|EI[A-Z]{2}\d{3}|CC[A-Z]{2}\d{3}|GDF\d{3}[A-Z]{2}|POLIZIA[A-Z]\d{4}"  # the State
)
_PT = re.compile(r"[A-Z]{2}\d{2}[A-Z]{2}|[A-Z]{2}\d{4}|\d{4}[A-Z]{2}|\d{2}[A-Z]{2}\d{2}")
GRAMMARS: dict[str, re.Pattern[str]] = {"ES": _ES, "FR": _FR, "DE": _DE, "IT": _IT, "PT": _PT}


def moroccan(plain: str) -> str | None:
    """`12345-A-6` from serial, letter and prefecture in any order, and what the State and dealers drive.

    A text that was typed right to left has the prefecture first; a prefecture has two digits at most.
    """
    letters = "".join(_LETTERS.get(c, c) for c in plain.replace("ـ", ""))
    if re.search(r"[^\W\dA-Z]", letters):
        return None
    told = re.findall(r"\d+|[A-Z]+", letters)
    words, numbers = [t for t in told if t.isalpha()], [t for t in told if t.isdigit()]
    if len(words) != 1:
        return None
    if len(numbers) == 2:
        serial, prefecture = reversed(numbers) if len(numbers[1]) > 2 else numbers
        return _ordinary(serial, words[0], prefecture)
    if len(numbers) != 1:
        return None
    if words[0] in ("W", "WW") and 3 <= len(numbers[0]) <= 6:
        return f"MA:{words[0]}{numbers[0]}"
    if words[0] in _OFFICIAL and 3 <= len(numbers[0]) <= 6:
        return f"MA:{words[0]}{int(numbers[0])}"
    return None


def _ordinary(serial: str, letter: str, prefecture: str) -> str | None:
    if letter not in set(_LETTERS.values()) and len(letter) != 1:
        return None
    if not (1 <= len(serial) <= 5 and len(prefecture) <= 2 and int(serial) and 1 <= int(prefecture) <= _PREFECTURES):
        return None
    return f"MA:{int(serial)}-{letter}-{int(prefecture)}"


def _german(plain: str, compact: str) -> bool:
    """Where the text shows the middle letters, they are none that no office gives out."""
    told = re.fullmatch(r"[A-ZÄÖÜ]{1,3}[\s\-–:·]+([A-Z]{1,2})[\s\-–]*\d{1,4}\s*[EH]?", plain)
    return bool(GRAMMARS["DE"].fullmatch(compact)) and len(compact) <= 9 and not (told and told[1] in _NEVER)


def plate(plain: str, cc: str) -> str | None:
    """`CC:plate` of a text in upper case with ASCII digits; unknown countries keep letters and digits."""
    if cc == "MA" or (not cc and re.search("[\u0600-\u06ff]", plain)):
        return moroccan(plain)
    compact = "".join(c for c in plain if c.isalnum())
    if not 2 <= len(compact) <= 12 or not any(c.isdigit() for c in compact):
        return None
    fits: Callable[[str], object]
    if cc == "DE":
        return f"DE:{compact}" if _german(plain, compact) else None
    if cc in GRAMMARS:
        fits = GRAMMARS[cc].fullmatch
        return f"{cc}:{compact}" if fits(compact) else None
    return f"{cc}:{compact}" if compact.isascii() else None
