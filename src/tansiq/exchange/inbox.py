"""The receiving side: verify, open and prepare outside the transaction, file and receipt inside one.

A large envelope would hold up every other writer. Its items, where their handler allows it, are committed some at a
time, and the row, the leaf and the receipt stand in the last transaction: until then nobody was promised anything, the
partner sends the same bytes again, and what was filed is found filed.

The receipt stands in the transaction that files: it says what the handlers answered, and it must exist exactly when
their work does. Signing it costs a millisecond and needs no database, so one is signed beside the filing, on the
assumption that every item is received; the transaction takes it if that came true, else it signs what did. An unused
one is forgotten: it has never left the memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from tansiq.crypto import open_sealed, peek, sign, verify
from tansiq.errors import Broken, TansiqError, Untrusted
from tansiq.exchange import records, rules, wire
from tansiq.exchange.ground import Ground, envelope_sha256, savepoint
from tansiq.exchange.model import InboxHandler, Item, ItemResult, Preparer, Receipt
from tansiq.exchange.pins import Pins
from tansiq.terms import LogVerb

_log = structlog.get_logger("tansiq.exchange")
GROUP = 8
"""Items of one transaction: some milliseconds, and a small part of a commit's price for each."""
_CODE = re.compile(r"[a-z0-9_.]{1,96}")


class Inbox:
    """What partners hand to us."""

    def __init__(
        self,
        ground: Ground,
        pins: Pins,
        filers: Mapping[str, InboxHandler],
        preparers: Mapping[str, Preparer],
        in_groups: Collection[str],
    ) -> None:
        self._ground = ground
        self._pins = pins
        self._filers = filers
        self._preparers = preparers
        self._in_groups = in_groups

    def receive(self, raw: bytes) -> tuple[bytes, wire.SealedEnvelope, bool]:
        """The signed receipt, the envelope, and whether it was known. Raises `Untrusted` on what does not verify."""
        ground = self._ground
        ground.fault("inbox.before_open")
        sha256 = envelope_sha256(raw)
        with ground.store.read() as tx:
            envelope = self._verify(tx, raw)
            known = self._known(tx, envelope, sha256)
        if known is None:
            items = self._open(envelope)
            ground.fault("inbox.opened")
            assumed = _Assumed(ground, envelope, sha256, items)
            items = self._prepare(envelope, items)
            ground.fault("inbox.prepared")
            done = self._file_early(envelope, items, assumed)
            receipt, repeated = ground.store.write(lambda tx: self._file(tx, envelope, items, assumed, done))
        else:
            receipt, repeated = self._again(known), True
            self._pins.note_quiet_contact(envelope.sender)
        ground.fault("inbox.after_commit")
        return receipt, envelope, repeated

    def _verify(self, tx: Connection, raw: bytes) -> wire.SealedEnvelope:
        wire.check_size("envelope", raw, wire.MAX_ENVELOPE_BYTES)
        author = peek(raw, wire.MAX_ENVELOPE_BYTES).claimed
        pin = self._pins.pinned(tx, author)
        body = verify(raw, wire.ENVELOPE_TYPE, pin.signing, author, wire.MAX_ENVELOPE_BYTES)
        envelope = wire.read("envelope", wire.parse_envelope, body)
        if envelope.sender != author:
            raise Untrusted("envelope.author", "signed by another than the sender", step="envelope", field="from")
        if envelope.recipient != self._ground.node:
            raise Untrusted("envelope.wrong_recipient", "the envelope is for another node", step="envelope", field="to")
        return envelope

    def _open(self, envelope: wire.SealedEnvelope) -> list[Item]:
        bound = wire.envelope_info(envelope.id, envelope.sender, envelope.recipient, envelope.suite)
        plaintext = open_sealed(envelope.sealed, self._ground.keys.sealing, bound)
        return wire.read("items", wire.parse_items, plaintext)

    def _prepare(self, envelope: wire.SealedEnvelope, items: list[Item]) -> list[Item]:
        """What needs no write is done before the writer is asked for."""
        if len(items) == 1:
            items = [replace(items[0], alone=True)]
        with self._ground.store.read() as tx:
            return [self._prepared(tx, envelope, item) for item in items]

    def _prepared(self, tx: Connection, envelope: wire.SealedEnvelope, item: Item) -> Item:
        prepare = self._preparers.get(item.kind)
        if prepare is None:
            return item
        try:
            return replace(item, prepared=prepare(tx, envelope.sender, item))
        except TansiqError:
            return item  # its handler meets the same, and answers for it

    def _file_early(self, envelope: wire.SealedEnvelope, items: list[Item], assumed: _Assumed) -> dict[int, ItemResult]:
        """All but the last group of a large envelope, each committed by itself; results by the item's place."""
        done: dict[int, ItemResult] = {}
        if len(items) <= GROUP or rules.has_expired(envelope.expires_at, assumed.at):
            return done
        places = [n for n, item in enumerate(items) if item.kind in self._in_groups]
        for start in range(0, len(places) - GROUP, GROUP):
            group = places[start : start + GROUP]
            given = [items[n] for n in group]
            filed = self._ground.store.write(partial(self._file_group, envelope=envelope, group=given, assumed=assumed))
            if filed is None:
                break
            done |= zip(group, filed, strict=True)
            self._ground.fault("inbox.group_committed")
        return done

    def _file_group(
        self, tx: Connection, envelope: wire.SealedEnvelope, group: Sequence[Item], assumed: _Assumed
    ) -> list[ItemResult] | None:
        """None where the same envelope was filed in the meantime."""
        self._pins.pinned(tx, envelope.sender)
        if self._known(tx, envelope, assumed.sha256) is not None:
            return None
        filed = [self._one(tx, envelope, item) for item in group]
        self._ground.fault("inbox.group_filed")
        return filed

    def _known(self, tx: Connection, envelope: wire.SealedEnvelope, sha256: str) -> records.InboxRow | None:
        row = records.find_inbox(tx, envelope.sender, envelope.id)
        if row is not None and row.sha256 != sha256:
            # Two signed envelopes under one id: the partner's node is broken or says two things.
            raise Untrusted(
                "envelope.id_reused",
                "this id came before with other bytes",
                step="envelope",
                field="id",
                detail=envelope.id,
            )
        return row

    def _again(self, known: records.InboxRow) -> bytes:
        """The receipt that was given before, the same bytes; signed anew only when our own keys have changed since."""
        receipt = self.stored_receipt(known)
        if receipt is known.receipt:
            return receipt
        renewed = records.InboxRow(known.sender, known.envelope, known.sha256, receipt, self._pins.own.card.version)
        self._ground.store.write(lambda tx: records.replace_receipt(tx, renewed))
        return receipt

    def stored_receipt(self, known: records.InboxRow) -> bytes:
        if known.own_version >= self._pins.own_keys_since:
            return known.receipt
        body = peek(known.receipt, wire.MAX_RECEIPT_BYTES).body
        return sign(wire.RECEIPT_TYPE, body, self._ground.keys.signing, self._ground.node)

    def _file(
        self,
        tx: Connection,
        envelope: wire.SealedEnvelope,
        items: list[Item],
        assumed: _Assumed,
        done: Mapping[int, ItemResult],
    ) -> tuple[bytes, bool]:
        """One transaction: the items that are not done, ledger leaf, inbox row, receipt."""
        ground, now, sha256 = self._ground, assumed.at, assumed.sha256
        # Asked again in here: the partner may have been removed, or the same envelope filed, since we looked.
        self._pins.pinned(tx, envelope.sender)
        known = self._known(tx, envelope, sha256)
        if known is not None:
            return known.receipt, True
        ground.fault("inbox.before_file")
        results = self._results(tx, envelope, items, now, done)
        leaf = ground.ledger.append(
            tx,
            verb=LogVerb.COLLECT,
            subject=envelope.id,
            content={
                "decision": "received",
                "from": envelope.sender,
                "refs": [item.ref for item in items],
                "received": [result.received for result in results],
            },
            at=now,
        )
        raw = assumed.signed(results)
        row = records.InboxRow(envelope.sender, envelope.id, sha256, raw, self._pins.own.card.version)
        records.insert_inbox(tx, row, now, leaf)
        self._pins.note_contact(tx, envelope.sender, now)
        ground.store.after_commit(tx, lambda: ground.bell.contact(envelope.sender))
        ground.fault("inbox.before_commit")
        return raw, False

    def _results(
        self,
        tx: Connection,
        envelope: wire.SealedEnvelope,
        items: list[Item],
        now: datetime,
        done: Mapping[int, ItemResult],
    ) -> tuple[ItemResult, ...]:
        if rules.has_expired(envelope.expires_at, now):
            # The sender set the time: what comes too late is not filed, and the sender is told so.
            return rules.refuse_all((item.ref for item in items), "expired")
        return tuple(done[n] if n in done else self._one(tx, envelope, item) for n, item in enumerate(items))

    def _one(self, tx: Connection, envelope: wire.SealedEnvelope, item: Item) -> ItemResult:
        filer = self._filers.get(item.kind)
        if filer is None:
            return ItemResult(item.ref, False, "item.unknown_kind")
        try:
            with savepoint(tx, "item"):
                result = filer(tx, envelope.sender, item)
        except Broken:
            raise  # our own failure is not the item's: the partner keeps it and tries again
        except TansiqError as exc:
            _log.warning("exchange.item_refused", envelope=envelope.id, ref=item.ref, code=exc.code)
            return ItemResult(item.ref, False, _code(exc.code))
        if result.ref != item.ref:
            raise Broken("inbox.result", "the result is for another item", step="file", detail=item.ref)
        self._ground.fault("inbox.filed")
        return ItemResult(item.ref, result.received, "" if result.received else _code(result.reason))


class _Assumed:
    """The receipt for an envelope of which every item is received, being signed."""

    def __init__(self, ground: Ground, envelope: wire.SealedEnvelope, sha256: str, items: list[Item]) -> None:
        self._ground = ground
        self._envelope = envelope
        self.sha256 = sha256
        self.at = ground.clock()
        self._keys = ground.keys
        self._results = tuple(ItemResult(item.ref, True) for item in items)
        self._signing = ground.sign_beside(wire.RECEIPT_TYPE, self._body(self._results))

    def signed(self, results: tuple[ItemResult, ...]) -> bytes:
        """The signed receipt that says `results`."""
        ground = self._ground
        if results == self._results and ground.keys is self._keys:
            return self._signing.result()
        return sign(wire.RECEIPT_TYPE, self._body(results), ground.keys.signing, ground.node)

    def _body(self, results: tuple[ItemResult, ...]) -> bytes:
        to = self._envelope.sender
        receipt = Receipt(self._envelope.id, self.sha256, to, self._ground.node, self.at, results)
        return wire.render_receipt(receipt)


def _code(reason: str) -> str:
    """Only a stable code crosses the border: a free word here could carry what the partner may not know."""
    return reason if _CODE.fullmatch(reason) else "refused"
