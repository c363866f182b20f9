"""Whole nodes in one process: every capability, real stores, real keys; the network and the clock are simulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.errors import PeerUnavailable, TansiqError
from tansiq.exchange import PRIVATE_PATH
from tansiq.exchange.model import Peer
from tansiq.node import Node
from tansiq.settings import Settings
from tests.support.federation import Crash, FakeClock, Faults, keys_of

NAMES = {"rabat": "MA", "madrid": "ES", "berlin": "DE", "lisbon": "PT", "paris": "FR", "rome": "IT"}


@dataclass
class Federation:
    """Services of several countries, each with a database of its own."""

    folder: Path
    url: Callable[[str], str]
    clock: FakeClock = field(default_factory=FakeClock)
    nodes: dict[str, Node] = field(default_factory=dict)
    faults: dict[str, Faults] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    ahead: dict[str, Any] = field(default_factory=dict)
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    officers: dict[str, Acting] = field(default_factory=dict)
    crashes: int = 0
    hidden: set[str] = field(default_factory=set)
    """Nodes without an address: they poll."""
    asked: list[tuple[str, bytes]] = field(default_factory=list)
    answered: list[tuple[str, bytes]] = field(default_factory=list)
    meddle: Callable[[str, bytes], bytes] | None = None
    """Changes what passes on the line of private checks."""
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Node -> its `[private]` settings."""
    ledger: dict[str, Any] = field(default_factory=dict)
    """Every node's `[ledger]` settings."""
    ran_s: float = 0.0
    """What the machines count of the time that passes, whatever their clocks say."""
    exchange: dict[str, Any] = field(default_factory=dict)
    """More of every node's `[exchange]` settings."""

    def add(self, *names: str) -> None:
        for name in names:
            self.faults[name] = Faults()
            self._open(name)
            node = self.nodes[name]
            roles = (Role.LIAISON, Role.ANALYST)
            officer, _ = node.access.add_officer(f"Officer of {name}", roles, None)
            second, _ = node.access.add_officer(f"Second of {name}", (Role.SUPERVISOR,), None)
            self.officers[name] = Acting(officer.id, frozenset(roles), "investigation", "case 7")
            self.officers[f"{name}+second"] = Acting(officer.id, frozenset(roles), "investigation", "case 7", second.id)
        for name in names:
            for other in self.nodes:
                if other != name:
                    self.pin(name, other)
                    self.pin(other, name)

    def pin(self, name: str, other: str) -> None:
        self.nodes[name].exchange.add_peer(self.nodes[other].exchange.card_bytes())

    def _open(self, name: str) -> None:
        text = Settings.template(
            {
                "node": {"name": name, "country": NAMES[name]},
                "exchange": self.exchange | {"url": "" if name in self.hidden else f"https://{name}.example:8443"},
                "private": self.chosen.get(name, {}),
                "ledger": self.ledger,
            }
        )
        home = self.folder / name
        home.mkdir(parents=True, exist_ok=True)
        clock = self.clock.shifted(self.ahead[name]) if name in self.ahead else self.clock
        settings = Settings.parse(text, home, database_url=self.url(name))
        self.nodes[name] = Node(
            settings, keys_of(NAMES[name]), clock, self.faults[name], line=self, elapsed=lambda: self.ran_s
        )

    def run(self, by: timedelta) -> None:
        """So much time passes on machines that are on. `clock.pass_time` alone is a leap, or a machine that is off."""
        self.clock.pass_time(by)
        self.ran_s += by.total_seconds()

    def restart(self, name: str) -> None:
        """What a power cut and a new start do: nothing in memory survives."""
        self.nodes[name].close()
        self._open(name)

    def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
        name = next(n for n, node in self.nodes.items() if node.node_id == peer.card.node)
        if name in self.away:
            raise PeerUnavailable("peer.unreachable", "away")
        if path == PRIVATE_PATH:
            return self._ask(name, body)
        self.posted.append((name, body))
        try:
            return self.nodes[name].exchange.receive(body)
        except Crash as exc:
            # The partner's machine stopped: here that is a broken connection, there a new start.
            self.crashes += 1
            self.restart(name)
            raise PeerUnavailable("peer.no_answer", "the connection broke") from exc

    def _ask(self, name: str, body: bytes) -> bytes:
        """A batch of a private check, at the partner's door."""
        self.asked.append((name, body))
        if self.meddle is not None:
            body = self.meddle("ask", body)
        try:
            answer = self.nodes[name].private.answer(body)
        except TansiqError as exc:
            raise PeerUnavailable(f"peer.http_{exc.http_status}", exc.code) from exc
        self.answered.append((name, answer))
        return answer if self.meddle is None else self.meddle("answer", answer)

    def pump(self, rounds: int = 4) -> None:
        """Deliver and settle until nothing moves (at most `rounds` times)."""
        for _ in range(rounds):
            before = len(self.posted)
            for name, node in self.nodes.items():
                if name in self.away:
                    continue
                node.settle()
                while node.private.work() or node.plans.work():
                    pass
                for other in list(self.nodes.values()):
                    if other is not node:
                        self._deliver(node, other)
            if len(self.posted) == before:
                return

    def _deliver(self, node: Node, other: Node) -> None:
        try:
            while node.exchange.deliver_once(other.node_id, self):
                pass
        except TansiqError:
            return

    def hold(self, name: str, entities: list[dict[str, Any]]) -> None:
        node = self.nodes[name]
        for entity in entities:
            provenance = Provenance("own", f"{name}/{entity['id']}", originator=NAMES[name])
            parsed = parse_entity(entity, "holding")
            node.store.write(lambda tx, e=parsed, p=provenance: node.bank.add(tx, e, p))

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()


def surely(f: Federation, act: Callable[[], object], restarted: Callable[[str], None] = lambda _name: None) -> None:
    """After a crash the machine starts again, and the same is asked of it once more; `restarted` looks between."""
    for _ in range(3):
        try:
            act()
        except Crash:
            f.crashes += 1
            for name, faults in f.faults.items():
                if faults.crashed:
                    faults.crashed = False
                    f.restart(name)
                    restarted(name)
        else:
            return


def shared_view(node: Node, dossier: str) -> str:
    """What every member must agree on: everything but which parts it holds."""
    state = node.dossiers.state(node.dossiers.find(dossier))
    return repr(
        (
            state.opener,
            state.members,
            state.phase,
            [e.id for e in state.entries],
            state.marks,
            state.permissions,
            state.recalls,
            state.restrictions,
            state.own,
        )
    )
