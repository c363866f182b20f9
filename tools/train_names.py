"""Learns the tables of `tansiq.matching` (data/learned.json) from the DEV split of a names data set, and from nothing else.

    python tools/train_names.py init  DIR      the hand-made starting point (romanisation.json), rarity counted from dev
    python tools/train_names.py train DIR      costs and weights learned from the dev pairs
DIR holds pairs_dev.jsonl.gz, pairs_stress_dev.jsonl.gz and retrieval_index_dev.jsonl.gz. Needs numpy only.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "src/tansiq/matching/data/learned.json"
HEADER = "Learned by tools/train_names.py on the dev split of public-list names (see docs/matching.md). Costs in centibits."


def rows(path: Path):
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def initial() -> dict:
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
        gap.append([[min(far, c + 150) for c in one], list(one), list(one)])
    assert len(ARABIC_UNITS) + len(LATIN_UNITS) == n
    from tansiq.matching.parts import SKIPS

    return {
        "header": HEADER,
        "sub": sub,
        "gap": gap,
        "skip": [20 if s.startswith("article") else 100 for s in SKIPS],
        "row": {"start": -900, "worth": [200, 350, 500, 650, 750, 850, 950, 1000], "conflict": -600, "initial": 100, "only": [-150, -100, -80], "title": -20, "order": -50},
        "counts": {},
        "total": 0,
    }


def count(directory: Path) -> tuple[dict[str, int], int]:
    from tansiq.matching.parts import core, parts, skeleton

    seen: Counter[str] = Counter()
    for d in rows(directory / "retrieval_index_dev.jsonl.gz"):
        for p in parts(d["name"]):
            seen[skeleton(core(p))] += 1
    return {k: v for k, v in sorted(seen.items()) if v >= 2}, sum(seen.values())


def save(raw: dict) -> None:
    OUT.write_text(json.dumps(raw, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    what, directory = sys.argv[1], Path(sys.argv[2])
    if what == "init":
        raw = initial()
        raw["counts"], raw["total"] = count(directory)
        save(raw)


if __name__ == "__main__":
    main()
