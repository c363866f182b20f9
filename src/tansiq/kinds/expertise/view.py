"""What whoever offers or wishes for know-how looks at first: what it is, who uses it, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.dossiers.model import DossierState
from tansiq.kinds.expertise.rules import ExpertiseState
from tansiq.kinds.items import Item
from tansiq.kinds.said import Said, acts, instant, is_late, said
from tansiq.terms import EntryId, NodeId

STAGES = ("asked", "agreed", "held", "told")
"""The way of a use that nobody declines."""


@dataclass(frozen=True, slots=True)
class Use:
    """One take-up: who asked for it, who uses it, how far it is, and what it changed."""

    item: Item
    said: Said
    by: NodeId
    user: NodeId
    """Who took up the offer, or who wished: it tells the effect."""
    people: int
    effect: str
    useful: str
    late: bool

    @property
    def stage(self) -> int:
        """How far it is on its way; -1: it was declined."""
        return STAGES.index(self.item.state) if self.item.state in STAGES else -1


@dataclass(frozen=True, slots=True)
class View:
    """The offer or the wish as a page draws it."""

    stance: str
    form: str
    told: Said
    topics: tuple[str, ...]
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    until: datetime | None
    over: bool
    """The day after which it is of no use has passed."""
    places: int
    """0: not limited, or not said."""
    taken: int
    """People of the uses that were agreed."""
    uses: tuple[Use, ...]
    material: tuple[tuple[NodeId, EntryId, Said], ...]

    @property
    def changed(self) -> int:
        """Uses that told an effect; `none` is told, and is none."""
        return sum(u.item.state == "told" and u.effect != "none" for u in self.uses)


def view(state: DossierState, now: datetime) -> View | None:
    own: ExpertiseState | None = state.own
    if own is None:
        return None
    first, facts = state.first.id, own.facts
    until = instant(facts, "until")
    uses = [_use(state, own, i, now) for i in own.items.values()]
    return View(
        stance=str(facts.get("stance", "")),
        form=str(facts.get("form", "")),
        told=said(state, first, "narrative", "subject", "note"),
        topics=tuple(map(str, facts.get("topics", ()))),
        areas=tuple(map(str, facts.get("crime_areas", ()))),
        languages=tuple(map(str, facts.get("languages", ()))),
        until=until,
        over=is_late(until, now),
        places=int(facts.get("places", 0)),
        taken=sum(u.people for u in uses if u.stage > 0),
        uses=tuple(sorted(uses, key=lambda u: (not u.late, u.stage < 0, u.item.trail[0][2]))),
        material=tuple(
            (e.statement.author, e.id, said(state, e.id, "material", "narrative", "note"))
            for e in acts(state, "expertise.material_added")
        ),
    )


def _use(state: DossierState, own: ExpertiseState, item: Item, now: datetime) -> Use:
    wish = own.facts.get("stance") == "wish"
    user = state.opener if wish and state.opener is not None else item.author
    # The opener's time to answer ends with the dossier; what was agreed is held, and its effect told, all the same.
    owed = item.state in ("agreed", "held") or (item.state == "asked" and state.phase == "open")
    return Use(
        item,
        said(state, item.begun, "narrative", "note"),
        item.author,
        user,
        int(item.facts.get("people", 0)),
        str(item.facts.get("effect", "")),
        str(item.facts.get("useful", "")),
        owed and is_late(item.due_at, now),
    )
