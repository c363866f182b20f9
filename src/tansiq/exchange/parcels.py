"""Files carried by hand: the same envelopes and receipts, without a network between two nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.errors import Broken, Invalid, TansiqError
from tansiq.exchange import records, wire
from tansiq.exchange.ground import Ground, envelope_sha256
from tansiq.exchange.inbox import Inbox
from tansiq.exchange.model import ParcelSummary
from tansiq.exchange.outbox import Outbox
from tansiq.exchange.pins import Pins
from tansiq.terms import LogVerb, NodeId

_log = structlog.get_logger("tansiq.exchange")
MAX_ENVELOPES = 512
PARCEL_BYTES = 512 * 1024 * 1024


class Parcels:
    """Export and import. A parcel may be lost, copied, cut short or read twice: the next one makes it good."""

    def __init__(self, ground: Ground, pins: Pins, outbox: Outbox, inbox: Inbox) -> None:
        self._ground = ground
        self._pins = pins
        self._outbox = outbox
        self._inbox = inbox

    def export(self, to: NodeId, said: Mapping[str, Any]) -> bytes:
        """Everything that waits for `to` or may not have arrived, and the receipts that we owe it.

        `said`: who takes it out and by which clauses, for the leaf.
        """
        ground = self._ground
        envelopes = self._outbox.hand_out(to, MAX_ENVELOPES, PARCEL_BYTES)

        def work(tx: Connection) -> list[records.InboxRow]:
            self._pins.pinned(tx, to)
            owed = records.owed_receipts(tx, to)
            if envelopes:
                # LED art. 25: a disclosure by hand is a disclosure.
                digests = [envelope_sha256(raw) for raw in envelopes]
                content = {**said, "decision": "exported by hand", "to": to, "envelopes": digests}
                ground.ledger.append(tx, verb=LogVerb.DISCLOSE, subject=to, content=content, at=ground.clock())
            ground.fault("parcel.before_commit")
            return owed

        owed = ground.store.write(work)
        ground.fault("parcel.after_commit")
        receipts = [self._inbox.signed(row) for row in owed]
        return wire.render_parcel(wire.ParcelHead(ground.node, to, ground.clock()), envelopes, receipts)

    def take_in(self, raw: bytes) -> ParcelSummary:
        """Process a parcel line by line; what does not verify is named, the rest stands. A second time is harmless.

        The head is unsigned: what it says of the sender is repeated only where a line that verifies bears it out.
        """
        head, good, failures = wire.parse_parcel(raw)
        if head.recipient != self._ground.node:
            raise Invalid("parcel.wrong_recipient", "the file is for another node", step="parcel", field="to")
        envelopes = repeated = receipts = 0
        proven: set[NodeId] = set()
        for number, what, line in good:
            try:
                if what == "receipt":
                    author = self._outbox.take_receipt(line).recipient
                    receipts += 1
                else:
                    _, envelope, known = self._inbox.receive(line)
                    author = envelope.sender
                    self._owe(author, envelope.id)
                    envelopes += 1
                    repeated += known
                proven.add(author)
                if author != head.sender:
                    failures.append((number, "parcel.other_author"))
            except Broken:
                raise
            except TansiqError as exc:
                _log.warning("exchange.parcel_line_refused", line=number, code=exc.code)
                failures.append((number, exc.code))
        if not failures:
            self._settle(head.sender, good)
        sender = head.sender if head.sender in proven else None
        return ParcelSummary(sender, envelopes, repeated, receipts, tuple(sorted(failures)))

    def _owe(self, sender: NodeId, envelope: str) -> None:
        self._ground.store.write(lambda tx: records.set_owed(tx, sender, [envelope], owed=True))

    def _settle(self, sender: NodeId, good: list[tuple[int, str, bytes]]) -> None:
        """A whole parcel holds all that its maker has no receipt for: what is not in it is no longer owed.

        The head is unsigned. If it lies, the partner's next parcel holds the envelope again, and we owe again.
        """
        held = {envelope_sha256(line) for _, what, line in good if what == "envelope"}

        def work(tx: Connection) -> None:
            owed = records.owed_receipts(tx, sender)
            records.set_owed(tx, sender, [r.envelope for r in owed if r.sha256 not in held], owed=False)

        self._ground.store.write(work)
