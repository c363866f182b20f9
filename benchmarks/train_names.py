"""Learns the tables of `tansiq.matching` (data/learned.json) from the DEV split of a names data set, nothing else.

    python benchmarks/train_names.py init     DIR   the hand-made starting point (romanisation.json) and counts
    python benchmarks/train_names.py validate DIR   the figures on persons kept from learning, a fifth at a time
    python benchmarks/train_names.py train    DIR   the same; then costs, weights and the forest of the last look

DIR holds pairs_dev.jsonl.gz, pairs_stress_dev.jsonl.gz, retrieval_index_dev.jsonl.gz and evaluate.py. Needs numpy and
what benchmarks/train.txt names.

Two stages. The costs are learned in turns with the alignments. The forest then learns from alignments under costs that
never saw the person (each fifth of the persons under the costs of the other four) and as if nobody of the pair had
been counted (`unmet`), so it knows how sure costs and counts are of names they never met.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import random
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import boosting
import numpy as np
import train_groups
from made_up import another, neighbours, slip

OUT = Path(__file__).resolve().parents[1] / "src/tansiq/matching/data/learned.json"
HEADER = (
    "Learned by benchmarks/train_names.py on the dev split of public-list names (docs/matching.md). Costs in centibits."
)


def rows(path: Path):
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def initial() -> dict:
    from tansiq.matching.edit import CONTEXTS
    from tansiq.matching.text import ARABIC_UNITS, LATIN_UNITS, ROMANISATION, UNIT_ID, UNITS

    n = len(UNITS)
    far, near = 700, 150
    sub = [[far] * n for _ in range(n)]

    def close(x: str, y: str, c: int) -> None:
        if x in UNIT_ID and y in UNIT_ID and x != y:
            i, j = UNIT_ID[x], UNIT_ID[y]
            sub[i][j] = sub[j][i] = min(sub[i][j], c)

    vowels = set(ROMANISATION["vowels"].split())
    for x in vowels:
        for y in vowels:
            close(x, y, 300)
    for group in ROMANISATION["latin_groups"] + ROMANISATION["arabic_groups"]:
        for x in group.split():
            for y in group.split():
                close(x, y, near + 50)
    for arabic, latin in ROMANISATION["arabic"].items():
        for k, x in enumerate(latin.split()):
            close(arabic, x, min(20 * k, 150))
    for i in range(n):
        sub[i][i] = 0
    light = {"h": 200, "ه": 200, "ا": 50, "ع": 100, "ي": 150, "و": 150}
    gap = []
    for other in (0, 1):
        one = [far] * n
        for u in UNITS:
            one[UNIT_ID[u]] = (20 if other == 1 and u in LATIN_UNITS else 150) if u in vowels else 600
        for u, c in light.items():
            one[UNIT_ID[u]] = c
        gap.append([[min(far, c + 150) for c in one]] + [list(one) for _ in range(CONTEXTS - 1)])
    assert len(ARABIC_UNITS) + len(LATIN_UNITS) == n
    from tansiq.matching.parts import SKIPS

    return {
        "header": HEADER,
        "sub": sub,
        "gap": gap,
        "skip": [20 if s.startswith("article") else 100 for s in SKIPS],
        "row": {
            "start": [[-900] * 4 for _ in range(3)],
            "worth": [200, 350, 500, 650, 750, 850, 950, 1000],
            "conflict": [-600] * 3,
            "initial": 100,
            "only": [[-150, -100, -80] for _ in range(4)],
            "title": -20,
            "order": -50,
            "ends": [[-50, -100, -150, -200] for _ in range(4)],
            "join": -100,
            "group": 300,
            "linked": [[0, -50, 200] for _ in range(3)],
            "edited": [[[0] * 3 for _ in range(3)] for _ in range(3)],
        },
        "common": {},
        "given": {},
        "forest": {"roots": [], "feature": [], "limit": [], "left": [], "value": []},
        "groups": "",
        "rare_groups": "",
        "links": {},
        "counts": {},
        "total": 0,
    }


class Tally(NamedTuple):
    """How often skeletons and spellings were counted, spellings as the first word too, and the names counted."""

    seen: Counter[str]
    spelled: Counter[str]
    first: Counter[str]
    names: set[str]
    register: set[str]


def common_of(spelled: int) -> int:
    return spelled.bit_length() if spelled >= 2 else 0


def given_of(spelled: int, first: int) -> int:
    return (5 * first - 1) // spelled if first else 0


SEEN, SPELLED = 2, 6
"""Skeletons and spellings counted less often than this have no entry (`counts`, `given`)."""


def count(raw: dict, directory: Path, fold: int | None) -> Tally:
    """How often skeletons and spellings occur among distinct dev names; without the persons of the fold kept out."""
    from tansiq.matching.parts import core, parts, skeleton

    seen: Counter[str] = Counter()
    spelled: Counter[str] = Counter()
    used, kept, register = set(), set(), set()
    for d in rows(directory / "pairs_dev.jsonl.gz"):
        for person, name in ((d["pa"], d["a"]), (d["pb"], d["b"])):
            (kept if person % FOLDS == fold else used).add(name)
    first: Counter[str] = Counter()

    def spell(name: str) -> None:
        found = [p.letters for p in parts(name)]
        spelled.update(set(found))
        first.update(found[:1])

    for name in sorted(used - kept):
        spell(name)
    for d in rows(directory / "retrieval_index_dev.jsonl.gz"):
        if d["name"] not in kept:
            seen.update(skeleton(core(p)) for p in parts(d["name"]))
            if d["name"] not in used:
                spell(d["name"])
            register.add(d["name"])
    raw["counts"], raw["total"] = {k: v for k, v in sorted(seen.items()) if v >= SEEN}, sum(seen.values())
    raw["common"] = classes({k: common_of(v) for k, v in spelled.items() if v >= 2})
    raw["given"] = classes({k: given_of(v, first[k]) for k, v in spelled.items() if v >= SPELLED})
    raw["rare_groups"] = train_groups.written(train_groups.rare(sorted(register)))
    return Tally(seen, spelled, first, (used - kept) | register, register)


def unmet(directory: Path, fold: int, mine: list[Seen]) -> list[Seen]:
    """The pairs of the fold asked anew, as if no name of the second person had been counted either.

    Only the first person of a false pair need be of the fold. The second one's words would have been counted, those of
    a true pair never: a difference that no pair of two unknown persons shows.
    """
    from tansiq.matching import edit, judge, names
    from tansiq.matching.parts import parts

    held, tables = count({}, directory, fold), edit.TABLES
    names_of: dict[int, set[str]] = {}
    for d in rows(directory / "pairs_dev.jsonl.gz"):
        names_of.setdefault(d["pa"], set()).add(d["a"])
        names_of.setdefault(d["pb"], set()).add(d["b"])

    def change(name: str, by: int) -> None:
        for k, p in enumerate(parts(name)):
            held.spelled[p.letters] += by
            held.first[p.letters] += by if k == 0 else 0
            held.seen[judge.bones(p)] += by if name in held.register else 0
            v, seen = held.spelled[p.letters], held.seen[judge.bones(p)]
            tables.common[p.letters] = common_of(v)
            tables.given[p.letters] = given_of(v, held.first[p.letters]) if v >= SPELLED else 2
            tables.counts[judge.bones(p)] = seen if seen >= SEEN else 0

    out = []
    for s in mine:
        first, second = s.row["pa"], s.row["pb"]
        gone = [] if second == first or second % FOLDS == fold else sorted(names_of[second] & held.names)
        for by in (-1, 1):
            for name in gone:
                change(name, by)
            names.rarity.cache_clear()
            if by < 0:
                asked, words = ask(s.row["a"], s.row["b"])
                out.append(s._replace(asked=asked, words=words))
    return out


def classes(of: dict[str, int]) -> dict[str, str]:
    """{word: class} as {class: words}, the way it is written down."""
    out: dict[str, list[str]] = {}
    for word, k in sorted(of.items()):
        out.setdefault(str(k), []).append(word)
    return {k: " ".join(v) for k, v in sorted(out.items())}


def link(raw: dict, learn: list) -> None:
    """Which Latin spellings were met with which Arabic words in true pairs, by at least three different names."""
    from tansiq.matching import names
    from tansiq.matching.edit import ARTICLE
    from tansiq.matching.text import ARABIC

    seen: dict[tuple[str, str], set] = {}
    for x, y, same, weight in learn:
        if not same or weight < 1:
            continue
        for g in names.align(x, y):
            if g.i2 - g.i == 1 and g.j2 - g.j == 1 and g.points > 0 and g.info > 0:
                p, q = x[g.i], y[g.j]
                if p.script != q.script:
                    latin, arabic = (q, p) if p.script == ARABIC else (p, q)
                    latin_key = " ".join(w.letters for w in (y if p.script == ARABIC else x))
                    bare = arabic.letters
                    bare = bare[2:] if bare.startswith(ARTICLE) and len(bare) > 4 else bare
                    seen.setdefault((latin.letters, bare), set()).add(latin_key)
    links: dict[str, list[str]] = {}
    for (latin, arabic), who in sorted(seen.items()):
        if len(who) >= 3:
            links.setdefault(latin, []).append(arabic)
    raw["links"] = {k: " ".join(v) for k, v in links.items()}


def save(raw: dict) -> None:
    OUT.write_text(json.dumps(raw, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


class Space:
    """The learned numbers as one vector: every number has a place, a lower and an upper bound."""

    def __init__(self, raw: dict) -> None:
        self.raw = raw
        self.place: dict[tuple, int] = {}
        self.value: list[float] = []
        self.low: list[float] = []
        self.high: list[float] = []
        n = len(raw["sub"])
        for i in range(n):
            for j in range(i + 1, n):
                self._put(("sub", i, j), raw["sub"][i][j], 0, 700)
        for o in range(2):
            for p in range(len(raw["gap"][o])):
                for u in range(n):
                    self._put(("gap", o, p, u), raw["gap"][o][p][u], 0, 700)
        for k, c in enumerate(raw["skip"]):
            self._put(("skip", k), c, 0, 700)
        row = raw["row"]
        for k, c in enumerate(row["worth"]):
            self._put(("worth", k), c, 0, 2500)
        for k, c in enumerate(row["conflict"]):
            self._put(("conflict", k), c, -2000, 0)
        for x in range(3):
            for k, c in enumerate(row["start"][x]):
                self._put(("start", x, k), c, -1200, 1000)
        for x in range(4):
            for k, c in enumerate(row["only"][x]):
                self._put(("only", x, k), c, -1000, 100)
        for x in range(3):
            for k in range(3):
                for m in range(3):
                    self._put(("edited", x, k, m), row["edited"][x][k][m], -150, 600)
        for x in range(2):
            self._put(("linked", x, 1), row["linked"][x][1], -300, 100)
            self._put(("linked", x, 2), row["linked"][x][2], 0, 600)
        for x in range(4):
            for k in range(4):
                self._put(("ends", x, k), row["ends"][x][k], -1500, 300)
        for name in ("initial", "title", "order"):
            self._put((name,), row[name], -1000, 500)
        self._put(("join",), row["join"], -600, -20)
        self._put(("group",), row["group"], 50, 600)

    def _put(self, key: tuple, value: float, low: float, high: float) -> None:
        self.place[key] = len(self.value)
        self.value.append(value)
        self.low.append(low)
        self.high.append(high)

    def write_back(self, theta) -> None:
        """The vector into the tables, rounded to whole centibits."""
        raw, at = self.raw, lambda *key: round(float(theta[self.place[key]]))
        for key, p in self.place.items():
            v = round(float(theta[p]))
            if key[0] == "sub":
                raw["sub"][key[1]][key[2]] = raw["sub"][key[2]][key[1]] = v
            elif key[0] == "gap":
                raw["gap"][key[1]][key[2]][key[3]] = v
            elif key[0] == "skip":
                raw["skip"][key[1]] = v
            elif key[0] == "edited":
                raw["row"]["edited"][key[1]][key[2]][key[3]] = v
            elif len(key) == 1:
                raw["row"][key[0]] = v
            elif len(key) == 2:
                raw["row"][key[0]][key[1]] = v
            else:
                raw["row"][key[0]][key[1]][key[2]] = at(*key)


def trace(a, b, f: dict, place: dict) -> None:
    """Adds the operations of the cheapest alignment of two parts to the feature counts `f` (costs count negative)."""
    from tansiq.matching import edit

    tables = edit.TABLES
    if a.units == b.units:
        return
    ga, sa = edit.edges(a.units, a.skips, b.script)
    gb, sb = edit.edges(b.units, b.skips, a.script)
    n, m = len(a.units), len(b.units)
    d = [list(sb)] + [[sa[i]] + [0] * m for i in range(1, n + 1)]
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            d[i][j] = min(
                d[i - 1][j - 1] + tables.sub[a.units[i - 1]][b.units[j - 1]],
                d[i][j - 1] + gb[j - 1],
                d[i - 1][j] + ga[i - 1],
            )

    def add(*key):
        f[place[key]] = f.get(place[key], 0) - 1

    def gap(p, other, i):
        add("gap", other, edit.context(p.units, i), p.units[i])

    i, j = n, m
    while i and j:
        x, y = a.units[i - 1], b.units[j - 1]
        if d[i][j] == d[i - 1][j - 1] + tables.sub[x][y]:
            if x != y:
                add("sub", min(x, y), max(x, y))
            i, j = i - 1, j - 1
        elif d[i][j] == d[i][j - 1] + gb[j - 1]:
            j -= 1
            gap(b, a.script, j)
        else:
            i -= 1
            gap(a, b.script, i)
    for p, g, k, other, total in ((a, ga, i, b.script, sa[i]), (b, gb, j, a.script, sb[j])):
        if not k:
            continue
        rest, skip = k, None
        if total != sum(g[:k]):
            for size, kind in p.skips:
                if size <= k and total == tables.skip[kind] + sum(g[size:k]):
                    skip = (size, kind)
                    break
        low = 0
        if skip:
            low = skip[0]
            add("skip", skip[1])
        for t in range(low, rest):
            gap(p, other, t)


def features(x, y, place: dict) -> dict[int, float]:
    """The features of one pair of names under its best alignment: sum of feature * number = centibits of the pair."""
    from tansiq.matching import names

    met = names.align(x, y)
    f: dict[int, float] = {}

    def add(v, *key):
        f[place[key]] = f.get(place[key], 0) + v

    scripts, shorter = names._context(x, y)
    add(1, "start", scripts, shorter)
    lone = 0
    for g in met:
        if g.i2 == g.i or g.j2 == g.j:
            p = x[g.i] if g.i2 > g.i else y[g.j]
            if p.title:
                add(1, "title")
            else:
                add(1, "only", shorter, min(lone, 2))
                lone += 1
            continue
        p = x[g.i] if g.i2 - g.i == 1 else names.merged(x[g.i], x[g.i + 1])
        q = y[g.j] if g.j2 - g.j == 1 else names.merged(y[g.j], y[g.j + 1])
        if g.info < 0:
            add(1, "initial") if g.points > names._conflict(0) else add(1, "conflict", 0)
        elif g.points <= names._conflict(g.info):
            add(1, "conflict", 0 if g.info < 600 else 1 if g.info < 900 else 2)
        else:
            k = min(max(g.info, names.KNOTS[0]), names.KNOTS[-1])
            at = min((k - names.KNOTS[0]) // 200, len(names.KNOTS) - 2)
            w = (k - names.KNOTS[at]) / 200
            add(1 - w, "worth", at)
            add(w, "worth", at + 1)
            if g.i2 - g.i + g.j2 - g.j > 2:
                add(1, "join")
            price, how = names.price_of(p, q)
            if how == "group":
                add(-1, "group")
            elif how == "edit":
                trace(p, q, f, place)
            elif how == "judged" and price > (
                names.SLIP if names.kind_of(p, q)[0] == 1 and not names.relation(p, q) else 0
            ):
                trace(p, q, f, place)
                add(-1, "edited", *names.kind_of(p, q))
                if names.relation(p, q):
                    add(-1, "linked", names.kind_of(p, q)[0], names.relation(p, q))
            else:
                f[-1] = f.get(-1, 0) - price
    if names.crossed(met):
        add(1, "order")
    if ends := names.loose_ends(x, y, met):
        add(1, "ends", shorter, ends - 1)
    return f


def use(raw: dict) -> None:
    from tansiq.matching import edit, names

    edit.TABLES.__init__(raw)
    for cached in (edit.edges, names.rarity, names.price_of):
        cached.cache_clear()


def material(directory: Path, fold: int | None) -> list[tuple]:
    """Pairs to learn from: (parts, parts, same, weight); nobody of the fold kept out is on either side."""
    from tansiq.matching.names import _sorted

    learn, stressed = [], set()
    weight = {"core": 1.0, "partial": 1.0, "hard": 1.0, "random": 1.0, "minimal": MINIMAL}
    for d in rows(directory / "pairs_dev.jsonl.gz"):
        if d["tier"] in weight and fold not in (d["pa"] % FOLDS, d["pb"] % FOLDS):
            x, y, _ = _sorted(d["a"], d["b"])
            if x and y:
                learn.append((x, y, d["same"], weight[d["tier"]]))
    for d in rows(directory / "pairs_stress_dev.jsonl.gz"):
        stressed.add(d["pa"])
        if d["pa"] % FOLDS == fold or "typo" in d["kind"]:
            continue  # typing errors are made below, of other names: those of the data set stay a test
        x, y, _ = _sorted(d["a"], d["b"])
        if x and y:
            learn.append((x, y, True, STRESS))
        for k, z in enumerate((x, y)):
            # a name is a spelling of itself: the data hold no such pairs, and hardly any true Arabic-Arabic ones
            if z and d["pa"] % 4 == k:
                learn.append((z, z, True, SELF))
    rnd = random.Random(SEED)
    for d in rows(directory / "pairs_dev.jsonl.gz"):
        if d["same"] and d["tier"] == "core" and d["pa"] not in stressed and d["pa"] % FOLDS != fold:
            add_slips(learn, d, rnd)
    return learn


SEED = 20260711
FOLDS = 5
"""Persons are kept out by their number modulo this."""


def add_slips(learn: list, d: dict, rnd: random.Random) -> None:
    """Typing errors by rule: one slip in one word, against the name as it was and against the other spelling."""
    from tansiq.matching.names import _sorted

    kind = rnd.random()
    if kind > SLIPS:
        return
    a, b = (d["a"], d["b"]) if rnd.random() < 0.5 else (d["b"], d["a"])
    if kind < SLIPS / 2:
        b = a
    wrong = slip(b, rnd)
    if wrong:
        x, y, _ = _sorted(a, wrong)
        if x and y:
            learn.append((x, y, True, STRESS))


SLIPS = 0.2
MINIMAL, STRESS, SELF = 1.0, 1.2, 0.3


def fit(space: Space, theta, prior, csr, y, w, steps: int, strength):
    """Adam on the weighted log loss in bits with a pull towards the prior; numbers stay within their bounds."""
    rows_, cols, vals, n, fixed = csr
    low, high = np.array(space.low), np.array(space.high)
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    for step in range(1, steps + 1):
        z = (np.bincount(rows_, vals * theta[cols], minlength=n) + fixed) / 100
        p = 1 / (1 + np.exp2(-np.clip(z, -60, 60)))
        grad = np.bincount(cols, (w * (p - y))[rows_] * vals, minlength=len(theta)) + strength * (theta - prior)
        m = 0.9 * m + 0.1 * grad
        v = 0.99 * v + 0.01 * grad * grad
        rate = 12.0 * min(1.0, 2.0 * (1 - step / (steps + 1)))
        theta = theta - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-3)
        theta = np.clip(theta, low, high)
    loss = float(np.sum(w * np.logaddexp(0, np.where(y > 0, -z, z) * np.log(2))) / np.sum(w))
    return theta, loss


def learn_tables(directory: Path, rounds: int, fold: int | None) -> dict:
    """The costs and weights, learned without the persons of one fold."""
    raw = initial()
    count(raw, directory, fold)
    use(raw)
    learn = material(directory, fold)
    space = Space(raw)
    theta = np.array(space.value, dtype=float)
    prior = theta.copy()
    strength = np.array([PULL if k[0] in {"sub", "gap", "skip"} else PULL / 100 for k in space.place])
    y = np.array([p[2] for p in learn], dtype=float)
    w = np.array([p[3] for p in learn], dtype=float)
    for r in range(rounds):
        if r == 1:
            link(raw, learn)
            use(raw)
        cols, vals, index = [], [], []
        fixed = np.zeros(len(learn))
        for k, (a, b, _, _) in enumerate(learn):
            f = features(a, b, space.place)
            fixed[k] = f.pop(-1, 0)
            cols.extend(f.keys())
            vals.extend(f.values())
            index.extend([k] * len(f))
        csr = np.array(index), np.array(cols), np.array(vals, dtype=float), len(learn), fixed
        theta, loss = fit(space, theta, prior, csr, y, w, 150, strength)
        space.write_back(theta)
        use(raw)
        print(f"kept out {fold}, round {r}: loss {loss:.4f}", flush=True)
    tie(raw["row"])
    use(raw)
    return raw


def tie(row: dict) -> None:
    """A name of one part is judged as one of two: the data hold next to none, and what they teach of it is chance."""
    for values in row["start"]:
        values[0] = values[1]
    for name in ("only", "ends"):
        row[name][0] = list(row[name][1])


PULL = 0.004
WEIGHTS = {"core": 1.0, "partial": 1.0, "hard": 1.0, "random": 1.0, "minimal": 1.0, "slip": 1.2, "turned": 0.5}
WEIGHTS |= {"stress": 1.0, "other": 0.2, "stranger": 1.0}
"""What a pair of each tier counts for in the forest; other tiers are not learned from."""
SECOND_HAND = 0.2
"""How much of what the forest learns of a false pair is what others say that never saw the persons: a threshold chosen
on pairs that were learned from stands nearer to the one for new pairs. Of true pairs it learns the label alone: with
more it orders kept-out pairs worse."""


class Seen(NamedTuple):
    """One pair under costs that never saw its first person, what the forest is asked of it, and judge.columns."""

    fold: int
    row: dict
    asked: list[int]
    words: list[tuple[int, str]]

    @property
    def weight(self) -> float:
        return 0.0 if "typo" in self.row["kind"] else WEIGHTS.get(self.row["tier"], 0.0)


def ask(a: str, b: str) -> tuple[list[int], list[tuple[int, str]]] | None:
    """What the forest is asked, but for the groups of letters, and the words in which those are read."""
    from tansiq.matching import judge, names

    x, y, _ = names._sorted(a, b)
    if not x or not y:
        return None
    met = names.align(x, y)
    return names.asked(x, y, met), [(column, p.letters) for column, p in judge.columns(x, y, met)]


def look(directory: Path, fold: int) -> list[Seen]:
    """The pairs of one fold's persons, real ones and such as are made of them, under the tables in use."""
    rnd = random.Random(SEED + fold)
    stress = [d for d in rows(directory / "pairs_stress_dev.jsonl.gz")]
    stressed = {d["pa"] for d in stress}
    data = [d for d in rows(directory / "pairs_dev.jsonl.gz") if d["pa"] % FOLDS == fold]
    made = [d for d in stress if d["pa"] % FOLDS == fold]
    near = neighbours()
    for d in data:
        if not d["same"] or d["tier"] != "core" or d["pa"] in stressed:
            continue
        for one in (False, True):
            if rnd.random() < 0.12:
                a, b = (d["a"], d["b"]) if rnd.random() < 0.5 else (d["b"], d["a"])
                a = b if one else a
                made.append(dict(d, a=a, b=slip(b, rnd) or b, tier="slip"))
        if rnd.random() < 0.06:
            a = d[rnd.choice("ab")]
            made.append(dict(d, a=a, b=" ".join(reversed(a.split(" "))), tier="turned"))
        if rnd.random() < 0.15:
            a, b = (d["a"], d["b"]) if rnd.random() < 0.5 else (d["b"], d["a"])
            other = another(b, near, rnd)
            if other:
                made.append(dict(d, a=b if rnd.random() < 0.6 else a, b=other, same=False, tier="other"))
    seen = ((d, ask(d["a"], d["b"])) for d in data + made + strangers(data, rnd))
    return [Seen(fold, d, *found) for d, found in seen if found is not None]


def strangers(data: list[dict], rnd: random.Random) -> list[dict]:
    """False pairs of two persons who have true ones: some sources have no false pairs of their own.

    Every second name is cut to one part: `Abu Jarrah` stands in true pairs as a by-name, hardly in false ones.
    """
    from tansiq.matching.parts import parts

    true = [d for d in data if d["same"]]
    out = []
    for d in true:
        other = rnd.choice(true)
        if rnd.random() < STRANGERS and other["pa"] != d["pa"]:
            b = rnd.choice((other["a"], other["b"]))
            if rnd.random() < 0.5:
                b = rnd.choice(parts(b)).shown
            out.append(dict(d, a=d[rnd.choice("ab")], b=b, pb=other["pa"], same=False, tier="stranger"))
    return out


STRANGERS = 0.12


def used(seen: list[Seen], without: set[int | None]) -> list[Seen]:
    """What is learned from where nobody of some folds may stand in a pair."""
    return [s for s in seen if s.weight and without.isdisjoint((s.row["pa"] % FOLDS, s.row["pb"] % FOLDS))]


EACH, LAST = boosting.Plan(), boosting.Plan(seed=2)
"""How every forest grows, and the one that is kept: of the seeds 1 to 7 the one under which the fewest invented pairs
of tests/vectors change sides. One seed for another moves F1 of kept-out pairs by 0.0004."""


def fair(learn: list[Seen], without: set[int | None]) -> np.ndarray:
    """What pairs count for where folds are kept out: pairs of two persons are lost oftener, by either of the two.

    Uncounted, that would teach that more pairs are true than are, and lower every threshold chosen there. Strangers
    count twice in every forest: those made by rule are few beside those that an officer's index will show.
    """
    more = FOLDS / (FOLDS - len(without - {None}))
    two = np.array([more if s.row["pa"] != s.row["pb"] else 1 for s in learn])
    return two * [s.weight * (2 if s.row["tier"] == "stranger" else 1) for s in learn]


def answered(s: Seen, table: list[int]) -> Seen:
    from tansiq.matching import judge

    asked = list(s.asked)
    asked[train_groups.AT] = judge.say(table, s.words)
    return s._replace(asked=asked)


def lettered(seen: list[Seen], without: int | None) -> tuple[list[Seen], list[int]]:
    """Each pair answered by groups of letters learned without its fold and one more; and the mean of those tables.

    The mean answers for that one more fold, and is what is used: each table in it knows only some pairs by heart.
    """
    learned = {}
    for fold in set(range(FOLDS)) - {without}:
        learn = used(seen, {without, fold})
        weights, base = (np.array(v, dtype=float) for v in ([s.weight for s in learn], [s.asked[0] for s in learn]))
        learned[fold] = train_groups.learn([s.words for s in learn], labels(learn), weights, base)
    mean = train_groups.table(list(learned.values()))
    tables = {fold: train_groups.table([found]) for fold, found in learned.items()}
    return [answered(s, tables.get(s.fold, mean)) for s in seen], mean


def forest_of(learn: list[Seen], y: np.ndarray, without: set[int | None], plan: boosting.Plan = EACH):
    x = np.array([s.asked for s in learn])
    return boosting.grow(x, y, fair(learn, without), x[:, 0], plan)


def labels(pairs: list[Seen]) -> np.ndarray:
    return np.array([s.row["same"] for s in pairs], dtype=float)


def grown(seen: list[Seen], without: int | None):
    """The forest of the pairs in which nobody of one fold stands.

    It learns the label, and of false pairs in part what forests say that never saw the first person (SECOND_HAND).
    """
    learn = used(seen, {without})
    y, folds = labels(learn), np.array([s.fold for s in learn])
    false = y == 0
    for fold in set(range(FOLDS)) - {without}:
        theirs = used(seen, {without, fold})
        at = np.flatnonzero(false & (folds == fold))
        z = np.array(said(forest_of(theirs, labels(theirs), {without, fold}), [learn[k] for k in at]))
        y[at] = SECOND_HAND / (1 + np.exp2(-z / 100))
    return forest_of(learn, y, {without}, LAST)


def evaluator(directory: Path):
    spec = importlib.util.spec_from_file_location("evaluate", directory / "evaluate.py")
    ev = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ev)
    return ev


def quality(ev, seen: list[Seen], centibits: list[float], threshold: float | None = None) -> None:
    """The evaluator's main figures, at this threshold or at the best for these pairs."""
    real = [
        (s.row, z)
        for s, z in zip(seen, centibits, strict=True)
        if s.row["tier"] not in {"stress", "slip", "turned", "other", "stranger"}
    ]
    data, told = [d for d, _ in real], [z for _, z in real]
    threshold = ev.main_threshold(data, told) if threshold is None else threshold
    report = ev.report(data, told, threshold)
    for g in ("all", "arabic-latin", "latin-latin", "perso-arabic-latin"):
        print(f"  {g:20}", " ".join(f"{k} {report[g][k]:.4f}" for k in ("AP", "R_at_P95", "R_at_FPR1", "F1")))
    print("  from", threshold, {k: round(v["hit_rate"], 3) for k, v in report["hit_rate_on_set_aside"].items()})
    hits: dict[str, list[int]] = {}
    for s, z in zip(seen, centibits, strict=True):
        if s.row["tier"] == "stress":
            h = hits.setdefault(s.row["kind"][7:], [0, 0])
            h[0] += z >= threshold
            h[1] += 1
    print("  ", {k: round(h[0] / h[1], 3) for k, h in sorted(hits.items())}, flush=True)


def validate(directory: Path, seen: list[Seen]) -> None:
    """Each fold under costs and a forest that never saw its persons, and as if nobody of its pairs had been counted.

    Then the same at the threshold that is best for the pairs that a forest learned from, the mean of five: it is lower,
    and it is what the evaluator takes, which chooses on dev. A fifth of the true pairs is left out there, so that there
    is one true pair to as many false ones as in dev (`fair`).
    """
    ev = evaluator(directory)
    held, told, chosen = [], [], []
    for fold in range(FOLDS):
        known, table = lettered(seen, fold)
        forest = grown(known, fold)
        mine = [s for s in known if s.fold == fold]
        own = [answered(s, table) for s in seen if fold not in (s.row["pa"] % FOLDS, s.row["pb"] % FOLDS)]
        own = [s for s in own if s.row["pa"] != s.row["pb"] or s.row["pa"] // FOLDS % FOLDS]
        held += mine
        told += said(forest, mine)
        chosen.append(ev.main_threshold([s.row for s in own], said(forest, own)))
    print("kept out, without the forest")
    quality(ev, held, [s.asked[0] for s in held])
    print("kept out, with the forest")
    quality(ev, held, told)
    print("kept out, at the threshold of what was learned from")
    quality(ev, held, told, sum(chosen) / FOLDS)


def said(forest, pairs: list[Seen]) -> list[int]:
    from tansiq.matching import judge

    x = np.array([s.asked for s in pairs])
    return forest.predict(x, x[:, 0], judge.BOUND).tolist()


def main() -> None:
    what, directory = sys.argv[1], Path(sys.argv[2])
    if what == "init":
        raw = initial()
        count(raw, directory, None)
        save(raw)
        return
    seen: list[Seen] = []
    for fold in range(FOLDS):
        use(learn_tables(directory, ROUNDS, fold))
        seen += unmet(directory, fold, look(directory, fold))
    validate(directory, seen)
    if what == "train":
        known, table = lettered(seen, None)
        last = {"groups": train_groups.written(table), "forest": grown(known, None).flat()}
        save({**learn_tables(directory, ROUNDS, None), **last})


ROUNDS = 5


if __name__ == "__main__":
    main()
