"""From a report recorded in Rabat to a match shown in Madrid: latency and throughput, beside this machine's floor.

Two nodes, two processes, TLS 1.3 over loopback, SQLite with full synchronisation, every step of the way for real:
rules, law gate, signatures, ledger, outbox, envelope, receipt, bank, examination. The floor is measured in the same
run: what nobody can do without (two durable commits, one double signature, one double verification, one seal, one
open, two loopback requests), one after the other. Goals: p50 within 3 times the floor, throughput at least a third of
what the floor allows. Single reports are recorded when the one before has come to rest, receipt included; between them
runs one round of the floor, so that both meet the same machine. The burst is recorded by eight officers at once. The
floor is also measured in a row, before and after, and the goals are held against the lower median. A machine that wakes
works slower than one at work, and the floor from rest is the one that single reports meet: its ratio is shown beside.

    python benchmarks/append_to_alert.py [--reports 200] [--burst 400] [--holdings 1000] [--steps] [--json]

`--steps` shows where a single report's time goes: the median from each point of the way to the next. The points are
the fault points at which the crash tests stop a node, and the ends of the verbs; both processes read one clock.
"""

from __future__ import annotations

import argparse
import http.client
import http.server
import itertools
import json
import multiprocessing
import os
import secrets
import signal
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog

from tansiq import crypto
from tansiq.access.model import Acting, Role
from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.exchange import Courier
from tansiq.hits.model import Match
from tansiq.node import Node
from tansiq.serving import serve, spare_collector

FIRST = ["يونس", "كريم", "سعيد", "مريم", "نادية", "عمر", "ياسين", "سلمى", "رشيد", "هند"]
LATIN = ["Younes", "Karim", "Said", "Mariam", "Nadia", "Omar", "Yassine", "Salma", "Rachid", "Hind"]
SYLLABLES = ["با", "ري", "مو", "نا", "دي", "سو", "كا", "لي", "فا", "زو"]
LATIN_SYLLABLES = ["ba", "ri", "mou", "na", "di", "sou", "ka", "li", "fa", "zou"]
WAIT_S = 120.0
WARM_UP = 10
"""Single reports that are not counted: first connections, first statements, first imports."""


def number(n: int) -> str:
    return f"+2126{n:08d}"


def name_of(n: int, first: list[str], syllables: list[str]) -> str:
    """An invented name; the family names of a thousand people are all different, as they mostly are in life."""
    family = "".join(syllables[n // power % 10] for power in (100, 10, 1))
    return f"{first[(n * 7 + n // 10 * 3 + n // 100 * 9) % 10]} {family.capitalize()}"


def year_of(n: int) -> str:
    """Spread, so that who is called alike was mostly not born in the same year."""
    return str(1940 + n * 7919 % 61)


def holding(n: int) -> dict[str, Any]:
    """An invented person whom Madrid holds in Latin script, with a number."""
    name = name_of(n, LATIN, LATIN_SYLLABLES)
    claims = [("name", name), ("birthDate", year_of(n)), ("phone", number(n))]
    return {"id": f"p{n}", "schema": "Person", "claims": [{"property": p, "value": v} for p, v in claims]}


def report(n: int) -> dict[str, Any]:
    """A report about the same person, as Rabat writes it: narrative, person, phone, link."""
    person = [
        ("name", name_of(n, FIRST, SYLLABLES)),
        ("birthDate", year_of(n)),
        ("phone", number(n)),
    ]
    claims = [{"property": p, "value": v, "basis": "fact", "grade": "B2"} for p, v in person]
    phone = [{"property": "number", "value": number(n), "basis": "fact", "grade": "B2"}]
    return {
        "subject": "تنقل",
        "facts": {"crime_areas": ["terrorism"], "grade": "B2", "scheme": "4x4"},
        "handling": {"codes": ["H2"]},
        "legal": {
            "purpose": "prevention",
            "legal_basis": "Law 43-20, art. 12",
            "agreement": "ma-es-2019",
            "review_on": "2027-05-22",
            "erase_on": "2029-11-22",
        },
        "parts": [
            {"kind": "narrative", "lang": "ar", "text": "أفاد مصدر موثوق بتنقل الشخص عبر الميناء. " * 8},
            {"kind": "entity", "entity": {"id": "p1", "schema": "Person", "role": "SUSP", "claims": claims}},
            {"kind": "entity", "entity": {"id": "ph1", "schema": "Phone", "claims": phone}},
            {"kind": "link", "from": "p1", "to": "ph1", "type": "uses", "basis": "fact", "grade": "B2"},
        ],
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quiet() -> None:
    """No log line between two measurements."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


class Steps:
    """When the way passed which point, in this process. Off by default: it costs a list entry a point."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self.passed: list[tuple[str, float]] = []

    def __call__(self, point: str) -> None:
        if self._on:
            self.passed.append((point, time.monotonic()))  # one clock for all processes of this machine

    def take(self) -> list[tuple[str, float]]:
        found, self.passed = self.passed, []
        return found

    def around(self, owner: Any, verb: str, name: str) -> None:
        """Note the beginning and the end of a verb."""
        inner = getattr(owner, verb)

        def call(*args: Any, **kwargs: Any) -> Any:
            self(f"{name} begins")
            try:
                return inner(*args, **kwargs)
            finally:
                self(f"{name} ends")

        setattr(owner, verb, call)


def open_node(home: Path, steps: Steps) -> Node:
    """The node of a home folder, its fault points noted."""
    found = Node.open(home)
    found.close()
    return Node(found.settings, found.keys, fault=steps)


def madrid(home: str, told: Connection, trace: bool) -> None:
    """The receiving node, in a process of its own. Tells (entry, instant, CPU, steps) of each match once committed."""
    quiet()
    steps = Steps(trace)
    node = open_node(Path(home), steps)
    if trace:
        steps.around(node.exchange, "receive", "receive")
        steps.around(node.hits, "look_ahead", "examine")

    def tell(found: list[Match]) -> None:
        at = time.monotonic()
        for match in found:
            told.send((match.entry, at, time.process_time(), steps.take()))

    node.hits.told.append(tell)
    try:
        serve(node)
    except KeyboardInterrupt:
        return
    finally:
        node.close()


class Alerts:
    """When each entry's first match was shown in Madrid."""

    def __init__(self, told: Connection) -> None:
        self._told = told
        self._seen: dict[str, float] = {}
        self.steps: dict[str, list[tuple[str, float]]] = {}
        self.cpu = 0.0
        """Seconds of processor that Madrid's process had used at the last match."""
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                entry, at, cpu, steps = self._told.recv()
            except (EOFError, OSError):
                return
            with self._changed:
                self._seen.setdefault(entry, at)
                self.steps.setdefault(entry, []).extend(steps)
                self.cpu = cpu
                self._changed.notify_all()

    def wait(self, entries: set[str]) -> dict[str, float]:
        until = time.monotonic() + WAIT_S
        with self._changed:
            while not entries <= self._seen.keys():
                if not self._changed.wait(max(0.0, until - time.monotonic())):
                    missing = len(entries - self._seen.keys())
                    raise SystemExit(f"{missing} of {len(entries)} reports brought no match within {WAIT_S:.0f} s")
            return {e: self._seen[e] for e in entries}


def set_up(folder: Path, holdings: int) -> tuple[Path, Path]:
    """Two homes that know each other; Madrid with its holdings."""
    homes = (folder / "rabat", folder / "madrid")
    cards = []
    for home, country in zip(homes, ("MA", "ES"), strict=True):
        door = free_port()
        chosen = {"web": {"port": free_port()}, "exchange": {"port": door}}
        node = Node.init(home, home.name, country, url=f"https://127.0.0.1:{door}", chosen=chosen)
        cards.append(node.exchange.card_bytes())
        node.close()
    for home, card in zip(homes, reversed(cards), strict=True):
        node = Node.open(home)
        node.exchange.add_peer(card)
        if home.name == "madrid":
            for start in range(0, holdings, 500):
                part = range(start, min(start + 500, holdings))
                node.store.write(lambda tx, part=part, node=node: [put(node, tx, n) for n in part])
        node.close()
    return homes


def put(node: Node, tx: Any, n: int) -> None:
    node.bank.add(tx, parse_entity(holding(n)), Provenance("own", f"M-{n}", originator="ES"))


class Floor:
    """What nobody can do without, one after the other: two durable commits, one double signature, one double
    verification, one seal, one open, two loopback requests."""

    def __init__(self, folder: Path) -> None:
        self._keys, self._sealing = crypto.SigningKeys.generate(), crypto.SealingKeys.generate()
        self._name = crypto.node_id("MA", self._keys.public)
        self._body = secrets.token_bytes(2_000)
        self._base = sqlite3.connect(folder / "floor.db", isolation_level=None)
        self._base.execute("pragma journal_mode=wal")
        self._base.execute("pragma synchronous=full")
        self._base.execute("create table t (n integer primary key, b blob)")
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._line = http.client.HTTPConnection("127.0.0.1", self._server.server_address[1])
        self.in_a_row: list[float] = []
        """Seconds of rounds that follow each other at once."""
        self.from_rest: list[float] = []
        """Seconds of rounds between single reports: each from rest, as the reports are."""
        self.cpu = 0.0
        """Processor seconds of one round."""

    def round(self) -> float:
        began = time.perf_counter()
        signed = crypto.sign("application/x", self._body, self._keys, self._name)
        self._base.execute("insert into t (b) values (?)", (signed,))
        sealed = crypto.seal(signed, self._sealing.public, b"floor")
        for _ in range(2):
            self._line.request("POST", "/", body=sealed)
            self._line.getresponse().read()
        opened = crypto.open_sealed(sealed, self._sealing, b"floor")
        crypto.verify(opened, "application/x", self._keys.public, self._name)
        self._base.execute("insert into t (b) values (?)", (opened,))
        return time.perf_counter() - began

    def measure(self, rounds: int) -> None:
        for _ in range(WARM_UP):
            self.round()
        cpu = time.process_time()
        self.in_a_row += [self.round() for _ in range(rounds)]
        self.cpu = (time.process_time() - cpu) / rounds

    def p50(self) -> float:
        """The lower of the two medians: the harder floor."""
        return min(statistics.median(times) for times in (self.in_a_row, self.from_rest) if times)

    def close(self) -> None:
        self._line.close()
        self._server.shutdown()
        self._base.close()


class Echo(http.server.BaseHTTPRequestHandler):
    """The cheapest answer over a kept connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing: a line would be measured."""


@dataclass(frozen=True)
class Measured:
    """What the way took. `cpu_*`: processor seconds for one entry of the burst; `steps`: the way of single reports."""

    single: list[float]
    rate: float
    cpu_rabat: float
    cpu_madrid: float
    steps: Passed


Passed = dict[str, list[tuple[float, float]]]
"""Point of the way → (seconds since the beginning, seconds since the point before) of each report."""


def between(way: list[tuple[str, float]], found: Passed) -> None:
    """Add one report's way: the time from each point to the next, under the name of the next."""
    times: dict[str, int] = {}
    began = min(at for _, at in way)
    for (_, then), (point, now) in itertools.pairwise(sorted(way, key=lambda x: x[1])):
        # A point passed for the second time (another transaction of the same way) is a point of its own.
        times[point] = times.get(point, 0) + 1
        found.setdefault(point if times[point] == 1 else f"{point} ({times[point]})", []).append(
            (now - began, now - then)
        )


def at_rest(node: Node, entry: str) -> None:
    """Wait until the partner's receipt is kept and nobody is at work any more."""
    while any(d.received_at is None for d in node.exchange.deliveries(entry)):
        time.sleep(0.005)
    time.sleep(0.02)


def measure(node: Node, alerts: Alerts, steps: Steps, floor: Floor, args: argparse.Namespace) -> Measured:
    """Latency of single reports, then entries per second of a burst."""
    officer, _ = node.access.add_officer("bench", [Role.ANALYST, Role.LIAISON], None)
    by = Acting(officer.id, officer.roles, "prevention", "benchmark")

    def append(n: int) -> tuple[str, float]:
        began = time.monotonic()
        dossier = node.dossiers.open("report", report(n % args.holdings), ["es"], by)
        steps("open returned")
        return node.dossiers.state(dossier).entries[0].id, began

    single = []
    passed: Passed = {}
    for n in range(args.reports + WARM_UP):
        steps.take()
        entry, began = append(n)
        at = alerts.wait({entry})[entry]
        if n >= WARM_UP:
            single.append(at - began)
            if args.steps:
                way = [x for x in (*steps.take(), *alerts.steps[entry]) if began <= x[1] <= at]
                between([("", began), *way, ("match told", at)], passed)
        at_rest(node, entry)
        floor.from_rest.append(floor.round())
        time.sleep(0.02)
    began, here, there = time.monotonic(), time.process_time(), alerts.cpu
    with ThreadPoolExecutor(8) as officers:
        sent = {entry for entry, _ in officers.map(append, range(args.burst))}
    seen = alerts.wait(sent)
    rate = args.burst / (max(seen.values()) - began)
    cpu_rabat, cpu_madrid = time.process_time() - here, alerts.cpu - there
    return Measured(single, rate, cpu_rabat / args.burst, cpu_madrid / args.burst, passed)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--burst", type=int, default=400)
    parser.add_argument("--holdings", type=int, default=1000)
    parser.add_argument("--steps", action="store_true", help="show where a single report's time goes")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    quiet()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rabat_home, madrid_home = set_up(folder, args.holdings)
        floor = Floor(folder)
        floor.measure(args.reports)
        spawn = multiprocessing.get_context("spawn")
        told, teller = spawn.Pipe(duplex=False)
        process = spawn.Process(target=madrid, args=(str(madrid_home), teller, args.steps))
        process.start()
        steps = Steps(args.steps)
        rabat = open_node(rabat_home, steps)
        courier = Courier(rabat.exchange)
        courier.start()
        spare_collector()  # as a node does that serves
        try:
            found = measure(rabat, Alerts(told), steps, floor, args)
        finally:
            courier.stop()
            rabat.close()
            signal_and_join(process)
        # Before and after: a shared machine changes its mood.
        floor.measure(args.reports)
        floor.close()
    show(floor, found, args)


def signal_and_join(process: Any) -> None:
    if process.is_alive():
        os.kill(process.pid, signal.SIGINT)
    process.join(30)


def by_place(steps: Passed) -> list[tuple[str, float]]:
    """Median seconds to each point that most reports passed, in the order of the way."""
    most = max((len(t) for t in steps.values()), default=0)
    kept = {point: t for point, t in steps.items() if len(t) * 2 > most}
    ordered = sorted(kept.items(), key=lambda x: statistics.median(since for since, _ in x[1]))
    return [(point, statistics.median(step for _, step in t)) for point, t in ordered]


def show(floor: Floor, measured: Measured, args: argparse.Namespace) -> None:
    single, rate = measured.single, measured.rate
    took, cpu = floor.in_a_row, floor.cpu
    base50, base99 = floor.p50(), percentile(took, 0.99)
    p50, p99 = statistics.median(single), percentile(single, 0.99)
    allowed = 1 / statistics.fmean(took)
    found = {
        "floor_ms": {
            "p50": base50 * 1000,
            "p99": base99 * 1000,
            "p50_in_a_row": statistics.median(took) * 1000,
            "p50_from_rest": statistics.median(floor.from_rest) * 1000,
        },
        "append_to_alert_ms": {"p50": p50 * 1000, "p99": p99 * 1000},
        "times_the_floor": p50 / base50,
        "times_the_floor_from_rest": p50 / statistics.median(floor.from_rest),
        "entries_per_s": rate,
        "floor_allows_per_s": allowed,
        "share_of_the_floor": rate / allowed,
        "cpu_ms_for_one_entry": {
            "floor": cpu * 1000,
            "rabat": measured.cpu_rabat * 1000,
            "madrid": measured.cpu_madrid * 1000,
        },
    }
    if args.steps:
        found["steps_ms"] = {point: t * 1000 for point, t in by_place(measured.steps)}
    if args.json:
        print(json.dumps(found))
        return
    line = "{:16} p50 {:7.1f} ms   p99 {:7.1f} ms   {:7.1f}/s {}"
    print(line.format("floor", base50 * 1000, base99 * 1000, allowed, "one after the other"))
    print(line.format("append to alert", p50 * 1000, p99 * 1000, rate, f"in a burst of {args.burst}"))
    print(
        f"processor for one entry of the burst: floor {cpu * 1000:.1f} ms, "
        f"rabat {measured.cpu_rabat * 1000:.1f} ms, madrid {measured.cpu_madrid * 1000:.1f} ms"
    )
    for point, took_there in by_place(measured.steps):
        print(f"  {took_there * 1000:7.2f} ms  to {point}")
    times, share = p50 / base50, rate / allowed
    rested = statistics.median(floor.from_rest)
    print(f"latency {times:5.1f} times the floor       goal: within 3   {'held' if times <= 3 else 'MISSED'}")
    print(f"        {p50 / rested:5.1f} times the floor from rest ({rested * 1000:.1f} ms), which single reports meet")
    print(f"rate    {share:5.2f} of what it allows     goal: over 1/3   {'held' if share >= 1 / 3 else 'MISSED'}")


if __name__ == "__main__":
    main()
