"""The dossiers' verbs: open, append, deliver, file, show, settle. Each verb one transaction.

Order of effects in `append`: rules, gate, then in one transaction entry + parts + ledger leaves + outbox rows + bank
records + duties. A crash before the commit leaves nothing; after it, the courier and `settle` carry on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access.model import Acting
from tansiq.bank import Bank, parse_entity
from tansiq.bank.model import Entity, Provenance
from tansiq.dossiers import drafting, records
from tansiq.dossiers.drafting import Draft, Made
from tansiq.dossiers.frame import FRAME_ACTS, effective_handling
from tansiq.dossiers.model import ActRule, AutoAct, DossierState, Duty, Entry, Kind, Legal, Part, Presence
from tansiq.dossiers.rules import automatic, duties, fold, parse_facts
from tansiq.dossiers.wire import PAYLOAD_TYPE, Body, delivery_to_bytes, dossier_id, parse_body, parse_delivery
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.policy.model import Action, Decision, Permit, Question, Refusal
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, Handling, LogVerb, NodeId, PartId, country_of

log = structlog.get_logger()

ASK_AFTER = timedelta(seconds=30)
"""An entry that others name and we lack is asked for after this time, once of each member."""

Enqueue = Callable[[Connection, NodeId, str, str, datetime], None]
"""(tx, to, kind, ref, expires_at): the exchange's outbox, in our transaction."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a node gives its dossiers. `after_*`: how capabilities above hear of it, in our transaction."""

    node: NodeId
    country: str
    signing: crypto.SigningKeys
    vault: crypto.Vault
    store: Store
    ledger: Ledger
    gate: Gate
    bank: Bank
    kinds: Mapping[str, Kind]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    enqueue: Enqueue
    resolve: Callable[[str], NodeId]
    keys_of: Callable[[Connection, NodeId], crypto.PublicKeys]
    """The pinned keys of a partner; raises `Untrusted` for one that is not pinned."""
    after_file: list[Callable[[Connection, DossierId, EntryId, str], None]] = field(default_factory=list)
    after_erase: list[Callable[[Connection, PartId], None]] = field(default_factory=list)
    item_days: int = 60
    fault: Callable[[str], None] = lambda _point: None
    """Called at named points; tests raise there to simulate a crash. The default does nothing."""


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

    # --- writing ---

    def open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        """Open a dossier and queue its first entry to its members. Raises `Invalid`, `Refused`."""
        found = self._kind(kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self._nodes(to)
        if not addressees:
            raise Invalid("dossier.nobody", "name at least one partner", step="open the dossier", field="to")
        draft = drafting.make_draft(parsed, rule, addressees=addressees, inherited=None, resolve=self._node)
        nonce = self._w.random(16).hex()
        dossier = dossier_id(self._w.node, nonce)

        def work(tx: Connection) -> DossierId:
            now = self._w.clock()
            state = fold(dossier, (), found)
            members = tuple(sorted({self._w.node, *addressees}))
            made = self._make(draft, state, by, now, members=members, nonce=nonce)
            permits = self._permits(draft, found, by, now)
            records.insert_dossier(tx, dossier, kind, self._w.node, now)
            self._write(tx, made, found, state, permits, by, now)
            return dossier

        return self._w.store.write(work)

    def append(self, dossier: DossierId, body: object, by: Acting) -> EntryId:
        """Append one act. Raises `Invalid` (form or life cycle), `Refused` (law), `NotFound`."""
        parsed = parse_body(body)
        return self._w.store.write(lambda tx: self._append(tx, dossier, parsed, by))

    def _append(self, tx: Connection, dossier: DossierId, parsed: Body, by: Acting) -> EntryId:
        records.lock_dossier(tx, dossier)
        state, kind = self._load(tx, dossier, contents=False)
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
            state, kind = self._load(tx, dossier, contents=True)
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
                    self._grant(tx, entry, kind, node, by, now, tuple(sorted(hidden)), self._consents(state, node))
            made = self._make(draft, state, by, now, members=members)
            self._write(tx, made, kind, state, self._permits(draft, kind, by, now), by, now)
            return made.entry.id

        return self._w.store.write(work)

    def deliver_to(self, dossier: DossierId, newcomer: str, by: Acting) -> int:
        """Deliver our own entries to a member that joined later. Returns how many."""
        node = self._node(newcomer)

        def work(tx: Connection) -> int:
            state, kind = self._load(tx, dossier, contents=True)
            if node not in state.members:
                raise Refused("dossier.not_a_member", "not a member of this dossier", step="deliver")
            mine = [e for e in state.entries if e.statement.author == self._w.node and e.id not in state.voided()]
            for entry in mine:
                hidden = tuple(sorted(self._withheld_before(tx, dossier, entry.id)))
                self._grant(tx, entry, kind, node, by, self._w.clock(), hidden, self._consents(state, node))
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
        recipient = to.upper() if len(to) == 2 else country_of(self._node(to))
        s = entry.statement
        granted = any(
            p.answer.startswith("granted") and self._same_place(p.to, to, recipient) for p in state.permissions
        )
        return Question(
            action=Action.FORWARD,
            country=self._w.country,
            roles=frozenset(by.roles),
            originator=country_of(s.author),
            kind=state.kind,
            entry_type=s.type,
            recipient=recipient,
            recipients=1,
            agreement=next((a.id for a in self._w.gate.agreements_between(self._w.country, recipient)), ""),
            purpose=s.legal.purpose,
            legal_basis=s.legal.legal_basis,
            transfer_basis=s.legal.transfer_basis,
            justification=by.justification,
            handling=frozenset(str(c) for c in effective_handling(state, entry).codes),
            review_on=s.legal.review_on,
            erase_on=s.legal.erase_on,
            consent=granted,
            graded=True,
        )

    @staticmethod
    def _same_place(asked: str, to: str, country: str) -> bool:
        return asked == to or asked.upper() == country

    # --- reading ---

    def state(self, dossier: DossierId) -> DossierState:
        """The fold with contents. Asks nobody: `show` is the officer's verb. Raises `NotFound`."""
        with self._w.store.read() as tx:
            return self._load(tx, dossier, contents=True)[0]

    def show(self, dossier: DossierId, by: Acting) -> DossierState:
        """What an officer reads: asked of the gate and logged as a consultation (LED art. 25)."""
        state = self.state(dossier)
        first = state.entries[0].statement
        decision = self._w.gate.decide(
            Question(
                Action.VIEW,
                self._w.country,
                frozenset(by.roles),
                country_of(state.opener or self._w.node),
                state.kind,
                purpose=by.purpose or first.legal.purpose,
                justification=by.justification,
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
        entries = records.load_entries(tx, self._w.vault, dossier, contents=True)
        parts = [p for e in entries if e.statement.clock == 0 for p in e.parts if p.ref.kind == "subject" and p.content]
        return str(parts[0].content["text"]) if parts and parts[0].content else ""

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
        found = self._kind(kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self._nodes(to)
        draft = drafting.make_draft(parsed, rule, addressees=addressees, inherited=None, resolve=self._node)
        return [(n, self._ask(draft, found.name, n, by, self._w.clock())) for n in addressees]

    # --- exchange: outbox loader and inbox handler ---

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The delivery of one entry to one node, or None where it may no longer go there."""
        entry = EntryId(ref)
        grant = records.load_grant(tx, entry, to)
        dossier = records.find_dossier_of(tx, entry)
        if grant is None or dossier is None:
            return None
        state, _kind = self._load(tx, dossier, contents=False)
        if to not in state.members:  # the newest list rules, not the one the entry was written under
            return None
        raw = records.load_raw(tx, entry)
        parts = [p for p in records.load_parts(tx, self._w.vault, entry) if p[0] not in grant.withheld]
        recalled = {r.part for r in state.recalls}
        return delivery_to_bytes(raw or b"", [p for p in parts if p[0] not in recalled])

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """File what a partner delivered. Idempotent; refuses by name; keeps illegal acts visible, without effect."""
        raw, entry, given = parse_delivery(item.payload, lambda node: self._w.keys_of(tx, node))
        s = entry.statement
        kind = self._w.kinds.get(s.kind)
        if s.author != sender:
            raise Untrusted("delivery.not_the_author", "only its author delivers an entry", step="file")
        if entry.id != item.ref:
            raise Untrusted("delivery.wrong_ref", "not the entry that the envelope names", step="file")
        if kind is None:
            return ItemResult(item.ref, received=False, reason="kind.unknown")
        new = not records.has_entry(tx, entry.id)
        if new:
            refusal = self._admission(tx, entry, kind)
            if refusal:
                return ItemResult(item.ref, received=False, reason=refusal)
        self._store_filed(tx, raw, entry, given, new, kind)
        return ItemResult(item.ref, received=True)

    def _admission(self, tx: Connection, entry: Entry, kind: Kind) -> str:
        """Why an entry is not filed at all: its author is no member, or we have been removed.

        A newcomer's entries may arrive in any order, the opening before the list that admits it: an author that seals
        an entry to us wants us to have it, so only a removal that we have seen speaks against it.
        """
        s = entry.statement
        if not records.exists(tx, s.dossier):
            return ""
        records.lock_dossier(tx, s.dossier)
        state = fold(s.dossier, [*records.load_entries(tx, self._w.vault, s.dossier, contents=False), entry], kind)
        if state.opener is not None and not state.missing:
            removed = self._w.node not in state.members and state.members_version > 1
            if removed and s.type != "dossier.members":
                return "not_a_member"
            for mark in state.marks:
                if mark.entry == entry.id and mark.code in ("not_a_member", "after_removal"):
                    return mark.code
        return ""

    def _store_filed(
        self,
        tx: Connection,
        raw: bytes,
        entry: Entry,
        given: Mapping[PartId, tuple[bytes, Mapping[str, Any]]],
        new: bool,
        kind: Kind,
    ) -> None:
        s, now = entry.statement, self._w.clock()
        if not records.exists(tx, s.dossier):
            records.insert_dossier(tx, s.dossier, s.kind, s.author, s.at)
        self._w.fault("file.verified")
        if new:
            records.insert_entry(tx, entry, raw, now)
        fresh = [p for p, (salt, content) in given.items() if records.hold_part(tx, self._w.vault, p, salt, content)]
        if not new and not fresh:
            return
        state, _ = self._load(tx, s.dossier, contents=False)
        content = {"from": s.author, "type": s.type, "purpose": s.legal.purpose, "parts": len(fresh)}
        self._w.ledger.append(tx, verb=LogVerb.COLLECT, subject=entry.id, content=content, at=now)
        if entry.id not in state.voided():
            self._bank(tx, entry, {p: given[p][1] for p in fresh})
        self._w.fault("file.banked")
        self._erase_recalled(tx, state, now)
        self._refresh(tx, state, kind, now)
        if fresh and entry.id not in state.voided():
            for hook in self._w.after_file:
                hook(tx, s.dossier, entry.id, country_of(s.author))
        self._w.fault("file.done")

    def _bank(self, tx: Connection, entry: Entry, contents: Mapping[PartId, Mapping[str, Any]]) -> None:
        s = entry.statement
        for part, content in contents.items():
            if content.get("kind") != "entity":
                continue
            try:
                entity = parse_entity(content.get("entity"), "entity")
            except TansiqError as exc:
                # A partner's vocabulary may be newer than ours: the part stays readable, it is only not searchable.
                log.warning("entity not banked", entry=entry.id, part=part, code=exc.code, field=exc.field)
                continue
            self._w.bank.add(tx, entity, self._provenance(entry, part, s.legal.legal_basis))

    def _provenance(self, entry: Entry, part: PartId, legal_basis: str) -> Provenance:
        s = entry.statement
        return Provenance(
            source="dossier",
            reference=entry.id,
            part=part,
            originator=country_of(s.author),
            handling=tuple(str(c) for c in s.handling.codes),
            legal_basis=legal_basis,
            erase_on=s.legal.erase_on,
        )

    def _erase_recalled(self, tx: Connection, state: DossierState, now: datetime) -> None:
        mine = {p.ref.id for e in state.entries if e.statement.author == self._w.node for p in e.parts}
        for recall in state.recalls:
            if recall.part not in mine:
                self._erase(tx, recall.part, "recalled", now)

    def _erase(self, tx: Connection, part: PartId, why: str, now: datetime) -> None:
        if not records.erase_part(tx, part):
            return
        self._w.bank.erase_part(tx, part)
        for hook in self._w.after_erase:
            hook(tx, part)
        content = {"officer": "", "purpose": "system", "justification": why, "clauses": ["LED art. 16", "LED art. 25"]}
        self._w.ledger.append(tx, verb=LogVerb.ERASE, subject=part, content=content, at=now)

    # --- what the rules make us do by ourselves ---

    def settle(self) -> int:
        """Write the automatic acts that are due. Crash safe: a dossier stays unsettled until they are written."""
        with self._w.store.read() as tx:
            waiting = records.load_unsettled(tx)
        for dossier in waiting:
            self._settle_one(dossier)
        return len(waiting)

    def _settle_one(self, dossier: DossierId) -> None:
        state = self.state(dossier)
        kind = self._kind(state.kind)
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
        state, kind = self._load(tx, dossier, contents=False)
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
        state, kind = self._load(tx, dossier, contents=False)
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
                state, _kind = self._load(tx, dossier, contents=False)
                held = [p.ref.id for e in state.entries for p in e.parts if p.presence is Presence.HELD]
                for part in held:
                    self._erase(tx, part, "erase_on reached", self._w.clock())
                count += len(held)
                records.update_dossier(tx, dossier, state.phase, self._w.clock(), "", unsettled=False)
            return count

        return self._w.store.write(work)

    # --- inside ---

    def _kind(self, name: str) -> Kind:
        kind = self._w.kinds.get(name)
        if kind is None:
            known = ", ".join(sorted(self._w.kinds))
            raise Invalid("kind.unknown", f"known kinds: {known}", step="open the dossier", field="kind")
        return kind

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

    def _load(self, tx: Connection, dossier: DossierId, *, contents: bool) -> tuple[DossierState, Kind]:
        entries = records.load_entries(tx, self._w.vault, dossier, contents=contents)
        if not entries:
            raise NotFound("dossier.unknown", "no such dossier", step="read the dossier", field="id")
        kind = self._kind(entries[0].statement.kind)
        return fold(dossier, entries, kind), kind

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
        legal = state.entries[0].statement.legal
        if state.opener == self._w.node and all(legal.agreement_with(country_of(n)) for n in addressees):
            return legal
        found: dict[str, str] = {}
        for country in sorted({country_of(n) for n in addressees}):
            named = (legal.agreement_with(country), legal.agreement_with(self._w.country))
            between = [a.id for a in self._w.gate.agreements_between(self._w.country, country)]
            found[country] = next((n for n in named if n in between), between[0] if between else named[0])
        return replace(legal, agreements=found)

    @staticmethod
    def _consents(state: DossierState, node: NodeId) -> bool:
        country = country_of(node)
        return any(
            p.answer.startswith("granted") and (p.to == node or p.to.upper() == country) for p in state.permissions
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
        kind = self._kind(state.kind)
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

    def _ask(self, draft: Draft, kind: str, to: NodeId, by: Acting, now: datetime, consent: bool = False) -> Decision:
        asker = drafting.Asker(
            self._w.country, frozenset(by.roles), by.purpose, by.justification, by.second is not None
        )
        asked = drafting.question(draft, asker, kind=kind, to=to, at=now, consent=consent)
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
        entry, s = made.entry, made.entry.statement
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
            self._w.bank.add(tx, entity, self._provenance(entry, ref, s.legal.legal_basis))
        self._w.fault("append.queued")
        after = fold(state.id, [*state.entries, entry], kind)
        self._refresh(tx, after, kind, now)
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
        self._w.enqueue(tx, node, "entry", entry.id, now + timedelta(days=self._w.item_days))

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
        self._queue(tx, entry, node, decision, hidden, by, now)

    def _refresh(self, tx: Connection, state: DossierState, kind: Kind, now: datetime) -> None:
        opening = state.entries[0].statement
        if state.opener is not None:
            records.set_opener(tx, state.id, state.opener, state.opened_at or now)
        records.replace_duties(tx, state.id, duties(state, kind))
        unsettled = bool(state.missing or automatic(state, kind, self._w.node))
        records.update_dossier(tx, state.id, state.phase, now, opening.legal.erase_on, unsettled)

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
