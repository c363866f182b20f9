"""What the rules make a node do by itself: answer a recall, receipt a request, ask for what is missing, erase."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.dossiers import claims, desk, records
from tansiq.dossiers.asking import Asking, Due
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.model import AutoAct, DossierState, Recall, Unerased
from tansiq.dossiers.rules import automatic, erasure_to_tell
from tansiq.dossiers.standing import Standing
from tansiq.dossiers.writing import Writing
from tansiq.errors import Conflict
from tansiq.ledger.model import LeafView
from tansiq.policy import permitted
from tansiq.policy.model import Action, Question
from tansiq.store import STOPS, in_groups, why
from tansiq.terms import DossierId, EntryId, LogVerb

log = structlog.get_logger()

ASK_AFTER = timedelta(seconds=30)
"""An entry that others name and we lack is asked for after this time (`asking.py`)."""
READ_FIRST = timedelta(days=30)
"""Proposal, no standard: so long a closing lies here before the day that it names makes the node erase by itself."""
Held = tuple[str, str]
"""An entry and its part; a dossier and nothing."""
GROUP = 16
"""Parts erased in one transaction. Partners choose the day on which much is due: no writer waits for all of it."""


class Settling:
    """The acts that no officer decides."""

    def __init__(self, wiring: Wiring, writing: Writing) -> None:
        self._w = wiring
        self._writing = writing
        self._asking = Asking()
        self.refused: dict[Held, str] = {}
        """What the last sweep could not erase, and why: (entry or dossier, part) -> code. Whoever serves keeps it."""

    def settle(self) -> int:
        """Write the automatic acts that are due. Crash safe: a dossier stays unsettled until they are written."""
        with self._w.store.read() as tx:
            waiting = records.load_unsettled(tx)
        for dossier in waiting:
            try:
                self._settle_one(dossier)
            except STOPS:
                raise
            except Exception as exc:  # noqa: BLE001 # of one dossier
                # It must not keep the others waiting. It stays unsettled, and is named.
                log.error("settle", dossier=dossier, code=why(exc))  # noqa: TRY400 # no traceback: it may hold texts
        return len(waiting)

    def _settle_one(self, dossier: DossierId) -> None:
        with self._w.store.read() as tx:
            there = desk.load_standing(self._w, tx, dossier)
            acts = automatic(there.folded.state, there.kind, self._w.node)
            said = self._erased_all(there)
            if not acts and said is None and self._waits(tx, there):
                return  # looked at every two seconds: what only waits must not cost a write
        self._w.fault("settle.begun")
        for act in acts:
            facts = self._with_proof(there.folded.state, act)
            try:
                self._write_auto(dossier, act, facts)
            except Conflict:
                continue
        if said is not None:
            self._write_auto(dossier, *said)
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

    def _erased_all(self, there: Standing) -> tuple[AutoAct, dict[str, Any]] | None:
        """What we say of the erasure of all contents, with its proof; None before it is done, and once it is said."""
        state = there.folded.state
        act = erasure_to_tell(state, there.kind, self._w.node)
        owed = there.kind.erases(state) if act is not None else None
        if act is None or owed is None or not (owed.ready or self._w.clock() >= owed.by):
            return None
        with self._w.store.read() as tx:
            if records.load_held(tx, state.id):
                return None  # between two groups of a sweep: what is told is that nothing is held any more
        leaves = [leaf for leaf in self._w.ledger.find(state.id) if leaf.verb == LogVerb.ERASE]
        if not leaves:
            return None
        count = sum(int((leaf.content or {}).get("parts", 0)) for leaf in leaves)
        # The proof is of the last such leaf: nothing was held when it was written.
        proof = self._w.ledger.bundle(leaves[-1].index).decode()
        return act, {**act.facts, "parts": count, "leaf": leaves[-1].index, "proof": proof}

    def _erasure(self, recall: Recall) -> LeafView | None:
        # A leaf that names no entry is from before two entries could have one part.
        for leaf in self._w.ledger.find(recall.part):
            content = leaf.content or {}
            if leaf.verb == LogVerb.ERASE and content.get("entry", recall.about) == recall.about:
                return leaf
        return None

    def sweep(self) -> int:
        """Erase the parts of dossiers whose erasure date has passed (LED art. 5: no decision means erasure), and single
        values whose own date has; how many parts went.

        In groups, each a transaction with its leaves. A crash between two leaves the rest as due as it was. A part that
        may not be erased holds no other up: it is named in `refused`, and tried again with the next sweep.
        """
        today = self._w.clock().date().isoformat()
        with self._w.store.read() as tx:
            waiting = deque(records.load_past_erasure(tx, today))
        gone = 0

        def step(most: int, skip: Collection[Held]) -> bool:
            nonlocal gone
            if not waiting:
                return False
            erased, ended = self._w.store.write(lambda tx: self._erase_group(tx, waiting, today, most, skip))
            for _ in range(ended):
                waiting.popleft()
            gone += erased
            self._w.fault("erase.committed")
            return bool(waiting)

        def values(most: int, skip: Collection[Held]) -> bool:
            more = self._w.store.write(lambda tx: claims.erase_group(self._w, tx, today, most, skip))
            if more:
                self._w.fault("claims.committed")
            return more

        failed = in_groups(GROUP, step, lambda skip: self._next_held(waiting[0], skip))
        failed |= in_groups(GROUP, values, lambda skip: claims.next_due(self._w, today, skip))
        self.refused = {held: why(failure) for held, failure in failed.items()}
        for held, code in self.refused.items():
            log.error("not erased", of=held[0], part=held[1], code=code)
        return gone

    def unerased(self) -> list[Unerased]:
        """What a sweep should have erased on a day that is over, or tried and could not. Read from the store, so any
        process of this node says the same of days that are over."""
        now = self._w.clock().date()
        today, tomorrow = now.isoformat(), (now + timedelta(days=1)).isoformat()
        found: dict[DossierId, Unerased] = {}
        with self._w.store.read() as tx:
            tried = {self._dossier_of(tx, of): code for (of, _part), code in self.refused.items()}
            late = [(d, day) for d, day in records.load_unerased(tx, tomorrow) if day < today or d in tried]
            for dossier, day in late:
                held = records.load_held(tx, dossier)
                if held and self._is_owed(tx, dossier, today):
                    found[dossier] = Unerased(dossier, day, len(held), tried.get(dossier, ""))
            for dossier, day, parts in records.load_unerased_claims(tx, tomorrow):
                if (day < today or dossier in tried) and dossier not in found:
                    found[dossier] = Unerased(dossier, day, parts, tried.get(dossier, ""))
        return list(found.values())

    @staticmethod
    def _dossier_of(tx: Connection, of: str) -> str:
        return of if of.startswith("d-") else records.find_dossier_of(tx, EntryId(of)) or ""

    def _is_owed(self, tx: Connection, dossier: DossierId, today: str) -> bool:
        """Whether a sweep would erase it. One that cannot be read is owed: nobody erased it."""
        try:
            return self._known_long(tx, desk.load_standing(self._w, tx, dossier), today)
        except STOPS:
            raise
        except Exception:  # noqa: BLE001 # of one dossier, which the sweep names
            return True

    def _next_held(self, dossier: DossierId, skip: Collection[Held]) -> Held:
        """The part that a step of one takes; the dossier itself where none can be named."""
        with self._w.store.read() as tx:
            return next((held for held in records.load_held(tx, dossier) if held not in skip), (dossier, ""))

    def _erase_group(
        self, tx: Connection, waiting: Iterable[DossierId], today: str, most: int, skip: Collection[Held]
    ) -> tuple[int, int]:
        """As many parts of these dossiers, and with how many of them it has ended."""
        erased = ended = 0
        for dossier in waiting:
            there = None if (dossier, "") in skip else desk.load_standing(self._w, tx, dossier)
            if there is not None and records.is_past_erasure(tx, dossier, today) and self._known_long(tx, there, today):
                count, more = self._erase(tx, there, "erase_on reached", Acting.machine(), most - erased, skip)
                erased += count
                if more:
                    break
            ended += 1
            if erased >= most or ended >= most:
                break
        return erased, ended

    def _known_long(self, tx: Connection, there: Standing, today: str) -> bool:
        """No partner's word alone empties a dossier from one day to the next: officers have had time to read it."""
        state = there.folded.state
        on = state.first.statement.legal.erase_on
        owed = there.kind.erases(state) if state.opener is not None else None
        if (on and on <= today) or owed is None or owed.named_by is None:
            return True
        filed = records.load_filed_at(tx, state.id).get(owed.named_by)
        return filed is not None and self._w.clock() >= filed + READ_FIRST

    def purge(self, dossier: DossierId, by: Acting) -> int:
        """Erase all contents before the day, once the dossier's work has ended; how many parts went.

        In groups as a sweep does, each with its leaves and asked of the law gate anew. A crash between two leaves the
        rest held and nobody told: to say it again goes on where it stopped. `settle` tells the partners with the proof
        once nothing is held. Raises `Refused` by the law gate, `Conflict` while the dossier is in use.
        """
        gone, more = 0, True
        while more:
            erased, more = self._w.store.write(lambda tx: self._purge_group(tx, dossier, by))
            gone += erased
            self._w.fault("erase.committed")
        return gone

    def _purge_group(self, tx: Connection, dossier: DossierId, by: Acting) -> tuple[int, bool]:
        records.lock_dossier(tx, dossier)
        there = desk.load_standing(self._w, tx, dossier)
        state = there.folded.state
        owed = there.kind.erases(state) if state.opener is not None else None
        if owed is None or not owed.ready or self._w.node not in state.members:
            raise Conflict("dossier.in_use", "its work has not ended, or it is kept", step="purge", field="id")
        question = Question(
            Action.ERASE,
            self._w.country,
            frozenset(by.roles),
            self._w.country,
            there.kind.name,
            purpose=by.purpose,
            justification=by.justification,
        )
        permitted(self._w.gate, question, "purge", hint="the data-protection officer or a supervisor erases")
        return self._erase(tx, there, "purged", by, GROUP)

    def _erase(
        self, tx: Connection, there: Standing, why: str, by: Acting, most: int, skip: Collection[Held] = ()
    ) -> tuple[int, bool]:
        """Parts that are held, each with its leaf; where members owe one another the proof, a leaf over all of them.
        How many went, and whether there are more to erase than those that are skipped."""
        now, dossier = self._w.clock(), there.folded.state.id
        every = records.load_held(tx, dossier)
        for entry, part in [held for held in every if held not in skip][:most]:
            desk.erase(self._w, tx, entry, part, why, now)
            self._w.fault("erase.part")
        later = records.load_held(tx, dossier)
        gone = len(every) - len(later)  # with what an erasure took along: a translation goes with its original
        content = {
            "officer": by.officer,
            "purpose": by.purpose,
            "justification": by.justification,
            "clauses": ["LED art. 5"],
            "parts": gone,
        }
        told = any(leaf.verb == LogVerb.ERASE for leaf in self._w.ledger.find(dossier))
        # What is still held proves nothing: a leaf without any part only where there was none.
        if there.kind.erased_act and (gone or not (told or later)):
            self._w.ledger.append(tx, verb=LogVerb.ERASE, subject=dossier, content=content, at=now)
        if not later:
            records.end_erasure(tx, dossier, now)
        self._w.fault("erase.done")
        return gone, any(held not in skip for held in later)
