"""The receiving side: verify, open and prepare outside the transaction, file inside one, sign the receipt behind it.

A large envelope would hold up every other writer. Its items, where their handler allows it, are committed some at a
time, and the row, the leaf and the receipt's body stand in the last transaction: until then nobody was promised
anything, the partner sends the same bytes again, and what was filed is found filed.

Order of effects: items filed, leaf, row with the receipt's body → COMMIT → what waits for the commit is called (a match
is shown) → the body is signed → the answer. The body says what the handlers answered and when: it exists exactly when
their work does, and is never another. The signature costs a millisecond that no officer should wait for, and promises
nothing before it leaves, so it is kept in memory at most: whoever asks again (a repeated envelope, a crash before the
answer, a file carried by hand) gets the same body, signed by the keys of that day.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache, partial
from itertools import groupby

import structlog
from sqlalchemy import Connection

from tansiq.crypto import Batch, SigningKeys, open_sealed, peek, sign
from tansiq.errors import Broken, TansiqError, Untrusted
from tansiq.exchange import records, rules, wire
from tansiq.exchange.ground import Ground, envelope_sha256, savepoint
from tansiq.exchange.model import GroupHandler, InboxHandler, Item, ItemResult, Preparer, Receipt
from tansiq.exchange.pins import Pins
from tansiq.terms import LogVerb

_log = structlog.get_logger("tansiq.exchange")
SIGNED_LATELY = 64
"""Receipts that are not signed again for a repeat: a partner whose line broke before the answer says it at once."""
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
        together: Mapping[str, GroupHandler],
    ) -> None:
        self._ground = ground
        self._pins = pins
        self._filers = filers
        self._preparers = preparers
        self._in_groups = in_groups
        self._together = together
        # By the keys too: after a rotation the same body is signed by the new ones.
        self._sign = lru_cache(SIGNED_LATELY)(self._signed_by)

    def receive(self, raw: bytes) -> tuple[bytes, wire.SealedEnvelope, bool]:
        """The signed receipt, the envelope, and whether it was known. Raises `Untrusted` on what does not verify."""
        ground = self._ground
        ground.fault("inbox.before_open")
        sha256 = envelope_sha256(raw)
        with ground.store.read() as tx:
            envelope, batch = self._verify(tx, raw)
            known = self._known(tx, envelope, sha256)
            if known is None:
                items = self._open(envelope, batch)
                ground.fault("inbox.opened")
                at = ground.clock()
                items = self._prepare(tx, envelope, items)
                ground.fault("inbox.prepared")
        ground.hear(envelope.sent_at)
        if known is None:
            done = self._file_early(envelope, sha256, items)
            row, repeated = ground.store.write(lambda tx: self._file(tx, envelope, sha256, items, at, done))
        else:
            row, repeated = known, True
            self._pins.note_quiet_contact(envelope.sender)
        ground.fault("inbox.after_commit")
        receipt = self.signed(row)
        ground.fault("inbox.signed")
        return receipt, envelope, repeated

    def signed(self, row: records.InboxRow) -> bytes:
        """The receipt that this envelope was given, and is given each time: the same body."""
        body = row.receipt
        if row.signed_by != records.UNSIGNED:
            if row.signed_by >= self._pins.own_keys_since:
                return row.receipt
            body = peek(row.receipt, wire.MAX_RECEIPT_BYTES).body
        return self._sign(body, self._ground.keys.signing)

    def _signed_by(self, body: bytes, keys: SigningKeys) -> bytes:
        return sign(wire.RECEIPT_TYPE, body, keys, self._ground.node)

    def _verify(self, tx: Connection, raw: bytes) -> tuple[wire.SealedEnvelope, Batch | None]:
        wire.check_size("envelope", raw, wire.MAX_ENVELOPE_BYTES)
        claim = peek(raw, wire.MAX_ENVELOPE_BYTES)
        author = claim.claimed
        pin = self._pins.pinned(tx, author)
        body, batch = claim.verified_in(wire.ENVELOPE_TYPE, pin.signing, author)
        envelope = wire.read("envelope", wire.parse_envelope, body)
        if envelope.sender != author:
            raise Untrusted("envelope.author", "signed by another than the sender", step="envelope", field="from")
        if envelope.recipient != self._ground.node:
            raise Untrusted("envelope.wrong_recipient", "the envelope is for another node", step="envelope", field="to")
        return envelope, batch

    def _open(self, envelope: wire.SealedEnvelope, batch: Batch | None) -> list[Item]:
        bound = wire.envelope_info(envelope.id, envelope.sender, envelope.recipient, envelope.suite)
        plaintext = open_sealed(envelope.sealed, self._ground.keys.sealing, bound)
        items = wire.read("items", wire.parse_items, plaintext)
        return items if batch is None else [replace(item, batch=batch) for item in items]

    def _prepare(self, tx: Connection, envelope: wire.SealedEnvelope, items: list[Item]) -> list[Item]:
        """What needs no write is done before the writer is asked for."""
        if len(items) == 1:
            items = [replace(items[0], alone=True)]
        return [self._prepared(tx, envelope, item) for item in items]

    def _prepared(self, tx: Connection, envelope: wire.SealedEnvelope, item: Item) -> Item:
        prepare = self._preparers.get(item.kind)
        if prepare is None:
            return item
        try:
            return replace(item, prepared=prepare(tx, envelope.sender, item))
        except TansiqError:
            return item  # its handler meets the same, and answers for it

    def _file_early(self, envelope: wire.SealedEnvelope, sha256: str, items: list[Item]) -> dict[int, ItemResult]:
        """All but the last group of a large envelope, each committed by itself; results by the item's place."""
        done: dict[int, ItemResult] = {}
        if len(items) <= GROUP or rules.has_expired(envelope.expires_at, self._ground.surely_past()):
            return done
        places = [n for n, item in enumerate(items) if item.kind in self._in_groups]
        for start in range(0, len(places) - GROUP, GROUP):
            group = places[start : start + GROUP]
            given = [items[n] for n in group]
            filed = self._ground.store.write(partial(self._file_group, envelope=envelope, sha256=sha256, group=given))
            if filed is None:
                break
            done |= zip(group, filed, strict=True)
            self._ground.fault("inbox.group_committed")
        return done

    def _file_group(
        self, tx: Connection, envelope: wire.SealedEnvelope, sha256: str, group: Sequence[Item]
    ) -> list[ItemResult] | None:
        """None where the same envelope was filed in the meantime."""
        self._pins.pinned(tx, envelope.sender)
        if self._known(tx, envelope, sha256) is not None:
            return None
        filed = self._several(tx, envelope, group)
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

    def _file(
        self,
        tx: Connection,
        envelope: wire.SealedEnvelope,
        sha256: str,
        items: list[Item],
        now: datetime,
        done: Mapping[int, ItemResult],
    ) -> tuple[records.InboxRow, bool]:
        """One transaction: the items that are not done, ledger leaf, inbox row with the receipt's body."""
        ground = self._ground
        # Asked again in here: the partner may have been removed, or the same envelope filed, since we looked.
        self._pins.pinned(tx, envelope.sender)
        known = self._known(tx, envelope, sha256)
        if known is not None:
            return known, True
        ground.fault("inbox.before_file")
        results = self._results(tx, envelope, items, done)
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
        receipt = Receipt(envelope.id, sha256, envelope.sender, ground.node, now, results)
        row = records.InboxRow(envelope.sender, envelope.id, sha256, wire.render_receipt(receipt), records.UNSIGNED)
        records.insert_inbox(tx, row, now, leaf)
        self._pins.note_contact(tx, envelope.sender, now)
        ground.store.after_commit(tx, lambda: ground.bell.contact(envelope.sender))
        ground.fault("inbox.before_commit")
        return row, False

    def _results(
        self,
        tx: Connection,
        envelope: wire.SealedEnvelope,
        items: list[Item],
        done: Mapping[int, ItemResult],
    ) -> tuple[ItemResult, ...]:
        if rules.has_expired(envelope.expires_at, self._ground.surely_past()):
            # The sender set the time: what comes too late is not filed, and the sender is told so, for good.
            return rules.refuse_all(items, "expired")
        found = dict(done)
        left = [n for n in range(len(items)) if n not in done]
        for _kind, run in groupby(left, key=lambda n: items[n].kind):
            places = list(run)
            found |= zip(places, self._several(tx, envelope, [items[n] for n in places]), strict=True)
        return tuple(found[n] for n in range(len(items)))

    def _several(self, tx: Connection, envelope: wire.SealedEnvelope, items: Sequence[Item]) -> list[ItemResult]:
        """Items of one kind: at once where their handler can, else one by one."""
        at_once = self._together.get(items[0].kind) if len({item.kind for item in items}) == 1 < len(items) else None
        filed: list[ItemResult] | None = None
        if at_once is not None:
            try:
                with savepoint(tx, "items"):
                    filed = at_once(tx, envelope.sender, items)
            except Broken:
                raise
            except TansiqError:
                filed = None  # of one of them: one by one the others are filed
        if filed is None:
            return [self._one(tx, envelope, item) for item in items]
        return [self._checked(item, result) for item, result in zip(items, filed, strict=True)]

    def _one(self, tx: Connection, envelope: wire.SealedEnvelope, item: Item) -> ItemResult:
        filer = self._filers.get(item.kind)
        if filer is None:
            return ItemResult(item.ref, False, "item.unknown_kind", item.kind)
        try:
            with savepoint(tx, "item"):
                result = filer(tx, envelope.sender, item)
        except Broken:
            raise  # our own failure is not the item's: the partner keeps it and tries again
        except TansiqError as exc:
            _log.warning("exchange.item_refused", envelope=envelope.id, ref=item.ref, code=exc.code)
            return ItemResult(item.ref, False, _code(exc.code), item.kind)
        return self._checked(item, result)

    def _checked(self, item: Item, result: ItemResult) -> ItemResult:
        if result.ref != item.ref:
            raise Broken("inbox.result", "the result is for another item", step="file", detail=item.ref)
        self._ground.fault("inbox.filed")
        return ItemResult(item.ref, result.received, "" if result.received else _code(result.reason), item.kind)


def _code(reason: str) -> str:
    """Only a stable code crosses the border: a free word here could carry what the partner may not know."""
    return reason if _CODE.fullmatch(reason) else "refused"
