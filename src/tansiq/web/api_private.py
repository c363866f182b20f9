"""The API's private checks: ask, watch, follow; serve, rotate, revoke; what was asked, and what must be looked at.

What is asked for stands in the body, never in the address: addresses are logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.errors import Invalid
from tansiq.private.model import Tier
from tansiq.terms.plain import plain
from tansiq.web.bodies import STEP, read_any_object, read_object, read_text, read_texts
from tansiq.web.visit import Call

MOST = 1000


def _some_texts(value: Any, field: str) -> list[str]:
    found = read_texts(value, field)
    if not found:
        raise Invalid("body.texts", "A list of texts.", step=STEP, field=field)
    return found


def _check(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = plain(result)
    return found | {"hit": result.hit, "rids": list(result.rids)}


def ask(call: Call) -> Response:
    """Ask one partner for one person. The partner learns a count, the purpose and a hash of the case."""
    body = read_object(call.body, ("peer", "person", "case"), ("peer", "person", "case"))
    found = call.node.private.ask(
        read_text(body["peer"], "peer"),
        read_any_object(body["person"], "person"),
        read_text(body["case"], "case"),
        call.acting(),
    )
    return JSONResponse({"check": _check(found)}, status_code=201)


def checks(call: Call) -> Response:
    """What we asked, newest first; logged as a consultation."""
    call.node.consult("private.checks", call.acting())
    found = call.node.private.checks(limit=call.number("limit", 100, MOST))
    return JSONResponse({"checks": [_check(c) for c in found]})


def check(call: Call) -> Response:
    """One check as it stands now; logged as a consultation."""
    call.node.consult("private.check", call.acting())
    return JSONResponse({"check": _check(call.node.private.result(call.path("check")))})


def follow(call: Call) -> Response:
    """An officer's decision on a hit: a request that carries the opaque ids."""
    body = read_object(call.body, ("body",), ("body",))
    made = call.node.private.follow(call.path("check"), read_any_object(body["body"], "body"), call.acting())
    return JSONResponse({"dossier": made}, status_code=201, headers={"location": f"/api/v1/dossiers/{made}"})


def meanings(call: Call) -> Response:
    """Which of our records the opaque ids in a partner's request mean; logged as a consultation."""
    dossier = call.node.dossiers.find(call.path("dossier"))
    return JSONResponse({"meanings": plain(call.node.private.meanings(dossier, call.acting()))})


def watch(call: Call) -> Response:
    """Ask now, and look again at each change of the partners' lists without asking again."""
    body = read_object(call.body, ("peers", "person", "case", "until"), ("peers", "person", "case"))
    made, results = call.node.private.watch(
        read_any_object(body["person"], "person"),
        _some_texts(body["peers"], "peers"),
        read_text(body["case"], "case"),
        call.acting(),
        read_text(body.get("until", ""), "until"),
    )
    found = [_check(c) for c in results]
    return JSONResponse({"watch": made.id, "until": made.until_on, "checks": found}, status_code=201)


def watches(call: Call) -> Response:
    """Who is under watch; logged as a consultation."""
    call.node.consult("private.watches", call.acting())
    return JSONResponse({"watches": plain(call.node.private.watches())})


def end_watch(call: Call) -> Response:
    """End a watch."""
    read_object(call.body, ())
    call.node.private.unwatch(call.path("watch"), call.acting())
    return JSONResponse({"watch": call.path("watch"), "state": "off"})


def status(call: Call) -> Response:
    """Epochs, lists, today's meters, what was asked of us and what we asked, and what must be looked at."""
    call.acting()
    p = call.node.private
    found = {
        "epochs": p.epochs(),
        "lists": p.lists(),
        "meters": p.meters(),
        "asked_of_us": p.asked_of_us(),
        "we_asked": p.we_asked(),
        "notices": p.notices(),
    }
    return JSONResponse(plain(found))


def serve(call: Call) -> Response:
    """Let a partner ask us (supervisor); the lists follow."""
    body = read_object(call.body, ("partner", "tiers"), ("partner", "tiers"))
    tiers = _some_texts(body["tiers"], "tiers")
    if not set(tiers) <= set(Tier):
        raise Invalid("body.choice", ", ".join(Tier), step=STEP, field="tiers")
    call.node.private.publish(read_text(body["partner"], "partner"), [Tier(t) for t in tiers], call.acting())
    return JSONResponse({"partner": body["partner"], "tiers": tiers}, status_code=202)


def revoke(call: Call) -> Response:
    """Answer a partner nothing more, from this moment (supervisor)."""
    body = read_object(call.body, ("partner",), ("partner",))
    call.node.private.revoke(read_text(body["partner"], "partner"), call.acting())
    return JSONResponse({"partner": body["partner"], "state": "revoked"})


def rotate(call: Call) -> Response:
    """New keys and new lists (supervisor)."""
    read_object(call.body, ())
    call.node.private.rotate(call.acting())
    return JSONResponse({"state": "ordered"}, status_code=202)


def seen(call: Call) -> Response:
    """An alarm was looked at (supervisor)."""
    read_object(call.body, ())
    call.node.private.seen(call.path("notice"), call.acting())
    return JSONResponse({"notice": call.path("notice"), "state": "seen"})


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("POST", "/api/v1/checks", ask),
    ("GET", "/api/v1/checks", checks),
    ("GET", "/api/v1/checks/{check}", check),
    ("POST", "/api/v1/checks/{check}/request", follow),
    ("GET", "/api/v1/dossiers/{dossier}/meanings", meanings),
    ("POST", "/api/v1/watches", watch),
    ("GET", "/api/v1/watches", watches),
    ("POST", "/api/v1/watches/{watch}/end", end_watch),
    ("GET", "/api/v1/private", status),
    ("POST", "/api/v1/private/served", serve),
    ("POST", "/api/v1/private/revoked", revoke),
    ("POST", "/api/v1/private/rotation", rotate),
    ("POST", "/api/v1/private/notices/{notice}/seen", seen),
)


def operations(
    make: Callable[..., dict[str, Any]], why: list[dict[str, Any]], body: dict[str, Any]
) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `make` builds an object schema, `body` is that of an act."""
    text: dict[str, Any] = {"type": "string"}
    texts = {"type": "array", "items": text}
    rows = {"type": "array", "items": {"type": "object"}}
    anything = {"type": "object"}
    one = make({"check": anything})
    nothing = make({}, [], closed=True)
    answer = make({"state": text})
    person = {"person": anything, "case": text}
    served = make({"partner": text, "tiers": {"type": "array", "items": {"enum": list(Tier)}}}, closed=True)
    status_of = make(dict.fromkeys(("epochs", "lists", "meters", "asked_of_us", "we_asked", "notices"), rows))
    return (
        (
            "post", "/checks", "Ask one partner for a person without telling it whom", why,
            make({"peer": text, **person}, closed=True), one, "201",
        ),
        ("get", "/checks", "What we asked, newest first; logged", why, None, make({"checks": rows}), "200"),
        ("get", "/checks/{check}", "One check; logged as a consultation", why, None, one, "200"),
        (
            "post", "/checks/{check}/request", "Open a request on a hit", why, make({"body": body}, closed=True),
            make({"dossier": text}), "201",
        ),
        (
            "get", "/dossiers/{dossier}/meanings", "What the opaque ids in a partner's request mean; logged", why, None,
            make({"meanings": rows}), "200",
        ),
        (
            "post", "/watches", "Put a person under standing watch", why,
            make({"peers": texts, **person, "until": text}, ["peers", "person", "case"], closed=True),
            make({"watch": text, "until": text, "checks": rows}), "201",
        ),
        ("get", "/watches", "Who is under watch; logged as a consultation", why, None, make({"watches": rows}), "200"),
        ("post", "/watches/{watch}/end", "End a watch", why, nothing, answer, "200"),
        ("get", "/private", "Epochs, lists, meters, what was asked", [], None, status_of, "200"),
        ("post", "/private/served", "Let a partner ask us", why, served, make({"partner": text}), "202"),
        (
            "post", "/private/revoked", "Answer a partner nothing more", why, make({"partner": text}, closed=True),
            answer, "200",
        ),
        ("post", "/private/rotation", "New keys and new lists", why, nothing, answer, "202"),
        ("post", "/private/notices/{notice}/seen", "An alarm was looked at", why, nothing, answer, "200"),
    )  # fmt: skip
