"""Links between dossiers: a service's own note, which no partner is told.

A link in an entry would go to that dossier's members, of whom some may not know that the other dossier exists. So it
stays here. Both ends are dossiers of this node; who is shown a link is whom the law gate lets read both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bureau import records
from tansiq.bureau.model import LINK_REASONS, Link
from tansiq.crypto import Vault
from tansiq.errors import Conflict, Invalid, NotFound
from tansiq.ledger import Ledger
from tansiq.store import Store
from tansiq.terms import DossierId, LogVerb


class Links:
    """All links of one node."""

    def __init__(
        self, store: Store, vault: Vault, ledger: Ledger, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._new_id = new_id

    def add(self, origin: DossierId, target: DossierId, why: str, by: Acting) -> Link:
        """Note that two dossiers belong together; the caller has asked the gate for both. Raises `Invalid`."""
        if why not in LINK_REASONS:
            raise Invalid("link.why", f"one of {', '.join(LINK_REASONS)}", step="link the dossiers", field="why")
        if origin == target:
            raise Invalid("link.itself", "a dossier is not linked to itself", step="link the dossiers", field="to")
        made = Link(f"l-{self._new_id()}"[:34], origin, target, why, by.officer, self._clock())

        def work(tx: Connection) -> Link:
            if any(x.other(origin) == target for x in records.links(tx, self._vault, origin)):
                raise Conflict("link.there", "they are linked already", step="link the dossiers", field="to")
            records.insert_link(tx, self._vault, made)
            self._leaf(tx, origin, by, {"link": made.id, "why": why, "decision": "linked"})
            return made

        return self._store.write(work)

    def of(self, dossier: DossierId, may_show: Callable[[DossierId], bool]) -> list[Link]:
        """The links of a dossier whose other end this officer may read too."""
        with self._store.read() as tx:
            found = records.links(tx, self._vault, dossier)
        return [x for x in found if may_show(x.other(dossier))]

    def remove(self, dossier: DossierId, link: str, by: Acting) -> None:
        """Raises `NotFound`."""

        def work(tx: Connection) -> None:
            if all(x.id != link for x in records.links(tx, self._vault, dossier)):
                raise NotFound("link.unknown", "no such link", step="remove the link", field="link")
            records.drop_link(tx, link)
            self._leaf(tx, dossier, by, {"link": link, "decision": "link removed"})

        self._store.write(work)

    def _leaf(self, tx: Connection, dossier: DossierId, by: Acting, more: dict[str, str]) -> None:
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}
        self._ledger.append(tx, verb=LogVerb.COMBINE, subject=dossier, content=content, at=self._clock())
