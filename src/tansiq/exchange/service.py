"""The exchange's verbs. Each is one transaction or says why not."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Connection

from tansiq.crypto import NodeKeys, PublicKeys, peek, sign, verify
from tansiq.errors import Broken, Invalid, NotFound, PeerUnavailable, TansiqError, Untrusted
from tansiq.exchange import proofs, records, rules, wire
from tansiq.exchange.cards import former_keys, verify_card_file
from tansiq.exchange.ground import Bell, Ground, no_fault
from tansiq.exchange.inbox import Inbox
from tansiq.exchange.model import (
    ENVELOPES_PATH,
    NO_CARD,
    AtOnce,
    Delivery,
    ExchangeSettings,
    Fault,
    Foreseen,
    GroupHandler,
    InboxHandler,
    ItemState,
    NodeCard,
    OutboxLoader,
    ParcelSummary,
    Peer,
    PeerStatus,
    Preparer,
    Receipt,
    SignedAhead,
    Transport,
)
from tansiq.exchange.outbox import Outbox
from tansiq.exchange.parcels import Parcels
from tansiq.exchange.pins import Pins
from tansiq.exchange.transport import fetch_card
from tansiq.store import Store
from tansiq.terms import NodeId

if TYPE_CHECKING:
    from tansiq.ledger import Ledger

POLL_PATH = "/exchange/v1/poll"
RECEIPTS_PATH = "/exchange/v1/receipts"
CARD_PATH = "/exchange/v1/card"
PRIVATE_PATH = "/exchange/v1/private"
"""Batches of private checks: what they say is read by `private`, not here."""

POLL_ENVELOPES = 16
REMEMBERED_POLLS = 4096
"""Ids of each partner's newest polls: what one partner sends makes room for nobody else's second one."""
HELD_POLLS = 8
"""Of one partner at one time; its courier keeps one."""
_log = structlog.get_logger("tansiq.exchange")


class Exchange:
    """One node's dealings with its partners. Threads may share it; `Courier` drives it."""

    def __init__(
        self,
        store: Store,
        keys: NodeKeys,
        ledger: Ledger,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        settings: ExchangeSettings,
        fault: Fault = no_fault,
        hear: Callable[[datetime], None] = lambda _at: None,
        past: Callable[[], datetime] | None = None,
    ) -> None:
        self._ground = Ground(store, keys, ledger, clock, new_id, settings, fault, hear, past)
        self._filers: dict[str, InboxHandler] = {}
        self._preparers: dict[str, Preparer] = {}
        self._in_groups: set[str] = set()
        self._together: dict[str, GroupHandler] = {}
        self._loaders: dict[str, OutboxLoader] = {}
        self._pins = Pins(self._ground)
        self._outbox = Outbox(self._ground, self._pins, self._loaders)
        self._inbox = Inbox(self._ground, self._pins, self._filers, self._preparers, self._in_groups, self._together)
        self._parcels = Parcels(self._ground, self._pins, self._outbox, self._inbox)
        self._failures: dict[NodeId, tuple[int, str]] = {}
        self._polls: defaultdict[NodeId, OrderedDict[str, None]] = defaultdict(OrderedDict)
        self._polls_lock = threading.Lock()
        self._held: Counter[NodeId] = Counter()
        """Polls that are answered now or held open, by partner."""
        self.former = former_keys(self._pins.own)
        """The signing keys that this node had before it rotated them."""
        store.write(records.release_leases)

    @property
    def settings(self) -> ExchangeSettings:
        return self._ground.chosen

    @property
    def bell(self) -> Bell:
        return self._ground.bell

    @property
    def node(self) -> NodeId:
        return self._ground.node

    # --- who we are, and who our partners are ---

    def card(self) -> NodeCard:
        return self._pins.own.card

    def card_bytes(self) -> bytes:
        """The signed card (with its chain of keys, if they were ever rotated): what `peer add` takes."""
        return self._pins.own.to_bytes()

    def peer_cards(self) -> list[bytes]:
        """The pinned partners' card files: for whoever verifies their signatures without us."""
        with self._ground.store.read() as tx:
            pinned = [p for p in self.peers() if p.state == "pinned"]
            return [self._pins.file_of(tx, p.card.node, p.card.version) for p in pinned]

    def card_file(self, node: NodeId) -> bytes:
        """A partner's card file with its chain of keys, as pinned last; also of one that was removed since. Raises
        `NotFound` for a node that was never pinned."""
        with self._ground.store.read() as tx:
            row = records.load_peer(tx, node)
        if row is None:
            raise NotFound("peer.unknown", "no card of this node is kept", step="peer", field="node", detail=node)
        return row.file

    def fingerprint(self) -> str:
        """Our own, to be read aloud to the partner that pins us."""
        return self._pins.own.fingerprint

    def rotate(self, new: NodeKeys) -> bytes:
        """Go on under new keys; returns the new card file, which partners pin as they did the first."""
        card = self._ground.store.write(lambda tx: self._pins.rotate(tx, new))
        self._ground.keys = new
        self._pins.own = card
        self.former = former_keys(card)
        return card.to_bytes()

    def under_present_keys(self, raw: bytes) -> bytes:
        """The same statement, signed anew if former keys of ours signed it. Anything else is returned as it is, and
        verifies or not at its reader: a damaged entry must not get a good signature from us."""
        claimed = peek(raw)
        for keys in self.former if claimed.claimed == self.node else ():
            try:
                body = verify(raw, claimed.payload_type, keys, self.node, batches=True)
            except Untrusted:
                continue
            return sign(claimed.payload_type, body, self._ground.keys.signing, self.node)
        return raw

    def add_peer(self, raw: bytes) -> Peer:
        """Pin a partner. Compare `fingerprint` with it over another channel *before* anything is sent."""
        return self._pins.add(raw)

    def remove_peer(self, node: NodeId) -> None:
        self._pins.remove(node)

    def hold_peers(self, tx: Connection) -> list[NodeId]:
        """After a restore: nothing passes to or from a partner until it is confirmed."""
        return self._pins.hold(tx)

    def confirm_peer(self, tx: Connection, node: NodeId) -> bool:
        """False where it is not held."""
        return self._pins.confirm(tx, node)

    def peers(self) -> list[Peer]:
        return self._pins.all()

    def peer(self, node: NodeId) -> Peer:
        return self._pins.peer(node)

    def check_own_keys(self) -> None:
        """Raises `Broken` where another process has rotated our keys since this one was opened."""
        self._pins.check_own()

    def resolve(self, word: str) -> NodeId:
        return self._pins.resolve(word)

    def keys_of(self, tx: Connection, node: NodeId) -> PublicKeys:
        """A partner's signing keys as pinned now. Raises `Untrusted` for one that is not pinned, or not any more."""
        return self._pins.pinned(tx, node).signing

    def log_keys(self, tx: Connection, node: NodeId) -> tuple[PublicKeys, ...]:
        """By which a node's ledger verifies: its keys as pinned last, then those that it had before. Our own too."""
        return self._pins.log_keys(tx, node)

    def fetch_card(self, url: str) -> bytes:
        """A card from a partner's door. Nothing vouches for it yet: compare `card_fingerprint` before pinning it."""
        return fetch_card(url, self.settings.connect_timeout_s)

    def card_fingerprint(self, raw: bytes) -> str:
        """The fingerprint of a card that is not pinned yet, to be compared over another channel."""
        return verify_card_file(raw).fingerprint

    # --- items ---

    def handle(
        self,
        kind: str,
        handler: InboxHandler,
        loader: OutboxLoader,
        prepare: Preparer | None = None,
        *,
        in_groups: bool = False,
        together: GroupHandler | None = None,
    ) -> None:
        """Who files items of this kind when they come in, and who loads them when they go out.

        `prepare` does before the transaction what needs no write. `in_groups`: of a large envelope the items may be
        committed some at a time, before its receipt; after a crash they are filed once more, which must change nothing.
        `together` files several at once.
        """
        if kind in self._filers:
            raise Broken("exchange.kind_taken", "this kind of item is handled already", step="handle", detail=kind)
        self._filers[kind] = handler
        if prepare is not None:
            self._preparers[kind] = prepare
        if in_groups:
            self._in_groups.add(kind)
        if together is not None:
            self._together[kind] = together
        self._loaders[kind] = loader

    def foresee(
        self, to: NodeId, kind: str, ref: str, load: Callable[[], bytes], expires_at: datetime, least: int = 0
    ) -> Foreseen | None:
        """The envelope that the item will likely go in, for who has it signed together with what is in it; else None.

        `load`: the payload as it is to be sealed in that envelope, and in no other; it has `least` bytes or more.
        """
        return self._outbox.foresee(to, kind, ref, load, expires_at, least)

    def enqueue(
        self,
        tx: Connection,
        *,
        to: NodeId,
        kind: str,
        ref: str,
        expires_at: datetime,
        ahead: SignedAhead | None = None,
    ) -> None:
        """`ahead`: its envelope, if that was foreseen. It is used if it came true; nobody else ever sees it."""
        self._outbox.enqueue(tx, to=to, kind=kind, ref=ref, expires_at=expires_at, ahead=ahead)

    def requeue(self, tx: Connection, *, to: NodeId, kind: str, ref: str, expires_at: datetime) -> None:
        """Send an item once more although it was received: the partner misses it, or may now have more of it."""
        self._outbox.enqueue(tx, to=to, kind=kind, ref=ref, expires_at=expires_at, again=True)

    def received_since(self, tx: Connection, to: NodeId, since: datetime) -> list[tuple[str, str]]:
        """(kind, ref) of the items that a partner has signed for since then."""
        return records.received_since(tx, to, since)

    def wake(self, peer: NodeId | None = None) -> None:
        """Something may wait: let the couriers look now. `enqueue` does this itself after its commit."""
        self._ground.bell.ring(peer)

    def deliveries(self, ref: str | None = None, to: NodeId | None = None, limit: int = 200) -> list[Delivery]:
        """Newest first."""
        with self._ground.store.read() as tx:
            found = records.deliveries(tx, ref, to, limit)
            known = {node for node, _, _ in records.peer_states(tx)}
        return [_without_card(d) if d.to not in known else d for d in found]

    def without_card(self) -> dict[NodeId, int]:
        """Who is owed something and is no partner of ours, and how many items wait for it: until its card is pinned
        nothing goes, and on their day they expire."""
        with self._ground.store.read() as tx:
            counts, known = records.counts(tx), {node for node, _, _ in records.peer_states(tx)}
        return {n: many for (n, s), many in sorted(counts.items()) if s is ItemState.QUEUED and n not in known}

    def status(self) -> list[PeerStatus]:
        with self._ground.store.read() as tx:
            counts, oldest = records.counts(tx), records.oldest_queued(tx)
        return [self._status_of(p, counts, oldest.get(p.card.node)) for p in self.peers() if p.state == "pinned"]

    def _status_of(
        self, peer: Peer, counts: dict[tuple[NodeId, ItemState], int], oldest: datetime | None
    ) -> PeerStatus:
        node = peer.card.node
        attempts, failure = self._failures.get(node, (0, ""))
        return PeerStatus(
            node=node,
            name=peer.card.name,
            country=peer.card.country,
            queued=counts.get((node, ItemState.QUEUED), 0),
            sent=counts.get((node, ItemState.SENT), 0),
            received=counts.get((node, ItemState.RECEIVED), 0),
            refused=counts.get((node, ItemState.REFUSED), 0),
            expired=counts.get((node, ItemState.EXPIRED), 0),
            oldest_queued_at=oldest,
            last_contact_at=peer.last_contact_at,
            attempts=attempts,
            last_failure=failure,
        )

    # --- the doors that partners knock at ---

    def receive(self, raw: bytes) -> bytes:
        """An envelope in, its signed receipt out: the same one each time. Raises `Untrusted`, with nothing written."""
        return self._inbox.receive(raw)[0]

    def take_receipt(self, raw: bytes) -> Receipt:
        return self._outbox.take_receipt(raw)

    def answer_poll(self, raw: bytes, wait_s: float | None = None) -> list[bytes]:
        """Envelopes for a partner that fetches them; held open for `wait_s` (settings) while there is none. Blocks.

        Raises `PeerUnavailable` where so many of one partner are held: one that knocks with many lines takes none of
        the others' places.
        """
        poll = self._verify_poll(raw)
        with self._polls_lock:
            if self._held[poll.sender] >= HELD_POLLS:
                raise PeerUnavailable("poll.held", "polls of this partner are held already", step="poll")
            self._held[poll.sender] += 1
        try:
            return self._wait_for_items(poll, wait_s)
        finally:
            with self._polls_lock:
                self._held[poll.sender] -= 1

    def _wait_for_items(self, poll: wire.Poll, wait_s: float | None) -> list[bytes]:
        self._pins.note_quiet_contact(poll.sender)
        self._ground.fault("poll.before_hand")
        wait = self.settings.poll_wait_s if wait_s is None else wait_s
        until = time.monotonic() + wait
        while True:
            seen = self._ground.bell.rings(poll.sender)
            found = self._outbox.hand_out(poll.sender, POLL_ENVELOPES)
            left = until - time.monotonic()
            if found or left <= 0 or not self._ground.bell.wait(poll.sender, seen, left):
                return found

    def _verify_poll(self, raw: bytes) -> wire.Poll:
        wire.check_size("poll", raw, wire.MAX_POLL_BYTES)
        author = peek(raw, wire.MAX_POLL_BYTES).claimed
        with self._ground.store.read() as tx:
            pin = self._pins.pinned(tx, author)
        poll = wire.read("poll", wire.parse_poll, verify(raw, wire.POLL_TYPE, pin.signing, author, wire.MAX_POLL_BYTES))
        if poll.sender != author:
            raise Untrusted("poll.author", "signed by another than the sender", step="poll", field="from")
        if poll.recipient != self.node:
            raise Untrusted("poll.wrong_recipient", "the poll is for another node", step="poll", field="to")
        if not rules.poll_is_timely(poll.at, self._ground.clock(), self.settings.clock_slack_s):
            raise Untrusted("poll.stale", "the poll's time is too far from ours", step="poll", field="at")
        self._ground.hear(poll.at)
        # A replayed poll hands out sealed bytes only, but it would tell an onlooker how much waits.
        with self._polls_lock:
            heard = self._polls[poll.sender]
            if poll.id in heard:
                raise Untrusted("poll.repeated", "this poll came before", step="poll", field="id")
            heard[poll.id] = None
            if len(heard) > REMEMBERED_POLLS:
                heard.popitem(last=False)
        return poll

    # --- what couriers do, one step at a time ---

    def deliver_once(self, node: NodeId, transport: Transport) -> bool:
        """Post one envelope to `node` and take its receipt. False when nothing waits.

        Raises `PeerUnavailable` or `Untrusted` after the failure has been noted; the envelope stays.
        """
        self.stir(node)
        found = self._outbox.next_post(node)
        if found is None:
            return False
        envelope, peer, begun = found
        try:
            self._ground.fault("courier.before_post")
            wait = self.settings.answer_timeout_s
            if begun is not None:
                answer = begun.finish(wait)
            else:
                answer = transport.post(peer, ENVELOPES_PATH, envelope.raw, wait)
            self._ground.fault("courier.after_post")
            self._outbox.take_receipt(answer, expected=envelope.id)
        except (PeerUnavailable, Untrusted, Invalid) as exc:
            self._outbox.note_failure(envelope, exc)
            raise
        except Exception:
            # Unforeseen, so it may have left. Unsaid, its lease would hold up everything behind it.
            self._outbox.note_failure(envelope, PeerUnavailable("peer.no_answer", "unforeseen", step="post"))
            raise
        return True

    def rest(self, node: NodeId, line: Transport | None = None) -> None:
        """A courier has nothing to do for `node` and would post at once: what is queued now is formed with it, and
        given to `line`, where that can take it at once, by the thread that commits it.

        Look once more after saying so: what was queued just before rang for a courier that was still at work.
        """
        if isinstance(line, AtOnce):
            self._ground.at_once[node] = line
        self._ground.resting.add(node)

    def stir(self, node: NodeId) -> None:
        """The courier is at work for `node`, or gone: what is queued now waits for it."""
        self._ground.resting.discard(node)
        self._ground.at_once.pop(node, None)

    def poll_once(self, node: NodeId, transport: Transport) -> int:
        """Fetch what a partner has for us, file it and hand back the receipts. Returns how many envelopes came."""
        if not self._ground.store.has_room():
            raise PeerUnavailable("poll.no_room", "no room is left for what would come", step="poll")
        peer = self.peer(node)
        poll = wire.Poll(f"q-{self._ground.new_id()}", self.node, node, self._ground.clock())
        raw = sign(wire.POLL_TYPE, wire.render_poll(poll), self._ground.keys.signing, self.node)
        wait = self.settings.answer_timeout_s + self.settings.poll_wait_s
        envelopes = wire.parse_poll_answer(transport.post(peer, POLL_PATH, raw, wait))
        for envelope in envelopes:
            try:
                receipt = self.receive(envelope)
            except Untrusted as exc:
                # One bad envelope must not hold up those behind it; its sender sees no receipt for it.
                _log.warning("exchange.polled_envelope_refused", peer=node, code=exc.code)
                continue
            transport.post(peer, RECEIPTS_PATH, receipt, self.settings.answer_timeout_s)
        self._pins.note_quiet_contact(node)
        return len(envelopes)

    def waiting_for(self) -> list[NodeId]:
        """Partners for whom a courier has something to do now."""
        with self._ground.store.read() as tx:
            return records.reachable_work(tx, self._ground.clock())

    def sweep(self) -> None:
        self._outbox.sweep()

    def note_attempt(self, node: NodeId, failure: TansiqError | None) -> int:
        """Count failed attempts in a row, for `status` and the backoff; None resets. Returns the count."""
        if failure is None:
            self._failures.pop(node, None)
            return 0
        attempts = self._failures.get(node, (0, ""))[0] + 1
        self._failures[node] = (attempts, failure.code)
        return attempts

    # --- by hand, and proofs ---

    def export_file(self, peer: NodeId, said: Mapping[str, Any] | None = None) -> bytes:
        """All that waits for `peer` or lacks its receipt, and the receipts that we owe it, as one file."""
        return self._parcels.export(peer, said or {})

    def import_file(self, raw: bytes) -> ParcelSummary:
        return self._parcels.take_in(raw)

    def prove_receipt(self, ref: str, to: NodeId | None = None, *, kind: str = "entry") -> list[bytes]:
        """One proof for each partner that signed for `ref`; `verify_receipt_proof` needs nothing else at hand."""
        with self._ground.store.read() as tx:
            rows = [r for r in records.receipted_envelopes_of(tx, kind, ref) if to is None or r.recipient == to]
            return [self._proof(tx, kind, ref, row) for row in rows if proofs.names_kinds(row.receipt or b"")]

    def _proof(self, tx: Connection, kind: str, ref: str, row: records.EnvelopeRow) -> bytes:
        if row.receipt is None or row.receipt_version is None:
            raise Broken("proof.no_receipt", "a receipted envelope has no receipt", step="prove", detail=row.id)
        return wire.render_proof(
            wire.ReceiptProof(
                kind=kind,
                ref=ref,
                envelope=row.id,
                envelope_sha256=row.sha256,
                receipt=row.receipt,
                sender_card=self._pins.file_of(tx, self.node, row.own_version),
                recipient_card=self._pins.file_of(tx, row.recipient, row.receipt_version),
            )
        )


def _without_card(delivery: Delivery) -> Delivery:
    waits = delivery.state is ItemState.QUEUED and not delivery.reason
    return replace(delivery, reason=NO_CARD) if waits else delivery
