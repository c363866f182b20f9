"""What partners write about plans: an exact test, its verdict, contacts, and both sides' words on a conflict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.errors import Broken, NotFound, Refused, TansiqError
from tansiq.exchange.model import Item, ItemResult
from tansiq.private import plan_records as kept
from tansiq.private import plans as rules
from tansiq.private.grid import conflict_between, require_plan
from tansiq.private.model import ConflictClass, Meaning, Plan
from tansiq.private.plan_desk import Desk, decided, with_word
from tansiq.private.plan_wire import (
    ContactLetter,
    ContactWire,
    Level,
    PlaceWire,
    State,
    Test,
    Told,
    ToldWire,
    Verdict,
    parse_letter,
)
from tansiq.private.plans import Contact, Meeting, MeetingState, PlannedEvent, Sensitivity
from tansiq.terms import DossierId, LogVerb, NodeId, format_instant


class Letters:
    """The exchange's two doors for letters about plans."""

    def __init__(self, desk: Desk, meaning: Callable[[str], Meaning | None], wake: Callable[[], None]) -> None:
        self._desk, self._meaning, self._wake = desk, meaning, wake

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader."""
        return kept.load_letter(tx, self._desk.vault, ref, to)

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """The inbox's handler. A letter about what is unknown or over is refused by a code and changes nothing."""
        try:
            letter = parse_letter(item.payload)
            match letter:
                case Test():
                    self._on_test(tx, sender, letter)
                case Verdict():
                    self._on_verdict(tx, sender, letter)
                case _:
                    self._on_word(tx, sender, letter)
        except Broken:
            raise  # our own failure is not the letter's: the partner keeps it and sends it again
        except TansiqError as exc:
            return ItemResult(item.ref, received=False, reason=exc.code)
        self._desk.store.after_commit(tx, self._wake)
        return ItemResult(item.ref, received=True)

    def _on_test(self, tx: Connection, sender: NodeId, letter: Test) -> None:
        """For each plan of ours that was met: near or not. The partner's circle and window are kept nowhere."""
        now = self._desk.clock()
        asked: dict[str, tuple[list[str], bool, bool]] = {}
        for rid, by_target in [*((r, False) for r in letter.places), *((r, True) for r in letter.targets)]:
            meaning = self._meaning(rid)
            if meaning is None or meaning.partner != sender or (meaning.group == rules.TARGET) is not by_target:
                continue
            rids, place, target = asked.get(meaning.record, ([], False, False))
            asked[meaning.record] = ([*rids, rid], place or not by_target, target or by_target)
        if not asked:
            raise NotFound("plan.unknown_id", "no id of ours", step="plan letter", field="places")
        theirs = _plan_of(letter.place)
        # All or none: a refusal that had answered for one plan would be asked for it again with the others.
        self._limit_tests(tx, sender, asked, now)
        for plan, (rids, place, target) in asked.items():
            self._verdict(tx, sender, letter.alias, plan, rids, theirs if place else None, target, now)

    def _verdict(
        self,
        tx: Connection,
        sender: NodeId,
        alias: str,
        plan: str,
        rids: list[str],
        theirs: Plan | None,
        target: bool,
        now: datetime,
    ) -> None:
        event = kept.load_plan(tx, self._desk.vault, plan)
        if event is None:
            return
        before = kept.find_meeting(tx, self._desk.vault, plan=plan, partner=sender, theirs=alias)
        kind = self._exact(event, theirs, target, now)
        made = before or replace(
            self._desk.met_row(event, sender, [], [], now), theirs=alias, by_place=theirs is not None, by_target=target
        )
        made = decided(made, kind)
        made = replace(made, tests=(*made.tests, format_instant(now)))
        self._desk.keep(tx, made)
        contact = event.contact if kind else None
        self._desk.send(
            tx,
            made,
            Verdict(
                v=1,
                alias=self._desk.alias(plan, sender),
                theirs=alias,
                rids=rids,
                kind=kind.value if kind else "",
                contact=ContactWire(contact.lead, contact.backup) if contact else None,
            ),
        )
        verb = LogVerb.DISCLOSE if kind else LogVerb.COMBINE
        content = {"partner": sender, "decision": kind.value if kind else "no_conflict", "level": 1 if kind else 0}
        self._desk.leaf(tx, verb, plan, event.acting, content)

    def _limit_tests(self, tx: Connection, sender: NodeId, plans: Iterable[str], now: datetime) -> None:
        """Raises `Refused` where one of them was tested too often; the leaf that says so stays, and nothing else."""
        since = format_instant(now - timedelta(days=1))
        spent = False
        for plan in plans:
            rows = kept.load_meetings(tx, self._desk.vault, plan=plan, partner=sender)
            if sum(at > since for m in rows for at in m.tests) >= rules.TESTS_A_DAY:
                content = {"partner": sender, "decision": "too_many_tests"}
                self._desk.leaf(tx, LogVerb.COMBINE, plan, Acting.machine(), content)
                spent = True
        if spent:
            raise Refused("plan.too_many_tests", "too many exact tests of one plan today", step="plan letter")

    def _exact(self, event: PlannedEvent, theirs: Plan | None, target: bool, now: datetime) -> ConflictClass | None:
        """The class after the exact test. A place that can't have met ours by a token is a guess: not answered."""
        if not rules.is_matched(event, now) or event.sensitivity is Sensitivity.HIDDEN:
            return None
        ours = rules.live_place(event, now)
        if theirs is not None and ours is not None and not rules.shares_token(theirs, ours, self._desk.grid):
            theirs = None
        live = target and bool(rules.live_targets(event, now))
        return conflict_between(ours, theirs, self._desk.grid, same_target=live)

    def _on_verdict(self, tx: Connection, sender: NodeId, letter: Verdict) -> None:
        """The answer to our test. A conflict gives us their contacts, and them ours."""
        rows = kept.load_meetings(tx, self._desk.vault, partner=sender)
        mine = next((m for m in rows if m.state is MeetingState.ASKED and set(letter.rids) & set(m.rids)), None)
        plan = mine.plan if mine else next((m.plan for m in rows if set(letter.rids) & set(m.rids)), "")
        event = kept.load_plan(tx, self._desk.vault, plan) if plan else None
        if event is None or letter.theirs != self._desk.alias(plan, sender):
            raise NotFound("plan.unknown_id", "nothing of ours was asked so", step="plan letter", field="rids")
        there = next((m for m in rows if m.plan == plan and m.theirs == letter.alias), None)
        base = there or mine
        if base is None:
            return
        kind = rules.conflict_name(letter.kind)  # before anything is written: it may be none
        if there is None and mine is not None and set(mine.rids) - set(letter.rids):
            base = replace(mine, id=f"m-{self._desk.new_id()}")  # one test met several of their plans: a row for each
            self._desk.keep(tx, replace(mine, rids=tuple(r for r in mine.rids if r not in letter.rids)))
        elif there is not None and mine is not None and mine.id != there.id:
            self._drop(tx, mine, letter.rids)
        contact = Contact(letter.contact.lead, letter.contact.backup) if letter.contact else base.contact
        rids = tuple(dict.fromkeys((*(there.rids if there else ()), *letter.rids)))
        made = decided(replace(base, theirs=letter.alias, rids=rids, contact=contact), kind)
        self._desk.keep(tx, made)
        content = {"partner": sender, "decision": kind.value if kind else "no_conflict"}
        self._desk.leaf(tx, LogVerb.COMBINE, plan, event.acting, content)
        if kind:
            ours = ContactWire(event.contact.lead, event.contact.backup)
            self._desk.send(tx, made, ContactLetter(v=1, meeting=self._desk.shared(made), contact=ours))
            told = {"partner": sender, "decision": "contacts", "level": 1}
            self._desk.leaf(tx, LogVerb.DISCLOSE, plan, event.acting, told)

    def _drop(self, tx: Connection, mine: Meeting, answered: Sequence[str]) -> None:
        left = tuple(r for r in mine.rids if r not in answered)
        if left:
            self._desk.keep(tx, replace(mine, rids=left))
        else:
            kept.remove_meeting(tx, mine.id)

    def _on_word(self, tx: Connection, sender: NodeId, letter: ContactLetter | State | Level | Told) -> None:
        """What a partner says of a conflict that both have."""
        now = self._desk.clock()
        found = kept.find_meeting(tx, self._desk.vault, shared=letter.meeting, partner=sender)
        event = kept.load_plan(tx, self._desk.vault, found.plan) if found else None
        if found is None or event is None or found.state is not MeetingState.CONFLICT:
            raise NotFound("plan.meeting", "no such conflict", step="plan letter", field="meeting")
        match letter:
            case ContactLetter():
                found = replace(found, contact=Contact(letter.contact.lead, letter.contact.backup))
            case State(state="opened"):
                found = replace(found, dossier=DossierId(letter.dossier))
            case State(state="cannot_open"):
                found = replace(found, told={**found.told, "cannot_open": True})
            case State(state="withdrawn"):
                found = replace(found, state=MeetingState.EXPIRED)
            case State():
                found = with_word(found, letter.state, "theirs", now)
            case Level():
                found = replace(found, levels={**found.levels, "theirs": letter.level})
                self._tell_back(tx, event, found)
            case Told():
                found = self._heard(found, letter.what)
        self._desk.keep(tx, found)
        word = letter.state if isinstance(letter, State) else type(letter).__name__.lower()
        self._desk.leaf(
            tx, LogVerb.ALTER, event.id, Acting.machine(), {"partner": sender, "decision": f"partner_{word}"}
        )

    def _tell_back(self, tx: Connection, event: PlannedEvent, meeting: Meeting) -> None:
        if event.sensitivity is not Sensitivity.RESTRICTED:
            self._desk.tell(tx, event, meeting)

    def _heard(self, meeting: Meeting, what: ToldWire) -> Meeting:
        """Nothing above the level to which we agreed is taken: a partner can't press its knowledge on us."""
        level = rules.agreed_level(meeting)
        found: dict[str, Any] = {}
        if level >= 2 and what.type:
            found["type"] = what.type
        if level >= 3 and what.begins_ms is not None and what.area:
            found |= {"begins_ms": what.begins_ms, "ends_ms": what.ends_ms, "area": list(what.area)}
        if level >= rules.MOST_LEVEL and what.place:
            found["place"] = list(what.place)
        return replace(meeting, told={**meeting.told, **found})


def _plan_of(place: PlaceWire | None) -> Plan | None:
    if place is None:
        return None
    return require_plan(Plan(place.latitude, place.longitude, place.radius_m, place.begins_ms, place.ends_ms))
