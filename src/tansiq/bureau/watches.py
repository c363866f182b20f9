"""Standing queries: kept, compared with what arrives and with what we come to hold, told to their officers.

Crash state: an entry waits in the transaction that files it and stops waiting in the one that keeps its notices; new
holdings are counted by a cursor that moves in that same one. A repeated comparison tells nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import Bank, entity_to_json
from tansiq.bureau import records
from tansiq.bureau.compare import Compared, plain_number
from tansiq.bureau.model import Notice, Watch, WatchKind
from tansiq.bureau.search import query_words
from tansiq.crypto import Vault
from tansiq.dossiers.model import Entry
from tansiq.errors import Conflict, Invalid, NotFound
from tansiq.ledger import Ledger
from tansiq.store import Store
from tansiq.terms import LogVerb, OfficerId, Purpose
from tansiq.terms.instants import parse_date

LONGEST = timedelta(days=366)
MOST = 10_000
ROUND = 100
SHORTEST_NUMBER = 5
STEP = "keep the standing query"


class Watches:
    """All standing queries of one node."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        bank: Bank,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._bank = bank
        self._clock = clock
        self._new_id = new_id
        self._comparing = threading.Lock()
        self._ready: tuple[list[str], Compared, dict[str, str]] | None = None

    # --- keeping ---

    def add(self, kind: str, text: str, expires_on: str, by: Acting) -> Watch:
        """Keep a query of this officer; the caller has asked the gate. Purpose and end must be given (LED art. 4)."""
        found = _checked(kind, text, expires_on, by, self._clock().date())
        made = Watch(
            f"w-{self._new_id()}"[:34],
            by.officer,
            found,
            " ".join(text.split()),
            by.purpose,
            by.justification,
            expires_on,
            self._clock(),
        )

        def work(tx: Connection) -> Watch:
            if len(records.watch_ids(tx)) >= MOST:
                raise Conflict("watch.too_many", f"this node keeps {MOST} standing queries", step=STEP)
            if records.cursor(tx) is None or not records.watch_ids(tx):
                # What is held already is for a search; a standing query tells of what is new.
                records.set_cursor(tx, self._bank.new_holdings(2**62, 1)[0])
            records.insert_watch(tx, self._vault, made)
            self._leaf(tx, made.id, by, {"decision": "standing query", "until": expires_on, "kind": found.value})
            return made

        return self._store.write(work)

    def kept(self, officer: str = "") -> list[Watch]:
        with self._store.read() as tx:
            return records.watches(tx, self._vault, officer)

    def remove(self, watch: str, by: Acting) -> None:
        """The officer's own. Raises `NotFound`, also for another officer's."""

        def work(tx: Connection) -> None:
            if all(w.id != watch for w in records.watches(tx, self._vault, by.officer)):
                raise NotFound("watch.unknown", "no such standing query", step="remove it", field="id")
            records.drop_watch(tx, watch)
            self._leaf(tx, watch, by, {"decision": "standing query ended"})

        self._store.write(work)

    def sweep(self) -> int:
        """End the queries whose day has passed, with their notices."""
        today = self._clock().date().isoformat()

        def work(tx: Connection) -> int:
            over = records.expired(tx, today)
            for watch, officer in over:
                records.drop_watch(tx, watch)
                by = Acting(OfficerId(officer), frozenset(), "", "its day has passed")
                self._leaf(tx, watch, by, {"decision": "standing query ended"})
            return len(over)

        return self._store.write(work)

    def _leaf(self, tx: Connection, subject: str, by: Acting, more: dict[str, Any]) -> None:
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}
        self._ledger.append(tx, verb=LogVerb.CONSULT, subject=subject, content=content, at=self._clock())

    # --- comparing ---

    def note(self, tx: Connection, entry: str, dossier: str) -> None:
        """In the transaction that files the entry."""
        if records.has_watches(tx):
            records.put_waiting(tx, entry, dossier)

    def compare(self, load_entry: Callable[[str], Entry]) -> int:
        """Everything that came since, against all queries. How many notices are new."""
        with self._comparing:
            return self._entries(load_entry) + self._holdings()

    def _compared(self) -> tuple[Compared, dict[str, str]] | None:
        """The queries made ready; made anew when one came or went. With each query's officer."""
        today = self._clock().date().isoformat()
        with self._store.read() as tx:
            ids = records.watch_ids(tx)
            if self._ready is None or self._ready[0] != ids:
                watches = records.watches(tx, self._vault)
                self._ready = (ids, Compared(watches), {w.id: w.officer for w in watches if w.expires_on >= today})
        return (self._ready[1], self._ready[2]) if ids else None

    def _entries(self, load_entry: Callable[[str], Entry]) -> int:
        with self._store.read() as tx:
            waiting = records.waiting(tx, ROUND)
        if not waiting:
            return 0
        ready = self._compared()
        fresh: list[Notice] = []
        for entry, dossier in waiting:
            try:
                parts = load_entry(entry).parts
            except NotFound:
                continue
            for part in parts if ready else ():
                if part.content is not None and ready is not None:
                    fresh += self._told(ready, part.content, part.ref.id, dossier)
        return self._store.write(lambda tx: self._keep(tx, fresh, [e for e, _ in waiting], None))

    def _holdings(self) -> int:
        with self._store.read() as tx:
            cursor = records.cursor(tx)
        if cursor is None:
            return 0
        upto, found = self._bank.new_holdings(cursor, ROUND)
        if upto == cursor:
            return 0
        ready = self._compared()
        if ready is None:
            return 0
        fresh = [
            n
            for record in found
            for n in self._told(ready, {"kind": "entity", "entity": entity_to_json(record.entity)}, record.id, "")
        ]
        return self._store.write(lambda tx: self._keep(tx, fresh, [], upto))

    def _told(
        self, ready: tuple[Compared, dict[str, str]], content: Mapping[str, Any], met: str, dossier: str
    ) -> list[Notice]:
        compared, officers = ready
        now = self._clock()
        return [
            Notice(f"n-{self._new_id()}"[:34], m.watch, officers[m.watch], met, dossier, m.what, m.score, now, None)
            for m in compared.meet(content)
            if m.watch in officers
        ]

    def _keep(self, tx: Connection, fresh: list[Notice], entries: list[str], upto: int | None) -> int:
        there = set(records.watch_ids(tx))
        kept = [n for n in fresh if n.watch in there and records.insert_notice(tx, self._vault, n)]
        if entries:
            records.drop_waiting(tx, entries)
        if upto is not None:
            records.set_cursor(tx, upto)
        if entries or kept:
            # LED art. 25(1)(f): a combination, whatever came of it.
            content = {"officer": "", "purpose": "system", "queries": len(there), "notices": len(kept)}
            self._ledger.append(tx, verb=LogVerb.COMBINE, subject="bureau.watches", content=content, at=self._clock())
        return len(kept)

    # --- telling ---

    def notices(self, officer: str, *, open_only: bool = True) -> list[Notice]:
        """What met this officer's queries, the oldest first."""
        with self._store.read() as tx:
            return records.notices(tx, self._vault, officer, open_only=open_only)

    def seen(self, notice: str, by: Acting) -> None:
        """The officer has read it. Raises `NotFound`, also for another officer's."""

        def work(tx: Connection) -> None:
            if all(n.id != notice for n in records.notices(tx, self._vault, by.officer)):
                raise NotFound("watch.notice_unknown", "no such notice", step="read the notice", field="id")
            records.set_seen(tx, notice, self._clock())
            self._leaf(tx, notice, by, {"decision": "notice read"})

        self._store.write(work)

    def forget(self, tx: Connection, part: str, gone: list[str]) -> None:
        """What met them was erased: so are the words that the notice took from it."""
        records.drop_notices_of(tx, [part, *gone])


def _checked(kind: str, text: str, expires_on: str, by: Acting, today: date) -> WatchKind:
    """Raises `Invalid` with the field."""
    try:
        found = WatchKind(kind)
    except ValueError:
        raise Invalid("watch.kind", "name, number or words", step=STEP, field="kind") from None
    if found is WatchKind.NUMBER:
        number = plain_number(text)
        if not SHORTEST_NUMBER <= len(number) <= 64 or not any(c.isdigit() for c in number):
            raise Invalid("watch.number", f"a number of {SHORTEST_NUMBER} characters or more", step=STEP, field="text")
    else:
        query_words(text)
    if by.purpose not in set(Purpose):
        raise Invalid("watch.purpose", f"one of {', '.join(Purpose)}", step=STEP, field="purpose")
    if not by.justification.strip():
        raise Invalid("watch.justification", "say why", step=STEP, field="justification")
    ends = parse_date(expires_on, "until")
    if not today <= ends <= today + LONGEST:
        raise Invalid("watch.until", "a day within a year from now", step=STEP, field="until")
    return found
