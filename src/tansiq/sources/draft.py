"""Puts an entity together out of what a file says, claim by claim, and refuses it as the bank's own wire would."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

from tansiq.bank import check_partial_date, clean_value, parse_entity
from tansiq.bank.model import Entity
from tansiq.errors import Invalid

# What lists call a country when it is not how CLDR calls it.
_ALSO = {
    "russian federation": "ru",
    "syrian arab republic": "sy",
    "iran (islamic republic of)": "ir",
    "democratic people's republic of korea": "kp",
    "republic of korea": "kr",
    "north korea": "kp",
    "south korea": "kr",
    "democratic republic of the congo": "cd",
    "congo, democratic republic of the": "cd",
    "united republic of tanzania": "tz",
    "united kingdom of great britain and northern ireland": "gb",
    "united states of america": "us",
    "cote d'ivoire": "ci",
    "türkiye": "tr",
    "turkey": "tr",
    "viet nam": "vn",
    "state of palestine": "ps",
    "palestinian": "ps",
    "burma": "mm",
    "bosnia and herzegovina": "ba",
    "trinidad and tobago": "tt",
    "hong kong": "hk",
    "the gambia": "gm",
    "republic of moldova": "md",
    "moldova": "md",
    "lao people's democratic republic": "la",
    "brunei darussalam": "bn",
    "czech republic": "cz",
    "swaziland": "sz",
    "cabo verde": "cv",
    "libyan arab jamahiriya": "ly",
}


@cache
def _countries() -> dict[str, str]:
    found = {str(name).casefold().replace("’", "'"): code.lower() for code, name in _territories() if len(code) == 2}
    return {**found, **_ALSO}


def _territories() -> list[tuple[str, str]]:
    return [(c, n) for c, n in Locale.parse("en").territories.items() if c.isalpha()]


def country(name: str) -> str:
    """ISO 3166 alpha-2, lower case; what is not known stays as it is written, for it still says something."""
    plain = " ".join(name.replace("’", "'").split())
    if re.fullmatch(r"[A-Za-z]{2}", plain):
        return plain.lower()
    return _countries().get(plain.casefold(), plain)


_MONTHS = dict(jan=1, feb=2, mar=3, apr=4, may=5, jun=6, jul=7, aug=8, sep=9, oct=10, nov=11, dec=12)
_SCRIPTS = (
    (re.compile(r"[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"), "ar"),
    (re.compile(r"[\u0400-\u04ff]"), "ru"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u4e00-\u9fff]"), "zh"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
)


def language_of(value: str) -> str:
    """A guess from the script, so that a page sets the direction right; empty for Latin script."""
    return next((lang for pattern, lang in _SCRIPTS if pattern.search(value)), "")


def written_date(value: str) -> str:
    """`19 Jun 1951`, `Jun 1951`, `1951` or ISO, to a partial date; empty when it is none of these."""
    plain = " ".join(value.split()).rstrip(".")
    if found := re.fullmatch(r"(\d{4})(-\d{2}(-\d{2})?)?(T.*|Z|[+-]\d\d:\d\d)?", plain):
        year, month_day = found.group(1), found.group(2) or ""
        return _real(year + month_day) or _real(year)
    found = re.fullmatch(r"(?:(\d{1,2}) )?([A-Za-z]{3})[a-z]*\.? (\d{4})", plain)
    if found and (month := _MONTHS.get(found.group(2).lower())):
        day = f"-{int(found.group(1)):02d}" if found.group(1) else ""
        return _real(f"{found.group(3)}-{month:02d}{day}")
    return ""


def _real(text: str) -> str:
    try:
        return check_partial_date(text)
    except Invalid:
        return ""


class Draft:
    """Collects claims; empty values and repeats fall away."""

    def __init__(self, ident: str, schema: str, grade: str) -> None:
        self._ident = ident
        self._schema = schema
        self._grade = grade
        self._claims: dict[tuple[str, str], dict[str, str]] = {}

    def say(self, prop: str, value: str, *, basis: str = "fact", lang: str = "", as_of: str = "") -> None:
        try:
            cleaned = clean_value(value, prop)
        except Invalid:
            return
        if not any(c.isalnum() for c in cleaned):
            return
        claim = {"property": prop, "value": cleaned, "basis": basis, "grade": self._grade, "as_of": as_of}
        claim["lang"] = lang or language_of(cleaned)
        self._claims.setdefault((prop, cleaned.casefold()), claim)

    def has(self, *props: str) -> bool:
        return any(prop in props for prop, _ in self._claims)

    def entity(self) -> Entity:
        """Through the same door as everybody's entities. Raises `Invalid` where it is none."""
        raw = {"id": self._ident, "schema": self._schema, "claims": list(self._claims.values())}
        return parse_entity(raw)
