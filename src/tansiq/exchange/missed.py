"""A node that came out of a backup has lost what was exchanged since; it says so to its partners (item `missed`).

Promises: a partner is answered once for an envelope, however often it asks in it, and each time that it asks it waits
twice as long, up to a day: everything that was exchanged is read for it. What it is answered with is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tansiq.errors import TansiqError
from tansiq.exchange import records
from tansiq.exchange.model import MISSED, Item, ItemResult
from tansiq.store import Store
from tansiq.terms import FIRST, NodeId, later, parse_instant

SLACK = timedelta(hours=2)
"""Two nodes' clocks differ by an hour at most before officers are told."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
"""How long a partner waits that has asked just now."""


class Missed:
    """Loader and handler for items of kind `missed`: ref and payload are the instant at which the backup was made."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], send_again: Callable[[Connection, NodeId, datetime], None]
    ) -> None:
        """`send_again`: (tx, partner, since) -> all that it may have lost since then is queued for it."""
        self._store = store
        self._clock = clock
        self._send_again = send_again
        self._answered: dict[NodeId, tuple[datetime, timedelta]] = {}
        """Partner -> when it was answered last, and how long it waits from then on. Memory of this process."""

    @staticmethod
    def load(_tx: Connection, ref: str, _to: NodeId) -> bytes:
        return ref.encode()

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        now = self._clock()
        try:
            since = later(parse_instant(item.payload.decode("ascii", "strict")), -SLACK)
        except (TansiqError, UnicodeDecodeError):
            return ItemResult(item.ref, received=False, reason="missed.malformed")
        last, wait = self._answered.get(sender, (FIRST, FIRST_WAIT))
        if now < last + wait:
            return ItemResult(item.ref, received=False, reason="missed.too_often")
        longer = min(2 * wait, LONGEST_WAIT) if now < last + LONGEST_WAIT else FIRST_WAIT
        # At the envelope's end, so that many of them in it are answered once.
        self._store.at_end(tx, (MISSED, sender), lambda: self._send_again(tx, sender, since))
        self._store.after_commit(tx, lambda: self._answered.update({sender: (now, longer)}))
        return ItemResult(item.ref, received=True)

    @staticmethod
    def asked_since(tx: Connection, partner: NodeId) -> datetime | None:
        """Since when we have ever asked this partner for what we lost; None where we never did."""
        asked = records.least_ref(tx, MISSED, partner)
        return later(parse_instant(asked), -SLACK) if asked else None
