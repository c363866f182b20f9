"""Turns a plain function of a `Visit` (pages) or a `Call` (API) into an endpoint.

It limits and reads the body, finds the session or the token, checks the form's token, runs the function in a thread
(services are synchronous) and gives every failure to `problems`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tansiq.access.model import Officer
from tansiq.errors import Invalid, Refused, TansiqError
from tansiq.web import problems, security
from tansiq.web.desk import Desk
from tansiq.web.visit import Call, Form, Visit, begin, now_of

MAX_API = 4_000_000
"""Bytes of an API body: a report with its entities; attachments go in parts."""

PageFunction = Callable[[Visit], Response]
ApiFunction = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


async def _read_form(request: Request) -> Form:
    raw = await security.read_body(request, security.MAX_FORM)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Invalid("form.type", "This is not a form.", step="read the form", field="content-type")
    try:
        pairs = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, max_num_fields=security.MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise Invalid("form.malformed", "The form cannot be read.", step="read the form", field="body") from None
    return Form(pairs)


def page(function: PageFunction, *, open_to_all: bool = False) -> Endpoint:
    """An endpoint of a page function: session, token, thread, problems."""

    async def endpoint(request: Request) -> Response:
        node = request.app.state.node
        visit = await run_in_threadpool(begin, node, request)
        try:
            if visit.session is None and not open_to_all:
                return _to_sign_in(request, await _kept(request, visit))
            if request.method == "POST":
                visit.form = await _read_form(request)
                security.check_origin(request)
                security.check_token(visit.csrf, visit.form.get("csrf"))
                if not open_to_all:
                    desk: Desk = request.app.state.desk
                    return await run_in_threadpool(
                        desk.once, request.url.path, visit.form, visit.now, lambda: function(visit)
                    )
            return await run_in_threadpool(function, visit)
        except TansiqError as failure:
            return await run_in_threadpool(_problem, visit, failure)
        except Exception as exc:  # noqa: BLE001 # the server would print its text, which may quote what was typed
            return await run_in_threadpool(problems.fault_page, visit, exc)

    endpoint.__name__ = function.__name__
    endpoint.__doc__ = function.__doc__
    return endpoint


def _problem(visit: Visit, failure: TansiqError) -> Response:
    """The page of a failure; where that page itself is at fault, the honest page of a fault."""
    try:
        return problems.page(visit, failure)
    except Exception as exc:  # noqa: BLE001 # as above
        return problems.fault_page(visit, exc)


async def _kept(request: Request, visit: Visit) -> str:
    """The mark of a form that came after its session's end: what was typed is not lost. Nothing for the rest."""
    if request.method != "POST":
        return ""
    try:
        form = await _read_form(request)
        security.check_origin(request)
    except TansiqError:
        return ""
    desk: Desk = request.app.state.desk
    return desk.keep(request.url.path, form, visit.now)


def _to_sign_in(request: Request, kept: str) -> Response:
    """After signing in, a reader comes back to the page, and a writer to what was written."""
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    after = f"/kept/{kept}" if kept else "/"
    if request.method == "GET":
        after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = "/sign-in" if after == "/" else f"/sign-in?next={quote(after, safe='/')}"
    return RedirectResponse(target, status_code=303)


def api(function: ApiFunction) -> Endpoint:
    """An endpoint of an API function: bearer token, JSON body, thread, RFC 9457 problems."""

    async def endpoint(request: Request) -> Response:
        node = request.app.state.node
        try:
            officer = await run_in_threadpool(authenticate, node, request)
            call = Call(node, request, now_of(node), officer)
            if request.method == "POST":
                call.body = _parse_json(request, await security.read_body(request, MAX_API))
            return await run_in_threadpool(function, call)
        except TansiqError as failure:
            return problems.document_response(failure)
        except Exception as exc:  # noqa: BLE001 # as above
            return problems.unexpected_document(request, exc)

    endpoint.__name__ = function.__name__
    endpoint.__doc__ = function.__doc__
    return endpoint


def authenticate(node: Any, request: Request) -> Officer:
    """The officer behind the bearer token. Raises `Refused`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("access.no_token", "Send a bearer token.", step="authenticate", field="authorization")
    found: Officer = node.access.by_token(token.strip())
    return found


def _parse_json(request: Request, raw: bytes) -> Any:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Invalid("body.type", "The body is JSON (application/json).", step="read the body", field="content-type")
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("body.not_json", "The body is not JSON.", step="read the body", field="body") from None
