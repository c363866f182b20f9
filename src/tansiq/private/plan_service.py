"""The verbs of plans: enter, cancel, exempt, renew; match with every partner that agreed; what follows from a conflict.

A plan's tokens are asked through the private check's own batches, lists and quotas. What met is then tested exactly:
the asker's node tells the partner's node, of the met tokens alone, its circle and window; the answer is a class and the
contacts, or nothing. The partner's node keeps none of it. Letters travel as items of the exchange, signed, sealed and
receipted; each verb is one transaction, and a letter that comes twice changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting, Role
from tansiq.crypto import Vault, sha256
from tansiq.dossiers.model import DossierState
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.exchange import Exchange
from tansiq.ledger import Ledger
from tansiq.matching import KeyClass, key_fingerprint
from tansiq.policy import Gate
from tansiq.policy.model import Action, Question, Refusal
from tansiq.private import plan_records as kept
from tansiq.private import plans as rules
from tansiq.private.model import CheckKind, CheckResult, CheckState, Grid, Listing, ListRow, Plan, Tier
from tansiq.private.plan_desk import KIND, Desk, with_word
from tansiq.private.plan_letters import Letters
from tansiq.private.plan_wire import (
    Level,
    PlaceBody,
    State,
    parse_plan_body,
)
from tansiq.private.plans import Contact, Meeting, MeetingState, PlannedEvent, Sensitivity
from tansiq.private.service import Private
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, TransferBasis, country_of, later, parse_instant

log = structlog.get_logger("tansiq.private")

CLASSES = ("plan-hour", "plan-day", *(f"target-{c.value}" for c in KeyClass))
AGAIN, AGAIN_LINE = timedelta(hours=1), timedelta(seconds=30)
"""After a refusal a plan asks again in an hour (a quota is a day's), after a line that was down in half a minute."""
ROUND = timedelta(seconds=15)
"""At most so long what lists say is not looked at without a reason: the notice has a minute."""
KEPT = timedelta(days=30)
"""How long a past plan is shown; then it is erased with its meetings."""


class Rooms(Protocol):
    """Where a conflict's room is opened and closed."""

    def open_in(self, tx: Connection, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId: ...

    def state(self, dossier: DossierId) -> DossierState: ...

    def append_in(self, tx: Connection, dossier: DossierId, body: object, by: Acting) -> EntryId: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What one partner's list said of a plan: `clear`, `met`, `waiting` or `refused` (why: `code`)."""

    partner: NodeId
    state: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Entered:
    """What an officer is told at once: accepted, with or without a conflict, and whom it could not ask yet."""

    event: PlannedEvent
    asked: tuple[Asked, ...]


class Plans:
    """One service's plans and what they met."""

    def __init__(  # noqa: PLR0913  # what a capability stands on
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        exchange: Exchange,
        dossiers: Rooms,
        gate: Gate,
        checks: Private,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        country: str,
        grid: Grid | None = None,
        past: Callable[[], datetime] | None = None,
    ) -> None:
        self._store, self._vault, self._ledger = store, vault, ledger
        self._exchange, self._dossiers, self._gate, self._checks = exchange, dossiers, gate, checks
        self._clock, self._new_id, self._country = clock, new_id, country
        self._past = past or clock
        """What ends a plan for good is measured by it: an instant that is surely past."""
        self.node = exchange.node
        self.grid = grid or Grid()
        self._due = True
        self._matched_at: datetime | None = None
        self._matching = threading.Lock()
        self._desk = Desk(store, vault, ledger, exchange, clock, new_id, self.grid)
        letters = Letters(self._desk, checks.meaning, self._ring)
        exchange.handle(KIND, letters.file, letters.load)
        checks.provide(Tier.PLAN, lambda _partner: self.listings(), CLASSES, self.keyspec)
        checks.listen(CheckKind.PLAN, self._told)

    # --- entering ---

    def add(self, event: PlannedEvent, by: Acting) -> Entered:
        """Enter a plan and ask every partner at once. Raises `Invalid("plan.*")`, `Refused`."""
        now = self._clock()
        rules.check_event(event, now, self.grid)
        self._permit(Action.COLLECT, by)
        self._store.write(lambda tx: self._save(tx, event, "entered", by))
        self.match(only=event.id)
        return Entered(event, tuple(self.asked(event.id)))

    def draft(self, body: object, by: Acting) -> PlannedEvent:
        """A plan out of what an officer or a program wrote. Raises `Invalid` naming the field."""
        read = parse_plan_body(body)
        if read.sensitivity not in set(Sensitivity):
            raise Invalid("plan.sensitivity", f"one of {', '.join(Sensitivity)}", step="plan", field="sensitivity")
        if read.transfer_basis and read.transfer_basis not in set(TransferBasis):
            raise Invalid("plan.transfer_basis", "no such basis", step="plan", field="transfer_basis")
        now = self._clock()
        return PlannedEvent(
            id=f"p-{self._new_id()}",
            type=read.type,
            place=_place_of(read.place),
            contact=Contact(read.lead.strip(), read.backup.strip()),
            sensitivity=Sensitivity(read.sensitivity),
            targets=tuple(read.targets),
            case=read.case.strip(),
            officer=by.officer,
            roles=by.roles,
            purpose=by.purpose,
            justification=by.justification,
            legal_basis=read.legal_basis.strip(),
            transfer_basis=read.transfer_basis,
            created_at=now,
            targets_until=now + rules.TARGET_LIFE if read.targets else None,
        )

    def cancel(self, plan: str, by: Acting) -> PlannedEvent:
        """Out of matching; partners with whom it met are told that it is withdrawn."""
        now, event = self._clock(), self._own(plan, by)
        if not rules.is_matched(event, now):
            raise Conflict("plan.settled", "this plan is out of matching already", step="plan", field="plan")
        gone = replace(event, cancelled_at=now)
        self._store.write(lambda tx: self._withdraw(tx, gone, "cancelled", by, now))
        self._relist()
        return gone

    def exempt(self, plan: str, approver: str, reason: str, by: Acting) -> PlannedEvent:
        """`Not deconflicted`: a supervisor says so, in an approver's name and for a reason; kept and logged."""
        now, event = self._clock(), self._own(plan, by)
        if Role.SUPERVISOR not in by.roles and by.second is None:
            raise Refused(
                "plan.exempt_role",
                "a supervisor exempts a plan, or a second officer confirms",
                step="plan",
                field="plan",
            )
        gone = replace(event, exemption=rules.exempted(event, approver, reason, by, now))
        self._store.write(lambda tx: self._withdraw(tx, gone, "exempted", by, now))
        self._relist()
        return gone

    def renew(self, plan: str, by: Acting) -> PlannedEvent:
        """A plan's targets stay in matching for another 180 days from now."""
        now, event = self._clock(), self._own(plan, by)
        if not event.targets or not rules.is_matched(event, now):
            raise Conflict("plan.no_targets", "this plan has no target in matching", step="plan", field="plan")
        renewed = replace(event, targets_until=now + rules.TARGET_LIFE)
        self._store.write(lambda tx: self._save(tx, renewed, "renewed", by))
        self._relist()
        return renewed

    # --- reading ---

    def show(self, plan: str, by: Acting) -> PlannedEvent:
        """One plan, as its readers may see it; logged (LED art. 25). Raises `NotFound`, `Refused`."""
        event = self._own(plan, by)
        self._permit(Action.VIEW, by)
        self._store.write(lambda tx: self._desk.leaf(tx, LogVerb.CONSULT, plan, by, {"decision": "permit"}))
        return event

    def rows(self, by: Acting, *, past: bool = False) -> list[PlannedEvent]:
        """Those that this officer may read; past ones on demand."""
        now = self._clock()
        with self._store.read() as tx:
            found = kept.load_plans(tx, self._vault)
        return [e for e in found if rules.may_read_plan(e, by) and (past or now < rules.expires_at(e))]

    def asked(self, plan: str) -> list[Asked]:
        with self._store.read() as tx:
            found = kept.load_asked(tx, self._vault, plan=plan)
        return [Asked(NodeId(r["partner"]), r["state"], r["code"], parse_instant(r["at"])) for r in found]

    def meetings(self, by: Acting, plan: str = "") -> list[Meeting]:
        """What this officer's plans met, the soonest first; what was apart or is over stands behind."""
        readable = {e.id for e in self.rows(by, past=True)}
        with self._store.read() as tx:
            found = kept.load_meetings(tx, self._vault, **({"plan": plan} if plan else {}))
        live = sorted(found, key=lambda m: (m.state not in rules.LIVE, m.begins_at or m.expires_at))
        return [m for m in live if m.plan in readable]

    def meeting(self, ident: str, by: Acting) -> tuple[Meeting, PlannedEvent]:
        """Raises `NotFound`, `Refused`."""
        with self._store.read() as tx:
            found = kept.find_meeting(tx, self._vault, id=ident)
        if found is None:
            raise NotFound("plan.meeting", "no such conflict", step="plan", field="conflict")
        return found, self._own(found.plan, by)

    def duties(self, now: datetime) -> tuple[rules.PlanDuty, ...]:
        """What this service's officers owe: they are told of it on the first page."""
        with self._store.read() as tx:
            found = kept.load_live(tx, self._vault, rules.LIVE)
        return rules.duties(found, now)

    # --- matching ---

    def listings(self) -> list[Listing]:
        """What partners may find: for the lists of the plan tier."""
        now = self._clock()
        with self._store.read() as tx:
            events = kept.load_plans(tx, self._vault, matched_at=now)
        return [
            Listing(event.id, group, token)
            for event in events
            for token, group in rules.listed_inputs(event, now, self.grid)
        ]

    def keyspec(self) -> str:
        """By which map, clock and rules of keys tokens are made: both sides must have the same."""
        return f"1-{sha256('tansiq.plan.v1', repr(self.grid).encode(), key_fingerprint().encode()).hex()[:16]}"

    def partners(self) -> list[NodeId]:
        """Those with whom we deconflict: their list of plans is here."""
        return sorted({r.node for r in self._lists("taken", ("ready", "old"))})

    def _lists(self, side: str, states: tuple[str, ...]) -> list[ListRow]:
        return [r for r in self._checks.lists() if r.side == side and r.tier == Tier.PLAN.value and r.state in states]

    def _told(self, _result: CheckResult, _changed: bool) -> None:
        """An answer came, or a list changed what it says."""
        self._due = True

    def _ring(self) -> None:
        self._due = True

    def work(self) -> bool:
        """The worker's turn: match when there is a reason, and every `ROUND` anyway. False when nothing was new."""
        now = self._clock()
        if not self._due and self._matched_at is not None and abs(now - self._matched_at) < ROUND:
            return False
        self._matched_at = now
        return self.match() > 0

    def match(self, only: str = "") -> int:
        """Ask whom a plan has not asked yet, read what lists say now, test what met, open rooms. How many are new."""
        with self._matching:
            self._due = bool(only) and self._due
            now = self._clock()
            self.sweep()
            with self._store.read() as tx:
                events = [e for e in kept.load_plans(tx, self._vault, matched_at=now) if only in ("", e.id)]
            self._relist()
            epochs = {r.node: r.epoch for r in reversed(self._lists("taken", ("ready", "old")))} if events else {}
            found = 0
            for event in events:
                for partner, epoch in epochs.items():
                    self._ask(event, partner, epoch, now)
                found += sum(self._take(event, result, now) for result in self._checks.checks(ref=event.id))
            self._open_rooms(now)
            self._close_rooms(now)
            return found

    def _relist(self) -> None:
        """Ship what our lists of plans hold now to each partner for whom that is something else than before."""
        now = self._clock()
        with self._store.read() as tx:
            events = kept.load_plans(tx, self._vault, matched_at=now)
            known = kept.load_listed(tx)
        parts = sorted(
            f"{e.id} {rules.live_place(e, now) is not None} {bool(rules.live_targets(e, now))}"
            for e in events
            if e.sensitivity is not Sensitivity.HIDDEN and rules.is_matched(e, now)
        )
        for row in self._lists("held", ("current",)):
            mark = sha256("tansiq.listed.v1", str(row.epoch).encode(), "\n".join(parts).encode()).hex()
            if known.get(row.node) == mark:
                continue
            try:
                self._checks.refresh(row.node, Tier.PLAN)
            except TansiqError as exc:
                # Another process of this home has the keys, or the line is busy: its worker does it, or we do later.
                log.info("plans not listed yet", partner=row.node, code=exc.code)
                continue
            self._store.write(partial(kept.save_listed, partner=row.node, mark=mark, at=now))

    def _ask(self, event: PlannedEvent, partner: NodeId, epoch: int, now: datetime) -> None:
        """Once for each partner and epoch of its list; after a refusal again, not at once."""
        before = [r for r in self._checks.checks(ref=event.id) if r.partner == partner]
        if any(r.state is not CheckState.REFUSED and r.epochs.get(Tier.PLAN.value, epoch) == epoch for r in before):
            return
        refused = next((r for r in before if r.state is CheckState.REFUSED), None)
        if refused and abs(now - refused.asked_at) < (AGAIN_LINE if refused.code.startswith("peer.") else AGAIN):
            return
        inputs = [(_class_of(token), token) for token, _ in rules.asked_inputs(event, now, self.grid)]
        state, code = "waiting", ""
        try:
            self._checks.ask_inputs(partner, Tier.PLAN, inputs, event.id, event.acting, ref=event.id)
        except TansiqError as exc:
            state, code = "refused", exc.code
            log.info("a plan was not asked", partner=partner, code=exc.code)
        self._store.write(lambda tx: kept.save_asked(tx, self._vault, event.id, partner, state, code, now, {}))

    def _take(self, event: PlannedEvent, result: CheckResult, now: datetime) -> int:
        """What a list says of a plan, into meetings. Each opaque id is tested once."""
        if result.state is not CheckState.DONE:
            return 0

        def work(tx: Connection) -> int:
            known = {
                rid
                for m in kept.load_meetings(tx, self._vault, plan=event.id, partner=result.partner)
                for rid in m.rids
            }
            places, targets = _met(result, known)
            state = "met" if result.hit else "clear"
            before = kept.load_asked(tx, self._vault, plan=event.id, partner=result.partner)
            if not before or before[0]["state"] != state:
                kept.save_asked(tx, self._vault, event.id, result.partner, state, "", now, {})
                answer = {"partner": result.partner, "decision": "token_met" if result.hit else "no_conflict"}
                self._desk.leaf(tx, LogVerb.COMBINE, event.id, event.acting, answer)
            if not places and not targets:
                return 0
            meeting = self._desk.met_row(event, result.partner, places, targets, now)
            self._desk.keep(tx, meeting)
            if meeting.state is MeetingState.FOUND:
                self._desk.send_test(tx, event, meeting, now)
            return 1

        return self._store.write(work)

    # --- the owner of a hidden plan ---

    def reveal(self, meeting: str, by: Acting) -> Meeting:
        """The owner of a hidden plan lets the exact test be made: from then on it is a meeting like any other."""
        return self._decide_hidden(meeting, by, MeetingState.FOUND)

    def keep_silent(self, meeting: str, by: Acting) -> Meeting:
        """The owner of a hidden plan tells nobody."""
        return self._decide_hidden(meeting, by, MeetingState.SILENT)

    def _decide_hidden(self, ident: str, by: Acting, to: MeetingState) -> Meeting:
        now = self._clock()
        found, event = self.meeting(ident, by)
        if found.state is not MeetingState.HELD:
            raise Conflict("plan.decided", "this was decided already", step="plan", field="conflict")
        decided = replace(found, state=to)

        def work(tx: Connection) -> Meeting:
            self._desk.keep(tx, decided)
            word = "revealed" if to is MeetingState.FOUND else "kept_silent"
            self._desk.leaf(tx, LogVerb.ALTER, event.id, by, {"partner": found.partner, "decision": word})
            if to is MeetingState.FOUND:
                self._desk.send_test(tx, event, decided, now)
            return kept.find_meeting(tx, self._vault, id=ident) or decided

        return self._store.write(work)

    # --- a conflict's life ---

    def acknowledge(self, meeting: str, by: Acting) -> Meeting:
        """This service has read it: the officer on duty is called no more, once the partner has too."""
        return self._say(meeting, by, "acknowledged")

    def resolve(self, meeting: str, by: Acting) -> Meeting:
        """This service says that the two have spoken and it is settled; it ends when both say so."""
        return self._say(meeting, by, "resolved")

    def _say(self, ident: str, by: Acting, word: str) -> Meeting:
        now = self._clock()
        found, event = self.meeting(ident, by)
        if found.state is not MeetingState.CONFLICT:
            raise Conflict("plan.no_conflict", "there is no open conflict", step="plan", field="conflict")
        said = with_word(found, word, "own", now)

        def work(tx: Connection) -> Meeting:
            self._desk.keep(tx, said)
            self._desk.send(tx, said, State(v=1, meeting=self._desk.shared(said), state=word))  # type: ignore[arg-type]
            self._desk.leaf(tx, LogVerb.ALTER, event.id, by, {"partner": said.partner, "decision": word})
            return said

        return self._store.write(work)

    def agree_level(self, meeting: str, level: int, by: Acting) -> Meeting:
        """Agree to a level (2 type, 3 time and area, 4 exact place). It holds when the partner agreed too."""
        found, event = self.meeting(meeting, by)
        if found.state is not MeetingState.CONFLICT:
            raise Conflict("plan.no_conflict", "there is no open conflict", step="plan", field="conflict")
        if event.sensitivity is Sensitivity.RESTRICTED:
            raise Refused(
                "plan.restricted_level", "a restricted plan stays at the contacts", step="plan", field="level"
            )
        now_at = max(1, found.levels.get("own", 1))
        if not now_at < level <= rules.MOST_LEVEL or level != now_at + 1:
            raise Invalid("plan.level", "a level rises by one step, to 4 at most", step="plan", field="level")
        agreed = replace(found, levels={**found.levels, "own": level})

        def work(tx: Connection) -> Meeting:
            self._desk.keep(tx, agreed)
            self._desk.send(tx, agreed, Level(v=1, meeting=self._desk.shared(agreed), level=level))
            self._desk.leaf(tx, LogVerb.ALTER, event.id, by, {"partner": agreed.partner, "decision": f"level_{level}"})
            self._desk.tell(tx, event, agreed)
            return agreed

        return self._store.write(work)

    def _open_rooms(self, now: datetime) -> None:
        """An empty joint operation for each conflict: the service with the smaller id opens it, or the other where the
        law gate refuses the first. In the name of the officer who entered the plan."""
        with self._store.read() as tx:
            due = kept.load_live(tx, self._vault, frozenset({MeetingState.CONFLICT}))
        for meeting in due:
            mine = self.node < meeting.partner
            theirs_cannot, ours_cannot = meeting.told.get("cannot_open"), meeting.told.get("refused")
            if meeting.dossier or meeting.contact is None or ours_cannot or not (mine or theirs_cannot):
                continue
            if meeting.expires_at > now:
                self._open_room(meeting)

    def _open_room(self, meeting: Meeting) -> None:
        with self._store.read() as tx:
            event = kept.load_plan(tx, self._vault, meeting.plan)
        if event is None:
            return

        def work(tx: Connection) -> None:
            dossier = self._dossiers.open_in(
                tx, "operation", self._room(event, meeting), [meeting.partner], event.acting
            )
            opened = replace(meeting, dossier=dossier)
            self._desk.keep(tx, opened)
            letter = State(v=1, meeting=self._desk.shared(opened), state="opened", dossier=dossier)
            self._desk.send(tx, opened, letter)

        try:
            self._store.write(work)
        except (Refused, Invalid) as exc:
            log.info("no room", code=exc.code)
            code = exc.code

            def refused(tx: Connection) -> None:
                self._desk.keep(tx, replace(meeting, told={**meeting.told, "refused": code}))
                self._desk.send(tx, meeting, State(v=1, meeting=self._desk.shared(meeting), state="cannot_open"))

            self._store.write(refused)

    def _close_rooms(self, now: datetime) -> None:
        """A room that nobody used ends with its window; one in which something was done is its officers' to close."""
        with self._store.read() as tx:
            over = kept.load_over(tx, self._vault, now - KEPT, now)
        for meeting in over:
            if "room" not in meeting.told:
                self._close_room(meeting)

    def _close_room(self, meeting: Meeting) -> None:
        try:
            state = self._dossiers.state(DossierId(meeting.dossier))
        except NotFound:
            return  # the partner opened it and its first entry is on its way
        with self._store.read() as tx:
            event = kept.load_plan(tx, self._vault, meeting.plan)
        if state.opener != self.node or event is None:
            self._note_room(meeting, "theirs")
        elif state.phase != "open" or len(state.entries) > 1:
            self._note_room(meeting, "used")
        else:
            outcome = "objective_reached" if meeting.state is MeetingState.RESOLVED else "not_reached"
            facts = {"due": f"{_erased_on(meeting)}T00:00:00.000Z", "outcome": outcome}
            closing = {"type": "operation.closed", "facts": facts}

            def work(tx: Connection) -> None:
                self._dossiers.append_in(tx, state.id, closing, event.acting)
                self._desk.keep(tx, replace(meeting, told={**meeting.told, "room": "closed"}))

            try:
                self._store.write(work)
            except (Refused, Invalid) as exc:
                log.info("a room stays open", code=exc.code)
                self._note_room(meeting, exc.code)

    def _note_room(self, meeting: Meeting, word: str) -> None:
        noted = replace(meeting, told={**meeting.told, "room": word})
        self._store.write(lambda tx: self._desk.keep(tx, noted))

    def _room(self, event: PlannedEvent, meeting: Meeting) -> dict[str, Any]:
        """Two contacts, and nothing else. Its date of erasure is no window's end: it would tell that."""
        there = country_of(meeting.partner)
        agreements = self._gate.agreements_between(self._country, there)
        after = _erased_on(meeting)
        legal = {"purpose": event.purpose, "legal_basis": event.legal_basis, "review_on": after, "erase_on": after}
        if agreements:
            legal["agreement"] = agreements[0].id
        if event.transfer_basis:
            legal["transfer_basis"] = event.transfer_basis
        ours, theirs = event.contact, meeting.contact or Contact("", "")
        lines = [
            f"{self._country.upper()}: {ours.lead}; {ours.backup}",
            f"{there.upper()}: {theirs.lead}; {theirs.backup}",
        ]
        return {
            "subject": f"Deconfliction {self._desk.shared(meeting)[:10]}",
            "facts": {"form": "coordination"},
            "handling": {"codes": ["H2"]},
            "legal": legal,
            "parts": [{"kind": "participants", "lang": "en", "text": "\n".join(lines)}],
        }

    # --- time ---

    def sweep(self) -> int:
        """What is over leaves: conflicts with their window, plans from matching, and after a while from here."""
        now = self._past()

        def work(tx: Connection) -> int:
            over = [m for m in kept.load_live(tx, self._vault, rules.LIVE) if m.expires_at <= now]
            for meeting in over:
                self._desk.keep(tx, replace(meeting, state=MeetingState.EXPIRED))
                self._desk.leaf(tx, LogVerb.ALTER, meeting.plan, Acting.machine(), {"decision": "expired"})
            for plan in kept.remove_plans(tx, now - KEPT):
                self._desk.leaf(tx, LogVerb.ERASE, plan, Acting.machine(), {"decision": "past"})
            return len(over)

        return self._store.write(work)

    # --- what all verbs share ---

    def _own(self, plan: str, by: Acting) -> PlannedEvent:
        with self._store.read() as tx:
            event = kept.load_plan(tx, self._vault, plan)
        if event is None:
            raise NotFound("plan.unknown", "no such plan", step="plan", field="plan")
        return rules.require_reader(event, by)

    def _save(self, tx: Connection, event: PlannedEvent, word: str, by: Acting) -> None:
        kept.save_plan(tx, self._vault, event)
        content = {"decision": word, "sensitivity": event.sensitivity.value}
        if event.exemption:
            content |= {"approver": event.exemption.approver, "reason": event.exemption.reason}
        self._desk.leaf(tx, LogVerb.COLLECT if word == "entered" else LogVerb.ALTER, event.id, by, content)

    def _withdraw(self, tx: Connection, event: PlannedEvent, word: str, by: Acting, now: datetime) -> None:
        self._save(tx, event, word, by)
        for meeting in kept.load_meetings(tx, self._vault, plan=event.id):
            if meeting.state not in rules.LIVE:
                continue
            if meeting.state is MeetingState.CONFLICT:
                self._desk.send(tx, meeting, State(v=1, meeting=self._desk.shared(meeting), state="withdrawn"))
            self._desk.keep(tx, replace(meeting, state=MeetingState.EXPIRED))

    def _permit(self, action: Action, by: Acting) -> None:
        decision = self._gate.decide(
            Question(
                action,
                self._country,
                frozenset(by.roles),
                self._country,
                purpose=by.purpose,
                justification=by.justification,
            )
        )
        if isinstance(decision, Refusal):
            named = "; ".join(f"{c.title} ({c.law})" for c in decision.clauses) or "nothing permits it"
            clauses = tuple(c.id for c in decision.clauses)
            raise Refused("policy.refused", named, clauses=clauses, step="plan", hint="state a purpose")


def _erased_on(meeting: Meeting) -> str:
    """The first of a month well after its window: the day tells nothing of it."""
    return later(meeting.expires_at.replace(day=1), timedelta(days=62)).replace(day=1).date().isoformat()


def _met(result: CheckResult, known: set[str]) -> tuple[list[str], list[str]]:
    """Opaque ids that are new, by what met them."""
    places: dict[str, None] = {}
    targets: dict[str, None] = {}
    for family in result.families:
        into = places if family.key_class.startswith("plan-") else targets
        into |= dict.fromkeys(rid for rid in family.rids if rid not in known)
    return list(places), list(targets)


def _class_of(token: bytes) -> str:
    return token.partition(b"\x1f")[0].decode("ascii")


def _place_of(place: PlaceBody | None) -> Plan | None:
    if place is None:
        return None
    ends = [int(parse_instant(at, name).timestamp() * 1000) for at, name in _window(place)]
    return Plan(place.latitude, place.longitude, place.radius_m, *ends)


def _window(place: PlaceBody) -> tuple[tuple[str, str], ...]:
    return ((place.begins_at, "place.begins_at"), (place.ends_at, "place.ends_at"))
