"""The last look at a finished alignment: what the meetings of parts say together and none of them says alone.

A forest of small decision trees over whole numbers (`edit.Forest`), learned on the dev split: one weak part among
strong ones, a rare word that differs in one letter from a common one, a first part that met nobody. Each tree adds
centibits; the sum is bounded, and two equal names get the bound, so that nothing is more alike than a name to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from tansiq.matching.edit import TABLES
from tansiq.matching.parts import PREFIX_SPELLING, Part, core, skeleton

NONE = -9999
"""What a feature says that a pair does not have."""

BOUND = 600
"""The most that the forest may add or take, in centibits; see `most`."""

TOLD = ("fit_of_parts", "weakest_part", "place_of_parts", "parts_left_over")
"""What the steps of the trees are told as (Hit page, `explain`)."""
FIT, WEAK, PLACE, LEFT = range(4)

_WORD = (
    ("price", WEAK),
    ("rarity", WEAK),
    ("points", WEAK),
    ("less_common", WEAK),
    ("more_common", WEAK),
    ("shorter", WEAK),
    ("longer", WEAK),
    ("slips", WEAK),
    ("bones_apart", WEAK),
    ("begin_alike", WEAK),
    ("end_alike", WEAK),
    ("stands_first", PLACE),
    ("stands_last", PLACE),
    ("linked", WEAK),
    ("less_given", WEAK),
    ("more_given", WEAK),
)
_BEST = (("rarity", FIT), ("price", FIT), ("less_common", FIT), ("stands_first", PLACE), ("stands_last", PLACE))

FEATURES: tuple[tuple[str, int], ...] = (
    ("sum", FIT),
    ("scripts", FIT),
    ("parts_fewer", FIT),
    ("parts_more", FIT),
    ("crossed", PLACE),
    ("loose_ends", PLACE),
    ("strangers", WEAK),
    ("initials", WEAK),
    ("joined", FIT),
    ("equal", FIT),
    ("slips_share", FIT),
    ("bones_share", FIT),
    ("weakest", WEAK),
    ("second_weakest", WEAK),
    ("third_weakest", WEAK),
    ("strongest", FIT),
    ("second_strongest", FIT),
    ("first_points", PLACE),
    ("last_points", PLACE),
    ("alone", LEFT),
    ("alone_least_common", LEFT),
    ("alone_most_common", LEFT),
    ("alone_letters", LEFT),
    ("alike", FIT),
    ("groups", FIT),
    ("titles", LEFT),
    ("alone_inside", LEFT),
    ("alone_sides", LEFT),
    ("alone_most_given", LEFT),
    ("byname_strange", WEAK),
    ("first_feminine", WEAK),
    ("good", FIT),
    ("good_rarity", FIT),
    ("good_given", FIT),
    ("good_least_common", FIT),
    *((f"dearest_{name}", told) for name, told in _WORD),
    *((f"second_dearest_{name}", told) for name, told in _WORD),
    *((f"best_{name}", told) for name, told in _BEST),
    *((f"second_best_{name}", told) for name, told in _BEST),
)
"""(what is asked, what it is told as); weakest and best by points, dearest by price."""

Met = tuple[int, int, int, int, int, int, int]
"""i, i2, j, j2, points, price, info: a `names.Meeting`."""


@lru_cache(maxsize=16384)
def slips(x: str, y: str) -> int:
    """Letters left out, put in, exchanged, or swapped with a neighbour (once): bit by bit after Hyyrö (2003)."""
    if not x or not y:
        return len(x) or len(y)
    at: dict[str, int] = {}
    for i, c in enumerate(x):
        at[c] = at.get(c, 0) | 1 << i
    mask, last = (1 << len(x)) - 1, 1 << len(x) - 1
    vp, vn, d0, before, found = mask, 0, 0, 0, len(x)
    for c in y:
        here = at.get(c, 0)
        swapped = ((mask & ~d0 & here) << 1) & before
        d0 = ((((here & vp) + vp) ^ vp) | here | vn | swapped) & mask
        hp, hn = (vn | ~(d0 | vp)) & mask, d0 & vp
        found += (hp & last > 0) - (hn & last > 0)
        hp, hn = (hp << 1 | 1) & mask, (hn << 1) & mask
        vp, vn = (hn | ~(d0 | hp)) & mask, hp & d0
        before = here
    return found


@lru_cache(maxsize=16384)
def bones(p: Part) -> str:
    """The coarse consonants of the word without article or particle."""
    return skeleton(core(p))


def common(p: Part) -> int:
    """How common the spelling is: the bit length of its count; 0 for one that was seen once or never."""
    return TABLES.common.get(p.letters, 0)


def given(p: Part) -> int:
    """How often the word stands first: 0 never to 4 nearly always; 2 for a word that was seen too seldom to tell."""
    return TABLES.given.get(p.letters, 2)


ROWS, COLUMNS, BINS = 1 << 14, 6, 1 << 12
"""Places of groups of letters in `Tables.groups`, what is told at each, and places in `Tables.rare_groups`."""
ALONE, SAME, STRANGER, APART = 0, 1, 2, 4
"""Columns: of a word that met nobody, the same letters, a stranger, another spelling; the last two with one more when
the scripts differ. They hold how readily names of such words are written in more than one way."""
STRANGE = -200
"""Two words that met for fewer points are strangers."""
_BEGIN, _END = 2, 3


@lru_cache(maxsize=16384)
def groups(letters: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of a word's groups of two and of three letters, its beginning and its end counted as letters."""
    c = [_BEGIN, *map(ord, letters), _END]
    two = [x * 0x9E3779B1 + y for x, y in pairwise(c)]
    three = [h * 0x9E3779B1 + z for h, z in zip(two, c[2:], strict=False)]
    return tuple(map(_place, two)), tuple(map(_place, three))


def _place(mixed: int) -> int:
    return (mixed * 0x85EBCA6B & 0xFFFFFFFF) >> 18


def columns(a: tuple[Part, ...], b: tuple[Part, ...], met: Sequence[Met]) -> list[tuple[int, Part]]:
    """Under which column the groups of letters of each word are read; titles and words written together are not."""
    out: list[tuple[int, Part]] = []
    for g in met:
        if g[1] == g[0] or g[3] == g[2]:
            p = a[g[0]] if g[1] > g[0] else b[g[2]]
            out += [] if p.title else [(ALONE, p)]
        elif not _joins(g):
            p, q = a[g[0]], b[g[2]]
            apart = (STRANGER if g[4] < STRANGE else APART) + (p.script != q.script)
            column = SAME if p.letters == q.letters else apart
            out += [(column, p), (column, q)]
    return out


def say(table: Sequence[int], words: Sequence[tuple[int, str]]) -> int:
    """What a table of groups of letters tells of words under their columns, all together."""
    return sum(table[COLUMNS * at + column] for column, w in words for place in groups(w) for at in place)


def alike(a: Sequence[str], b: Sequence[str], weights: Sequence[int]) -> int:
    """How many of 1000 two Latin names share of their groups of three letters: the square of a cosine."""
    x, y = ({at >> 2 for w in words for at in groups(w)[1]} for words in (a, b))
    shared, all_x, all_y = (sum(weights[k] for k in held) for held in (x & y, x, y))
    return 1000 * shared * shared // (all_x * all_y) if all_x and all_y else NONE


AS_FOUND = {k: {"alike": 400, "groups": 0}[name] for k, (name, _) in enumerate(FEATURES) if name in {"alike", "groups"}}
"""What a search takes for the two answers that tell how a pair came to be compared: in a register all names came the
same way."""


def as_found(asked: Sequence[int]) -> list[int]:
    """The answers as if the second name were found as any other."""
    return [AS_FOUND.get(k, x) if x != NONE else x for k, x in enumerate(asked)]


def _letters(a: tuple[Part, ...], b: tuple[Part, ...], met: Sequence[Met]) -> list[int]:
    """What the groups of letters of both names tell."""
    latin = TABLES.rare_groups and not any(p.script for p in a + b)
    return [
        alike([p.letters for p in a], [p.letters for p in b], TABLES.rare_groups) if latin else NONE,
        say(TABLES.groups, [(column, p.letters) for column, p in columns(a, b, met)]) if TABLES.groups else 0,
    ]


GOOD = 100
"""Two words that met for more points met well."""
_FEMININE = ("a", "e", "ah", "eh", "ه")
_OPEN_LATIN, _OPEN_ARABIC = ("a", "ah", "e", "eh"), ("ه", "ا", "ي")


def feminine(p: Part, q: Part) -> bool:
    """Whether two words differ by what makes a woman's name of a man's (`Samir`, `Samira`); in two scripts, whether one
    ends as such names do and the other does not."""
    x, y = p.letters, q.letters
    if p.script == q.script:
        x, y = (x, y) if len(x) <= len(y) else (y, x)
        return y[: len(x)] == x and y[len(x) :] in _FEMININE
    latin, arabic = (y, x) if p.script else (x, y)
    return latin.endswith(_OPEN_LATIN) != arabic.endswith(_OPEN_ARABIC)


_FATHER = tuple(f"{spelling}-" for spelling in PREFIX_SPELLING["father"])


def _byname(p: Part) -> bool:
    """Whether the word is `father of`; read from its letters, for a register keeps no particles."""
    return p.letters.startswith(_FATHER[p.script])


def _structure(a: tuple[Part, ...], b: tuple[Part, ...], met: Sequence[Met]) -> list[int]:
    """What the parts that met well, met as strangers or met nobody are, and where they stand."""
    single = [(a[g[0]], b[g[2]], g) for g in met if g[1] > g[0] and g[3] > g[2] and not _joins(g)]
    good = [(p, q, g) for p, q, g in single if g[4] > GOOD]
    alone = [(side, g[2 * side]) for g in met for side in (0, 1) if g[3 - 2 * side] == g[2 - 2 * side]]
    names = a, b
    alone = [(side, k) for side, k in alone if not names[side][k].title]
    return [
        sum(p.title for p in a + b),
        sum(0 < k < len(names[side]) - 1 for side, k in alone),
        len({side for side, _ in alone}),
        max((given(names[side][k]) for side, k in alone), default=NONE),
        sum(g[4] < STRANGE and _byname(p) != _byname(q) for p, q, g in single),
        next((int(feminine(p, q)) for p, q, g in single if g[0] == g[2] == 0), NONE),
        len(good),
        sum(g[6] for _, _, g in good),
        sum(g[4] for p, q, g in good if min(given(p), given(q)) >= 3),
        min((min(common(p), common(q)) for p, q, _ in good), default=NONE),
    ]


def _joins(g: Met) -> bool:
    return g[1] - g[0] + g[3] - g[2] > 2


def _word(p: Part, q: Part, n: int, m: int, g: Met, linked: int) -> list[int]:
    """What is asked of two words that met; of words written together only what the meeting says."""
    i, i2, j, j2, points, price, info = g
    if _joins(g):
        return [price, info, points] + [NONE] * (len(_WORD) - 3)
    x, y = p.letters, q.letters
    c, d, e, f = common(p), common(q), given(p), given(q)
    same = p.script == q.script
    return [
        price,
        info,
        points,
        min(c, d),
        max(c, d),
        min(len(x), len(y)),
        max(len(x), len(y)),
        slips(x, y) if same else NONE,
        slips(bones(p), bones(q)),
        int(x[0] == y[0]) if same else NONE,
        int(x[-1] == y[-1]) if same else NONE,
        (i == 0) + (j == 0),
        (i2 == n) + (j2 == m),
        linked,
        min(e, f),
        max(e, f),
    ]


def _shares(a: tuple[Part, ...], b: tuple[Part, ...], pairs: Sequence[Met]) -> list[int]:
    """Of 100 letters (coarse consonants) of the words that met, how many differ."""
    letters = wrong = all_bones = broken = 0
    for g in pairs:
        if _joins(g):
            continue
        p, q = a[g[0]], b[g[2]]
        if p.script == q.script:
            letters += max(len(p.letters), len(q.letters))
            wrong += slips(p.letters, q.letters)
        u, v = bones(p), bones(q)
        all_bones += max(len(u), len(v))
        broken += slips(u, v)
    return [100 * wrong // letters if letters else NONE, 100 * broken // all_bones if all_bones else NONE]


def _at(values: Sequence[int], k: int) -> int:
    return values[k] if -len(values) <= k < len(values) else NONE


def features(
    a: tuple[Part, ...],
    b: tuple[Part, ...],
    met: Sequence[Met],
    said: tuple[int, bool, int],
    linked: Sequence[int],
) -> list[int]:
    """The answers to FEATURES. `said`: (sum so far, whether the order differs, loose ends); `linked`: names.relation
    of the two dearest meetings, found with `dearest`."""
    n, m = len(a), len(b)
    pairs = [g for g in met if g[1] > g[0] and g[3] > g[2]]
    rank = sorted(pairs, key=lambda g: (g[4], g[0], g[2]))
    points = [g[4] for g in rank]
    lone = [
        p for p in ((a[g[0]] if g[1] > g[0] else b[g[2]]) for g in met if g[1] == g[0] or g[3] == g[2]) if not p.title
    ]
    commons = [common(p) for p in lone]
    out = [
        said[0],
        a[0].script + b[0].script,
        min(n, m),
        max(n, m),
        int(said[1]),
        said[2],
        sum(p < STRANGE for p in points),
        sum(g[6] < 0 for g in pairs),
        sum(map(_joins, pairs)),
        sum(g[5] == 0 and g[6] >= 0 for g in pairs),
        *_shares(a, b, pairs),
        _at(points, 0),
        _at(points, 1),
        _at(points, 2),
        _at(points, -1),
        _at(points, -2),
        max((g[4] for g in pairs if g[0] == 0 and g[2] == 0), default=NONE),
        max((g[4] for g in pairs if g[1] == n and g[3] == m), default=NONE),
        len(lone),
        min(commons, default=NONE),
        max(commons, default=NONE),
        sum(len(p.letters) == 1 for p in lone),
        *_letters(a, b, met),
        *_structure(a, b, met),
    ]
    for g, tie in zip(dearest(met), linked, strict=True):
        out += _word(a[g[0]], b[g[2]], n, m, g, tie)
    out += [NONE] * (len(_WORD) * (2 - len(linked)))
    for g in rank[-1:] + rank[-2:-1]:
        p, q = a[g[0]], b[g[2]]
        out += [g[6], g[5], min(common(p), common(q)), (g[0] == 0) + (g[2] == 0), (g[1] == n) + (g[3] == m)]
    return out + [NONE] * (len(FEATURES) - len(out))


def dearest(met: Sequence[Met]) -> list[Met]:
    """The two meetings with the highest price."""
    return sorted((g for g in met if g[1] > g[0] and g[3] > g[2]), key=lambda g: (-g[5], g[0], g[2]))[:2]


def most(total: int) -> int:
    """What the forest may add: BOUND; up to twice as much to bring what the costs held against a pair up to BOUND."""
    return max(BOUND, min(2 * BOUND, BOUND - total))


def grow(asked: Sequence[int]) -> list[int]:
    """What the forest says, told as TOLD: the steps down the trees, each owed to the feature that was asked."""
    f = TABLES.forest
    feature, limit, left, value = f.feature, f.limit, f.left, f.value
    out = [0] * len(TOLD)
    for k in f.roots:
        v = value[k]
        out[FIT] += v
        while (at := feature[k]) >= 0:
            k = left[k] + (asked[at] > limit[k])
            step = value[k]
            out[_TOLD_AS[at]] += step - v
            v = step
    over = sum(out) - min(max(sum(out), -BOUND), most(asked[0]))
    out[FIT] -= over
    return out


_TOLD_AS = tuple(told for _, told in FEATURES)


def equal(a: tuple[Part, ...], b: tuple[Part, ...]) -> bool:
    """Whether two names are the same part by part."""
    return [p.letters for p in a] == [p.letters for p in b]
