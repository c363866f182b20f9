"""What a committee shows: language versions that diverge, whose silence was reported, whose figures it has."""

from __future__ import annotations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.committee.rules import CommitteeState, divergent
from tansiq.kinds.committee.view import view
from tansiq.kinds.face import Face, Line
from tansiq.terms import EntryId


def summary(state: DossierState) -> tuple[Line, ...]:
    own: CommitteeState | None = state.own
    if own is None:
        return ()
    found = [Line("divergent", languages, EntryId(meeting), odd=True) for meeting, languages in divergent(own).items()]
    found += [
        Line("silence", tuple(str(n) for n in who), EntryId(about), odd=True) for about, who in own.silences.items()
    ]
    found += [Line("figures_given", (str(by), str(about)), entry) for (by, about), entry in own.scorecards.items()]
    return tuple(found)


def axes(state: DossierState, act: str, field: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """How many came from each side."""
    asked = (act, field) == ("committee.meeting_held", "attendance")
    return (tuple((str(n), "") for n in state.members),) if asked else ()


PLACES = {
    "not the text that was written": "digest",
    "minutes are of a meeting that was held": "meeting",
}
"""Fault -> the fact to mend."""

FACE = Face(
    summary,
    view,
    frozenset({"recommendation", "closure", "meeting", "minutes"}),
    axes=axes,
    elsewhere=frozenset({"committee.scorecard_given"}),
    places=PLACES,
)
