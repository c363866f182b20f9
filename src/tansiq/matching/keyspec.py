"""Exact keys for private checks: what two services that may not compare names can compare instead.

A person becomes a few short texts `class || 0x1F || value`. Two descriptions of one person share one as often as the
noise of spelling allows; two persons hardly ever do (docs/private-matching.md has the figures). A key is all that an
evaluation tests, so a key is also all that a guess has to hit.

Rules this module keeps:
- no weak key: each name key holds two name parts (or one and the initial of another) *and* a full birth date, or two
  parts, the year *and* an independent attribute. A pair with a year alone would open a holding to guessing.
- the asker asks one reading of a name, since each key costs it one evaluation; the holder lists several, which cost
  nobody an evaluation: article and particle apart or fused, accents dropped, `c` as s or k, `j` as a vowel.
- the same text gives the same keys on every node that speaks the same `KEYSPEC`. `fingerprint` tells whether two
  nodes do: it is part of an epoch's descriptor, and a difference is an error, never a miss.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from itertools import combinations
from typing import Any

from tansiq.matching.dates import Day, parse_day
from tansiq.matching.identifiers import NORMAL, normal_document
from tansiq.matching.parts import core, parts
from tansiq.matching.text import ARABIC, UNITS, words

KEYSPEC = 3
SEPARATOR = b"\x1f"
MAX_KEYS = 4096
_MAX_PARTS = 6
_MAX_VALUES = 24


class KeyClass(StrEnum):
    """What a key is made of; the value is written into the key."""

    PAIR_DATE = "nd"
    """Two name parts, year, and {day, month} in either order; a month above 12 is a day in every class."""
    INITIAL_DATE = "nh"
    """One name part, the initial of another, and the full date."""
    PAIR_PLACE = "np"
    """Two name parts, year, and the place of birth: served only where both sides agreed to it."""
    PAIR_PARENT = "nf"
    """Two name parts, year, and a parent's name: served only where both sides agreed to it."""
    DOCUMENT = "doc"
    IBAN = "iban"
    VIN = "vin"
    IMEI = "imei"
    EMAIL = "email"
    CRYPTO = "crypto"
    CARD = "card"
    PHONE = "phone"
    PLATE = "plate"


class KeyTier(StrEnum):
    """How hard a class is to guess, and so how dearly its evaluations are counted."""

    HIGH = "high"
    LOW = "low"


CHECKED = frozenset(
    {KeyClass.DOCUMENT, KeyClass.IBAN, KeyClass.VIN, KeyClass.IMEI, KeyClass.EMAIL, KeyClass.CRYPTO, KeyClass.CARD}
)
"""Numbers long or irregular enough for the high tier."""
ALWAYS = frozenset(KeyClass) - {KeyClass.PAIR_PLACE, KeyClass.PAIR_PARENT}
"""The classes that every private check serves."""


def tier_of(key_class: KeyClass) -> KeyTier:
    return KeyTier.HIGH if key_class in CHECKED else KeyTier.LOW


def group_of(key_class: KeyClass) -> str:
    """Which keys of one record share an opaque id: all name keys do, so that two of them can be seen to be one hit."""
    return "name" if key_class.value.startswith("n") else key_class.value


@dataclass(frozen=True, slots=True, order=True)
class MatchKey:
    """One key. `input` is what is hashed; it holds personal data and never leaves the node."""

    key_class: KeyClass
    value: str

    @property
    def input(self) -> bytes:
        return self.key_class.value.encode("ascii") + SEPARATOR + self.value.encode()

    def __repr__(self) -> str:  # a key must not reach a log
        return f"MatchKey({self.key_class.value})"


def asked_keys(person: Mapping[str, Any], classes: Iterable[KeyClass] = ALWAYS) -> list[MatchKey]:
    """The keys that an asker spends evaluations on: one reading of each name. The same words as `compare_persons`
    takes: names, birth_dates, birth_places, fathers, mothers, documents, phones, plates, ibans ...
    """
    return _keys(person, frozenset(classes), _asked)


def held_keys(person: Mapping[str, Any], classes: Iterable[KeyClass] = ALWAYS) -> list[MatchKey]:
    """The keys under which a holder lists one record: every reading of each name."""
    return _keys(person, frozenset(classes), _held)


# --- skeletons -------------------------------------------------------------------------------------------------
# B p b · T t d th dh · F f ph · S s z sh ch ts · K k q g j gh · L M N R. Not written: vowels, h, kh, v and w, which
# languages add, drop and exchange. Measured against finer and coarser alphabets in benchmarks/private_recall.py.

_ARABIC = {
    **dict.fromkeys("بپ", "B"),
    **dict.fromkeys("تثدذضطظٹڈ", "T"),
    "ف": "F",
    **dict.fromkeys("زسشصچژ", "S"),
    **dict.fromkeys("جغقكگ", "K"),
    "ل": "L",
    "م": "M",
    "ن": "N",
    "ر": "R",
    "ڑ": "R",
}
_SOUND = re.compile("tsch|sch|tch|kh|sh|ch|zh|ph|th|dh|gh|dj|ck|qu|gu(?=[ei])|dz|ts|tz|cz|sz|.")
_LATIN = {
    **dict.fromkeys("bp", "B"),
    **dict.fromkeys(("t", "d", "th", "dh"), "T"),
    **dict.fromkeys(("f", "ph"), "F"),
    **dict.fromkeys(
        ("s", "z", "ş", "ž", "ç", "sh", "ch", "zh", "sch", "tch", "tsch", "dz", "ts", "tz", "cz", "sz"), "S"
    ),
    **dict.fromkeys(("k", "q", "g", "j", "ğ", "gh", "dj", "ck", "qu", "gu"), "K"),
    "l": "L",
    "m": "M",
    "n": "N",
    "ñ": "N",
    "r": "R",
    "x": "KS",
}
_SOFT = frozenset("eiy")
_NO_CONSONANT = "A"


def _default(sound: str, after: str) -> str:
    if sound == "c":
        return "S" if after in _SOFT else "K"
    return _LATIN.get(sound, "")


def _c_is_s(sound: str, after: str) -> str:
    return "S" if sound == "c" else _LATIN.get(sound, "")


def _all_k(sound: str, after: str) -> str:
    """`ch`, `c` as k: Michael, Nicholas, Çelik written Celik."""
    return "K" if sound in {"c", "ch", "ç", "cz"} else _LATIN.get(sound, "")


def _j_is_a_vowel(sound: str, after: str) -> str:
    """`j` as in Jana, Lidija, Benjamin."""
    return "" if sound == "j" else _default(sound, after)


def _last_v_is_f(sound: str, after: str) -> str:
    """Ivanov written Ivanoff."""
    return "F" if sound == "v" and not after else _default(sound, after)


def _kh_is_k(sound: str, after: str) -> str:
    """Khaled written Kaled."""
    return "K" if sound == "kh" else _default(sound, after)


def _kh_is_ch(sound: str, after: str) -> str:
    """Khaled written Chaled."""
    return "S" if sound == "kh" else _default(sound, after)


_Reading = Callable[[str, str], str]
_ONE: tuple[_Reading, ...] = (_default,)
_ALL: tuple[_Reading, ...] = (_default, _c_is_s, _all_k, _j_is_a_vowel, _last_v_is_f, _kh_is_k, _kh_is_ch)


@lru_cache(maxsize=65536)
def _skeleton(script: int, letters: str, reading: _Reading) -> str:
    if script == ARABIC:
        sounds = [reading("kh", "") if c == "خ" else _ARABIC.get(c, "") for c in letters]
    else:
        sounds = [reading(m.group(), letters[m.end() : m.end() + 1]) for m in _SOUND.finditer(letters)]
    out = _collapsed("".join(sounds))
    return out[1:] if len(out) > 2 and out[0] == "L" else out  # the article, fused or not: al-, el-, l'


def _collapsed(consonants: str) -> str:
    """Each run of one consonant once."""
    return "".join(c for at, c in enumerate(consonants) if at == 0 or consonants[at - 1] != c)


_Name = tuple[tuple[str, ...], ...]  # each part with its readings


def _cores(name: str) -> list[tuple[int, str]]:
    return [(p.script, "".join(UNITS[u] for u in core(p))) for p in parts(name)]


def _words(name: str) -> list[tuple[int, str]]:
    return [(script, letters) for script, letters, _ in words(name)]


def _read(found: Sequence[tuple[int, str]], readings: Sequence[_Reading]) -> _Name:
    """Each part's skeletons, in order of reading."""
    return tuple(
        tuple(dict.fromkeys(_skeleton(script, letters, r) or _NO_CONSONANT for r in readings))
        for script, letters in found[:_MAX_PARTS]
    )


def _asked(name: str) -> tuple[_Name, ...]:
    return tuple(dict.fromkeys((_read(_cores(name), _ONE), _read(_words(name), _ONE))))


def _held(name: str) -> tuple[_Name, ...]:
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return tuple(dict.fromkeys((_read(_cores(name), _ALL), _read(_words(name), _ALL), _read(_cores(bare), _ALL))))


def _pairs(name: _Name) -> set[str]:
    """Two parts of a name, in alphabetical order; two vowels are no pair."""
    return {
        " ".join(sorted((a, b)))
        for one, other in combinations(name, 2)
        for a in one
        for b in other
        if not a == b == _NO_CONSONANT
    }


def _initials(name: _Name) -> set[str]:
    """One part with the initial of another; a part of one or two consonants needs two signs of the other, its first
    two or its first and last: alone with an initial it would meet twice as many strangers."""
    found = set()
    for at, one in enumerate(name):
        for beside, other in enumerate(name):
            if at == beside:
                continue
            for a in one:
                for b in other:
                    if _NO_CONSONANT in (a, b):
                        continue
                    found.add(f"{a} {b[: 1 if len(a) > 2 else 2]}")
                    if len(a) == 2:
                        found.add(f"{a} {b[0]}-{b[-1]}")
    return found


# --- a person's keys -------------------------------------------------------------------------------------------


def _texts(person: Mapping[str, Any], key: str) -> list[str]:
    return [v for v in _values(person, key) if isinstance(v, str) and v.strip()]


def _days(person: Mapping[str, Any]) -> list[Day]:
    return [Day(*day) for text in _texts(person, "birth_dates") if (day := parse_day(text))]


def _whole(day: Day) -> bool:
    """A full date that is one; 1 January stands for `unknown` too often to be a key."""
    if not day.month or not day.day or (day.month, day.day) == (1, 1):
        return False
    try:
        date(day.year, day.month, day.day)
    except ValueError:
        return False
    return True


def _name_keys(names: list[_Name], person: Mapping[str, Any], readings: _Readings) -> set[MatchKey]:
    found: set[MatchKey] = set()
    pairs = set().union(*map(_pairs, names))
    for day in _days(person):
        if _whole(day):
            low, high = sorted((day.day, day.month))
            found |= {MatchKey(KeyClass.PAIR_DATE, f"{p} {day.year:04}-{low:02}-{high:02}") for p in pairs}
            exact = f"{day.year:04}-{day.month:02}-{day.day:02}"
            found |= {MatchKey(KeyClass.INITIAL_DATE, f"{i} {exact}") for name in names for i in _initials(name)}
        for place in _attribute(_texts(person, "birth_places"), readings):
            found |= {MatchKey(KeyClass.PAIR_PLACE, f"{p} {day.year:04} {place}") for p in pairs}
        for parent in _attribute(_texts(person, "fathers") + _texts(person, "mothers"), readings):
            found |= {MatchKey(KeyClass.PAIR_PARENT, f"{p} {day.year:04} {parent}") for p in pairs}
    return found


def _attribute(texts: list[str], readings: _Readings) -> set[str]:
    """The first part of each text that has two consonants or more, by each reading."""
    names = (name for text in texts for name in readings(text))
    return {skeleton for name in names for skeleton in next((part for part in name if len(part[0]) > 1), ())}


_Readings = Callable[[str], tuple[_Name, ...]]
_NUMBERS = {
    KeyClass.IBAN: "ibans",
    KeyClass.VIN: "vins",
    KeyClass.IMEI: "imeis",
    KeyClass.EMAIL: "emails",
    KeyClass.CRYPTO: "wallets",
    KeyClass.CARD: "cards",
    KeyClass.PHONE: "phones",
    KeyClass.PLATE: "plates",
}


def _number_keys(person: Mapping[str, Any]) -> set[MatchKey]:
    """Identifiers in their one written form; one that breaks its own grammar is no key."""
    found: set[MatchKey] = set()
    for key_class, key in _NUMBERS.items():
        for value in _values(person, key):
            number, country, _ = _number(value)
            if written := NORMAL[key_class.value](number, country):
                found.add(MatchKey(key_class, written))
    for value in _values(person, "documents"):
        found.update(MatchKey(KeyClass.DOCUMENT, written) for written in _document(*_number(value)))
    return found


def _values(person: Mapping[str, Any], key: str) -> list[object]:
    found = person.get(key)
    if isinstance(found, str | Mapping):
        return [found]
    return list(found)[:_MAX_VALUES] if isinstance(found, Iterable) else []


def _number(value: object) -> tuple[str, str, str]:
    """(number, country, kind) of a text or a mapping."""
    if not isinstance(value, Mapping):
        return (value, "", "") if isinstance(value, str) else ("", "", "")
    number, country, kind = (value.get(name) for name in ("number", "country", "kind"))
    return (
        number if isinstance(number, str) else "",
        country if isinstance(country, str) else "",
        kind if isinstance(kind, str) else "",
    )


def _document(number: str, country: str, kind: str) -> set[str]:
    """With its issuer, and without: one of the two services often does not know it."""
    written = normal_document(number, country, kind)
    if not written:
        return set()
    issuer, _, bare = written.rpartition(":")
    bare = bare.lstrip("0")
    return {f"{issuer}:{bare}", f":{bare}"} if bare else set()


def _keys(person: Mapping[str, Any], classes: frozenset[KeyClass], readings: _Readings) -> list[MatchKey]:
    names = [name for text in _texts(person, "names") for name in readings(text)]
    found = _name_keys(names, person, readings) | _number_keys(person)
    return sorted(key for key in found if key.key_class in classes)[:MAX_KEYS]


_PROBES = (
    "Mohammed El Hammouchi",
    "محمد الحموشي",
    "عبد الرحمن بن علي",
    "Abderrahmane Benali",
    "Çağrı Jovanović-Şahin",
    "Ксения Щербакова",
    "Γεώργιος Παπαδόπουλος",
    "Michel d'Angelo Schmitt",
    "گلناز خسروی",
    "Nicholas ould Khalifa",
    "Imad ed-Din Kamal al-Din",
    "جمال الدين سعد الدين",
)
_PROBED_DATES = ("1987-03-14", "1961-22-09")


@cache
def fingerprint() -> str:
    """What two nodes compare before they compare keys: the version, and a hash over the keys of fixed probes, which
    moves when any rule or table behind them does."""
    seen = hashlib.sha256()
    for name in _PROBES:
        person = {"names": [name], "birth_dates": list(_PROBED_DATES), "birth_places": [name], "fathers": [name]}
        for keys in (asked_keys(person, KeyClass), held_keys(person, KeyClass)):
            seen.update(b"".join(len(key.input).to_bytes(4, "big") + key.input for key in keys))
    return f"{KEYSPEC}-{seen.hexdigest()[:16]}"
