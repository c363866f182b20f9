"""What an operation's room looks at first: who is in it and by what law, what each has to do, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from tansiq.dossiers.model import DossierState, Entry
from tansiq.kinds.items import Item
from tansiq.kinds.operation.matrix import possible
from tansiq.kinds.operation.model import FORMS_TO_SIGN
from tansiq.kinds.operation.rules import OperationState, totals
from tansiq.kinds.said import Said, acts, instant, is_late, said
from tansiq.terms import EntryId, NodeId, country_of

AGREEMENT = ("leaders", "participants", "evidence_rules", "data_rules", "arrangements")
"""Parts of the agreement beside its objective, as the proposal has them."""
MOST_LINES = 40
"""Of the log that the board shows; all stand in the entries."""
COUNTED = (
    "arrests",
    "victims_freed",
    "seizures",
    "drugs_grams",
    "firearms",
    "cash_eur",
    "cells_dismantled",
    "networks_dismantled",
)


@dataclass(frozen=True, slots=True)
class Party:
    node: NodeId
    leads: bool
    """It opened the operation."""
    signed: EntryId | None
    declined: bool
    owes: int
    late: int
    """Of its tasks that are not done, and of those late."""


@dataclass(frozen=True, slots=True)
class Task:
    item: Item
    said: Said
    urgent: bool
    late: bool


@dataclass(frozen=True, slots=True)
class LogLine:
    """A situation report or a decision, with its author's own number."""

    entry: EntryId
    at: datetime
    by: NodeId
    decision: bool
    number: int
    said: Said


@dataclass(frozen=True, slots=True)
class Result:
    """What one party recorded; it counts when every other agreed."""

    entry: EntryId
    by: NodeId
    counts: tuple[tuple[str, int], ...]
    answers: tuple[Item, ...]

    @property
    def counted(self) -> bool:
        return all(i.state == "agreed" for i in self.answers)


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that was asked for, with the lane of each State that answers for itself."""

    entry: EntryId
    by: NodeId
    measure: str
    urgent: bool
    crossing_at: datetime | None
    until: datetime | None
    parts: tuple[tuple[str, Said], ...]
    lanes: tuple[Item, ...]
    aborts: tuple[Item, ...]
    late: bool
    """A State has not answered in its time, or not acknowledged an abort."""


@dataclass(frozen=True, slots=True)
class Amendment:
    entry: EntryId
    by: NodeId
    said: Said
    until: datetime | None
    lanes: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class View:
    """The operation as a page draws it."""

    form: str
    signs: bool
    active: bool
    proposal: EntryId
    objective: Said
    agreement: tuple[tuple[str, Said], ...]
    window: tuple[datetime | None, datetime | None]
    areas: tuple[str, ...]
    states: tuple[str, ...]
    law: tuple[tuple[str, str, tuple[str, ...]], ...]
    """(country, country, clauses) that allow this form between the two."""
    allowed: Mapping[str, tuple[str, ...]]
    """What else all of these countries' instruments allow: measure -> clauses."""
    parties: tuple[Party, ...]
    tasks: tuple[Task, ...]
    log: tuple[LogLine, ...]
    left_out: int
    totals: tuple[tuple[str, int], ...]
    results: tuple[Result, ...]
    measures: tuple[Measure, ...]
    exhibits: tuple[tuple[Item, Said], ...]
    amendments: tuple[Amendment, ...]
    evaluations: tuple[Item, ...]
    outcome: str
    closed: EntryId | None
    erase_by: datetime | None
    erased: tuple[tuple[NodeId, bool], ...]
    """Once it is closed: each member, and whether it said that it erased."""


def view(state: DossierState, now: datetime) -> View | None:
    own: OperationState | None = state.own
    if own is None or state.opener is None:
        return None
    form, log = str(own.facts.get("form", "")), _log(state)
    tasks = _tasks(state, own, now)
    counted = totals(own)
    told = [(name, said(state, own.proposal, name)) for name in AGREEMENT]
    closing = state.entry(own.closed) if own.closed else None
    return View(
        form=form,
        signs=form in FORMS_TO_SIGN,
        active=own.active,
        proposal=own.proposal,
        objective=said(state, own.proposal, "objective", "purpose", "narrative"),
        agreement=tuple((name, words) for name, words in told if words.presence),
        window=(instant(own.facts, "window_from"), instant(own.facts, "window_until")),
        areas=tuple(map(str, own.facts.get("crime_areas", ()))),
        states=tuple(map(str, own.facts.get("states", ()))),
        law=_law(state, form),
        allowed={m: c for m, c in possible({country_of(n) for n in state.members}).items() if m != form},
        parties=tuple(_party(state, own, n, tasks) for n in state.members),
        tasks=tasks,
        log=log[:MOST_LINES],
        left_out=max(0, len(log) - MOST_LINES),
        totals=tuple((name, counted.get(name, 0)) for name in COUNTED if counted.get(name)),
        results=_results(state, own),
        measures=_measures(state, own, now),
        exhibits=tuple((i, said(state, i.begun, "exhibit", "narrative")) for i in own.sort("exhibit")),
        amendments=_amendments(state, own),
        evaluations=own.sort("evaluation"),
        outcome=str(closing.statement.facts.get("outcome", "")) if closing else "",
        closed=own.closed,
        erase_by=own.erase_by,
        erased=tuple((n, n in own.erased) for n in state.members) if own.closed else (),
    )


def _law(state: DossierState, form: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    pairs = combinations(sorted({country_of(n) for n in state.members}), 2)
    found = ((a, b, possible((a, b)).get(form, ())) for a, b in pairs)
    return tuple(x for x in found if x[2])


def _party(state: DossierState, own: OperationState, node: NodeId, tasks: tuple[Task, ...]) -> Party:
    signed = [
        e.id
        for e in acts(state, "operation.signed")
        if e.statement.author == node and e.statement.facts.get("about") == own.proposal
    ]
    leads = node == state.opener
    entry = own.proposal if leads else signed[0] if signed else None
    mine = [t for t in tasks if t.item.owner == node and t.item.state == "given"]
    return Party(node, leads, entry, node in own.declined, len(mine), sum(t.late for t in mine))


def _tasks(state: DossierState, own: OperationState, now: datetime) -> tuple[Task, ...]:
    """What is still to be done first, the latest before all; what is over as it ended, the newest first."""
    found = []
    for item in own.sort("task"):
        late = item.state == "given" and state.phase == "open" and is_late(item.due_at, now)
        words = said(state, item.begun, "task", "narrative", "note")
        found.append(Task(item, words, item.facts.get("urgency") == "urgent", late))
    far = datetime.max.replace(tzinfo=now.tzinfo)
    todo = sorted((t for t in found if t.item.state == "given"), key=lambda t: (t.item.due_at or far, t.item.key))
    over = sorted((t for t in found if t.item.state != "given"), key=lambda t: t.item.since, reverse=True)
    return (*todo, *over)


def _log(state: DossierState) -> tuple[LogLine, ...]:
    """Newest first, as in a room."""
    found = []
    for entry in acts(state, "operation.situation_reported", "operation.decision_taken"):
        s = entry.statement
        decision = s.type == "operation.decision_taken"
        words = said(state, entry.id, "decision" if decision else "situation", "narrative", "note")
        at = instant(s.facts, "at") or s.at
        found.append(LogLine(entry.id, at, s.author, decision, int(s.facts.get("number", 0)), words))
    return tuple(sorted(reversed(found), key=lambda x: x.at, reverse=True))


def _begun(state: DossierState, items: Iterable[Item]) -> dict[EntryId, tuple[Entry, tuple[Item, ...]]]:
    """Lanes that one entry began, with it, in the order in which they began."""
    lanes: dict[EntryId, list[Item]] = {}
    for item in items:
        lanes.setdefault(item.begun, []).append(item)
    return {key: (entry, tuple(of)) for key, of in lanes.items() if (entry := state.entry(key)) is not None}


def _results(state: DossierState, own: OperationState) -> tuple[Result, ...]:
    found = []
    for key, (entry, lanes) in _begun(state, own.sort("result")).items():
        facts = entry.statement.facts
        counts = tuple((name, int(facts[name])) for name in COUNTED if facts.get(name))
        found.append(Result(key, entry.statement.author, counts, lanes))
    return tuple(reversed(found))


def _measures(state: DossierState, own: OperationState, now: datetime) -> tuple[Measure, ...]:
    aborts: dict[str, list[Item]] = {}
    for item in own.sort("abort"):
        aborts.setdefault(str(item.facts.get("about", "")), []).append(item)
    found = []
    for key, (entry, lanes) in _begun(state, own.sort("measure")).items():
        facts = entry.statement.facts
        told = [(p, said(state, key, p)) for p in ("goods", "route", "officers", "means", "abort_criteria")]
        waits = [i for i in lanes if i.state == "asked"] + [i for i in aborts.get(key, ()) if i.state == "awaited"]
        found.append(
            Measure(
                key,
                entry.statement.author,
                str(facts.get("measure", "")),
                facts.get("urgency") == "urgent",
                instant(facts, "crossing_at"),
                instant(facts, "until"),
                tuple((p, words) for p, words in told if words.presence),
                lanes,
                tuple(aborts.get(key, ())),
                state.phase == "open" and any(is_late(i.due_at, now) for i in waits),
            )
        )
    return tuple(reversed(found))


def _amendments(state: DossierState, own: OperationState) -> tuple[Amendment, ...]:
    return tuple(
        Amendment(
            key,
            entry.statement.author,
            said(state, key, "arrangements", *AGREEMENT, "narrative", "note"),
            instant(entry.statement.facts, "window_until"),
            lanes,
        )
        for key, (entry, lanes) in _begun(state, own.sort("amendment")).items()
    )
