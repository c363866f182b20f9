"""Two persons compared, attribute by attribute: Fellegi-Sunter weights in bits that add up, conflicts in plain sight.

    sum = prior + evidence of the names + points of every attribute that both sides tell
    score = 1 / (1 + 2^-sum)

What a way of meeting is worth stands in `data/persons.json`, counted or stated (docs/matching.md). An attribute that
one side lacks says nothing and gets no row.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tansiq.matching import dates, judge, places
from tansiq.matching.evidence import EVIDENCE, OUTCOME
from tansiq.matching.identifiers import normal_document, normal_phone
from tansiq.matching.kernel import explain, score
from tansiq.matching.model import Explanation, Outcome, PersonComparison, Row, probability
from tansiq.matching.parts import parts
from tansiq.matching.text import words

MAX_VALUES = 24
MAX_NAMES = 12
PARENT = (5.0, -4.0)
"""Bounds of what a parent's name may add or take."""


class Met(NamedTuple):
    """One attribute of two persons: the class says how well it is known, `how` the way it met."""

    part: str
    cls: str
    how: str
    a: str
    b: str


def _values(person: Mapping[str, Any], key: str) -> list[Any]:
    """The values of an attribute as a list; one value may stand without a list."""
    found = person.get(key)
    if found is None or found == "":
        return []
    if isinstance(found, str | Mapping):
        return [found]
    return list(found)[:MAX_VALUES] if isinstance(found, Iterable) else []


def _texts(person: Mapping[str, Any], key: str) -> list[str]:
    return [v.strip() for v in _values(person, key) if isinstance(v, str) and v.strip()]


# Names

_ARABIC = re.compile("[\u0621-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\u08a0-\u08c7\ufb50-\ufdff\ufe70-\ufefc]")


def names_met(a: list[str], b: list[str]) -> tuple[Explanation, str] | None:
    """The most telling pair of names with its scripts; None when none can be compared.

    All pairs are scored, one is explained.
    """
    here, there = (tuple(dict.fromkeys(n))[:MAX_NAMES] for n in (a, b))
    if len(here) == len(there) == 1:
        x, y = here[0], there[0]
    else:
        best = max(((score(x, y), sorted((x, y)), x, y) for x in here for y in there), default=None)
        if best is None:
            return None
        x, y = best[2:]
    found = explain(x, y)
    return (found, _scripts(x, y)) if found.comparable else None


def _scripts(x: str, y: str) -> str:
    arabic = [bool(_ARABIC.search(n)) for n in (x, y)]
    return "arabic" if all(arabic) else "mixed" if any(arabic) else "latin"


def _name_rows(found: Explanation, scripts: str) -> tuple[float, tuple[Row, ...]]:
    """(what the names add to the start, their rows), calibrated: every row is scaled alike, so they still add up."""
    raw = found.start + sum(r.points for r in found.rows)
    names = EVIDENCE.names[scripts]
    scale = names.scale(raw)
    rows = tuple(Row(r.part, r.a, r.b, r.how, r.outcome, round(r.points * scale, 2)) for r in found.rows)
    return names.shift + scale * raw - sum(r.points for r in rows), rows


def _given_apart(rows: tuple[Row, ...]) -> bool:
    """Whether a given name does not meet while the rest of the name does: so twins stand beside each other.

    A word is taken for the given name when it stands first in names no more seldom than the one that agrees.
    """
    met = [(r.points, _first(r)) for r in rows if r.part == "name" and r.a and r.b]
    agreed = [first for points, first in met if points >= MEETS]
    return any(points < MEETS and first >= min(agreed, default=math.inf) for points, first in met)


MEETS = 1.0
"""Bits from which on two words of names are taken for one name: `Hassan` and `Hussein` stay below."""


def _first(r: Row) -> int:
    """How often the two words stand first in names."""
    return sum(max((judge.given(p) for p in parts(text)), default=2) for text in (r.a, r.b))


# The other attributes


def _best(met: Iterable[Met]) -> Met | None:
    """The meeting that speaks most for one person; ties by what is written, so that both directions agree."""
    return max(met, key=lambda m: (_points(m), m.how, *sorted((m.a, m.b))), default=None)


def _points(m: Met) -> float:
    return EVIDENCE.points[m.part][m.cls][m.how]


def _birth(a: list[str], b: list[str]) -> Met | None:
    return _best(Met("birth_date", *dates.meet(x, y), ta, tb) for ta, x in _births(a) for tb, y in _births(b))


def _births(texts: list[str]) -> list[tuple[str, dates.Birth]]:
    return _spans([(t, d) for t in texts if (d := dates.parse_birth(t))])


def _spans(births: list[tuple[str, dates.Birth]]) -> list[tuple[str, dates.Birth]]:
    """Years in a row as the span they are, shown as one."""
    if len(births) < 2:
        return births
    joined = dates.join_years([d for _, d in births])
    if len(joined) == len(births):
        return births
    shown = {d: t for t, d in births}
    return [(shown.get(d) or f"{d.day.year}-{d.until}", d) for d in joined]


def _nationality(a: list[str], b: list[str]) -> Met | None:
    here, there = ({places.country_code(x) for x in side} for side in (a, b))
    if not here or not there:
        return None
    how = "same" if here & there else "different"
    return Met("nationality", "any", how, " ".join(sorted(here)), " ".join(sorted(there)))


_SEX = {"m": "m", "male": "m", "f": "f", "female": "f", "w": "f", "h": "m"}


def _sex(a: list[str], b: list[str]) -> Met | None:
    x, y = _SEX.get((a or [""])[0].casefold()), _SEX.get((b or [""])[0].casefold())
    return Met("sex", "any", "same" if x == y else "different", x, y) if x and y else None


def _place(a: list[str], b: list[str]) -> Met | None:
    return _best(
        Met("birth_place", "any", how, x, y)
        for x in a
        for y in b
        if (how := places.meet(places.parse_place(x), places.parse_place(y)))
    )


class _Document(NamedTuple):
    country: str
    number: str
    kind: str


def _document(value: Any) -> _Document | None:
    kind = ""
    if isinstance(value, Mapping):
        number, country = str(value.get("number", "")), str(value.get("country", "") or "")
        kind = str(value.get("kind", "") or "")
        found = normal_document(number, country, kind) or normal_document(number)
    else:
        found = normal_document(str(value))
    if not found:
        return None
    cc, _, number = found.rpartition(":")
    return _Document(cc, number.lstrip("0"), kind) if number.lstrip("0") else None


def _documents(a: list[Any], b: list[Any]) -> Met | None:
    return _best_document(*([d for v in side if (d := _document(v))] for side in (a, b)))


def _best_document(here: list[_Document], there: list[_Document]) -> Met | None:
    return _best(m for x in here for y in there if (m := _two_documents(x, y)))


def _two_documents(x: _Document, y: _Document) -> Met | None:
    issuer = "issuer" if x.country and y.country else "no_issuer"
    if x.number == y.number:
        # the same number of two issuers is two numbers
        return None if x.country != y.country and issuer == "issuer" else Met("document", issuer, "same", x[1], y[1])
    if issuer == "issuer" and x.country != y.country:
        return None
    if len(x.number) >= 6 and _one_sign(x.number, y.number):
        return Met("document", issuer, "one_digit_wrong", x.number, y.number)
    if x.kind and x.kind == y.kind:
        return Met("document", issuer, "other_number", x.number, y.number)
    return None


def _one_sign(x: str, y: str) -> bool:
    """One sign is another, or two neighbours are exchanged."""
    if len(x) != len(y):
        return False
    wrong = [i for i, (p, q) in enumerate(zip(x, y, strict=True)) if p != q]
    if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
        i = wrong[0]
        return x[i] == y[i + 1] and x[i + 1] == y[i]
    return len(wrong) == 1


NATIONAL = 8
"""Last digits that a number told without its country has at least in common with the same number in full."""


def _phones(a: list[str], b: list[str]) -> Met | None:
    """Two whole numbers are equal or not; one that lacks its country meets another by its last digits."""
    shared = sorted((sorted((x, y)), x, y) for x in a for y in b if _same_phone(x, y))
    return Met("phone", "any", "same", *shared[0][1:]) if shared else None


def _same_phone(x: str, y: str) -> bool:
    here, there = normal_phone(x), normal_phone(y)
    if here and there:
        return here == there
    tails = [(whole or _digits(text).lstrip("0"))[-9:].lstrip("+") for whole, text in ((here, x), (there, y))]
    return len(tails[0]) >= NATIONAL and tails[0] == tails[1]


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text[:40] if unicodedata.digit(c, None) is not None)


def attributes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Met]:
    """How every attribute but names and parents met, where both sides tell it."""
    plain: tuple[tuple[str, Callable[[list[str], list[str]], Met | None]], ...] = (
        ("birth_dates", _birth),
        ("nationalities", _nationality),
        ("birth_places", _place),
        ("sex", _sex),
        ("phones", _phones),
    )
    found = [compare(_texts(a, key), _texts(b, key)) for key, compare in plain if a.get(key) and b.get(key)]
    found.append(_documents(_values(a, "documents"), _values(b, "documents")))
    return [m for m in found if m is not None]


def _parent(part: str, a: list[str], b: list[str], said: frozenset[str]) -> Row | None:
    """`said` are the words that the two full names share: a father's name among them has been counted there."""
    best: Row | None = None
    for x, y in ((x, y) for x in a for y in b):
        e = explain(x, y)
        if not e.comparable:
            continue
        # parents are told by a given name alone as often as not: a part without a partner says nothing here
        told = [r for r in e.rows if r.outcome is not Outcome.MISSING and r.part == "name"]
        points = round(min(max(sum(r.points for r in told), PARENT[1]), PARENT[0]), 2)
        outcome = Outcome.CONFLICT if points < -1 else Outcome.PARTIAL if points < 2 else Outcome.AGREE
        how = "different" if outcome is Outcome.CONFLICT else "alike" if outcome is Outcome.PARTIAL else "same_name"
        if outcome is Outcome.AGREE and any(_letters(r.a) & said and _letters(r.b) & said for r in told):
            how, points = "said_in_the_name", 0.0
        row = Row(part, x, y, how, outcome, points)
        best = max(best, row, key=lambda r: (r.points, r.how, *sorted((r.a, r.b)))) if best else row
    return best


def _parents(a: Mapping[str, Any], b: Mapping[str, Any], names: tuple[Row, ...]) -> list[Row]:
    """The rows of father and mother, where both sides tell them."""
    both = [key for key in ("father", "mother") if a.get(key) and b.get(key)]
    if not both:
        return []
    shared = (_letters(r.a) | _letters(r.b) for r in names if r.outcome in (Outcome.AGREE, Outcome.PARTIAL))
    said = frozenset[str]().union(*shared)
    found = (_parent(key, _texts(a, key), _texts(b, key), said) for key in both)
    return [r for r in found if r is not None]


def _letters(text: str) -> frozenset[str]:
    return frozenset(letters for _, letters, _ in words(text) if len(letters) > 2)


def _of_twins(m: Met) -> Met:
    """One birth date under two given names says less: brothers and sisters born together are in the registers too."""
    return m._replace(cls="day_given_apart") if (m.part, m.cls, m.how) == ("birth_date", "day", "same_date") else m


def _row(m: Met) -> Row:
    outcome = OUTCOME[m.how]
    if m.part == "document" and m.how == "same" and m.cls == "no_issuer":
        outcome = Outcome.PARTIAL
    return Row(m.part, m.a, m.b, m.how, outcome, _points(m))


def compare_persons(a: Mapping[str, Any], b: Mapping[str, Any]) -> PersonComparison:
    """The weight of evidence that two descriptions are of one person. Symmetric; unknown keys say nothing.

    Without comparable names and without any agreeing identifier the two are not comparable: score 0.0.
    """
    names = names_met(_texts(a, "names"), _texts(b, "names"))
    offset, rows = _name_rows(*names) if names is not None else (0.0, ())
    twins = _given_apart(rows)
    other = [_row(_of_twins(m) if twins else m) for m in attributes(a, b)]
    other.extend(_parents(a, b, rows))
    if names is None and not any(r.part in {"document", "phone"} and r.how == "same" for r in other):
        return PersonComparison(0.0, False, 0.0, tuple(other))
    start = round(EVIDENCE.prior + offset, 4)
    total = round(start + sum(r.points for r in (*rows, *other)), 4)
    return PersonComparison(probability(total), True, start, (*rows, *other))


class Told(NamedTuple):
    """What a person tells besides names, read once and met many times: births and numbers, the most telling there is.

    `tell` makes it of what `compare_persons` reads.
    """

    births: list[tuple[str, dates.Birth]]
    phones: list[str]
    ends: frozenset[str]
    """The last digits of the phones: two that are the same have them in common."""
    documents: list[_Document]

    def __bool__(self) -> bool:
        return bool(self.births or self.phones or self.documents)

    def births_with(self, other: Told) -> float:
        """What the two persons' birth dates give a comparison, in bits; 0.0 where one side tells none."""
        if not self.births or not other.births:
            return 0.0
        points = EVIDENCE.points["birth_date"]
        best = -math.inf
        for _, x in self.births:
            for _, y in other.births:
                cls, how = dates.meet(x, y)
                best = max(best, points[cls][how])
        return best

    def births_at_most(self) -> float:
        """The most that anybody's birth dates could give. Not what its own would: two years say more of one person
        than two placeholders for a year."""
        return (
            max(p for by_how in EVIDENCE.points["birth_date"].values() for p in by_how.values()) if self.births else 0.0
        )

    def numbers_with(self, other: Told) -> float:
        """What their phones and documents give."""
        found = 0.0
        if not self.ends.isdisjoint(other.ends) and (met := _phones(self.phones, other.phones)):
            found += _points(met)
        if self.documents and other.documents and (met := _best_document(self.documents, other.documents)):
            found += _points(met)
        return found


def tell(person: Mapping[str, Any]) -> Told:
    phones = _texts(person, "phones")
    return Told(
        _births(_texts(person, "birth_dates")),
        phones,
        frozenset((normal_phone(p) or _digits(p).lstrip("0"))[-NATIONAL:] for p in phones),
        [d for v in _values(person, "documents") if (d := _document(v))],
    )


def names_at_most(score: float) -> float:
    """The most that names with this score give a comparison, prior included: what stays too low need not be read."""
    raw = math.log2(score / (1.0 - score)) if 0.0 < score < 1.0 else math.copysign(math.inf, score - 0.5)
    return EVIDENCE.prior + max([names.shift + names.scale(raw) * raw for names in EVIDENCE.names.values()])
