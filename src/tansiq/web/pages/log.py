"""The audit log: who saw and did what with which record, when and why; what partners cosigned of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from tansiq.access.model import OVERSEERS, Acting, Officer
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.ledger.model import LeafPage
from tansiq.terms import DossierId, EntryId, LogVerb, format_instant
from tansiq.terms.ids import parse_node_id
from tansiq.web import labels, problems, views
from tansiq.web.clauses import called
from tansiq.web.log_words import what_of
from tansiq.web.pages.lists import officer_names, peer_names
from tansiq.web.pages.session import go
from tansiq.web.private_words import TIER
from tansiq.web.render import render
from tansiq.web.visit import Form, Visit

LEAVES = 50
FILTERS = ("record", "officer", "verb", "since", "until")
"""What the page can be asked for by its address: each answer can be sent on as a link."""
PERIODS = ((0, "today"), (6, "seven_days"), (29, "thirty_days"))
"""Days before today, and what the period is called."""


def ledger(visit: Visit) -> Response:
    return _ledger(visit, None)


def verify_ledger(visit: Visit) -> Response:
    """Recompute the whole log now, and say at which leaf it breaks."""
    return _ledger(visit, visit.node.ledger.verify())


@dataclass(frozen=True)
class LeafRow:
    """A leaf with the words for what it names; `href`: where its record is read."""

    leaf: Any
    what: str
    name: str
    href: str
    clauses: tuple[tuple[str, str], ...]


def _is_overseer(reader: Officer) -> bool:
    return bool(OVERSEERS & set(reader.roles))


def settle_witness(visit: Visit) -> Response:
    """An officer who oversees says what follows from a partner's log that contradicts what we cosigned."""
    form = visit.form
    try:
        node = parse_node_id(form.get("partner"), "partner")
        # Never empty: a form without the head that was compared must not be read as the other decision.
        head = (form.get("root") or "none") if form.get("do") == "anew" else ""
        visit.node.witnesses.settle(node, visit.acting(), form.get("reason"), anew=head)
    except (Invalid, Conflict, Refused) as failure:
        said = problems.field_errors(visit, failure, "reason").values()
        return _ledger(visit, None, {f"reason-{form.get('partner')}": text for text in said})
    return go(f"/ledger#witness-{node}")


def _officers(visit: Visit) -> dict[str, str]:
    """Names behind the pseudonyms: on this node alone, for those who oversee; to the others their own."""
    named = {str(Acting.machine().officer): visit.say("this node"), str(visit.officer.id): visit.officer.name}
    return named | officer_names(visit.node) if _is_overseer(visit.officer) else named


def _instant(visit: Visit, text: str, *, last: bool) -> str:
    """A day of this node's calendar as the instant at which it begins, or of `last` ends; anything else as it is."""
    try:
        day = date.fromisoformat(text)
        midnight = datetime(day.year, day.month, day.day, tzinfo=visit.tongue.zone)
        return format_instant((midnight + timedelta(days=1 if last else 0)).astimezone(UTC))
    except (ValueError, OverflowError):
        return text  # the log says what is wrong with it


def _chosen(visit: Visit, form: Form, before: int | None) -> LeafPage:
    return visit.node.oversight.leaves(  # type: ignore[no-any-return]
        visit.acting(),
        since=_instant(visit, form.get("since"), last=False),
        until=_instant(visit, form.get("until"), last=True),
        verb=form.get("verb"),
        officer=form.get("officer"),
        record=form.get("record"),
        before=before,
        limit=LEAVES,
    )


def _rows(visit: Visit, leaves: Iterable[Any]) -> list[LeafRow]:
    """Where an entry stands is looked up once each: the log itself names no dossier beside it."""
    found, at = [], dict[str, DossierId | None]()
    for leaf in leaves:
        subject = leaf.subject
        if subject.startswith("e-") and subject not in at:
            at[subject] = visit.node.dossiers.dossier_of(EntryId(subject))
        named = (leaf.content or {}).get("clauses") or ()
        clauses = tuple((str(c), called(visit.node.gate, str(c), visit.tongue.code)) for c in named)
        what, name = what_of(subject)
        name = _list_name(visit, name) if what == "private.list" else name
        found.append(LeafRow(leaf, what, name, _href(subject, at.get(subject)), clauses))
    return found


def _list_name(visit: Visit, name: str) -> str:
    """`low.7` as people call it: which kind of keys, and the epoch."""
    tier, _, epoch = name.partition(".")
    return f"{visit.say(TIER[tier])} · {epoch}" if tier in TIER else name


def _href(subject: str, dossier: DossierId | None) -> str:
    if subject.startswith("d-"):
        return f"/dossiers/{subject}"
    if subject.startswith("m-"):
        return f"/hits/{subject}"
    return views.entry_at(dossier, subject) if dossier else ""


def _number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid("query.number", "A whole number.", step="read the page", field="before")
    return int(text) if text else None


def _periods(visit: Visit, form: Form) -> list[tuple[str, str, bool]]:
    """Links to the last days: name, address, whether it is what is shown."""
    today = visit.now.astimezone(visit.tongue.zone).date()
    others = {k: form.get(k) for k in FILTERS if k not in ("since", "until") and form.get(k)}
    found = [("all_time", _address(others), not form.get("since") and not form.get("until"))]
    for days, name in PERIODS:
        since = (today - timedelta(days=days)).isoformat()
        found.append((name, _address(others | {"since": since}), form.get("since") == since and not form.get("until")))
    return found


def _address(values: dict[str, str]) -> str:
    return f"/ledger?{urlencode(values)}" if values else "/ledger"


def _ledger(visit: Visit, report: Any, errors: dict[str, str] | None = None) -> Response:
    form = Form([(k, visit.query(k)) for k in FILTERS])
    before = _number(visit.query("before"))
    errors, page = dict(errors or {}), LeafPage((), None)
    try:
        page = _chosen(visit, form, before)
    except Invalid as failure:
        errors |= problems.field_errors(visit, failure, failure.field if failure.field in FILTERS else "since")
    chosen = {k: form.get(k) for k in FILTERS if form.get(k)}
    officers = _officers(visit)
    size, root = visit.node.ledger.head()
    return render(
        visit,
        "ledger.html",
        doubt=visit.node.known_time.doubt(),
        status=422 if errors else 200,
        errors=errors,
        oversees=_is_overseer(visit.officer),
        settling=visit.form,
        leaves=_rows(visit, page.leaves),
        size=size,
        root=root.hex() if isinstance(root, bytes) else str(root),
        checkpoint=visit.node.ledger.checkpoint() if size else "",
        report=report,
        witnesses=visit.node.witnesses.standings(
            p.card.node for p in visit.node.exchange.peers() if p.state == "pinned"
        ),
        older=_address(chosen | {"before": str(page.older)}) if page.older is not None else "",
        newest=_address(chosen) if before is not None else "",
        filtered=bool(chosen),
        periods=_periods(visit, form),
        scanned=page.scanned,
        officers=officers,
        officer_options=sorted(officers.items(), key=lambda x: x[1]),
        verb_options=[(v.value, visit.say(labels.LOG_VERB[v.value])) for v in LogVerb],
        form=form,
        names=peer_names(visit.node),
    )
