"""Sign-in, sign-out, language, theme, and the purpose that is asked once per record and day."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from tansiq.errors import Invalid, Refused
from tansiq.terms import Purpose
from tansiq.web import labels, problems, security
from tansiq.web.desk import Desk
from tansiq.web.i18n import LANGUAGES
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit

YEAR_S = 31_536_000
KNOWN_S = 90 * 86_400
LEAST_REASON = 3
MOST_SHOWN = 600
"""So much of each text that was kept is shown before it is sent; all of it is."""


def local(target: str, otherwise: str = "/") -> str:
    """Only a path of this node: an address that came with a form must not lead elsewhere."""
    plain = target.isprintable() and "\\" not in target
    return target if plain and target.startswith("/") and not target.startswith("//") else otherwise


def go(target: str) -> RedirectResponse:
    return RedirectResponse(target, status_code=303)


def _own(visit: Visit, cookie: str) -> str:
    return security.own_cookie(cookie, visit.node.node_id)


def sign_in_page(visit: Visit) -> Response:
    """The form; it brings its own token, since there is no session yet."""
    if visit.session is not None:
        return go("/")
    return _sign_in_form(visit, {}, 200)


def _sign_in_form(visit: Visit, errors: dict[str, str], status: int) -> Response:
    visit.first = visit.first or security.new_token()
    target = local(visit.form.get("next") or visit.query("next"))
    kept = Form([("name", visit.form.get("name"))])
    response = render(visit, "sign_in.html", status=status, errors=errors, form=kept, next=target)
    security.set_cookie(visit.request, response, _own(visit, security.FIRST_COOKIE), visit.first)
    return response


def sign_in(visit: Visit) -> Response:
    """One answer for every reason, so that nobody learns who is an officer here."""
    name, password = visit.form.get("name"), visit.form.get("password")
    if not name or not password:
        missing = "name" if not name else "password"
        return _sign_in_form(visit, {missing: visit.say(labels.FAILURES["form.required"])}, 422)
    known = _own(visit, security.KNOWN_COOKIE)
    try:
        marks = visit.request.cookies.get(known, "")
        token, _session = visit.node.access.sign_in(name, password, visit.form.get("code") or None, marks)
    except Refused as failure:
        return _sign_in_form(visit, problems.field_errors(visit, failure, "name"), failure.http_status)
    # The browser forgets the session that it had: nobody could sign out of that one any more.
    visit.node.access.sign_out(visit.token)
    response = go(local(visit.form.get("next")))
    security.set_cookie(visit.request, response, _own(visit, security.SESSION_COOKIE), token)
    response.delete_cookie(_own(visit, security.FIRST_COOKIE), path="/")
    marks = visit.node.access.marks_of_browser(marks, name)
    security.set_cookie(visit.request, response, known, marks, KNOWN_S)
    return response


def stay(visit: Visit) -> Response:
    """An officer who writes is there, though no page is asked for. Says when the session ends now."""
    ends = visit.session.expires_at.isoformat() if visit.session else ""
    return Response(ends, media_type="text/plain")


def kept(visit: Visit) -> Response:
    """What this officer had typed when the session ended: the form again, or the act again, at the officer's word."""
    desk: Desk = visit.request.app.state.desk
    found = desk.find(visit.path("mark"), visit.officer.id, visit.now)
    if found is None:
        return go("/")
    as_form = found.path.startswith("/compose/") or "/acts/" in found.path
    texts = [value[:MOST_SHOWN] for _, value in found.pairs if " " in value]
    return render(visit, "kept.html", kept=found, as_form=as_form, texts=texts)


def sign_out(visit: Visit) -> Response:
    visit.node.access.sign_out(visit.token)
    visit.request.app.state.desk.leave(visit.csrf)
    response = go("/sign-in")
    response.delete_cookie(_own(visit, security.SESSION_COOKIE), path="/")
    return response


def choose_language(visit: Visit) -> Response:
    chosen = visit.form.get("language")
    if chosen not in LANGUAGES:
        raise Invalid("form.choice", "Choose one of the list.", step="choose the language", field="language")
    response = go(local(visit.form.get("back")))
    security.set_cookie(visit.request, response, security.LANGUAGE_COOKIE, chosen, YEAR_S)
    return response


def choose_theme(visit: Visit) -> Response:
    chosen = visit.form.get("theme")
    if chosen not in security.THEMES:
        raise Invalid("form.choice", "Choose one of the list.", step="choose the theme", field="theme")
    response = go(local(visit.form.get("back")))
    security.set_cookie(visit.request, response, security.THEME_COOKIE, chosen, YEAR_S)
    return response


def purpose_choices(visit: Visit) -> list[tuple[str, str]]:
    return [(p.value, visit.say(labels.PURPOSE[p.value])) for p in Purpose]


def ask_purpose(visit: Visit, record: str, target: str, errors: dict[str, str] | None = None) -> Response:
    """The page that stands before a record until the officer has said why (LED art. 25)."""
    return render(
        visit,
        "purpose.html",
        status=422 if errors else 200,
        record=record,
        next=target,
        errors=errors or {},
        form=visit.form,
        purposes=purpose_choices(visit),
    )


def check_purpose(visit: Visit) -> tuple[str, str]:
    """Purpose and reason from a form. Raises `Invalid`."""
    purpose, why = visit.form.get("purpose"), visit.form.get("justification")
    if purpose not in set(Purpose):
        raise Invalid("form.choice", "Choose one of the list.", step="read the purpose", field="purpose")
    if len(why) < LEAST_REASON:
        raise Invalid(
            "purpose.missing", "Say why you open this record.", step="read the purpose", field="justification"
        )
    return purpose, why


def give_purpose(visit: Visit) -> Response:
    record, target = visit.form.get("record"), local(visit.form.get("next"))
    try:
        purpose, why = check_purpose(visit)
        visit.acting(purpose, why)  # what is kept here goes with every look at the record
    except Invalid as failure:
        return ask_purpose(visit, record, target, problems.field_errors(visit, failure, failure.field))
    visit.keep_purpose(record, purpose, why)
    return go(target)
