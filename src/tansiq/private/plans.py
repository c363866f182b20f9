"""Plans of deconfliction: what an officer enters, when it is matched, and what a conflict asks of whom. Pure.

A plan is an event (place and window), identifiers of targets, or both (DOMAIN 5.3). What partners may learn of it is a
level: 0 nothing, 1 the contacts, 2 the type of event, 3 time and area, 4 the exact place; a level rises by one when
both sides agreed to it, and each step is logged. The case reference is no part of any level: it stays here.

planned ──window begins──► active ──end and grace──► closed;   planned | active ──cancel──► cancelled
meeting:  found ──test──► asked ──verdict──► apart | conflict ──both resolved──► resolved;  any ──window over──► expired
hidden:   found of a hidden plan is `held`: its owner alone knows, and says `reveal` (then found) or `silent`
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.private.grid import held_tokens, planned_tokens, require_plan, target_tokens
from tansiq.private.model import ConflictClass, Grid, Plan
from tansiq.terms import NodeId, OfficerId, later

GRACE = timedelta(minutes=30)
"""After its end a plan is still matched so long: the margin of time that windows are compared with."""
TARGET_LIFE = timedelta(days=180)
"""DOMAIN 5.6: a target leaves matching after this, unless renewed."""
SOON = timedelta(hours=2)
NOTICE = timedelta(seconds=60)
RED = timedelta(minutes=30)
"""DOMAIN 5.6: notice within 60 s for a window that begins in less than two hours; an unresolved conflict half an hour
before the start is a red alarm to both commanders."""
TESTS_A_DAY = 8
"""Exact tests that one partner may make of one plan: with more, it could walk a circle around the exact place."""
MAX_TARGETS = 20
MOST_LEVEL = 4
_TEXT = 400
TARGET_KEYS = frozenset({"names", "birth_dates", "phones", "plates", "documents", "vins", "imeis", "emails", "ibans"})


class EventType(StrEnum):
    """DOMAIN 5.3."""

    UNDERCOVER = "undercover"
    ARREST = "arrest"
    RAID = "raid"
    SWEEP = "sweep"
    BUY_BUST = "buy_bust"
    REVERSAL = "reversal"
    BUY_WALK = "buy_walk"
    UC_MEETING = "uc_meeting"
    SEARCH_WARRANT = "search_warrant"
    ARREST_WARRANT = "arrest_warrant"
    SURVEILLANCE = "surveillance"
    CONTROLLED_BUY = "controlled_buy"
    DIGNITARY_VISIT = "dignitary_visit"


class Sensitivity(StrEnum):
    """`restricted`: in this service its officer and supervisors alone read it, and no level above the contacts is
    given. `hidden`: it is listed for nobody; a meeting tells its own owner, who decides."""

    NORMAL = "normal"
    RESTRICTED = "restricted"
    HIDDEN = "hidden"


class PlanStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class MeetingState(StrEnum):
    FOUND = "found"
    HELD = "held"
    SILENT = "silent"
    ASKED = "asked"
    APART = "apart"
    CONFLICT = "conflict"
    RESOLVED = "resolved"
    EXPIRED = "expired"


LIVE = frozenset({MeetingState.FOUND, MeetingState.HELD, MeetingState.ASKED, MeetingState.CONFLICT})


class Stage(StrEnum):
    """Whom a conflict calls now."""

    OFFICER = "officer"
    DUTY_OFFICER = "duty_officer"
    COMMANDER = "commander"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Contact:
    """Who is called. It is all that a partner learns at level 1."""

    lead: str = field(repr=False)
    backup: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exemption:
    """Not deconflicted, by whose word and why (DOMAIN 5.3: exigent circumstances, or the case would be compromised)."""

    approver: str
    reason: str = field(repr=False)
    by: OfficerId
    at: datetime


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One plan as this service holds it. Nothing of it leaves but by the rules above."""

    id: str
    type: str
    """An `EventType`; empty for targets without an event."""
    place: Plan | None
    contact: Contact
    sensitivity: Sensitivity
    targets: tuple[Mapping[str, Any], ...] = field(repr=False)
    case: str = field(repr=False)
    officer: OfficerId
    roles: frozenset[Role]
    purpose: str
    justification: str
    legal_basis: str
    transfer_basis: str
    created_at: datetime
    targets_until: datetime | None = None
    cancelled_at: datetime | None = None
    exemption: Exemption | None = None

    @property
    def acting(self) -> Acting:
        """Who entered it: what follows from the plan by rule is done in this officer's name."""
        return Acting(self.officer, self.roles, self.purpose, self.justification)


@dataclass(frozen=True, slots=True)
class Meeting:
    """A token of ours met one of theirs: what is known of it, and what both sides said since."""

    id: str
    plan: str
    partner: NodeId
    state: MeetingState
    found_at: datetime
    begins_at: datetime | None
    """When our window begins; none for a target without an event."""
    expires_at: datetime
    rids: tuple[str, ...] = ()
    theirs: str = ""
    """Their name for their plan towards us."""
    kind: str = ""
    by_target: bool = False
    by_place: bool = False
    contact: Contact | None = None
    """Theirs."""
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    """`own` and `theirs` -> when."""
    resolved: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    """`own` and `theirs` -> up to which level that side agreed."""
    told: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the partner told beyond its contact."""
    dossier: str = ""
    tests: tuple[str, ...] = ()
    """When the partner made exact tests of this meeting."""


# --- entering ---------------------------------------------------------------------------------------------------


def _wrong(code: str, message: str, where: str) -> Invalid:
    return Invalid(f"plan.{code}", message, step="plan", field=where)


def _text(value: str, where: str, *, required: bool = True, most: int = _TEXT) -> str:
    found = " ".join(value.split())
    if required and not found:
        raise _wrong("missing", "is missing", where)
    if len(found) > most:
        raise _wrong("too_long", f"at most {most} characters", where)
    return found


def check_event(event: PlannedEvent, now: datetime, grid: Grid) -> PlannedEvent:
    """A plan that can be matched, or `Invalid("plan.*")` naming the field. Costs what its tokens cost to make."""
    if event.type and event.type not in set(EventType):
        raise _wrong("type", f"one of {', '.join(EventType)}", "type")
    if event.place is None and not event.targets:
        raise _wrong("empty", "a place and a window, or a target, or both", "place")
    if event.place is not None:
        require_plan(event.place)
        planned_tokens(event.place, grid)
        held_tokens(event.place, grid)
        if not event.type:
            raise _wrong("type", f"one of {', '.join(EventType)}", "type")
        if event.place.ends_ms <= now.timestamp() * 1000:
            raise _wrong("over", "this window is over", "ends_at")
    _text(event.contact.lead, "lead")
    _text(event.contact.backup, "backup")
    _text(event.case, "case", required=False)
    _text(event.legal_basis, "legal_basis", most=1000)
    _check_targets(event.targets)
    return event


def _check_targets(targets: tuple[Mapping[str, Any], ...]) -> None:
    if len(targets) > MAX_TARGETS:
        raise _wrong("targets", f"at most {MAX_TARGETS} targets", "targets")
    for n, target in enumerate(targets):
        where = f"targets[{n}]"
        for name in target:
            if name not in TARGET_KEYS:
                raise _wrong("target_field", f"one of {', '.join(sorted(TARGET_KEYS))}", f"{where}.{str(name)[:40]}")
        if not target_tokens(target, held=False):
            # DOMAIN 5.5: a name alone is nobody; name and full birth date, or one identifier that is well formed.
            raise _wrong("target_weak", "a name with its full birth date, or a whole number of its kind", where)


def exempted(event: PlannedEvent, approver: str, reason: str, by: Acting, now: datetime) -> Exemption:
    """The word `not deconflicted`. Raises `Invalid` without a named approver or a reason that another can follow."""
    named = _text(approver, "approver", most=120)
    why = _text(reason, "reason")
    if len(why) < 10:
        raise _wrong("reason", "a reason of at least ten characters", "reason")
    if event.exemption or event.cancelled_at:
        raise Conflict("plan.settled", "this plan is out of matching already", step="plan", field="plan")
    return Exemption(named, why, by.officer, now)


def require_reader(event: PlannedEvent, by: Acting) -> PlannedEvent:
    """`Refused("plan.restricted")` where this officer may not read it."""
    if not may_read_plan(event, by):
        raise Refused("plan.restricted", "its officer and supervisors read this plan", step="plan", field="plan")
    return event


def may_read_plan(event: PlannedEvent, by: Acting) -> bool:
    return event.sensitivity is Sensitivity.NORMAL or event.officer == by.officer or Role.SUPERVISOR in by.roles


# --- time -------------------------------------------------------------------------------------------------------


def instant_of(ms: int, like: datetime) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=like.tzinfo)


def ends_at(event: PlannedEvent) -> datetime | None:
    return None if event.place is None else instant_of(event.place.ends_ms, event.created_at)


def begins_at(event: PlannedEvent) -> datetime | None:
    return None if event.place is None else instant_of(event.place.begins_ms, event.created_at)


def window_of(event: PlannedEvent) -> tuple[datetime | None, datetime | None]:
    return begins_at(event), ends_at(event)


def expires_at(event: PlannedEvent) -> datetime:
    """When nothing of it is matched any more."""
    found = [later(at, GRACE) for at in (ends_at(event),) if at] + [at for at in (event.targets_until,) if at]
    return max(found, default=event.created_at)


def status_of(event: PlannedEvent, now: datetime) -> PlanStatus:
    """DOMAIN 5.6: planned, active, closed, cancelled."""
    if event.cancelled_at:
        return PlanStatus.CANCELLED
    if now >= expires_at(event):
        return PlanStatus.CLOSED
    begins = begins_at(event)
    return PlanStatus.PLANNED if begins and now < begins else PlanStatus.ACTIVE


def is_matched(event: PlannedEvent, now: datetime) -> bool:
    return event.exemption is None and status_of(event, now) in (PlanStatus.PLANNED, PlanStatus.ACTIVE)


def live_place(event: PlannedEvent, now: datetime) -> Plan | None:
    """Its circle and window while these are matched."""
    end = ends_at(event)
    return event.place if end and now < end + GRACE else None


def live_targets(event: PlannedEvent, now: datetime) -> tuple[Mapping[str, Any], ...]:
    return event.targets if event.targets_until and now < event.targets_until else ()


# --- tokens -----------------------------------------------------------------------------------------------------

PLACE, TARGET = "place", "target"


def listed_inputs(event: PlannedEvent, now: datetime, grid: Grid) -> list[tuple[bytes, str]]:
    """(token, group) that partners may find of it. Nothing of a hidden, exempted, cancelled or past one."""
    if event.sensitivity is Sensitivity.HIDDEN or not is_matched(event, now):
        return []
    return _inputs(event, now, grid, held=True)


def asked_inputs(event: PlannedEvent, now: datetime, grid: Grid) -> list[tuple[bytes, str]]:
    """(token, group) that this plan asks of each partner."""
    return _inputs(event, now, grid, held=False) if is_matched(event, now) else []


def _inputs(event: PlannedEvent, now: datetime, grid: Grid, *, held: bool) -> list[tuple[bytes, str]]:
    place = live_place(event, now)
    tokens = (held_tokens if held else planned_tokens)(place, grid) if place else []
    found = dict.fromkeys(tokens, PLACE)
    for target in live_targets(event, now):
        found |= dict.fromkeys(target_tokens(target, held=held), TARGET)
    return list(found.items())


def shares_token(asker: Plan, held: Plan, grid: Grid) -> bool:
    """Whether the asker can have met the held plan by a token: without that, a test is a guess."""
    return not set(planned_tokens(asker, grid)).isdisjoint(held_tokens(held, grid))


def shared_id(sides: Iterable[tuple[NodeId, str]]) -> str:
    """The one name that both sides give to a meeting."""
    text = "\n".join(f"{node} {alias}" for node, alias in sorted(sides))
    return "m-" + hashlib.sha256(b"tansiq.meeting.v1\n" + text.encode()).hexdigest()[:32]


# --- what a conflict asks ---------------------------------------------------------------------------------------


def is_settled(meeting: Meeting) -> bool:
    return {"own", "theirs"} <= set(meeting.resolved)


def stage(meeting: Meeting, now: datetime) -> Stage:
    """Whom it calls: the officer; the officer on duty once the notice is a minute old and nobody acknowledged here or
    there; the commanders when it is unresolved half an hour before the start (DOMAIN 5.6)."""
    if meeting.state is not MeetingState.CONFLICT or is_settled(meeting):
        return Stage.SETTLED
    if meeting.begins_at and now >= meeting.begins_at - RED:
        return Stage.COMMANDER
    if not {"own", "theirs"} <= set(meeting.acknowledged) and now >= meeting.found_at + NOTICE:
        return Stage.DUTY_OFFICER
    return Stage.OFFICER


@dataclass(frozen=True, slots=True)
class PlanDuty:
    """What this service's officers owe about a plan."""

    meeting: str
    plan: str
    partner: NodeId
    dossier: str
    code: str
    """`plan.decide_hidden`, `plan.acknowledge`, `plan.resolve`; `plan.unacknowledged` and `plan.alarm` go up."""
    since: datetime
    due_at: datetime | None
    clause: str
    urgent: bool


ESCALATIONS = frozenset({"plan.unacknowledged", "plan.alarm"})
"""To the officer on duty, and to the commanders (DOMAIN 5.6)."""
CLAUSE = "Deconfliction: notice 60 s, alarm 30 min before the start (this program's own reading of practice)"


def duties(meetings: Iterable[Meeting], now: datetime) -> tuple[PlanDuty, ...]:
    """The most urgent first."""
    found = []
    for m in meetings:
        if m.state is MeetingState.HELD and now < m.expires_at:
            found.append(_duty(m, "plan.decide_hidden", now))
            continue
        at = stage(m, now)
        if at is Stage.SETTLED or now >= m.expires_at:
            continue
        if at is Stage.COMMANDER:
            # To both commanders, until both services have settled it: who has, sees to it that the other does.
            found.append(_duty(m, "plan.alarm", now))
            continue
        if "own" in m.resolved:
            continue
        if at is Stage.DUTY_OFFICER:
            found.append(_duty(m, "plan.unacknowledged", now))
        if "own" in m.acknowledged:
            found.append(_duty(m, "plan.resolve", now))
        else:
            found.append(_duty(m, "plan.acknowledge", now))
    return tuple(sorted(found, key=lambda d: (d.due_at or d.since, d.meeting)))


def _duty(m: Meeting, code: str, now: datetime) -> PlanDuty:
    since, due = m.found_at, m.begins_at - RED if m.begins_at else m.expires_at
    if code == "plan.unacknowledged":
        since = due = m.found_at + NOTICE
    urgent = code in ESCALATIONS or (m.begins_at is not None and m.begins_at - now < SOON)
    return PlanDuty(m.id, m.plan, m.partner, m.dossier, code, since, due, CLAUSE, urgent)


def told_at(event: PlannedEvent, level: int) -> dict[str, Any]:
    """What a partner is told of a plan at a level above the contacts. The case is in none."""
    found: dict[str, Any] = {}
    if level >= 2 and event.type:
        found["type"] = event.type
    if level >= 3 and event.place:
        # The area at the grain of a hundredth of a degree, about a kilometre.
        found |= {"begins_ms": event.place.begins_ms, "ends_ms": event.place.ends_ms}
        found |= {"area": [round(event.place.latitude, 2), round(event.place.longitude, 2)]}
    if level >= MOST_LEVEL and event.place:
        found |= {"place": [event.place.latitude, event.place.longitude, event.place.radius_m]}
    return found


def agreed_level(meeting: Meeting) -> int:
    """The level that both sides agreed to; 1 in a conflict without any further word."""
    if meeting.state is not MeetingState.CONFLICT:
        return 0
    return max(1, min(meeting.levels.get("own", 1), meeting.levels.get("theirs", 1)))


def conflict_name(kind: str) -> ConflictClass | None:
    return ConflictClass(kind) if kind else None
