"""One dossier: read it, give a part of it after all, take a proof along, ask to pass something on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from tansiq.dossiers import FRAME_ACTS, effective_handling
from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry
from tansiq.errors import Invalid, NotFound
from tansiq.exchange.model import ItemState
from tansiq.kinds import KINDS
from tansiq.terms import DossierId, EntryId, NodeId, country_of
from tansiq.terms.ids import parse_dossier_id, parse_part_id
from tansiq.terms.plain import plain
from tansiq.web import actforms, items, kindviews, labels, views
from tansiq.web.excerpts import Leaf, excerpts, leaf
from tansiq.web.pages.lists import is_unread, peer_names, shown_codes, unread_in
from tansiq.web.pages.offered import MOST_ENTRIES, acts, entry_name, entry_names, owed_by, part_name, steps_of
from tansiq.web.pages.session import ask_purpose, go, local
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit

MOST_IN_RAIL = 20
"""Recalls, permissions and clocks of a dossier that stand beside it, the newest; the entries tell of all."""
MOST_ASKED_ABOUT = 16
"""Missing entries that a page looks up; who names invented ones by the hundred must not slow it down."""


def dossier_named(visit: Visit) -> DossierId:
    """A malformed id looks like an unknown one."""
    try:
        return parse_dossier_id(visit.path("dossier"))
    except Invalid:
        raise NotFound("dossier.unknown", "There is no such dossier.", step="find the dossier") from None


@dataclass(frozen=True)
class DeliveryView:
    """One delivery with why it was permitted and what was withheld; `givable` are withheld parts that we still hold."""

    delivery: Any
    clauses: tuple[str, ...]
    withheld: tuple[str, ...]
    givable: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ClockRow:
    """A duty with its clock, for the rail."""

    duty: Duty
    clock: views.ClockView


def show(visit: Visit) -> Response:
    """The dossier, once the officer has said why."""
    dossier = dossier_named(visit)
    return before_reading(visit, dossier) or _show(visit, dossier, Form([]), {}, 200)


def before_reading(visit: Visit, dossier: DossierId) -> Response | None:
    """The page that stands before a dossier: why it is opened, then the restrictions (H3) to be confirmed."""
    if visit.purpose_for(dossier) is None:
        visit.node.dossiers.state(dossier)
        return ask_purpose(visit, dossier, _address(visit))
    due = visit.node.h3_due(dossier, visit.acting_for(dossier))
    if not due:
        return None
    return render(visit, "restricted.html", strictest="H3", dossier=dossier, restrictions=due, next=_address(visit))


def _address(visit: Visit) -> str:
    """What was asked for, with the entry that it was asked for: a browser keeps the fragment to itself."""
    url, entry = visit.request.url, visit.query("entry")
    return f"{url.path}{'?' if url.query else ''}{url.query}{'#' if entry else ''}{entry}"


def acknowledge(visit: Visit) -> Response:
    """The officer has read the restrictions; the page that was asked for follows."""
    dossier = dossier_named(visit)
    visit.node.acknowledge_h3(dossier, visit.acting_for(dossier))
    return go(local(visit.form.get("next"), f"/dossiers/{dossier}"))


def _show(visit: Visit, dossier: DossierId, form: Form, errors: dict[str, str], status: int) -> Response:
    node = visit.node
    state: DossierState = node.show(dossier, visit.acting_for(dossier))
    grants = {(g.entry, g.node): g for g in node.dossiers.grants(dossier)}
    here = leaf(state.entries, page_asked(visit), visit.query("entry"))
    mine = [e for e in here.entries if e.statement.author == node.node_id]
    theirs = [e for e in state.entries if e.statement.author != node.node_id and e.id not in state.voided()]
    due = [d for d in node.dossiers.duties(node.node_id, dossier) if d.code != "dossier.review"]
    called = entry_names(visit, state)
    may = acts(visit, state, rules_of(state.kind))
    own = [a for a in may if a.type not in FRAME_ACTS]
    steps = steps_of(visit, state, own)
    owed = owed_by(state, node.node_id, steps)
    matches = node.hits.matches(dossier=dossier)
    unread = unread_in(node, matches, visit.acting_for(dossier))
    # Of the whole dossier, whichever page of it stands here: its subject and its tables are on each.
    bound = (effective_handling(state, e).codes for e in state.entries)
    strict = views.strictest([*bound, views.claim_codes(state.entries), *shown_codes(node, matches, unread)])
    return _drawn(
        visit,
        status=status,
        strictest=strict,
        state=state,
        elsewhere=[e for e in state.missing[:MOST_ASKED_ABOUT] if _asked_all(node, e, state.members)],
        subject=views.subject_of(state.entries),
        leaf=here,
        most=MOST_IN_RAIL,
        entries=excerpts(views.entries(state, node.node_id, here.entries), _whole(visit)),
        names=peer_names(node),
        two_stories=_two_stories(state, here),
        undeclared=node.dossiers.undeclared(dossier) if node.node_id in state.members else (),
        deliveries={e.id: _deliveries(visit, e, grants, state.members) for e in mine},
        state_author={e.id: e.statement.author for e in state.entries},
        **worded(visit, state, here),
        acts=sorted(own, key=lambda a: a.type not in owed),
        owed=owed,
        frame_acts=[a for a in may if a.type in FRAME_ACTS],
        tables=items.tables(state, called, visit.now, steps),
        summary=items.summary(state, called),
        steps=steps,
        **kindviews.shown(visit, state),
        called=called,
        lanes=list((getattr(state.own, "lanes", None) or {}).values()),
        matches=matches,
        unread={m.id for m in matches if is_unread(m, unread)},
        clocks=[
            ClockRow(d, views.clock(d.since, d.due_at, visit.now))
            for d in sorted(due, key=lambda d: (d.due_at is None, d.due_at))
        ],
        trail=node.ledger.find(dossier)[-12:],
        others=[(e.id, entry_name(visit, e)) for e in theirs if e.parts][-MOST_ENTRIES:],
        forward_form=form,
        forward_errors=errors,
        admissible=_admissible(state, node),
    )


def _two_stories(state: DossierState, here: Leaf) -> list[tuple[NodeId, list[EntryId]]]:
    """Who signed two entries under one counter, where neither may stand on this page: whoever did it could write until
    they stand on none that an officer opens."""
    authors = {e.id: e.statement.author for e in state.entries}
    told: dict[NodeId, list[EntryId]] = {}
    for m in state.marks:
        if m.code == "equivocation" and m.entry in authors:
            told.setdefault(authors[m.entry], []).append(m.entry)
    shown = {e.id for e in here.entries}
    return [(who, some[:MOST_IN_RAIL]) for who, some in told.items() if not shown.issuperset(some)]


def _drawn(visit: Visit, **values: Any) -> Response:
    """The page; where drawing it with the view of its kind fails, without. What else is at fault fails again."""
    try:
        return render(visit, "dossier.html", **values)
    except Exception as exc:
        if values["view"] is None:
            raise
        return render(visit, "dossier.html", **values | kindviews.leave_out(values["state"].kind, exc))


def page_asked(visit: Visit) -> int | None:
    text = visit.query("page")
    if text and not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Invalid("query.number", "A whole number.", step="read the page", field="page")
    return int(text) if text else None


def _whole(visit: Visit) -> str:
    return visit.query("entry") if visit.query("whole") else ""


def worded(visit: Visit, state: DossierState, here: Leaf | None = None) -> dict[str, Any]:
    """What `entry_parts.html` needs to say facts and parts in words; `here`: the entries that stand on the page."""
    known = {e.id for e in state.entries}
    shown = {e.id for e in here.entries} if here else set()
    return {
        "to_entry": lambda e: views.entry_at(state.id, e) if e in known and e not in shown else f"#{e}",
        "recalled": {r.part: True for r in state.recalls},
        "part_words": {p.ref.id: part_name(visit, p, e) for e in state.entries for p in e.parts if p.content},
        "value_labels": actforms.VALUE_LABELS,
        "abroad": _abroad(visit, state),
    }


def _abroad(visit: Visit, state: DossierState) -> dict[str, DossierId]:
    """Entries of other dossiers that this one names (a request follows a report up), with where they stand here."""
    here = {e.id for e in state.entries}
    named = {str(v) for e in state.entries for v in e.statement.facts.values() if str(v).startswith("e-")}
    found = {e: visit.node.dossiers.dossier_of(EntryId(e)) for e in sorted(named - here)[:MOST_ASKED_ABOUT]}
    return {e: d for e, d in found.items() if d is not None}


def _asked_all(node: Any, missing: EntryId, members: Collection[NodeId]) -> bool:
    """Whether every other member has receipted our question for an entry that others name. Who may give it, gives it at
    once; of what goes to others alone nobody says whose it is."""
    answered = {d.to for d in node.exchange.deliveries(missing) if d.kind == "ask" and d.state is ItemState.RECEIVED}
    return answered >= {*members} - {node.node_id}


def _admissible(state: DossierState, node: Any) -> list[str]:
    """Services for which a permission was granted and that are not members yet; the opener admits them."""
    if state.opener != node.node_id:
        return []
    there = {*state.members, *(country_of(m) for m in state.members)}
    granted = {p.to for p in state.permissions if p.answer.startswith("granted")}
    return sorted(to for to in granted if to not in there and to.upper() not in there)


def _deliveries(
    visit: Visit, entry: Entry, grants: Mapping[tuple[str, str], Any], members: tuple[str, ...]
) -> list[DeliveryView]:
    held = {p.ref.id: part_name(visit, p, entry) for p in entry.parts if p.content is not None}
    found = []
    for d in visit.node.exchange.deliveries(ref=entry.id):
        grant = grants.get((entry.id, d.to))
        withheld = tuple(grant.withheld) if grant else ()
        givable = tuple((p, held[p]) for p in withheld if p in held) if d.to in members else ()
        found.append(DeliveryView(d, tuple(grant.clauses) if grant else (), withheld, givable))
    return found


def give(visit: Visit) -> Response:
    """Give a member a part that was withheld from it: the law gate is asked again, and our node delivers."""
    dossier = dossier_named(visit)
    to, part = visit.form.get("to"), visit.form.get("part")
    for name, value in (("to", to), ("part", part)):
        if not value:
            raise Invalid("form.required", "This is missing.", step="read the form", field=name)
    visit.node.dossiers.deliver_to(dossier, to, acting_in(visit, dossier), [parse_part_id(part, "part")])
    return go(local(views.entry_at(dossier, visit.form.get("about"))))


def proof(visit: Visit) -> Response:
    """The file with which a third party checks alone that an entry was written, logged and received: as
    `tansiq ledger prove` writes it. It holds what was signed, and no part's content."""
    dossier = dossier_named(visit)
    if (first := before_reading(visit, dossier)) is not None:
        return first
    entry = EntryId(visit.path("entry"))
    if visit.node.dossiers.state(dossier).entry(entry) is None:
        raise NotFound("entry.unknown", "There is no such entry.", step="find the entry")
    raw = msgspec.json.format(msgspec.json.encode(plain(visit.node.prove(entry))), indent=1)
    named = {"content-disposition": f'attachment; filename="proof-{entry[:14]}.json"'}
    return Response(raw + b"\n", media_type="application/json", headers=named)


def rules_of(kind: str) -> list[ActRule]:
    own = KINDS[kind].acts if kind in KINDS else ()
    return [*own, *FRAME_ACTS.values()]


def acting_in(visit: Visit, record: str) -> Any:
    purpose, kept = visit.purpose_for(record) or (visit.form.get("purpose"), "")
    return visit.acting(purpose, visit.form.get("justification") or kept)


# --- passing on ---


def forward(visit: Visit) -> Response:
    """Ask the gate whether another's entry may go further; when it may, the owner is asked to deliver."""
    dossier = dossier_named(visit)
    about, to = visit.form.get("about"), visit.form.get("to")
    if not about or not to:
        missing = "about" if not about else "to"
        return _show(visit, dossier, visit.form, {missing: visit.say(labels.FAILURES["form.required"])}, 422)
    visit.node.dossiers.forward(dossier, EntryId(about), to, acting_in(visit, dossier))
    return go(f"/dossiers/{dossier}")


def admit(visit: Visit) -> Response:
    """Let a service in for which the owner has agreed: our own entries go to it, each asked of the gate again."""
    dossier = dossier_named(visit)
    if not visit.form.get("to"):
        raise Invalid("form.required", "This is missing.", step="read the form", field="to")
    visit.node.dossiers.admit(dossier, visit.form.get("to"), acting_in(visit, dossier))
    return go(f"/dossiers/{dossier}")
