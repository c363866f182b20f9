"""Everything held on one person: the data-protection officer's page, to look, to choose, to print, to sign."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tansiq.errors import Invalid
from tansiq.oversight import read_person, read_right
from tansiq.oversight.model import Found
from tansiq.web import problems
from tansiq.web.labels import N_
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import check_purpose, purpose_choices
from tansiq.web.private_words import CHECK_STATE
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit

FIELDS = ("name", "alias", "birthDate", "phone", "passportNumber", "idNumber")
RIGHT = {
    "access": N_("Access (LED art. 14)"),
    "rectification": N_("Rectification (LED art. 16)"),
    "erasure": N_("Erasure (LED art. 16)"),
    "authority": N_("Through the supervisory authority (LED art. 17)"),
}
SORT = {
    "holding": N_("Holding"),
    "part": N_("Part of a dossier"),
    "match": N_("Match"),
    "query": N_("Standing query"),
    "draft": N_("Draft that waits for a second person"),
    "check": N_("Private check"),
    "answer": N_("Answer to a private check"),
    "watch": N_("Watch at a partner"),
}
KEPT = {
    "unread": N_("A restriction must be read and confirmed first."),
    "refused": N_("Your role may not read this."),
    "consent": N_("Its owner has to consent."),
}


def page(visit: Visit) -> Response:
    return _show(visit, Form([]), {}, None)


def find(visit: Visit) -> Response:
    """Who is looked for travels in the body: an address stays in logs."""
    try:
        return _show(visit, visit.form, {}, _found(visit))
    except Invalid as failure:
        return _show(visit, visit.form, _errors(visit, failure), None)


def extract(visit: Visit) -> Response:
    """The signed file of what the officer marked."""
    form = visit.form
    try:
        purpose, why = check_purpose(visit)
        raw = visit.node.oversight.extract(
            _person(form), read_right(form.get("right")), form.all("item"), visit.acting(purpose, why),
            [i for i in form.all("consented") if i in form.all("item")],
        )  # fmt: skip
    except Invalid as failure:
        if failure.field not in ("items", "consented"):
            return _show(visit, form, _errors(visit, failure), None)
        return _show(visit, form, _errors(visit, failure), _found(visit))
    named = {"content-disposition": 'attachment; filename="extract.json"'}
    return Response(raw, media_type="application/json", headers=named)


def _found(visit: Visit) -> Found:
    purpose, why = check_purpose(visit)
    by = visit.acting(purpose, why)
    found: Found = visit.node.oversight.find(_person(visit.form), read_right(visit.form.get("right")), by)
    return found


def _person(form: Form) -> Any:
    return read_person([{"property": p, "value": form.get(p)} for p in FIELDS if form.get(p)])


def _errors(visit: Visit, failure: Invalid) -> dict[str, str]:
    field = failure.field if failure.field in (*FIELDS, "right", "purpose", "justification", "items") else "name"
    return problems.field_errors(visit, failure, field)


def _show(visit: Visit, form: Form, errors: dict[str, str], found: Found | None) -> Response:
    codes = [t.handling for t in found.things] if found else []
    return render(
        visit,
        "person.html",
        status=422 if errors else 200,
        strictest=max((c for each in codes for c in each), default="H0"),
        form=form,
        errors=errors,
        found=found,
        kept_fields=(*FIELDS, "right", "purpose", "justification"),
        purposes=purpose_choices(visit),
        rights=[(code, visit.say(text)) for code, text in RIGHT.items()],
        sorts={code: visit.say(text) for code, text in SORT.items()},
        check_states={code: visit.say(text) for code, text in CHECK_STATE.items()},
        kept_words={code: visit.say(text) for code, text in KEPT.items()},
        names=peer_names(visit.node),
    )
