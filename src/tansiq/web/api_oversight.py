"""The API's view of oversight: the log chosen from, everything held on one person, and a signed extract of it.

Same rules as `api.py`; its routes are listed there and described in `openapi.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from tansiq.errors import Invalid
from tansiq.oversight import Ground, Ruling, decide, read_person, read_right
from tansiq.oversight.model import Bound, Kept, Sort
from tansiq.terms import LogVerb
from tansiq.terms.plain import plain
from tansiq.web.bodies import read_object, read_text, read_texts
from tansiq.web.visit import Call

PERSON = ("name", "alias", "birthDate", "birthPlace", "nationality", "phone", "email", "passportNumber", "idNumber")
"""By what a person may be described: properties of the bank's vocabulary, each with a list of texts."""

FILTERS = ("since", "until", "verb", "officer", "record")


def leaves(call: Call) -> Response:
    """Leaves, newest first; `before` is an index. Content only for those who oversee: it names officers."""
    before = call.number("before", 1, 2**53) if call.query("before") else None
    page = call.node.oversight.leaves(
        call.acting(), since=call.query("since"), until=call.query("until"), verb=call.query("verb"),
        officer=call.query("officer"), record=call.query("record"), before=before, limit=call.number("limit", 50, 500),
    )  # fmt: skip
    return JSONResponse({"leaves": plain(page.leaves), "older": page.older, "scanned": page.scanned})


def archive(call: Call) -> Response:
    """The whole log for an oversight body, as `tansiq ledger export` writes it: one line for each leaf."""
    body = read_object(call.body, ("open", *FILTERS), ("open",))
    if not isinstance(body["open"], bool):
        raise Invalid("body.choice", "true or false.", step="read the body", field="open")
    chosen = {name: read_text(body.get(name, ""), name) for name in FILTERS}
    if not body["open"] and any(chosen.values()):
        raise Invalid("ledger.open", "what is chosen is opened: say so", step="read the body", field="open")
    lines = call.node.oversight.archive(call.acting(), open_them=body["open"], **chosen)
    return StreamingResponse(lines, media_type="application/x-ndjson")


def find(call: Call) -> Response:
    """Everything held that may be about this person. Names travel in the body: an address stays in logs."""
    body = read_object(call.body, ("person", "right"), ("person",))
    found = call.node.oversight.find(_person(body), _right(body), call.acting())
    said = {
        "things": plain(found.things), "complete": found.complete, "left_out": [b.value for b in found.left_out],
        "leaf": found.leaf, "right": found.right.value,
    }  # fmt: skip
    return JSONResponse(said)


def extract(call: Call) -> Response:
    """A signed extract of the items that an officer says are this person's; `ledger verify` checks it off-line."""
    body = read_object(call.body, ("person", "right", "items", "consented", "decided"), ("person", "items"))
    decided = body.get("decided")
    if decided is not None and type(decided) is not int:
        raise Invalid("body.number", "A whole number.", step="read the body", field="decided")
    raw = call.node.oversight.extract(
        _person(body),
        _right(body),
        read_texts(body.get("items", []), "items"),
        call.acting(),
        read_texts(body.get("consented", []), "consented"),
        decided,
    )
    return Response(raw, media_type="application/json")


def decisions(call: Call) -> Response:
    """What was decided on persons' requests, newest first; for those who oversee."""
    kept = call.node.oversight.decisions(call.acting(), call.query("request"), call.number("limit", 50, 500))
    return JSONResponse({"decisions": plain(kept)})


DECIDED = ("request", "right", "decision", "grounds", "reason", "items")


def keep_decision(call: Call) -> Response:
    """Keep a decision on a person's request, with its grounds and reasons (LED art. 15(4))."""
    body = read_object(call.body, DECIDED, ("request", "decision"))
    words = {name: read_text(body.get(name, ""), name) for name in ("request", "decision", "reason")}
    grounds, items = (read_texts(body.get(name, []), name) for name in ("grounds", "items"))
    made = decide(words["request"], _right(body), words["decision"], grounds, words["reason"], items)
    return JSONResponse({"leaf": call.node.oversight.decide(made, call.acting())}, status_code=201)


def _right(body: Mapping[str, Any]) -> Any:
    return read_right(read_text(body.get("right", "access"), "right"))


def _person(body: Mapping[str, Any]) -> Any:
    said = read_object(body["person"], PERSON, field="person")
    return read_person([{"property": p, "value": v} for p in PERSON for v in read_texts(said.get(p, []), p)])


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("GET", "/api/v1/ledger/leaves", leaves),
    ("POST", "/api/v1/ledger/export", archive),
    ("POST", "/api/v1/persons/search", find),
    ("POST", "/api/v1/persons/extract", extract),
    ("GET", "/api/v1/persons/decisions", decisions),
    ("POST", "/api/v1/persons/decisions", keep_decision),
)


def operations(
    shape: Callable[..., dict[str, Any]], why: list[dict[str, Any]], leaf: dict[str, Any]
) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `shape` builds an object schema, `leaf` is that of a leaf."""
    text, number = {"type": "string"}, {"type": "integer"}
    texts = {"type": "array", "items": text}
    person = shape(dict.fromkeys(PERSON, texts), [], closed=True)
    right = {"enum": ["access", "rectification", "erasure", "authority"], "description": "LED arts 14, 16, 17"}
    asked = {"person": person, "right": right}
    thing = shape({
        "id": text, "sort": {"enum": [s.value for s in Sort]},
        "score": {"type": "number"}, "what": {"type": ["object", "null"]},
        "kept": {"enum": [k.value for k in Kept]}, "originator": text, "ours": {"type": "boolean"},
        "owners": {"type": "array", "items": text, "description": "Countries that have to consent to an extract of it"},
        "disclosures": {"type": "array", "items": {"type": "object"}}, "trail": {"type": "array"},
    })  # fmt: skip
    filters = [
        _query("since", "From this day (UTC) or instant on.", text),
        _query("until", "To this day, included, or before this instant.", text),
        _query("verb", "A verb of LED art. 25.", {"enum": [v.value for v in LogVerb]}),
        _query("officer", "What this officer did; another's for those who oversee.", text),
        _query("record", "About this record; a dossier takes its entries, parts and matches along.", text),
        _query("before", "An index: `older` of the page before.", number),
        _query("limit", "How many at most.", {"type": "integer", "minimum": 1}),
    ]  # fmt: skip
    return (
        (
            "get", "/ledger/leaves", "Leaves, newest first; content for supervisors and the data-protection officer",
            filters, None,
            shape({
                "leaves": {"type": "array", "items": leaf}, "older": {"type": ["integer", "null"]}, "scanned": number,
            }), "200",
        ),
        (
            "post", "/ledger/export", "The whole log, line by line, with the contents that are chosen (x-ndjson)", why,
            shape({"open": {"type": "boolean"}, **dict.fromkeys(FILTERS, text)}, ["open"], closed=True),
            {"type": "object", "description": "The first of many lines; the last signs them all."}, "200",
        ),
        (
            "post", "/persons/search", "Everything held on one person; the data-protection officer's, logged", why,
            shape(asked, ["person"], closed=True),
            shape({
                "things": {"type": "array", "items": thing}, "complete": {"type": "boolean"}, "leaf": number,
                "left_out": {"type": "array", "items": {"enum": [b.value for b in Bound]}}, "right": right,
            }), "200",
        ),
        (
            "post", "/persons/extract", "A signed extract of what is this person's, verified off-line", why,
            shape(
                {**asked, "items": texts, "consented": texts, "decided": number}, ["person", "items"], closed=True
            ),
            shape({"type": text, "card": text, "signed": text, "leaf": {"type": "object"}}), "200",
        ),
        *_deciding(shape, why, right),
    )  # fmt: skip


def _deciding(
    shape: Callable[..., dict[str, Any]], why: list[dict[str, Any]], right: dict[str, Any]
) -> tuple[tuple[Any, ...], ...]:
    text, number = {"type": "string"}, {"type": "integer"}
    letters = {"type": "array", "items": {"enum": [g.value for g in Ground]}, "description": "Of LED art. 15(1)"}
    said = {
        "request": {"type": "string", "minLength": 1, "maxLength": 100}, "right": right,
        "grounds": letters, "reason": {"type": "string", "maxLength": 2000}, "items": {"type": "array", "items": text},
    }  # fmt: skip
    rulings = {"enum": [r.value for r in Ruling]}
    kept = shape({"leaf": number, "at": text, "officer": text, "decision": shape({**said, "ruling": rulings})})
    asked = [
        _query("request", "Of this request; by default of all.", text),
        _query("limit", "How many at most.", {"type": "integer", "minimum": 1}),
    ]
    return (
        (
            "get", "/persons/decisions", "What was decided on persons' requests, for those who oversee", asked, None,
            shape({"decisions": {"type": "array", "items": kept}}), "200",
        ),
        (
            "post", "/persons/decisions", "Keep a decision on a person's request, and why (LED art. 15(4))", why,
            shape({**said, "decision": rulings}, ["request", "decision"], closed=True), shape({"leaf": number}), "201",
        ),
    )  # fmt: skip


def _query(name: str, text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "required": False, "schema": schema}
