"""kill -9 of real node processes at random, against a live partner: nothing acknowledged is lost or applied twice.

Two nodes, each a process of its own, over TLS on loopback. An officer's program at each posts acts without pause and
keeps what was acknowledged (201); it never says an act twice, so whatever stands twice at the end was applied twice.
The chance is seeded, and its seed printed; when exactly a process dies depends on the machine all the same.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tansiq.access.model import Role
from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.errors import Conflict
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.services import shared_view
from tests.support.waiting import eventually

HELD = 40
"""How many of the phones in the reports Madrid holds already: each is one match, examined once."""
MOST_THREADS, MOST_FILES = 80, 120


def free_ports() -> Iterator[int]:
    """Below the ports that the system gives to clients: while a node is dead nobody is given its port by chance."""
    for port in itertools.cycle(range(20000 + os.getpid() % 5000 * 2, 32000)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                continue
        yield port


PORTS = free_ports()


def phone(number: int) -> dict[str, Any]:
    claim = {"property": "number", "value": f"+2126{number:08d}", "basis": "fact", "grade": "B2"}
    return {"id": "ph1", "schema": "Phone", "claims": [claim]}


class Service:
    """One node: its home, and the process that runs it just now."""

    def __init__(self, home: Path, name: str, country: str, holdings: list[dict[str, Any]]) -> None:
        self.home = home
        pages, door = self.ports = next(PORTS), next(PORTS)
        self.url = f"http://127.0.0.1:{pages}"
        quick = {"port": door, "poll_seconds": 0.5, "backoff_cap_seconds": 0.5}
        node = Node.init(
            home, name, country, url=f"https://127.0.0.1:{door}", chosen={"web": {"port": pages}, "exchange": quick}
        )
        officer, _ = node.access.add_officer(f"Officer of {name}", (Role.LIAISON, Role.ANALYST), None)
        token = node.access.new_token(officer.id, "test", 1)
        self.headers = {
            "authorization": f"Bearer {token}",
            "tansiq-purpose": "investigation",
            "tansiq-justification": "case 7",
        }
        for n, entity in enumerate(holdings):
            provenance = Provenance("own", f"{name}/{n}", originator=country)
            parsed = parse_entity(entity, "holding")
            node.store.write(lambda tx, e=parsed, p=provenance: node.bank.add(tx, e, p))
        self.node = node.node_id
        self.card = node.exchange.card_bytes()
        node.close()
        self.process: subprocess.Popen[bytes] | None = None

    def pin(self, other: Service) -> None:
        node = Node.open(self.home)
        node.exchange.add_peer(other.card)
        node.close()

    def start(self) -> None:
        # Without what this machine may set: a process that may not keep what it compiled starts twice as slowly.
        environment = {
            k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("TANSIQ_")
        }
        with (self.home / "node.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tansiq", "--home", str(self.home), "serve"],
                stdout=log, stderr=log, env=environment, start_new_session=True,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        assert self.process is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, f"{self.home.name} ended by itself:\n{self.log()[-2000:]}"
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.home.name} did not come up:\n{self.log()[-2000:]}")

    def end(self, how: signal.Signals) -> int:
        """Send our own process a signal; returns how it ended."""
        if self.process is None:
            return 0
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def held(self, what: str) -> int:
        """Open files (`fd`) or threads (`task`) of the process; 0 where the system does not tell."""
        assert self.process is not None
        folder = Path(f"/proc/{self.process.pid}/{what}")
        return len(list(folder.iterdir())) if folder.is_dir() else 0

    def unsettled(self) -> int:
        """How many items are on their way."""
        answer = httpx.get(f"{self.url}/api/v1/peers", headers=self.headers, timeout=30)
        return sum(s["queued"] + s["sent"] for s in answer.json()["status"])

    def log(self) -> str:
        return (self.home / "node.log").read_text("utf-8", "replace")

    def unexplained(self) -> list[str]:
        """Each traceback of its log, with what stands before and after it: a bare "there was one" helps nobody."""
        lines = self.log().splitlines()
        found = [n for n, line in enumerate(lines) if "Traceback" in line]
        return ["\n".join(lines[max(0, n - 3) : n + 60]) for n in found]


class Writer(threading.Thread):
    """An officer's program at one service. Rabat's opens dossiers too; Madrid's adds to what has arrived there."""

    def __init__(self, service: Service, to: str, dossiers: list[str], chance: random.Random) -> None:
        super().__init__(name=f"writer-{service.home.name}", daemon=True)
        self.service, self.to, self.dossiers, self.chance = service, to, dossiers, chance
        self.entries: list[str] = []
        self.unexpected: list[str] = []
        self.cut = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        with httpx.Client(base_url=f"{self.service.url}/api/v1", headers=self.service.headers, timeout=30) as client:
            for number in itertools.count():
                if self.stopping.wait(self.chance.uniform(0, 0.06)):
                    return
                try:
                    self.act(client, number)
                except httpx.TransportError as exc:
                    self.cut += not isinstance(exc, httpx.ConnectError)
                    self.stopping.wait(0.05)

    def act(self, client: httpx.Client, number: int) -> None:
        if self.to and number % 10 == 0:
            body = acts.report()
            body["parts"] = [
                {"kind": "narrative", "lang": "en", "text": f"report {number}"},
                {"kind": "entity", "entity": phone(number // 10)},
            ]
            asked = {"kind": "report", "to": [self.to], "body": body}
            self.keep(client.post("/dossiers", json=asked), "dossier", self.dossiers)
        elif self.dossiers:
            dossier = self.chance.choice(self.dossiers[-3:])
            note = acts.note("report.note_added", f"{self.service.home.name} {number}")
            self.keep(client.post(f"/dossiers/{dossier}/entries", json=note), "entry", self.entries)

    def keep(self, answer: httpx.Response, key: str, kept: list[str]) -> None:
        if answer.status_code == 201:
            kept.append(answer.json()[key])
        elif answer.status_code != 404 or self.to:  # Madrid's dossier may not have arrived yet
            self.unexpected.append(f"{answer.status_code} {answer.text[:300]}")


def kill_again_and_again(services: tuple[Service, Service], kills: int, chance: random.Random) -> None:
    """By turns; now and then the same one again while it is still starting."""
    victim = 0
    for _ in range(kills):
        service = services[victim]
        service.end(signal.SIGKILL)
        if chance.random() < 0.3:
            time.sleep(chance.uniform(0, 0.6))  # its partner meets a dead door for a while
        service.start()
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0, 2.0))
            continue
        service.wait_until_ready()
        time.sleep(chance.uniform(0.1, 1.2))
        victim = 1 - victim


def check(rabat: Node, madrid: Node, dossiers: list[str], entries: list[str]) -> int:
    """Both homes tell one story, in which everything acknowledged stands once. Returns how many entries there are."""
    for node in (rabat, madrid):
        node.settle()
        assert node.ledger.verify().broken_at is None
        states = Counter(str(d.state) for d in node.exchange.deliveries(limit=10**6))
        assert set(states) == {"received"}, f"stuck: {states}"
    rows = [{r.id for r in node.dossiers.rows(limit=10**6)} for node in (rabat, madrid)]
    assert rows[0] == rows[1]
    assert set(dossiers) <= rows[0], "an acknowledged dossier is lost"
    collected, disclosed = (_leaves((rabat, madrid), verb) for verb in (LogVerb.COLLECT, LogVerb.DISCLOSE))
    written: list[str] = []
    said: Counter[str] = Counter()
    for dossier in sorted(rows[0]):
        state = rabat.dossiers.state(dossier)
        assert shared_view(rabat, dossier) == shared_view(madrid, dossier)
        assert (state.marks, state.missing) == ((), ())
        for entry in state.entries:
            written.append(entry.id)
            said.update(
                str(p.content["text"]) for p in entry.parts if p.content and p.ref.kind in ("narrative", "note")
            )
            author, other = (0, 1) if entry.statement.author == rabat.node_id else (1, 0)
            assert collected[other][entry.id] == 1, f"filed {collected[other][entry.id]} times"
            assert disclosed[author][entry.id] == 1
            assert (collected[author][entry.id], disclosed[other][entry.id]) == (1, 0), (
                "recorded once, and by its author"
            )
    assert set(entries) <= set(written), "an acknowledged entry is lost"
    assert max(Counter(written).values()) == max(said.values()) == 1, "an act stands twice"
    envelopes = [n for leaves in collected for subject, n in leaves.items() if subject.startswith("x-")]
    assert set(envelopes) == {1}, "an envelope was filed twice"
    assert rabat.bank.count() == len(rows[0])
    assert madrid.bank.count() == len(rows[0]) + HELD
    met = Counter(m.dossier for m in madrid.hits.matches())
    assert set(met.values()) == {1}, "a match was found twice"
    return len(written)


def _leaves(nodes: tuple[Node, Node], verb: LogVerb) -> tuple[Counter[str], Counter[str]]:
    first, second = (Counter(x.subject for x in n.ledger.page(limit=10**7) if x.verb is verb) for n in nodes)
    return first, second


@pytest.fixture
def services(tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    rabat = Service(tmp_path / "rabat", "Rabat", "MA", [])
    madrid = Service(tmp_path / "madrid", "Madrid", "ES", [phone(n) for n in range(HELD)])
    rabat.pin(madrid)
    madrid.pin(rabat)
    yield rabat, madrid
    for service in (rabat, madrid):
        service.end(signal.SIGKILL)


@pytest.mark.parametrize(("kills", "seed"), [(20, 1), pytest.param(200, 2, marks=pytest.mark.slow)])
@pytest.mark.timeout(3600)
def test_kill_9_loses_nothing_and_repeats_nothing(services: tuple[Service, Service], kills: int, seed: int) -> None:
    print(f"seed {seed}")
    rabat, madrid = services
    dossiers: list[str] = []
    writers = [
        Writer(s, madrid.node if s is rabat else "", dossiers, random.Random(seed + n + 1))  # noqa: S311
        for n, s in enumerate(services)
    ]
    for service in services:
        service.start()
    for service in services:
        service.wait_until_ready()
    for writer in writers:
        writer.start()
    began = time.monotonic()
    kill_again_and_again(services, kills, random.Random(seed))  # noqa: S311  a test's chance must repeat
    for service in services:
        service.wait_until_ready()
    for writer in writers:
        writer.stopping.set()
        writer.join(timeout=60)
        assert not writer.is_alive()
        assert not writer.unexpected, writer.unexpected[:3]
        assert writer.entries
    assert any(w.cut for w in writers), "no kill met an act: this test tests nothing"
    assert eventually(lambda: not any(s.unsettled() for s in services), 120), [s.unsettled() for s in services]
    took = time.monotonic() - began
    held = [(s.held("task"), s.held("fd")) for s in services]
    assert all(threads <= MOST_THREADS and files <= MOST_FILES for threads, files in held), held
    assert [s.end(signal.SIGTERM) for s in services] == [0, 0]
    assert not [f.name for s in services for f in s.home.glob("*.db-*")], "a stop that was asked for is a clean one"
    nodes = [Node.open(s.home) for s in services]
    try:
        entries = [e for w in writers for e in w.entries]
        total = check(nodes[0], nodes[1], dossiers, entries)
    finally:
        for node in nodes:
            node.close()
    print(
        f"{kills} kills in {took:.0f} s; {len(dossiers)} dossiers and {len(entries)} entries acknowledged, {total} kept"
    )
    print(f"acts cut short {[w.cut for w in writers]}; threads and files {held}")
    assert not [told for s in services for told in s.unexplained()]


def test_a_node_whose_door_is_taken_does_not_call_itself_up(services: tuple[Service, Service]) -> None:
    rabat, _ = services
    with socket.create_server(("127.0.0.1", rabat.ports[1])):
        rabat.start()
        assert rabat.process is not None
        assert rabat.process.wait(timeout=60) != 0
    assert "exchange.port" in rabat.log()


def test_a_node_whose_pages_are_taken_does_not_call_itself_up(services: tuple[Service, Service]) -> None:
    rabat, _ = services
    with socket.create_server(("127.0.0.1", rabat.ports[0])):
        rabat.start()
        assert rabat.process is not None
        assert rabat.process.wait(timeout=60) == Conflict.exit_code
    assert "web.port" in rabat.log()
    assert "node up" not in rabat.log()
    assert "node up" not in rabat.log()
