"""The life cycle of an exchange of expertise.

opened ──► open ──withdrawn | closed──► closed (nobody takes it up any more; what was agreed goes on)
use (one for each take-up): asked ──agreed──► agreed ──held──► held ──effect_told──► told (too early: held, once more)
                              └──declined──► declined
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.expertise.model import ANSWER, EFFECT, About, Agreed, Effect, Held, Opened, TakenUp
from tansiq.kinds.items import Cycle, Item, Items, Move, Owed, Step, after, stop, told
from tansiq.terms import later, parse_instant

_TELL = frozenset({"subject", "narrative", "note", "material"})
_NOTE = frozenset({"note", "narrative"})
_OPEN = ("open",)
_ALWAYS = ("open", "closed")

ACTS = (
    ActRule("expertise.opened", "opener", (), "open", "", _TELL, Opened),
    ActRule("expertise.taken_up", "addressee", _OPEN, "", "", _NOTE, TakenUp, bare=True),
    ActRule("expertise.agreed", "opener", _OPEN, "", "", _NOTE, Agreed),
    ActRule("expertise.declined", "opener", _OPEN, "", "", _NOTE, About),
    ActRule("expertise.held", "member", _ALWAYS, "", "", _TELL, Held),
    ActRule("expertise.effect_told", "member", _ALWAYS, "", "", _NOTE, Effect),
    ActRule("expertise.material_added", "member", _ALWAYS, "", "", _TELL, None),
    ActRule("expertise.withdrawn", "opener", _OPEN, "closed", "", _NOTE, None),
    ActRule("expertise.closed", "opener", _OPEN, "closed", "", _NOTE, None),
)

CYCLE = Cycle(
    steps=(
        Step("expertise.taken_up", "use", "one", "any", (), "asked", after(ANSWER)),
        Step("expertise.agreed", "use", "", "any", ("asked",), "agreed", told("due")),
        Step("expertise.declined", "use", "", "any", ("asked",), "declined", stop),
        Step("expertise.held", "use", "", "any", ("agreed",), "held", after(EFFECT)),
        Step("expertise.effect_told", "use", "", "owner", ("held",), "told", stop),
    ),
    owed=(
        Owed("use", ("agreed",), "expertise.hold", ""),
        Owed("use", ("held",), "expertise.tell_effect", ""),
    ),
    moves=(Move("use", ("told",), "held", "expertise.effect_told: too early, once more"),),
)


@dataclass(frozen=True, slots=True)
class ExpertiseState:
    """What is offered or wished for, and who uses it."""

    facts: Mapping[str, Any]
    items: Items


def begin(opening: Entry) -> ExpertiseState:
    return ExpertiseState(dict(opening.statement.facts), {})


def check(state: DossierState, entry: Entry) -> str:
    """Why this act is illegal now; empty when legal."""
    facts = entry.statement.facts
    if entry.statement.type == "expertise.opened":
        if not facts.get("topics"):
            return "an offer or a wish has a topic"
        return ""
    return CYCLE.check(state, state.own.items, entry)


def step(state: DossierState, entry: Entry) -> tuple[str, ExpertiseState]:
    own: ExpertiseState = state.own
    own = replace(own, items={k: _used(own, i, entry) for k, i in CYCLE.step(own.items, entry).items()})
    rule = EXPERTISE.act(entry.statement.type)
    return (rule.after if rule and rule.after else state.phase), own


def _used(own: ExpertiseState, item: Item, entry: Entry) -> Item:
    """Whose the use is: who takes up an offer, but of a wish who wished. What is too early to tell is owed again."""
    s = entry.statement
    if item.last != entry.id:
        return item
    if s.type == "expertise.agreed" and own.facts.get("stance") == "wish":
        return replace(item, owner=s.author)
    if s.type == "expertise.effect_told" and s.facts.get("effect") == "too_early":
        return CYCLE.moved(item, "held", due_at=later(s.at, EFFECT))
    return item


def duties(state: DossierState) -> tuple[Duty, ...]:
    """The opener answers take-ups; its user holds it with the other, and tells its effect."""
    own: ExpertiseState | None = state.own
    if own is None or state.opener is None:
        return ()
    answers = tuple(
        Duty(state.id, state.opener, "expertise.answer", i.due_at, i.since, "", i.begun, creditor=i.author)
        for i in own.items.values()
        if i.state == "asked" and state.phase != "closed"
    )
    return answers + CYCLE.duties(state, own.items)


@dataclass(frozen=True, slots=True)
class Fit:
    """Why an offer and a wish meet. `points` orders; it is no grade of either."""

    points: int
    topics: tuple[str, ...]
    crime_areas: tuple[str, ...]
    languages: tuple[str, ...]


def suit(one: Mapping[str, Any], other: Mapping[str, Any], at: datetime) -> Fit | None:
    """How the facts of two opened dossiers meet: an offer and a wish with a topic, the form and a language in common.

    None when they do not: two offers, no topic in common, no language that both name, or one of them is past.
    """
    if {one.get("stance"), other.get("stance")} != {"offer", "wish"} or _past(one, at) or _past(other, at):
        return None
    topics = _both(one, other, "topics")
    areas = _both(one, other, "crime_areas")
    tongues = _both(one, other, "languages")
    if not topics or (one.get("languages") and other.get("languages") and not tongues):
        return None
    same_form = one.get("form") == other.get("form")
    return Fit(4 * len(topics) + 3 * same_form + 2 * len(areas) + len(tongues), topics, areas, tongues)


def _both(one: Mapping[str, Any], other: Mapping[str, Any], field: str) -> tuple[str, ...]:
    return tuple(sorted({str(x) for x in one.get(field) or ()} & {str(x) for x in other.get(field) or ()}))


def _past(facts: Mapping[str, Any], at: datetime) -> bool:
    try:
        return bool(facts.get("until")) and parse_instant(str(facts["until"])) < at
    except TansiqError:
        return False


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Offers and wishes, what was held, and what it changed."""
    own: ExpertiseState | None = state.own
    way = window.way(state.opener) if state.opener else ""
    if own is None or not way:
        return ()
    found = [Figure(f"expertise.{way}.{own.facts.get('stance')}")] if window.holds(state.opened_at) else []
    for item in own.items.values():
        if window.way(item.author) and window.holds(item.entered("expertise.held")):
            found.append(Figure("expertise.held"))
            if item.state == "told":
                found.append(Figure(f"expertise.effect.{item.facts.get('effect')}"))
    return tuple(found)


EXPERTISE = Kind(
    "expertise",
    ACTS,
    begin,
    check,
    step,
    duties,
    lambda _state, _me: (),
    lambda entry: ("narrative",) if entry.statement.type == "expertise.opened" else (),
    figures,
)
