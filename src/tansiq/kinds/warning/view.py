"""What whoever a warning reaches looks at first: what, where, when, how sure; who has read it; what each has done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.dossiers.model import DossierState, Entry
from tansiq.kinds.items import Item
from tansiq.kinds.said import Said, acts, instant, is_late, newest, said
from tansiq.kinds.warning.rules import WarningState
from tansiq.terms import EntryId, NodeId

CHANGED = ("precedence", "window_from", "window_until", "grade")


@dataclass(frozen=True, slots=True)
class Reader:
    """An addressee's acknowledgement of what holds now."""

    item: Item
    read_at: datetime | None
    late: bool
    """Not read, and the time that the precedence gives is over; or read after it."""


@dataclass(frozen=True, slots=True)
class Update:
    entry: EntryId
    at: datetime
    changed: tuple[tuple[str, str], ...]
    said: Said


@dataclass(frozen=True, slots=True)
class Measure:
    entry: EntryId
    at: datetime
    measure: str
    state: str
    said: Said


@dataclass(frozen=True, slots=True)
class Answer:
    """What an addressee tells after the stand-down."""

    item: Item
    outcome: str
    used: bool | None
    late: bool


@dataclass(frozen=True, slots=True)
class View:
    """The warning as a page draws it: as it stands after all updates."""

    threat: Said
    place: Said
    target: Said
    target_kind: str
    precedence: str
    grade: str
    country: str
    areas: tuple[str, ...]
    window: tuple[datetime | None, datetime | None]
    stands: str
    """Where now lies: before, within or after the window; empty: no window is known."""
    issued_at: datetime
    newest: EntryId
    updated_at: datetime | None
    readers: tuple[Reader, ...]
    updates: tuple[Update, ...]
    measures: tuple[tuple[NodeId, tuple[Measure, ...]], ...]
    """Every member with what it did, the newest first; nothing: it told none."""
    answers: tuple[Answer, ...]
    reason: str
    stood_down: EntryId | None
    outcome: str
    outcome_entry: EntryId | None

    @property
    def waiting(self) -> int:
        return sum(r.item.state == "awaited" for r in self.readers)


def view(state: DossierState, now: datetime) -> View | None:
    own: WarningState | None = state.own
    if own is None or state.opened_at is None:
        return None
    told = [state.first, *acts(state, "warning.updated")]
    down, ended = newest(state, "warning.stood_down"), newest(state, "warning.outcome_recorded")
    window = (instant(own.facts, "window_from"), instant(own.facts, "window_until"))
    return View(
        threat=_last_said(state, told, "threat"),
        place=_last_said(state, told, "place"),
        target=_last_said(state, told, "target"),
        target_kind=str(own.facts.get("target", "")),
        precedence=str(own.facts.get("precedence", "routine")),
        grade=str(own.facts.get("grade", "")),
        country=str(own.facts.get("country", "")),
        areas=tuple(map(str, own.facts.get("crime_areas", ()))),
        window=window,
        stands=_stands(window, now),
        issued_at=state.opened_at,
        newest=own.newest,
        updated_at=told[-1].statement.at if len(told) > 1 else None,
        readers=tuple(_reader(i, now) for i in own.items.values() if i.begun == own.newest),
        updates=tuple(_update(state, e) for e in reversed(told[1:])),
        measures=tuple((n, _measures(state, n)) for n in state.members),
        answers=tuple(_answer(i, now) for i in own.items.values() if i.sort == "feedback"),
        reason=str(down.statement.facts.get("reason", "")) if down else "",
        stood_down=down.id if down else None,
        outcome=own.outcome,
        outcome_entry=ended.id if ended else None,
    )


def _last_said(state: DossierState, told: list[Entry], kind: str) -> Said:
    """As the newest of them says it; what it does not speak of stays as it was."""
    found = [said(state, e.id, kind) for e in reversed(told)]
    return next((s for s in found if s.presence), found[-1])


def _stands(window: tuple[datetime | None, datetime | None], now: datetime) -> str:
    begins, ends = window
    if begins is None and ends is None:
        return ""
    if ends is not None and now > ends:
        return "after"
    return "before" if begins is not None and now < begins else "within"


def _reader(item: Item, now: datetime) -> Reader:
    read_at = item.entered("warning.acknowledged")
    # Owed after the stand-down too: nobody may act on a warning without knowing how it ended.
    late = is_late(item.due_at, read_at or now)
    return Reader(item, read_at, late)


def _update(state: DossierState, entry: Entry) -> Update:
    facts = entry.statement.facts
    changed = tuple((name, str(facts[name])) for name in CHANGED if facts.get(name))
    return Update(entry.id, entry.statement.at, changed, said(state, entry.id, "narrative", "note", "threat"))


def _measures(state: DossierState, node: NodeId) -> tuple[Measure, ...]:
    found = [e for e in acts(state, "warning.measure_taken") if e.statement.author == node]
    return tuple(
        Measure(
            e.id,
            e.statement.at,
            str(e.statement.facts.get("measure", "")),
            str(e.statement.facts.get("state", "done")),
            said(state, e.id, "measure", "narrative", "note"),
        )
        for e in reversed(found)
    )


def _answer(item: Item, now: datetime) -> Answer:
    given = item.state == "given"
    used = bool(item.facts.get("used")) if given else None
    return Answer(
        item, str(item.facts.get("outcome", "")) if given else "", used, not given and is_late(item.due_at, now)
    )
