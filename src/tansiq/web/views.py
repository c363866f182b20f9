"""From what services return to what a page shows: clocks, scores, entries. Pure; no text is translated here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tansiq.bank.model import Claim, Entity
from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Mark, Part
from tansiq.terms import EntryId, NodeId

TRACK = 300
"""Units of the clock's track."""
FALL = 130
"""Units of the waterfall's width."""
SCORE_WORDS = ((0.9, "Strong"), (0.6, "Fair"), (0.0, "Weak"))
CONTROLS = {*range(0x20), *range(0x7F, 0xA0)} - {*map(ord, "\t\n\r")}
DIRECTION_CONTROLS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
TAGS = range(0xE0000, 0xE0080)
"""Letters that no font draws."""
_SEEN = {c: f"[U+{c:04X}]" for c in (*CONTROLS, *DIRECTION_CONTROLS, *TAGS)}
RIGHT_TO_LEFT = ("ar", "fa", "he", "ur", "ps")


@dataclass(frozen=True)
class ClockView:
    """A legal clock at one moment. `level`: calm, half, quarter, late, stopped."""

    level: str
    digits: str
    late: bool
    run: int
    due_at: datetime | None
    since: datetime
    left: timedelta


def clock(since: datetime, due_at: datetime | None, now: datetime) -> ClockView:
    """Over half the time left: calm. A clock that is stopped shows no time."""
    if due_at is None:
        return ClockView("stopped", "", False, 0, None, since, timedelta())
    whole = max((due_at - since).total_seconds(), 1.0)
    left = due_at - now
    share = left.total_seconds() / whole
    level = "late" if share < 0 else "quarter" if share < 0.25 else "half" if share < 0.5 else "calm"
    run = int(min(1.0, max(0.0, 1 - share)) * TRACK)
    return ClockView(level, clock_digits(left), share < 0, run, due_at, since, left)


def clock_digits(left: timedelta) -> str:
    """`hh:mm:ss`; over two days the page writes days and hours in its own words (empty here)."""
    seconds = int(abs(left.total_seconds()))
    if seconds >= 172_800:
        return ""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def urgency(duty: Duty) -> tuple[int, datetime]:
    """Sort key: what runs comes before what is stopped, the earliest end first."""
    return (1, duty.since) if duty.due_at is None else (0, duty.due_at)


@dataclass(frozen=True)
class Bar:
    """One bar of the waterfall, in units of its width."""

    x: float
    width: float
    kind: str


@dataclass(frozen=True)
class ScoreRow:
    """One row of the score table."""

    part: str
    a: str
    b: str
    how: str
    outcome: str
    points: float
    bar: Bar


@dataclass(frozen=True)
class ScoreView:
    """A score as a sum of rows that the reader can check."""

    score: float
    comparable: bool
    word: str
    start: float
    start_bar: Bar
    rows: tuple[ScoreRow, ...]
    total: float
    total_bar: Bar
    even: float
    counts: Mapping[str, int]
    odds: str
    start_odds: int
    """How many to one against, before anything was compared."""


def score(explanation: Mapping[str, Any]) -> ScoreView:
    """The waterfall of an explanation: each bar starts where the last ended, the dotted line is even odds."""
    rows = [r for r in explanation.get("rows", ()) if isinstance(r, Mapping)]
    start = float(explanation.get("start", 0.0))
    at, edges = start, [0.0, start]
    for r in rows:
        at += float(r.get("points", 0.0))
        edges.append(at)
    total = float(explanation.get("sum", at))
    low, high = min(*edges, total), max(*edges, total)
    scale = (FALL - 4) / max(high - low, 1.0)

    def place(a: float, b: float, kind: str) -> Bar:
        return Bar(round((min(a, b) - low) * scale + 2, 1), round(max(abs(a - b) * scale, 1.5), 1), kind)

    made, at = [], start
    for r in rows:
        points, outcome = float(r.get("points", 0.0)), str(r.get("outcome", "missing"))
        bar = place(at, at + points, outcome)
        at += points
        words = (str(r.get("part", "")), str(r.get("a", "") or ""), str(r.get("b", "") or ""), str(r.get("how", "")))
        made.append(ScoreRow(*words, outcome, points, bar))
    value = float(explanation.get("score", 0.0))
    return ScoreView(
        score=value,
        comparable=bool(explanation.get("comparable", True)),
        word=next(w for least, w in SCORE_WORDS if value >= least),
        start=start,
        start_bar=place(0.0, start, "start"),
        rows=tuple(made),
        total=total,
        total_bar=place(0.0, total, "sum"),
        even=round((0.0 - low) * scale + 2, 1),
        counts={o: sum(r.outcome == o for r in made) for o in ("agree", "partial", "conflict", "missing")},
        odds=odds(total),
        start_odds=round(2.0 ** min(abs(start), 40)),
    )


TELLING = (
    "birthDate",
    "birthPlace",
    "nationality",
    "passportNumber",
    "idNumber",
    "phone",
    "number",
    "country",
    "model",
)
"""What tells records of one name apart, in the order in which an officer looks."""
MOST_TOLD = 3


def telling(entity: Entity) -> list[Claim]:
    """The first claims that tell this record from another of the same name; one of each property, none twice said."""
    first: dict[str, Claim] = {}
    for claim in entity.claims:
        first.setdefault(claim.property, claim)
    shown = [first[name] for name in TELLING if name in first]
    return [c for c in shown if c is not entity.claims[0]][:MOST_TOLD]


def odds(total: float) -> str:
    """`17` in "17 to 1"; under even odds `1:17` is turned by the page."""
    ratio = 2.0 ** min(abs(total), 40)
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class EntryView:
    """One entry with all that an officer must see beside it."""

    entry: Entry
    ours: bool
    void: bool
    marks: tuple[Mark, ...]
    subject: str
    parts: tuple[Part, ...]
    values: Mapping[str, str]
    """What its texts are marked with."""
    ends: Mapping[str, str]
    """What its links join: the records' own ids → what stands first in them."""


def entries(state: DossierState, node: NodeId, only: Iterable[Entry] | None = None) -> list[EntryView]:
    """All entries in the dossier's order, or some; those that do not count are shown and marked, never hidden."""
    voided = state.voided()
    marks_of: dict[EntryId, list[Mark]] = {}
    for m in state.marks:
        marks_of.setdefault(m.entry, []).append(m)
    found = []
    for e in state.entries if only is None else only:
        marks = tuple(marks_of.get(e.id, ()))
        parts = tuple(p for p in e.parts if p.ref.kind != "subject" or p.content is None)
        ours = e.statement.author == node
        side = {value: "b" if ours else "a" for value in values_in(e, "")}
        found.append(EntryView(e, ours, e.id in voided, marks, subject_of((e,)), parts, side, ends_of(e)))
    return found


def entry_at(dossier: str, entry: str) -> str:
    """The address of an entry in its dossier: the server must know it to choose the page, and it is no server that a
    fragment is sent to."""
    return f"/dossiers/{dossier}?entry={entry}#{entry}"


def subject_of(found: Iterable[Entry]) -> str:
    """The subject line that this node holds, or nothing."""
    for e in found:
        for p in e.parts:
            if p.ref.kind == "subject" and p.content is not None:
                return str(p.content.get("text", ""))
    return ""


def _of_a_former(state: DossierState, rules: Iterable[ActRule], node: NodeId) -> list[ActRule]:
    """A service that was removed takes back what it gave, without words, and writes nothing else (D-22)."""
    gone = {(r.about, r.part) for r in state.recalls}
    mine = (e for e in state.entries if e.statement.author == node)
    if all((e.id, p.id) in gone for e in mine for p in e.statement.parts):
        return []
    return [replace(rule, parts=frozenset()) for rule in rules if rule.type == "dossier.recalled"]


def acts_for(state: DossierState, rules: Iterable[ActRule], node: NodeId) -> list[ActRule]:
    """What this service may write now, by the tables alone; the service decides again when it is written."""
    if state.opener is None:
        return []
    if node not in state.members:
        return _of_a_former(state, rules, node)
    opener = state.opener == node
    others = any(e.statement.author != node for e in state.entries)
    allowed = {"opener": opener, "addressee": not opener, "member": True, "originator": True}
    found = []
    for rule in rules:
        if rule.before and state.phase not in rule.before:
            continue
        if rule.type in NOT_BY_HAND or not allowed.get(rule.by, False):
            continue
        if _pointless(rule.type, state, node, others):
            continue
        found.append(rule)
    return found


NOT_BY_HAND = frozenset(
    {"report.given", "request.made", "request.received", "dossier.erased", "dossier.members"}
    | {"dossier.attached", "dossier.translated"}
)
"""Opening acts have pages of their own; the rest the node writes by itself or through another verb."""


def _pointless(act: str, state: DossierState, node: NodeId, others: bool) -> bool:
    """Acts of the frame that have nothing to be about here."""
    match act:
        case "dossier.permission_requested" | "dossier.regrade_proposed" | "dossier.feedback":
            return not others
        case "dossier.permission_answered":
            return not any(not p.answer and p.by != node for p in state.permissions)
        case "dossier.recalled" | "dossier.corrected" | "dossier.restricted":
            return not any(e.statement.author == node and e.parts for e in state.entries)
        case "dossier.restriction_acknowledged":
            return not any(node not in r.acknowledged for r in state.restrictions)
        case _:
            return _wrong_lane(act, state, node)


def _wrong_lane(act: str, state: DossierState, node: NodeId) -> bool:
    """A request is answered in lanes; an act that no lane allows now is not offered."""
    lanes: Mapping[NodeId, Any] = getattr(state.own, "lanes", {}) or {}
    if not act.startswith("request.") or not lanes or act == "request.withdrawn":
        return False
    if act == "request.clarification_given":
        return not any(lane.state == "waiting" for lane in lanes.values())
    lane = lanes.get(node)
    if lane is None:
        return True
    open_lane = lane.state in ("running", "delayed")
    if act in ("request.clarification_asked", "request.delay_announced"):
        return not open_lane
    return not (open_lane or lane.state == "waiting")


def strictest(found: Iterable[Iterable[str]]) -> str:
    """The strictest handling code on a page; H0 where there is none."""
    codes = {str(c) for each in found for c in each}
    return max(codes, default="H0")


def claim_codes(found: Iterable[Entry]) -> set[str]:
    """The handling codes that single values of what this node holds carry, besides those of their entries."""
    contents = (p.content for e in found for p in e.parts if p.ref.kind == "entity" and p.content)
    claims = (c for content in contents for c in content.get("entity", {}).get("claims", ()))
    return {code for c in claims for code in str(c.get("handling", "")).split()}


def visible_controls(text: str) -> str:
    """What a browser does not show of a received value is shown as marks: it can disguise a name or a file.

    A name that a control character parts reads as one word, and no search finds it.
    """
    return text.translate(_SEEN)


def direction_of(language: str) -> str:
    """The direction of a stored language; `auto` where it is not known."""
    base = language.split("-")[0]
    if language.endswith("-Latn"):
        return "ltr"
    return "rtl" if base in RIGHT_TO_LEFT else "ltr" if base else "auto"


@dataclass(frozen=True)
class Piece:
    """A piece of a source text; `side` is `a` for a value that was entered from it, `this` for the one in question."""

    text: str
    side: str = ""

    @property
    def number(self) -> bool:
        """A telephone or a plate: its digits stand as on the vehicle, whatever the text's direction."""
        letters = sum(c.isalpha() for c in self.text)
        return letters <= MOST_LETTERS and sum(c.isdigit() for c in self.text) > letters


LRM = "\u200e"
ARABIC = re.compile(r"([\u0621-\u064a]+)")


def in_a_line(value: str) -> str:
    """A value where no markup can isolate it (a list of choices): a number keeps its plus and a plate its order."""
    return LRM + ARABIC.sub(rf"\1{LRM}", value) + LRM if Piece(value).number else value


MOST_LETTERS = 3
"""Of a plate."""


def first_words(content: Mapping[str, Any]) -> str:
    """What a part begins with, by which an officer tells it from others."""
    claims = content.get("entity", {}).get("claims", [])
    return in_a_line(str(claims[0].get("value", "")) if claims else str(content.get("text", ""))[:60])


def ends_of(entry: Entry) -> dict[str, str]:
    """The records of an entry by their own ids, for what joins them."""
    held = [p.content for p in entry.parts if p.ref.kind == "entity" and p.content]
    return {str(c["entity"].get("id")): first_words(c) for c in held}


def marked(text: str, values: Mapping[str, str]) -> list[Piece]:
    """The text in pieces, with the values that stand in it: the longest first, none inside another."""
    spans: list[tuple[int, int, str]] = []
    for value in sorted((v for v in values if len(v) > 2), key=len, reverse=True):
        at = text.find(value)
        while at >= 0:
            end = at + len(value)
            if all(end <= s or at >= e for s, e, _ in spans):
                spans.append((at, end, values[value]))
            at = text.find(value, end)
    found, last = [], 0
    for start, end, side in sorted(spans):
        found += [Piece(text[last:start]), Piece(text[start:end], side)]
        last = end
    return [p for p in [*found, Piece(text[last:])] if p.text]


def values_in(entry: Entry, part: str) -> dict[str, str]:
    """The values of an entry's records, with the side that each is marked as; `part` is the record in question."""
    found: dict[str, str] = {}
    for p in entry.parts:
        if p.ref.kind != "entity" or not p.content:
            continue
        for claim in p.content.get("entity", {}).get("claims", ()):
            if claim.get("property") in MARKED:
                found[str(claim.get("value", ""))] = "this" if p.ref.id == part else "a"
    return found


MARKED = ("name", "alias", "previousName", "number", "registrationNumber", "passportNumber", "idNumber", "iban")
