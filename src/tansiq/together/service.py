"""The verbs: count, give and compare figures; find offers for wishes; make an act. Each reads snapshots of its own."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any, Protocol

from tansiq.access.model import Acting
from tansiq.dossiers.model import DossierState, Kind, Window
from tansiq.errors import Invalid, NotFound
from tansiq.hits import Hits
from tansiq.kinds import beside, makes, suit, summed
from tansiq.terms import DossierId, EntryId, NodeId, country_of, format_instant
from tansiq.together.model import Meeting, Scorecard
from tansiq.together.rules import NOTHING, Counted, counted, hit_figures, told_by, told_of

__all__ = ["Meeting", "Scorecard", "Together"]

GIVE = "committee.scorecard_given"
EXPERTISE = "expertise"
LONGEST_DAYS = 3660


WINDOWS_KEPT = 4
"""So many windows' counts stay in memory; figures are codes and numbers, no personal data."""


class Folds(Protocol):
    """What we ask of the dossiers."""

    def versions(self, kind: str = "") -> list[tuple[DossierId, str, int, str, str]]: ...
    def state(self, dossier: DossierId) -> DossierState: ...
    def folds(self, dossiers: Iterable[DossierId]) -> Iterator[DossierState]: ...
    def may_view(self, state: DossierState, by: Acting) -> bool: ...
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
        self._lock = threading.Lock()
        self._counts: OrderedDict[Window, dict[DossierId, tuple[int, Counted]]] = OrderedDict()
        """Window -> dossier -> (its last entry's number, what it adds). Owned by the lock."""

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
        found: list[DossierState] = []
        for name, rule in acts.items():
            if rule is not None:
                there = (d for d, phase, *_ in self._dossiers.versions(name) if phase in rule.before)
                found.extend(self._dossiers.folds(there))
        return tuple(s.id for s in found if {self._node, partner} <= set(s.members))

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
        dossiers = self._dossiers_counted(window)
        hits = told_of(d.told_out for d in dossiers)
        met = self._hits.tally(country_of(window.other), window.begins, window.ends, hits)
        more = hit_figures(met, dossiers)
        figures = summed([*more, *(f for d in dossiers for f in d.figures)])
        told = told_by(dossiers, window)
        return Scorecard(window, figures, told, beside(figures, told.figures if told else None))

    def _dossiers_counted(self, window: Window) -> list[Counted]:
        """What each dossier adds, folded again only where an entry has come since it was counted."""
        with self._lock:
            known = self._counts.pop(window, {})
        numbers = {dossier: number for dossier, _phase, number, *_ in self._dossiers.versions()}
        stale = [d for d, number in numbers.items() if d not in known or known[d][0] != number]
        fresh = {s.id: counted(s, self._kinds.get(s.kind), window) for s in self._dossiers.folds(stale)}
        # The number is that of before the fold: what came in between is counted again the next time.
        counts = {d: known[d][1] for d in numbers.keys() & known.keys()} | dict.fromkeys(stale, NOTHING) | fresh
        found = {d: (number, counts[d]) for d, number in numbers.items()}
        with self._lock:
            self._counts[window] = found
            while len(self._counts) > WINDOWS_KEPT:
                self._counts.popitem(last=False)
        return [c for _, c in found.values() if c is not NOTHING]

    # --- expertise ---

    def meetings(self, by: Acting) -> tuple[Meeting, ...]:
        """Offers and wishes that meet, the best fit first; those of one service with itself are left out."""
        self._consult("expertise.matches", by)
        now = self._clock()
        there = self._dossiers.folds(d for d, phase, *_ in self._dossiers.versions(EXPERTISE) if phase == "open")
        stances: dict[str, list[DossierState]] = {"offer": [], "wish": []}
        of = {state.id: state for state in there}
        for state in of.values():
            stances.setdefault(str(state.first.statement.facts.get("stance")), []).append(state)
        found = []
        for offer, wish in product(stances["offer"], stances["wish"]):
            one, other = offer.first.statement, wish.first.statement
            fit = suit(one.facts, other.facts, now) if one.author != other.author else None
            if fit is not None:
                found.append(Meeting(offer.id, wish.id, one.author, other.author, fit, one.facts))
        # The gate is asked of what meets alone: one question for each dossier, not for each pair.
        shown = {d for d in {x for m in found for x in (m.offer, m.wish)} if self._dossiers.may_view(of[d], by)}
        met = [m for m in found if {m.offer, m.wish} <= shown]
        return tuple(sorted(met, key=lambda m: (-m.fit.points, m.offer, m.wish)))

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
