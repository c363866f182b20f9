"""The verbs that write: open, append, admit, deliver, forward.

What needs no database is done before the writer is asked for: rules, law gate, seals. `Ready` is an act that only has
to be written down; if the dossier has moved in between, it is made anew, inside. Signing takes longest and lets others
work: it is begun as soon as the bytes are known, and waited for where the transaction writes the entry. Where a courier
rests, its envelope is foreseen: sealed first, and covered by the same signature. What life cycle or law gate then
refuse leaves as its error: its signature and its envelopes are in nobody's hands, and go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

import msgspec
from sqlalchemy import Connection

from tansiq import crypto, policy
from tansiq.access.model import Acting
from tansiq.bank import parse_entity
from tansiq.bank.model import Entity
from tansiq.dossiers import claims, desk, drafting, parting, records
from tansiq.dossiers.desk import Wiring
from tansiq.dossiers.drafting import Declared, Draft, Made
from tansiq.dossiers.frame import FRAME_ACTS, effective_handling, state_facts
from tansiq.dossiers.model import ActRule, AutoAct, DossierState, Entry, Kind, Legal, Part, Presence
from tansiq.dossiers.restrictions import Restrictions
from tansiq.dossiers.rules import automatic, erasure_to_tell, parse_facts, unopened
from tansiq.dossiers.standing import Standing, Written
from tansiq.dossiers.wire import (
    PAYLOAD_TYPE,
    Body,
    check_members,
    delivery_to_bytes,
    dossier_id,
    loose_delivery_to_bytes,
    parse_body,
)
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.exchange.model import Foreseen, SignedAhead
from tansiq.policy.model import Action, Decision, Permit, Question, Refusal
from tansiq.terms import DossierId, EntryId, Handling, LogVerb, NodeId, PartId, country_of


@dataclass(frozen=True, slots=True)
class Ready:
    """An act that is permitted and sealed, and being signed."""

    before: Standing | None
    """What it was made on; None: it opens the dossier."""
    after: Standing
    made: Made
    signed: Callable[[], bytes]
    """Waits for the entry's signed bytes."""
    ahead: Mapping[NodeId, SignedAhead]
    """The envelopes that are signed with it, for whom they are foreseen."""
    held: Mapping[PartId, bytes]
    permits: Mapping[NodeId, Permit]
    recorded: Permit
    """By which it may be written at all, whoever gets it."""
    declared: bytes
    """What its officer declared, sealed."""
    by: Acting
    now: datetime

    @property
    def dossier(self) -> DossierId:
        return self.made.entry.statement.dossier


class Writing:
    """What a node writes into its dossiers. The order of effects of each act is that of `_write`."""

    def __init__(self, wiring: Wiring, restrictions: Restrictions) -> None:
        self._w = wiring
        self._restrictions = restrictions

    def open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        ready = self._opening(kind, body, to, by)
        self._w.store.write(lambda tx: self._write(tx, ready))
        return ready.dossier

    def open_in(self, tx: Connection, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId:
        ready = self._opening(kind, body, to, by)
        self._write(tx, ready)
        return ready.dossier

    def _opening(self, kind: str, body: object, to: Iterable[str], by: Acting) -> Ready:
        found = desk.kind_of(self._w, kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self.nodes(to)
        if not addressees:
            raise Invalid("dossier.nobody", "name at least one partner", step="open the dossier", field="to")
        draft = self._opening_draft(parsed, rule, addressees)
        nonce = self._w.random(16).hex()
        state = unopened(dossier_id(self._w.node, nonce), found)
        members = tuple(sorted({self._w.node, *addressees}))
        return self._ready(draft, None, state, by, self._w.clock(), members=members, nonce=nonce)

    def _opening_draft(self, parsed: Body, rule: ActRule, addressees: tuple[NodeId, ...]) -> Draft:
        facts = drafting.whole_ids(parsed.facts, None, self._member)
        body = msgspec.structs.replace(parsed, facts=facts)
        return drafting.make_draft(body, rule, addressees=addressees, inherited=None, resolve=self.node)

    def append(self, dossier: DossierId, body: object, by: Acting) -> EntryId:
        parsed = parse_body(body)
        with self._w.store.read() as tx:
            there = desk.load_standing(self._w, tx, dossier)
        ready = self._act(there, parsed, by)

        def work(tx: Connection) -> EntryId:
            records.lock_dossier(tx, dossier)
            now_there = desk.load_standing(self._w, tx, dossier)
            same = (now_there.number, now_there.last) == (there.number, there.last)
            return self._write(tx, ready if same else self._act(now_there, parsed, by))

        return self._w.store.write(work)

    def append_in(self, tx: Connection, dossier: DossierId, body: object, by: Acting) -> EntryId:
        parsed = parse_body(body)
        records.lock_dossier(tx, dossier)
        return self._write(tx, self._act(desk.load_standing(self._w, tx, dossier), parsed, by))

    def _act(self, there: Standing, parsed: Body, by: Acting) -> Ready:
        """An officer's act on the dossier as it stands."""
        draft, members = self._drafted(there, parsed)
        self._restrictions.check(there.folded.state, draft.rule.type, by)
        return self._ready(draft, there, there.folded.state, by, self._w.clock(), members=members)

    def _drafted(self, there: Standing, parsed: Body) -> tuple[Draft, tuple[NodeId, ...] | None]:
        state = there.folded.state
        rule = self._rule(there.kind, parsed.type)
        if rule.type == there.kind.erased_act:
            raise Invalid(
                "act.of_the_node", "the node writes it when it has erased: purge the dossier", step="read the act",
                field="type",
            )  # fmt: skip
        bare = rule.type == parting.TAKES_BACK and not (parsed.parts or parsed.subject)
        if self._w.node not in state.members and not bare:
            hint = "what it gave it may take back, without words: dossier.recalled"
            raise Refused("dossier.not_a_member", "this service is not a member any more", step="append", hint=hint)
        whole = self._about(state, parsed)
        addressees = self._addressees(state, whole)
        legal = self._inherited(state, addressees)
        draft = drafting.make_draft(whole, rule, addressees=addressees, inherited=legal, resolve=self.node)
        gone = frozenset(addressees) - {*state.members}
        draft = replace(draft, parts=tuple(replace(p, withhold_from=p.withhold_from | gone) for p in draft.parts))
        return draft, self._new_members(parsed) if rule.type == "dossier.members" else None

    def append_auto(self, tx: Connection, dossier: DossierId, act: AutoAct, facts: Mapping[str, Any]) -> EntryId:
        """What the rules make us write. Raises `Conflict` where it was written already."""
        records.lock_dossier(tx, dossier)
        there = desk.load_standing(self._w, tx, dossier)
        state = there.folded.state
        erased = erasure_to_tell(state, there.kind, self._w.node)
        ours = (*automatic(state, there.kind, self._w.node), *((erased,) if erased else ()))
        if not any(a.type == act.type and set(a.facts.items()) <= set(facts.items()) for a in ours):
            raise Conflict("act.done_already", "already written", step="settle")
        rule = self._rule(there.kind, act.type)
        # Who took it back is told, also where it was removed since.
        told = {parting.taker(state, dict(facts))} if act.type == parting.ANSWERS else set()
        addressees = tuple(n for n in (*state.members, *(told - {None, *state.members})) if n and n != self._w.node)
        draft = Draft(rule, Handling.parse([]), self._inherited(state, addressees), facts, (), addressees)
        return self._write(tx, self._ready(draft, there, state, Acting.machine(), self._w.clock()))

    def admit(self, dossier: DossierId, newcomer: str, by: Acting, give: Iterable[PartId] = ()) -> EntryId:
        """Add a member and deliver our own entries to it. The opener's verb; others call `deliver_to`.

        A part that was withheld from anybody before is withheld from the newcomer too, unless `give` names it.
        """
        node = self.node(newcomer)

        def work(tx: Connection) -> EntryId:
            records.lock_dossier(tx, dossier)
            there = desk.load_standing(self._w, tx, dossier)
            state, kind = desk.load_state(self._w, tx, dossier)
            body = Body(type="dossier.members", to=[*(str(n) for n in state.members if n != self._w.node), node])
            body.facts = {}
            rule = FRAME_ACTS["dossier.members"]
            now = self._w.clock()
            members = tuple(sorted({*state.members, node}))
            addressees = tuple(n for n in members if n != self._w.node)
            legal = self._inherited(state, addressees)
            draft = drafting.make_draft(body, rule, addressees=addressees, inherited=legal, resolve=self.node)
            for entry in self._ours_for(state, kind, node):
                hidden = self._withheld_before(tx, dossier, entry.id) - set(give)
                self._grant(tx, entry, kind, state, node, by, now, tuple(sorted(hidden)))
            ready = self._ready(draft, there, state, by, now, members=members)
            self._write(tx, ready)
            return ready.made.entry.id

        return self._w.store.write(work)

    def deliver_to(self, dossier: DossierId, member: str, by: Acting, give: Iterable[PartId] = ()) -> int:
        """Deliver our own entries to a member that joined later, or parts that were withheld from it (`give`).

        Returns how many entries were queued. The gate is asked again for each.
        """
        node = self.node(member)
        given = set(give)

        def work(tx: Connection) -> int:
            state, kind = desk.load_state(self._w, tx, dossier)
            if node not in state.members:
                raise Refused("dossier.not_a_member", "not a member of this dossier", step="deliver")
            mine = self._ours_for(state, kind, node)
            for entry in mine:
                if given and not given & {p.ref.id for p in entry.parts}:
                    continue
                hidden = tuple(sorted(self._withheld_before(tx, dossier, entry.id) - given))
                self._grant(tx, entry, kind, state, node, by, self._w.clock(), hidden)
            return len(mine)

        return self._w.store.write(work)

    def _ours_for(self, state: DossierState, kind: Kind, node: NodeId) -> list[Entry]:
        """Our own entries for a newcomer; the gate is asked again for each.

        What rests on its signature it gets once it has signed; where that leaves nothing, the gate says so.
        """
        mine = [e for e in state.entries if e.statement.author == self._w.node and e.id not in state.voided()]
        return [e for e in mine if kind.has_signed(state, e.statement.type, node)] or mine

    @staticmethod
    def _withheld_before(tx: Connection, dossier: DossierId, entry: EntryId) -> set[PartId]:
        return {p for g in records.load_grants(tx, dossier) if g.entry == entry for p in g.withheld}

    def forward(self, dossier: DossierId, about: EntryId, to: str, by: Acting) -> EntryId:
        """Ask whether another's entry may go to a further service. Raises `Refused` with the clause.

        Where the gate permits, the originator is asked to deliver: no node forwards another's entry itself.
        """
        with self._w.store.read() as tx:
            state = desk.load_state(self._w, tx, dossier)[0]
        entry = state.entry(about)
        if entry is None:
            raise NotFound("entry.unknown", "no such entry", step="forward")
        decision = self._decide(*self._forward_question(state, entry, to, by), None)
        if isinstance(decision, Refusal):
            self._record_refusal(entry.id, decision, by, to)
            raise refused(decision, "forward", to, "ask the originator: dossier.permission_requested")
        body = {"type": "dossier.permission_requested", "facts": {"about": about, "to": to}}
        return self.append(dossier, body, by)

    def _forward_question(self, state: DossierState, entry: Entry, to: str, by: Acting) -> tuple[Question, Draft]:
        """The same question as for our own sending, about another's entry: persons, restrictions, consent."""
        recipient = to.upper() if len(to) == 2 else country_of(self.node(to))
        granted = any(
            p.answer.startswith("granted")
            and self._same_place(p.to, to, recipient)
            and state_facts(state, p.asked).get("about") == entry.id
            for p in state.permissions
        )
        kind = desk.kind_of(self._w, state.kind)
        entities = {p.ref.id: e for p in entry.parts if (e := _entity_of(p)) is not None}
        handling = effective_handling(state, entry)
        rule = self._rule(kind, entry.statement.type)
        draft = drafting.redraft(entry, rule, handling, Declared(), (), self._w.node, entities)
        place = drafting.place_in(kind, state, draft, self._forwarded_to(to))
        asked = drafting.question(draft, self._asker(by), place=place, to=None, at=self._w.clock(), consent=granted)
        between = self._w.gate.agreements_between(self._w.country, recipient)
        asked = replace(
            asked,
            action=Action.FORWARD,
            originator=country_of(entry.statement.author),
            recipient=recipient,
            agreement=between[0].id if between else "",
        )
        return asked, draft

    def _forwarded_to(self, to: str) -> NodeId:
        """The node that is meant; where only a country is known, nobody has signed for it."""
        try:
            return self.node(to)
        except TansiqError:
            return NodeId("")

    @staticmethod
    def _same_place(asked: str, to: str, country: str) -> bool:
        return asked == to or asked.upper() == country

    # --- inside ---

    @staticmethod
    def _rule(kind: Kind, act: str) -> ActRule:
        rule = kind.act(act) or FRAME_ACTS.get(act)
        if rule is None:
            raise Invalid("act.unknown", f"a {kind.name} has no such act", step="read the act", field="type")
        return rule

    def node(self, word: str) -> NodeId:
        return drafting.node_or_resolve(word, self._w.resolve)

    def _member(self, word: str) -> NodeId:
        """A member by id, country or name; our own country is we."""
        return self._w.node if word.upper() == self._w.country.upper() else self.node(word)

    def nodes(self, words: Iterable[str]) -> tuple[NodeId, ...]:
        return tuple(sorted({self.node(w) for w in words} - {self._w.node}))

    def _addressees(self, state: DossierState, parsed: Body) -> tuple[NodeId, ...]:
        others = tuple(n for n in state.members if n != self._w.node)
        if parsed.type == parting.TAKES_BACK:
            others = self._takes_back_from(state, others, EntryId(str(parsed.facts.get("about", ""))))
        if parsed.to is None:
            return others
        chosen = self.nodes(parsed.to)
        if not set(chosen) <= set(others):
            raise Invalid(
                "dossier.not_a_member", "an addressee is not a member of this dossier", step="append", field="to"
            )
        return chosen

    def _takes_back_from(self, state: DossierState, others: tuple[NodeId, ...], about: EntryId) -> tuple[NodeId, ...]:
        """Whom a recall goes to: the members, and who was given the entry and was removed since. A service that was
        removed itself tells those alone whom it gave the entry."""
        gone = parting.former(state) - {self._w.node}
        if not gone and self._w.node in state.members:
            return others
        with self._w.store.read() as tx:
            given = {*records.load_granted(tx, about)}
        if self._w.node in state.members:
            return (*others, *sorted(gone & given))
        return tuple(sorted(({*others} | gone) & given))

    def _about(self, state: DossierState, parsed: Body) -> Body:
        """Short forms of ids that an officer may type, made whole."""
        return msgspec.structs.replace(parsed, facts=drafting.whole_ids(parsed.facts, state, self._member))

    def _new_members(self, parsed: Body) -> tuple[NodeId, ...]:
        """`dossier.members` with `to` names the whole list that stays; us included always."""
        return tuple(sorted({self._w.node, *self.nodes(parsed.to or ())}))

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
        return replace(legal, agreements=found, transfer_basis=legal.transfer_basis or self._named_basis(state))

    def _named_basis(self, state: DossierState) -> str:
        """The basis of transfer that we named last in this dossier: an opener outside the LED area can name none."""
        mine = (e.statement.legal for e in reversed(state.entries) if e.statement.author == self._w.node)
        return next((legal.transfer_basis for legal in mine if legal.transfer_basis), "")

    @staticmethod
    def _consents(state: DossierState, node: NodeId, about: EntryId) -> bool:
        """Consent is for one entry and one recipient; it says nothing of any other."""
        return any(
            p.answer.startswith("granted")
            and (p.to == node or p.to.upper() == country_of(node))
            and state_facts(state, p.asked).get("about") == about
            for p in state.permissions
        )

    def _ready(
        self,
        draft: Draft,
        before: Standing | None,
        state: DossierState,
        by: Acting,
        now: datetime,
        members: tuple[NodeId, ...] | None = None,
        nonce: str = "",
    ) -> Ready:
        """Make, begin to sign, check, ask the gate, seal. Raises `Invalid` (form or life cycle), `Refused` (law)."""
        kind = desk.kind_of(self._w, state.kind)
        made = self._make(draft, state, by, now, members, nonce)
        signed, ahead = self._begin_sign(made, draft.addressees, now + timedelta(days=self._w.item_days))
        after = self._after(made, draft, kind, before)
        permits = self._permits(draft, kind, state, by, now)
        recorded = self._may_record(draft, kind, state, by, now)
        if isinstance(recorded, Refusal):
            raise refused(recorded, "append", "", "")
        self._w.fault("append.permitted")
        held = {
            part: records.seal_part(self._w.vault, part, salt, packed) for part, (salt, packed) in made.salts.items()
        }
        declared = records.seal_declared(self._w.vault, made.entry.id, draft.declared.to_bytes())
        return Ready(before, after, made, signed, ahead, held, permits, recorded, declared, by, now)

    def _begin_sign(
        self, made: Made, addressees: Iterable[NodeId], expires_at: datetime
    ) -> tuple[Callable[[], bytes], dict[NodeId, SignedAhead]]:
        """One signature for the entry and for the envelopes that are foreseen for it."""
        w, ref = self._w, made.entry.id
        member = crypto.Member(PAYLOAD_TYPE, made.body)

        def load(node: NodeId) -> bytes:
            return loose_delivery_to_bytes(member.loose(), _given(made, node))

        def least(node: NodeId) -> int:
            hidden = made.withheld.get(node, ())
            return len(made.body) + sum(len(packed) for part, (_, packed) in made.salts.items() if part not in hidden)

        found = (w.foresee(node, "entry", ref, partial(load, node), expires_at, least(node)) for node in addressees)
        foreseen = [seen for seen in found if seen is not None]
        if not foreseen:
            return crypto.begin_sign(PAYLOAD_TYPE, made.body, w.signing, w.node), {}
        signing = crypto.begin_batch(member, [seen.member for seen in foreseen], w.signing, w.node)
        whole = cache(signing.whole)

        def ahead(number: int, seen: Foreseen) -> SignedAhead:
            return SignedAhead(
                seen,
                w.signing.public,
                lambda: signing.other(number),
                lambda: delivery_to_bytes(whole(), _given(made, seen.to)),
            )

        return whole, {seen.to: ahead(n, seen) for n, seen in enumerate(foreseen)}

    def _make(
        self,
        draft: Draft,
        state: DossierState,
        by: Acting,
        now: datetime,
        members: tuple[NodeId, ...] | None,
        nonce: str,
    ) -> Made:
        check_members(len(draft.addressees), "to")
        check_members(len(members or ()), "to")
        parse_facts(draft.rule, draft.facts)
        return drafting.make_statement(
            draft,
            state=state,
            author=self._w.node,
            officer=by.officer,
            at=now,
            salt=lambda: self._w.random(32),
            members=members,
            nonce=nonce,
        )

    def _after(self, made: Made, draft: Draft, kind: Kind, before: Standing | None) -> Standing:
        """The dossier with it. Raises `Invalid` where its life cycle does not allow the act."""
        entry = made.entry
        missing = set(kind.part_kinds_required(entry)) - {p.kind for p in draft.parts}
        if missing:
            raise Invalid(
                "act.part_missing", f"missing: {', '.join(sorted(missing))}", step="read the act", field="parts"
            )
        bare = desk.without_contents(entry)
        after = desk.with_entry(self._w, before, bare) if before else desk.new_standing(self._w, bare)
        for mark in after.folded.state.marks:
            if mark.entry == entry.id and mark.void:
                raise Invalid(
                    f"act.{mark.code}",
                    mark.detail or mark.code.replace("_", " "),
                    step="check the life cycle",
                    field="type",
                )
        return after

    def _asker(self, by: Acting) -> drafting.Asker:
        return drafting.Asker(self._w.country, frozenset(by.roles), by.purpose, by.justification, by.second is not None)

    def _ask(
        self,
        draft: Draft,
        kind: Kind,
        state: DossierState | None,
        to: NodeId,
        by: Acting,
        now: datetime,
        consent: bool = False,
    ) -> Decision:
        """`state`: the dossier as it stands; None for its opening."""
        place = drafting.place_in(kind, state, draft, to)
        asked = drafting.question(draft, self._asker(by), place=place, to=to, at=now, consent=consent)
        return self._decide(asked, draft, to)

    def _decide(self, asked: Question, draft: Draft, to: NodeId | None) -> Decision:
        return drafting.with_parts(self._w.gate.decide(asked), asked, draft, to, self._w.gate.decide)

    def _may_record(
        self, draft: Draft, kind: Kind, state: DossierState | None, by: Acting, now: datetime
    ) -> Permit | Refusal:
        """Whether it may be written at all: with all its parts, those that nobody is given too."""
        place = drafting.place_in(kind, state, draft, self._w.node)
        asked = drafting.question(draft, self._asker(by), place=place, to=None, at=now, action=Action.APPEND)
        return self._decide(asked, draft, None)

    def _permits(
        self, draft: Draft, kind: Kind, state: DossierState, by: Acting, now: datetime
    ) -> dict[NodeId, Permit]:
        found: dict[NodeId, Permit] = {}
        for node in draft.addressees:
            decision = self._ask(draft, kind, state, node, by, now)
            if isinstance(decision, Refusal):
                raise refused(decision, "send", country_of(node), self._agreements_hint(decision, node))
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

    def _agreements_hint(self, refusal: Refusal, to: NodeId) -> str:
        """Where an agreement is missing, those that are in force with the recipient's country."""
        if "agreement" not in refusal.missing:
            return ""
        between = self._w.gate.agreements_between(self._w.country, country_of(to))
        return f"in legal.agreement name: {', '.join(a.id for a in between)}" if between else ""

    def preview(self, kind: str, body: object, to: Iterable[str], by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each recipient of an opening act, if the rules allow it."""
        return _for_each(*self._foreseen_opening(kind, body, to, by))

    def preview_append(self, dossier: DossierId, body: object, by: Acting) -> list[tuple[NodeId, Decision]]:
        """What the gate would say for each addressee of an act, if the rules allow it."""
        return _for_each(*self._foreseen_act(dossier, body, by))

    def check_open(self, kind: str, body: object, to: Iterable[str], by: Acting) -> None:
        """Raises what the opening would be refused with; writes nothing."""
        self._check(*self._foreseen_opening(kind, body, to, by))

    def check_append(self, dossier: DossierId, body: object, by: Acting) -> None:
        """Raises what the act would be refused with; writes nothing. One without addressees has to be written too."""
        self._check(*self._foreseen_act(dossier, body, by))

    @staticmethod
    def _check(recorded: Decision, found: list[tuple[NodeId, Decision]]) -> None:
        for node, decision in _for_each(recorded, found):
            if isinstance(decision, Refusal):
                raise refused(decision, "send", country_of(node), "")
        if isinstance(recorded, Refusal):
            raise refused(recorded, "append", "", "")

    def _foreseen_opening(self, kind: str, body: object, to: Iterable[str], by: Acting) -> _Foreseen:
        found = desk.kind_of(self._w, kind)
        parsed = parse_body(body)
        rule = drafting.opening_rule(found, parsed)
        addressees = self.nodes(to)
        draft = self._opening_draft(parsed, rule, addressees)
        now, nonce = self._w.clock(), self._w.random(16).hex()
        state = unopened(dossier_id(self._w.node, nonce), found)
        made = self._make(draft, state, by, now, tuple(sorted({self._w.node, *addressees})), nonce)
        self._after(made, draft, found, None)
        return self._foreseen(draft, found, None, by, now)

    def _foreseen_act(self, dossier: DossierId, body: object, by: Acting) -> _Foreseen:
        parsed = parse_body(body)
        with self._w.store.read() as tx:
            there = desk.load_standing(self._w, tx, dossier)
        draft, members = self._drafted(there, parsed)
        now = self._w.clock()
        made = self._make(draft, there.folded.state, by, now, members, "")
        self._after(made, draft, there.kind, there)
        return self._foreseen(draft, there.kind, there.folded.state, by, now)

    def _foreseen(self, draft: Draft, kind: Kind, state: DossierState | None, by: Acting, now: datetime) -> _Foreseen:
        recorded = self._may_record(draft, kind, state, by, now)
        return recorded, [(n, self._ask(draft, kind, state, n, by, now)) for n in draft.addressees]

    def _write(self, tx: Connection, ready: Ready) -> EntryId:
        """One transaction: row and duties, leaves, entry with its parts, grants, outbox, bank.

        No permit, no send; no leaf, no send: both stand in the transaction that queues.
        """
        made, entry, by, now = ready.made, ready.made.entry, ready.by, ready.now
        desk.show(self._w, tx, ready.before, ready.after, now)
        hidden = made.withheld
        leaves = [(LogVerb.COLLECT, self.log(by, ready.recorded)), *self._sent(entry, ready.permits, hidden, by)]
        self._w.ledger.append_many(tx, leaves, subject=entry.id, at=now)
        # While it is being signed, all that needs no signature.
        self._w.bank.add_many(tx, [(e, desk.provenance(entry, ref)) for ref, e in made.entities.items()])
        raw = ready.signed()
        self._w.fault("append.signed")
        records.insert_entry(tx, entry, ready.after.number, raw, now, ready.held)
        records.insert_declared(tx, entry.id, ready.declared)
        grants = {n: _granted(entry.id, n, p, hidden.get(n, ()), now) for n, p in ready.permits.items()}
        records.insert_grants(tx, grants.values())
        self._w.standings.note(tx, entry.id, Written(ready.dossier, raw, grants, _parts(made)))
        for node in ready.permits:
            expires_at = now + timedelta(days=self._w.item_days)
            self._w.enqueue(tx, node, "entry", entry.id, expires_at, ready.ahead.get(node))
        claims.note(tx, entry.id, ((p.ref.id, p.content) for p in entry.parts if p.content is not None))
        self._w.fault("append.queued")
        self._w.standings.keep(tx, ready.dossier, replace(ready.after, shown=True))
        self._w.fault("append.done")
        return entry.id

    def _sent(
        self,
        entry: Entry,
        permits: Mapping[NodeId, Permit],
        withheld: Mapping[NodeId, tuple[PartId, ...]],
        by: Acting,
    ) -> list[tuple[LogVerb, dict[str, Any]]]:
        """What the ledger keeps of each recipient."""
        transfer = entry.statement.legal.transfer_basis
        return [
            (
                LogVerb.DISCLOSE,
                {**self.log(by, permit), "to": node, "withheld": len(withheld.get(node, ())), "transfer": transfer},
            )
            for node, permit in permits.items()
        ]

    def _grant(
        self,
        tx: Connection,
        entry: Entry,
        kind: Kind,
        state: DossierState,
        node: NodeId,
        by: Acting,
        now: datetime,
        withheld: tuple[PartId, ...],
    ) -> None:
        """Deliver an entry of ours, written earlier, to one more node."""
        rule = self._rule(kind, entry.statement.type)
        gone = tuple(
            p.ref.id for p in entry.parts if p.presence is not Presence.HELD or p.erased or p.ref.kind in rule.kept
        )
        parsed = {p.ref.id: e for p in entry.parts if (e := _entity_of(p)) is not None}
        hidden = tuple(w for w in (*withheld, *gone) if any(p.ref.id == w for p in entry.parts))
        handling, declared = effective_handling(state, entry), self._declared(tx, entry.id)
        had_by = records.load_granted(tx, entry.id)
        draft = drafting.redraft(entry, rule, handling, declared, hidden, node, parsed, had_by)
        country = country_of(node)
        if not draft.legal.agreement_with(country):
            between = self._w.gate.agreements_between(self._w.country, country)
            if between:
                draft = replace(
                    draft, legal=replace(draft.legal, agreements={**draft.legal.agreements, country: between[0].id})
                )
        decision = self._ask(draft, kind, state, node, by, now, self._consents(state, node, entry.id))
        if isinstance(decision, Refusal):
            raise refused(decision, "deliver", country, "")
        if "four_eyes" in decision.obligations and by.second is None:
            raise Refused(
                "four_eyes.needed", "a second officer must confirm this disclosure", step="deliver", field="second"
            )
        sent = self._sent(entry, {node: decision}, {node: hidden}, by)
        self._w.ledger.append_many(tx, sent, subject=entry.id, at=now)
        self._w.standings.changed(entry.id)
        records.replace_grant(tx, _granted(entry.id, node, decision, hidden, now))
        self._w.requeue(tx, node, "entry", entry.id, now + timedelta(days=self._w.item_days))

    def _declared(self, tx: Connection, entry: EntryId) -> Declared:
        """Raises `Refused` for an entry of ours from before this was kept: to ask without it would be to ask less."""
        kept = records.load_declared(tx, self._w.vault, entry)
        if kept is None:
            raise Refused(
                "declaration.not_kept",
                "what its officer declared was not kept",
                step="deliver",
                field="entry",
                hint="declare it anew: tansiq dossier declare",
                detail=entry,
            )
        return Declared.from_bytes(kept)

    def log(self, by: Acting, decision: Decision | None) -> dict[str, Any]:
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
        content = {**self.log(by, decision), "to": to}
        self._w.store.write(
            lambda tx: self._w.ledger.append(
                tx, verb=LogVerb.DISCLOSE, subject=subject, content=content, at=self._w.clock()
            )
        )


_Foreseen = tuple[Decision, list[tuple[NodeId, Decision]]]
"""Whether it may be written at all, and what each addressee may be sent."""


def _for_each(recorded: Decision, found: list[tuple[NodeId, Decision]]) -> list[tuple[NodeId, Decision]]:
    """Nobody is sent what may not be written."""
    return [(n, recorded if isinstance(recorded, Refusal) and isinstance(d, Permit) else d) for n, d in found]


def _parts(made: Made) -> tuple[tuple[PartId, bytes, msgspec.Raw], ...]:
    return tuple((part, salt, msgspec.Raw(packed)) for part, (salt, packed) in made.salts.items())


def _given(made: Made, node: NodeId) -> list[tuple[PartId, bytes, msgspec.Raw]]:
    """The parts that go to a node as far as its officer says."""
    hidden = made.withheld.get(node, ())
    return [part for part in _parts(made) if part[0] not in hidden]


def _granted(
    entry: EntryId, node: NodeId, permit: Permit, withheld: tuple[PartId, ...], now: datetime
) -> records.Grant:
    return records.Grant(entry, node, now, tuple(c.id for c in permit.clauses), withheld)


def _entity_of(part: Part) -> Entity | None:
    if part.content is None or part.content.get("kind") != "entity":
        return None
    return parse_entity(part.content.get("entity"), "entity")


def refused(decision: Refusal, step: str, to: str, hint: str) -> Refused:
    """As `policy.refused`; `to`: the country that may not have it."""
    return policy.refused(decision, step, field=to, hint=hint)
