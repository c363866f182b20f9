"""The verbs: count, give and compare figures; find offers for wishes; make an act. Each reads snapshots of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any, Protocol

from tansiq.access.model import Acting
from tansiq.dossiers.model import DossierState, Kind, Window
from tansiq.errors import Invalid, NotFound
from tansiq.hits import Hits
from tansiq.kinds import beside, count, makes, suit
from tansiq.terms import DossierId, EntryId, NodeId, format_instant
from tansiq.together.model import Meeting, Scorecard
from tansiq.together.rules import hit_figures, told_by

__all__ = ["Meeting", "Scorecard", "Together"]

GIVE = "committee.scorecard_given"
EXPERTISE = "expertise"
LONGEST_DAYS = 3660


class Folds(Protocol):
    """What we ask of the dossiers."""

    def states(self, kind: str = "") -> Iterator[DossierState]: ...
    def state(self, dossier: DossierId) -> DossierState: ...
    def may_show(self, dossier: DossierId, by: Acting) -> bool: ...
    def append(self, dossier: DossierId, body: object, by: Acting) -> EntryId: ...


class Together:
    """What this node's dossiers and hits say together."""

    def __init__(
        self,
        node: NodeId,
        kinds: Mapping[str, Kind],
        dossiers: Folds,
        hits: Hits,
        consult: Callable[[str, Acting], None],
        resolve: Callable[[str], NodeId],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        self._node = node
        self._kinds = kinds
        self._dossiers = dossiers
        self._hits = hits
        self._consult = consult
        self._resolve = resolve
        self._clock = clock
        self._random = random

    # --- the scorecard ---

    def scorecard(self, partner: str, begins: datetime, ends: datetime, by: Acting) -> Scorecard:
        """Our figures about our work with a partner, beside the partner's. Asked of the gate, logged. May be `Invalid`.

        `ends` is not included.
        """
        self._consult("scorecard", by)
        return self._counted(self._window(partner, begins, ends))

    def give(self, committee: DossierId, partner: str, begins: datetime, ends: datetime, by: Acting) -> EntryId:
        """Append our figures to a committee's dossier: signed, permitted and delivered as any act of it."""
        found = self.scorecard(partner, begins, ends, by)
        facts = {
            "member": found.window.other,
            "window_from": format_instant(found.window.begins),
            "window_until": format_instant(found.window.ends),
            "figures": dict(found.figures),
        }
        return self._dossiers.append(committee, {"type": GIVE, "facts": facts}, by)

    def takers(self, partner: NodeId) -> tuple[DossierId, ...]:
        """Open dossiers to which our figures about this partner can be given."""
        acts = {name: kind.act(GIVE) for name, kind in self._kinds.items()}
        return tuple(
            s.id
            for s in self._dossiers.states()
            if (rule := acts.get(s.kind)) is not None
            and s.phase in rule.before
            and {self._node, partner} <= set(s.members)
        )

    def _window(self, partner: str, begins: datetime, ends: datetime) -> Window:
        if not begins < ends:
            raise Invalid("scorecard.period", "it ends before it begins", step="count", field="from")
        if (ends - begins).days > LONGEST_DAYS:
            raise Invalid("scorecard.period", f"longer than {LONGEST_DAYS} days", step="count", field="from")
        other = self._resolve(partner)
        if other == self._node:
            raise Invalid("scorecard.self", "figures are about work with another service", step="count", field="with")
        return Window(self._node, other, begins, ends)

    def _counted(self, window: Window) -> Scorecard:
        states = [s for s in self._dossiers.states() if window.other in {s.opener, *s.members}]
        more = hit_figures(self._hits.matches(), states, window)
        figures = count(states, self._kinds, window, more)
        told = told_by(states, window)
        return Scorecard(window, figures, told, beside(figures, told.figures if told else None))

    # --- expertise ---

    def meetings(self, by: Acting) -> tuple[Meeting, ...]:
        """Offers and wishes that meet, the best fit first; those of one service with itself are left out."""
        self._consult("expertise.matches", by)
        now = self._clock()
        there = [s for s in self._dossiers.states(EXPERTISE) if s.phase == "open" and self._dossiers.may_show(s.id, by)]
        stances: dict[str, list[DossierState]] = {"offer": [], "wish": []}
        for state in there:
            stances.setdefault(str(state.first.statement.facts.get("stance")), []).append(state)
        found = []
        for offer, wish in product(stances["offer"], stances["wish"]):
            one, other = offer.first.statement, wish.first.statement
            fit = suit(one.facts, other.facts, now) if one.author != other.author else None
            if fit is not None:
                found.append(Meeting(offer.id, wish.id, one.author, other.author, fit, one.facts))
        return tuple(sorted(found, key=lambda m: (-m.fit.points, m.offer, m.wish)))

    # --- acts that the node makes ---

    def body_of(self, state: DossierState, act: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The body of an act that the node makes from what its officer writes.

        Raises `NotFound` where the officer writes the act itself, `Invalid` or `Conflict` from its maker.
        """
        made = makes(state.kind, act)
        if made is None:
            raise NotFound("act.not_made", "this act is written, not made", step="make the act", field="type")
        return made.body(state, self._node, facts, self._random)

    def make(self, dossier: DossierId, act: str, facts: Mapping[str, Any], by: Acting) -> EntryId:
        """Append such an act. What stays here until later stays in its own part on this node."""
        return self._dossiers.append(dossier, self.body_of(self._dossiers.state(dossier), act, facts), by)
