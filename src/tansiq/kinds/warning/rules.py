"""The life cycle of a warning.

issued ──► open ──updated──► open ──stood_down──► stood_down ──outcome_recorded──► closed
acknowledgement (one for each addressee, of the issue and of each update): awaited ──► acknowledged | superseded
feedback (one for each addressee, after the stand-down): awaited ──► given
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.items import Cycle, Facts, Item, Items, Move, Owed, Step, after
from tansiq.kinds.warning.model import (
    ACKNOWLEDGE,
    FEEDBACK,
    Acknowledged,
    Ended,
    Feedback,
    Issued,
    Measured,
    StoodDown,
    Updated,
)
from tansiq.terms import EntryId, Grade, later, parse_instant

_TELL = frozenset({"subject", "threat", "place", "target", "narrative", "entity", "link", "note"})
_NOTE = frozenset({"note", "narrative"})
_PRUM = "Dec. 2008/615/JHA art. 16"
_REPORT_BACK = "Dec. 2008/615/JHA art. 32"

ACTS = (
    ActRule("warning.issued", "opener", (), "open", _PRUM, _TELL, Issued),
    ActRule("warning.acknowledged", "addressee", (), "", "", frozenset({"note"}), Acknowledged),
    ActRule("warning.measure_taken", "member", ("open", "stood_down"), "", "", _NOTE | {"measure"}, Measured),
    ActRule("warning.updated", "opener", ("open",), "", "LED art. 7(2)", _TELL, Updated),
    ActRule("warning.stood_down", "opener", ("open",), "stood_down", "", _NOTE, StoodDown),
    ActRule("warning.feedback_given", "addressee", ("stood_down", "closed"), "", _REPORT_BACK, _NOTE, Feedback),
    ActRule("warning.outcome_recorded", "opener", ("stood_down",), "closed", "", _NOTE, Ended),
)  # fmt: skip


def _to_acknowledge(facts: Facts, at: datetime) -> datetime:
    return later(at, ACKNOWLEDGE.get(str(facts.get("precedence", "routine")), ACKNOWLEDGE["routine"]))


CYCLE = Cycle(
    steps=(
        Step("warning.issued", "acknowledgement", "each", "any", (), "awaited", _to_acknowledge),
        Step("warning.updated", "acknowledgement", "each", "any", (), "awaited", _to_acknowledge),
        Step("warning.acknowledged", "acknowledgement", "", "owner", ("awaited",), "acknowledged"),
        Step("warning.stood_down", "feedback", "each", "any", (), "awaited", after(FEEDBACK)),
        Step("warning.feedback_given", "feedback", "", "owner", ("awaited",), "given"),
    ),
    owed=(
        Owed(
            "acknowledgement", ("awaited",), "warning.acknowledge", "", urgent=("immediate", "flash"), by="precedence"
        ),
        Owed("feedback", ("awaited",), "warning.feedback", _REPORT_BACK),
    ),
    moves=(Move("acknowledgement", ("awaited",), "superseded", "warning.updated"),),
)


@dataclass(frozen=True, slots=True)
class WarningState:
    """The warning as it stands: the newest precedence, window and grade, its acknowledgements and its outcome."""

    facts: Mapping[str, Any]
    items: Items
    newest: EntryId
    """The issue or the latest update: what must be acknowledged now."""
    measures: tuple[EntryId, ...] = ()
    outcome: str = ""

    def unacknowledged(self) -> tuple[Item, ...]:
        return tuple(i for i in self.items.values() if i.sort == "acknowledgement" and i.state == "awaited")


def begin(opening: Entry) -> WarningState:
    return WarningState(dict(opening.statement.facts), CYCLE.step({}, opening), opening.id)


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    facts = entry.statement.facts
    if facts.get("grade"):
        scheme = facts.get("scheme") or (state.own.facts.get("scheme", "4x4") if state.own else "4x4")
        try:
            Grade.parse(str(facts["grade"]), str(scheme))
        except TansiqError:
            return "grade is not of its scheme"
    if fault := _window_fault(facts):
        return fault
    return CYCLE.check(state, state.own.items, entry) if state.own is not None else ""


def _window_fault(facts: Facts) -> str:
    ends = []
    for name in ("window_from", "window_until"):
        if text := str(facts.get(name, "") or ""):
            try:
                ends.append(parse_instant(text))
            except TansiqError:
                return f"{name} is no instant"
    return "the window ends before it begins" if len(ends) == 2 and ends[1] < ends[0] else ""


def step(state: DossierState, entry: Entry) -> tuple[str, WarningState]:
    s = entry.statement
    own: WarningState = state.own
    items = own.items
    if s.type == "warning.updated":
        # Who reads the update has read the warning: what it replaces is owed no more.
        items = {
            k: CYCLE.moved(i, "superseded", due_at=None) if i.sort == "acknowledgement" else i for k, i in items.items()
        }
    own = replace(own, items=CYCLE.step(items, entry))
    match s.type:
        case "warning.updated":
            told = {k: v for k, v in s.facts.items() if v}
            own = replace(own, facts={**own.facts, **told}, newest=entry.id)
        case "warning.measure_taken":
            own = replace(own, measures=(*own.measures, entry.id))
        case "warning.outcome_recorded":
            own = replace(own, outcome=str(s.facts.get("outcome", "")))
    rule = WARNING.act(s.type)
    return (rule.after if rule and rule.after else state.phase), own


def duties(state: DossierState) -> tuple[Duty, ...]:
    """Acknowledgements and feedback; when an acknowledgement is late, a duty of both sides' duty officers."""
    own: WarningState | None = state.own
    if own is None or state.opener is None:
        return ()
    found = list(CYCLE.duties(state, own.items))
    if state.phase == "open":
        for item in own.unacknowledged():
            if item.due_at is None or item.owner not in state.members:
                continue
            late = later(item.due_at, item.due_at - item.since)
            # `since` lies ahead: the duty begins when the time to acknowledge has passed.
            for code, owner, other in (
                ("warning.escalate", item.owner, state.opener),
                ("warning.call", state.opener, item.owner),
            ):
                duty = Duty(state.id, owner, code, late, item.due_at, "", item.begun, True, other, later=True)
                found.append(duty)
    elif state.phase == "stood_down":
        begun = max((i.since for i in own.items.values() if i.sort == "feedback"), default=state.opened_at)
        if begun is not None:
            found.append(
                Duty(state.id, state.opener, "warning.record_outcome", later(begun, FEEDBACK), begun, "", own.newest)
            )
    return tuple(found)


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Warnings, how soon they were acknowledged, what came of them, and whether the receiver told."""
    own: WarningState | None = state.own
    way = window.way(state.opener) if state.opener else ""
    if own is None or not way or not window.holds(state.opened_at):
        return ()
    told = window.other if way == "out" else window.me
    found = [Figure(f"warnings.{way}")]
    for item in own.items.values():
        if item.owner != told:
            continue
        if item.sort == "acknowledgement" and item.state != "superseded":
            found.append(Figure(f"warnings.{way}.addressed"))
            read = item.entered("warning.acknowledged")
            in_time = read is not None and item.due_at is not None and read <= item.due_at
            found += [Figure(f"warnings.{way}.acknowledged_in_time")] * in_time
        if item.sort == "feedback" and item.state == "given":
            found.append(Figure(f"warnings.{way}.feedback"))
    if own.outcome:
        found.append(Figure(f"warnings.{way}.outcome.{own.outcome}"))
    return tuple(found)


WARNING = Kind(
    "warning",
    ACTS,
    begin,
    check,
    step,
    duties,
    lambda _state, _me: (),
    lambda entry: ("threat",) if entry.statement.type == "warning.issued" else (),
    figures,
    escalations=frozenset({"warning.escalate", "warning.call"}),
)
