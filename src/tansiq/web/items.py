"""A dossier's items and its kind's own summary, as a page shows them. No kind is known by name here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tansiq.dossiers.model import ActRule, DossierState
from tansiq.kinds import Item, SummaryLine, face_of, items_of
from tansiq.terms import EntryId
from tansiq.web import views

NODE = re.compile(r"[a-z]{2}-[a-z0-9]{20}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
FACTS_SHOWN = 6
NAMED = frozenset({"about", "owner", "due", "digest", "member", "meeting", "match", "venue"})
"""Facts of an item that stand in columns of their own, or say nothing to a reader."""


@dataclass(frozen=True)
class ItemRow:
    """One item: what it is called, where it stands, who owes it until when, and its steps so far."""

    item: Item
    name: str
    clock: views.ClockView | None
    facts: Mapping[str, object]
    acts: tuple[ActRule, ...] = ()
    """What this service may do with it now."""


@dataclass(frozen=True)
class ItemTable:
    """The items of one sort."""

    sort: str
    rows: tuple[ItemRow, ...]


@dataclass(frozen=True)
class SummaryRow:
    """One line of the kind's own summary. `values`: (form, text); form is node, instant or text."""

    line: SummaryLine
    values: tuple[tuple[str, str], ...]
    about: str


def tables(
    state: DossierState, names: Mapping[EntryId, str], now: datetime, steps: Mapping[str, list[ActRule]]
) -> tuple[ItemTable, ...]:
    found: dict[str, list[ItemRow]] = {}
    for item in items_of(state):
        clock = views.clock(item.since, item.due_at, now) if item.due_at else None
        facts = {k: v for k, v in item.facts.items() if k not in NAMED and v not in ("", [], {}, 0, None)}
        acts = tuple(steps.get(item.key, ()))
        shown = dict(list(facts.items())[:FACTS_SHOWN])
        found.setdefault(item.sort, []).append(ItemRow(item, names.get(item.begun, ""), clock, shown, acts))
    return tuple(ItemTable(sort, tuple(rows)) for sort, rows in found.items())


def summary(state: DossierState, names: Mapping[EntryId, str]) -> tuple[SummaryRow, ...]:
    """What the kind says of itself beside its items."""
    lines = face_of(state.kind).summary(state) if state.own is not None else ()
    return tuple(
        SummaryRow(x, tuple((_form(v), v) for v in x.values), names.get(EntryId(x.about), "") if x.about else "")
        for x in lines
    )


def _form(value: str) -> str:
    if NODE.fullmatch(value):
        return "node"
    return "instant" if INSTANT.match(value) else "text"
