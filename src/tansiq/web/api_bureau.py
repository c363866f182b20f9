"""The API's search over dossiers, standing queries and links: `openapi.py` describes every route.

What is looked for stands in the body, never in the address: addresses are logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.errors import Invalid, NotFound
from tansiq.terms import DossierId
from tansiq.terms.ids import parse_dossier_id
from tansiq.terms.plain import plain
from tansiq.web.bodies import STEP, read_object, read_text
from tansiq.web.visit import Call

MOST = 200


def _texts(call: Call, *known: str) -> dict[str, str]:
    body = read_object(call.body, known)
    given = {key: read_text(value, key) for key, value in body.items()}
    for key in known:
        if not given.get(key):
            raise Invalid("body.missing", "This is missing.", step=STEP, field=key)
    return given


def _dossier(word: str) -> DossierId:
    try:
        return parse_dossier_id(word)
    except Invalid:
        raise NotFound("dossier.unknown", "no such dossier", step="find the dossier", field="dossier") from None


def search(call: Call) -> Response:
    """Parts of dossiers with every word asked for, in either script; asked of the gate and logged.

    Behind a start of the node `searched` says of how many dossiers (`of` so many) the answer speaks yet.
    """
    words = _texts(call, "words")["words"]
    yet = call.node.bureau.searched()
    found = call.node.bureau.search(words, call.number("limit", 20, MOST), call.acting())
    said = {"results": plain(found), "complete": call.node.bureau.words.complete and yet is None}
    return JSONResponse(said | ({"searched": yet[0], "of": yet[1]} if yet else {}))


def watches(call: Call) -> Response:
    """The officer's standing queries, and what met them and was not read yet."""
    by = call.acting()
    found, told = call.node.bureau.watches.kept(by.officer), call.node.bureau.notices(by)
    return JSONResponse({"watches": plain(found), "notices": plain(told)})


def add_watch(call: Call) -> Response:
    """Be told when it arrives; purpose, justification and an end are needed."""
    given = _texts(call, "kind", "text", "until")
    made = call.node.bureau.watch(given["kind"], given["text"], given["until"], call.acting())
    return JSONResponse({"watch": plain(made)}, status_code=201)


def remove_watch(call: Call) -> Response:
    """End a standing query of the officer's own."""
    _texts(call)
    call.node.bureau.watches.remove(call.path("watch"), call.acting())
    return JSONResponse({"removed": call.path("watch")})


def seen(call: Call) -> Response:
    """A notice was read."""
    _texts(call)
    call.node.bureau.watches.seen(call.path("notice"), call.acting())
    return JSONResponse({"seen": call.path("notice")})


def links(call: Call) -> Response:
    """The dossiers that this one is linked with, as far as the officer may read them."""
    call.node.show(_dossier(call.path("dossier")), call.acting())
    found = call.node.bureau.links(_dossier(call.path("dossier")), call.acting())
    return JSONResponse({"links": plain(found)})


def link(call: Call) -> Response:
    """Note that two dossiers belong together. No partner is told."""
    given = _texts(call, "to", "why")
    made = call.node.bureau.link(_dossier(call.path("dossier")), _dossier(given["to"]), given["why"], call.acting())
    return JSONResponse({"link": plain(made)}, status_code=201)


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("POST", "/api/v1/search", search),
    ("GET", "/api/v1/queries", watches),
    ("POST", "/api/v1/queries", add_watch),
    ("POST", "/api/v1/queries/{watch}/removal", remove_watch),
    ("POST", "/api/v1/queries/notices/{notice}/seen", seen),
    ("GET", "/api/v1/dossiers/{dossier}/links", links),
    ("POST", "/api/v1/dossiers/{dossier}/links", link),
)


def operations(make: Callable[..., dict[str, Any]], why: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `make` builds an object schema."""
    text, rows = {"type": "string"}, {"type": "array", "items": {"type": "object"}}
    count, whole = {"type": "integer"}, {"type": "boolean"}
    found = make({"results": rows, "complete": whole, "searched": count, "of": count}, ["results", "complete"])
    kind = {"enum": ["name", "number", "words"]}
    empty = make({}, [], closed=True)
    return (
        (
            "post", "/search", "Search subjects and texts of all dossiers; logged as a consultation", why,
            make({"words": text}, closed=True), found, "200",
        ),
        (
            "get", "/queries", "The officer's standing queries and unread notices", why, None,
            make({"watches": rows, "notices": rows}), "200",
        ),
        (
            "post", "/queries", "Be told when a name, a number or words arrive", why,
            make({"kind": kind, "text": text, "until": text}, closed=True), make({"watch": {"type": "object"}}), "201",
        ),
        ("post", "/queries/{watch}/removal", "End a standing query", why, empty, make({"removed": text}), "200"),
        ("post", "/queries/notices/{notice}/seen", "A notice was read", why, empty, make({"seen": text}), "200"),
        ("get", "/dossiers/{dossier}/links", "Linked dossiers", why, None, make({"links": rows}), "200"),
        (
            "post", "/dossiers/{dossier}/links", "Note that two dossiers belong together", why,
            make({"to": text, "why": text}, closed=True), make({"link": {"type": "object"}}), "201",
        ),
    )  # fmt: skip
