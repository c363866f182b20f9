"""Two persons compared, attribute by attribute: Fellegi-Sunter weights in bits that add up, conflicts in plain sight.

The names' weights are learned (docs/matching.md). The other weights are log2(m/u) from the chances stated
beside them: the training data hold names only. An attribute that one side lacks says nothing and gets no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tansiq.matching.dates import Day, compare_days, parse_day
from tansiq.matching.identifiers import normal_document, normal_phone
from tansiq.matching.model import Outcome, PersonComparison, Row, probability
from tansiq.matching.names import explain
from tansiq.matching.text import load, words

MAX_VALUES = 24

NATIONALITY = (
    2.0,
    -2.0,
)  # m .90 of true pairs share one, u .25 in a region's registers; disjoint: .10 against .75, less for dual nationals
SEX = (1.0, -5.0)  # m .985, u .5
PLACE = (5.0, -1.5)  # m .7, u .02; places are told at many grains, so a difference says little
PARENT = (7.0, -4.0)  # bounds of what a parent's name may add or take
DOCUMENT = 18.0  # a number with its issuer
DOCUMENT_BARE = 13.0  # a number whose issuer one side does not tell
PHONE = 11.0  # phones are shared and passed on


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


def _best_names(a: list[str], b: list[str]) -> tuple[float, tuple[Row, ...]] | None:
    """(start, rows) of the most telling pair of names; None when no pair can be compared."""
    found = [e for e in (explain(x, y) for x in a for y in b) if e.comparable]
    if not found:
        return None
    best = max(found, key=lambda e: (e.sum, [(r.a, r.b) for r in e.rows] and -len(e.rows)))
    return best.start, best.rows


def _birth(a: list[str], b: list[str]) -> Row | None:
    days_a = [(t, d) for t in a if (d := parse_day(t))]
    days_b = [(t, d) for t in b if (d := parse_day(t))]
    best: Row | None = None
    for ta, da in days_a:
        for tb, db in days_b:
            how, outcome, points = compare_days(Day(*da), Day(*db))
            if best is None or points > best.points:
                best = Row("birth_date", ta, tb, how, outcome, points)
    return best


def _nationality(a: list[str], b: list[str]) -> Row | None:
    here, there = {x.upper() for x in a}, {x.upper() for x in b}
    if not here or not there:
        return None
    agree = bool(here & there)
    shown = " ".join(sorted(here)), " ".join(sorted(there))
    return Row(
        "nationality",
        *shown,
        "same" if agree else "different",
        Outcome.AGREE if agree else Outcome.CONFLICT,
        NATIONALITY[not agree],
    )


_SEX = {"m": "m", "male": "m", "f": "f", "female": "f", "w": "f", "h": "m"}


def _sex(a: list[str], b: list[str]) -> Row | None:
    x, y = _SEX.get((a or [""])[0].casefold()), _SEX.get((b or [""])[0].casefold())
    if not x or not y:
        return None
    return Row(
        "sex", x, y, "same" if x == y else "different", Outcome.AGREE if x == y else Outcome.CONFLICT, SEX[x != y]
    )


def _place_key(text: str) -> str:
    return " ".join(letters for _, letters, _ in words(text))


PLACE_GROUP: dict[str, int] = {
    _place_key(name): i for i, group in enumerate(load("places.json")["groups"]) for name in group.split("|")
}


def _same_place(x: str, y: str) -> bool | None:
    """None when the two cannot be compared."""
    here, there = PLACE_GROUP.get(_place_key(x)), PLACE_GROUP.get(_place_key(y))
    if here is not None and there is not None:
        return here == there
    e = explain(x, y)
    return max((r.points for r in e.rows), default=0.0) > 2.5 if e.comparable else None


def _place(a: list[str], b: list[str]) -> Row | None:
    best: Row | None = None
    for x in a:
        for y in b:
            agree = _same_place(x, y)
            if agree is None:
                continue
            outcome = Outcome.AGREE if agree else Outcome.CONFLICT
            row = Row("birth_place", x, y, "same" if agree else "different", outcome, PLACE[not agree])
            best = row if best is None or row.points > best.points else best
    return best


def _parent(part: str, a: list[str], b: list[str]) -> Row | None:
    best: Row | None = None
    for x in a:
        for y in b:
            e = explain(x, y)
            if not e.comparable:
                continue
            # parents are told by a given name alone as often as not: a part without a partner says nothing here
            told = sum(r.points for r in e.rows if r.outcome is not Outcome.MISSING)
            points = round(min(max(told, PARENT[1]), PARENT[0]), 2)
            outcome = Outcome.CONFLICT if points < -1 else Outcome.PARTIAL if points < 2 else Outcome.AGREE
            how = "different" if outcome is Outcome.CONFLICT else "alike" if outcome is Outcome.PARTIAL else "same_name"
            row = Row(part, x, y, how, outcome, points)
            best = row if best is None or row.points > best.points else best
    return best


def _documents(a: list[Any], b: list[Any]) -> Row | None:
    def read(v: Any) -> tuple[str, str] | None:
        if isinstance(v, Mapping):
            number, country = str(v.get("number", "")), str(v.get("country", "") or "")
            found = normal_document(number, country, str(v.get("kind", "") or "")) or normal_document(number)
        else:
            found = normal_document(str(v))
        if not found:
            return None
        cc, _, number = found.rpartition(":")
        return cc, number

    here, there = [d for v in a if (d := read(v))], [d for v in b if (d := read(v))]
    for cc, number in here:
        for dd, other in there:
            if number.lstrip("0") == other.lstrip("0") and (not cc or not dd or cc == dd):
                full = bool(cc and dd)
                return Row(
                    "document",
                    number,
                    other,
                    "same",
                    Outcome.AGREE if full else Outcome.PARTIAL,
                    DOCUMENT if full else DOCUMENT_BARE,
                )
    return None


def _phones(a: list[str], b: list[str]) -> Row | None:
    def read(values: list[str]) -> dict[str, str]:
        return {normal_phone(v) or "".join(c for c in v if c.isdigit())[-9:]: v for v in values}

    here, there = read(a), read(b)
    for number in sorted(here.keys() & there.keys()):
        if len(number) >= 8:
            return Row("phone", here[number], there[number], "same", Outcome.AGREE, PHONE)
    return None


def compare_persons(a: Mapping[str, Any], b: Mapping[str, Any]) -> PersonComparison:
    """The weight of evidence that two descriptions are of one person. Symmetric; unknown keys say nothing.

    Without comparable names and without any agreeing identifier the two are not comparable: score 0.0.
    """
    names = _best_names(_texts(a, "names"), _texts(b, "names"))
    found: list[Row | None] = []
    plain: list[tuple[str, Callable[[list[str], list[str]], Row | None]]] = [
        ("birth_dates", _birth),
        ("nationalities", _nationality),
        ("birth_places", _place),
        ("sex", _sex),
        ("phones", _phones),
    ]
    found.extend(compare(_texts(a, key), _texts(b, key)) for key, compare in plain)
    found.extend(_parent(key, _texts(a, key), _texts(b, key)) for key in ("father", "mother"))
    found.append(_documents(_values(a, "documents"), _values(b, "documents")))
    other = tuple(r for r in found if r is not None)
    identified = any(r.part in {"document", "phone"} for r in other)
    if names is None and not identified:
        return PersonComparison(0.0, False, 0.0, other)
    start, rows = names if names is not None else (explain("a", "a").start, ())
    total = round(start + sum(r.points for r in (*rows, *other)), 4)
    return PersonComparison(probability(total), True, start, (*rows, *other))
