"""Claim: a search of 10,000 records by a name in another script or spelling feels instant, sealed rows included.

Peer in the same run: the standard library's difflib, which compares the query with every name in turn (in Latin script
only: it cannot compare scripts). Printed: milliseconds of both, the ratio, and how often the right record came first.
Usage: python benchmarks/bank_search.py [RECORDS]
"""

from __future__ import annotations

import difflib
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from tansiq.bank import Bank, parse_entity
from tansiq.bank.model import Entity, Provenance
from tansiq.crypto import SigningKeys, Vault, node_id
from tansiq.ledger import Ledger
from tansiq.policy import load_gate
from tansiq.store import Store

# (as held, another Latin spelling, Arabic): invented combinations of common name parts.
GIVEN = [
    ("Yasser", "Yassir", "ياسر"),
    ("Karim", "Kareem", "كريم"),
    ("Nadia", "Nadya", "نادية"),
    ("Soufiane", "Sufyan", "سفيان"),
    ("Rachid", "Rashid", "رشيد"),
    ("Mohamed", "Muhammad", "محمد"),
    ("Khadija", "Jadiya", "خديجة"),
    ("Hicham", "Hisham", "هشام"),
    ("Youssef", "Yusuf", "يوسف"),
    ("Abdellah", "Abdullah", "عبد الله"),
    ("Mustapha", "Mostafa", "مصطفى"),
    ("Brahim", "Ibrahim", "إبراهيم"),
    ("Hassan", "Hasan", "حسن"),
    ("Nabil", "Nabeel", "نبيل"),
]
FAMILY = [
    ("Tazeghart", "Tazaghart", "تازغارت"),
    ("Ouazzani", "Wazzani", "الوزاني"),
    ("Sebti", "Sabti", "السبتي"),
    ("Alaoui", "Alawi", "العلوي"),
    ("Benomar", "Ben Omar", "بنعمر"),
    ("Idrissi", "Idrisi", "الإدريسي"),
    ("Berrada", "Barrada", "برادة"),
    ("Chraibi", "Shraibi", "الشرايبي"),
    ("Bennani", "Benani", "بناني"),
    ("Mansouri", "Mansuri", "المنصوري"),
    ("Zerhouni", "Zarhuni", "الزرهوني"),
    ("Kettani", "Kattani", "الكتاني"),
    ("Benjelloun", "Ben Jelloun", "بنجلون"),
    ("Boukhari", "Bukhari", "البخاري"),
    ("Sefrioui", "Safriwi", "الصفريوي"),
]


def person(name: str, born: str = "") -> Entity:
    claims = [{"property": "name", "value": name}]
    if born:
        claims.append({"property": "birthDate", "value": born})
    return parse_entity({"id": "p", "schema": "Person", "claims": claims})


def timed(work: Callable[[str], object], queries: Iterable[str]) -> list[float]:
    found = []
    for query in queries:
        begin = time.perf_counter()
        work(query)
        found.append((time.perf_counter() - begin) * 1000)
    return found


def fill(bank: Bank, store: Store, names: list[str], chance: random.Random) -> float:
    begin = time.perf_counter()
    for start in range(0, len(names), 500):
        people = [person(n, str(chance.randint(1950, 2005))) for n in names[start : start + 500]]
        store.write(
            lambda tx, people=people: [bank.add(tx, p, Provenance("own", "r", originator="MA")) for p in people]
        )
    return time.perf_counter() - begin


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    chance = random.Random(20261122)
    triples = list(itertools.product(GIVEN, GIVEN, FAMILY, FAMILY))
    held = chance.sample(triples, min(number, len(triples)))
    names = [" ".join(part[0] for part in parts) for parts in held]
    asked = chance.sample(held, 40)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{folder}/bench.db")
        keys = SigningKeys.generate()
        vault = Vault(bytes(range(32)))
        ledger = Ledger(store, keys, vault, node_id("MA", keys.public), "tansiq/bench")
        ids = itertools.count()
        bank = Bank(store, vault, ledger, lambda: datetime.now(UTC), lambda: f"{next(ids):032x}", load_gate("MA"), "MA")
        filled = fill(bank, store, names, chance)
        bank.find(person(names[0]))
        latin = [" ".join(part[1] for part in parts) for parts in asked]
        arabic = [" ".join(part[2] for part in parts) for parts in asked]
        ours = timed(lambda q: bank.find(person(q)), [*latin, *arabic])
        first = sum(
            (best := bank.find(person(query), 1)) != []
            and best[0].record.entity.names()[0] == " ".join(p[0] for p in parts)
            for query, parts in [*zip(latin, asked, strict=True), *zip(arabic, asked, strict=True)]
        )
        peer = timed(lambda q: difflib.get_close_matches(q, names, 1, 0.5), latin[:8])
        store.close()
    shown = {
        "records": len(names),
        "fill_records_per_s": round(len(names) / filled),
        "search_ms_p50": round(statistics.median(ours), 1),
        "search_ms_p99": round(statistics.quantiles(ours, n=100)[98], 1),
        "right_record_first": f"{first}/{len(asked) * 2}",
        "difflib_scan_ms_p50": round(statistics.median(peer), 1),
        "times_faster_than_difflib": round(statistics.median(peer) / statistics.median(ours), 1),
    }
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
