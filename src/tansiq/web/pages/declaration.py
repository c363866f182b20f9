"""What was declared with an entry of ours, said anew where a restore lost it: at the entry, by who may write."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from tansiq.access import require
from tansiq.dossiers.model import Entry
from tansiq.errors import Conflict, Invalid, NotFound
from tansiq.terms import Classification, DossierId, EntryId
from tansiq.web import actforms, labels, problems, views
from tansiq.web.pages.dossier import acting_in, before_reading, dossier_named
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import go
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit


def page(visit: Visit) -> Response:
    """The form. Raises `Conflict` where there is nothing to say anew."""
    dossier = dossier_named(visit)
    if (first := before_reading(visit, dossier)) is not None:
        return first
    require(visit.acting_for(dossier), "append")
    return _form(visit, dossier, _entry(visit, dossier), Form([]), {})


def declare(visit: Visit) -> Response:
    """Keeps it, and leads back to the entry; what is wrong comes back to its field."""
    dossier = dossier_named(visit)
    entry = _entry(visit, dossier)
    if not visit.form.get("justification"):
        missing = {"justification": visit.say(labels.FAILURES["form.required"])}
        return _form(visit, dossier, entry, visit.form, missing)
    try:
        visit.node.dossiers.declare(entry.id, _body(visit.form), acting_in(visit, dossier))
    except Invalid as failure:
        field = failure.field if failure.field in ("justification", "classification") else "form"
        return _form(visit, dossier, entry, visit.form, problems.field_errors(visit, failure, field))
    return go(views.entry_at(dossier, entry.id))


def _entry(visit: Visit, dossier: DossierId) -> Entry:
    """Raises `NotFound` for what is not in the dossier, `Conflict` where what was declared is kept or is another's."""
    entry: Entry | None = visit.node.dossiers.state(dossier).entry(EntryId(visit.path("entry")))
    if entry is None:
        raise NotFound("entry.unknown", "There is no such entry.", step="find the entry")
    if entry.statement.author != visit.node.node_id:
        raise Conflict("declaration.not_ours", "its author declared it, at its own node", step="declare")
    if entry.id not in visit.node.dossiers.undeclared(dossier):
        raise Conflict("declaration.kept", "what was declared with it is there", step="declare")
    return entry


def _body(form: Form) -> dict[str, Any]:
    body: dict[str, Any] = {flag: True for flag in actforms.FLAGS if form.get(flag)}
    body |= {name: form.all(name) for name in ("risk", "assurances") if form.all(name)}
    if marking := form.get("classification"):
        body["handling"] = {"classification": marking}
    return body


def _form(visit: Visit, dossier: DossierId, entry: Entry, form: Form, errors: dict[str, str]) -> Response:
    named = {
        "classification_options": (labels.CLASSIFICATION, [c.value for c in Classification]),
        "risk_options": (labels.RISK, labels.RISK),
        "assurance_options": (labels.ASSURANCE, labels.ASSURANCE),
    }
    return render(
        visit,
        "declaration.html",
        status=422 if errors else 200,
        strictest=views.strictest([entry.statement.handling.codes]),
        dossier=dossier,
        entry=entry,
        names=peer_names(visit.node),
        form=form,
        errors=errors,
        **{name: [(v, visit.say(table[v])) for v in values] for name, (table, values) in named.items()},
    )
