"""What a committee shows: language versions that diverge, whose silence was reported, whose figures it has."""

from __future__ import annotations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.committee.rules import CommitteeState, divergent
from tansiq.kinds.committee.view import view
from tansiq.kinds.face import Face, Groups, Line
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

_MORE = ("more", ("narrative", "note"))
FORMS: dict[str, Groups] = {
    "committee.established": (("frame", ("form", "chair", "meetings_a_year", "languages")), _MORE),
    "committee.meeting_called": (
        ("when_where", ("due", "country")),
        ("who", ("owner", "number")),
        ("in_words", ("agenda",)),
        _MORE,
    ),
    "committee.minutes_written": (
        ("meeting", ("meeting", "language")),
        ("in_words", ("minutes",)),
        ("which_text", ("authentic", "digest")),
    ),
    "committee.recommended": (
        ("in_words", ("recommendation", "success")),
        ("who_when", ("owner", "until", "priority")),
        ("origin", ("finding", "meeting", "origin")),
        _MORE,
    ),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(
    summary,
    view,
    frozenset({"recommendation", "closure", "meeting", "minutes"}),
    axes=axes,
    elsewhere=frozenset({"committee.scorecard_given"}),
    places=PLACES,
    forms=FORMS,
)
