"""What an operation shows: who signed, which measures are possible at all, agreed results, chains of custody."""

from __future__ import annotations

from itertools import combinations

from tansiq.dossiers.model import DossierState
from tansiq.kinds.face import Face, Groups, Line
from tansiq.kinds.operation.matrix import WITHIN, possible
from tansiq.kinds.operation.model import FORMS_TO_SIGN
from tansiq.kinds.operation.rules import OperationState, custody, totals
from tansiq.kinds.operation.view import view
from tansiq.terms import country_of, format_instant

MEASURE_FACTS = {"operation.proposed": "form", "operation.measure_requested": "measure"}


def offers(act: str, field: str, countries: frozenset[str]) -> frozenset[str] | None:
    """Forms and measures that the instruments between these countries allow; all of them within one country."""
    if MEASURE_FACTS.get(act) != field or len(countries) < 2:
        return None
    return frozenset((WITHIN, *possible(countries)))


def summary(state: DossierState) -> tuple[Line, ...]:
    own: OperationState | None = state.own
    if own is None:
        return ()
    found = []
    if own.facts.get("form") in FORMS_TO_SIGN:
        found.append(Line("signed_by", tuple(sorted(str(n) for n in own.signed))))
        missing = tuple(sorted(str(n) for n in state.members if n not in own.signed))
        if missing:
            found.append(Line("not_signed_by", missing, own.proposal, odd=not own.active))
    countries = sorted({country_of(n) for n in state.members})
    for pair in combinations(countries, 2):
        for measure, clauses in possible(pair).items():
            found.append(Line("possible", (*pair, measure, "; ".join(clauses))))
    found += [Line(name, (str(value),)) for name, value in totals(own).items() if value]
    for item in own.sort("exhibit"):
        links = tuple(f"{act} {who} {format_instant(at)}" for act, who, at in custody(item))
        found.append(Line("custody", links, item.begun))
    return tuple(found)


PLACES = {
    "an investigation team has a limited period": "window_until",
    "it ends before it begins": "window_until",
    "the next number is {}": "number",
}
"""Fault -> the fact to mend."""

_MORE = ("more", ("narrative", "note"))
FORMS: dict[str, Groups] = {
    "operation.proposed": (
        ("frame", ("form", "crime_areas", "window_from", "window_until", "states")),
        ("aim", ("objective", "purpose")),
        ("who", ("leaders", "participants", "officers", "means")),
        ("terms", ("evidence_rules", "data_rules", "arrangements", "conditions")),
        ("way", ("goods", "route", "abort_criteria")),
        _MORE,
    ),
    "operation.amended": (
        ("frame", ("window_until",)),
        ("aim", ("objective", "purpose")),
        ("who", ("leaders", "participants")),
        ("terms", ("evidence_rules", "data_rules", "arrangements")),
        _MORE,
    ),
    "operation.measure_requested": (
        ("measure", ("measure", "offence_max_penalty_months")),
        ("when", ("urgency", "due", "crossing_at", "until")),
        ("way", ("route", "goods", "abort_criteria")),
        ("who", ("officers", "means", "conditions")),
        _MORE,
    ),
    "operation.task_given": (("to_do", ("task",)), ("who_when", ("owner", "due", "urgency")), _MORE),
    "operation.exhibit_logged": (("what", ("form", "exhibit")), ("file", ("digest", "size")), _MORE),
    "operation.result_recorded": (
        ("persons", ("arrests", "victims_freed")),
        ("seized", ("seizures", "firearms", "drugs_grams", "cash_eur")),
        ("networks", ("cells_dismantled", "networks_dismantled")),
        _MORE,
    ),
}
"""What its form groups: first what is decided upon, last what only helps."""

FACE = Face(
    summary,
    view,
    frozenset({"amendment", "task", "exhibit", "measure", "abort", "result", "evaluation"}),
    offers,
    places=PLACES,
    forms=FORMS,
)
