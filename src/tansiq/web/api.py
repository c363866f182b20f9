"""The HTTP API under `/api/v1/`: the same verbs as the pages, for other programs. `openapi.py` describes every route.

Reads that the law logs (a dossier, the bank) need a purpose and a justification, as headers `Tansiq-Purpose` and
`Tansiq-Justification` or as query values.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tansiq.bank.model import Claim, Entity
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.hits.model import Match, MatchState
from tansiq.terms import DossierId
from tansiq.terms.ids import parse_dossier_id
from tansiq.terms.plain import plain
from tansiq.web import api_acts, api_bureau, api_ledger, api_match, api_oversight, api_private, api_together, files
from tansiq.web.bodies import read_any_object, read_object, read_text, read_texts
from tansiq.web.endpoints import api
from tansiq.web.openapi import document
from tansiq.web.pages.hits import restricted
from tansiq.web.pages.lists import DOSSIERS, HITS, QUERIES, in_order, is_blind, is_unread, owed, unread_in
from tansiq.web.visit import Call, check_may_read, consult_list

MOST = 1000
FARTHEST = 1_000_000


def _dossier(call: Call) -> DossierId:
    try:
        return parse_dossier_id(call.path("dossier"))
    except Invalid:
        raise NotFound("dossier.unknown", "no such dossier", step="find the dossier", field="dossier") from None


def duties(call: Call) -> Response:
    """What we owe and what partners owe us until when, most urgent first; a supervisor's escalations before all.

    Up to `limit` of each side, behind `skip` more urgent ones; `ours` and `theirs` count all of them. `alerts`: what
    met this officer's standing queries and was not read, each with its query.
    """
    skip, limit = call.number("skip", 0, FARTHEST, least=0), call.number("limit", MOST, MOST)
    alerts = [plain(a) for a in call.node.bureau.alerts(call.acting())]
    there = owed(call.node, call.now, call.officer.roles, skip + limit)
    found = in_order([*there.mine[skip:], *there.theirs[skip:]], call.now, call.officer.roles)
    counts = {"ours": there.mine_all, "theirs": there.theirs_all}
    listed = [plain(d) | {"href": href} for d, href in found]
    said = {"now": plain(call.now), "node": call.node.node_id, "duties": listed, **counts, "alerts": alerts}
    return JSONResponse(said)


def dossiers(call: Call) -> Response:
    """The dossiers, newest first; `older` is the `before` of the next page, and empty behind the last one."""
    check_may_read(call.node, call.officer.roles)
    consult_list(call.node, DOSSIERS, call.acting())
    limit = call.number("limit", 100, MOST)
    found = call.node.dossiers.rows(call.query("kind"), call.query("before"), limit + 1)
    older = found[limit - 1].place if len(found) > limit else ""
    return JSONResponse({"dossiers": plain(found[:limit]), "older": older})


def dossier(call: Call) -> Response:
    """One dossier with all its entries; asked of the gate and logged as a consultation."""
    state = call.node.show(_dossier(call), call.acting())
    return JSONResponse({"dossier": plain(state)})


def open_dossier(call: Call) -> Response:
    """Open a dossier and queue its first entry to its members."""
    body = read_object(call.body, ("kind", "to", "body"), ("kind", "to", "body"))
    made = call.node.dossiers.open(
        read_text(body["kind"], "kind"), body["body"], read_texts(body["to"], "to"), call.acting()
    )
    return JSONResponse({"dossier": made}, status_code=201, headers={"location": f"/api/v1/dossiers/{made}"})


def append_entry(call: Call) -> Response:
    """Append one act to a dossier."""
    read_any_object(call.body)
    entry = call.node.dossiers.append(_dossier(call), call.body, call.acting())
    return JSONResponse({"entry": entry}, status_code=201)


def preview(call: Call) -> Response:
    """What the gate would say for each recipient of an opening act. Records nothing, sends nothing."""
    body = read_object(call.body, ("kind", "to", "body"), ("kind", "to", "body"))
    found = call.node.dossiers.preview(
        read_text(body["kind"], "kind"), body["body"], read_texts(body["to"], "to"), call.acting()
    )
    return JSONResponse({"decisions": [{"to": node} | api_acts.decision_of(decision) for node, decision in found]})


def matches(call: Call) -> Response:
    """Matches, newest first; `state` is open, hit, no_hit or unclear; `older` is the `after` of the next page, and
    empty behind the last one."""
    state = call.query("state")
    if state and state not in set(MatchState):
        raise Invalid("query.choice", "open, hit, no_hit or unclear.", step="read the query", field="state")
    check_may_read(call.node, call.officer.roles)
    by = call.acting()
    if not (by.purpose or by.justification):
        raise Refused(
            "purpose.missing", "Say why: a purpose or a justification.", step="read the query", field="purpose"
        )
    call.node.consult(HITS, by)
    limit = call.number("limit", MOST, MOST)
    more = call.node.hits.page(MatchState(state) if state else None, call.query("after"), limit + 1)
    found, older = more[:limit], more[limit - 1].id if len(more) > limit else ""
    unread = unread_in(call.node, found, by)
    rows = [restricted(m) if is_unread(m, unread) else plain(m) | _hidden(call.node, m) for m in found]
    return JSONResponse({"matches": rows, "older": older})


def _hidden(node: Any, match: Match) -> dict[str, None]:
    """Blind review hides the same from programs as from pages."""
    return {"score": None, "explanation": None} if is_blind(node, match) else {}


def decide_match(call: Call) -> Response:
    """An officer's word on a match."""
    body = read_object(call.body, ("decision", "reason"), ("decision", "reason"))
    decision = read_text(body["decision"], "decision")
    if decision not in ("hit", "no_hit", "unclear"):
        raise Invalid("body.choice", "hit, no_hit or unclear.", step="read the body", field="decision")
    match = call.node.hits.match(call.path("match"))
    call.node.dossiers.restrictions.check_sides(match.dossiers(), call.acting(), "decide")
    found = call.node.hits.decide(
        call.path("match"), MatchState(decision), read_text(body["reason"], "reason"), call.acting()
    )
    return JSONResponse({"match": plain(found)})


def bank_search(call: Call) -> Response:
    """Search the own bank; asked of the gate and logged. `kind`: person, organization, phone, plate, document."""
    return _search(call, call.query("kind") or "person", call.query("q"), call.number("limit", 10, 100))


def bank_search_posted(call: Call) -> Response:
    """The same with the name in the body: an address stays in logs of what stands between a program and the node."""
    body = call.body
    if not isinstance(body, dict) or set(body) - {"q", "kind", "limit"}:
        raise Invalid("body.form", "An object of `q`, `kind` and `limit`.", step="read the body", field="body")
    kind, text, limit = body.get("kind", "person"), body.get("q", ""), body.get("limit", 10)
    for name, value in (("kind", kind), ("q", text)):
        if not isinstance(value, str):
            raise Invalid("body.form", "A text.", step="read the body", field=name)
    if type(limit) is not int or not 1 <= limit <= 100:
        raise Invalid("query.number", "A whole number from 1 to 100.", step="read the body", field="limit")
    return _search(call, kind, text.strip(), limit)


def _search(call: Call, kind: str, text: str, limit: int) -> Response:
    if kind not in QUERIES:
        raise Invalid("query.choice", ", ".join(QUERIES), step="read the query", field="kind")
    if not 2 <= len(text) <= 200:
        raise Invalid("query.length", "Write 2 to 200 characters.", step="read the query", field="q")
    schema, prop = QUERIES[kind]
    found = call.node.search(Entity("q", schema, (Claim(prop, text),)), limit, call.acting())
    return JSONResponse({"results": plain(found)})


def ledger_checkpoint(call: Call) -> Response:
    """The newest signed checkpoint (C2SP signed note)."""
    size, root = call.node.ledger.head()
    if not size:
        raise Conflict("ledger.empty", "the log is empty", step="sign a checkpoint")
    return JSONResponse({"size": size, "root": plain(root), "checkpoint": call.node.ledger.checkpoint()})


def deliveries(call: Call) -> Response:
    """Where each entry for each addressee stands; `ref` is an entry."""
    found = call.node.exchange.deliveries(
        ref=call.query("ref") or None, to=call.query("to") or None, limit=call.number("limit", 100, MOST)
    )
    return JSONResponse({"deliveries": plain(found)})


def peers(call: Call) -> Response:
    """The pinned partners, with what waits for each."""
    return JSONResponse({"peers": plain(call.node.exchange.peers()), "status": plain(call.node.exchange.status())})


def openapi(_call: Call) -> Response:
    """This description."""
    return JSONResponse(document())


def routes() -> list[Route]:
    """Every route of the API; a test holds `openapi.document()` against this list."""
    table = (
        ("GET", "/api/v1/duties", duties),
        ("GET", "/api/v1/dossiers", dossiers),
        ("POST", "/api/v1/dossiers", open_dossier),
        ("GET", "/api/v1/dossiers/{dossier}", dossier),
        ("POST", "/api/v1/dossiers/{dossier}/entries", append_entry),
        ("POST", "/api/v1/preview", preview),
        ("GET", "/api/v1/matches", matches),
        ("POST", "/api/v1/matches/{match}/decision", decide_match),
        ("GET", "/api/v1/bank/search", bank_search),
        ("POST", "/api/v1/bank/search", bank_search_posted),
        ("GET", "/api/v1/ledger/checkpoint", ledger_checkpoint),
        ("GET", "/api/v1/deliveries", deliveries),
        ("GET", "/api/v1/peers", peers),
        ("GET", "/api/v1/openapi.json", openapi),
        *api_acts.TABLE,
        *api_match.TABLE,
        *api_private.TABLE,
        *api_together.TABLE,
        *api_bureau.TABLE,
        *api_ledger.TABLE,
        *api_oversight.TABLE,
    )
    return [*files.API, *(Route(path, api(function), methods=[method]) for method, path, function in table)]
