"""What a committee's secretary looks at first: which recommendations are late, who has not signed, what is next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tansiq.dossiers.model import DossierState, Entry
from tansiq.kinds.committee.rules import CommitteeState, divergent
from tansiq.kinds.items import Item
from tansiq.kinds.said import Said, acts, instant, is_late, said
from tansiq.terms import EntryId, NodeId

STAGES = ("proposed", "plan_due", "plan_review", "in_progress", "implemented", "closed")
"""The way of a recommendation that nobody contests; `contested` and `superseded` lie beside it."""
ENDED = ("closed", "superseded")
NOBODY_WAITS = timedelta()


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of the action plan, and what another side said to it."""

    said: Said
    at: datetime
    answer: str
    """accepted, rejected; empty: nobody has answered."""
    by: NodeId | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A report of its addressee, or of a side that came to look (`visited`)."""

    entry: EntryId
    by: NodeId
    at: datetime
    status: str
    percent: int | None
    said: Said
    visited: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """One side's answer to the claim that it was carried out."""

    node: NodeId
    state: str
    entry: EntryId | None
    item: Item
    late: bool


@dataclass(frozen=True, slots=True)
class Recommendation:
    item: Item
    said: Said
    success: Said
    finding: str
    priority: str
    until: datetime | None
    """By when it should be carried out, as agreed; beside it the follow-up's own clock runs (`item.due_at`)."""
    late_by: timedelta
    """How late it is by the later of its two clocks' ends that passed; nothing: it is not late."""
    plans: tuple[Plan, ...]
    progress: tuple[Progress, ...]
    signatures: tuple[Signature, ...]
    silence: tuple[NodeId, ...]
    """Who reported that its addressee keeps silent."""

    @property
    def late(self) -> bool:
        return self.late_by > NOBODY_WAITS

    @property
    def stage(self) -> int:
        """How far it is on its way; -1: beside it."""
        return STAGES.index(self.item.state) if self.item.state in STAGES else -1

    @property
    def percent(self) -> int | None:
        """What its addressee last wrote, not what a visitor saw."""
        return next((p.percent for p in reversed(self.progress) if p.percent is not None), None)


@dataclass(frozen=True, slots=True)
class Version:
    """The minutes in one language: the newest text, and each other side's answer to it."""

    language: str
    said: Said
    by: NodeId
    authentic: bool
    answers: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    item: Item
    begins: datetime | None
    agenda: tuple[Said, ...]
    attendance: Mapping[str, int]
    held: EntryId | None
    versions: tuple[Version, ...]
    diverging: tuple[str, ...]
    """Languages whose version not all approved while another's was."""


@dataclass(frozen=True, slots=True)
class View:
    """The committee as a page draws it."""

    form: str
    meetings_a_year: int
    languages: tuple[str, ...]
    chair: str
    upcoming: Meeting | None
    """The meeting that is next, or the one that should have been held."""
    meetings: tuple[Meeting, ...]
    recommendations: tuple[Recommendation, ...]
    figures: tuple[tuple[NodeId, NodeId, EntryId], ...]

    @property
    def late(self) -> int:
        return sum(r.late for r in self.recommendations)

    @property
    def running(self) -> int:
        return sum(r.item.state not in (*ENDED, "implemented") for r in self.recommendations)

    @property
    def to_sign(self) -> int:
        return sum(r.item.state == "implemented" for r in self.recommendations)

    @property
    def closed(self) -> int:
        return sum(r.item.state == "closed" for r in self.recommendations)


def view(state: DossierState, now: datetime) -> View | None:
    own: CommitteeState | None = state.own
    if own is None:
        return None
    found = [_recommendation(state, own, i, now) for i in own.sort("recommendation")]
    meetings = [_meeting(state, own, i) for i in own.sort("meeting")]
    called = sorted((m for m in meetings if m.item.state == "called"), key=lambda m: m.begins or now)
    upcoming = called[0] if called and state.phase == "open" else None
    past = sorted((m for m in meetings if m is not upcoming), key=lambda m: m.begins or now, reverse=True)
    return View(
        form=str(own.facts.get("form", "")),
        meetings_a_year=int(own.facts.get("meetings_a_year", 0)),
        languages=tuple(map(str, own.facts.get("languages", ()))),
        chair=str(own.facts.get("chair", "")),
        upcoming=upcoming,
        meetings=tuple(past),
        recommendations=tuple(sorted(found, key=_order)),
        figures=tuple((by, NodeId(about), entry) for (by, about), entry in own.scorecards.items()),
    )


def _order(r: Recommendation) -> tuple[int, float, str]:
    """What is late first, the latest of all before the others; then by the next clock; what has ended last."""
    if r.late:
        return (0, -r.late_by.total_seconds(), r.item.key)
    if r.item.state in ENDED:
        return (3, -r.item.since.timestamp(), r.item.key)
    ends = [s.item.due_at for s in r.signatures if s.state == "awaited" and s.item.due_at]
    due = r.item.due_at or min(ends, default=None)
    return (1, due.timestamp(), r.item.key) if due else (2, r.item.since.timestamp(), r.item.key)


def _recommendation(state: DossierState, own: CommitteeState, item: Item, now: datetime) -> Recommendation:
    until = instant(item.facts, "until")
    running = state.phase == "open" and item.state not in ENDED
    signatures = _signatures(state, own, item, now)
    clocks = [item.due_at, *(s.item.due_at for s in signatures if s.late)]
    # Once it is carried out, the day by which it should be no longer runs: only the signatures do.
    clocks += [until] if item.state != "implemented" else []
    late_by = max((now - c for c in clocks if running and is_late(c, now) and c), default=NOBODY_WAITS)
    return Recommendation(
        item=item,
        said=said(state, item.begun, "recommendation"),
        success=said(state, item.begun, "success"),
        finding=str(item.facts.get("finding", "")),
        priority=str(item.facts.get("priority", "")),
        until=until,
        late_by=late_by,
        plans=_plans(state, item),
        progress=_progress(state, item),
        signatures=signatures,
        silence=own.silences.get(item.key, ()),
    )


def _about(state: DossierState, item: Item, *types: str) -> list[Entry]:
    return [e for e in acts(state, *types) if e.statement.facts.get("about") == item.begun]


def _plans(state: DossierState, item: Item) -> tuple[Plan, ...]:
    found: list[Plan] = []
    names = ("committee.plan_submitted", "committee.plan_accepted", "committee.plan_rejected")
    for entry in _about(state, item, *names):
        s = entry.statement
        if s.type == names[0]:
            found.append(Plan(said(state, entry.id, "plan"), s.at, "", None))
        elif found and not found[-1].answer:
            answer = "accepted" if s.type == names[1] else "rejected"
            found[-1] = Plan(found[-1].said, found[-1].at, answer, s.author)
    return tuple(found)


def _progress(state: DossierState, item: Item) -> tuple[Progress, ...]:
    found = []
    for entry in _about(state, item, "committee.progress_reported", "committee.visited", "committee.implemented"):
        s = entry.statement
        visited = s.type == "committee.visited"
        status = str(s.facts.get("status", "implemented"))
        told = None if visited else 100 if status == "implemented" else int(s.facts.get("percent", 0))
        words = said(state, entry.id, "evidence", "narrative", "note")
        found.append(Progress(entry.id, s.author, s.at, status, told, words, visited))
    return tuple(found)


def _signatures(state: DossierState, own: CommitteeState, item: Item, now: datetime) -> tuple[Signature, ...]:
    """Those of the newest claim that it was carried out."""
    claims = _about(state, item, "committee.implemented")
    lanes = [i for i in own.sort("closure") if claims and i.begun == claims[-1].id]
    return tuple(
        Signature(
            i.owner,
            i.state,
            i.last if i.state in ("signed", "withheld") else None,
            i,
            i.state == "awaited" and is_late(i.due_at, now),
        )
        for i in lanes
    )


def _meeting(state: DossierState, own: CommitteeState, item: Item) -> Meeting:
    agenda = [said(state, item.begun, "agenda")]
    agenda += [said(state, e.id, "agenda") for e in _about(state, item, "committee.agenda_proposed")]
    held = _about(state, item, "committee.meeting_held")
    attendance = held[-1].statement.facts.get("attendance", {}) if held else {}
    return Meeting(
        item,
        instant(item.facts, "due"),
        tuple(a for a in agenda if a.presence),
        {str(n): int(count) for n, count in attendance.items()},
        held[-1].id if held else None,
        _versions(state, own, item),
        divergent(own).get(item.begun, ()),
    )


def _versions(state: DossierState, own: CommitteeState, meeting: Item) -> tuple[Version, ...]:
    newest: dict[str, Entry] = {}
    for entry in acts(state, "committee.minutes_written"):
        facts = entry.statement.facts
        if facts.get("meeting") == meeting.begun:
            newest[str(facts.get("language", ""))] = entry
    return tuple(
        Version(
            language,
            said(state, e.id, "minutes"),
            e.statement.author,
            bool(e.statement.facts.get("authentic")),
            tuple(i for i in own.sort("minutes") if i.begun == e.id),
        )
        for language, e in sorted(newest.items())
    )
