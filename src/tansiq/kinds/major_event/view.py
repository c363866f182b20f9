"""What a match-day desk looks at first: which match when and where, how high each side sees the risk, what is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tansiq.dossiers.model import DossierState, Entry
from tansiq.kinds.items import Item
from tansiq.kinds.major_event.checklist import CHECKLIST, PILLARS
from tansiq.kinds.major_event.rules import EventState, report_due, safe_capacity, sides
from tansiq.kinds.said import Said, acts, instant, is_late, said
from tansiq.terms import EntryId, NodeId

MOST_LINES = 40
"""Of the log that the page shows; all stand in the entries."""
CAPACITIES = ("entry", "holding", "exit", "emergency")
POWERS = ("arms", "uniform", "powers")
PEOPLE = ("leaders", "coordinators", "spotters", "liaison", "escorts", "press", "vehicles")
LOGGED = (
    "major_event.logged",
    "major_event.situation_reported",
    "major_event.incident_reported",
    "major_event.information_asked",
    "major_event.shift_opened",
    "major_event.shift_handed_over",
)


@dataclass(frozen=True, slots=True)
class Side:
    """Host or visitor of a match: how high it sees the risk, its team dossier, its report after the match."""

    node: NodeId
    hosts: bool
    level: int | None
    assessed: EntryId | None
    dossier: Item | None
    """None: a host owes none."""
    dossier_late: bool
    reported: EntryId | None
    report_due: datetime | None
    report_late: bool


@dataclass(frozen=True, slots=True)
class Match:
    item: Item
    kickoff: datetime | None
    venue: Said | None
    venue_entry: EntryId | None
    expected: int
    safe: int | None
    """The venue's safe capacity; None where it is not known."""
    sides: tuple[Side, ...]
    apart: bool
    """Host and visitors see different risk."""
    over: bool
    """Its kick-off has passed."""

    @property
    def crowded(self) -> bool:
        return self.safe is not None and self.expected > self.safe


@dataclass(frozen=True, slots=True)
class Pillar:
    """How far the checklist of one venue has come under one pillar; what nobody set yet is counted too."""

    pillar: str
    lines: int
    done: int
    not_applicable: int
    to_do: int
    late: int

    @property
    def unset(self) -> int:
        return max(0, self.lines - self.done - self.not_applicable - self.to_do)


@dataclass(frozen=True, slots=True)
class Venue:
    item: Item
    said: Said
    capacities: tuple[tuple[str, int], ...]
    safe: int | None
    certificate_until: datetime | None
    certificate_over: bool
    pillars: tuple[Pillar, ...]
    measures: tuple[tuple[Item, bool], ...]
    """The lines set for it, those to do first, with whether they are late."""


@dataclass(frozen=True, slots=True)
class Delegation:
    item: Item
    people: tuple[tuple[str, int], ...]
    asks: tuple[str, ...]
    """Arms, uniform, powers, where it asks for them."""
    conditions: Said
    late: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    entry: EntryId
    act: str
    at: datetime
    by: NodeId
    said: Said
    facts: Mapping[str, object]
    item: Item | None
    """A question, an incident or a shift: it may still be open."""
    answer: Said | None
    late: bool


@dataclass(frozen=True, slots=True)
class View:
    """The event as a page draws it."""

    form: str
    window: tuple[datetime | None, datetime]
    hosts: tuple[NodeId, ...]
    matches: tuple[Match, ...]
    venues: tuple[Venue, ...]
    sites: tuple[tuple[EntryId, str, int, Said], ...]
    delegations: tuple[Delegation, ...]
    log: tuple[LogLine, ...]
    left_out: int
    open: tuple[LogLine, ...]
    """Questions, incidents and shifts that are still open, the late ones first."""
    lessons: tuple[tuple[Item, Said], ...]
    bans: tuple[EntryId, ...]
    dies_at: datetime
    erased: tuple[tuple[NodeId, bool], ...]
    """Once it is closed: each member, and whether it said that it erased."""

    @property
    def late(self) -> int:
        """What is late of team dossiers and of reports after a match."""
        return sum(s.dossier_late + s.report_late for m in self.matches for s in m.sides)


def view(state: DossierState, now: datetime) -> View | None:
    own: EventState | None = state.own
    if own is None:
        return None
    log = _log(state, own, now)
    open_ = sorted((x for x in log if x.item and x.item.state in ("asked", "open")), key=lambda x: (not x.late, x.at))
    far = datetime.max.replace(tzinfo=now.tzinfo)
    matches = sorted((_match(state, own, i, now) for i in own.sort("match")), key=lambda m: m.kickoff or far)
    return View(
        form=str(own.facts.get("form", "")),
        window=(instant(own.facts, "window_from"), own.ends_at),
        hosts=tuple(NodeId(str(n)) for n in own.facts.get("hosts", ())),
        matches=tuple(matches),
        venues=tuple(_venue(state, own, i, now) for i in own.sort("venue")),
        sites=tuple(_site(state, e) for e in acts(state, "major_event.site_described")),
        delegations=tuple(_delegation(state, i, now) for i in own.sort("delegation")),
        log=log[:MOST_LINES],
        left_out=max(0, len(log) - MOST_LINES),
        open=tuple(open_),
        lessons=tuple((i, said(state, i.begun, "lesson")) for i in own.sort("lesson")),
        bans=own.bans,
        dies_at=own.dies_at,
        erased=tuple((n, n in own.erased) for n in state.members) if own.closed_at or own.erased else (),
    )


def _match(state: DossierState, own: EventState, item: Item, now: datetime) -> Match:
    kickoff = instant(item.facts, "kickoff")
    venue = own.items.get(str(item.facts.get("venue", "")))
    levels = own.levels.get(item.key, {})
    return Match(
        item,
        kickoff,
        said(state, venue.begun, "venue") if venue else None,
        venue.begun if venue else None,
        int(item.facts.get("expected", 0)),
        safe_capacity(venue) if venue else None,
        tuple(_side(state, own, item, n, now) for n in sides(item)),
        len(set(levels.values())) > 1,
        is_late(kickoff, now),
    )


def _side(state: DossierState, own: EventState, match: Item, node: NodeId, now: datetime) -> Side:
    lane = own.items.get(f"{match.key}/{node}")
    due = report_due(match)
    told = _last(state, "major_event.post_match_reported", node, about=match.key)
    judged = _last(state, "major_event.risk_assessed", node, match=match.key)
    return Side(
        node=node,
        hosts=node == match.facts.get("host"),
        level=own.levels.get(match.key, {}).get(node),
        assessed=judged.id if judged else None,
        dossier=lane,
        dossier_late=lane is not None and state.phase == "open" and _owes_dossier(lane, now),
        reported=told.id if told else None,
        report_due=due,
        report_late=told is None and is_late(due, now),
    )


def _owes_dossier(lane: Item, now: datetime) -> bool:
    """Not sent in time, or sent and never made final before the kick-off."""
    return lane.state in ("draft", "sent", "updated") and is_late(lane.due_at, now)


def _last(state: DossierState, act: str, author: NodeId, **facts: str) -> Entry | None:
    found = [
        e
        for e in acts(state, act)
        if e.statement.author == author and all(e.statement.facts.get(k) == v for k, v in facts.items())
    ]
    return found[-1] if found else None


def _venue(state: DossierState, own: EventState, item: Item, now: datetime) -> Venue:
    mine = [i for i in own.sort("measure") if i.facts.get("venue") == item.key]
    until = instant(item.facts, "certificate_until")
    open_ = state.phase == "open"
    found = [(i, open_ and i.state == "set" and is_late(i.due_at, now)) for i in mine]
    far = datetime.max.replace(tzinfo=now.tzinfo)
    order = sorted(found, key=lambda x: (x[0].state != "set", x[0].due_at or far, x[0].key))
    return Venue(
        item,
        said(state, item.begun, "venue"),
        tuple((name, int(item.facts.get(name) or 0)) for name in CAPACITIES),
        safe_capacity(item),
        until,
        is_late(until, now),
        tuple(_pillar(pillar, found) for pillar in PILLARS),
        tuple(order),
    )


def _pillar(pillar: str, measures: list[tuple[Item, bool]]) -> Pillar:
    """A line that was set twice counts once: as it stands in its newest setting."""
    newest: dict[str, tuple[Item, bool]] = {}
    for item, late in measures:
        line = CHECKLIST.get(str(item.facts.get("code", "")))
        if line is not None and line.pillar == pillar:
            newest[line.code] = (item, late)
    states = [i.state for i, _late in newest.values()]
    return Pillar(
        pillar,
        sum(m.pillar == pillar for m in CHECKLIST.values()),
        states.count("done"),
        states.count("not_applicable"),
        states.count("set"),
        sum(late for _i, late in newest.values()),
    )


def _site(state: DossierState, entry: Entry) -> tuple[EntryId, str, int, Said]:
    facts = entry.statement.facts
    return entry.id, str(facts.get("form", "")), int(facts.get("expected", 0)), said(state, entry.id, "venue")


def _delegation(state: DossierState, item: Item, now: datetime) -> Delegation:
    people = tuple((name, int(item.facts[name])) for name in PEOPLE if item.facts.get(name))
    late = item.state == "declared" and state.phase == "open" and is_late(item.due_at, now)
    asks = tuple(name for name in POWERS if item.facts.get(name))
    return Delegation(item, people, asks, said(state, item.last, "conditions", "note"), late)


def _log(state: DossierState, own: EventState, now: datetime) -> tuple[LogLine, ...]:
    """Newest first, as in a room."""
    found = []
    for entry in acts(state, *LOGGED):
        s = entry.statement
        item = own.items.get(entry.id)
        words = said(state, entry.id, "situation", "question", "narrative", "note")
        answered = item is not None and item.sort == "question" and item.last != entry.id
        answer = said(state, item.last, "answer") if item is not None and answered else None
        late = item is not None and item.state in ("asked", "open") and is_late(item.due_at, now)
        late = late and state.phase == "open"
        found.append(LogLine(entry.id, s.type, s.at, s.author, words, s.facts, item, answer, late))
    return tuple(sorted(reversed(found), key=lambda x: x.at, reverse=True))
