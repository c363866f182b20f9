"""The only place where the seven failures become HTTP: RFC 9457 documents for programs, pages for officers.

What a reader learns: what is wrong, at which step, in which field, and what to do. Never personal data, never whether
a protected thing exists. `Broken` says nothing of its inside; its reference leads to the log.
"""

from __future__ import annotations

from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tansiq.errors import Broken, Conflict, Invalid, NotFound, PeerUnavailable, Refused, TansiqError, Untrusted
from tansiq.web import labels
from tansiq.web.i18n import failure_text
from tansiq.web.labels import N_
from tansiq.web.render import render
from tansiq.web.visit import Visit, begin

log = structlog.get_logger()

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
UNAUTHENTICATED = ("access.no_token", "access.token", "access.token_unknown", "access.token_invalid")


def _kind(failure: TansiqError) -> type[TansiqError]:
    return next((k for k in TITLES if isinstance(failure, k)), Broken)


def status_of(failure: TansiqError) -> int:
    """The status of a failure; a missing or unknown bearer token is 401, for programs that renew theirs."""
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
    if status_of(failure) == 401:
        headers["www-authenticate"] = "Bearer"
    _note(failure)
    return JSONResponse(
        document(failure), status_code=status_of(failure), headers=headers, media_type="application/problem+json"
    )


def page(visit: Visit, failure: TansiqError) -> Response:
    """A problem as a page: what is wrong, what to do, the reference for support."""
    kind = _kind(failure)
    _note(failure)
    return render(
        visit,
        "problem.html",
        status=failure.http_status,
        title=TITLES[kind],
        what="" if kind is Broken else failure_text(visit.tongue, failure),
        todo=TO_DO[kind],
        failure=failure,
        hint=labels.HINT.get(failure.hint, ""),
        clauses=clauses_of(visit, failure),
        dossier=visit.request.path_params.get("dossier", "") if isinstance(failure, Conflict) else "",
    )


def clauses_of(visit: Visit, failure: TansiqError) -> list[tuple[str, str]]:
    """Each clause with its name in the page's language; the id is what one quotes."""
    found = failure.clauses if isinstance(failure, Refused) else ()
    gate = getattr(visit.node, "gate", None)
    return [(str(c), gate.title(str(c), visit.tongue.code) if gate else "") for c in found]


def field_errors(visit: Visit, failure: TansiqError, field: str) -> dict[str, str]:
    """For a form that is shown again: the form's field, and what is wrong with it."""
    _note(failure)
    return {field: failure_text(visit.tongue, failure)}


def _note(failure: TansiqError) -> None:
    if isinstance(failure, Broken | Untrusted):
        log.error("failure", kind=type(failure).__name__, code=failure.code, step=failure.step, detail=failure.detail)


def _wants_document(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/exchange/", "/healthz", "/readyz", "/metrics"))


def unexpected_document(request: Request, exc: Exception) -> Response:
    """What nobody foresaw. The log gets the type and the method, never the text: it may quote what was typed."""
    log.error("unexpected", kind=type(exc).__name__, method=request.method)
    return document_response(Broken("web.unexpected", "unexpected", step="answer the request"))


def unexpected(request: Request, exc: Exception) -> Response:
    """As `unexpected_document`, or as a page where a browser asked for one."""
    if _wants_document(request):
        return unexpected_document(request, exc)
    log.error("unexpected", kind=type(exc).__name__, method=request.method)
    return _safe_page(request, Broken("web.unexpected", "unexpected", step="answer the request"))


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
