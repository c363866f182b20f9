"""The sending side: items queued in the caller's transaction, envelopes formed once, receipts taken.

What is queued for a partner whose courier rests is formed at the end of the same transaction (`Ground.resting`): one
commit fewer on the way of a single entry. While a courier is at work, items wait for each other and share an envelope.
An envelope that is foreseen is sealed before its item is queued (`foresee`) and signed with what it carries. It is used
if, where it would be formed, it is what would be formed; else what was foreseen is in nobody's hands, and goes.
Order of effects, and what a crash between any two leaves:
  enqueue (caller's transaction) → form (one transaction: load, seal, sign, keep the bytes) → post → take the receipt.
  (Formed with the item, it is posted by the thread that committed it, where a line to the partner is at rest.)
  Before `form`: the item waits. After it: the very same bytes are posted again. After the post: the partner knows the
  envelope's id and answers with the receipt that it gave before. So nothing is lost, and nothing is applied twice.
`queued` means: not known to have left. Bytes that have certainly not left are thrown away and formed anew, so that what
was recalled while a partner was away never reaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from tansiq.crypto import SUITE, Member, begin_sign, peek, seal
from tansiq.errors import Broken, Invalid, PeerUnavailable, TansiqError, Untrusted
from tansiq.exchange import records, rules, wire
from tansiq.exchange.cards import VerifiedCard
from tansiq.exchange.ground import Ground, envelope_sha256, savepoint
from tansiq.exchange.model import (
    ENVELOPES_PATH,
    NOT_LEFT,
    Begun,
    Foreseen,
    Item,
    ItemState,
    NodeCard,
    OutboxLoader,
    Peer,
    Receipt,
    SignedAhead,
)
from tansiq.exchange.pins import Pins
from tansiq.terms import LogVerb, NodeId, format_instant, parse_instant

_log = structlog.get_logger("tansiq.exchange")
HAND_OUT_BYTES = 8 * 1024 * 1024
"""A poll's answer stops growing here; the next poll brings the rest."""
FORESEEN_BYTES = 64 * 1024
"""What is larger is not sealed on the chance that it is used."""


_ENDED = (ItemState.REFUSED, ItemState.EXPIRED)


@dataclass(frozen=True, slots=True)
class _Begun:
    """An envelope that is sealed and being signed; its items are in it already."""

    id: str
    card: NodeCard
    """Of its recipient, as pinned in this transaction."""
    expires_at: datetime
    signed: Callable[[], bytes]
    """Waits for its bytes."""

    @property
    def to(self) -> NodeId:
        return self.card.node


class Outbox:
    """What we owe our partners."""

    def __init__(self, ground: Ground, pins: Pins, loaders: Mapping[str, OutboxLoader]) -> None:
        self._ground = ground
        self._pins = pins
        self._loaders = loaders
        self._handed: dict[NodeId, tuple[records.EnvelopeRow, Begun | None]] = {}
        """Formed with what was queued, committed, and given to a line at most: for the courier of this process."""
        self._all_rest: dict[NodeId, tuple[datetime, int]] = {}
        """Partner -> until when all that waits for it rests, and the last row of that: newer ones were queued since."""
        self._resting: dict[int, tuple[datetime, timedelta]] = {}
        """Row -> until when an item rests that its recipient has put off, and how long that is. Memory of this
        process: after a new start all are tried at once."""

    def enqueue(
        self,
        tx: Connection,
        *,
        to: NodeId,
        kind: str,
        ref: str,
        expires_at: datetime,
        again: bool = False,
        ahead: SignedAhead | None = None,
    ) -> None:
        """Queue one item for one partner in the caller's transaction. The same item twice is one item.

        `again` sends an item once more, in a newer envelope, although it was received or is under way: what is loaded
        for it has changed. The receipt of the older envelope then says nothing of it any more.

        An unknown partner's items wait until it is pinned, or until they expire; a removed partner's are refused here.
        """
        ground, now = self._ground, self._ground.clock()
        if to == ground.node:
            raise Invalid("outbox.own_node", "a node does not send to itself", step="enqueue", field="to")
        state = records.peer_state(tx, to)
        removed = state is not None and state[0] == "removed"
        there = records.find_item(tx, kind, ref, to)
        if there is None:
            records.insert_item(tx, kind, ref, to, now, expires_at, removed=removed)
        elif not removed and (there.state in _ENDED or (again and _has_been_loaded(there))):
            records.queue_again(tx, there, to, now, expires_at)
        ground.fault("outbox.enqueued")
        if to in ground.resting:
            ground.store.at_end(tx, ("outbox.form", to), lambda: self._form_early(tx, to, ahead))
        else:
            ground.store.after_commit(tx, lambda: ground.bell.ring(to))

    # --- forming ---

    def foresee(
        self, to: NodeId, kind: str, ref: str, load: Callable[[], bytes], expires_at: datetime, least: int = 0
    ) -> Foreseen | None:
        """The envelope of an item that is about to be queued for a courier at rest; None where none is to be expected.

        `least`: so many bytes or more `load` gives; what is too large is not even made. Nothing is asked of the
        database: whatever is wrong with it then is found where it would be used.
        """
        ground = self._ground
        pin = self._pins.known(to) if to in ground.resting else None
        if pin is None or least > FORESEEN_BYTES or len(payload := load()) > FORESEEN_BYTES:
            return None
        envelope = f"x-{ground.new_id()}"
        until = parse_instant(format_instant(expires_at))  # as the row will have it, without microseconds
        try:
            body = self._sealed(envelope, pin, [Item(kind, ref, payload)], ground.clock(), until)
        except TansiqError:
            return (
                None  # a partner whose key nothing can be sealed to keeps nobody else waiting: told where it is formed
            )
        return Foreseen(envelope, to, kind, ref, until, pin.sealing, Member(wire.ENVELOPE_TYPE, body))

    def _form_early(self, tx: Connection, to: NodeId, ahead: SignedAhead | None) -> None:
        """The envelope of what this work has queued. Where it cannot be formed, the courier finds out and says why.

        While it is being signed, what else waits for the end of the work has its turn. Under the same key, so that
        what is queued meanwhile is left to the courier.
        """
        ground, begun, now = self._ground, None, self._ground.clock()
        try:
            with savepoint(tx, "early"):
                # What is open already is its courier's, and so is what has expired.
                if not records.has_open(tx, to):
                    begun = self._begin(tx, to, now, ahead)
        except TansiqError as exc:
            _log.warning("exchange.not_formed_early", peer=to, code=exc.code)
        if begun is None:
            ground.store.after_commit(tx, lambda: ground.bell.ring(to))
        else:
            ground.store.at_end(tx, ("outbox.form", to), lambda: self._hand(tx, begun, now))

    def _hand(self, tx: Connection, begun: _Begun, now: datetime) -> None:
        """Keep what was formed early. After the commit it goes by a line at rest, if there is one, from this very
        thread: to wake the courier first costs as much as to send it. The courier hears the answer."""
        found = self._keep(tx, begun, now, self._lease(now))

        def hand() -> None:
            sent: Begun | None = None
            try:
                sent = self._send_at_once(begun.card, found)
            finally:
                self._handed[found.recipient] = (found, sent)
                self._ground.bell.ring(found.recipient)

        self._ground.store.after_commit(tx, hand)

    def _send_at_once(self, card: NodeCard, envelope: records.EnvelopeRow) -> Begun | None:
        line = self._ground.at_once.get(card.node)
        if line is None:
            return None
        self._ground.fault("outbox.before_at_once")
        try:
            return line.begin(card, ENVELOPES_PATH, envelope.raw)
        except PeerUnavailable:
            return None  # not a byte has left: the courier tries, and says why

    def next_post(self, to: NodeId) -> tuple[records.EnvelopeRow, Peer, Begun | None] | None:
        """The envelope to post now, leased to the caller: the open one, else a new one; None when nothing waits.

        With it, where it was given to a line already, what is left to do of the post.
        """
        (found, sent), peer = self._handed.pop(to, (None, None)), None
        with self._ground.store.read() as tx:
            if found is not None:
                # Given up since, by a removal or a rotation: then it must not leave.
                peer = self._pins.find_for(tx, to, found.id)
            if peer is None:
                if sent is not None:
                    sent.drop()
                    sent = None
                if not records.has_work(tx, to) or self._rest_all(tx, to):
                    return None
                found, peer = None, self._pins.find(tx, to)
        if found is None:
            found = self._ground.store.write(lambda tx: self._take(tx, to))
        self._ground.fault("outbox.form_committed")
        # None: pinned only since we looked.
        return None if found is None else (found, peer or self._pins.peer(to), sent)

    def _lease(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._ground.chosen.lease_s)

    def _take(self, tx: Connection, to: NodeId) -> records.EnvelopeRow | None:
        now = self._ground.clock()
        there = self._sweep(tx, to, now)
        until = self._lease(now)
        if not there:
            return self._form(tx, to, now, until)
        if there[0].lease_until is not None and there[0].lease_until > now:
            return None
        records.lease_again(tx, there[0].id, until)
        return records.load_envelope(tx, there[0].id)

    def sweep(self) -> None:
        """Close what has expired for partners whom no courier visits."""

        def work(tx: Connection) -> None:
            for node in records.open_recipients(tx):
                self._sweep(tx, node, self._ground.clock())

        self._ground.store.write(work)

    def hand_out(self, to: NodeId, limit: int, most_bytes: int = HAND_OUT_BYTES) -> list[bytes]:
        """Envelopes for a partner that fetches them itself, by poll or by hand: from here on they may have arrived."""
        with self._ground.store.read() as tx:
            if not records.has_work(tx, to):
                self._pins.pinned(tx, to)
                return []
        found: list[bytes] = []
        while len(found) < limit and sum(map(len, found)) < most_bytes:
            # One envelope a transaction: a long parcel must not hold the writer for seconds.
            raw = self._ground.store.write(lambda tx: self._hand_next(tx, to, len(found)))
            if raw is None:
                break
            found.append(raw)
        self._ground.fault("poll.handed")
        return found

    def _hand_next(self, tx: Connection, to: NodeId, skip: int) -> bytes | None:
        now = self._ground.clock()
        self._pins.pinned(tx, to)
        there = self._sweep(tx, to, now)
        envelope = records.load_envelope(tx, there[skip].id) if len(there) > skip else self._form(tx, to, now)
        if envelope is None:
            return None
        records.count_attempt(tx, envelope.id)
        records.set_envelope_state(tx, envelope.id, "out")
        records.mark_sent(tx, envelope.id, now)
        return envelope.raw

    def _sweep(self, tx: Connection, to: NodeId, now: datetime) -> list[records.OpenEnvelope]:
        """Close what has expired, give up open envelopes whose time or keys are over; the others, oldest first."""
        past = self._ground.surely_past()
        records.expire_items(tx, to, past)
        still: list[records.OpenEnvelope] = []
        for row in records.open_envelopes(tx, to):
            if not rules.has_expired(row.expires_at, past) and row.own_version >= self._pins.own_keys_since:
                still.append(row)
            else:
                # Its items that still live go out again in a newer envelope; a late receipt for this one still counts.
                records.mark_sent(tx, row.id, now)
                records.free_items(tx, row.id)
                records.give_up_envelope(tx, row.id)
        return still

    def _form(
        self, tx: Connection, to: NodeId, now: datetime, lease_until: datetime | None = None
    ) -> records.EnvelopeRow | None:
        begun = self._begin(tx, to, now)
        return None if begun is None else self._keep(tx, begun, now, lease_until)

    def _begin(self, tx: Connection, to: NodeId, now: datetime, ahead: SignedAhead | None = None) -> _Begun | None:
        """Load, seal, and begin to sign; None where nothing waits, or the partner is not pinned."""
        ground = self._ground
        pin = self._pins.find_pinned(tx, to)
        if pin is None:
            return None
        ground.fault("outbox.before_form")
        rows, items = self._collect(tx, to, now)
        if not rows:
            return None
        expires_at = min(row.expires_at for row in rows)
        if ahead is not None and self._came_true(ahead, pin, rows, items):
            envelope, signed = ahead.envelope.id, ahead.raw
        else:
            envelope = f"x-{ground.new_id()}"
            body = self._sealed(envelope, pin, items, now, expires_at)
            signed = begin_sign(wire.ENVELOPE_TYPE, body, ground.keys.signing, ground.node)
        records.put_in_envelope(tx, rows, envelope)
        return _Begun(envelope, pin.card, expires_at, signed)

    def _sealed(
        self, envelope: str, pin: VerifiedCard, items: list[Item], now: datetime, expires_at: datetime
    ) -> bytes:
        """The body of an envelope."""
        node, to = self._ground.node, pin.card.node
        bound = wire.envelope_info(envelope, node, to, SUITE)
        sealed = seal(wire.render_items(items), pin.sealing, bound)
        return wire.render_envelope(wire.SealedEnvelope(envelope, SUITE, node, to, now, expires_at, sealed))

    def _came_true(
        self, ahead: SignedAhead, pin: VerifiedCard, rows: list[records.OutboxRow], items: list[Item]
    ) -> bool:
        """Whether what was foreseen is, item by item and key by key, what is to be formed.

        Hazard: what was recalled, hidden or erased in this very transaction stands in the foreseen envelope and not in
        what its loader gives now.
        """
        seen = ahead.envelope
        return (
            (pin.card.node, pin.sealing, self._ground.keys.signing.public) == (seen.to, seen.sealing, ahead.by)
            and [(row.kind, row.ref, row.expires_at) for row in rows] == [(seen.kind, seen.ref, seen.expires_at)]
            and items[0].payload == ahead.expected()
        )

    def _keep(
        self, tx: Connection, begun: _Begun, now: datetime, lease_until: datetime | None = None
    ) -> records.EnvelopeRow:
        raw, version = begun.signed(), self._pins.own.card.version
        sha256, until = envelope_sha256(raw), begun.expires_at
        row = records.EnvelopeRow(begun.id, begun.to, "formed", raw, sha256, until, 0, lease_until, None, None, version)
        records.insert_envelope(tx, row, now)
        self._ground.fault("outbox.formed")
        return row

    def _collect(self, tx: Connection, to: NodeId, now: datetime) -> tuple[list[records.OutboxRow], list[Item]]:
        """As many waiting items as fit; those that may no longer be sent are refused here and now."""
        rows: list[records.OutboxRow] = []
        items: list[Item] = []
        past = self._ground.surely_past()
        used = 0
        last = 0
        self._all_rest.pop(to, None)
        while waiting := records.waiting_items(tx, to, wire.MAX_ITEMS, after=last):
            for row in waiting:
                last = row.id
                if rules.has_expired(row.expires_at, past) or self._rests(row.id, now):
                    continue
                if len(items) == wire.MAX_ITEMS:
                    return rows, items
                payload, reason = self._load(tx, row, to)
                if payload is None:
                    records.settle_item(tx, row.id, ItemState.REFUSED, reason)
                    continue
                if not rules.fits(len(items), used, len(payload)):
                    return rows, items
                used += rules.rendered_bytes(len(payload))
                rows.append(row)
                items.append(Item(row.kind, row.ref, payload))
            if len(waiting) < wire.MAX_ITEMS:
                break
        if last and not rows:
            # What has long been due is not ours any more: received, refused or expired.
            for row_id in [r for r, (until, _) in list(self._resting.items()) if until < now - rules.LONGEST_REST]:
                self._resting.pop(row_id, None)
            ends = [until for until, _ in list(self._resting.values()) if until > now]
            if ends:
                self._all_rest[to] = min(ends), last
        return rows, items

    def _rest_all(self, tx: Connection, to: NodeId) -> bool:
        """Asked before the writer is: what only rests must not cost a write each time that the courier looks."""
        until, last = self._all_rest.get(to, (None, 0))
        if until is None or self._ground.clock() >= until or records.has_open(tx, to):
            return False
        return not records.waiting_items(tx, to, 1, after=last)

    def _rests(self, row: int, now: datetime) -> bool:
        there = self._resting.get(row)
        return there is not None and now < there[0]

    def _put_off(self, tx: Connection, row: int, reason: str, now: datetime) -> None:
        """It stays ours: queued, and left alone for a while."""
        records.set_free(tx, row, reason)
        wait = rules.next_wait(self._resting.get(row, (now, timedelta()))[1])
        self._ground.store.after_commit(tx, lambda: self._resting.update({row: (now + wait, wait)}))

    def _load(self, tx: Connection, row: records.OutboxRow, to: NodeId) -> tuple[bytes | None, str]:
        loader = self._loaders.get(row.kind)
        if loader is None:
            raise Broken("outbox.no_loader", "nobody loads this kind of item", step="form", detail=row.kind)
        try:
            with savepoint(tx, "load"):
                payload = loader(tx, row.ref, to)
        except TansiqError as exc:
            # The gate's no is an answer: it settles this item and leaves the others alone.
            return None, exc.code
        if payload is None:
            return None, "no_longer_permitted"
        if rules.too_large(len(payload)):
            return None, "item.too_large"
        return payload, ""

    # --- after the post ---

    def note_failure(self, envelope: records.EnvelopeRow, failure: TansiqError) -> None:
        """Bytes that have not left are thrown away; bytes that may have left are kept and posted again as they are."""
        self._ground.fault("courier.before_failure_noted")
        left = not (isinstance(failure, PeerUnavailable) and failure.code in NOT_LEFT)

        def work(tx: Connection) -> None:
            there = records.load_envelope(tx, envelope.id)
            if there is None or there.state not in ("formed", "out"):
                return
            records.count_attempt(tx, envelope.id)
            if left:
                records.set_envelope_state(tx, envelope.id, "out")
                records.mark_sent(tx, envelope.id, self._ground.clock())
            elif envelope.state == there.state == "formed":
                # Ours alone since it was formed, and the transport promises that nothing has left.
                records.drop_envelope(tx, envelope.id)

        self._ground.store.write(work)

    def take_receipt(self, raw: bytes, expected: str | None = None) -> Receipt:
        """Verify and keep a partner's receipt. The same receipt twice is one receipt. Raises `Untrusted`."""
        wire.check_size("receipt", raw, wire.MAX_RECEIPT_BYTES)
        claimed = peek(raw, wire.MAX_RECEIPT_BYTES)
        author = claimed.claimed
        with self._ground.store.read() as tx:
            pin = self._pins.pinned(tx, author)
        body = claimed.verified(wire.RECEIPT_TYPE, pin.signing, author)
        try:
            receipt = wire.read("receipt", wire.parse_receipt, body)
        except Untrusted:
            self._form_anew(author, wire.receipt_for(body))
            raise
        if receipt.recipient != author:
            raise Untrusted("receipt.author", "signed by another than the recipient", step="receipt", field="to")
        if receipt.sender != self._ground.node:
            raise Untrusted(
                "receipt.wrong_sender", "a receipt for another node's envelope", step="receipt", field="from"
            )
        if expected is not None and receipt.envelope != expected:
            raise Untrusted(
                "receipt.other_envelope", "a receipt for another envelope", step="receipt", field="envelope"
            )
        self._ground.hear(receipt.received_at)
        self._ground.fault("receipt.before_store")
        self._ground.store.write(lambda tx: self._keep_receipt(tx, raw, receipt, pin.card.version))
        self._ground.fault("receipt.after_commit")
        return receipt

    def _form_anew(self, recipient: NodeId, envelope: str) -> None:
        """What its recipient has signed for it cannot be read (it has another version, or had when it signed), and it
        would say the same each time: nothing behind it would ever go. Its items go out again in another envelope."""

        def work(tx: Connection) -> None:
            there = records.load_envelope(tx, envelope)
            if there is not None and there.recipient == recipient and there.state in ("formed", "out"):
                self._all_rest.pop(recipient, None)
                records.mark_sent(tx, envelope, self._ground.clock())
                records.free_items(tx, envelope)
                records.give_up_envelope(tx, envelope)

        self._ground.store.write(work)

    def _keep_receipt(self, tx: Connection, raw: bytes, receipt: Receipt, version: int) -> None:
        ground, now = self._ground, self._ground.clock()
        self._pins.pinned(tx, receipt.recipient)
        envelope = records.load_sent(tx, receipt.envelope)
        if envelope is None or envelope.recipient != receipt.recipient:
            raise Untrusted(
                "receipt.unknown_envelope", "a receipt for no envelope of ours", step="receipt", field="envelope"
            )
        if envelope.sha256 != receipt.envelope_sha256:
            raise Untrusted("receipt.hash", "the receipt is for other bytes", step="receipt", field="envelope_sha256")
        items = records.items_of(tx, envelope.id, receipt.recipient)
        if [(item.kind, item.ref) for item in items] != [(result.kind, result.ref) for result in receipt.items]:
            raise Untrusted("receipt.items", "the receipt does not answer the items", step="receipt", field="items")
        self._pins.note_contact(tx, receipt.recipient, now)
        self._all_rest.pop(receipt.recipient, None)
        ground.store.after_commit(tx, lambda: ground.bell.contact(receipt.recipient))
        if envelope.receipted:
            return
        settled = [
            records.Settlement(item.row, after, result.reason, item.sent_at or format_instant(now))
            for item, result in zip(items, receipt.items, strict=True)
            if item.row is not None
            and item.state is not None
            and rules.may_follow(item.state, after := rules.state_from(result))
            # The receipt of an older envelope says nothing of what the row stands for now: it goes out again, and
            # who filed it before files it by its reference, once.
            and item.here
            and not rules.is_later(result)
        ]
        records.settle_items(tx, settled, receipt.received_at)
        for item, result in zip(items, receipt.items, strict=True):
            if item.row is None or not item.here:
                continue
            if rules.outlives(result, item.expires_at, envelope.expires_at):
                records.set_free(tx, item.row)
            elif rules.is_later(result):
                self._put_off(tx, item.row, result.reason, now)
            else:
                self._resting.pop(item.row, None)
        records.save_receipt(tx, envelope.id, raw, version)
        ground.ledger.append(
            tx,
            verb=LogVerb.DISCLOSE,
            subject=envelope.id,
            content={
                "decision": "receipt",
                "to": receipt.recipient,
                "refs": [item.ref for item in items],
                "received": [result.received for result in receipt.items],
            },
            at=now,
        )
        ground.fault("receipt.stored")


def _has_been_loaded(row: records.OutboxRow) -> bool:
    return row.envelope is not None or row.state is ItemState.RECEIVED
