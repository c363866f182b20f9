"""Counts the weights of `compare_persons` from public lists, fits its calibration, and measures it on persons apart.

    python benchmarks/train_persons.py train LISTS NAMES     # writes src/tansiq/matching/data/persons.json
    python benchmarks/train_persons.py check LISTS           # calibration on the persons kept from training
    python benchmarks/train_persons.py matches LISTS NAMES   # how many matches the thresholds of `tansiq.hits` give
    python benchmarks/train_persons.py countries             # writes src/tansiq/matching/data/countries.json from CLDR

LISTS holds the public sanctions lists, NAMES the names data set (its dev pairs alone are read). No text of a list is
written anywhere: only counts, shares and weights. docs/matching.md says how pairs are made and what that is worth.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from defusedxml import ElementTree

from tansiq.bank.model import Entity
from tansiq.matching import NameIndex, compare_persons
from tansiq.matching.evidence import weight
from tansiq.matching.persons import attributes, names_met
from tansiq.sources.canada import read_canada
from tansiq.sources.model import SourceRow
from tansiq.sources.ofac import read_ofac
from tansiq.sources.un import read_un

DATA = Path(__file__).resolve().parents[1] / "src" / "tansiq" / "matching" / "data"
KEPT = 3
"""One person in so many is kept from training."""
PRIOR = 0.25
"""The share of true pairs that a score assumes: pairs whose names an index has found near each other."""
FALSE_EACH = 4
LEAST = 8
"""A kind seen in fewer pairs than this keeps its stated chance."""

Person = dict[str, Any]


class Pair(NamedTuple):
    """Two descriptions. `by` says how the pair was made, `key` names the person it belongs to (for the split)."""

    a: Person
    b: Person
    same: bool
    by: str
    key: str


# Reading the lists


def _open(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


def _person(entity: Entity) -> Person:
    return {
        "names": [*entity.values("name"), *entity.values("alias", "previousName", "weakAlias")],
        "birth_dates": list(entity.values("birthDate")),
        "birth_places": list(entity.values("birthPlace")),
        "nationalities": [v for v in entity.values("nationality", "citizenship") if len(v) == 2],
        "sex": list(entity.values("gender"))[:1],
        "documents": [{"number": n, "kind": "passport"} for n in entity.values("passportNumber")]
        + list(entity.values("idNumber", "socialSecurityNumber", "taxNumber")),
        "phones": list(entity.values("phone")),
    }


def _persons(rows: Iterable[Any]) -> dict[str, Person]:
    return {
        r.provenance.reference: _person(r.entity)
        for r in rows
        if isinstance(r, SourceRow) and r.entity.schema == "Person"
    }


def _enhanced(data: bytes) -> dict[str, Person]:
    """OFAC's ENHANCED_XML: here for its names in the original script; `identityId` is the number of SDN.CSV."""
    root = ElementTree.fromstring(data)
    space = root.tag.partition("}")[0] + "}"
    found: dict[str, Person] = {}
    for e in root.iter(f"{space}entity"):
        kind = e.find(f"{space}generalInfo/{space}entityType")
        ident = e.get("id")
        if kind is None or kind.text != "Individual" or not ident:
            continue
        names = [x.text or "" for x in e.iter(f"{space}formattedFullName")]
        births = [f.findtext(f"{space}value") or "" for f in e.iter(f"{space}feature") if _is(f, space, "Birthdate")]
        places = [
            f.findtext(f"{space}value") or "" for f in e.iter(f"{space}feature") if _is(f, space, "Place of Birth")
        ]
        from tansiq.sources.draft import written_date

        found[ident] = {
            "names": [" ".join(reversed(n.split(", ", 1))) for n in names if n],
            "birth_dates": [d for b in births if (d := written_date(b))],
            "birth_places": [p for p in places if p],
        }
    return found


def _is(feature: Any, space: str, name: str) -> bool:
    return (feature.findtext(f"{space}type") or "") == name


def lists(directory: Path) -> dict[str, dict[str, Person]]:
    """Every list as reference -> person."""
    return {
        "un20": _persons(read_un(_open(directory / "un_consolidated_2020-11-30.xml.gz"))),
        "un25": _persons(read_un(_open(directory / "un_consolidated_2025-04-19.xml.gz"))),
        "ofac": _persons(read_ofac(_open(directory / "ofac_sdn_2023-11.csv.gz"))),
        "ca": _persons(read_canada(_open(directory / "canada_sema_2025.xml.gz"))),
        "enhanced": _enhanced(_open(directory / "ofac_enhanced_irgc_2024-08-28.xml.gz")),
    }


# What is stated: chances nobody has counted here, with the thought behind each


STATED: dict[str, dict[str, dict[str, tuple[float, float]]]] = {
    "birth_date": {
        # two persons of the same years share a day once in 365 times some 40 years
        "day": {
            "same_date": (0.80, 1 / 15_000),
            "placeholder": (0.02, 0.002),
            "day_month_swapped": (0.006, 1 / 40_000),
            "one_digit_wrong": (0.03, 0.003),
            "same_year_other_day": (0.03, 0.03),
            "near_year": (0.03, 0.11),
            "other_date": (0.05, 0.40),
            "other_generation": (0.01, 0.40),
        },
        # one person in 40 has a twin (one birth in 80), and of the near names with the family name of somebody and
        # another given name one in 40 is meant to be that twin
        "day_given_apart": {"same_date": (0.80, 1 / 15_000 + 1 / 1_600)},
        "month": {
            "same_month": (0.80, 0.003),
            "same_year_other_month": (0.05, 0.03),
            "near_year": (0.05, 0.11),
            "other_date": (0.05, 0.40),
            "other_generation": (0.02, 0.40),
        },
        "year": {
            "same_year": (0.75, 0.04),
            "placeholder": (0.75, 0.04),
            "near_year": (0.12, 0.11),
            "other_date": (0.08, 0.40),
            "other_generation": (0.02, 0.40),
        },
        "span": {
            "in_range": (0.85, 0.15),
            "near_year": (0.08, 0.12),
            "other_date": (0.05, 0.35),
            "other_generation": (0.02, 0.38),
        },
        # within two days: five days of 365 times 40 years; a year covers two Gregorian ones
        "calendar": {
            "islamic_calendar": (0.60, 5 / 15_000),
            "solar_calendar": (0.60, 5 / 15_000),
            "islamic_year": (0.75, 0.06),
            "solar_year": (0.75, 0.06),
        },
    },
    "nationality": {"any": {"same": (0.95, 0.50), "different": (0.05, 0.50)}},
    "sex": {"any": {"same": (0.99, 0.80), "different": (0.01, 0.20)}},
    "birth_place": {
        "any": {
            "same": (0.75, 0.05),
            "same_country": (0.10, 0.10),
            "other_town": (0.05, 0.10),
            "different": (0.10, 0.70),
        }
    },
    # a number of seven signs met by chance once in a million pairs and more; lists and clerks repeat mistakes
    "document": {
        "issuer": {"same": (0.60, 1 / 400_000), "one_digit_wrong": (0.02, 1 / 10_000), "other_number": (0.35, 1.0)},
        "no_issuer": {"same": (0.60, 1 / 40_000), "one_digit_wrong": (0.02, 1 / 5_000), "other_number": (0.35, 1.0)},
    },
    # phones are shared in a family and passed on
    "phone": {"any": {"same": (0.30, 1 / 5_000)}},
}


def _table(chances: dict[str, Any], names: dict[str, Any], dependence: dict[str, float], source: str) -> dict[str, Any]:
    prior = {"share": PRIOR, "says": "share of true pairs among the pairs that are compared: near names of an index"}
    return {
        "source": source,
        "prior": prior,
        "names": names,
        "dependence": dependence,
        "chances": chances,
    }


def stated_chances() -> dict[str, Any]:
    return {
        part: {cls: {how: [m, u, "stated"] for how, (m, u) in hows.items()} for cls, hows in classes.items()}
        for part, classes in STATED.items()
    }


def write_countries() -> None:
    """Names of countries as CLDR has them, in the languages of the pages and two more, folded as names are."""
    from babel import Locale

    from tansiq.matching.text import words
    from tansiq.sources.draft import country

    found: dict[str, str] = {}
    for lang in ("ar", "fr", "es", "de", "en", "it", "pt"):
        for code, name in Locale.parse(lang).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "UN", "XA", "XB", "EZ", "QO"):
                key = " ".join(letters for _, letters, _ in words(str(name)))
                found.setdefault(key, str(code))
    for name in ("Russian Federation", "Syrian Arab Republic", "Islamic Republic of Iran", "Turkey", "Burma", "USSR"):
        code = country(name)
        key = " ".join(letters for _, letters, _ in words(name))
        found.setdefault(key, code.upper() if len(code) == 2 else "SU")
    source = "Unicode CLDR through Babel: territory names in ar, fr, es, de, en, it, pt, folded as names are"
    text = json.dumps({"source": source, "names": dict(sorted(found.items()))}, ensure_ascii=False, indent=0)
    (DATA / "countries.json").write_text(text + "\n", encoding="utf-8")


def write(table: dict[str, Any]) -> None:
    (DATA / "persons.json").write_text(json.dumps(table, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


# Pairs


def _sign(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")


def kept(key: str) -> bool:
    """Whether this person is kept from training."""
    return _sign(key) % KEPT == 0


def _numbers(p: Person) -> set[str]:
    """Document numbers long enough to be nobody else's."""
    found = (d["number"] if isinstance(d, dict) else d for d in p.get("documents", ()))
    bare = (re.sub(r"[^A-Z0-9]", "", n.upper()) for n in found)
    return {n for n in bare if len(n) >= 6 and sum(c.isdigit() for c in n) >= 4}


def by_number(x: dict[str, Person], y: dict[str, Person]) -> list[tuple[str, str]]:
    """References of one person in two lists: one document number, held by one person on either side."""
    held: dict[str, set[str]] = defaultdict(set)
    for ref, p in y.items():
        for n in _numbers(p):
            held[n].add(ref)
    found: dict[str, set[str]] = defaultdict(set)
    for ref, p in x.items():
        for n in _numbers(p):
            if len(held[n]) == 1:
                found[ref] |= held[n]
    return [(ref, *refs) for ref, refs in found.items() if len(refs) == 1]


def by_name(x: dict[str, Person], y: dict[str, Person]) -> list[tuple[str, str]]:
    """References of one person in two lists: three name words or more, all the same, and nobody else's. Such a pair
    teaches what other attributes do, nothing about names."""

    def words_of(p: Person) -> set[tuple[str, ...]]:
        named = (tuple(sorted(re.sub(r"[^a-z ]", "", n.casefold()).split())) for n in p["names"][:1])
        return {w for w in named if len(set(w)) >= 3}

    def index(people: dict[str, Person]) -> dict[tuple[str, ...], set[str]]:
        held: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for ref, p in people.items():
            for w in words_of(p):
                held[w].add(ref)
        return held

    here, there = index(x), index(y)
    return [
        (next(iter(here[w])), next(iter(there[w])))
        for w in sorted(here.keys() & there.keys())
        if len(here[w]) == len(there[w]) == 1
    ]


def halves(ref: str, p: Person) -> Pair | None:
    """One record as two: spellings are shared out; both tell what it tells once; what it tells twice, they share."""
    names = list(dict.fromkeys(p["names"]))
    if len(names) < 2:
        return None
    chance = random.Random(_sign(ref))
    chance.shuffle(names)
    cut = chance.randint(1, len(names) - 1)
    a: Person = {"names": names[:cut][:4]}
    b: Person = {"names": names[cut:][:4]}
    for key, values in p.items():
        if key == "names" or not values:
            continue
        some = list(values)
        chance.shuffle(some)
        at = max(len(some) // 2, 1)
        a[key], b[key] = some[:at], some[at:] or some[:at]
    return Pair(a, b, True, "halves", ref)


def thinned(pair: Pair) -> Pair:
    """Some attributes taken from either side, as the records that services exchange seldom tell everything."""
    chance = random.Random(_sign(f"{pair.key}|{pair.by}|{pair.a['names']}|{pair.b['names']}"))
    share = chance.choice((0.0, 0.3, 0.6, 0.9, 0.9))

    def thin(p: Person) -> Person:
        return {k: v for k, v in p.items() if v and (k == "names" or chance.random() < share)}

    pair = _two_scripts(pair, chance)
    return pair._replace(a=thin(pair.a), b=thin(pair.b))


_ARABIC = re.compile("[\u0600-\u06ff]")


def _two_scripts(pair: Pair, chance: random.Random) -> Pair:
    """Where a side has names in Arabic letters, every other pair is made one of two scripts: the case that counts."""
    latin = [[n for n in p["names"] if not _ARABIC.search(n)] for p in (pair.a, pair.b)]
    arabic = [[n for n in p["names"] if _ARABIC.search(n)] for p in (pair.a, pair.b)]
    if chance.random() < 0.5:
        return pair
    for x, y in ((0, 1), (1, 0)):
        if latin[x] and arabic[y]:
            names = [arabic[y], latin[x]] if x else [latin[x], arabic[y]]
            return pair._replace(a={**pair.a, "names": names[0]}, b={**pair.b, "names": names[1]})
    return pair


def cross_list(held: dict[str, dict[str, Person]]) -> list[Pair]:
    """The same person in two lists, joined by a document number: the join says nothing of names or dates."""
    found = []
    for un in ("un20", "un25"):
        for x, y in by_number(held[un], held["ofac"]):
            found.append(Pair(held[un][x], held["ofac"][y], True, "number", f"ofac|{y}"))
    return found


def original_script(held: dict[str, dict[str, Person]]) -> list[Pair]:
    """OFAC's record of 2023 against its own number in the edition of 2024, where names stand in the original script."""
    found = []
    for ref, p in held["enhanced"].items():
        if ref in held["ofac"]:
            other = {**p, "names": [n for n in p["names"] if _ARABIC.search(n)] or p["names"][-1:]}
            found.append(Pair(held["ofac"][ref], other, True, "edition", f"ofac|{ref}"))
    return found


def editions(held: dict[str, dict[str, Person]]) -> list[Pair]:
    """One reference number of the UN in two editions whose content differs; another spelling on either side."""
    found = []
    for ref in sorted(held["un20"].keys() & held["un25"].keys()):
        a, b = held["un20"][ref], held["un25"][ref]
        if a != b:
            b = {**b, "names": b["names"][1:5] or b["names"]}
            found.append(Pair({**a, "names": a["names"][:1]}, b, True, "edition", f"un|{ref}"))
    return found


def false_pairs(held: dict[str, dict[str, Person]], only_kept: bool | None, each: int = FALSE_EACH) -> Iterator[Pair]:
    """Inside one list two numbers are two persons: each one's nearest names among the others, by the index."""
    for name in ("ofac", "un25", "ca"):
        people = held[name]
        refs = sorted(people)
        spelled = [(ref, n) for ref in refs for n in dict.fromkeys(people[ref]["names"][:3])]
        index = NameIndex()
        index.build([n for _, n in spelled])
        chosen = sorted(refs, key=lambda r: _sign("query" + r))[:900]
        for ref in chosen:
            key = f"{name}|{ref}"
            if only_kept is not None and kept(key) is not only_kept:
                continue
            near: dict[str, float] = {}
            for i, s in index.search(people[ref]["names"][0], 12):
                other = spelled[i][0]
                if other != ref:
                    near.setdefault(other, s)
            for other in list(near)[:each]:
                a, b = people[ref], people[other]
                if _numbers(a) & _numbers(b):
                    continue
                yield Pair({**a, "names": a["names"][:4]}, {**b, "names": b["names"][:4]}, False, "near name", key)


def true_pairs(held: dict[str, dict[str, Person]]) -> list[Pair]:
    found = [*cross_list(held), *original_script(held), *editions(held)]
    for name in ("un25", "ofac", "ca", "enhanced"):
        prefix = "ofac" if name == "enhanced" else "un" if name == "un25" else name
        made = (halves(f"{prefix}|{ref}", p) for ref, p in sorted(held[name].items()))
        found.extend(p for p in made if p)
    return found


# Learning


PARTS = ("birth_date", "birth_place", "nationality", "sex", "document", "phone")
NEAR = 0.2
"""Pairs whose names are less alike are not compared in practice: no index would have put them side by side."""
BELOW = 0.5
"""Stated: what a bit counts where names speak against. True pairs down there are other names altogether."""


ALONE = 0.25
"""What a pair of the names data set counts beside one of the lists: the names model learned from these very pairs and
tells them apart as it tells no new ones, so at full weight they make it promise too much."""


class Features(NamedTuple):
    """What the fit and the check look at. `names` are raw bits, `points` those of each attribute before dependence."""

    same: bool
    by: str
    key: str
    scripts: str
    names: float
    points: tuple[float, ...]


def features(pairs: Iterable[Pair], chances: dict[str, Any]) -> list[Features]:
    found = []
    for p in pairs:
        met = names_met(p.a["names"], p.b["names"])
        if met is None or met[0].score < NEAR:
            continue
        told = dict.fromkeys(PARTS, 0.0)
        for m in attributes(p.a, p.b):
            told[m.part] = weight(m.how, *chances[m.part][m.cls][m.how][:2])
        found.append(Features(p.same, p.by, p.key, met[1], met[0].sum, tuple(told.values())))
    return found


def counts(pairs: Iterable[Pair]) -> dict[tuple[str, str], Counter[str]]:
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for p in pairs:
        for m in attributes(p.a, p.b):
            found[m.part, m.cls][m.how] += 1
    return found


def chances_of(same: list[Pair], other: list[Pair]) -> dict[str, Any]:
    """m and u of every way of meeting: counted where at least LEAST pairs met so, stated otherwise.

    A document number joined many of the true pairs, so what documents do is stated, never counted.
    """
    mine, theirs = counts(same), counts(other)
    table: dict[str, Any] = {}
    for part, classes in STATED.items():
        table[part] = {}
        for cls, hows in classes.items():
            table[part][cls] = {}
            here, there = mine[part, cls], theirs[part, cls]
            for how, (m, u) in hows.items():
                n_m, n_u = here[how], there[how]
                count_m = part != "document" and n_m >= LEAST
                count_u = n_u >= LEAST
                row = [
                    round(n_m / here.total(), 5) if count_m else m,
                    round(n_u / there.total(), 5) if count_u else u,
                    f"m {'counted' if count_m else 'stated'} ({n_m} of {here.total()})",
                    f"u {'counted' if count_u else 'stated'} ({n_u} of {there.total()})",
                ]
                table[part][cls][how] = row
    return table


def _weights(same: np.ndarray, groups: np.ndarray, prior: float) -> np.ndarray:
    """So that in every group the share of true pairs is the prior; groups keep their size."""
    w = np.zeros(len(same))
    for group in np.unique(groups):
        at = groups == group
        true = at & same
        if not true.any() or true.sum() == at.sum():
            continue  # nothing to tell apart
        w[true] = prior * at.sum() / true.sum()
        w[at & ~same] = (1 - prior) * at.sum() / (at & ~same).sum()
    return w


SCRIPTS = ("latin", "mixed")
"""Two names in Arabic letters are too few to teach: they take what two scripts have taught."""


def _matrix(found: list[Features]) -> tuple[np.ndarray, np.ndarray]:
    """(columns: one and names above nothing for each script, attributes; what is fixed already)."""
    names = np.array([f.names for f in found])
    latin = np.array([f.scripts == "latin" for f in found])
    points = np.array([f.points for f in found])
    above = np.maximum(names, 0)
    columns = np.column_stack([latin, latin * above, ~latin, ~latin * above, points])
    return columns.astype(float), BELOW * np.minimum(names, 0)


def fit(found: list[Features]) -> np.ndarray:
    """Shift and `above` of each script, each attribute's dependence: logistic regression, pulled to independence."""
    x, fixed = _matrix(found)
    same = np.array([f.same for f in found])
    w = _weights(same, np.array([f"{f.scripts == 'latin'} {f.by == 'names'}" for f in found]), PRIOR)
    w *= np.where([f.by == "names" for f in found], ALONE, 1.0)
    offset = math.log2(PRIOR / (1 - PRIOR)) + fixed
    centre = np.array([0.0, 1.0] * len(SCRIPTS) + [1.0] * len(PARTS))
    pull = np.array([0.1, 1.0] * len(SCRIPTS) + [20.0] * len(PARTS))
    b = centre.copy()
    ln2 = math.log(2)
    for _ in range(300):
        p = 1 / (1 + np.exp2(-np.clip(offset + x @ b, -60, 60)))
        slope = ln2 * x.T @ (w * (same - p)) - pull * (b - centre)
        bend = ln2**2 * (x.T * (w * p * (1 - p))) @ x + np.diag(pull)
        step = np.linalg.solve(bend, slope)
        b = b + step * min(1.0, 0.5 / max(float(np.abs(step).max()), 1e-9))
        if float(np.abs(step).max()) < 1e-7:
            break
    return b


class Bin(NamedTuple):
    """One tenth of the scores: what was said, what was so, and how many pairs."""

    said: float
    true: float
    pairs: int
    share: float


def calibration(
    scores: list[float], same: list[bool], groups: list[str], prior: float = PRIOR
) -> tuple[float, list[Bin]]:
    """(ECE in ten bins, the bins), with true and false pairs of a group weighed to the stated share of true ones."""
    s, y = np.array(scores), np.array(same)
    w = _weights(y, np.array(groups), prior)
    w = w / w.sum()
    bins = []
    for i in range(10):
        at = (s >= i / 10) & ((s < (i + 1) / 10) | (i == 9))
        if at.any():
            total = w[at].sum()
            said, true = float((w[at] * s[at]).sum() / total), float((w[at] * y[at]).sum() / total)
            bins.append(Bin(said, true, int(at.sum()), float(total)))
    return sum(abs(b.said - b.true) * b.share for b in bins), bins


def kept_pairs(held: dict[str, dict[str, Person]], each: int = FALSE_EACH) -> list[Pair]:
    """The pairs of persons kept from training, thinned, near by name."""
    pairs = [p for p in true_pairs(held) if kept(p.key)]
    pairs.extend(false_pairs(held, only_kept=True, each=each))
    return [p for p in map(thinned, pairs) if _near(p) and not doubtful(p)]


def _near(p: Pair) -> bool:
    met = names_met(p.a["names"], p.b["names"])
    return met is not None and met[0].score >= NEAR


def doubtful(p: Pair) -> bool:
    """Two numbers of one list with one full birth date and near names: likely one person listed twice."""
    if p.same:
        return False
    here, there = ({d for d in x.get("birth_dates", ()) if len(d) == 10} for x in (p.a, p.b))
    return bool({d for d in here & there if not d.endswith("-01-01")}) and _near(p)


def scripts_of(p: Pair) -> str:
    met = names_met(p.a["names"], p.b["names"])
    return "latin" if met is None or met[1] == "latin" else "mixed"


def check(directory: Path) -> tuple[float, list[Bin], int]:
    """(ECE, bins, pairs) of `compare_persons` on the persons kept from training."""
    pairs = kept_pairs(lists(directory))
    scores = [compare_persons(p.a, p.b).score for p in pairs]
    ece, bins = calibration(scores, [p.same for p in pairs], [scripts_of(p) for p in pairs])
    return ece, bins, len(pairs)


MOST_NAMES = 24_000


def names_alone(directory: Path, only_kept: bool) -> list[Pair]:
    """Pairs of the names data set (dev), names and nothing else: spellings of one person, most similar other names."""
    rows = [json.loads(line) for line in _open(directory / "pairs_dev.jsonl.gz").splitlines()]
    chosen = [r for r in rows if r["tier"] in ("core", "partial", "hard")]
    chosen.sort(key=lambda r: _sign(r["a"] + "|" + r["b"]))
    return [
        Pair({"names": [r["a"]]}, {"names": [r["b"]]}, bool(r["same"]), "names", f"names|{r['pa']}")
        for r in chosen[:MOST_NAMES]
        if kept(f"names|{r['pa']}") is only_kept
    ]


def train(directory: Path, names_directory: Path) -> None:
    held = lists(directory)
    true = [p for p in true_pairs(held) if not kept(p.key)]
    false = [p for p in false_pairs(held, only_kept=False) if not doubtful(p)]
    named = [
        Pair(held[x][i], held["ofac"][j], True, "name", f"ofac|{j}")
        for x in ("ca", "un25")
        for i, j in by_name(held[x], held["ofac"])
        if not kept(f"ofac|{j}")
    ]
    across = [p for p in true if p.by == "number"] + named
    chances = chances_of(across, false)
    alone = names_alone(names_directory, only_kept=False)
    found = features([*map(thinned, [*true, *false]), *alone], chances)
    b = fit(found)
    learned = {
        script: {"shift": round(float(b[2 * i]), 3), "above": round(float(b[2 * i + 1]), 3), "below": BELOW}
        for i, script in enumerate(SCRIPTS)
    }
    names = {**learned, "arabic": learned["mixed"]}
    dependence = {
        part: round(min(max(float(v), 0.2), 1.0), 3) for part, v in zip(PARTS, b[2 * len(SCRIPTS) :], strict=True)
    }
    true_n, false_n = sum(f.same for f in found), sum(not f.same for f in found)
    source = (
        "benchmarks/train_persons.py: counts from the UN consolidated lists of 2020-11-30 and 2025-04-19, OFAC SDN of"
        f" 2023-11 and the Canadian SEMA list of 2025 ({len(across)} pairs across lists, {len(false)} near names that"
        f" are two persons), fitted on {true_n} true and {false_n} false pairs; every chance says whether it was"
        " counted or stated; names also from the names data set (dev); no text of a list is here"
    )
    write(_table(chances, names, dependence, source))
    print(json.dumps({"names": names, "dependence": dependence, "true": true_n, "false": false_n}))


def matches(directory: Path, names_directory: Path) -> None:
    """How often an invented name becomes a match among the public lists, and how often another spelling does."""
    from bank_search import FAMILY, GIVEN

    from tansiq.hits import rules

    held = lists(directory)
    people = [p for name in ("un25", "ofac", "ca") for p in held[name].values()]
    spelled = [(k, n) for k, p in enumerate(people) for n in dict.fromkeys(p["names"])]
    index = NameIndex()
    index.build([n for _, n in spelled])
    chance = random.Random(7)
    every = [f"{g[k]} {f[k]}" for g in GIVEN for f in FAMILY for k in (0, 2)]
    asked = [(n, str(chance.randint(1955, 2004))) for n in chance.sample(every, INVENTED)]
    for told, least in (("with a birth year", rules.MATCH_SCORE), ("alone", rules.NAME_ALONE_SCORE)):
        found = hit = 0
        for name, born in asked:
            query: Person = {"names": [name], "birth_dates": [born] if told != "alone" else []}
            near = dict.fromkeys(spelled[i][0] for i, _ in index.search(name, 48))
            scores = [_as_match(query, people[k], rules) for k in near]
            found += sum(scores)
            hit += any(scores)
        print(f"{INVENTED} invented names {told}, {len(people)} persons: {found} matches from {least}, {hit} with any")
    rows = [json.loads(line) for line in _open(names_directory / "pairs_dev.jsonl.gz").splitlines()]
    true = [r for r in rows if r["tier"] == "core"]
    above = sum(compare_persons({"names": [r["a"]]}, {"names": [r["b"]]}).score >= rules.NAME_ALONE_SCORE for r in true)
    print(f"of {len(true)} true pairs of spellings (dev) {above / len(true):.3f} are above {rules.NAME_ALONE_SCORE}")


INVENTED = 150


def _as_match(query: Person, held: Person, rules: Any) -> bool:
    """As `tansiq.hits.rules.match_rule` judges two persons without a number in common."""
    found = compare_persons(query, held)
    agree = {r.part for r in found.rows if r.outcome in ("agree", "partial")}
    told = agree & {"birth_date", "birth_place", "father", "mother"}
    return found.score >= (rules.MATCH_SCORE if told else rules.NAME_ALONE_SCORE)


def show(ece: float, bins: list[Bin], pairs: int) -> None:
    print(f"kept from training: {pairs} pairs, share of true pairs {PRIOR}: ECE {ece:.4f} (goal 0.03)")
    for b in bins:
        print(f"  said {b.said:.3f}  true {b.true:.3f}  {b.pairs:6} pairs")


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    if what == "countries":
        write_countries()
    elif what == "train":
        train(Path(sys.argv[2]), Path(sys.argv[3]))
    elif what == "check":
        show(*check(Path(sys.argv[2])))
    elif what == "matches":
        matches(Path(sys.argv[2]), Path(sys.argv[3]))
    elif what == "stated":
        names = {k: {"shift": 0.0, "above": 1.0, "below": BELOW} for k in (*SCRIPTS, "arabic")}
        write(_table(stated_chances(), names, {}, "stated, nothing counted yet"))
    else:
        print(__doc__)
        raise SystemExit(2)


if __name__ == "__main__":
    main()
