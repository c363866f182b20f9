"""What a committee's secretary looks at first: which recommendations are late, who has not signed, what is next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tansiq.dossiers.model import DossierState, Entry
from tansiq.kinds.committee.rules import CommitteeState, divergent
from tansiq.kinds.items import Item
from tansiq.kinds.said import Reading, Said, instant, is_late
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


class _Known:
    """What is looked up for each recommendation and meeting: gone through once for all of them."""

    def __init__(self, state: DossierState, own: CommitteeState) -> None:
        self.own = own
        self.is_open = state.phase == "open"
        self.read = Reading(state)
        self.diverging = divergent(own)
        self._lanes: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
        for item in own.items.values():
            self._lanes[item.sort, item.begun].append(item)

    def lanes(self, sort: str, begun: EntryId) -> list[Item]:
        """The items of this sort that one entry began."""
        return self._lanes.get((sort, begun), [])


def view(state: DossierState, now: datetime) -> View | None:
    own: CommitteeState | None = state.own
    if own is None:
        return None
    known = _Known(state, own)
    found = [_recommendation(known, i, now) for i in own.sort("recommendation")]
    meetings = [_meeting(known, i) for i in own.sort("meeting")]
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


def _recommendation(known: _Known, item: Item, now: datetime) -> Recommendation:
    until = instant(item.facts, "until")
    running = known.is_open and item.state not in ENDED
    signatures = _signatures(known, item, now)
    clocks = [item.due_at, *(s.item.due_at for s in signatures if s.late)]
    # Once it is carried out, the day by which it should be no longer runs: only the signatures do.
    clocks += [until] if item.state != "implemented" else []
    late_by = max((now - c for c in clocks if running and is_late(c, now) and c), default=NOBODY_WAITS)
    return Recommendation(
        item=item,
        said=known.read.said(item.begun, "recommendation"),
        success=known.read.said(item.begun, "success"),
        finding=str(item.facts.get("finding", "")),
        priority=str(item.facts.get("priority", "")),
        until=until,
        late_by=late_by,
        plans=_plans(known.read, item),
        progress=_progress(known.read, item),
        signatures=signatures,
        silence=known.own.silences.get(item.key, ()),
    )


def _plans(read: Reading, item: Item) -> tuple[Plan, ...]:
    found: list[Plan] = []
    names = ("committee.plan_submitted", "committee.plan_accepted", "committee.plan_rejected")
    for entry in read.naming(item.begun, *names):
        s = entry.statement
        if s.type == names[0]:
            found.append(Plan(read.said(entry.id, "plan"), s.at, "", None))
        elif found and not found[-1].answer:
            answer = "accepted" if s.type == names[1] else "rejected"
            found[-1] = Plan(found[-1].said, found[-1].at, answer, s.author)
    return tuple(found)


def _progress(read: Reading, item: Item) -> tuple[Progress, ...]:
    found = []
    for entry in read.naming(item.begun, "committee.progress_reported", "committee.visited", "committee.implemented"):
        s = entry.statement
        visited = s.type == "committee.visited"
        status = str(s.facts.get("status", "implemented"))
        told = None if visited else 100 if status == "implemented" else int(s.facts.get("percent", 0))
        words = read.said(entry.id, "evidence", "narrative", "note")
        found.append(Progress(entry.id, s.author, s.at, status, told, words, visited))
    return tuple(found)


def _signatures(known: _Known, item: Item, now: datetime) -> tuple[Signature, ...]:
    """Those of the newest claim that it was carried out."""
    claims = known.read.naming(item.begun, "committee.implemented")
    return tuple(
        Signature(
            i.owner,
            i.state,
            i.last if i.state in ("signed", "withheld") else None,
            i,
            i.state == "awaited" and is_late(i.due_at, now),
        )
        for i in (known.lanes("closure", claims[-1].id) if claims else ())
    )


def _meeting(known: _Known, item: Item) -> Meeting:
    read = known.read
    agenda = [read.said(item.begun, "agenda")]
    agenda += [read.said(e.id, "agenda") for e in read.naming(item.begun, "committee.agenda_proposed")]
    held = read.naming(item.begun, "committee.meeting_held")
    attendance = held[-1].statement.facts.get("attendance", {}) if held else {}
    return Meeting(
        item,
        instant(item.facts, "due"),
        tuple(a for a in agenda if a.presence),
        {str(n): int(count) for n, count in attendance.items()},
        held[-1].id if held else None,
        _versions(known, item),
        known.diverging.get(item.begun, ()),
    )


def _versions(known: _Known, meeting: Item) -> tuple[Version, ...]:
    newest: dict[str, Entry] = {}
    for entry in known.read.naming(meeting.begun, "committee.minutes_written", field="meeting"):
        newest[str(entry.statement.facts.get("language", ""))] = entry
    return tuple(
        Version(
            language,
            known.read.said(e.id, "minutes"),
            e.statement.author,
            bool(e.statement.facts.get("authentic")),
            tuple(known.lanes("minutes", e.id)),
        )
        for language, e in sorted(newest.items())
    )
