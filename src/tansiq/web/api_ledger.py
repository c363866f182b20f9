"""The API's view of the log's witnesses, and an officer's word on a log that contradicts what was cosigned (rule L-6).

Same rules as `api.py`; its routes are listed there and described in `openapi.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.errors import Invalid
from tansiq.terms.plain import plain
from tansiq.web.bodies import read_object, read_text
from tansiq.web.visit import Call

_ROOT = re.compile(r"[0-9a-f]{64}")


def witnesses(call: Call) -> Response:
    """Who witnesses our log, and whether a partner's log contradicts what we cosigned of it."""
    pinned = [p.card.node for p in call.node.exchange.peers() if p.state == "pinned"]
    return JSONResponse({"witnesses": plain(call.node.witnesses.standings(pinned))})


def settle(call: Call) -> Response:
    """Say what follows from a contradicting log: it starts anew at the head that was compared, or stays distrusted."""
    body = read_object(call.body, ("reason", "anew"))
    reason, anew = read_text(body.get("reason"), "reason"), body.get("anew", "")
    # Named and not a root: it must not be read as the other decision, that the log stays distrusted.
    if "anew" in body and not (isinstance(anew, str) and _ROOT.fullmatch(anew)):
        raise Invalid(
            "body.root", "The root of the head that was compared, 64 hexadecimal digits.", step="read the body",
            field="anew",
        )  # fmt: skip
    node = call.node.exchange.resolve(call.path("peer"))
    trouble = call.node.witnesses.settle(node, call.acting(), reason, anew=anew)
    return JSONResponse({"peer": node, "trouble": trouble})


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("GET", "/api/v1/ledger/witnesses", witnesses),
    ("POST", "/api/v1/ledger/witnesses/{peer}/settlement", settle),
)


def operations(shape: Callable[..., dict[str, Any]], why: list[dict[str, Any]]) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `shape` builds an object schema."""
    text, number = {"type": "string"}, {"type": "integer"}
    head = shape({"origin": text, "size": number, "root": text})
    one = shape({
        "node": text, "cosigned_size": number, "cosigned_at": {"type": ["string", "null"]}, "seen_size": number,
        "trouble": {"enum": ["", "rewritten", "put_back", "distrusted", "known_back"]},
        "trouble_at": {"type": ["string", "null"]}, "claimed": {"anyOf": [head, {"type": "null"}]},
    })  # fmt: skip
    root = {
        "type": "string",
        "pattern": _ROOT.pattern,
        "description": "Trust its log again, from the head of this root",
    }
    said = shape(
        {"reason": {"type": "string", "minLength": 10, "maxLength": 2000}, "anew": root}, ["reason"], closed=True
    )
    return (
        (
            "get", "/ledger/witnesses", "Who witnesses our log, and whose log contradicts what we cosigned", [], None,
            shape({"witnesses": {"type": "array", "items": one}}), "200",
        ),
        (
            "post", "/ledger/witnesses/{peer}/settlement", "Say what follows from a log that contradicts", why, said,
            shape({"peer": text, "trouble": text}), "200",
        ),
    )  # fmt: skip
