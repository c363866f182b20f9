"""The API's comparisons: two names, two persons, a person against the bank; the explanation is that of the pages.

What is compared stands in the body, never in the address: addresses are logged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.bank import parse_entity
from tansiq.errors import Invalid
from tansiq.matching import compare_persons, explain
from tansiq.terms.plain import plain
from tansiq.web.bodies import STEP, read_object
from tansiq.web.visit import Call

MAX_NAME = 400
MAX_VALUES = 24
MOST = 100
PERSON = (
    "names", "birth_dates", "birth_places", "nationalities", "sex", "father", "mother", "documents", "phones"
)  # fmt: skip
"""What `compare_persons` reads."""
_DOCUMENT = frozenset({"number", "country", "kind"})


def _name(body: Mapping[str, Any], field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_NAME:
        raise Invalid("name.length", f"A name has 1 to {MAX_NAME} characters.", step=STEP, field=field)
    return value.strip()


def names_compare(call: Call) -> Response:
    """Two names in any scripts: which part met which, how, and what it is worth. Reads and records nothing."""
    body = read_object(call.body, ("a", "b"))
    return JSONResponse({"explanation": plain(explain(_name(body, "a"), _name(body, "b")).to_dict())})


def _person(body: Mapping[str, Any], side: str) -> Mapping[str, Any]:
    person = read_object(body.get(side), PERSON, field=side)
    for key, value in person.items():
        values = value if isinstance(value, list) else [value]
        if len(values) > MAX_VALUES:
            raise Invalid("body.too_many", f"At most {MAX_VALUES} values.", step=STEP, field=f"{side}.{key}")
        for v in values:
            document = key == "documents" and isinstance(v, Mapping) and v.keys() <= _DOCUMENT
            texts = list(v.values()) if document else [v]
            if not all(isinstance(t, str) and len(t) <= MAX_NAME for t in texts):
                raise Invalid("body.texts", "A text, or a list of texts.", step=STEP, field=f"{side}.{key}")
    return person


def persons_compare(call: Call) -> Response:
    """Two persons, attribute by attribute: the table of the Hit page for any two descriptions. Records nothing."""
    body = read_object(call.body, ("a", "b"))
    found = compare_persons(_person(body, "a"), _person(body, "b"))
    return JSONResponse({"explanation": plain(found.to_dict()), "conflicts": found.conflicts})


def match(call: Call) -> Response:
    """A person (or thing) against the own bank; asked of the gate and logged. `claims` as in an entity of a report."""
    body = read_object(call.body, ("schema", "claims", "limit"))
    limit = body.get("limit", 10)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise Invalid("body.number", f"A number from 1 to {MOST}.", step=STEP, field="limit")
    wanted = {"id": "query", "schema": body.get("schema", "Person"), "claims": body.get("claims")}
    entity = parse_entity(wanted, "body")
    return JSONResponse({"matches": plain(call.node.search(entity, limit, call.acting()))})


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("POST", "/api/v1/names/compare", names_compare),
    ("POST", "/api/v1/persons/compare", persons_compare),
    ("POST", "/api/v1/match", match),
)


def operations(make: Callable[..., dict[str, Any]], why: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `make` builds an object schema."""
    text = {"type": "string"}
    values = {"oneOf": [text, {"type": "array", "items": {"oneOf": [text, {"type": "object"}]}}]}
    person = make(dict.fromkeys(PERSON, values), [], closed=True)
    claim = {"$ref": "#/components/schemas/Claim"}
    rows = {"type": "array", "items": {"type": "object"}}
    explanation = make(
        {
            "score": {"type": "number"},
            "comparable": {"type": "boolean"},
            "start": {"type": "number"},
            "rows": rows,
            "sum": {"type": "number"},
        }
    )
    query = {"schema": text, "claims": {"type": "array", "items": claim}, "limit": {"type": "integer", "minimum": 1}}
    return (
        (
            "post", "/names/compare", "Compare two names across scripts; records nothing", [],
            make({"a": text, "b": text}, closed=True), make({"explanation": explanation}), "200",
        ),
        (
            "post", "/persons/compare", "Compare two persons, attribute by attribute; records nothing", [],
            make({"a": person, "b": person}, closed=True),
            make({"explanation": explanation, "conflicts": {"type": "integer"}}), "200",
        ),
        (
            "post", "/match", "A person against the own bank; logged as a consultation", why,
            make(query, ["claims"], closed=True), make({"matches": rows}), "200",
        ),
    )  # fmt: skip
