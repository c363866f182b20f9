"""Plans of deconfliction: what is planned, what it met, on a map and in a table; one form to enter one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from starlette.responses import Response

from tansiq.access.model import Role
from tansiq.errors import Invalid, TansiqError
from tansiq.private import (
    EventType,
    Meeting,
    MeetingState,
    PlannedEvent,
    PlanStatus,
    Sensitivity,
    plan_stage,
    plan_status,
)
from tansiq.terms import TransferBasis, format_instant
from tansiq.web import labels, maps, private_words, problems, views
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import check_purpose, go, purpose_choices
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit, check_may_read

TARGET_ROWS = 3
LIST = "plans.list"
"""What the ledger calls the list of plans."""
_TEXTS = ("lead", "backup", "legal_basis", "case", "transfer_basis", "type", "sensitivity")


@dataclass(frozen=True)
class PlanRow:
    """A plan as the list shows it."""

    number: int
    plan: PlannedEvent
    status: str
    begins: datetime | None
    ends: datetime | None
    conflicts: int


@dataclass(frozen=True)
class MeetingRow:
    """A meeting as the pages show it, with whom it calls now."""

    meeting: Meeting
    stage: str
    plan: PlannedEvent | None = None


def _status(plan: PlannedEvent, now: datetime) -> str:
    return "exempt" if plan.exemption else plan_status(plan, now).value


def _at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def _row(number: int, plan: PlannedEvent, met: list[Meeting], now: datetime) -> PlanRow:
    open_ones = sum(m.plan == plan.id and m.state is MeetingState.CONFLICT for m in met)
    begins, ends = (_at(plan.place.begins_ms), _at(plan.place.ends_ms)) if plan.place else (None, None)
    return PlanRow(number, plan, _status(plan, now), begins, ends, open_ones)


def _show(visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:
    """With the words of this corner."""
    spoken = partial(private_words.word, visit.tongue)
    return render(visit, template, status=status, w=spoken, words=private_words, names=peer_names(visit.node), **values)


def plans(visit: Visit) -> Response:
    """What is planned and what it met. The list shows an officer's own view of the calendar."""
    check_may_read(visit.node, visit.officer.roles)
    by = visit.acting("", LIST)
    found = visit.node.plans.rows(by, past=visit.query("past") == "1")
    met = visit.node.plans.meetings(by)
    order = sorted(found, key=lambda e: (e.place is None, e.place.begins_ms if e.place else 0, e.id))
    rows = [_row(n, e, met, visit.now) for n, e in enumerate(order, 1)]
    return _show(
        visit,
        "plans.html",
        rows=rows,
        conflicts=_meeting_rows(
            [m for m in met if m.state in (MeetingState.CONFLICT, MeetingState.HELD)], found, visit
        ),
        map=_map(rows, met, visit.tongue.code),
        partners=visit.node.plans.partners(),
        past=visit.query("past") == "1",
    )


def _meeting_rows(met: list[Meeting], plans: list[PlannedEvent], visit: Visit) -> list[MeetingRow]:
    by_id = {e.id: e for e in plans}
    return [MeetingRow(m, plan_stage(m, visit.now).value, by_id.get(m.plan)) for m in met]


def _map(rows: list[PlanRow], met: list[Meeting], language: str) -> maps.PlainMap | None:
    """Ours, and of a partner's what both sides agreed to tell."""
    places = [
        maps.Place(
            r.number,
            "a",
            r.plan.place.latitude,
            r.plan.place.longitude,
            r.plan.place.radius_m,
            conflict=r.conflicts > 0,
        )
        for r in rows
        if r.plan.place is not None
    ]
    for m in met:
        number = next((r.number for r in rows if r.plan.id == m.plan), 0)
        exact = m.told.get("place")
        if number and (where := exact or m.told.get("area")):
            latitude, longitude = where[:2]
            places.append(maps.Place(number, "b", latitude, longitude, exact[2] if exact else 700.0, conflict=True))
    return maps.lay_out(places, language)


def plan(visit: Visit) -> Response:
    """One plan: who was asked, what it met, what may be done with it."""
    return _plan(visit, Form([]), {})


def _plan(visit: Visit, form: Form, errors: dict[str, str]) -> Response:
    check_may_read(visit.node, visit.officer.roles)
    by = visit.acting("", "plan")
    found = visit.node.plans.show(visit.path("plan"), by)
    met = visit.node.plans.meetings(by, found.id)
    row = _row(1, found, met, visit.now)
    return _show(
        visit,
        "plan.html",
        status=422 if errors else 200,
        row=row,
        plan=found,
        asked=visit.node.plans.asked(found.id),
        met=_meeting_rows(met, [found], visit),
        map=_map([row], met, visit.tongue.code),
        supervisor=Role.SUPERVISOR in visit.officer.roles,
        matched=row.status in (PlanStatus.PLANNED, PlanStatus.ACTIVE),
        approvers=[(o.name, o.name) for o in visit.node.access.officers() if o.active and Role.SUPERVISOR in o.roles],
        form=form,
        errors=errors,
    )


def meeting(visit: Visit) -> Response:
    """One conflict: its class, the contacts, and the two services' words on it."""
    check_may_read(visit.node, visit.officer.roles)
    found, event = visit.node.plans.meeting(visit.path("meeting"), visit.acting("", "plan"))
    return _show(
        visit,
        "meeting.html",
        m=found,
        plan=event,
        stage=plan_stage(found, visit.now).value,
        owed=_owed(visit, found.id),
        row=_row(1, event, [found], visit.now),
        level=max(1, min(found.levels.get("own", 1), found.levels.get("theirs", 1))),
        next_level=max(1, found.levels.get("own", 1)) + 1,
        told={k: _at(v) if k.endswith("_ms") else v for k, v in found.told.items()},
        map=_map([_row(1, event, [found], visit.now)], [found], visit.tongue.code),
    )


def _owed(visit: Visit, meeting: str) -> list[tuple[str, str, views.ClockView]]:
    """What this service owes about a conflict: what, under which rule, until when; what is due first at the top."""
    found = [d for d in visit.node.plans.duties(visit.now) if d.meeting == meeting]
    order = sorted(found, key=lambda d: (d.due_at is None, d.due_at))
    return [(d.code, d.clause, views.clock(d.since, d.due_at, visit.now)) for d in order]


def decide_meeting(visit: Visit) -> Response:
    """Acknowledge, settle, agree to a level; for a hidden plan: tell or keep silent."""
    answer, ident = visit.form.get("answer"), visit.path("meeting")
    by = visit.acting("", "plan")
    service = visit.node.plans
    acts = {
        "acknowledge": service.acknowledge,
        "resolve": service.resolve,
        "reveal": service.reveal,
        "silent": service.keep_silent,
    }
    if answer == "level":
        wanted = visit.form.get("level")
        if wanted not in private_words.LEVEL:
            raise Invalid("form.choice", "Choose one of the list.", step="read the answer", field="level")
        service.agree_level(ident, int(wanted), by)
    elif answer in acts:
        acts[answer](ident, by)
    else:
        raise Invalid("form.choice", "Choose one of the list.", step="read the answer", field="answer")
    return go(f"/plans/meetings/{ident}")


def change_plan(visit: Visit) -> Response:
    """Cancel, renew, or take out of deconfliction."""
    ident, answer, by = (
        visit.path("plan"),
        visit.form.get("answer"),
        visit.acting("", visit.form.get("reason") or "plan"),
    )
    if answer == "cancel":
        visit.node.plans.cancel(ident, by)
    elif answer == "renew":
        visit.node.plans.renew(ident, by)
    elif answer == "exempt":
        try:
            visit.node.plans.exempt(ident, visit.form.get("approver"), visit.form.get("reason"), by)
        except Invalid as failure:
            return _plan(visit, visit.form, problems.field_errors(visit, failure, failure.field or "reason"))
    else:
        raise Invalid("form.choice", "Choose one of the list.", step="read the answer", field="answer")
    return go(f"/plans/{ident}")


# --- entering ---


def new_plan(visit: Visit) -> Response:
    check_may_read(visit.node, visit.officer.roles)
    return _new(visit, Form([("radius_m", "290")]), {})


def _new(visit: Visit, form: Form, errors: dict[str, str]) -> Response:
    say = visit.say
    return _show(
        visit,
        "plan_new.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        types=[(t.value, say(private_words.EVENT_TYPE[t.value])) for t in EventType],
        sensitivities=[(s.value, say(private_words.SENSITIVITY[s.value])) for s in Sensitivity],
        bases=[(b.value, say(labels.TRANSFER_BASIS[b.value])) for b in TransferBasis],
        purposes=purpose_choices(visit),
        targets=range(1, TARGET_ROWS + 1),
        partners=visit.node.plans.partners(),
    )


def add_plan(visit: Visit) -> Response:
    """Enter it: every partner that agreed is asked at once, and the page that follows says what they said."""
    try:
        purpose, why = check_purpose(visit)
        by = visit.acting(purpose, why)
        event = visit.node.plans.draft(_body(visit), by)
        entered = visit.node.plans.add(event, by)
    except (Invalid, TansiqError) as failure:
        if not isinstance(failure, Invalid):
            raise
        name = failure.field.removeprefix("place.").replace("targets[", "target").replace("]", "") or "type"
        if name == "place":
            name = "where"
        if name.startswith("target") and name[6:7].isdigit():
            name = f"target{int(name[6]) + 1}_name"
        return _new(visit, visit.form, problems.field_errors(visit, failure, name))
    return go(f"/plans/{entered.event.id}")


def _body(visit: Visit) -> dict[str, Any]:
    """The form as the body that programs send too."""
    form = visit.form
    body: dict[str, Any] = {name: form.get(name) for name in _TEXTS}
    if any(form.get(n) for n in ("latitude", "longitude", "begins_at", "ends_at")):
        body["place"] = {
            "latitude": _number(form, "latitude"),
            "longitude": _number(form, "longitude"),
            "radius_m": _number(form, "radius_m"),
            "begins_at": _instant(visit, "begins_at"),
            "ends_at": _instant(visit, "ends_at"),
        }
    body["targets"] = [t for n in range(1, TARGET_ROWS + 1) if (t := _target(form, n))]
    return body


def _number(form: Form, name: str) -> float:
    text = form.get(name).replace(",", ".")
    try:
        found = float(text)
    except ValueError:
        raise Invalid("form.decimal", "This is a number.", step="read the form", field=name) from None
    if not -1e6 < found < 1e6:  # also refuses what is no number
        raise Invalid("form.decimal", "This is a number.", step="read the form", field=name)
    return found


def _instant(visit: Visit, name: str) -> str:
    """The form speaks the time of the page's zone."""
    try:
        local = datetime.fromisoformat(visit.form.get(name))
        return format_instant(local.replace(tzinfo=visit.tongue.zone).astimezone(UTC))
    except (ValueError, OverflowError):
        raise Invalid("form.until", "Write a date and a time.", step="read the form", field=name) from None


def _target(form: Form, n: int) -> dict[str, Any]:
    def get(name: str) -> str:
        return form.get(f"target{n}_{name}")

    found: dict[str, Any] = {}
    if get("name"):
        found["names"] = [get("name")]
    if get("born"):
        found["birth_dates"] = [get("born")]
    if get("phone"):
        found["phones"] = [get("phone")]
    if get("plate"):
        found["plates"] = [{"number": get("plate"), "country": get("plate_country").upper()}]
    if get("document"):
        found["documents"] = [{"number": get("document"), "country": get("document_country").upper()}]
    return found
