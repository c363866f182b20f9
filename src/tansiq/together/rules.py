"""Figures about hits, and a partner's figures found in the committees' dossiers. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tansiq.dossiers.model import DossierState, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.hits.model import Tally
from tansiq.kinds import figures_of
from tansiq.terms import EntryId, NodeId, parse_instant
from tansiq.together.model import Told

FIGURES = "figures"
"""The fact that holds a side's figures, in the act that gives them."""


def _tells_of_hit(entry: Entry) -> str:
    """The other's entry of which this one says that it was a hit: by feedback, or by a request that follows it up."""
    s = entry.statement
    if s.type == "dossier.feedback" and s.facts.get("outcome") != "hit":
        return ""
    followed_up = s.type == "dossier.feedback" or (s.clock == 0 and s.facts.get("about"))
    return str(s.facts.get("about", "")) if followed_up else ""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one dossier adds to the scorecard of one window."""

    figures: tuple[Figure, ...]
    told_out: frozenset[str]
    """The partner's entries of which we told it that they were a hit."""
    told_in: frozenset[str]
    given: tuple[Told, ...]
    """The partner's figures about us."""


NOTHING = Counted((), frozenset(), frozenset(), ())


def counted(state: DossierState, kind: Kind | None, window: Window) -> Counted:
    """Nothing for a dossier that the two services do not share."""
    if window.other not in {state.opener, *state.members}:
        return NOTHING
    told: dict[str, set[str]] = {"out": set(), "in": set()}
    void = state.voided()
    for entry in state.entries:
        about, way = _tells_of_hit(entry), window.way(entry.statement.author)
        if about and way and entry.id not in void and window.holds(entry.statement.at):
            told[way].add(about)
    given = tuple(t for e in state.entries if (t := _told(state, e, window.me, window.other)))
    figures = figures_of(state, kind, window)
    return Counted(figures, frozenset(told["out"]), frozenset(told["in"]), given)


def hit_figures(met: Tally, dossiers: Iterable[Counted]) -> tuple[Figure, ...]:
    """What the partner gave and we held (`in`), and what we gave and the partner told us it held (`out`).

    `in` counts our matches with what the partner gave, those that an officer confirmed, and those of them that we told
    the partner of. Of hits at the partner (`out`) we know no more than what it told.
    """
    told = len(told_of(d.told_in for d in dossiers))
    ways = {"hits.in": met.found, "hits.in.confirmed": met.confirmed, "hits.in.disclosed": met.told}
    ways |= dict.fromkeys(("hits.out", "hits.out.confirmed", "hits.out.disclosed"), told)
    return tuple(Figure(name, value) for name, value in ways.items() if value)


def told_of(told: Iterable[frozenset[str]]) -> frozenset[str]:
    """Entries that were hits, of all dossiers: told twice they are one."""
    return frozenset().union(*told)


def told_by(dossiers: Iterable[Counted], window: Window) -> Told | None:
    """The partner's figures about us: of the same period if it gave such, else the newest."""
    found = [t for d in dossiers for t in d.given]
    same = [t for t in found if (t.begins, t.ends) == (window.begins, window.ends)]
    return (same or found)[-1] if found else None


def _told(state: DossierState, entry: Entry, me: NodeId, other: NodeId) -> Told | None:
    s = entry.statement
    figures = s.facts.get(FIGURES)
    if s.author != other or s.facts.get("member") != me or not isinstance(figures, dict) or entry.id in state.voided():
        return None
    try:
        begins, ends = (parse_instant(str(s.facts.get(n, ""))) for n in ("window_from", "window_until"))
    except TansiqError:
        return None
    return Told(state.id, EntryId(entry.id), other, begins, ends, figures)
