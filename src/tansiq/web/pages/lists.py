"""The lists: duties, dossiers, bank search, audit log, partners, second person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from tansiq.access.model import Acting, Draft, Officer, Role
from tansiq.backup import duties as held_duties
from tansiq.bank.model import Claim, Entity
from tansiq.dossiers.model import Duty
from tansiq.errors import Invalid
from tansiq.hits.model import LocalDuty, Match, MatchState
from tansiq.kinds import ESCALATIONS as KIND_ESCALATIONS
from tansiq.kinds import KINDS
from tansiq.ledger import CLOCK_ESCALATIONS
from tansiq.ledger import ESCALATIONS as WITNESS_ESCALATIONS
from tansiq.oversight import ESCALATIONS as ERASURE_ESCALATIONS
from tansiq.private import ESCALATIONS as PRIVATE_ESCALATIONS
from tansiq.terms import DossierId, EntryId, HandlingCode, parse_instant
from tansiq.web import delivery_words, labels, problems, views
from tansiq.web.factforms import VALUE_LABELS
from tansiq.web.pages.session import check_purpose, go, purpose_choices
from tansiq.web.render import fragment, render
from tansiq.web.visit import Form, Visit, check_may_read, consult_list, may_read

ESCALATIONS = KIND_ESCALATIONS | PRIVATE_ESCALATIONS | WITNESS_ESCALATIONS
"""What the duty officer sees before all else."""
FOR_PROTECTION = ERASURE_ESCALATIONS | CLOCK_ESCALATIONS
PAGE = 100
LEAVES = 50
RESULTS = 20
LIVE_SECONDS = 600
DOSSIERS, DRAFTS, HITS = "dossiers.list", "drafts.list", "hits.list"
"""What the ledger calls the lists that say what dossiers and drafts are about, and whom matches show."""
STOP_ASKING = 286
"""htmx's word for "do not ask again"."""


def unread_in(node: Any, matches: Iterable[Match], by: Acting) -> frozenset[str]:
    """The entries behind these matches, on either side, whose restriction (H3) this officer has still to confirm."""
    dossiers = {d for m in matches for d in (m.dossier, m.holding.provenance.dossier) if d}
    found: frozenset[str] = node.dossiers.restrictions.unread(dossiers, by)
    return found


def is_unread(match: Match, unread: frozenset[str]) -> bool:
    return match.entry in unread or match.holding.provenance.reference in unread


def shown_codes(node: Any, matches: Iterable[Match], unread: frozenset[str]) -> list[Iterable[str]]:
    """The handling codes of what a page shows of these matches, on both sides; of what it veils, H3 itself."""
    shown = list(matches)
    named = ((DossierId(m.dossier), EntryId(m.entry)) for m in shown if not is_unread(m, unread))
    bound = node.dossiers.restrictions.handlings(named)
    found: list[Iterable[str]] = []
    for m in shown:
        if is_unread(m, unread):
            found.append((HandlingCode.H3,))
            continue
        found += [m.holding.handling(), m.incoming.handling()]
        found += [bound[EntryId(m.entry)].codes] if EntryId(m.entry) in bound else []
    return found


def peer_names(node: Any) -> dict[str, str]:
    """Node id -> the name on its card."""
    return {p.card.node: p.card.name for p in node.exchange.peers()}


def is_blind(node: Any, match: Match) -> bool:
    """Blind review (`[review] blind`): the machine's score and its reasons are hidden until the officer has decided."""
    return bool(node.settings.review.blind) and match.state is MatchState.OPEN


@dataclass(frozen=True)
class Met:
    """What tells one match from another in a list of duties. `match` None: whom it shows is not to be read here."""

    kind: str
    originator: str
    score: float | None
    match: Match | None
    restricted: bool


@dataclass(frozen=True)
class DutyRow:
    """A duty as the landing page shows it."""

    duty: Duty
    clock: views.ClockView
    subject: str
    href: str
    met: Met | None = None


Listed = tuple[Duty, str]
"""A duty, and the page where it is done."""


@dataclass(frozen=True)
class Owed:
    """The most urgent duties of ours, and of what partners owe us; and how many there are of each."""

    mine: list[Listed]
    theirs: list[Listed]
    mine_all: int
    theirs_all: int
    newest: tuple[str, str]
    """Since when the newest duty of each stands that dossiers made."""


def owed(node: Any, now: datetime, roles: frozenset[Role], upto: int) -> Owed:
    """What we owe and what partners owe us, up to so many of each; what only our officers owe is among ours.

    The duty officer (a supervisor) sees first what was not done in time and goes up. What is not asked for is counted,
    and not read: of dossiers and matches there may be very many.
    """
    first, me = _first_for(roles), node.node_id
    (mine_all, mine_since), (theirs_all, theirs_since) = (
        node.dossiers.sum_duties(owner=me),
        node.dossiers.sum_duties(creditor=me),
    )
    waiting = node.hits.counts()
    local = [_of_match(node, x) for x in node.hits.duties(upto)]
    others = _of_officers(node, now)
    mine = [*_of_dossiers(node, first, upto, owner=me), *local, *others]
    theirs = _of_dossiers(node, first, upto, creditor=me)
    undecided = waiting[MatchState.OPEN] + waiting[MatchState.UNCLEAR]
    return Owed(
        in_order(mine, now, roles)[:upto],
        in_order(theirs, now, roles)[:upto],
        mine_all + undecided + len(others),
        theirs_all,
        (mine_since, theirs_since),
    )


def _first_for(roles: frozenset[Role]) -> frozenset[str]:
    """The codes that go before all else on this officer's page."""
    seen = {Role.SUPERVISOR: ESCALATIONS, Role.PROTECTION: FOR_PROTECTION | WITNESS_ESCALATIONS}
    return frozenset[str]().union(*(codes for role, codes in seen.items() if role in roles))


def in_order(found: Iterable[Listed], now: datetime, roles: frozenset[Role]) -> list[Listed]:
    """Most urgent first."""
    first = _first_for(roles)
    return sorted(found, key=lambda pair: (pair[0].code not in first, *views.urgency(pair[0])))


def _of_dossiers(node: Any, first: frozenset[str], upto: int, **whose: Any) -> list[Listed]:
    """As many as may come among the first `upto`: of what goes before all else, and of the rest."""
    found = node.dossiers.duties(**whose, limit=upto, codes=first) if first else []
    found += node.dossiers.duties(**whose, limit=upto, without=first)
    return [(d, f"/dossiers/{d.dossier}") for d in found]


def _of_match(node: Any, x: LocalDuty) -> Listed:
    return Duty(
        DossierId(x.dossier), node.node_id, x.code, x.due_at, x.since, x.clause, urgent=x.urgent, creditor=None
    ), f"/hits/{x.match}"


def _of_officers(node: Any, now: datetime) -> list[Listed]:
    """What neither dossiers nor matches bring: plans in conflict, private checks, the log, what is not erased."""
    found: list[Listed] = []
    for y in node.plans.duties(now):
        plan = Duty(DossierId(y.dossier), node.node_id, y.code, y.due_at, y.since, y.clause, urgent=y.urgent)
        found.append((plan, f"/plans/meetings/{y.meeting}"))
    for z in node.private.duties():
        alarm = Duty(DossierId(""), node.node_id, z.code, z.due_at, z.since, z.clause, urgent=z.urgent)
        found.append((alarm, f"/checks/{z.ref}" if z.code == "private.watch_hit" else f"/private#{z.notice}"))
    for w in node.witnesses.duties({p.card.node: p.pinned_at for p in node.exchange.peers() if p.state == "pinned"}):
        log = Duty(DossierId(""), node.node_id, w.code, w.due_at, w.since, w.clause, None, w.urgent, w.partner)
        found.append((log, f"/ledger#witness-{w.partner}"))
    for m in node.dossiers.put_off():
        much = Duty(DossierId(""), node.node_id, m.code, m.due_at, m.since, m.clause, None, m.urgent, m.partner)
        found.append((much, "/partners"))
    for n in (node.known_time.doubt(), *held_duties(node)):
        if n is not None:
            own = Duty(DossierId(""), node.node_id, n.code, n.due_at, n.since, n.clause, urgent=n.urgent)
            found.append((own, "/partners" if n.code == "restored.held" else "/ledger#clock"))
    for e in node.oversight.duties():
        late = Duty(DossierId(e.dossier), node.node_id, e.code, e.due_at, e.since, e.clause, urgent=e.urgent)
        found.append((late, f"/dossiers/{e.dossier}" if e.dossier else f"/ledger?record={e.record}"))
    return found


def duties(visit: Visit) -> Response:
    """The landing page: who owes what until when, most urgent first."""
    reads = may_read(visit.node, visit.officer.roles)
    if reads:
        consult_list(visit.node, DOSSIERS, visit.acting())
    asked = {name: _asked_place(visit, name) for name in ("mine", "theirs")}
    found = owed(visit.node, visit.now, visit.officer.roles, max(asked.values()) + PAGE)
    many = {"mine": found.mine_all, "theirs": found.theirs_all}
    at = {name: _place(place, many[name]) for name, place in asked.items()}
    shown = {name: of[at[name] : at[name] + PAGE] for name, of in (("mine", found.mine), ("theirs", found.theirs))}
    # A subject is read of what is shown alone, once for each dossier.
    named = {d.dossier for rows in shown.values() for d, _ in rows if d.dossier} if reads else set()
    subjects = visit.node.dossiers.subjects(named)

    met = _met(visit, [href for _, href in shown["mine"]]) if reads else {}

    def rows(of: list[Listed]) -> list[DutyRow]:
        clocks = ((d, href, views.clock(d.since, d.due_at, visit.now)) for d, href in of)
        return [DutyRow(d, clock, subjects.get(d.dossier, ""), href, met.get(href)) for d, href, clock in clocks]

    return render(
        visit,
        "duties.html",
        mine=rows(shown["mine"]),
        theirs=rows(shown["theirs"]),
        mine_all=found.mine_all,
        theirs_all=found.theirs_all,
        at=at,
        page=PAGE,
        reads=reads,
        unnamed=any(m.match is None and not m.restricted for m in met.values()),
        escalations=ESCALATIONS,
        for_protection=FOR_PROTECTION,
        alerts=visit.node.bureau.alerts(visit.acting()),
        names=peer_names(visit.node),
        fingerprint=_mark_of(visit, found),
        began=int(visit.now.timestamp()),
    )


def _met(visit: Visit, hrefs: Iterable[str]) -> dict[str, Met]:
    """Page of a match -> what tells it apart: the names, for who has said today why hits are read (LED art. 25); for
    others kind, partner and score, which show nobody."""
    node, ids = visit.node, {h.removeprefix("/hits/") for h in hrefs if h.startswith("/hits/")}
    found = node.hits.some(ids) if ids else []
    if not found:
        return {}
    by, may_name = visit.acting_for(HITS), visit.purpose_for(HITS) is not None
    unread = unread_in(node, found, by)
    if may_name:
        node.consult(HITS, by)
    return {
        f"/hits/{m.id}": Met(
            m.incoming.schema,
            m.originator,
            None if is_blind(node, m) else m.score,
            m if may_name and not is_unread(m, unread) else None,
            restricted=is_unread(m, unread),
        )
        for m in found
    }


def _asked_place(visit: Visit, name: str) -> int:
    """Where a list goes on: how many more urgent ones come before it."""
    text = visit.query(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Invalid("query.number", "A whole number.", step="read the page", field=name)
    return int(text)


def _place(asked: int, many: int) -> int:
    """A list that shrank meanwhile, under an address that was kept, shows its last page: an empty one would say that
    nothing is due."""
    return min(asked, max(0, many - 1) // PAGE * PAGE)


def _duties_seen(visit: Visit) -> str:
    return _mark_of(visit, owed(visit.node, visit.now, visit.officer.roles, PAGE))


def _mark_of(visit: Visit, found: Owed) -> str:
    """A short mark of what is owed now; it changes when a duty comes, goes, stops or starts.

    Of the first page every line counts. Behind it their number does, and since when the newest stands: that one goes
    there in the very seconds in which an older one comes is told with the next change.
    """
    shown = [*found.mine[:PAGE], *found.theirs[:PAGE]]
    known = sorted(f"{d.dossier}{d.owner}{d.code}{d.due_at}" for d, _ in shown)
    known += [str(found.mine_all), str(found.theirs_all), *found.newest]
    known += sorted(n.id for n in visit.node.bureau.watches.notices(visit.officer.id))
    return sha256("\n".join(known).encode()).hexdigest()[:16]


def live_duties(visit: Visit) -> Response:
    """For the live bar: news waits there; the list moves only when the officer says so.

    Each asking keeps the session alive. So a page that nobody has touched for a while is told to stop asking (286),
    and the session of an officer who has left the desk ends as it should.
    """
    began = visit.query("from")
    old = not began.isdigit() or visit.now.timestamp() - int(began[:12]) > LIVE_SECONDS
    changed = visit.query("seen") != _duties_seen(visit)
    return fragment(visit, "live.html", status=STOP_ASKING if old else 200, changed=changed)


@dataclass(frozen=True)
class ListRow:
    """A dossier's line with its times as times."""

    row: Any
    opened_at: datetime | None
    updated_at: datetime | None


def _time(value: Any) -> datetime | None:
    if isinstance(value, datetime) or value is None:
        return value
    return parse_instant(value) if value else None


def dossiers(visit: Visit) -> Response:
    kind = visit.query("kind")
    if kind and kind not in KINDS:
        raise Invalid("form.choice", "Choose one of the list.", step="read the filter", field="kind")
    check_may_read(visit.node, visit.officer.roles)
    consult_list(visit.node, DOSSIERS, visit.acting())
    found = visit.node.dossiers.rows(kind, visit.query("before"), PAGE + 1)
    return render(
        visit,
        "dossiers.html",
        rows=[ListRow(r, _time(r.opened_at), _time(r.updated_at)) for r in found[:PAGE]],
        kind=kind,
        kinds=list(KINDS),
        templates=visit.node.bureau.templates.kept(kind),
        older=found[PAGE - 1].place if len(found) > PAGE else "",
        names=peer_names(visit.node),
    )


# --- bank ---


@dataclass(frozen=True)
class Result:
    """A record that the search found, and why."""

    record: Any
    score: float | None
    rows: tuple[views.ScoreRow, ...]


QUERIES = {
    "person": ("Person", "name"),
    "organization": ("Organization", "name"),
    "phone": ("Phone", "number"),
    "plate": ("Vehicle", "registrationNumber"),
    "document": ("Document", "number"),
}


def bank_page(visit: Visit) -> Response:
    """The empty search."""
    return _bank(visit, Form([]), {}, None)


def bank_search(visit: Visit) -> Response:
    """Search, asked of the gate and logged. Words to look for travel in the body: an address stays in logs.

    What was typed in the top bar is only put into the form: why is asked before anything is searched.
    """
    if visit.form.get("from") == "bar":
        typed = visit.form.get("q")[:200]
        return _bank(visit, Form([("q", typed), ("kind", _kind_of(typed))]), {}, None)
    try:
        purpose, why = check_purpose(visit)
        found = search(visit.node, visit.form.get("kind"), visit.form.get("q"), visit.acting(purpose, why))
    except Invalid as failure:
        name = failure.field if failure.field in ("q", "kind", "purpose", "justification") else "q"
        return _bank(visit, visit.form, problems.field_errors(visit, failure, name), None)
    return _bank(visit, visit.form, {}, found)


def _kind_of(text: str) -> str:
    """What a text in the top bar looks like; the officer sees the choice and may change it."""
    letters, digits = sum(c.isalpha() for c in text), sum(c.isdigit() for c in text)
    if not digits or letters > digits:
        return "person"
    if text.startswith(("+", "00")):
        return "phone"
    return "document" if letters <= 2 and text.isalnum() and letters else "plate" if letters else "phone"


def search(node: Any, kind: str, text: str, by: Acting) -> list[Result]:
    """What the bank holds that is near. Raises `Invalid`, `Refused`."""
    if kind not in QUERIES:
        raise Invalid("form.choice", "Choose one of the list.", step="read the search", field="kind")
    if not 2 <= len(text) <= 200:
        raise Invalid("form.required", "Write 2 to 200 characters.", step="read the search", field="q")
    if kind in ("person", "organization") and not any(c.isalpha() for c in text):
        # "We hold nothing like it" would be read as an answer about the number.
        raise Invalid("search.no_letters", "A name has letters.", step="read the search", field="kind")
    schema, prop = QUERIES[kind]
    candidates = node.search(Entity("q", schema, (Claim(prop, text),)), RESULTS, by)
    return [Result(c.record, c.score, views.score(c.explanation).rows if c.explanation else ()) for c in candidates]


def _bank(visit: Visit, form: Form, errors: dict[str, str], found: list[Result] | None) -> Response:
    codes = [r.record.handling() for r in found or []]
    return render(
        visit,
        "bank.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        results=found or [],
        searched=found is not None,
        held=visit.node.bank.count(),
        kinds=[(k, visit.say(v)) for k, v in labels.SEARCH_KIND.items()],
        purposes=purpose_choices(visit),
        strictest=views.strictest(codes),
    )


# --- partners ---


@dataclass(frozen=True)
class PeerRow:
    """A partner with what binds us and what waits."""

    peer: Any
    agreements: tuple[Any, ...]
    waiting: int
    failure: str = ""
    """Why the last try failed, since the last contact: a key of `PEER_FAILURE`, or empty."""
    tries: int = 0


def _peer_row(peer: Any, agreements: tuple[Any, ...], line: Any) -> PeerRow:
    if line is None:
        return PeerRow(peer, agreements, 0)
    code = (
        line.last_failure if line.last_failure in delivery_words.PEER_FAILURE else line.last_failure and "peer.failed"
    )
    return PeerRow(peer, agreements, line.queued + line.sent, code, line.attempts)


def partners(visit: Visit) -> Response:
    node = visit.node
    lines = {s.node: s for s in node.exchange.status()}
    rows = [
        _peer_row(p, tuple(node.gate.agreements_between(node.country, p.card.country)), lines.get(p.card.node))
        for p in node.exchange.peers()
        if p.state != "removed"
    ]
    deliveries = node.exchange.deliveries(limit=PAGE)
    at = {d.ref: node.dossiers.dossier_of(EntryId(d.ref)) for d in deliveries if d.ref.startswith("e-")}
    named = {"names": peer_names(node), "strangers": node.exchange.without_card()}
    return render(visit, "partners.html", peers=rows, deliveries=deliveries, at=at, **named)


# --- four eyes ---


@dataclass(frozen=True)
class DraftRow:
    """A draft that waits, read for the second officer."""

    id: str
    act: str
    body: dict[str, Any]
    to: list[str]
    first: str
    at: datetime | None
    own: bool
    dossier: str
    """Empty for one that would open a dossier."""


def _read_draft(draft: Draft, reader: Officer) -> DraftRow:
    """Its content only for its first officer and for those who may confirm it."""
    own = draft.first == reader.id
    try:
        held = json.loads(draft.body)
    except ValueError:
        held = {}
    body = held.get("body", {}) if isinstance(held, dict) else {}
    kind = KINDS.get(str(held.get("kind", "")))
    # A body that opens a dossier need not name its act: the kind has one.
    act = str(body.get("type") or (kind.opening.type if kind else "") or draft.act)
    shown = body if own or draft.needs in reader.roles else {}
    return DraftRow(draft.id, act, shown, list(held.get("to", [])), draft.first, draft.proposed_at, own, draft.ref)


def officer_names(node: Any) -> dict[str, str]:
    """Officers know one another by name; outside their node they are pseudonyms."""
    return {str(o.id): o.name for o in node.access.officers()}


def second(visit: Visit) -> Response:
    return _second(visit, {})


def _second(visit: Visit, errors: dict[str, str]) -> Response:
    rows = [_read_draft(d, visit.officer) for d in visit.node.access.pending()]
    if any(row.body for row in rows):
        consult_list(visit.node, DRAFTS, visit.acting())
    return render(
        visit,
        "second.html",
        status=422 if errors else 200,
        drafts=rows,
        errors=errors,
        names=peer_names(visit.node),
        officers=officer_names(visit.node),
        value_labels=VALUE_LABELS,
    )


def answer_second(visit: Visit) -> Response:
    """The second officer confirms or rejects. What is confirmed is sent in the names of both."""
    answer, why = visit.form.get("answer"), visit.form.get("justification")
    if answer not in ("confirm", "reject"):
        raise Invalid("form.choice", "Choose one of the list.", step="read the answer", field="answer")
    if len(why) < 3:
        return _second(visit, {"justification": visit.say(labels.FAILURES["form.required"])})
    draft, by = visit.path("draft"), visit.acting("", why)
    if answer == "reject":
        visit.node.access.reject(draft, by)
        return go("/second")
    return go(f"/dossiers/{visit.node.confirm(draft, by)}")
