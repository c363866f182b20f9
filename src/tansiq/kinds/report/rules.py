"""The life cycle of a report: given, added to, closed."""

from __future__ import annotations

from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry, Figure, Kind, Window
from tansiq.errors import TansiqError
from tansiq.kinds.report.model import Closed, Given
from tansiq.terms import Grade

_CONTENT = frozenset({"subject", "narrative", "entity", "link", "note"})

ACTS = (
    ActRule("report.given", "opener", (), "given", "Dir. 2023/977 art. 7", _CONTENT, Given),
    ActRule("report.note_added", "member", ("given",), "", "", _CONTENT, None),
    ActRule("report.closed", "opener", ("given",), "closed", "Dir. 2023/977 art. 16(4)", frozenset({"note"}), Closed),
)


def begin(opening: Entry) -> None:
    """A report needs no state of its own beside the frame's."""
    return


def check(state: DossierState, entry: Entry) -> str:
    """Grades are of their scheme; all else is in the table."""
    facts = entry.statement.facts
    if entry.statement.type == "report.given":
        try:
            Grade.parse(str(facts.get("grade", "X4")), str(facts.get("scheme", "4x4")))
        except TansiqError:
            return "grade is not of its scheme"
    return ""


def step(state: DossierState, entry: Entry) -> tuple[str, None]:
    rule = REPORT.act(entry.statement.type)
    return (rule.after if rule and rule.after else state.phase), None


def duties(state: DossierState) -> tuple[Duty, ...]:
    """Own-initiative information binds nobody to answer; the frame adds review, recall and permission duties."""
    return ()


def figures(state: DossierState, window: Window) -> tuple[Figure, ...]:
    """Reports given on one's own initiative, by crime area."""
    way = window.way(state.opener) if state.opener else ""
    if not way or not window.holds(state.opened_at):
        return ()
    areas = state.first.statement.facts.get("crime_areas", ())
    return (Figure(f"reports.{way}"), *(Figure(f"reports.{way}.area.{area}") for area in areas))


REPORT = Kind("report", ACTS, begin, check, step, duties, lambda _state, _me: (), figures=figures)
