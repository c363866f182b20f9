"""The life cycle of a request. Each addressee answers in a lane of its own, with a clock of its own.

sent ──received──► running ──clarification_asked──► waiting ──clarification_given──► running
                      │  ├──delay_announced──► delayed
                      │  └──partly_answered──► running (the clock goes on for the rest)
                      └──answered | refused──► done            withdrawn (by the requester) ends every lane
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tansiq.dossiers.model import ActRule, AutoAct, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.items import Cycle, Move
from tansiq.kinds.request.model import CLOCKS, Answered, Delayed, Made, Received, RefusedFacts, ToLane
from tansiq.terms import EntryId, NodeId, later, parse_instant

_ASK = frozenset(
    {"subject", "question", "facts", "availability", "link_reason", "urgency_reasons", "entity", "link", "note"}
)
_SAY = frozenset({"narrative", "answer", "entity", "link", "note"})
_OPEN = ("open",)

ACTS = (
    ActRule("request.made", "opener", (), "open", "Dir. 2023/977 art. 4(5)", _ASK, Made),
    ActRule("request.received", "addressee", _OPEN, "", "Dir. 2023/977 art. 5(1)", frozenset(), Received),
    ActRule("request.clarification_asked", "addressee", _OPEN, "", "Dir. 2023/977 art. 6(3)", _SAY, None),
    ActRule("request.clarification_given", "opener", _OPEN, "", "Dir. 2023/977 art. 6(3)", _ASK | _SAY, ToLane),
    ActRule("request.delay_announced", "addressee", _OPEN, "", "Dir. 2023/977 art. 5(2)", frozenset({"note"}), Delayed),
    ActRule("request.partly_answered", "addressee", _OPEN, "", "Dir. 2023/977 art. 6(2)", _SAY, Answered),
    ActRule("request.answered", "addressee", _OPEN, "", "Dir. 2023/977 art. 5(1)", _SAY, Answered),
    ActRule("request.refused", "addressee", _OPEN, "", "Dir. 2023/977 art. 6(1)", frozenset({"note"}), RefusedFacts),
    ActRule("request.withdrawn", "opener", _OPEN, "closed", "", frozenset({"note"}), None),
)

LANE_TABLE: dict[str, tuple[tuple[str, ...], str]] = {
    "request.received": (("sent",), "running"),
    "request.clarification_asked": (("running", "delayed"), "waiting"),
    "request.clarification_given": (("waiting",), "running"),
    "request.delay_announced": (("running", "delayed"), "delayed"),
    "request.partly_answered": (("running", "delayed", "waiting"), "running"),
    "request.answered": (("running", "delayed", "waiting"), "answered"),
    "request.refused": (("running", "delayed", "waiting"), "refused"),
}
"""act -> (lane states in which it is legal, lane state after)."""

CYCLE = Cycle(
    steps=(),
    moves=(
        Move("lane", (), "sent", "request.made: one for each addressee"),
        *(Move("lane", before, after, act) for act, (before, after) in LANE_TABLE.items()),
        Move("lane", ("sent", "running", "delayed", "waiting"), "withdrawn", "request.withdrawn"),
    ),
    phases=(Move("", ("open",), "closed", "request.answered, request.refused: in every lane"),),
)
"""For pages and diagrams: a lane is no item, its steps stand above."""

DONE = ("answered", "refused", "withdrawn")
LONGEST_DELAY = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Lane:
    """One addressee's side of the request. `left` is what the clock still had when it was stopped."""

    node: NodeId
    state: str = "sent"
    received_at: datetime | None = None
    due_at: datetime | None = None
    left: timedelta | None = None
    stopped_at: datetime | None = None
    answered_at: datetime | None = None
    partly: bool = False
    grounds: tuple[str, ...] = ()
    late_by: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RequestState:
    """The request's own state: its clock and a lane for each addressee."""

    request: EntryId
    clock: str
    urgent: bool
    lanes: Mapping[NodeId, Lane]


def _made(facts: Mapping[str, object]) -> tuple[str, bool]:
    urgent = facts.get("urgency", "normal") == "urgent"
    return (f"urgent_{facts.get('accessibility', 'direct')}" if urgent else "other"), urgent


def begin(opening: Entry) -> RequestState:
    clock, urgent = _made(opening.statement.facts)
    lanes = {n: Lane(n) for n in opening.statement.addressees if n != opening.statement.author}
    return RequestState(opening.id, clock, urgent, lanes)


def _lane_of(own: RequestState, entry: Entry, opener: NodeId | None) -> Lane | None:
    s = entry.statement
    if s.author == opener:
        return own.lanes.get(NodeId(str(s.facts.get("lane", ""))))
    return own.lanes.get(s.author)


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    s = entry.statement
    if s.type == "request.made":
        urgent = s.facts.get("urgency", "normal") == "urgent"
        if urgent != bool(s.facts.get("urgency_ground")):
            return "an urgent request, and only an urgent one, carries its ground"
        return ""
    own: RequestState = state.own
    if s.type == "request.withdrawn":
        return ""
    lane = _lane_of(own, entry, state.opener)
    if lane is None:
        return "nobody was asked there"
    legal, _after = LANE_TABLE[s.type]
    if lane.state not in legal:
        return f"not while {lane.state}"
    return _check_facts(s.type, s.facts, s.at)


def _check_facts(act: str, facts: Mapping[str, object], at: datetime) -> str:
    if act == "request.refused" and not facts.get("grounds"):
        return "a refusal carries a ground"
    if act == "request.delay_announced":
        try:
            until = parse_instant(str(facts.get("until", "")))
        except TansiqError:
            return "the delay has no end"
        return "" if at < until < later(at, LONGEST_DELAY) else "the delay's end is out of range"
    return ""


def _left(lane: Lane) -> timedelta:
    """What the clock had left, bounded: instants that a partner made up must not carry it out of the calendar."""
    return max(-LONGEST_DELAY, min(lane.left or timedelta(), LONGEST_DELAY))


def _stepped(lane: Lane, act: str, facts: Mapping[str, object], at: datetime, length: timedelta) -> Lane:
    _legal, after = LANE_TABLE[act]
    match act:
        case "request.received":
            return replace(lane, state=after, received_at=at, due_at=later(at, length))
        case "request.clarification_asked":
            left = (lane.due_at - at) if lane.due_at else length
            return replace(lane, state=after, left=left, due_at=None, stopped_at=at)
        case "request.clarification_given":
            return replace(lane, state=after, due_at=later(at, _left(lane)), left=None, stopped_at=None)
        case "request.delay_announced":
            return replace(lane, state=after, due_at=parse_instant(str(facts["until"])))
        case "request.partly_answered":
            grounds = tuple(str(g) for g in facts.get("grounds", ()))  # type: ignore[attr-defined]
            due = lane.due_at or later(at, _left(lane))
            return replace(lane, state=after, partly=True, grounds=grounds, due_at=due, left=None, stopped_at=None)
        case _:
            grounds = tuple(str(g) for g in facts.get("grounds", ()))  # type: ignore[attr-defined]
            late = at - lane.due_at if lane.due_at and at > lane.due_at else None
            return replace(lane, state=after, answered_at=at, due_at=None, left=None, grounds=grounds, late_by=late)


def step(state: DossierState, entry: Entry) -> tuple[str, RequestState]:
    s = entry.statement
    own: RequestState = state.own
    if s.type == "request.withdrawn":
        lanes = {n: x if x.state in DONE else replace(x, state="withdrawn", due_at=None) for n, x in own.lanes.items()}
        return "closed", replace(own, lanes=lanes)
    lane = _lane_of(own, entry, state.opener)
    if lane is None:
        return state.phase, own
    stepped = _stepped(lane, s.type, s.facts, s.at, CLOCKS[own.clock])
    lanes = {**own.lanes, lane.node: stepped}
    phase = "closed" if all(x.state in DONE for x in lanes.values()) else "open"
    return phase, replace(own, lanes=lanes)


def duties(state: DossierState) -> tuple[Duty, ...]:
    """The answer owed in each lane, and the clarification that the requester owes."""
    own: RequestState | None = state.own
    if own is None or state.opener is None or state.phase == "closed":
        return ()
    found = []
    for lane in own.lanes.values():
        if lane.state in ("running", "delayed", "waiting"):
            found.append(
                Duty(
                    state.id,
                    lane.node,
                    "request.answer",
                    lane.due_at,
                    lane.received_at or state.opened_at or datetime.min,  # noqa: DTZ901 # received lanes have an instant
                    "Dir. 2023/977 art. 5(1)",
                    own.request,
                    own.urgent,
                    state.opener,
                    "clarification" if lane.state == "waiting" else "",
                )
            )
        if lane.state == "waiting" and lane.stopped_at is not None:
            found.append(
                Duty(
                    state.id,
                    state.opener,
                    "request.clarify",
                    None,
                    lane.stopped_at,
                    "Dir. 2023/977 art. 6(3)",
                    own.request,
                    own.urgent,
                    lane.node,
                )
            )
    return tuple(found)


def automatic(state: DossierState, me: NodeId) -> tuple[AutoAct, ...]:
    """The addressee's node receipts the request by itself: from then the clock runs."""
    own: RequestState | None = state.own
    lane = own.lanes.get(me) if own else None
    if own is None or lane is None or lane.state != "sent" or state.phase == "closed":
        return ()
    return (AutoAct("request.received", {"request": own.request}),)


def required(entry: Entry) -> tuple[str, ...]:
    """Dir. 2023/977 art. 4(5): what a request cannot do without."""
    if entry.statement.type != "request.made":
        return ()
    urgent = entry.statement.facts.get("urgency", "normal") == "urgent"
    return ("question", "facts", "availability", *(("urgency_reasons",) if urgent else ()))


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Dir. 2023/977 art. 18: requests by urgency and crime area, answers within the clock, refusals by ground."""
    own: RequestState | None = state.own
    way = window.way(state.opener) if state.opener else ""
    lane = own.lanes.get(window.other if way == "out" else window.me) if own and way else None
    if own is None or lane is None or not window.holds(state.opened_at):
        return ()
    found = [Figure(f"requests.{way}")]
    found += [Figure(f"requests.{way}.urgent")] * own.urgent
    facts = state.first.statement.facts
    found += [Figure(f"requests.{way}.area.{area}") for area in facts.get("crime_areas", ())]
    acts = [e.statement.type for e in state.entries if e.statement.author == lane.node and e.id not in state.voided()]
    found += [Figure(f"requests.{way}.clarifications")] * acts.count("request.clarification_asked")
    found += [Figure(f"requests.{way}.judicial_delays")] * acts.count("request.delay_announced")
    if lane.state in ("answered", "refused"):
        found.append(Figure(f"requests.{way}.answered"))
        found += [Figure(f"requests.{way}.answered_in_time")] * (lane.late_by is None)
        if lane.received_at is not None and lane.answered_at is not None:
            took = int((lane.answered_at - lane.received_at).total_seconds())
            found.append(Figure(f"requests.{way}.answer_time", max(0, took), "seconds"))
        found += [Figure(f"requests.{way}.refused.{ground}") for ground in lane.grounds]
    return tuple(found)


REQUEST = Kind("request", ACTS, begin, check, step, duties, automatic, required, figures)
