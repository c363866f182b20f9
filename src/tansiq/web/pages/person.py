"""Everything held on one person: the data-protection officer's page, to look, to choose, to print, to sign."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tansiq.access.model import OVERSEERS
from tansiq.errors import Invalid, Refused
from tansiq.oversight import decide, read_person, read_right
from tansiq.oversight.model import Found
from tansiq.web import problems
from tansiq.web.desk import Desk
from tansiq.web.labels import N_
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import check_purpose, go, purpose_choices
from tansiq.web.private_words import CHECK_STATE
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit

FIELDS = ("name", "alias", "birthDate", "phone", "passportNumber", "idNumber")
KEPT_FIELDS = (*FIELDS, "right", "purpose", "justification")
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
RULING = {
    "granted": N_("Granted"),
    "restricted": N_("Restricted: access is given in part"),
    "refused": N_("Refused"),
}
GROUND = {
    "a": N_("not to obstruct official or legal inquiries, investigations or procedures"),
    "b": N_("not to prejudice preventing, detecting, investigating or prosecuting offences, or executing penalties"),
    "c": N_("to protect public security"),
    "d": N_("to protect national security"),
    "e": N_("to protect the rights and freedoms of others"),
}
"""LED art. 15(1), by its letters."""
DECIDED = ("request", "decision", "ground", "reason")
SHOWN = 20
"""Decisions on the page; the audit log has all of them."""
KEPT = {
    "unread": N_("A restriction must be read and confirmed first."),
    "refused": N_("Your role may not read this."),
    "consent": N_("Its owner has to consent."),
}


def page(visit: Visit) -> Response:
    """The form; behind a decision with what was typed for it, and the word that it is kept."""
    if not OVERSEERS & set(visit.officer.roles):
        # At once, and not after the form is filled in. A supervisor comes to read what was decided.
        raise Refused("person.role", "only the data-protection officer looks for a person", step="find person")
    desk: Desk = visit.request.app.state.desk
    typed = desk.find(visit.query("typed"), visit.officer.id, visit.now)
    return _show(visit, Form(list(typed.pairs) if typed else []), {}, None, visit.query("decided"))


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
            [i for i in form.all("consented") if i in form.all("item")], _decided(form),
        )  # fmt: skip
    except Invalid as failure:
        if failure.field not in ("items", "consented", "decided"):
            return _show(visit, form, _errors(visit, failure), None)
        return _show(visit, form, _errors(visit, failure), _found(visit))
    named = {"content-disposition": 'attachment; filename="extract.json"'}
    return Response(raw, media_type="application/json", headers=named)


def keep_decision(visit: Visit) -> Response:
    """What was decided on the request, on which grounds and why (LED art. 15(4)); the same form again keeps no second.

    Whom it is about stays at the officer's desk: an address stays in logs.
    """
    form = visit.form
    try:
        purpose, why = check_purpose(visit)
        made = decide(
            form.get("request"), read_right(form.get("right")), form.get("decision"), form.all("ground"),
            form.get("reason"),
        )  # fmt: skip
        leaf = visit.node.oversight.decide(made, visit.acting(purpose, why))
    except Invalid as failure:
        return _show(visit, form, _errors(visit, failure), None)
    desk: Desk = visit.request.app.state.desk
    mark = desk.keep("/person", Form([(f, form.get(f)) for f in ("csrf", *KEPT_FIELDS)]), visit.now)
    return go(f"/person?decided={leaf}&typed={mark}")


def _decided(form: Form) -> int | None:
    said = form.get("decided")
    if said and not (said.isascii() and said.isdigit() and len(said) < 16):
        raise Invalid("person.decided", "There is no such decision.", step="read the form", field="decided")
    return int(said) if said else None


def _found(visit: Visit) -> Found:
    purpose, why = check_purpose(visit)
    by = visit.acting(purpose, why)
    found: Found = visit.node.oversight.find(_person(visit.form), read_right(visit.form.get("right")), by)
    return found


def _person(form: Form) -> Any:
    return read_person([{"property": p, "value": form.get(p)} for p in FIELDS if form.get(p)])


def _errors(visit: Visit, failure: Invalid) -> dict[str, str]:
    known = (*KEPT_FIELDS, *DECIDED, "items", "decided")
    field = failure.field if failure.field in known else "name"
    return problems.field_errors(visit, failure, field)


def _show(visit: Visit, form: Form, errors: dict[str, str], found: Found | None, decided: str = "") -> Response:
    codes = [t.handling for t in found.things] if found else []
    oversees = bool(OVERSEERS & set(visit.officer.roles))
    decisions = visit.node.oversight.decisions(visit.acting(), limit=SHOWN) if oversees else []
    return render(
        visit,
        "person.html",
        status=422 if errors else 200,
        strictest=max((c for each in codes for c in each), default="H0"),
        form=form,
        errors=errors,
        found=found,
        kept_fields=KEPT_FIELDS,
        decided=next((d.leaf for d in decisions if str(d.leaf) == decided), None),
        rulings=[(code, visit.say(text)) for code, text in RULING.items()],
        grounds=[(code, f"({code}) {visit.say(text)}") for code, text in GROUND.items()],
        decisions=decisions,
        purposes=purpose_choices(visit),
        rights=[(code, visit.say(text)) for code, text in RIGHT.items()],
        sorts={code: visit.say(text) for code, text in SORT.items()},
        check_states={code: visit.say(text) for code, text in CHECK_STATE.items()},
        kept_words={code: visit.say(text) for code, text in KEPT.items()},
        names=peer_names(visit.node),
    )
