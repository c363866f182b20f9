"""The API's acts beside reading and writing entries: passing on, members, second officers, partners, proofs.

Same rules as `api.py`; its routes are listed there and described in `openapi.py`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from tansiq.access.model import Role
from tansiq.errors import Invalid, NotFound, Refused
from tansiq.policy.model import Permit
from tansiq.terms import DossierId, EntryId
from tansiq.terms.ids import parse_dossier_id, parse_entry_id, parse_part_id
from tansiq.terms.plain import plain
from tansiq.web.actforms import FLAGS
from tansiq.web.bodies import read_any_object, read_object
from tansiq.web.visit import Call


def _fields(call: Call, *needed: str) -> dict[str, str]:
    """The body's texts; nothing missing, nothing unknown. Raises `Invalid` with the field."""
    body = read_object(call.body, needed)
    for key in needed:
        if not isinstance(body.get(key), str) or not body[key]:
            raise Invalid("body.text", "A text.", step="read the body", field=key)
    return {key: str(body[key]) for key in needed}


def _dossier(call: Call) -> DossierId:
    try:
        return parse_dossier_id(call.path("dossier"))
    except Invalid:
        raise NotFound("dossier.unknown", "no such dossier", step="find the dossier", field="dossier") from None


def _entry(call: Call) -> EntryId:
    try:
        return parse_entry_id(call.path("entry"), "entry")
    except Invalid:
        raise NotFound("entry.unknown", "no such entry", step="find the entry", field="entry") from None


def forward(call: Call) -> Response:
    """Ask whether another's entry may go to a further service; refused with the clause, or asked of its originator."""
    fields = _fields(call, "about", "to")
    about = parse_entry_id(fields["about"], "about")
    entry = call.node.dossiers.forward(_dossier(call), about, fields["to"], call.acting())
    return JSONResponse({"entry": entry}, status_code=201)


def admit(call: Call) -> Response:
    """Add a member and deliver our own entries to it."""
    entry = call.node.dossiers.admit(_dossier(call), _fields(call, "node")["node"], call.acting())
    return JSONResponse({"entry": entry}, status_code=201)


def acknowledge(call: Call) -> Response:
    """The officer has read the restrictions (H3) and keeps to them. Answers with their texts."""
    dossier, by = _dossier(call), call.acting()
    due = call.node.h3_due(dossier, by)
    if due:
        call.node.acknowledge_h3(dossier, by)
    return JSONResponse({"restrictions": [{"entry": entry, "text": text} for entry, text in due]}, status_code=201)


def give(call: Call) -> Response:
    """Give a member a part that was withheld from it; the gate is asked again."""
    fields = _fields(call, "node", "part")
    parts = [parse_part_id(fields["part"], "part")]
    count = call.node.dossiers.deliver_to(_dossier(call), fields["node"], call.acting(), parts)
    return JSONResponse({"entries": count}, status_code=201)


def declare(call: Call) -> Response:
    """Say anew what was declared with an entry of ours, where a restore lost it. What is left out is not so."""
    dossier, entry = _dossier(call), _entry(call)
    if call.node.dossiers.dossier_of(entry) != dossier:
        raise NotFound("entry.unknown", "no such entry", step="find the entry", field="entry")
    call.node.dossiers.declare(entry, read_any_object(call.body), call.acting())
    return JSONResponse({"entry": entry, "declared": True}, status_code=201)


def purge(call: Call) -> Response:
    """Erase every part of a dossier whose work has ended; the node proves it to the members by itself."""
    _fields(call)
    erased = call.node.dossiers.purge(_dossier(call), call.acting())
    return JSONResponse({"erased": erased}, status_code=201)


def preview_entry(call: Call) -> Response:
    """What the gate would say for each addressee of an act on this dossier. Records nothing, sends nothing."""
    found = call.node.dossiers.preview_append(_dossier(call), read_any_object(call.body), call.acting())
    return JSONResponse({"decisions": [{"to": node} | decision_of(decision) for node, decision in found]})


def decision_of(decision: Any) -> dict[str, Any]:
    """The gate's answer as programs read it."""
    return {
        "decision": "permit" if isinstance(decision, Permit) else "refusal",
        "clauses": plain(decision.clauses),
        "obligations": plain(getattr(decision, "obligations", ())),
        "missing": plain(getattr(decision, "missing", ())),
        "reason": getattr(decision, "reason", ""),
    }


def make_draft(call: Call) -> Response:
    """Lay an act down for a second officer: `kind`, `to` and `body` of an opening, or `dossier` and `body`."""
    body = call.body
    shapes = ({"kind", "to", "body"}, {"dossier", "body"})
    if not isinstance(body, Mapping) or set(body) not in shapes or not isinstance(body["body"], Mapping):
        raise Invalid("body.draft", "kind, to and body; or dossier and body", step="read the body", field="body")
    to = body.get("to", [])
    if not isinstance(to, list) or not all(isinstance(n, str) for n in to):
        raise Invalid("body.texts", "A list of texts.", step="read the body", field="to")
    draft = call.node.propose(dict(body), call.acting())
    return JSONResponse({"draft": draft}, status_code=201)


def confirm_draft(call: Call) -> Response:
    """The second officer's word: the act is done in the names of both."""
    dossier = call.node.confirm(call.path("draft"), call.acting())
    return JSONResponse({"dossier": dossier}, status_code=201)


def drafts(call: Call) -> Response:
    """What waits for a second officer, without the act's content."""
    found = call.node.access.pending()
    rows = [
        {"draft": d.id, "act": d.act, "first": d.first, "needs": d.needs, "at": plain(d.proposed_at)} for d in found
    ]
    return JSONResponse({"drafts": rows})


def add_peer(call: Call) -> Response:
    """Pin a partner's card (base64). Compare the fingerprint with it over another channel before anything is sent."""
    text = _fields(call, "card")["card"]
    if Role.ADMIN not in call.officer.roles:
        raise Refused("access.role", "An administrator pins partners.", step="pin a partner")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("body.base64", "Not base64.", step="read the body", field="card") from None
    peer = call.node.exchange.add_peer(raw)
    return JSONResponse({"node": peer.card.node, "fingerprint": peer.fingerprint}, status_code=201)


def verify_ledger(call: Call) -> Response:
    """Recompute the whole log; `broken_at` is null, or the first leaf that does not hold."""
    call.acting()
    return JSONResponse(plain(call.node.ledger.verify()))


def proof(call: Call) -> Response:
    """What a third party needs to check an entry and its receipts without asking any node."""
    call.acting()
    return JSONResponse(plain(call.node.prove(call.path("ref"))))


TABLE: tuple[tuple[str, str, Callable[[Call], Response]], ...] = (
    ("POST", "/api/v1/dossiers/{dossier}/forward", forward),
    ("POST", "/api/v1/dossiers/{dossier}/members", admit),
    ("POST", "/api/v1/dossiers/{dossier}/acknowledgement", acknowledge),
    ("POST", "/api/v1/dossiers/{dossier}/deliveries", give),
    ("POST", "/api/v1/dossiers/{dossier}/entries/{entry}/declaration", declare),
    ("POST", "/api/v1/dossiers/{dossier}/erasure", purge),
    ("POST", "/api/v1/dossiers/{dossier}/preview", preview_entry),
    ("GET", "/api/v1/drafts", drafts),
    ("POST", "/api/v1/drafts", make_draft),
    ("POST", "/api/v1/drafts/{draft}/confirm", confirm_draft),
    ("POST", "/api/v1/peers", add_peer),
    ("GET", "/api/v1/ledger/verify", verify_ledger),
    ("GET", "/api/v1/proofs/{ref}", proof),
)


def operations(
    make: Callable[..., dict[str, Any]], why: list[dict[str, Any]], body: dict[str, Any]
) -> tuple[tuple[Any, ...], ...]:
    """Their rows for `openapi.py`; `make` builds an object schema, `body` is the act's."""
    text = {"type": "string"}
    rows = {"type": "array", "items": {"type": "object"}}
    draft = make({"kind": text, "to": {"type": "array", "items": text}, "dossier": text, "body": body}, ["body"])
    log = make({"size": {"type": "integer"}, "checked": {"type": "integer"}, "broken_at": {}})
    closed, flag, texts = {"closed": True}, {"type": "boolean"}, {"type": "array", "items": text}
    declared = {name: flag for name in FLAGS} | {"risk": texts, "assurances": texts}
    declared["handling"] = make({"classification": text}, [], **closed)
    return (
        (
            "post", "/dossiers/{dossier}/forward", "Ask whether an entry may go to a further service", why,
            make({"about": text, "to": text}, **closed), make({"entry": text}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/members", "Add a member and deliver our own entries to it", why,
            make({"node": text}, **closed), make({"entry": text}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/acknowledgement", "The officer has read the restrictions (H3)", why,
            make({}, []), make({"restrictions": rows}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/deliveries", "Give a member a part that was withheld from it", why,
            make({"node": text, "part": text}, **closed), make({"entries": {"type": "integer"}}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/entries/{entry}/declaration",
            "Declare anew what a restore lost of an entry of ours; what is left out is not so", why,
            make(declared, [], **closed), make({"entry": text, "declared": flag}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/erasure", "Erase every part of a dossier whose work has ended", why,
            make({}, []), make({"erased": {"type": "integer"}}), "201",
        ),
        (
            "post", "/dossiers/{dossier}/preview", "What the law gate would say of an act; nothing is recorded", why,
            body, make({"decisions": rows}), "200",
        ),
        ("get", "/drafts", "What waits for a second officer", [], None, make({"drafts": rows}), "200"),
        ("post", "/drafts", "Lay an act down for a second officer", why, draft, make({"draft": text}), "201"),
        (
            "post", "/drafts/{draft}/confirm", "The second officer confirms; the act is done", why,
            make({}, []), make({"dossier": text}), "201",
        ),
        (
            "post", "/peers", "Pin a partner's card; an administrator's act", [],
            make({"card": text}, **closed), make({"node": text, "fingerprint": text}), "201",
        ),
        ("get", "/ledger/verify", "Recompute the whole log", why, None, log, "200"),
        (
            "get", "/proofs/{ref}", "What a third party needs to check an entry off-line", why, None,
            make({"subject": text, "leaves": rows, "receipts": rows}), "200",
        ),
    )  # fmt: skip
