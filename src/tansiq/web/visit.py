"""One request of one officer: who, in which language, with which form. Handlers are plain functions of a `Visit`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from babel.core import get_global
from starlette.requests import Request

from tansiq.access.model import Acting, Officer, Role, Session
from tansiq.errors import Invalid, Refused
from tansiq.policy.model import Action, Permit, Question
from tansiq.web import security
from tansiq.web.i18n import LANGUAGES, Tongue, tongue

ZONES = {
    "MA": "Africa/Casablanca",
    "ES": "Europe/Madrid",
    "DE": "Europe/Berlin",
    "PT": "Europe/Lisbon",
    "FR": "Europe/Paris",
}
LIST_PURPOSE, LIST_WHY = "public_security", "list of work"
PURPOSE_LASTS = timedelta(hours=12)
"""ui.md: why a record is opened is asked once per record and day."""


class Form:
    """A posted form: names to values, in order. Values are text, without surrounding white space."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value.replace("\r\n", "\n").strip())

    def get(self, name: str, default: str = "") -> str:
        return self._values.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        return [v for v in self._values.get(name, []) if v]

    def has(self, name: str) -> bool:
        return name in self._values

    def names(self) -> list[str]:
        return list(self._values)

    def pairs(self) -> list[tuple[str, str]]:
        return [(n, v) for n, values in self._values.items() for v in values]

    def with_values(self, **values: str) -> Form:
        """A copy in which these values stand instead."""
        return Form([*((n, v) for n, v in self.pairs() if n not in values), *values.items()])


@dataclass
class Visit:
    """What a page function gets. `node` is the node's object; pages call its services and nothing below them."""

    node: Any
    request: Request
    tongue: Tongue
    theme: str
    now: datetime
    session: Session | None = None
    token: str = ""
    form: Form = field(default_factory=lambda: Form([]))
    first: str = ""
    """The token of the sign-in form, where there is no session yet."""

    @property
    def officer(self) -> Officer:
        if self.session is None:
            raise Refused("access.no_session", "Sign in first.", step="find the session")
        return self.session.officer

    @property
    def csrf(self) -> str:
        return self.session.csrf if self.session else self.first

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default).strip()

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def say(self, message: str) -> str:
        return self.tongue.say(message)

    def purposes(self) -> dict[tuple[str, str], tuple[str, str, datetime]]:
        found: dict[tuple[str, str], tuple[str, str, datetime]] = self.request.app.state.purposes
        return found

    def purpose_for(self, record: str) -> tuple[str, str] | None:
        """Why this officer opens this record, if asked already today."""
        found = self.purposes().get((self.officer.id, record))
        return (found[0], found[1]) if found and found[2] > self.now else None

    def keep_purpose(self, record: str, purpose: str, justification: str) -> None:
        kept = self.purposes()
        for key in [k for k, v in kept.items() if v[2] <= self.now]:
            del kept[key]
        kept[(self.officer.id, record)] = (purpose, justification, self.now + PURPOSE_LASTS)

    def acting(self, purpose: str = "", justification: str = "") -> Acting:
        found: Acting = self.node.access.acting(self.officer, purpose, justification)
        return found

    def acting_for(self, record: str) -> Acting:
        """Acting with the purpose that was given for this record; the page asks for one first."""
        purpose, justification = self.purpose_for(record) or ("", "")
        return self.acting(purpose, justification)


def zone_of(node: Any) -> str:
    """The node's time zone: a setting, or its country's own."""
    return str(getattr(node.settings, "time_zone", "")) or zone_of_country(str(node.country).upper())


def zone_of_country(country: str) -> str:
    """The capital's for the countries named above; elsewhere the only one of the country, UTC where it has several."""
    own = [zone for zone, where in get_global("zone_territories").items() if where == country]
    return ZONES.get(country) or (own[0] if len(own) == 1 else "UTC")


def may_read(node: Any, roles: frozenset[Role]) -> bool:
    """Whether the gate lets these roles look at records at all: lists show nothing of them to others."""
    asked = Question(
        Action.VIEW,
        node.country,
        frozenset(roles),
        node.country,
        purpose=LIST_PURPOSE,
        justification=LIST_WHY,
    )
    return isinstance(node.gate.decide(asked), Permit)


def consult_list(node: Any, subject: str, by: Acting) -> None:
    """A list that shows what dossiers are about is looked at: asked of the gate and logged (LED art. 25).

    It is the desk's list of work; a reason of the officer's own is asked where one record is opened.
    """
    node.consult(subject, replace(by, purpose=by.purpose or LIST_PURPOSE, justification=by.justification or LIST_WHY))


def check_may_read(node: Any, roles: frozenset[Role]) -> None:
    """Raises `Refused` where `may_read` says no."""
    if not may_read(node, roles):
        raise Refused("access.role", "Your role does not read records.", step="read the list", field="role")


def now_of(node: Any) -> datetime:
    found: datetime = node.clock()
    return found


def _language(request: Request, session: Session | None, node: Any) -> str:
    chosen = request.cookies.get(security.LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    if session and session.officer.language in LANGUAGES:
        return session.officer.language
    default = str(getattr(node.settings, "language", ""))
    if default in LANGUAGES:
        return default
    asked = [part.split(";")[0].strip()[:2] for part in request.headers.get("accept-language", "").split(",")]
    return next((a for a in asked if a in LANGUAGES), "en")


def _find_session(node: Any, request: Request) -> tuple[Session | None, str]:
    token = request.cookies.get(security.own_cookie(security.SESSION_COOKIE, node.node_id), "")
    if not token:
        return None, ""
    try:
        return node.access.session(token), token
    except Refused:
        return None, ""


def begin(node: Any, request: Request) -> Visit:
    """The visit of a request, without its form."""
    session, token = _find_session(node, request)
    now = now_of(node)
    if session is not None:
        request.app.state.desk.seat(session.csrf, session.officer.id, now)
    theme = request.cookies.get(security.THEME_COOKIE, "auto")
    return Visit(
        node=node,
        request=request,
        tongue=tongue(_language(request, session, node), zone_of(node)),
        theme=theme if theme in security.THEMES else "auto",
        now=now,
        session=session,
        token=token,
        first=request.cookies.get(security.own_cookie(security.FIRST_COOKIE, node.node_id), ""),
    )


@dataclass
class Call:
    """One API request: the officer behind the token, the JSON body, the query."""

    node: Any
    request: Request
    now: datetime
    officer: Officer
    body: Any = None

    def query(self, name: str, default: str = "") -> str:
        return self.request.query_params.get(name, default).strip()

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def number(self, name: str, default: int, most: int, *, least: int = 1) -> int:
        text = self.query(name) or str(default)
        if not text.isascii() or not text.isdigit() or not least <= int(text[:12]) <= most:
            raise Invalid("query.number", f"A whole number from {least} to {most}.", step="read the query", field=name)
        return int(text)

    def acting(self) -> Acting:
        """Purpose and justification come as headers or as query values (LED art. 25: asked before, not after)."""
        headers = self.request.headers
        purpose = self.query("purpose") or headers.get("tansiq-purpose", "")
        justification = self.query("justification") or headers.get("tansiq-justification", "")
        found: Acting = self.node.access.acting(self.officer, purpose, justification)
        return found
