"""Pages of the bureau: search over dossiers, standing queries, what stands beside a dossier, templates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from tansiq.attachments.model import Holding
from tansiq.bureau import fill
from tansiq.bureau.model import LINK_REASONS, Found
from tansiq.dossiers.model import DossierState, Entry, Part
from tansiq.errors import Invalid, NotFound, TansiqError
from tansiq.kinds import KINDS
from tansiq.terms import DossierId, HandlingCode
from tansiq.terms.ids import parse_dossier_id, parse_entry_id, parse_part_id
from tansiq.web import labels, problems, views
from tansiq.web.excerpts import beginning, excerpts, leaf
from tansiq.web.labels import N_
from tansiq.web.pages.dossier import before_reading, page_asked
from tansiq.web.pages.lists import peer_names
from tansiq.web.pages.session import check_purpose, go, local, purpose_choices
from tansiq.web.render import label, render
from tansiq.web.visit import Form, Visit

RESULTS = 50
MOST_TRANSLATIONS = 20
"""Of one text, the newest."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
LOOKED_AT = 200
"""So many of the best places are filtered and ordered; the page says so where there are more."""
ORDERS = {"relevance": N_("Best first"), "newest": N_("Newest first")}
PERIODS = {"7": N_("7 days"), "30": N_("30 days"), "365": N_("One year")}


def _dossier(visit: Visit) -> DossierId:
    try:
        return parse_dossier_id(visit.path("dossier"))
    except Invalid:
        raise NotFound("dossier.unknown", "There is no such dossier.", step="find the dossier") from None


# --- search ---


def search_page(visit: Visit) -> Response:
    return _search(visit, Form([]), {}, None)


def search(visit: Visit) -> Response:
    """Words to look for travel in the body: an address stays in logs."""
    try:
        purpose, why = check_purpose(visit)
        _check_choices(visit.form)
        # Asked before: what is read in between makes the answer better than it says, and never worse.
        yet = visit.node.bureau.searched()
        found = visit.node.bureau.search(visit.form.get("words"), LOOKED_AT, visit.acting(purpose, why))
    except Invalid as failure:
        return _search(visit, visit.form, problems.field_errors(visit, failure, failure.field), None)
    return _search(visit, visit.form, {}, found, yet)


def _check_choices(form: Form) -> None:
    for name, known in (("kind", KINDS), ("period", PERIODS), ("order", ORDERS)):
        if form.get(name) and form.get(name) not in known:
            raise Invalid("form.choice", "Choose one of the list.", step="read the search", field=name)


@dataclass(frozen=True)
class FoundRow:
    """A place with what its dossier is called; nothing of that where a restriction must be read first."""

    found: Found
    subject: str


def _found_rows(visit: Visit, found: list[Found]) -> list[FoundRow]:
    """What the form asks for: of a kind of dossier, of the last days, the newest first."""
    form, chosen = visit.form, found
    if form.get("kind"):
        chosen = [f for f in chosen if f.sort == form.get("kind")]
    if form.get("period"):
        since = visit.now - timedelta(days=int(form.get("period")))
        chosen = [f for f in chosen if f.at is not None and f.at >= since]
    if form.get("order") == "newest":
        chosen = sorted(chosen, key=lambda f: f.at or EVER, reverse=True)
    unread = {f.dossier for f in chosen[:RESULTS] if f.unread}
    subjects = visit.node.dossiers.subjects({f.dossier for f in chosen[:RESULTS]} - unread)
    return [FoundRow(f, subjects.get(f.dossier, "")) for f in chosen[:RESULTS]]


def _search(
    visit: Visit,
    form: Form,
    errors: dict[str, str],
    found: list[Found] | None,
    yet: tuple[int, int] | None = None,
) -> Response:
    """`yet`: how many dossiers were searched, of how many, where it was not all of them."""
    rows = _found_rows(visit, found) if found else []
    return render(
        visit,
        "search.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        results=rows,
        names=peer_names(visit.node),
        searched=found is not None,
        met=len(found or ()),
        cut=len(found or ()) == LOOKED_AT,
        complete=visit.node.bureau.words.complete,
        yet=yet,
        purposes=purpose_choices(visit),
        kinds=[(k, label(visit.tongue, "KIND", k)) for k in KINDS],
        orders=[(k, visit.say(v)) for k, v in ORDERS.items()],
        periods=[(k, visit.say(v)) for k, v in PERIODS.items()],
    )


# --- standing queries ---


def watches(visit: Visit) -> Response:
    return _watches(visit, Form([]), {})


def _watches(visit: Visit, form: Form, errors: dict[str, str]) -> Response:
    by = visit.acting()
    return render(
        visit,
        "watches.html",
        status=422 if errors else 200,
        form=form,
        errors=errors,
        watches=visit.node.bureau.watches.kept(by.officer),
        notices=visit.node.bureau.notices(by),
        kinds=[(k, visit.say(v)) for k, v in labels.WATCH_KIND.items()],
        purposes=purpose_choices(visit),
    )


def add_watch(visit: Visit) -> Response:
    try:
        purpose, why = check_purpose(visit)
        form = visit.form
        visit.node.bureau.watch(form.get("kind"), form.get("text"), form.get("until"), visit.acting(purpose, why))
    except Invalid as failure:
        field = "text" if failure.field == "words" else failure.field
        return _watches(visit, visit.form, problems.field_errors(visit, failure, field))
    return go("/queries")


def remove_watch(visit: Visit) -> Response:
    visit.node.bureau.watches.remove(visit.path("watch"), visit.acting())
    return go("/queries")


def seen(visit: Visit) -> Response:
    visit.node.bureau.watches.seen(visit.path("notice"), visit.acting())
    return go(local(visit.form.get("next"), "/queries"))


# --- beside a dossier ---


@dataclass(frozen=True)
class FileRow:
    """A file of the dossier; `holding` None: its part is not here."""

    entry: Entry
    part: Part
    holding: Holding | None


@dataclass(frozen=True)
class Pair:
    """An original with its translations."""

    entry: Entry
    part: Part
    translations: tuple[tuple[Entry, Part], ...]


@dataclass(frozen=True)
class LinkRow:
    """A link with what the other dossier is called."""

    link: Any
    other: DossierId
    subject: str


def beside(visit: Visit) -> Response:
    """Files, translations beside their originals, links."""
    dossier = _dossier(visit)
    return before_reading(visit, dossier) or _beside(visit, dossier, Form([]), {})


def _beside(visit: Visit, dossier: DossierId, form: Form, errors: dict[str, str]) -> Response:
    by = visit.acting_for(dossier)
    state: DossierState = visit.node.show(dossier, by)
    here = leaf(state.entries, page_asked(visit))
    # With their subject lines, which are translated too.
    found = [replace(v, parts=v.entry.parts) for v in views.entries(state, visit.node.node_id, here.entries)]
    return render(
        visit,
        "beside.html",
        leaf=here,
        entries=excerpts(v for v in found if not v.void and v.entry.statement.type != "dossier.translated"),
        beginning=beginning,
        status=422 if errors else 200,
        state=state,
        form=form,
        errors=errors,
        names=peer_names(visit.node),
        files=list(_files(visit, state, here.entries)),
        pairs=_pairs(state, here.entries),
        links=[_link_row(visit, x, dossier) for x in visit.node.bureau.links(dossier, by)],
        reasons=[(k, visit.say(labels.LINK_REASON[k])) for k in LINK_REASONS],
        others=[n for n in state.members if n != visit.node.node_id],
        handling_options=[
            (c.value, f"{c.value} · {visit.say(labels.HANDLING[c.value])}") for c in HandlingCode if c != "H0"
        ],
    )


def not_attached(visit: Visit, failure: TansiqError) -> Response:
    """The page again, with what is wrong at its field. The file itself is chosen anew: no browser lets a page do it."""
    field = failure.field or "file"
    at = {"codes": "handling", "text": "handling_text", "handling.text": "handling_text", "withhold_from": "file"}
    found = "handling_text" if failure.code == "handling.h3_text" else at.get(field, field)
    if found not in ("handling", "handling_text", "note"):
        found = "file"
    return _beside(visit, _dossier(visit), visit.form, problems.field_errors(visit, failure, found))


def _files(visit: Visit, state: DossierState, entries: Iterable[Entry]) -> Iterable[FileRow]:
    for entry in entries:
        for part in entry.parts:
            if part.ref.kind != "attachment" or entry.id in state.voided():
                continue
            try:
                holding = visit.node.attachments.holding(entry.id, part.ref.id) if part.content else None
            except TansiqError:
                # A partner's part that is no attachment by our rules is shown as not here; the page stays open.
                holding = None
            yield FileRow(entry, part, holding)


def _pairs(state: DossierState, originals: Iterable[Entry]) -> list[Pair]:
    found: dict[tuple[str, str], list[tuple[Entry, Part]]] = {}
    for entry in state.entries:
        if entry.statement.type == "dossier.translated" and entry.id not in state.voided():
            facts = entry.statement.facts
            at = (str(facts.get("about", "")), str(facts.get("part", "")))
            found.setdefault(at, []).extend((entry, p) for p in entry.parts if p.ref.kind == "translation")
    return [
        Pair(entry, part, tuple(found[(entry.id, part.ref.id)][-MOST_TRANSLATIONS:]))
        for entry in originals
        for part in entry.parts
        if (entry.id, part.ref.id) in found
    ]


def _link_row(visit: Visit, link: Any, dossier: DossierId) -> LinkRow:
    other = link.other(dossier)
    return LinkRow(link, other, visit.node.dossiers.subject(other))


def link(visit: Visit) -> Response:
    dossier = _dossier(visit)
    if (first := before_reading(visit, dossier)) is not None:
        return first
    try:
        other = visit.node.dossiers.find(visit.form.get("to"))
        visit.node.bureau.link(dossier, other, visit.form.get("why"), visit.acting_for(dossier))
    except (Invalid, NotFound) as failure:
        field = failure.field if failure.field in ("to", "why") else "to"
        return _beside(visit, dossier, visit.form, problems.field_errors(visit, failure, field))
    return go(f"/dossiers/{dossier}/beside")


def unlink(visit: Visit) -> Response:
    dossier = _dossier(visit)
    visit.node.bureau.unlink(dossier, visit.form.get("link"), visit.acting_for(dossier))
    return go(f"/dossiers/{dossier}/beside")


def translate(visit: Visit) -> Response:
    """A translation beside a part, from the page of what stands beside."""
    dossier = _dossier(visit)
    if (first := before_reading(visit, dossier)) is not None:
        return first
    form = visit.form
    try:
        about, part = parse_entry_id(form.get("about"), "about"), parse_part_id(form.get("part"), "part")
        made_by = "machine" if form.get("machine") else "officer"
        by = visit.acting_for(dossier)
        visit.node.dossiers.translate(dossier, about, part, form.get("text"), form.get("lang"), made_by, by)
    except Invalid as failure:
        field = "lang" if failure.code == "act.illegal_act" else "text"
        return _beside(visit, dossier, form, problems.field_errors(visit, failure, field))
    return go(f"/dossiers/{dossier}/beside")


# --- templates ---


def template_page(visit: Visit) -> Response:
    return _template(visit, Form([]), {})


def _template(visit: Visit, form: Form, errors: dict[str, str]) -> Response:
    return render(
        visit,
        "template.html",
        status=422 if errors else 200,
        chosen=visit.node.bureau.templates.get(visit.path("name")),
        form=form,
        errors=errors,
        peers=[(p.card.node, p.card.name) for p in visit.node.exchange.peers() if p.state == "pinned"],
        purposes=purpose_choices(visit),
    )


def open_template(visit: Visit) -> Response:
    """Fill the places in and open the dossier: the law gate is asked as for any other."""
    found = visit.node.bureau.templates.get(visit.path("name"))
    form = visit.form
    try:
        purpose, why = check_purpose(visit)
        body = fill(found, {name: form.get(f"place_{name}") for name in found.places})
        dossier = visit.node.dossiers.open(found.kind, body, form.all("to"), visit.acting(purpose, why))
    except Invalid as failure:
        field = f"place_{failure.field}" if failure.field in found.places else failure.field or "to"
        return _template(visit, form, problems.field_errors(visit, failure, field))
    visit.keep_purpose(dossier, purpose, why)
    return go(f"/dossiers/{dossier}")
