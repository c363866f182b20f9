"""The API's figures, meetings of offers with wishes, items of a dossier, and acts whose body the node makes.

Same rules as `api.py`; its routes are listed there and described in `openapi.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.errors import Invalid, NotFound
from tansiq.kinds import face_of, items_of
from tansiq.terms import DossierId, later
from tansiq.terms.ids import parse_dossier_id
from tansiq.terms.instants import parse_date
from tansiq.terms.plain import plain
from tansiq.together import Scorecard
from tansiq.web.bodies import read_object
from tansiq.web.visit import Call

YEAR = timedelta(days=365)


def period(first: str, last: str, now: datetime) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last (UTC); by default the year up to now."""
    ends = later(_midnight(last, "to"), timedelta(days=1)) if last else now
    return (_midnight(first, "from") if first else later(ends, -YEAR)), ends


def _midnight(day: str, field: str) -> datetime:
    found = parse_date(day, field)
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def scorecard_of(found: Scorecard) -> dict[str, Any]:
    """The scorecard as programs read it."""
    return {
        "with": found.window.other,
        "from": plain(found.window.begins),
        "to": plain(found.window.ends),
        "figures": plain(found.figures),
        "told": plain(found.told),
        "same_period": found.same_period,
        "lines": [{"name": x.name, "ours": x.ours, "theirs": x.theirs, "differs": x.differs} for x in found.lines],
    }


def _dossier(text: str, field: str = "dossier") -> DossierId:
    try:
        return parse_dossier_id(text)
    except Invalid:
        raise NotFound("dossier.unknown", "no such dossier", step="find the dossier", field=field) from None


def scorecard(call: Call) -> Response:
    """Our figures about our work with a partner, beside the partner's."""
    if not call.query("with"):
        raise Invalid("query.missing", "Name a partner.", step="read the query", field="with")
    begins, ends = period(call.query("from"), call.query("to"), call.now)
    return JSONResponse(scorecard_of(call.node.together.scorecard(call.query("with"), begins, ends, call.acting())))


def give(call: Call) -> Response:
    """Append our figures to a committee's dossier."""
    body = read_object(call.body, ("with", "from", "to", "committee"), ("with", "committee"))
    if not all(isinstance(v, str) for v in body.values()):
        raise Invalid("body.text", "A text.", step="read the body", field="body")
    begins, ends = period(body.get("from", ""), body.get("to", ""), call.now)
    committee = _dossier(body["committee"], "committee")
    entry = call.node.together.give(committee, body["with"], begins, ends, call.acting())
    return JSONResponse({"entry": entry}, status_code=201)


def meetings(call: Call) -> Response:
    """Open offers and wishes that meet, the best fit first."""
    return JSONResponse({"matches": plain(call.node.together.meetings(call.acting()))})


def items(call: Call) -> Response:
    """What a dossier keeps many of, and its kind's own summary; asked of the gate and logged as a consultation."""
    state = call.node.show(_dossier(call.path("dossier")), call.acting())
    lines = face_of(state.kind).summary(state) if state.own is not None else ()
    return JSONResponse({"items": plain(items_of(state)), "summary": plain(lines)})


def make(call: Call) -> Response:
    """Append an act whose body the node makes: `act`, and `facts` as its officer writes them."""
    body = read_object(call.body, ("act", "facts"), ("act",))
    if not isinstance(body["act"], str) or not isinstance(body.get("facts", {}), Mapping):
        raise Invalid("body.text", "A text and an object.", step="read the body", field="act")
    dossier = _dossier(call.path("dossier"))
    entry = call.node.together.make(dossier, body["act"], body.get("facts", {}), call.acting())
    return JSONResponse({"entry": entry}, status_code=201)


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("GET", "/api/v1/scorecard", scorecard),
    ("POST", "/api/v1/scorecard", give),
    ("GET", "/api/v1/expertise/matches", meetings),
    ("GET", "/api/v1/dossiers/{dossier}/items", items),
    ("POST", "/api/v1/dossiers/{dossier}/made", make),
)


def operations(shape: Callable[..., dict[str, Any]], why: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `shape` builds an object schema."""
    text = {"type": "string"}
    rows = {"type": "array", "items": {"type": "object"}}
    asked = [
        {"name": name, "in": "query", "required": name == "with", "schema": text} for name in ("with", "from", "to")
    ]
    said = shape({"with": text, "from": text, "to": text, "figures": {"type": "object"}, "lines": rows})
    given = shape({"with": text, "from": text, "to": text, "committee": text}, ["with", "committee"], closed=True)
    made = shape({"act": text, "facts": {"type": "object"}}, ["act"], closed=True)
    entry = shape({"entry": text})
    return (
        ("get", "/scorecard", "Our figures about work with a partner, and its own", [*asked, *why], None, said, "200"),
        ("post", "/scorecard", "Give our figures to a committee", why, given, entry, "201"),
        ("get", "/expertise/matches", "Offers and wishes that meet", why, None, shape({"matches": rows}), "200"),
        (
            "get", "/dossiers/{dossier}/items", "What a dossier keeps many of, and its summary", why, None,
            shape({"items": rows, "summary": rows}), "200",
        ),
        ("post", "/dossiers/{dossier}/made", "Append an act whose body the node makes", why, made, entry, "201"),
    )  # fmt: skip
