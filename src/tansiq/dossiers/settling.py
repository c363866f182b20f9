"""What the rules make a node do by itself: answer a recall, receipt a request, ask for what is missing, erase."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.dossiers import desk, records
from tansiq.dossiers.asking import Asking, Due
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.model import AutoAct, DossierState, Recall
from tansiq.dossiers.rules import automatic
from tansiq.dossiers.standing import Standing
from tansiq.dossiers.writing import Writing
from tansiq.errors import Conflict, TansiqError
from tansiq.ledger.model import LeafView
from tansiq.terms import DossierId, LogVerb

log = structlog.get_logger()

ASK_AFTER = timedelta(seconds=30)
"""An entry that others name and we lack is asked for after this time (`asking.py`)."""


class Settling:
    """The acts that no officer decides."""

    def __init__(self, wiring: Wiring, writing: Writing) -> None:
        self._w = wiring
        self._writing = writing
        self._asking = Asking()

    def settle(self) -> int:
        """Write the automatic acts that are due. Crash safe: a dossier stays unsettled until they are written."""
        with self._w.store.read() as tx:
            waiting = records.load_unsettled(tx)
        for dossier in waiting:
            try:
                self._settle_one(dossier)
            except TansiqError as exc:
                # One dossier that cannot be settled must not keep the others waiting. It stays unsettled, and is named.
                log.error("settle", dossier=dossier, code=exc.code)  # noqa: TRY400 # no traceback: it may hold texts
        return len(waiting)

    def _settle_one(self, dossier: DossierId) -> None:
        with self._w.store.read() as tx:
            there = desk.load_standing(self._w, tx, dossier)
            acts = automatic(there.folded.state, there.kind, self._w.node)
            if not acts and self._waits(tx, there):
                return  # looked at every two seconds: what only waits must not cost a write
        self._w.fault("settle.begun")
        for act in acts:
            facts = self._with_proof(there.folded.state, act)
            try:
                self._write_auto(dossier, act, facts)
            except Conflict:
                continue
        self._w.store.write(lambda tx: self._mark_settled(tx, dossier))

    def _write_auto(self, dossier: DossierId, act: AutoAct, facts: Mapping[str, Any]) -> None:
        self._w.store.write(lambda tx: self._writing.append_auto(tx, dossier, act, facts))

    def _mark_settled(self, tx: Connection, dossier: DossierId) -> None:
        there = desk.load_standing(self._w, tx, dossier)
        state = there.folded.state
        if automatic(state, there.kind, self._w.node) or self._waits(tx, there):
            return
        due = self._due(state)
        for node, missing in due.asks:
            expires_at = self._w.clock() + timedelta(days=self._w.item_days)
            self._w.requeue(tx, node, "ask", missing, expires_at)
        if due.asks:
            self._w.store.after_commit(tx, lambda: self._asking.note(dossier, due))
        if not due.later:
            records.set_settled(tx, dossier)

    def _waits(self, tx: Connection, there: Standing) -> bool:
        """For what is most likely on its way (envelopes overtake each other), or for an answer to what was asked."""
        state = there.folded.state
        if not state.missing or self._w.node not in state.members:
            return False
        if self._w.clock() - records.load_last_filed(tx, state.id) < ASK_AFTER:
            return True
        due = self._due(state)
        return due.later and not due.asks

    def _due(self, state: DossierState) -> Due:
        if self._w.node not in state.members:
            return Due((), False, {})
        return self._asking.due(state, self._w.node, self._w.clock())

    def _with_proof(self, state: DossierState, act: AutoAct) -> dict[str, Any]:
        facts = dict(act.facts)
        if act.type != "dossier.erased":
            return facts
        leaf = self._erasure(next(r for r in state.recalls if r.entry == facts["recall"]))
        if leaf is None:
            return {**facts, "held": False}
        # The proof is of the leaf alone: its content stays here.
        proof = self._w.ledger.bundle(leaf.index).decode()
        return {
            **facts,
            "leaf": leaf.index,
            "leaf_hash": self._w.ledger.prove(leaf.index).leaf_hash.hex(),
            "proof": proof,
        }

    def _erasure(self, recall: Recall) -> LeafView | None:
        # A leaf that names no entry is from before two entries could have one part.
        for leaf in self._w.ledger.find(recall.part):
            content = leaf.content or {}
            if leaf.verb == LogVerb.ERASE and content.get("entry", recall.about) == recall.about:
                return leaf
        return None

    def sweep(self) -> int:
        """Erase the parts of dossiers whose erasure date has passed (LED art. 5: no decision means erasure)."""
        today = self._w.clock().date().isoformat()

        def work(tx: Connection) -> int:
            count = 0
            for dossier in records.load_past_erasure(tx, today):
                held = records.load_held(tx, dossier)
                for entry, part in held:
                    desk.erase(self._w, tx, entry, part, "erase_on reached", self._w.clock())
                count += len(held)
                records.end_erasure(tx, dossier, self._w.clock())
            return count

        return self._w.store.write(work)
