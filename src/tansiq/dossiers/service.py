"""The dossiers' verbs: open, append, deliver, file, show, settle. Each verb one transaction.

Order of effects in `append`: rules, gate, then in one transaction entry + parts + ledger leaves + outbox rows + bank
records + duties. A crash before the commit leaves nothing; after it, the courier and `settle` carry on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access.model import Acting
from tansiq.bank import parse_entity
from tansiq.bank.model import Entity
from tansiq.dossiers import desk, drafting, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.drafting import Draft, Made
from tansiq.dossiers.filing import Filing
from tansiq.dossiers.frame import FRAME_ACTS, effective_handling, state_facts
from tansiq.dossiers.model import ActRule, AutoAct, DossierState, Duty, Entry, Kind, Legal, Part, Presence
from tansiq.dossiers.rules import automatic, fold, parse_facts
from tansiq.dossiers.wire import PAYLOAD_TYPE, Body, dossier_id, parse_body
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.policy.model import Action, Decision, Permit, Question, Refusal
from tansiq.terms import DossierId, EntryId, Handling, LogVerb, NodeId, PartId, country_of

__all__ = ["DossierRow", "Dossiers", "Wiring"]

log = structlog.get_logger()

ASK_AFTER = timedelta(seconds=30)
"""An entry that others name and we lack is asked for after this time, once of each member."""


@dataclass(frozen=True, slots=True)
class DossierRow:
    """One line of the list."""

    id: DossierId
    kind: str
    subject: str
    opener: NodeId
    opened_at: str
    phase: str
    updated_at: str
    outgoing: bool


class Dossiers:
    """All dossiers of one node."""

    def __init__(self, wiring: Wiring) -> None:
        self._w = wiring
        filing = Filing(wiring)
        self.load = filing.load
        """The outbox loader for items of kind `entry`."""
        self.file = filing.file
        """The inbox handler for items of kind `entry`."""

    # --- writing ---

    def open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        """Open a dossier and queue its first entry to its members. Raises `Invalid`, `Refused`."""
        words = list(to)
        return self._w.store.write(lambda tx: self.open_in(tx, kind, body, words, by))

    def open_in(self, tx: Connection, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        """As `open`, in the caller's transaction."""
        found = desk.kind_of(self._w, kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self._nodes(to)
        if not addressees:
            raise Invalid("dossier.nobody", "name at least one partner", step="open the dossier", field="to")
        draft = drafting.make_draft(parsed, rule, addressees=addressees, inherited=None, resolve=self._node)
        nonce = self._w.random(16).hex()
        dossier = dossier_id(self._w.node, nonce)

        now = self._w.clock()
        state = fold(dossier, (), found)
        members = tuple(sorted({self._w.node, *addressees}))
        made = self._make(draft, state, by, now, members=members, nonce=nonce)
        permits = self._permits(draft, found, by, now)
        records.insert_dossier(tx, dossier, kind, self._w.node, now)
        self._write(tx, made, found, state, permits, by, now)
        return dossier

    def append(self, dossier: DossierId, body: object, by: Acting) -> EntryId:
        """Append one act. Raises `Invalid` (form or life cycle), `Refused` (law), `NotFound`."""
        return self._w.store.write(lambda tx: self.append_in(tx, dossier, body, by))

    def append_in(self, tx: Connection, dossier: DossierId, body: object, by: Acting) -> EntryId:
        """As `append`, in the caller's transaction."""
        return self._append(tx, dossier, parse_body(body), by)

    def _append(self, tx: Connection, dossier: DossierId, parsed: Body, by: Acting) -> EntryId:
        records.lock_dossier(tx, dossier)
        state, kind = desk.load_state(self._w, tx, dossier, contents=False)
        rule = self._rule(kind, parsed.type)
        if self._w.node not in state.members:
            raise Refused("dossier.not_a_member", "this service is not a member any more", step="append")
        addressees = self._addressees(state, parsed)
        draft = drafting.make_draft(
            self._about(state, parsed),
            rule,
            addressees=addressees,
            inherited=self._inherited(state, addressees),
            resolve=self._node,
        )
        now = self._w.clock()
        members = self._new_members(parsed, state) if rule.type == "dossier.members" else None
        made = self._make(draft, state, by, now, members=members)
        permits = self._permits(draft, kind, by, now) if addressees else {}
        self._write(tx, made, kind, state, permits, by, now)
        return made.entry.id

    def admit(self, dossier: DossierId, newcomer: str, by: Acting, give: Iterable[PartId] = ()) -> EntryId:
        """Add a member and deliver our own entries to it. The opener's verb; others call `deliver_to`.

        A part that was withheld from anybody before is withheld from the newcomer too, unless `give` names it.
        """
        node = self._node(newcomer)

        def work(tx: Connection) -> EntryId:
            records.lock_dossier(tx, dossier)
            state, kind = desk.load_state(self._w, tx, dossier, contents=True)
            body = Body(type="dossier.members", to=[*(str(n) for n in state.members if n != self._w.node), node])
            body.facts = {}
            rule = FRAME_ACTS["dossier.members"]
            now = self._w.clock()
            members = tuple(sorted({*state.members, node}))
            addressees = tuple(n for n in members if n != self._w.node)
            legal = self._inherited(state, addressees)
            draft = drafting.make_draft(body, rule, addressees=addressees, inherited=legal, resolve=self._node)
            # The newcomer gets what we wrote; the gate is asked again for each entry.
            for entry in state.entries:
                if entry.statement.author == self._w.node and entry.id not in state.voided():
                    hidden = self._withheld_before(tx, dossier, entry.id) - set(give)
                    self._grant(
                        tx, entry, kind, node, by, now, tuple(sorted(hidden)), self._consents(state, node, entry.id)
                    )
            made = self._make(draft, state, by, now, members=members)
            self._write(tx, made, kind, state, self._permits(draft, kind, by, now), by, now)
            return made.entry.id

        return self._w.store.write(work)

    def deliver_to(self, dossier: DossierId, member: str, by: Acting, give: Iterable[PartId] = ()) -> int:
        """Deliver our own entries to a member that joined later, or parts that were withheld from it (`give`).

        Returns how many entries were queued. The gate is asked again for each.
        """
        node = self._node(member)
        given = set(give)

        def work(tx: Connection) -> int:
            state, kind = desk.load_state(self._w, tx, dossier, contents=True)
            if node not in state.members:
                raise Refused("dossier.not_a_member", "not a member of this dossier", step="deliver")
            mine = [e for e in state.entries if e.statement.author == self._w.node and e.id not in state.voided()]
            for entry in mine:
                if given and not given & {p.ref.id for p in entry.parts}:
                    continue
                hidden = tuple(sorted(self._withheld_before(tx, dossier, entry.id) - given))
                self._grant(tx, entry, kind, node, by, self._w.clock(), hidden, self._consents(state, node, entry.id))
            return len(mine)

        return self._w.store.write(work)

    @staticmethod
    def _withheld_before(tx: Connection, dossier: DossierId, entry: EntryId) -> set[PartId]:
        return {p for g in records.load_grants(tx, dossier) if g.entry == entry for p in g.withheld}

    def forward(self, dossier: DossierId, about: EntryId, to: str, by: Acting) -> EntryId:
        """Ask whether another's entry may go to a further service. Raises `Refused` with the clause.

        Where the gate permits, the originator is asked to deliver: no node forwards another's entry itself.
        """
        state = self.state(dossier)
        entry = state.entry(about)
        if entry is None:
            raise NotFound("entry.unknown", "no such entry", step="forward")
        decision = self._w.gate.decide(self._forward_question(state, entry, to, by))
        if isinstance(decision, Refusal):
            self._record_refusal(entry.id, decision, by, to)
            raise _refused(decision, "forward", to, "ask the originator: dossier.permission_requested")
        body = {"type": "dossier.permission_requested", "facts": {"about": about, "to": to}}
        return self.append(dossier, body, by)

    def _forward_question(self, state: DossierState, entry: Entry, to: str, by: Acting) -> Question:
        """The same question as for our own sending, about another's entry: persons, restrictions, consent."""
        recipient = to.upper() if len(to) == 2 else country_of(self._node(to))
        granted = any(
            p.answer.startswith("granted")
            and self._same_place(p.to, to, recipient)
            and state_facts(state, p.asked).get("about") == entry.id
            for p in state.permissions
        )
        kind = desk.kind_of(self._w, state.kind)
        entities = {p.ref.id: e for p in entry.parts if (e := _entity_of(p)) is not None}
        draft = drafting.redraft(entry, self._rule(kind, entry.statement.type), (), self._w.node, entities)
        asked = drafting.question(draft, self._asker(by), kind=state.kind, to=None, at=self._w.clock(), consent=granted)
        handling = effective_handling(state, entry)
        between = self._w.gate.agreements_between(self._w.country, recipient)
        return replace(
            asked,
            action=Action.FORWARD,
            originator=country_of(entry.statement.author),
            recipient=recipient,
            agreement=between[0].id if between else "",
            handling=frozenset(str(c) for c in handling.codes),
            handling_text=handling.text,
        )

    @staticmethod
    def _same_place(asked: str, to: str, country: str) -> bool:
        return asked == to or asked.upper() == country

    # --- reading ---

    def state(self, dossier: DossierId) -> DossierState:
        """The fold with contents. Asks nobody: `show` is the officer's verb. Raises `NotFound`."""
        with self._w.store.read() as tx:
            return desk.load_state(self._w, tx, dossier, contents=True)[0]

    def show(self, dossier: DossierId, by: Acting) -> DossierState:
        """What an officer reads: asked of the gate and logged as a consultation (LED art. 25)."""
        state = self.state(dossier)
        first = state.first.statement
        decision = self._w.gate.decide(
            Question(
                Action.VIEW,
                self._w.country,
                frozenset(by.roles),
                country_of(state.opener or self._w.node),
                state.kind,
                purpose=by.purpose or first.legal.purpose,
                justification=by.justification,
                handling=frozenset(str(c) for e in state.entries for c in effective_handling(state, e).codes),
            )
        )
        if isinstance(decision, Refusal):
            raise _refused(decision, "show", "", "state a purpose")
        content = self._log(by, decision)
        self._w.store.write(
            lambda tx: self._w.ledger.append(
                tx, verb=LogVerb.CONSULT, subject=dossier, content=content, at=self._w.clock()
            )
        )
        return state

    def find(self, word: str) -> DossierId:
        """A dossier by its id or the first characters of it. Raises `NotFound`, `Invalid`."""
        with self._w.store.read() as tx:
            found = records.load_by_prefix(tx, word if word.startswith("d-") else f"d-{word}")
        if len(found) != 1:
            raise NotFound("dossier.unknown", "no such dossier, or more than one", step="find the dossier", field="id")
        return DossierId(found[0])

    def dossier_of(self, entry: EntryId) -> DossierId | None:
        with self._w.store.read() as tx:
            return records.find_dossier_of(tx, entry)

    def entry(self, entry: EntryId) -> Entry:
        """One entry with the contents that this node holds. Raises `NotFound`."""
        with self._w.store.read() as tx:
            found = records.load_entry(tx, self._w.vault, entry)
        if found is None:
            raise NotFound("entry.unknown", "no such entry", step="read entry")
        return found

    def rows(self, kind: str = "", before: str = "", limit: int = 100) -> list[DossierRow]:
        """Newest first. The subject is unsealed where this node holds it."""
        with self._w.store.read() as tx:
            rows = records.load_rows(tx, kind, before, limit)
            return [
                DossierRow(
                    r.id,
                    r.kind,
                    self._subject(tx, r.id),
                    r.opener,
                    r.opened_at,
                    r.phase,
                    r.updated_at,
                    r.opener == self._w.node,
                )
                for r in rows
            ]

    def _subject(self, tx: Connection, dossier: DossierId) -> str:
        try:
            entries = records.load_entries(tx, self._w.vault, dossier, contents=True)
        except TansiqError as exc:
            # The list must stay open when one dossier does not; opening that one says what is wrong.
            log.error("dossier unreadable", dossier=dossier, code=exc.code)  # noqa: TRY400 # no traceback: it may hold texts
            return ""
        parts = [p for e in entries if e.statement.clock == 0 for p in e.parts if p.ref.kind == "subject" and p.content]
        return str(parts[0].content.get("text", "")) if parts and parts[0].content else ""

    def duties(self, owner: NodeId | None = None, dossier: DossierId | None = None, limit: int = 1000) -> list[Duty]:
        """Most urgent first; `owner` None: everybody's."""
        with self._w.store.read() as tx:
            return records.load_duties(tx, owner, dossier, limit)

    def grants(self, dossier: DossierId) -> list[records.Grant]:
        """Why each of our entries goes to whom, and what is withheld."""
        with self._w.store.read() as tx:
            return records.load_grants(tx, dossier)

    def filed_at(self, dossier: DossierId) -> dict[str, datetime]:
        with self._w.store.read() as tx:
            return records.load_filed_at(tx, dossier)

    def signed(self, entry: EntryId) -> bytes:
        """The entry as its author signed it, for a third party."""
        with self._w.store.read() as tx:
            raw = records.load_raw(tx, entry)
        if raw is None:
            raise NotFound("entry.unknown", "no such entry", step="prove")
        return raw

    def preview(self, kind: str, body: object, to: Iterable[str], by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each recipient of an opening act. Records nothing, sends nothing."""
        found = desk.kind_of(self._w, kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self._nodes(to)
        draft = drafting.make_draft(parsed, rule, addressees=addressees, inherited=None, resolve=self._node)
        return [(n, self._ask(draft, found.name, n, by, self._w.clock())) for n in addressees]

    def preview_append(self, dossier: DossierId, body: object, by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each addressee of an act. Records nothing, sends nothing."""
        parsed = parse_body(body)
        with self._w.store.read() as tx:
            state, kind = desk.load_state(self._w, tx, dossier, contents=False)
        rule = self._rule(kind, parsed.type)
        if self._w.node not in state.members:
            raise Refused("dossier.not_a_member", "this service is not a member any more", step="append")
        addressees = self._addressees(state, parsed)
        draft = drafting.make_draft(
            self._about(state, parsed),
            rule,
            addressees=addressees,
            inherited=self._inherited(state, addressees),
            resolve=self._node,
        )
        now = self._w.clock()
        self._make(
            draft, state, by, now, members=self._new_members(parsed, state) if rule.type == "dossier.members" else None
        )
        return [(n, self._ask(draft, kind.name, n, by, now)) for n in addressees]

    # --- what the rules make us do by ourselves ---

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
        state = self.state(dossier)
        kind = desk.kind_of(self._w, state.kind)
        self._w.fault("settle.begun")
        for act in automatic(state, kind, self._w.node):
            facts = self._with_proof(state, act)
            try:
                self._write_auto(dossier, act, facts)
            except Conflict:
                continue
        self._w.store.write(lambda tx: self._mark_settled(tx, dossier))

    def _write_auto(self, dossier: DossierId, act: AutoAct, facts: Mapping[str, Any]) -> None:
        self._w.store.write(lambda tx: self._append_auto(tx, dossier, act, facts))

    def _mark_settled(self, tx: Connection, dossier: DossierId) -> None:
        state, kind = desk.load_state(self._w, tx, dossier, contents=False)
        if automatic(state, kind, self._w.node):
            return
        now = self._w.clock()
        filed = records.load_filed_at(tx, dossier)
        if state.missing and now - max(filed.values()) < ASK_AFTER:
            return  # it is most likely on its way: envelopes overtake each other
        for node in state.members if self._w.node in state.members else ():
            for missing in state.missing if node != self._w.node else ():
                self._w.enqueue(tx, node, "ask", missing, now + timedelta(days=self._w.item_days))
        records.set_settled(tx, dossier)

    def _with_proof(self, state: DossierState, act: AutoAct) -> dict[str, Any]:
        facts = dict(act.facts)
        if act.type != "dossier.erased":
            return facts
        leaf = next((x for x in self._w.ledger.find(facts["part"]) if x.verb == LogVerb.ERASE), None)
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

    def _append_auto(self, tx: Connection, dossier: DossierId, act: AutoAct, facts: Mapping[str, Any]) -> None:
        records.lock_dossier(tx, dossier)
        state, kind = desk.load_state(self._w, tx, dossier, contents=False)
        if not any(
            a.type == act.type and set(a.facts.items()) <= set(facts.items())
            for a in automatic(state, kind, self._w.node)
        ):
            raise Conflict("act.done_already", "already written", step="settle")
        rule = self._rule(kind, act.type)
        addressees = tuple(n for n in state.members if n != self._w.node)
        legal = self._inherited(state, addressees)
        draft = Draft(rule, Handling.parse([]), legal, facts, (), addressees)
        now, by = self._w.clock(), Acting.machine()
        made = self._make(draft, state, by, now)
        self._write(tx, made, kind, state, self._permits(draft, kind, by, now), by, now)

    def sweep(self) -> int:
        """Erase the parts of dossiers whose erasure date has passed (LED art. 5: no decision means erasure)."""
        today = self._w.clock().date().isoformat()

        def work(tx: Connection) -> int:
            count = 0
            for dossier in records.load_past_erasure(tx, today):
                state, _kind = desk.load_state(self._w, tx, dossier, contents=False)
                held = [p.ref.id for e in state.entries for p in e.parts if p.presence is Presence.HELD]
                for part in held:
                    desk.erase(self._w, tx, part, "erase_on reached", self._w.clock())
                count += len(held)
                records.update_dossier(tx, dossier, state.phase, self._w.clock(), "", unsettled=True)
            return count

        return self._w.store.write(work)

    # --- inside ---

    @staticmethod
    def _rule(kind: Kind, act: str) -> ActRule:
        rule = kind.act(act) or FRAME_ACTS.get(act)
        if rule is None:
            raise Invalid("act.unknown", f"a {kind.name} has no such act", step="read the act", field="type")
        return rule

    def _node(self, word: str) -> NodeId:
        return drafting.node_or_resolve(word, self._w.resolve)

    def _nodes(self, words: Iterable[str]) -> tuple[NodeId, ...]:
        return tuple(sorted({self._node(w) for w in words} - {self._w.node}))

    def _addressees(self, state: DossierState, parsed: Body) -> tuple[NodeId, ...]:
        others = tuple(n for n in state.members if n != self._w.node)
        if parsed.to is None:
            return others
        chosen = self._nodes(parsed.to)
        if not set(chosen) <= set(others):
            raise Invalid(
                "dossier.not_a_member", "an addressee is not a member of this dossier", step="append", field="to"
            )
        return chosen

    def _about(self, state: DossierState, parsed: Body) -> Body:
        """Short forms of ids that an officer may type, made whole."""
        facts = dict(parsed.facts)
        for key in ("about", "asked", "recall"):
            if facts.get(key):
                facts[key] = drafting.resolve_entry(state, facts[key])
        if "lane" in facts:
            facts["lane"] = self._node(str(facts["lane"]))
        parsed.facts = facts
        return parsed

    def _new_members(self, parsed: Body, state: DossierState) -> tuple[NodeId, ...]:
        """`dossier.members` with `to` names the whole list that stays; us included always."""
        return tuple(sorted({self._w.node, *self._nodes(parsed.to or ())}))

    def _inherited(self, state: DossierState, addressees: Iterable[NodeId]) -> Legal:
        """The opening's legal ground, turned towards our addressees.

        The opener named an agreement for each of its own recipients. What we send back goes under the one by which it
        was given to us, where the addressee is a party; to others under an agreement in force between us and them.
        """
        legal = state.first.statement.legal
        if state.opener == self._w.node and all(legal.agreement_with(country_of(n)) for n in addressees):
            return legal
        found: dict[str, str] = {}
        for country in sorted({country_of(n) for n in addressees}):
            named = (legal.agreement_with(country), legal.agreement_with(self._w.country))
            between = [a.id for a in self._w.gate.agreements_between(self._w.country, country)]
            found[country] = next((n for n in named if n in between), between[0] if between else named[0])
        return replace(legal, agreements=found)

    @staticmethod
    def _consents(state: DossierState, node: NodeId, about: EntryId) -> bool:
        """Consent is for one entry and one recipient; it says nothing of any other."""
        return any(
            p.answer.startswith("granted")
            and (p.to == node or p.to.upper() == country_of(node))
            and state_facts(state, p.asked).get("about") == about
            for p in state.permissions
        )

    def _make(
        self,
        draft: Draft,
        state: DossierState,
        by: Acting,
        now: datetime,
        members: tuple[NodeId, ...] | None = None,
        nonce: str = "",
    ) -> Made:
        kind = desk.kind_of(self._w, state.kind)
        parse_facts(draft.rule, draft.facts)
        made = drafting.make_statement(
            draft,
            state=state,
            author=self._w.node,
            officer=by.officer,
            at=now,
            salt=lambda: self._w.random(32),
            members=members,
            nonce=nonce,
        )
        missing = set(kind.part_kinds_required(made.entry)) - {p.kind for p in draft.parts}
        if missing:
            raise Invalid(
                "act.part_missing", f"missing: {', '.join(sorted(missing))}", step="read the act", field="parts"
            )
        after = fold(state.id, [*state.entries, made.entry], kind)
        for mark in after.marks:
            if mark.entry == made.entry.id and mark.void:
                raise Invalid(
                    f"act.{mark.code}",
                    mark.detail or mark.code.replace("_", " "),
                    step="check the life cycle",
                    field="type",
                )
        return made

    def _asker(self, by: Acting) -> drafting.Asker:
        return drafting.Asker(self._w.country, frozenset(by.roles), by.purpose, by.justification, by.second is not None)

    def _ask(self, draft: Draft, kind: str, to: NodeId, by: Acting, now: datetime, consent: bool = False) -> Decision:
        asked = drafting.question(draft, self._asker(by), kind=kind, to=to, at=now, consent=consent)
        return self._w.gate.decide(asked)

    def _permits(self, draft: Draft, kind: Kind, by: Acting, now: datetime) -> dict[NodeId, Permit]:
        found: dict[NodeId, Permit] = {}
        for node in draft.addressees:
            decision = self._ask(draft, kind.name, node, by, now)
            if isinstance(decision, Refusal):
                raise _refused(decision, "send", country_of(node), "")
            if "four_eyes" in decision.obligations and by.second is None:
                raise Refused(
                    "four_eyes.needed",
                    "a second officer must confirm this disclosure",
                    clauses=tuple(c.id for c in decision.clauses),
                    step="send",
                    field="second",
                    hint="let a supervisor confirm the draft",
                )
            found[node] = decision
        return found

    def _write(
        self,
        tx: Connection,
        made: Made,
        kind: Kind,
        state: DossierState,
        permits: Mapping[NodeId, Permit],
        by: Acting,
        now: datetime,
    ) -> None:
        entry, _s = made.entry, made.entry.statement
        self._w.fault("append.permitted")
        raw = crypto.sign(PAYLOAD_TYPE, made.body, self._w.signing, self._w.node)
        self._w.fault("append.signed")
        records.insert_entry(tx, entry, raw, now)
        for part in entry.parts:
            records.hold_part(tx, self._w.vault, part.ref.id, made.salts[part.ref.id], part.content or {})
        for node, permit in permits.items():
            self._queue(tx, entry, node, permit, made.withheld.get(node, ()), by, now)
        if not permits:
            self._w.ledger.append(tx, verb=LogVerb.COLLECT, subject=entry.id, content=self._log(by, None), at=now)
        for ref, entity in made.entities.items():
            self._w.bank.add(tx, entity, desk.provenance(entry, ref))
        self._w.fault("append.queued")
        after = fold(state.id, [*state.entries, entry], kind)
        desk.refresh(self._w, tx, after, kind, now)
        self._w.fault("append.done")

    def _queue(
        self,
        tx: Connection,
        entry: Entry,
        node: NodeId,
        permit: Permit,
        withheld: tuple[PartId, ...],
        by: Acting,
        now: datetime,
        *,
        again: bool = False,
    ) -> None:
        """No permit, no send; no leaf, no send: both in the transaction that queues."""
        clauses = tuple(c.id for c in permit.clauses)
        content = {
            **self._log(by, permit),
            "to": node,
            "withheld": len(withheld),
            "transfer": entry.statement.legal.transfer_basis,
        }
        self._w.ledger.append(tx, verb=LogVerb.DISCLOSE, subject=entry.id, content=content, at=now)
        records.save_grant(tx, records.Grant(entry.id, node, now, clauses, withheld))
        put = self._w.requeue if again else self._w.enqueue
        put(tx, node, "entry", entry.id, now + timedelta(days=self._w.item_days))

    def _grant(
        self,
        tx: Connection,
        entry: Entry,
        kind: Kind,
        node: NodeId,
        by: Acting,
        now: datetime,
        withheld: tuple[PartId, ...],
        consent: bool,
    ) -> None:
        """Deliver an entry of ours, written earlier, to one more node."""
        rule = self._rule(kind, entry.statement.type)
        gone = tuple(p.ref.id for p in entry.parts if p.presence is not Presence.HELD)
        parsed = {p.ref.id: e for p in entry.parts if (e := _entity_of(p)) is not None}
        hidden = tuple(w for w in (*withheld, *gone) if any(p.ref.id == w for p in entry.parts))
        draft = drafting.redraft(entry, rule, hidden, node, parsed)
        country = country_of(node)
        if not draft.legal.agreement_with(country):
            between = self._w.gate.agreements_between(self._w.country, country)
            if between:
                draft = replace(
                    draft, legal=replace(draft.legal, agreements={**draft.legal.agreements, country: between[0].id})
                )
        decision = self._ask(draft, kind.name, node, by, now, consent)
        if isinstance(decision, Refusal):
            raise _refused(decision, "deliver", country, "")
        if "four_eyes" in decision.obligations and by.second is None:
            raise Refused(
                "four_eyes.needed", "a second officer must confirm this disclosure", step="deliver", field="second"
            )
        self._queue(tx, entry, node, decision, hidden, by, now, again=True)

    def _log(self, by: Acting, decision: Decision | None) -> dict[str, Any]:
        clauses = [c.id for c in decision.clauses] if decision else []
        return {
            "officer": by.officer,
            "second": by.second or "",
            "purpose": by.purpose,
            "justification": by.justification,
            "clauses": clauses,
            "decision": "permit" if isinstance(decision, Permit) else "none" if decision is None else "refusal",
        }

    def _record_refusal(self, subject: str, decision: Refusal, by: Acting, to: str) -> None:
        content = {**self._log(by, decision), "to": to}
        self._w.store.write(
            lambda tx: self._w.ledger.append(
                tx, verb=LogVerb.DISCLOSE, subject=subject, content=content, at=self._w.clock()
            )
        )


def _entity_of(part: Part) -> Entity | None:
    if part.content is None or part.content.get("kind") != "entity":
        return None
    return parse_entity(part.content.get("entity"), "entity")


def _refused(decision: Refusal, step: str, to: str, hint: str) -> Refused:
    """The clause is the message: an officer must see what forbids it."""
    named = "; ".join(f"{c.title} ({c.law})" for c in decision.clauses) or "nothing permits it"
    missing = getattr(decision, "missing", ())
    if missing:
        named += f"; missing: {', '.join(missing)}"
    return Refused(
        "policy.refused",
        named,
        clauses=tuple(c.id for c in decision.clauses),
        step=step,
        field=to,
        hint=hint or "ask with another purpose",
    )
