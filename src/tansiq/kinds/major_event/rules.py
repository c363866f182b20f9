"""The life cycle of a major event.

open ──closed──► closed
team dossier:  draft (each visitor) ──► sent ──► updated ⟲ ──► final ──post-match report──► post_match
post-match:    awaited (host and each visitor) ──► given
measure:       set ──► done | not_applicable
delegation:    declared ──► accepted | accepted_with_conditions | refused
question:      asked ──► answered;  incident: open ──► resolved
shift:         open ──► handed_over;  lesson: drawn ──► taken_up
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Erasure, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.items import (
    FARTHEST,
    Cycle,
    Facts,
    Item,
    Items,
    Move,
    Owed,
    Step,
    after,
    stop,
    told,
    working_days_later,
)
from tansiq.kinds.major_event.checklist import CHECKLIST
from tansiq.kinds.major_event.model import (
    AFTER_MATCH_WORKING_DAYS,
    ANSWER_DELEGATION,
    BEFORE_MATCH,
    BEFORE_TOURNAMENT,
    CHECK,
    KEPT_AT_MOST,
    About,
    Ban,
    Delegation,
    Erased,
    Incident,
    Lesson,
    LessonTaken,
    Logged,
    Match,
    MeasureSet,
    Opened,
    PostMatch,
    Question,
    RiskAssessed,
    Shift,
    Site,
    Situation,
    TeamDossier,
    Venue,
)
from tansiq.terms import EntryId, NodeId, later, parse_instant

_TEXT = frozenset({"subject", "narrative", "note", "link", "entity"})
_NOTE = frozenset({"note"})
_PLACE = _TEXT | {"venue", "contacts"}
_SAINT_DENIS = "CETS 218"
_NFIP = "Dec. 2002/348/JHA"
_PRUM = "Dec. 2008/615/JHA art. 17-19"
_DIES = "Dec. 2008/615/JHA art. 14(2)"
_OPEN = ("open",)
_CONDITIONED = "accepted_with_conditions"

ACTS = (
    ActRule("major_event.opened", "opener", (), "open", _SAINT_DENIS, _TEXT, Opened),
    ActRule("major_event.venue_described", "member", _OPEN, "", _SAINT_DENIS, _PLACE | {"zones"}, Venue),
    ActRule("major_event.site_described", "member", _OPEN, "", _SAINT_DENIS, _PLACE, Site),
    ActRule("major_event.match_fixed", "member", _OPEN, "", _NFIP, _TEXT, Match),
    ActRule("major_event.team_dossier_sent", "member", _OPEN, "", _NFIP, _TEXT | {"followers"}, TeamDossier),
    ActRule("major_event.team_dossier_updated", "member", _OPEN, "", _NFIP, _TEXT | {"followers"}, TeamDossier),
    ActRule("major_event.team_dossier_finalised", "member", _OPEN, "", _NFIP, _TEXT | {"followers"}, TeamDossier),
    ActRule("major_event.risk_assessed", "member", _OPEN, "", _NFIP, _NOTE | {"reasons"}, RiskAssessed),
    ActRule("major_event.measure_set", "member", _OPEN, "", "Rec(2021)1", _NOTE, MeasureSet),
    ActRule("major_event.measure_done", "member", _OPEN, "", "Rec(2021)1", _TEXT | {"evidence"}, About),
    ActRule("major_event.measure_not_applicable", "member", _OPEN, "", "Rec(2021)1", _NOTE, About),
    ActRule("major_event.delegation_declared", "member", _OPEN, "", _PRUM, _TEXT | {"equipment"}, Delegation),
    ActRule("major_event.delegation_accepted", "member", _OPEN, "", _PRUM, _NOTE, About),
    ActRule("major_event.delegation_conditioned", "member", _OPEN, "", _PRUM, _NOTE | {"conditions"}, About),
    ActRule("major_event.delegation_refused", "member", _OPEN, "", _PRUM, _NOTE, About),
    ActRule("major_event.ban_told", "member", _OPEN, "", _NFIP, _TEXT, Ban),
    ActRule("major_event.shift_opened", "member", _OPEN, "", "", _NOTE, Shift),
    ActRule("major_event.shift_handed_over", "member", _OPEN, "", "", _NOTE | {"situation"}, About),
    ActRule("major_event.logged", "member", _OPEN, "", _NFIP, _TEXT, Logged),
    ActRule("major_event.situation_reported", "member", _OPEN, "", _NFIP, _TEXT | {"situation"}, Situation),
    ActRule("major_event.information_asked", "member", _OPEN, "", _NFIP, _TEXT | {"question"}, Question),
    ActRule("major_event.information_given", "member", _OPEN, "", _NFIP, _TEXT | {"answer"}, About),
    ActRule("major_event.incident_reported", "member", _OPEN, "", _NFIP, _TEXT, Incident),
    ActRule("major_event.incident_resolved", "member", _OPEN, "", _NFIP, _TEXT, About),
    ActRule("major_event.post_match_reported", "member", (), "", _NFIP, _TEXT, PostMatch),
    ActRule("major_event.lesson_drawn", "member", (), "", "", _TEXT | {"lesson"}, Lesson),
    ActRule("major_event.lesson_taken_up", "member", (), "", "", _NOTE, LessonTaken),
    ActRule("major_event.closed", "opener", _OPEN, "closed", _DIES, _TEXT, None),
    ActRule("major_event.erased", "member", (), "", _DIES, _NOTE, Erased),
)  # fmt: skip


def _before_kickoff(facts: Facts, at: datetime) -> datetime | None:
    kickoff = told("kickoff")(facts, at)
    return later(kickoff, -BEFORE_MATCH) if kickoff else None


def report_due(match: Item) -> datetime | None:
    """By when host and visitors report after a match; None where its kick-off lies beyond reason."""
    kickoff = told("kickoff")(match.facts, match.since)
    return working_days_later(kickoff, AFTER_MATCH_WORKING_DAYS) if kickoff else None


def _kickoff(facts: Facts, at: datetime) -> datetime | None:
    return told("kickoff")(facts, at)


CYCLE = Cycle(
    steps=(
        Step("major_event.venue_described", "venue", "one", "any", (), "described"),
        Step("major_event.match_fixed", "match", "one", "any", (), "fixed", _kickoff),
        Step("major_event.match_fixed", "team_dossier", "each", "any", (), "draft", _before_kickoff, of="visitors"),
        Step("major_event.team_dossier_sent", "team_dossier", "", "owner", ("draft",), "sent", _kickoff),
        Step("major_event.team_dossier_updated", "team_dossier", "", "owner", ("sent", "updated"), "updated"),
        Step("major_event.team_dossier_finalised", "team_dossier", "", "owner", ("sent", "updated"), "final", stop),
        Step("major_event.measure_set", "measure", "one", "any", (), "set", told("due")),
        Step("major_event.measure_done", "measure", "", "owner", ("set",), "done", stop),
        Step("major_event.measure_not_applicable", "measure", "", "any", ("set",), "not_applicable", stop),
        Step("major_event.delegation_declared", "delegation", "one", "any", (), "declared", after(ANSWER_DELEGATION)),
        Step("major_event.delegation_accepted", "delegation", "", "owner", ("declared",), "accepted", stop),
        Step("major_event.delegation_conditioned", "delegation", "", "owner", ("declared",), _CONDITIONED, stop),
        Step("major_event.delegation_refused", "delegation", "", "owner", ("declared",), "refused", stop),
        Step("major_event.shift_opened", "shift", "one", "any", (), "open", told("until")),
        Step("major_event.shift_handed_over", "shift", "", "owner", ("open",), "handed_over", stop),
        Step("major_event.information_asked", "question", "one", "any", (), "asked",
             lambda facts, at: told("due")(facts, at) or later(at, CHECK)),
        Step("major_event.information_given", "question", "", "owner", ("asked",), "answered", stop),
        Step("major_event.incident_reported", "incident", "one", "any", (), "open"),
        Step("major_event.incident_resolved", "incident", "", "any", ("open",), "resolved"),
        Step("major_event.lesson_drawn", "lesson", "one", "any", (), "drawn"),
        Step("major_event.lesson_taken_up", "lesson", "", "any", ("drawn",), "taken_up"),
    ),
    owed=(
        Owed("team_dossier", ("draft",), "major_event.send_team_dossier", _NFIP),
        Owed("team_dossier", ("sent", "updated"), "major_event.finalise_team_dossier", _NFIP),
        Owed("measure", ("set",), "major_event.measure", "Rec(2021)1"),
        Owed("delegation", ("declared",), "major_event.answer_delegation", _PRUM),
        Owed("shift", ("open",), "major_event.hand_over", ""),
        Owed("question", ("asked",), "major_event.give_information", _NFIP, urgent=("urgent",)),
    ),
    moves=(
        Move("team_dossier", ("draft", "sent", "updated", "final"), "post_match",
             "major_event.post_match_reported: by the visitor"),
        Move("match", ("fixed",), "reported", "major_event.post_match_reported: by every side"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventState:
    """The event: its matches, venues and all that is under way in it."""

    facts: Mapping[str, Any]
    ends_at: datetime
    items: Items = field(default_factory=dict)
    levels: Mapping[str, Mapping[NodeId, int]] = field(default_factory=dict)
    """Match -> service -> its level of risk."""
    numbers: Mapping[NodeId, int] = field(default_factory=dict)
    reported: frozenset[tuple[str, NodeId]] = frozenset()
    """(match, service) with a post-match report."""
    bans: tuple[EntryId, ...] = ()
    closed_at: datetime | None = None
    erased: frozenset[NodeId] = frozenset()

    def sort(self, name: str) -> tuple[Item, ...]:
        return tuple(i for i in self.items.values() if i.sort == name)

    @property
    def dies_at(self) -> datetime:
        return later(self.ends_at, KEPT_AT_MOST)


def _instant(facts: Facts, name: str) -> datetime | None:
    try:
        return parse_instant(str(facts.get(name, "")))
    except TansiqError:
        return None


def begin(opening: Entry) -> EventState:
    facts = dict(opening.statement.facts)
    return EventState(facts, _instant(facts, "window_until") or opening.statement.at)


def _outlives(entry: Entry, dies_at: datetime) -> bool:
    """Whether the entry is to be kept longer than the event's data may live."""
    erase_on = entry.statement.legal.erase_on
    try:
        return bool(erase_on) and datetime.fromisoformat(erase_on).replace(tzinfo=UTC) > dies_at
    except ValueError:
        return True


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    s = entry.statement
    if s.type == "major_event.opened":
        begins, ends = _instant(s.facts, "window_from"), _instant(s.facts, "window_until")
        if begins is None or ends is None or ends < begins:
            return "an event begins and ends"
        if max(abs(begins - s.at), abs(ends - s.at)) > FARTHEST:
            return "an event lies within ten years"
        if not set(s.facts.get("hosts", ())) <= set(state.members):
            return "a host is no member"
        return "kept longer than 365 days after its end" if _outlives(entry, later(ends, KEPT_AT_MOST)) else ""
    own: EventState | None = state.own
    if own is None:
        return ""
    if _outlives(entry, own.dies_at):
        return "kept longer than 365 days after its end"
    return _check_act(state, own, entry) or CYCLE.check(state, own.items, entry)


def _check_act(state: DossierState, own: EventState, entry: Entry) -> str:
    s = entry.statement
    match s.type:
        case "major_event.match_fixed":
            if _instant(s.facts, "kickoff") is None:
                return "kickoff is no instant"
            if not {s.facts.get("host"), *s.facts.get("visitors", ())} <= set(state.members):
                return "host and visitors are members"
            return "host and visitor are two" if s.facts.get("host") in s.facts.get("visitors", ()) else ""
        case "major_event.risk_assessed":
            found = own.items.get(str(s.facts.get("match", "")))
            return _side_fault(found, s.author)
        case "major_event.post_match_reported":
            found = own.items.get(str(s.facts.get("about", "")))
            if fault := _side_fault(found, s.author):
                return fault
            kickoff = _instant(found.facts, "kickoff") if found else None
            if kickoff is None or s.at < kickoff:
                return "not before the match"
            return "reported already" if (str(s.facts["about"]), s.author) in own.reported else ""
        case "major_event.situation_reported":
            expected = own.numbers.get(s.author, 0) + 1
            return "" if s.facts.get("number") == expected else f"the next number is {expected}"
        case "major_event.measure_set":
            venue = own.items.get(str(s.facts.get("venue", "")))
            if venue is None or venue.sort != "venue":
                return "it names no venue of this dossier"
            return "" if s.facts.get("code") in CHECKLIST else "no line of the checklist"
        case "major_event.delegation_declared":
            return "" if s.facts.get("owner") in own.facts.get("hosts", ()) else "a host answers a delegation"
        case "major_event.erased":
            if own.closed_at is None and s.at < own.dies_at:
                return "not before the event is closed"
            return "erased already" if s.author in own.erased else ""
    return ""


def _side_fault(found: Item | None, who: NodeId) -> str:
    if found is None or found.sort != "match":
        return "it names no match of this dossier"
    return "" if who in sides(found) else "neither host nor visitor of it"


def sides(match: Item) -> tuple[NodeId, ...]:
    """The host first, then the visitors."""
    return (NodeId(str(match.facts.get("host"))), *(NodeId(str(n)) for n in match.facts.get("visitors", ())))


def step(state: DossierState, entry: Entry) -> tuple[str, EventState]:
    s = entry.statement
    own: EventState = replace(state.own, items=CYCLE.step(state.own.items, entry))
    match s.type:
        case "major_event.risk_assessed":
            key = str(s.facts["match"])
            own = replace(own, levels={**own.levels, key: {**own.levels.get(key, {}), s.author: int(s.facts["level"])}})
        case "major_event.situation_reported":
            own = replace(own, numbers={**own.numbers, s.author: int(s.facts["number"])})
        case "major_event.ban_told":
            own = replace(own, bans=(*own.bans, entry.id))
        case "major_event.post_match_reported":
            own = _post_match(own, entry)
        case "major_event.closed":
            own = replace(own, closed_at=s.at)
        case "major_event.erased":
            own = replace(own, erased=own.erased | {s.author})
    rule = MAJOR_EVENT.act(s.type)
    return (rule.after if rule and rule.after else state.phase), own


def _post_match(own: EventState, entry: Entry) -> EventState:
    """A visitor's report ends its team dossier; when all sides have reported the match is over."""
    s = entry.statement
    key = str(s.facts["about"])
    reported = own.reported | {(key, s.author)}
    items = dict(own.items)
    lane = items.get(f"{key}/{s.author}")
    if lane is not None and lane.sort == "team_dossier":
        items[lane.key] = CYCLE.moved(lane, "post_match", since=s.at, due_at=None, last=entry.id)
    match_ = items[key]
    if all((key, n) in reported for n in sides(match_)):
        items[key] = CYCLE.moved(match_, "reported", since=s.at, due_at=None, last=entry.id)
    return replace(own, reported=reported, items=items)


def duties(state: DossierState) -> tuple[Duty, ...]:
    """Team dossiers before, reports after, what the match day asks for, and at the end the erasure."""
    own: EventState | None = state.own
    if own is None or state.opened_at is None or state.opener is None:
        return ()
    found = list(CYCLE.duties(state, own.items)) if state.phase == "open" else []
    for match_ in own.sort("match"):
        due = report_due(match_)
        kickoff = _instant(match_.facts, "kickoff")
        if due is None or kickoff is None:
            continue
        found += [
            Duty(state.id, n, "major_event.report_after_match", due, kickoff, _NFIP, match_.begun, later=True)
            for n in sides(match_)
            if n in state.members and (match_.key, n) not in own.reported
        ]
    if state.phase == "open":
        opening = state.first.id
        if own.facts.get("form") == "tournament":
            found += _tournament(state, own)
        end = Duty(state.id, state.opener, "major_event.close", own.dies_at, own.ends_at, _DIES, opening, later=True)
        found.append(end)
    else:
        since = own.closed_at or own.ends_at
        found += [
            Duty(state.id, n, "major_event.erase", own.dies_at, since, _DIES, state.first.id)
            for n in state.members
            if n not in own.erased
        ]
    return tuple(found)


def erases(state: DossierState) -> Erasure | None:
    """The event's data die 365 days after its end, closed or not; once it is closed, sooner if a member likes."""
    own: EventState | None = state.own
    return Erasure(own.dies_at, own.closed_at is not None, {}, own.erased) if own is not None else None


def _tournament(state: DossierState, own: EventState) -> list[Duty]:
    """Eight weeks before a tournament each visiting service has described its followers at least once."""
    begins = _instant(own.facts, "window_from")
    if begins is None or state.opened_at is None:
        return []
    sent = {i.owner for i in own.sort("team_dossier") if i.state != "draft"}
    coming = {i.owner for i in own.sort("team_dossier")} - sent
    due = later(begins, -BEFORE_TOURNAMENT)
    return [
        Duty(state.id, n, "major_event.send_team_dossier", due, state.opened_at, _NFIP, state.first.id)
        for n in state.members
        if n in coming
    ]


def safe_capacity(venue: Item) -> int | None:
    """The lowest of the four capacities; None while one of them is not known."""
    four = [int(venue.facts.get(name) or 0) for name in ("entry", "holding", "exit", "emergency")]
    return min(four) if all(four) else None


def disagreements(own: EventState) -> dict[str, Mapping[NodeId, int]]:
    """Matches whose host and visitors see different risk, with each side's level."""
    return {match: levels for match, levels in own.levels.items() if len(set(levels.values())) > 1}


def required(entry: Entry) -> tuple[str, ...]:
    return {
        "major_event.opened": ("subject",),
        "major_event.venue_described": ("venue",),
        "major_event.team_dossier_sent": ("followers",),
        "major_event.risk_assessed": ("reasons",),
        "major_event.information_asked": ("question",),
        "major_event.information_given": ("answer",),
        "major_event.lesson_drawn": ("lesson",),
    }.get(entry.statement.type, ())


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Matches of host and visitor, dossiers sent in time, delegations, reports after."""
    own: EventState | None = state.own
    found: list[Figure] = []
    for match_ in own.sort("match") if own else ():
        kickoff = _instant(match_.facts, "kickoff")
        if own is None or not {window.me, window.other} <= set(sides(match_)) or not window.holds(kickoff):
            continue
        found.append(Figure("matches"))
        for node in (window.me, window.other):
            way = window.way(node)
            lane = own.items.get(f"{match_.key}/{node}")
            sent = lane.entered("major_event.team_dossier_sent") if lane else None
            if lane is not None and kickoff is not None:
                found.append(Figure(f"team_dossiers.{way}"))
                found += [Figure(f"team_dossiers.{way}.in_time")] * (
                    sent is not None and sent <= later(kickoff, -BEFORE_MATCH)
                )
            found += [Figure(f"post_match.{way}")] * ((match_.key, node) in own.reported)
    for item in own.sort("delegation") if own else ():
        if window.way(item.author) and window.way(item.owner) and window.holds(item.trail[0][2]):
            found.append(Figure(f"delegations.{window.way(item.author)}"))
    return tuple(found)


def ends_on(opening: Facts) -> str:
    """The day on which the event ends: its personal data outlive it by 365 days at most."""
    ends = _instant(opening, "window_until")
    return ends.date().isoformat() if ends else ""


MAJOR_EVENT = Kind(
    "major_event",
    ACTS,
    begin,
    check,
    step,
    duties,
    lambda _state, _me: (),
    required,
    figures,
    ends_on=ends_on,
    erased_act="major_event.erased",
    erases=erases,
)
