"""Two names compared: parts met with parts, each meeting weighed, the weights added up.

    sum = start + points of every pair of parts + points of parts without a partner + points for another order
    score = 1 / (1 + 2^-sum)

A pair of parts is worth what its rarity is worth minus what its spelling costs, but never less than a plain conflict.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from tansiq.matching import judge
from tansiq.matching.edit import TABLES, cost
from tansiq.matching.model import Explanation, Outcome, Row, probability
from tansiq.matching.parts import GROUPS, Part, core, merged, parts, skeleton
from tansiq.matching.text import ARABIC

KNOTS = (200, 400, 600, 800, 1000, 1200, 1400, 1600)
"""Rarity in centibits at which the worth of a met part was learned; straight lines between."""


class Meeting(NamedTuple):
    """Parts a[i:i2] met b[j:j2] (an empty side = no partner). `points` and `price` in centibits."""

    i: int
    i2: int
    j: int
    j2: int
    points: int
    price: int
    info: int


@lru_cache(maxsize=16384)
def rarity(p: Part) -> int:
    """-log2 of how often this consonant skeleton stands in the dev names, in centibits."""
    return rare(TABLES.counts.get(skeleton(core(p)), 0))


def rare(seen: int) -> int:
    """The rarity of what was seen so often."""
    return round(100 * math.log2((TABLES.total + 1) / (seen + 1)))


def _conflict(info: int) -> int:
    """Centibits (negative) of two strangers; common names are mistaken and exchanged more easily than rare ones."""
    prices: list[int] = TABLES.row["conflict"]
    return prices[0] if info < 600 else prices[1] if info < 900 else prices[2]


def _context(a: tuple[Part, ...], b: tuple[Part, ...]) -> tuple[int, int]:
    """What the fixed prices depend on: the scripts (two Latin, mixed, two Arabic) and the parts of the shorter name."""
    return a[0].script + b[0].script, min(len(a), len(b), 4) - 1


def worth(info: int) -> int:
    """Centibits that a part of this rarity is worth when it meets itself."""
    values: list[int] = TABLES.row["worth"]
    x = min(max(info, KNOTS[0]), KNOTS[-1])
    k = min((x - KNOTS[0]) // 200, len(KNOTS) - 2)
    return values[k] + (values[k + 1] - values[k]) * (x - KNOTS[k]) // 200


def _initial(a: Part, b: Part) -> bool:
    short, long = sorted((a, b), key=lambda p: len(p.letters))
    return len(short.letters) == 1 and short.script == long.script and long.letters.startswith(short.letters)


def known(p: Part) -> bool:
    """Whether this spelling is a common one: a word that nobody bears is more likely a slip of the pen."""
    return p.letters in TABLES.known


def kind_of(a: Part, b: Part) -> tuple[int, int, int]:
    """What a difference in spelling is judged by: the scripts, how many sides are common spellings, the length."""
    n = min(len(a.units), len(b.units))
    return a.script + b.script, known(a) + known(b), 0 if n <= 3 else 1 if n <= 5 else 2


def relation(a: Part, b: Part) -> int:
    """What the learned links say: 0 nothing, 1 spellings of one Arabic name, 2 spellings of two different names."""
    here, there = TABLES.links.get(a.letters), TABLES.links.get(b.letters)
    if not here or not there or (a.script == ARABIC and b.script == ARABIC):
        return 0
    linked = b.letters in here if a.script != b.script else not here.isdisjoint(there)
    return 1 if linked else 2


@lru_cache(maxsize=16384)
def price_of(a: Part, b: Part) -> tuple[int, str]:
    """(centibits that two different spellings cost, how: edit | judged | accent | group)."""
    raw = cost(a, b)
    if raw == 0 and a.letters == b.letters:
        return 0, "edit"
    if a.script == b.script and a.bare == b.bare:
        return min(raw, ACCENT), "accent"
    scripts, common, length = kind_of(a, b)
    tie = relation(a, b)
    floor = (SLIP if tie == 0 else 0) if scripts == 1 else 0
    how = "edit"
    if raw > floor or tie == 2:
        judged = raw + TABLES.row["edited"][scripts][common][length] + TABLES.row["linked"][scripts][tie]
        raw, how = max(floor, judged), "judged"
    group = TABLES.row["group"]
    if raw > group and not GROUPS.get(a.letters, frozenset()).isdisjoint(GROUPS.get(b.letters, ())):
        return group, "group"
    return raw, how


ACCENT = 20
"""Two spellings that differ in accents only."""

SLIP = 200
"""Between two scripts every pair costs something: only above this does the judgement of `kind_of` count."""


def meet(i: int, i2: int, j: int, j2: int, a: Part, b: Part) -> Meeting:
    """One part against one part."""
    info = (rarity(a) + rarity(b)) // 2
    if len(a.letters) == 1 or len(b.letters) == 1:
        initial = TABLES.row["initial"] if a.letters == b.letters or _initial(a, b) else _conflict(0)
        return Meeting(i, i2, j, j2, initial, 0, -1)
    price, _ = price_of(a, b)
    joined = TABLES.row["join"] if i2 - i + j2 - j > 2 else 0
    price -= joined
    return Meeting(i, i2, j, j2, max(worth(info) - price, _conflict(info)), price, info)


def assign(grid: list[list[Meeting]]) -> list[Meeting]:
    """min(n, m) meetings of great total worth: best first, then exchanged in twos while that gains."""
    n, m = len(grid), len(grid[0])
    if n == m == 1:
        return [grid[0][0]]
    by = sorted((x for row in grid for x in row), key=lambda g: (-g.points, g.i + g.j, g.i))
    used_i: set[int] = set()
    used_j: set[int] = set()
    out: list[Meeting] = []
    for g in by:
        if g.i not in used_i and g.j not in used_j:
            used_i.add(g.i)
            used_j.add(g.j)
            out.append(g)
    for x in range(len(out)):
        for y in range(x + 1, len(out)):
            p, q = out[x], out[y]
            r, s = grid[p.i][q.j], grid[q.i][p.j]
            if r.points + s.points > p.points + q.points:
                out[x], out[y] = r, s
    return out


def _readings(p: Part) -> tuple[str, ...]:
    whole, short = skeleton(p.units), skeleton(core(p))
    return (short,) if whole == short else (short, whole)


def _begin_or_end_alike(x: str, y: str) -> bool:
    return x != "" and y != "" and -2 < len(x) - len(y) < 2 and (x[0] == y[0] or x[-1] == y[-1])


def _may_meet(p: Part, q: Part) -> bool:
    """A quick look before two neighbours are read as one word: about as long, and the consonants begin or end alike.

    The words are read with and without their beginnings: the `al` of `Alireza` looks like an article.
    """
    if not any(_begin_or_end_alike(x, y) for x in _readings(p) for y in _readings(q)):
        return False
    # Arabic leaves out short vowels, so its word may be up to twice shorter
    apart = len(p.units) - len(q.units)
    if p.script == q.script:
        return -4 <= apart <= 4
    return -3 <= (apart if q.script else -apart) <= 8


def _join(a: tuple[Part, ...], b: tuple[Part, ...], met: list[Meeting]) -> tuple[int, Meeting, list[Meeting]] | None:
    """The best gain from reading two neighbours of `a` as one word that meets one word of `b`."""
    at_i = {g.i: g for g in met}
    at_j = {g.j: g for g in met}
    spare = TABLES.row["only"][_context(a, b)[1]][0]
    best: tuple[int, Meeting, list[Meeting]] | None = None
    for i in range(len(a) - 1):
        g1, g2 = at_i.get(i), at_i.get(i + 1)
        if (g1 is None or g1.i2 > i + 1 or g1.price > 150) + (g2 is None or g2.i2 > i + 2 or g2.price > 150) == 0:
            continue
        word = merged(a[i], a[i + 1])
        if word is None or min(len(a[i].letters), len(a[i + 1].letters)) < 2:
            continue
        for j, part in enumerate(b):
            gone = {id(g): g for g in (g1, g2, at_j.get(j)) if g}
            if len(gone) > 2 or not _may_meet(part, word) or any(g.i2 - g.i + g.j2 - g.j > 2 for g in gone.values()):
                continue
            new = meet(i, i + 2, j, j + 1, word, part)
            before = sum(g.points for g in gone.values()) + spare * (
                (g1 is None) + (g2 is None) + (at_j.get(j) is None)
            )
            freed = sum(1 for g in gone.values() if g.j != j) * spare
            gain = new.points + freed - before
            if gain > 100 and new.points > 0 and (best is None or gain > best[0]):
                best = gain, new, list(gone.values())
    return best


def align(a: tuple[Part, ...], b: tuple[Part, ...]) -> list[Meeting]:
    """All meetings of two names, the parts without a partner among them (i2 == i or j2 == j)."""
    met = assign([[meet(i, i + 1, j, j + 1, x, y) for j, y in enumerate(b)] for i, x in enumerate(a)])
    for _ in range(2):
        if len(a) == len(b) and all(g.price <= 150 for g in met):
            break
        here, there = _join(a, b, met), None
        if len(b) > 1:
            turned = [Meeting(g.j, g.j2, g.i, g.i2, *g[4:]) for g in met]
            there = _join(b, a, turned)
        if there and (not here or there[0] > here[0]):
            _, new, gone = there
            lost = {(g.j, g.i) for g in gone}
            met = [g for g in met if (g.i, g.j) not in lost] + [Meeting(new.j, new.j2, new.i, new.i2, *new[4:])]
        elif here:
            lost = {(g.i, g.j) for g in here[2]}
            met = [g for g in met if (g.i, g.j) not in lost] + [here[1]]
        else:
            break
    alone = _alone(a, b, met)
    return met + alone


def _alone(a: tuple[Part, ...], b: tuple[Part, ...], met: list[Meeting]) -> list[Meeting]:
    """Parts that met nobody: pairs of strangers are conflicts, the rest stand alone."""
    stranger_titles = [g for g in met if g.points <= _conflict(g.info) and (a[g.i].title or b[g.j].title)]
    met[:] = [g for g in met if g not in stranger_titles]
    in_a = {k for g in met for k in range(g.i, g.i2)}
    in_b = {k for g in met for k in range(g.j, g.j2)}
    left = [i for i in range(len(a)) if i not in in_a]
    right = [j for j in range(len(b)) if j not in in_b]
    out: list[Meeting] = []
    left.sort(key=lambda i: a[i].title)
    right.sort(key=lambda j: b[j].title)
    both = min(sum(not a[i].title for i in left), sum(not b[j].title for j in right))
    for i, j in zip(left[:both], right[:both], strict=True):
        out.append(meet(i, i + 1, j, j + 1, a[i], b[j]))
    prices: list[int] = TABLES.row["only"][_context(a, b)[1]]
    k = 0
    for where, names in ((left[both:], a), (right[both:], b)):
        for x in where:
            points = TABLES.row["title"] if names[x].title else prices[min(k, len(prices) - 1)]
            k += not names[x].title
            out.append(Meeting(x, x + 1, 0, 0, points, 0, 0) if names is a else Meeting(0, 0, x, x + 1, points, 0, 0))
    return out


def crossed(met: list[Meeting]) -> bool:
    """Whether the met parts stand in another order."""
    js = [g.j for g in sorted(met) if g.i2 > g.i and g.j2 > g.j and g.points > 0]
    return any(x > y for x, y in pairwise(js))


def loose_ends(a: tuple[Part, ...], b: tuple[Part, ...], met: list[Meeting]) -> int:
    """How many of the four ends (first and last part of either name) met nothing like them; titles count as met."""
    good_a = {k for g in met if g.j2 > g.j and g.points > 0 for k in range(g.i, g.i2)}
    good_b = {k for g in met if g.i2 > g.i and g.points > 0 for k in range(g.j, g.j2)}
    ends = [k not in good_a and not a[k].title for k in {0, len(a) - 1}]
    ends += [k not in good_b and not b[k].title for k in {0, len(b) - 1}]
    return sum(ends)


def whole(a: tuple[Part, ...], b: tuple[Part, ...], met: list[Meeting]) -> list[tuple[str, int]]:
    """What is judged of the names as wholes: (how, centibits)."""
    out = [("different_position", int(TABLES.row["order"]))] if crossed(met) else []
    ends = loose_ends(a, b, met)
    if ends:
        out.append(("ends_apart", int(TABLES.row["ends"][_context(a, b)[1]][ends - 1])))
    if judge.equal(a, b):
        return [*out, (judge.TOLD[judge.FIT], judge.BOUND)]
    told = judge.grow(asked(a, b, met))
    return out + [(how, points) for how, points in zip(judge.TOLD, told, strict=True) if points]


def asked(a: tuple[Part, ...], b: tuple[Part, ...], met: list[Meeting]) -> list[int]:
    """What the forest is asked of an alignment (judge.FEATURES)."""
    order, ends = crossed(met), loose_ends(a, b, met)
    total = _start(a, b) + sum(g.points for g in met)
    total += TABLES.row["order"] if order else 0
    total += TABLES.row["ends"][_context(a, b)[1]][ends - 1] if ends else 0
    linked = [relation(a[g[0]], b[g[2]]) for g in judge.dearest(met)]
    return judge.features(a, b, met, (total, order, ends), linked)


def _sorted(a: str, b: str) -> tuple[tuple[Part, ...], tuple[Part, ...], bool]:
    """The two names in an order that does not depend on which was given first: the score is symmetric."""
    x, y = parts(a), parts(b)
    turned = [p.letters for p in y] < [p.letters for p in x]
    return (y, x, True) if turned else (x, y, False)


def _start(a: tuple[Part, ...], b: tuple[Part, ...]) -> int:
    scripts, shorter = _context(a, b)
    return int(TABLES.row["start"][scripts][shorter])


def centibits(a: tuple[Part, ...], b: tuple[Part, ...]) -> int:
    """The whole evidence for one person behind two names."""
    met = align(a, b)
    return _start(a, b) + sum(g.points for g in met) + sum(points for _, points in whole(a, b, met))


def score(a: str, b: str) -> float:
    """How probable it is, on evidence of the names alone, that `a` and `b` name one person; 0.0 if not comparable."""
    x, y, _ = _sorted(a, b)
    if not x or not y:
        return 0.0
    return probability(centibits(x, y) / 100)


def explain(a: str, b: str) -> Explanation:
    """The same score with its reasons: one row per meeting, and the points add up."""
    x, y, turned = _sorted(a, b)
    if not x or not y:
        return Explanation(0.0, False, 0.0, ())
    met = align(x, y)
    told = [(*g, _how(x, y, g)) for g in met]
    return explanation(_start(x, y), told, whole(x, y, met), [p.shown for p in x], [p.shown for p in y], turned)


HOW = (
    "initial",
    "initial_conflict",
    "different",
    "written_together",
    "same_spelling",
    "article_apart",
    "particle_apart",
    "same_name_other_form",
    "weak_likeness",
    "same_name_two_scripts",
    "same_name_two_spellings",
    "only",
    "title",
)
"""What `_how` answers; the compiled kernel gives the place in this list."""

Told = tuple[int, int, int, int, int, int, int, str]
"""A `Meeting` and how it came about."""


def explanation(
    start: int, told: list[Told], judged: list[tuple[str, int]], x: list[str], y: list[str], turned: bool
) -> Explanation:
    """The reasons in the order of the parts as shown in `x` and `y`; `turned` when `y` is what was given first."""
    told = sorted(told, key=lambda g: (g[0] if g[1] > g[0] else 99, g[2]))
    rows = [_row(" ".join(x[g[0] : g[1]]), " ".join(y[g[2] : g[3]]), g, turned) for g in told]
    rows.extend(Row("whole", "", "", how, Outcome.PARTIAL, points / 100) for how, points in judged)
    total = start + sum(g[4] for g in told) + sum(points for _, points in judged)
    return Explanation(probability(total / 100), True, start / 100, tuple(rows))


def _row(here: str, there: str, g: Told, turned: bool) -> Row:
    """One meeting as a reader sees it."""
    i, i2, j, j2, points, price, info, how = g
    if turned:
        here, there = there, here
    if i2 == i or j2 == j:
        how = how if how == "title" else "only_in_a" if here else "only_in_b"
        return Row("name", here, there, how, Outcome.MISSING, points / 100)
    if how in {"different", "initial_conflict"}:
        outcome = Outcome.CONFLICT
    else:
        outcome = Outcome.AGREE if price <= 400 and info >= 0 else Outcome.PARTIAL
    return Row("name", here, there, how, outcome, points / 100)


def _how(x: tuple[Part, ...], y: tuple[Part, ...], g: Meeting) -> str:
    """A stable word for the way two parts met; the pages translate it."""
    if g.i2 == g.i or g.j2 == g.j:
        return "title" if (x[g.i] if g.i2 > g.i else y[g.j]).title else "only"
    p, q = x[g.i], y[g.j]
    if g.info < 0:
        return "initial" if g.points > _conflict(0) else "initial_conflict"
    if g.points <= _conflict(g.info):
        return "different"
    if g.i2 - g.i > 1 or g.j2 - g.j > 1:
        return "written_together"
    if p.letters == q.letters:
        return "same_spelling" if p.article == q.article else "article_apart"
    if p.particle != q.particle:
        return "particle_apart"
    if price_of(p, q)[1] == "group":
        return "same_name_other_form"
    if g.price > max(400, g.points):
        return "weak_likeness"
    return "same_name_two_scripts" if p.script != q.script else "same_name_two_spellings"
