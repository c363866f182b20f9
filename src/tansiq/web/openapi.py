"""The OpenAPI 3.1 description of the HTTP API, written by hand: a promise is not generated from what it binds."""

from __future__ import annotations

from typing import Any

from tansiq import __version__
from tansiq.web import api_bureau, api_ledger, api_match, api_oversight, api_private, api_together, files
from tansiq.web.api_acts import operations

ID = {"type": "string"}
TEXT = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}
COUNT = {"type": "integer", "minimum": 0}
OLDER = {"type": "string", "description": "Where the next page goes on; empty behind the last one."}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


ALERT = {
    "type": "object",
    "description": "Something met a standing query of the officer's and was not read; `why` is the officer's reason.",
    "properties": {
        n: {"type": "string"}
        for n in ("id", "officer", "watch", "kind", "looked_for", "why", "met", "dossier", "what", "at")
    },
}
ALERTS = {"type": "array", "items": ALERT}


def _object(properties: dict[str, Any], required: list[str] | None = None, *, closed: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if required is None or required:
        found["required"] = required if required is not None else list(properties)
    if closed:
        found["additionalProperties"] = False
    return found


def _query(name: str, text: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "required": required, "schema": schema}


LIMIT = _query("limit", "How many at most.", {"type": "integer", "minimum": 1})
KIND_SEARCHED = {"enum": ["person", "organization", "phone", "plate", "document"]}
WHY = [
    _query("purpose", "Why: a purpose of LED art. 1(1).", TEXT),
    _query("justification", "Why, in words; kept in the ledger (LED art. 25).", TEXT),
]
OPENING = _object({"kind": TEXT, "to": TEXTS, "body": _ref("Body")}, closed=True)

Row = tuple[str, str, str, list[dict[str, Any]], dict[str, Any] | None, dict[str, Any], str]
OPERATIONS: tuple[Row, ...] = (
    (
        "get", "/duties", "Who owes what until when, most urgent first; `ours` and `theirs` count all of them",
        [_query("skip", "How many more urgent ones of each side are left out.", COUNT), LIMIT], None,
        _object(
            {"now": INSTANT, "node": ID, "duties": _list("Duty"), "ours": COUNT, "theirs": COUNT, "alerts": ALERTS}
        ),
        "200",
    ),
    (
        "get", "/dossiers", "The dossiers, newest first",
        [_query("kind", "report or request.", TEXT), _query("before", "`older` of the page before it.", TEXT), LIMIT],
        None, _object({"dossiers": _list("DossierRow"), "older": OLDER}), "200",
    ),
    ("post", "/dossiers", "Open a dossier", WHY, OPENING, _object({"dossier": ID}), "201"),
    (
        "get", "/dossiers/{dossier}", "One dossier; logged as a consultation", WHY, None,
        _object({"dossier": _ref("Dossier")}), "200",
    ),
    ("post", "/dossiers/{dossier}/entries", "Append one act", WHY, _ref("Body"), _object({"entry": ID}), "201"),
    (
        "post", "/preview", "What the law gate would say for each recipient; nothing is recorded or sent", WHY, OPENING,
        _object({"decisions": _list("Decision")}), "200",
    ),
    (
        "get", "/matches", "Matches, newest first",
        [
            _query("state", "open, hit, no_hit or unclear.", {"enum": ["open", "hit", "no_hit", "unclear"]}),
            _query("after", "`older` of the page before it.", TEXT), LIMIT, *WHY,
        ],
        None, _object({"matches": _list("Match"), "older": OLDER}), "200",
    ),
    (
        "post", "/matches/{match}/decision", "An officer's word on a match", WHY,
        _object({"decision": {"enum": ["hit", "no_hit", "unclear"]}, "reason": TEXT}, closed=True),
        _object({"match": _ref("Match")}), "200",
    ),
    (
        "get", "/bank/search", "Search the own bank; logged as a consultation",
        [
            _query("q", "A name in any script, a number, a plate.", TEXT, required=True),
            _query("kind", "What to look for.", KIND_SEARCHED),
            LIMIT, *WHY,
        ],
        None, _object({"results": _list("Candidate")}), "200",
    ),
    (
        "post", "/bank/search", "The same with the name in the body, which no log of addresses keeps", WHY,
        _object({"q": TEXT, "kind": KIND_SEARCHED, "limit": {"type": "integer", "minimum": 1}}, ["q"], closed=True),
        _object({"results": _list("Candidate")}), "200",
    ),
    (
        "get", "/ledger/checkpoint", "The newest signed checkpoint", [], None,
        _object({"size": {"type": "integer"}, "root": TEXT, "checkpoint": TEXT}), "200",
    ),
    (
        "get", "/deliveries", "Where each entry for each addressee stands",
        [_query("ref", "An entry.", ID), _query("to", "A partner's node.", ID), LIMIT], None,
        _object({"deliveries": _list("Delivery")}), "200",
    ),
    (
        "get", "/peers", "The pinned partners and what waits for each", [], None,
        _object({"peers": {"type": "array"}, "status": {"type": "array"}}), "200",
    ),
    ("get", "/openapi.json", "This description", [], None, {"type": "object"}, "200"),
    *operations(_object, WHY, _ref("Body")),
    *api_match.operations(_object, WHY),
    *api_private.operations(_object, WHY, _ref("Body")),
    *api_together.operations(_object, WHY),
    *api_bureau.operations(_object, WHY),
    *api_ledger.operations(_object, WHY),
    *api_oversight.operations(_object, WHY, _ref("Leaf")),
    *files.operations(TEXT, WHY),
)  # fmt: skip

SCHEMAS: dict[str, Any] = {
    "Problem": _object(
        {
            "type": TEXT,
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "code": {"type": "string", "description": "Stable, dotted."},
            "step": TEXT,
            "field": {"type": "string", "description": "The place in the input that is wrong."},
            "hint": TEXT,
            "clauses": TEXTS,
        },
        ["type", "title", "status", "detail", "code"],
    ),
    "Body": {
        "type": "object",
        "description": "One act as an officer writes it; docs/dossier-body.md is its reference.",
        "additionalProperties": False,
        "properties": {
            "type": TEXT,
            "subject": TEXT,
            "facts": {"type": "object"},
            "handling": _object({"codes": TEXTS, "text": TEXT, "classification": TEXT}, [], closed=True),
            "legal": _object(
                {
                    "purpose": TEXT,
                    "legal_basis": TEXT,
                    "agreement": {"anyOf": [TEXT, {"type": "object", "additionalProperties": TEXT}]},
                    "transfer_basis": TEXT,
                    "review_on": TEXT,
                    "erase_on": TEXT,
                },
                ["purpose", "legal_basis"],
                closed=True,
            ),
            "to": TEXTS,
            "parts": {
                "type": "array",
                "items": _object({"kind": TEXT, "withhold_from": TEXTS, "entity": _ref("Entity")}, ["kind"]),
            },
            "strictly_necessary": {"type": "boolean"},
            "special_categories": {"type": "boolean"},
            "interpol_channel": {"type": "boolean"},
            "article_3": {"type": "boolean"},
            "risk": TEXTS,
            "assurances": TEXTS,
        },
    },
    "Entity": _object(
        {"id": TEXT, "schema": TEXT, "role": TEXT, "claims": _list("Claim")}, ["id", "schema", "claims"], closed=True
    ),
    "Claim": _object(
        {
            "property": TEXT,
            "value": TEXT,
            "lang": {"type": "string", "description": "BCP 47."},
            "basis": {"type": "string", "enum": ["fact", "assessment"]},
            "grade": TEXT,
            "scheme": TEXT,
            "as_of": TEXT,
            "precision": {
                "type": "string",
                "description": "Of a date: day, month, year, circa. Of a place: building, street, locality, region,"
                " country. Of a coordinate: metres.",
            },
            "handling": {
                "type": "string",
                "enum": ["H1", "H2", "H1 H2"],
                "description": "Besides the codes of the whole act.",
            },
            "legal_basis": {"type": "string", "description": "Where it is another than the act's."},
            "erase_on": {"type": "string", "format": "date", "description": "Not after the act's own."},
        },
        ["property", "value"],
        closed=True,
    ),
    "Duty": _object(
        {
            "dossier": ID,
            "owner": ID,
            "code": TEXT,
            "due_at": {"anyOf": [INSTANT, {"type": "null"}]},
            "since": INSTANT,
            "clause": TEXT,
            "urgent": {"type": "boolean"},
            "href": TEXT,
        }
    ),
    "DossierRow": _object({"id": ID, "kind": TEXT, "subject": TEXT, "opener": ID, "phase": TEXT}),
    "Dossier": _object({"id": ID, "kind": TEXT, "members": TEXTS, "entries": {"type": "array"}, "phase": TEXT}),
    "Decision": _object({"to": ID, "decision": {"enum": ["permit", "refusal"]}, "clauses": {"type": "array"}}),
    "Match": _object(
        {
            "id": ID,
            "dossier": ID,
            "entry": ID,
            "score": {"type": ["number", "null"], "description": "null in a blind review, until it is decided"},
            "state": TEXT,
        }
    ),
    "Candidate": _object(
        {"record": {"type": "object"}, "score": {"type": "number"}, "explanation": {"type": "object"}}
    ),
    "Leaf": _object(
        {
            "index": {"type": "integer"},
            "at": INSTANT,
            "verb": TEXT,
            "subject": TEXT,
            "content": {"description": "null where it was erased, or is hidden"},
            "hidden": {"type": "boolean", "description": "whether others may read the content"},
        },
    ),
    "Delivery": _object({"ref": ID, "to": ID, "state": TEXT, "attempts": {"type": "integer"}}),
}
PROBLEMS = {
    "401": "No bearer token, or one that has ended.",
    "403": "The law gate or an access rule said no; `clauses` names what decided.",
    "404": "There is none, or you may not know that there is.",
    "409": "It was changed by another; read it again.",
    "422": "Something in the input is wrong; `field` says where.",
}


def _operation(row: Row) -> dict[str, Any]:
    _method, path, summary, query, body, answer, status = row
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": ID}
        for name in ("dossier", "entry", "part", "match", "draft", "ref", "check", "watch", "notice", "peer")
        if f"{{{name}}}" in path
    ]
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    found: dict[str, Any] = {
        "summary": summary,
        "operationId": f"{_method}{path.replace('/', '_').replace('{', '').replace('}', '').replace('.', '_')}",
        "responses": {
            status: {"description": summary, "content": {"application/json": {"schema": answer}}},
            **{code: {"description": text, "content": problem} for code, text in PROBLEMS.items()},
        },
    }
    if parameters or query:
        found["parameters"] = [*parameters, *query]
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, Any] = {}
    for row in OPERATIONS:
        paths.setdefault(f"/api/v1{row[1]}", {})[row[0]] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tansiq",
            "version": __version__,
            "description": "What an officer may do, for programs that act for one. Errors are RFC 9457 problems.",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "paths": paths,
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "tq_…"}},
            "schemas": SCHEMAS,
        },
    }
