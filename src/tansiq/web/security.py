"""The web edge's own protections: headers, cookies, the form's token, body limits.

A session is a cookie that no script can read and no other site can send (HttpOnly, SameSite=Strict). Every POST also
carries the session's token, and an `Origin` that names another host is refused: three locks, because one browser
fault must not be enough. Before sign-in there is no session; there the token is a cookie of its own, compared with
the form (double submit).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tansiq.errors import Invalid, Refused

SESSION_COOKIE = "tq_session"
FIRST_COOKIE = "tq_first"
KNOWN_COOKIE = "tq_known"
"""These three carry the node's name (`own_cookie`)."""
LANGUAGE_COOKIE = "tq_language"
THEME_COOKIE = "tq_theme"
THEMES = ("auto", "light", "dark")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; object-src 'none'"
)
HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # With "no-referrer" a browser's own form would come with `Origin: null`.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
YEAR_S = 31_536_000
MAX_FORM = 1_000_000
"""Bytes of a form: a report of 20,000 characters in Arabic with forty entities is under 200 kB."""
MAX_FIELDS = 2_000

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class SecurityHeaders:
    """Sets the headers on every answer. Pages are never kept by a cache; vendored files may be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kept = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *HEADERS]
                headers.append((b"cache-control", b"public, max-age=3600" if kept else b"no-store"))
                if scope.get("scheme") == "https":
                    headers.append((b"strict-transport-security", f"max-age={YEAR_S}".encode()))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_headers)


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. A sender that leaves in the middle (a partner's node is stopped, a train enters a tunnel)
    is refused by name: nothing of ours failed, and nothing is half-written."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as exc:
        raise Invalid("body.cut_short", "The sender left in the middle.", step="read the body", field="body") from exc


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Too long: refused before it is read, or while it is read where its length was a lie."""
    claimed = request.headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > limit:
        raise Invalid("body.too_large", f"The body is over {limit} bytes.", step="read the body", field="body")
    found = bytearray()
    async for piece in pieces_of(request):
        found += piece
        if len(found) > limit:
            raise Invalid("body.too_large", f"The body is over {limit} bytes.", step="read the body", field="body")
    return bytes(found)


def check_origin(request: Request) -> None:
    """Refuses a POST that another site's page sent."""
    origin = request.headers.get("origin")
    if origin is not None and _host(origin) != request.headers.get("host", ""):
        raise Refused("csrf.origin", "The form came from another site.", step="check the form")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # "http://[::1": no browser's own, and no fault of ours
        return None


def check_token(expected: str, given: str) -> None:
    """Refuses a form without the session's own token. Compared in constant time."""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise Refused(
            "csrf.token", "The form is out of date. Open the page again.", step="check the form", field="csrf"
        )


def own_cookie(name: str, node: str) -> str:
    """A cookie of this node alone: a browser tells hosts apart and not ports, and two nodes may share a machine.

    Without it, signing in at one of them would end the session at the other.
    """
    return f"{name}_{node.rpartition('-')[2][:8]}"


def new_token() -> str:
    return secrets.token_urlsafe(24)


def set_cookie(request: Request, response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """HttpOnly, SameSite=Strict, Secure under TLS."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="strict", secure=secure, path="/")
