"""Four eyes: an act that waits until a second officer, with the needed role, confirms or rejects it.

The proposer's record and the second officer's decision are rows of one draft; the draft moves once. Whoever executes
the act does so in the transaction that confirms it (`confirm_in`), so a crash cannot confirm an act and lose it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from tansiq.access import records, rules
from tansiq.access.model import Acting, Draft, DraftState, Role
from tansiq.crypto import Vault, canonical
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.store import Store
from tansiq.terms import OfficerId, format_instant, parse_instant

_TABLE = "access_drafts"


class FourEyes:
    """The drafts of one node."""

    def __init__(
        self, store: Store, vault: Vault, clock: Callable[[], datetime], random_bytes: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._random_bytes = random_bytes

    def propose(self, tx: Connection, act: str, body: bytes, by: Acting, needs: str, ref: str) -> str:
        """Lay an act down for a second officer; the draft's id."""
        if needs not in set(Role):
            raise Invalid("draft.needs", "no such role", step="propose", field="needs")
        if records.officer_by_id(tx, by.officer) is None:
            raise NotFound("officer.unknown", "no such officer", step="propose")
        draft = f"f-{self._random_bytes(16).hex()}"
        content = {
            "body": base64.b64encode(body).decode(),
            "purpose": by.purpose,
            "justification": by.justification,
        }
        values = {
            "id": draft,
            "act": act,
            "ref": ref,
            "needs": needs,
            "first": by.officer,
            "sealed": self._vault.seal(_TABLE, draft, canonical(content)),
            "proposed_at": format_instant(self._clock()),
            "state": DraftState.WAITING,
        }
        records.add_draft(tx, values)
        return draft

    def pending(self) -> list[Draft]:
        """What waits for a second officer, oldest first."""
        with self._store.read() as tx:
            rows = records.drafts_in(tx, DraftState.WAITING, format_instant(self._oldest()))
        return [self._draft(row) for row in rows]

    def draft(self, draft: str) -> Draft:
        with self._store.read() as tx:
            return self._load(tx, draft)

    def confirm(self, tx: Connection, draft: str, by: Acting) -> tuple[Draft, Acting]:
        """Confirm the draft as its second officer; the draft, and the first officer acting with the second.

        Raises `Refused` for the same officer, a missing role, a draft that is too old or a first officer who has left;
        `Conflict` when somebody was quicker.
        """
        found = self._load(tx, draft)
        rules.may_confirm(found.first, by.officer, by.roles, found.needs)
        if found.proposed_at < self._oldest():
            raise Refused("access.draft_expired", "the draft is too old: propose it again", step="confirm")
        first = records.officer_by_id(tx, found.first)
        if first is None or not records.may_act(first):
            raise Refused("access.officer_inactive", "the first officer is no longer active", step="confirm")
        settled = self._settle(tx, found, DraftState.CONFIRMED, by)
        roles = rules.parse_roles(first.roles.split(","))
        return settled, Acting(found.first, roles, found.purpose, found.justification, second=by.officer)

    def reject(self, tx: Connection, draft: str, by: Acting) -> Draft:
        """End the draft: its first officer withdraws it, or one who could have confirmed it refuses."""
        found = self._load(tx, draft)
        if by.officer != found.first:
            rules.may_confirm(found.first, by.officer, by.roles, found.needs)
        return self._settle(tx, found, DraftState.REJECTED, by)

    def end_all(self, tx: Connection, at: str) -> int:
        """What waits is rejected by nobody: after a restore it may have been confirmed, and done, already."""
        return records.settle_drafts(tx, DraftState.WAITING, {"state": DraftState.REJECTED, "decided_at": at})

    def _settle(self, tx: Connection, found: Draft, state: DraftState, by: Acting) -> Draft:
        values = {"state": state, "second": by.officer, "decided_at": format_instant(self._clock())}
        if not records.settle_draft(tx, found.id, DraftState.WAITING, values):
            raise Conflict("access.draft_settled", "the draft was already confirmed or rejected", step="settle draft")
        return self._load(tx, found.id)

    def _load(self, tx: Connection, draft: str) -> Draft:
        row = records.draft_by_id(tx, draft)
        if row is None:
            raise NotFound("access.draft_unknown", "no such draft", step="load draft")
        return self._draft(row)

    def _oldest(self) -> datetime:
        return self._clock() - timedelta(days=rules.DRAFT_DAYS)

    def _draft(self, row: Row[Any]) -> Draft:
        content = json.loads(self._vault.open(_TABLE, row.id, row.sealed))
        return Draft(
            id=row.id,
            act=row.act,
            ref=row.ref,
            body=base64.b64decode(content["body"]),
            needs=Role(row.needs),
            first=OfficerId(row.first),
            purpose=content["purpose"],
            justification=content["justification"],
            proposed_at=parse_instant(row.proposed_at),
            state=DraftState(row.state),
            second=OfficerId(row.second) if row.second else None,
            decided_at=parse_instant(row.decided_at) if row.decided_at else None,
        )
