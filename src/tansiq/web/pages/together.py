"""What dossiers say together: the scorecard with one partner, and offers of know-how that meet wishes."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from tansiq.errors import Invalid
from tansiq.kinds import NO_CASE, FigureLine
from tansiq.terms import DossierId
from tansiq.together import Scorecard
from tansiq.web import problems
from tansiq.web.api_together import period
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import check_purpose, go, purpose_choices
from tansiq.web.render import label, render
from tansiq.web.visit import Form, Visit

SHARE = "_share"
SECONDS = (".median", ".p80")
TABLES = ("FIGURE", "CRIME_AREA", "REFUSAL_GROUND", "FACT_VALUE", "STATE", "FACT")
FIELDS = ("with", "from", "to", "purpose", "justification", "committee")


@dataclass(frozen=True)
class FigureRow:
    """A figure in the page's language, with both sides' numbers as people read them."""

    name: str
    group: str
    words: str
    ours: str
    theirs: str
    differs: bool


def scorecard_page(visit: Visit) -> Response:
    """The empty form: nothing is counted before the officer said why."""
    return _page(visit, Form([]), {}, None)


def scorecard(visit: Visit) -> Response:
    """Count, and show both sides; or give our figures to a committee."""
    try:
        purpose, why = check_purpose(visit)
        partner = _needed(visit.form, "with")
        begins, ends = period(visit.form.get("from"), visit.form.get("to"), visit.now)
        by = visit.acting(purpose, why)
        if visit.form.get("do") == "send":
            committee = DossierId(_needed(visit.form, "committee"))
            visit.node.together.give(committee, partner, begins, ends, by)
            return go(f"/dossiers/{committee}")
        found = visit.node.together.scorecard(partner, begins, ends, by)
    except Invalid as failure:
        name = failure.field if failure.field in FIELDS else "with"
        return _page(visit, visit.form, problems.field_errors(visit, failure, name), None)
    return _page(visit, visit.form, {}, found)


def _needed(form: Form, name: str) -> str:
    if not form.get(name):
        raise Invalid("form.required", "This is missing.", step="read the form", field=name)
    return form.get(name)


def _page(visit: Visit, form: Form, errors: dict[str, str], found: Scorecard | None) -> Response:
    names = peer_names(visit.node)
    return render(
        visit,
        "scorecard.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        found=found,
        rows=[_row(visit, x) for x in found.lines] if found else [],
        partners=[(p.card.node, names[p.card.node]) for p in visit.node.exchange.peers() if p.state == "pinned"],
        committees=_committees(visit, found) if found else [],
        purposes=purpose_choices(visit),
        names=names,
    )


def _committees(visit: Visit, found: Scorecard) -> list[tuple[str, str]]:
    """Open dossiers that take figures and in which the partner sits."""
    takers = visit.node.together.takers(found.window.other)
    subjects = {r.id: r.subject for r in visit.node.dossiers.rows(limit=1000)}
    return [(d, subjects.get(d) or d[:14]) for d in takers]


def _row(visit: Visit, line: FigureLine) -> FigureRow:
    words = [_word(visit, w) for w in _words(line.name)]
    return FigureRow(
        line.name,
        words[0],
        " · ".join(words[1:]) or words[0],
        _number(visit, line.name, line.ours),
        _number(visit, line.name, line.theirs),
        line.differs,
    )


def _words(name: str) -> list[str]:
    """A figure's name in its words; of a share, a word of its own says that it is one."""
    found: list[str] = []
    for word in name.split("."):
        found += [word.removesuffix(SHARE), *(["share"] if word.endswith(SHARE) else [])]
    return found


def _word(visit: Visit, word: str) -> str:
    """Figures name crime areas, grounds and states too."""
    said = (label(visit.tongue, table, word) for table in TABLES)
    return next((w for w in said if w != word), word)


def _number(visit: Visit, name: str, value: int | None) -> str:
    if value is None:
        return "—"
    if value == NO_CASE:
        return visit.say("no case")
    if name.endswith(SHARE):
        return visit.tongue.percent(round(value / 10))
    if name.endswith(SECONDS):
        hours, minutes = divmod(value // 60, 60)
        return f"{hours}:{minutes:02d} h"
    return visit.tongue.number(value)


def expertise_page(visit: Visit) -> Response:
    return _expertise(visit, Form([]), {}, None)


def expertise(visit: Visit) -> Response:
    """Which offers and wishes meet, once the officer has said why."""
    try:
        purpose, why = check_purpose(visit)
    except Invalid as failure:
        return _expertise(visit, visit.form, problems.field_errors(visit, failure, failure.field or "purpose"), None)
    return _expertise(visit, visit.form, {}, visit.node.together.meetings(visit.acting(purpose, why)))


def _expertise(visit: Visit, form: Form, errors: dict[str, str], found: object) -> Response:
    subjects = {r.id: r.subject for r in visit.node.dossiers.rows(limit=1000)} if found else {}
    return render(
        visit,
        "expertise.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        found=found,
        subjects=subjects,
        purposes=purpose_choices(visit),
        names=peer_names(visit.node),
    )
