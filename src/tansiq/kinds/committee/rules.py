"""The life cycle of a committee.

meeting:        called ──held──► held ──minutes written──► minuted        (or cancelled)
minutes:        awaited (one for each other side) ──► approved | contested (superseded: a newer version came first)
recommendation: proposed ──agreed──► plan_due ──plan──► plan_review ──accepted──► in_progress ⟲ progress every 6 months
                    └──contested (agreed later, or superseded)          └──rejected──► plan_due (revision)
                in_progress ──implemented──► implemented ──every other side signs──► closed
closure:        awaited (one for each other side) ──► signed | withheld (the recommendation goes back to in_progress;
                what others had still to sign of that claim is superseded)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.kinds.committee.model import (
    LIMITS,
    MINUTES_DAYS,
    About,
    Established,
    MeetingCalled,
    MeetingHeld,
    MinutesAnswered,
    MinutesWritten,
    ProgressReported,
    Recommended,
    ScorecardGiven,
    Superseded,
    Visited,
)
from tansiq.kinds.items import Clock, Cycle, Facts, Item, Items, Move, Owed, Step, months_later, stop, told
from tansiq.terms import EntryId, NodeId, later

_FOLLOW_UP = "Reg. (EU) 2022/922"
_TEXT = frozenset({"subject", "narrative", "note", "link"})
_NOTE = frozenset({"note"})
_OPEN = ("open",)
_ADVICE = _TEXT | {"recommendation", "success"}
_PROOF = _TEXT | {"evidence"}
_REC = "recommendation"
_RUNNING = ("proposed", "contested", "plan_due", "plan_review", "in_progress")
_SEEN_ON_SITE = ("plan_due", "plan_review", "in_progress", "implemented")

ACTS = (
    ActRule("committee.established", "opener", (), "open", "", _TEXT, Established),
    ActRule("committee.meeting_called", "member", _OPEN, "", "", _TEXT | {"agenda"}, MeetingCalled),
    ActRule("committee.agenda_proposed", "member", _OPEN, "", "", _TEXT | {"agenda"}, About),
    ActRule("committee.meeting_held", "member", _OPEN, "", "", _TEXT | {"attendance", "entity"}, MeetingHeld),
    ActRule("committee.meeting_cancelled", "member", _OPEN, "", "", _NOTE, About),
    ActRule("committee.minutes_written", "member", _OPEN, "", "", frozenset({"minutes"}), MinutesWritten),
    ActRule("committee.minutes_approved", "member", _OPEN, "", "", _NOTE, MinutesAnswered),
    ActRule("committee.minutes_contested", "member", _OPEN, "", "", _NOTE, MinutesAnswered),
    ActRule("committee.recommended", "member", _OPEN, "", _FOLLOW_UP, _ADVICE, Recommended),
    ActRule("committee.recommendation_agreed", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.recommendation_contested", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.plan_submitted", "member", _OPEN, "", _FOLLOW_UP, _TEXT | {"plan"}, About),
    ActRule("committee.plan_accepted", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.plan_rejected", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.progress_reported", "member", _OPEN, "", _FOLLOW_UP, _PROOF, ProgressReported),
    ActRule("committee.silence_reported", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.visited", "member", _OPEN, "", _FOLLOW_UP, _PROOF, Visited),
    ActRule("committee.implemented", "member", _OPEN, "", _FOLLOW_UP, _PROOF, About),
    ActRule("committee.closure_signed", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.closure_withheld", "member", _OPEN, "", _FOLLOW_UP, _NOTE, About),
    ActRule("committee.recommendation_superseded", "member", _OPEN, "", "", _NOTE, Superseded),
    ActRule("committee.scorecard_given", "member", _OPEN, "", "", _NOTE, ScorecardGiven),
    ActRule("committee.dissolved", "opener", _OPEN, "closed", "", _NOTE, None),
)  # fmt: skip


def limit(step: str) -> Clock:
    """The follow-up's limit for a step, on the track that the finding chose."""

    def clock(facts: Facts, at: datetime) -> datetime:
        track = "serious" if facts.get("finding") == "serious_deficiency" else "ordinary"
        months, days = LIMITS[track][step]
        return later(months_later(at, months), timedelta(days=days))

    return clock


def _a_month(_facts: Facts, at: datetime) -> datetime:
    return later(at, timedelta(days=MINUTES_DAYS))


CYCLE = Cycle(
    steps=(
        Step("committee.meeting_called", "meeting", "one", "any", (), "called", told("due")),
        Step("committee.meeting_held", "meeting", "", "any", ("called",), "held", _a_month),
        Step("committee.meeting_cancelled", "meeting", "", "any", ("called",), "cancelled", stop),
        Step("committee.minutes_written", "minutes", "each", "any", (), "awaited", _a_month),
        Step("committee.minutes_approved", "minutes", "", "owner", ("awaited", "contested"), "approved", stop),
        Step("committee.minutes_contested", "minutes", "", "owner", ("awaited", "approved"), "contested", _a_month),
        Step("committee.recommended", _REC, "one", "any", (), "proposed", limit("comments")),
        Step("committee.recommendation_agreed", _REC, "", "any", ("proposed", "contested"), "plan_due", limit("plan")),
        Step("committee.recommendation_contested", _REC, "", "any", ("proposed",), "contested", stop),
        Step("committee.plan_submitted", _REC, "", "owner", ("plan_due",), "plan_review", limit("review")),
        Step("committee.plan_accepted", _REC, "", "other", ("plan_review",), "in_progress", limit("progress")),
        Step("committee.plan_rejected", _REC, "", "other", ("plan_review",), "plan_due", limit("revision")),
        Step("committee.progress_reported", _REC, "", "owner", ("in_progress",), "in_progress", limit("progress")),
        Step("committee.implemented", _REC, "", "owner", ("in_progress",), "implemented", stop),
        Step("committee.implemented", "closure", "each", "any", (), "awaited", limit("closure")),
        Step("committee.closure_signed", "closure", "", "owner", ("awaited",), "signed", stop),
        Step("committee.closure_withheld", "closure", "", "owner", ("awaited",), "withheld", stop),
        Step("committee.recommendation_superseded", _REC, "", "any", _RUNNING, "superseded", stop),
    ),
    owed=(
        Owed("meeting", ("called",), "committee.hold_meeting", ""),
        Owed("meeting", ("held",), "committee.write_minutes", ""),
        Owed("minutes", ("awaited",), "committee.approve_minutes", ""),
        Owed(_REC, ("plan_due",), "committee.submit_plan", _FOLLOW_UP),
        Owed(_REC, ("in_progress",), "committee.report_progress", _FOLLOW_UP),
        Owed("closure", ("awaited",), "committee.sign_closure", _FOLLOW_UP),
    ),
    moves=(
        Move("meeting", ("held", "minuted"), "minuted", "committee.minutes_written"),
        Move("minutes", ("awaited",), "superseded", "committee.minutes_written: a newer version"),
        Move(_REC, ("implemented",), "closed", "committee.closure_signed: by every other side"),
        Move(_REC, ("implemented",), "in_progress", "committee.closure_withheld"),
        Move("closure", ("awaited",), "superseded", "committee.closure_withheld: by another side"),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CommitteeState:
    """The committee's meetings, minutes, recommendations and the figures that its sides gave."""

    facts: Mapping[str, Any]
    items: Items
    scorecards: Mapping[tuple[NodeId, str], EntryId]
    """(who counted, about whom) -> the newest entry with its figures."""
    silences: Mapping[str, tuple[NodeId, ...]]
    """Recommendation -> who reported that its addressee kept silent, since its last progress."""
    visits: Mapping[str, EntryId]
    """Recommendation -> the newest entry of a side that came to look."""

    def sort(self, name: str) -> tuple[Item, ...]:
        return tuple(i for i in self.items.values() if i.sort == name)


def begin(opening: Entry) -> CommitteeState:
    return CommitteeState(dict(opening.statement.facts), {}, {}, {}, {})


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    s = entry.statement
    own: CommitteeState | None = state.own
    if own is None:
        return ""
    match s.type:
        case "committee.recommendation_agreed" | "committee.recommendation_contested":
            item = own.items.get(str(s.facts.get("about", "")))
            if item is not None and item.sort == _REC and s.author not in _who_agrees(state, item):
                return "its addressee agrees to it; to what a side proposes for itself, another side"
        case "committee.visited":
            item = own.items.get(str(s.facts.get("about", "")))
            if item is None or item.sort != _REC or item.state not in _SEEN_ON_SITE:
                return "it names no recommendation that is being carried out"
            return "another side comes to look" if item.owner == s.author else ""
        case "committee.minutes_written":
            meeting = own.items.get(str(s.facts.get("meeting", "")))
            if meeting is None or meeting.sort != "meeting" or meeting.state not in ("held", "minuted"):
                return "minutes are of a meeting that was held"
        case "committee.minutes_approved" | "committee.minutes_contested":
            item = own.items.get(f"{s.facts.get('about', '')}/{s.author}")
            if item is not None and item.facts.get("digest") != s.facts.get("digest"):
                return "not the text that was written"
        case "committee.silence_reported":
            return _silence_fault(own, s.author, s.facts, s.at)
        case "committee.scorecard_given":
            if s.facts.get("member") not in state.members or s.facts.get("member") == s.author:
                return "figures are about another side"
    return CYCLE.check(state, own.items, entry)


def _who_agrees(state: DossierState, item: Item) -> tuple[NodeId, ...]:
    """A recommendation's addressee; where a side proposes it for itself, every other side."""
    if item.owner != item.author:
        return (item.owner,)
    return tuple(n for n in state.members if n != item.owner)


def _silence_fault(own: CommitteeState, who: NodeId, facts: Facts, at: datetime) -> str:
    item = own.items.get(str(facts.get("about", "")))
    if item is None or item.sort != "recommendation" or item.state not in ("plan_due", "in_progress"):
        return "it names no recommendation that is awaited"
    if item.owner == who:
        return "silence is reported by another side"
    if item.due_at is None or at <= item.due_at:
        return "nothing is late"
    return "reported already" if who in own.silences.get(item.key, ()) else ""


def step(state: DossierState, entry: Entry) -> tuple[str, CommitteeState]:
    s = entry.statement
    own: CommitteeState = state.own
    own = replace(own, items=CYCLE.step(own.items, entry))
    about = str(s.facts.get("about", ""))
    match s.type:
        case "committee.minutes_written":
            own = _advance(own, str(s.facts.get("meeting", "")), "minuted", entry)
            own = _lapse(own, _older_versions(own, entry))
        case "committee.closure_signed" | "committee.closure_withheld":
            own = _closures(own, about, entry)
        case "committee.silence_reported":
            own = replace(own, silences={**own.silences, about: (*own.silences.get(about, ()), s.author)})
        case "committee.progress_reported" | "committee.plan_submitted" | "committee.implemented":
            own = replace(own, silences={k: v for k, v in own.silences.items() if k != about})
        case "committee.visited":
            own = replace(own, visits={**own.visits, about: entry.id})
        case "committee.scorecard_given":
            key = (s.author, str(s.facts.get("member", "")))
            own = replace(own, scorecards={**own.scorecards, key: entry.id})
    rule = COMMITTEE.act(s.type)
    return (rule.after if rule and rule.after else state.phase), own


def _advance(own: CommitteeState, key: str, to: str, entry: Entry, clock: datetime | None = None) -> CommitteeState:
    item = own.items.get(key)
    if item is None:
        return own
    moved = CYCLE.moved(item, to, since=entry.statement.at, due_at=clock, last=entry.id)
    return replace(own, items={**own.items, key: moved})


def _lapse(own: CommitteeState, items: Iterable[Item]) -> CommitteeState:
    """Nobody waits for these any more: another version or claim takes their place."""
    gone = {i.key: CYCLE.moved(i, "superseded", due_at=None) for i in items}
    return replace(own, items={**own.items, **gone})


def _older_versions(own: CommitteeState, newest: Entry) -> list[Item]:
    """Versions of the same minutes in the same language that a side has not answered."""
    told = newest.statement.facts
    return [
        i
        for i in own.sort("minutes")
        if i.begun != newest.id
        and i.state == "awaited"
        and (i.facts.get("meeting"), i.facts.get("language")) == (told.get("meeting"), told.get("language"))
    ]


def _closures(own: CommitteeState, implemented: str, entry: Entry) -> CommitteeState:
    """One refusal reopens the recommendation; the last signature closes it. Closures hang on the claim, not on it."""
    lanes = [i for i in own.items.values() if i.sort == "closure" and i.begun == implemented]
    about = next((str(i.facts.get("about", "")) for i in lanes), "")
    item = own.items.get(about)
    if item is None or item.state != "implemented":
        return own
    if any(i.state == "withheld" for i in lanes):
        own = _lapse(own, [i for i in lanes if i.state == "awaited"])
        return _advance(own, about, "in_progress", entry, limit("progress")(item.facts, entry.statement.at))
    return _advance(own, about, "closed", entry) if all(i.state == "signed" for i in lanes) else own


def _of_others(
    state: DossierState, who: NodeId, code: str, item: Item, due: datetime | None, since: datetime, later: bool = False
) -> Duty:
    """What another side owes to who carries the recommendation out."""
    return Duty(state.id, who, code, due, since, _FOLLOW_UP, item.begun, creditor=item.owner, later=later)


def _revisits(state: DossierState, own: CommitteeState, item: Item, others: Iterable[NodeId]) -> list[Duty]:
    """A serious deficiency is looked at again within a year; one side that came has come for all."""
    agreed = item.entered("committee.recommendation_agreed")
    grave = item.facts.get("finding") == "serious_deficiency"
    if not grave or agreed is None or item.state not in _SEEN_ON_SITE or item.key in own.visits:
        return []
    due = limit("revisit")(item.facts, agreed)
    return [_of_others(state, n, "committee.revisit", item, due, agreed) for n in others]


def _corrections(state: DossierState, own: CommitteeState) -> list[Duty]:
    """Who wrote a version that is contested owes another, as long as none has come."""
    newest = {(i.facts.get("meeting"), i.facts.get("language")): i.begun for i in own.sort("minutes")}
    last = frozenset(newest.values())
    return [
        Duty(state.id, i.author, "committee.write_minutes", i.due_at, i.since, "", i.begun, creditor=i.owner)
        for i in own.sort("minutes")
        if i.state == "contested" and i.begun in last and i.author in state.members
    ]


def duties(state: DossierState) -> tuple[Duty, ...]:
    """The follow-up's clocks; reviews and reports of silence are owed by every other side."""
    own: CommitteeState | None = state.own
    if own is None or state.phase == "closed":
        return ()
    found = [*CYCLE.duties(state, own.items), *_corrections(state, own)]
    for item in own.sort("recommendation"):
        others = [n for n in state.members if n != item.owner]
        if item.state == "proposed":
            found += [
                Duty(state.id, n, "committee.agree", item.due_at, item.since, _FOLLOW_UP, item.begun)
                for n in _who_agrees(state, item)
                if n in state.members
            ]
        if item.state == "plan_review":
            found += [_of_others(state, n, "committee.review_plan", item, item.due_at, item.since) for n in others]
        found += _revisits(state, own, item, others)
        late = item.due_at if item.state in ("plan_due", "in_progress") else None
        if late is not None:
            # The duty's `since` lies ahead: silence begins when the answer is late.
            until = months_later(late, 1)
            found += [
                _of_others(state, n, "committee.report_silence", item, until, late, later=True)
                for n in others
                if n not in own.silences.get(item.key, ())
            ]
    return tuple(found)


def divergent(own: CommitteeState) -> Mapping[str, tuple[str, ...]]:
    """Meeting -> languages whose newest version not every side approved, where another language's was."""
    versions: dict[str, dict[str, list[Item]]] = {}
    for item in own.sort("minutes"):
        versions.setdefault(str(item.facts.get("meeting")), {}).setdefault(str(item.facts.get("language")), []).append(
            item
        )
    found = {}
    for meeting, by_language in versions.items():
        agreed = set()
        for language, lanes in by_language.items():
            newest = max(lanes, key=lambda i: (i.trail[0][2], i.begun)).begun
            if all(i.state == "approved" for i in lanes if i.begun == newest):
                agreed.add(language)
        if agreed and len(agreed) < len(by_language):
            found[meeting] = tuple(sorted(set(by_language) - agreed))
    return found


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Meetings held; recommendations by state and age. `out`: what we carry out; `in`: what the partner does."""
    own: CommitteeState | None = state.own
    if own is None:
        return ()
    found = [Figure("meetings.held") for i in own.sort("meeting") if window.holds(i.entered("committee.meeting_held"))]
    for item in own.sort(_REC):
        way = window.way(item.owner)
        begun = item.trail[0][2]
        if not way or not window.holds(begun):
            continue
        found += [Figure(f"recommendations.{way}"), Figure(f"recommendations.{way}.{item.state}")]
        if item.state in ("plan_due", "in_progress") and item.due_at is not None and item.due_at < window.ends:
            found.append(Figure(f"recommendations.{way}.overdue"))
        end = item.since if item.state in ("closed", "superseded") else window.ends
        found.append(Figure(f"recommendations.{way}.age", int((end - begun).total_seconds()), "seconds"))
    return tuple(found)


COMMITTEE = Kind(
    "committee",
    ACTS,
    begin,
    check,
    step,
    duties,
    lambda _state, _me: (),
    lambda entry: {
        "committee.recommended": ("recommendation",),
        "committee.plan_submitted": ("plan",),
        "committee.minutes_written": ("minutes",),
    }.get(entry.statement.type, ()),
    figures,
    escalations=frozenset({"committee.report_silence"}),
)
