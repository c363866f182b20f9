"""The only place where the seven failures become HTTP: RFC 9457 documents for programs, pages for officers.

What a reader learns: what is wrong, at which step, in which field, and what to do. Never personal data, never whether
a protected thing exists. `Broken` says nothing of its inside; its reference leads to the log.
"""

from __future__ import annotations

import secrets
import traceback
from typing import Any

import structlog
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tansiq.errors import Broken, Conflict, Invalid, NotFound, PeerUnavailable, Refused, TansiqError, Untrusted
from tansiq.web import labels
from tansiq.web.clauses import called
from tansiq.web.i18n import Tongue, failure_text
from tansiq.web.labels import N_
from tansiq.web.render import render
from tansiq.web.visit import Visit, begin

log = structlog.get_logger()
MOST_FRAMES = 12
"""Of the places in the code that a fault went through, the innermost."""

TITLES: dict[type[TansiqError], str] = {
    Invalid: N_("Something in the input is wrong"),
    Refused: N_("This is not permitted"),
    NotFound: N_("There is no such record"),
    Conflict: N_("This was changed by another"),
    PeerUnavailable: N_("The partner cannot be reached"),
    Untrusted: N_("This does not verify"),
    Broken: N_("The node has stopped writing"),
}
TO_DO: dict[type[TansiqError], str] = {
    Invalid: N_("Go back, correct it and send it again. Your text is kept in the form."),
    Refused: N_("You may ask with another purpose, or ask an officer who has the authority."),
    NotFound: N_("Check the reference. A record that you may not know of looks the same."),
    Conflict: N_("Open the page again: you then see what the other officer wrote."),
    PeerUnavailable: N_("Wait. What you sent is queued and goes out as soon as the partner answers."),
    Untrusted: N_("Do not use it. Tell the officer who is responsible for security."),
    Broken: N_("Tell the administrator of this node, with the reference below. Nothing was half-written."),
}
OWN_WORDS: dict[str, tuple[str, str]] = {
    "act.not_now": (
        N_("This cannot be done now"),
        N_("Open the dossier: it says where it stands and what you may do now."),
    ),
    "web.no_such_page": (N_("There is no such page"), N_("Check the address, or go on from the duties.")),
    "access.role": (TITLES[Refused], N_("Another purpose changes nothing: ask an officer whose role allows it.")),
    "person.role": (TITLES[Refused], N_("Another purpose changes nothing: ask an officer whose role allows it.")),
}
"""Code -> title and what to do, where those of its kind would mislead: nobody else changed an act that is not open."""
FAULT = N_("This page could not be made")
FAULT_TO_DO = N_(
    "Something in the program is at fault, not what you wrote. The node goes on working. Before you send a form again, "
    "look in the dossier or in the audit log whether it was taken. Tell the administrator the number below."
)
"""A fault of the program: nothing of the node's is known to be broken, and nothing is claimed of what was written."""
AWAY, AWAY_S = "store.unavailable", 5
UNAUTHENTICATED = ("access.no_token", "access.token", "access.token_unknown", "access.token_invalid")


def _kind(failure: TansiqError) -> type[TansiqError]:
    return next((k for k in TITLES if isinstance(failure, k)), Broken)


def failure_in_words(speak: Tongue, failure: TansiqError) -> tuple[str, str]:
    """What kind of failure it is, and what is wrong; the second is empty where nobody has words for its code."""
    title, _ = OWN_WORDS.get(failure.code, (TITLES[_kind(failure)], ""))
    words = failure_text(speak, failure)
    return speak.say(title), "" if words == failure.message else words


def status_of(failure: TansiqError) -> int:
    """The status of a failure; a missing or unknown bearer token is 401, for programs that renew theirs, and a database
    that is away for a moment 503, for what asks again."""
    if failure.code == AWAY:
        return 503
    return 401 if failure.code in UNAUTHENTICATED else failure.http_status


def document(failure: TansiqError) -> dict[str, Any]:
    """The problem document (RFC 9457) with our members `code`, `step`, `field`, `clauses`."""
    kind = _kind(failure)
    found: dict[str, Any] = {
        "type": f"urn:tansiq:problem:{kind.__name__.lower()}",
        "title": TITLES[kind],
        "status": status_of(failure),
        "detail": failure.message,
        "code": failure.code,
    }
    for name in ("step", "field", "hint"):
        if value := getattr(failure, name):
            found[name] = value
    if isinstance(failure, Refused) and failure.clauses:
        found["clauses"] = [str(c) for c in failure.clauses]
    if isinstance(failure, Broken):
        found["detail"] = "An invariant of this node failed."
        found.pop("hint", None)
    return found


def document_response(failure: TansiqError) -> Response:
    """A problem as `application/problem+json`."""
    headers = {}
    if isinstance(failure, PeerUnavailable):
        headers["retry-after"] = str(int(failure.retry_after_s))
    if failure.code == AWAY:
        headers["retry-after"] = str(AWAY_S)
    if status_of(failure) == 401:
        headers["www-authenticate"] = "Bearer"
    _note(failure)
    return JSONResponse(
        document(failure), status_code=status_of(failure), headers=headers, media_type="application/problem+json"
    )


def page(visit: Visit, failure: TansiqError) -> Response:
    """A problem as a page: what is wrong, what to do, the reference for support."""
    kind, reference = _kind(failure), _note(failure)
    title, todo = OWN_WORDS.get(failure.code, (TITLES[kind], TO_DO[kind]))
    return render(
        visit,
        "problem.html",
        status=failure.http_status,
        title=title,
        what="" if kind is Broken else failure_text(visit.tongue, failure),
        todo=todo,
        failure=failure,
        reference=reference,
        hint=labels.HINT.get(failure.hint, ""),
        clauses=clauses_of(visit, failure),
        dossier=visit.request.path_params.get("dossier", "") if isinstance(failure, Conflict) else "",
    )


def fault_page(visit: Visit, exc: Exception) -> Response:
    """What nobody foresaw, as a page in the officer's language, with the number under which the log has it."""
    reference = _note_fault(visit.request, exc)
    failure = Broken("web.unexpected", "unexpected", step="answer the request")
    told: dict[str, Any] = {"title": FAULT, "what": "", "todo": FAULT_TO_DO, "failure": failure, "reference": reference}
    try:
        return render(visit, "problem.html", status=500, hint="", clauses=(), dossier="", **told)
    except Exception as again:  # noqa: BLE001 # what every page has is at fault: its frame, or the store
        _log_fault(visit.request, again, reference)
        return _bare(visit, reference)


def _bare(visit: Visit, reference: str) -> Response:
    """Without a template and without asking the node anything."""
    tongue = visit.tongue
    body = Markup(
        '<!doctype html><html lang="{}" dir="{}"><head><meta charset="utf-8"><title>{}</title>'
        '<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/css/base.css">'
        '</head><body><main class="content"><h1>{}</h1><p>{}</p><p><bdi dir="ltr">{}</bdi></p>'
        '<p><a href="/">{}</a></p></main></body></html>'
    ).format(
        tongue.code,
        tongue.direction,
        tongue.say(FAULT),
        tongue.say(FAULT),
        tongue.say(FAULT_TO_DO),
        reference,
        tongue.say("Go to the duties"),
    )
    return HTMLResponse(body, status_code=500)


def clauses_of(visit: Visit, failure: TansiqError) -> list[tuple[str, str]]:
    """Each clause with its name in the page's language; the id is what one quotes."""
    found = failure.clauses if isinstance(failure, Refused) else ()
    gate = getattr(visit.node, "gate", None)
    return [(str(c), called(gate, str(c), visit.tongue.code)) for c in found]


def field_errors(visit: Visit, failure: TansiqError, field: str) -> dict[str, str]:
    """For a form that is shown again: the form's field, and what is wrong with it."""
    _note(failure)
    return {field: failure_text(visit.tongue, failure)}


def _note(failure: TansiqError) -> str:
    """Logs what an administrator must look at; the number that the page and the log share, where there is one."""
    if not isinstance(failure, Broken | Untrusted):
        return ""
    reference = new_reference()
    log.error(
        "failure",
        reference=reference,
        kind=type(failure).__name__,
        code=failure.code,
        step=failure.step,
        detail=failure.detail,
    )
    return reference


def new_reference() -> str:
    """Said over the telephone and looked for in the log: eight letters and digits, of nothing."""
    return f"F-{secrets.token_hex(4).upper()}"


def _note_fault(request: Request, exc: Exception) -> str:
    """The log gets the type and the places in the code, never the text: it may quote what was typed."""
    reference = new_reference()
    _log_fault(request, exc, reference)
    return reference


def _log_fault(request: Request, exc: Exception, reference: str) -> None:
    at, route = places_of(exc), getattr(request.scope.get("route"), "path", "")
    log.error("unexpected", reference=reference, kind=type(exc).__name__, method=request.method, page=route, at=at)


def places_of(exc: Exception) -> list[str]:
    """Where in the code it went wrong, for the log: places alone, never the text."""
    frames = traceback.extract_tb(exc.__traceback__)[-MOST_FRAMES:]
    return [f"{_within(x.filename)}:{x.lineno} {x.name}" for x in frames]


def _within(path: str) -> str:
    """A file by its place in the package: where the package lies on this machine is nobody's business."""
    return "/".join(path.replace("\\", "/").rsplit("/", 3)[-3:])


def _wants_document(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/exchange/", "/healthz", "/readyz", "/metrics"))


def unexpected_document(request: Request, exc: Exception) -> Response:
    """What nobody foresaw, for programs: no invariant is known to be broken, and the log has the same reference."""
    told = {
        "type": "urn:tansiq:problem:fault",
        "title": FAULT,
        "status": 500,
        "detail": "A fault of this node's program. It is not known whether the call was carried out.",
        "code": "web.unexpected",
        "step": "answer the request",
        "reference": _note_fault(request, exc),
    }
    return JSONResponse(told, status_code=500, media_type="application/problem+json")


def unexpected(request: Request, exc: Exception) -> Response:
    """As `unexpected_document`, or as a page where a browser asked for one."""
    if _wants_document(request):
        return unexpected_document(request, exc)
    return fault_page(begin(request.app.state.node, request), exc)


def _unrouted(exc: Exception) -> tuple[int, dict[str, str], TansiqError]:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    headers = dict(exc.headers or {}) if isinstance(exc, HTTPException) else {}
    if status == 405:
        return status, headers, Invalid("web.method", "This address does not take that method.", step="find the page")
    return status, headers, NotFound("web.no_such_page", "There is no such page.", step="find the page")


def http_document(_request: Request, exc: Exception) -> Response:
    """Starlette's own answers (no such route, wrong method) as documents."""
    status, headers, failure = _unrouted(exc)
    body = document(failure) | {"status": status}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")


def http_exception(request: Request, exc: Exception) -> Response:
    """The same, as a page where a browser asked for one."""
    if _wants_document(request):
        return http_document(request, exc)
    status, headers, failure = _unrouted(exc)
    response = _safe_page(request, failure)
    response.status_code = status
    response.headers.update(headers)
    return response


def _safe_page(request: Request, failure: TansiqError) -> Response:
    return page(begin(request.app.state.node, request), failure)
