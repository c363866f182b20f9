"""What a warning shows: what holds now after all updates, who has read it, what came of it."""

from __future__ import annotations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.face import Face, Groups, Line
from tansiq.kinds.warning.rules import WarningState
from tansiq.kinds.warning.view import view


def summary(state: DossierState) -> tuple[Line, ...]:
    own: WarningState | None = state.own
    if own is None:
        return ()
    now = ("precedence", "grade", "window_from", "window_until", "country")
    found = [Line(name, (str(own.facts[name]),), own.newest) for name in now if own.facts.get(name)]
    waiting = tuple(str(i.owner) for i in own.unacknowledged())
    if waiting:
        found.append(Line("not_read_by", waiting, own.newest, odd=True))
    if own.outcome:
        found.append(Line("outcome", (own.outcome,)))
    return tuple(found)


PLACES = {
    "grade is not of its scheme": "grade",
    "the window ends before it begins": "window_until",
}
"""Fault -> the fact to mend."""

_MORE = ("more", ("narrative", "note"))
FORMS: dict[str, Groups] = {
    "warning.issued": (
        ("urgency", ("precedence", "grade")),
        ("may_happen", ("threat", "crime_areas", "target")),
        ("when_where", ("window_from", "window_until", "country", "place")),
        _MORE,
    ),
    "warning.updated": (
        ("urgency", ("precedence", "grade")),
        ("may_happen", ("threat", "target")),
        ("when_where", ("window_from", "window_until", "place")),
        _MORE,
    ),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(summary, view, frozenset({"acknowledgement", "feedback"}), places=PLACES, forms=FORMS)
