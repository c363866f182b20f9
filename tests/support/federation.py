"""A federation in one process: real stores, real keys, real exchanges; the network and the clock are simulated.

`Federation` builds nodes; `Network` carries (or drops, doubles, delays, cuts, flips) what they post; `Crash` raised at
a fault point ends a node as a power cut would, and `FederationNode.restart` opens it again on the same database.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import Connection, text

from tansiq.crypto import NodeKeys, Vault
from tansiq.errors import PeerUnavailable, TansiqError
from tansiq.exchange import (
    ENVELOPES_PATH,
    POLL_PATH,
    RECEIPTS_PATH,
    Exchange,
    render_poll_answer,
)
from tansiq.exchange.model import ExchangeSettings, Item, ItemResult, Peer
from tansiq.ledger import Ledger
from tansiq.store import Store
from tansiq.terms import NodeId

BEGIN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class Crash(BaseException):
    """The machine stops here. Not an `Exception`: nothing in the product may catch it."""


class FakeClock:
    """Says what the test wants; `ahead` makes one node's clock differ from the others'."""

    def __init__(self, at: datetime = BEGIN, ahead: timedelta = timedelta(0)) -> None:
        self.at = at
        self.ahead = ahead

    def __call__(self) -> datetime:
        return self.at + self.ahead

    def shifted(self, ahead: timedelta) -> Callable[[], datetime]:
        return lambda: self.at + ahead

    def pass_time(self, by: timedelta) -> None:
        self.at += by


@cache
def keys_of(country: str, number: int = 0) -> NodeKeys:
    """Keys cost tens of milliseconds; tests share them."""
    return NodeKeys.generate(country, now=BEGIN, hosts=("localhost",))


class Faults:
    """Crash once at the n-th passage of a fault point."""

    def __init__(self) -> None:
        self.point: str = ""
        self.left = 0
        self.passed: list[str] = []
        self.crashed = False
        self.acts: dict[str, Callable[[], None]] = {}
        """What happens beside us at a point: another thread's doing."""

    def crash_at(self, point: str, passage: int = 1) -> None:
        self.point, self.left, self.crashed = point, passage, False

    def __call__(self, point: str) -> None:
        self.passed.append(point)
        if point in self.acts:
            self.acts.pop(point)()
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                self.crashed = True
                raise Crash(point)


@dataclass
class FederationNode:
    """One service's node, as far as the exchange goes.

    Filing is counted in a table without any protection of its own: an item filed twice stands there twice.
    """

    name: str
    store: Store
    keys: NodeKeys
    clock: Callable[[], datetime]
    settings: ExchangeSettings
    new_id: Callable[[], str]
    faults: Faults = field(default_factory=Faults)
    withheld: set[str] = field(default_factory=set)
    refused: dict[str, TansiqError] = field(default_factory=dict)
    in_groups: bool = False
    """Items of a large envelope may be committed in groups: then filing an item again changes nothing."""
    calls: int = 0
    exchange: Exchange = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.store.write(
            lambda tx: tx.execute(text("create table if not exists test_filed (ref text, sender text, payload text)"))
        )
        self.restart()

    def restart(self) -> Exchange:
        """A new process on the same database."""
        vault = Vault(self.keys.vault_key)
        self.ledger = Ledger(self.store, self.keys.signing, vault, self.keys.node, f"{self.keys.node}.example/log")
        self.exchange = Exchange(
            self.store,
            self.keys,
            self.ledger,
            clock=self.clock,
            new_id=self.new_id,
            settings=self.settings,
            fault=self.faults,
        )
        for kind in ("entry", "ask"):
            self.exchange.handle(kind, self.file, self.load, in_groups=self.in_groups and kind == "entry")
        return self.exchange

    @property
    def node(self) -> NodeId:
        return self.keys.node

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        self.calls += 1
        there = text("select count(*) from test_filed where ref = :ref")
        if self.in_groups and item.kind == "entry" and tx.execute(there, {"ref": item.ref}).scalar_one():
            return ItemResult(item.ref, True)
        tx.execute(
            text("insert into test_filed (ref, sender, payload) values (:ref, :sender, :payload)"),
            {"ref": item.ref, "sender": sender, "payload": item.payload.decode()},
        )
        if item.ref in self.refused:
            raise self.refused[item.ref]
        return ItemResult(item.ref, True)

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        return None if ref in self.withheld else f"content of {ref}".encode()

    def send(self, to: FederationNode, *refs: str, days: float = 60, kind: str = "entry") -> None:
        """Queue items in one transaction, as a capability does."""
        expires_at = self.clock() + timedelta(days=days)

        def work(tx: Connection) -> None:
            for ref in refs:
                self.exchange.enqueue(tx, to=to.node, kind=kind, ref=ref, expires_at=expires_at)

        self.store.write(work)

    def filed(self) -> list[str]:
        """Every filing, in order of reference; twice filed stands twice."""
        with self.store.read() as tx:
            return sorted(row.ref for row in tx.execute(text("select ref from test_filed")))

    def states(self, to: FederationNode | None = None) -> dict[str, str]:
        found = self.exchange.deliveries(to=to.node if to else None, limit=10_000)
        return {d.ref: d.state.value for d in found}


@dataclass
class Network:
    """Simulated. Each post consumes one step of `plan` (default: deliver)."""

    nodes: dict[NodeId, FederationNode] = field(default_factory=dict)
    plan: list[str] = field(default_factory=list)
    away: set[NodeId] = field(default_factory=set)
    delayed: list[tuple[NodeId, str, bytes]] = field(default_factory=list)
    seen: list[tuple[NodeId, str, bytes]] = field(default_factory=list)
    position: int = 0
    """Where `truncate` cuts and `flip` flips."""

    def post(self, peer: Peer, path: str, body: bytes, timeout_s: float) -> bytes:
        step = self.plan.pop(0) if self.plan else "deliver"
        if peer.card.node in self.away:
            raise PeerUnavailable("peer.unreachable", "away")
        self.seen.append((peer.card.node, path, body))
        if step == "drop":
            raise PeerUnavailable("peer.no_answer", "lost on the way")
        if step == "delay":
            self.delayed.append((peer.card.node, path, body))
            raise PeerUnavailable("peer.no_answer", "late")
        if step == "duplicate":
            self.carry(peer.card.node, path, body)
        if step in ("truncate", "flip"):
            body = self.damaged(step, body)
        answer = self.carry(peer.card.node, path, body)
        if step == "drop_answer":
            raise PeerUnavailable("peer.no_answer", "the answer was lost")
        if step in ("truncate_answer", "flip_answer"):
            answer = self.damaged(step.removesuffix("_answer"), answer)
        return answer

    def damaged(self, how: str, body: bytes) -> bytes:
        at = self.position % len(body)
        if how == "truncate":
            return body[:at]
        return body[:at] + bytes([body[at] ^ (1 << (self.position % 8))]) + body[at + 1 :]

    def carry(self, to: NodeId, path: str, body: bytes) -> bytes:
        """What the partner's HTTPS door does."""
        there = self.nodes[to]
        try:
            if path == ENVELOPES_PATH:
                return there.exchange.receive(body)
            if path == POLL_PATH:
                return render_poll_answer(there.exchange.answer_poll(body, wait_s=0))
            if path == RECEIPTS_PATH:
                there.exchange.take_receipt(body)
                return b"{}"
        except TansiqError as exc:
            raise PeerUnavailable(f"peer.http_{exc.http_status}", exc.code) from exc
        except Crash as exc:
            there.restart()
            raise PeerUnavailable("peer.no_answer", "the partner went down") from exc
        raise AssertionError(path)

    def release(self, order: Iterable[int] | None = None) -> None:
        """Late posts arrive, in any order; their answers go nowhere."""
        late, self.delayed = self.delayed, []
        for n in order if order is not None else range(len(late)):
            self.carry(*late[n])


class Federation:
    """Nodes that have pinned each other."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.network = Network()
        self._ids = itertools.count(1)

    def new_id(self) -> str:
        return f"{next(self._ids):032x}"

    def add(
        self,
        country: str,
        store: Store,
        *,
        url: str | None = None,
        ahead: timedelta = timedelta(0),
        keys: NodeKeys | None = None,
        pin: bool = True,
    ) -> FederationNode:
        node = FederationNode(
            name=country,
            store=store,
            keys=keys or keys_of(country),
            clock=self.clock.shifted(ahead),
            settings=ExchangeSettings(
                name=f"Service of {country.upper()}", url=f"https://{country}.example:8443" if url is None else url
            ),
            new_id=self.new_id,
        )
        if pin:
            for other in self.network.nodes.values():
                node.exchange.add_peer(other.exchange.card_bytes())
                other.exchange.add_peer(node.exchange.card_bytes())
        self.network.nodes[node.node] = node
        return node

    def deliver(self, sender: FederationNode, to: FederationNode, rounds: int = 50) -> int:
        """Courier's turns until nothing waits or the rounds are over; how many posts failed. A crash restarts."""
        failed = 0
        for _ in range(rounds):
            try:
                if not sender.exchange.deliver_once(to.node, self.network):
                    return failed
            except TansiqError:
                failed += 1
            except Crash:
                failed += 1
                sender.restart()
        return failed

    def poll(self, asker: FederationNode, of: FederationNode, rounds: int = 10) -> None:
        for _ in range(rounds):
            try:
                if not asker.exchange.poll_once(of.node, self.network):
                    return
            except TansiqError:
                continue
            except Crash:
                asker.restart()
