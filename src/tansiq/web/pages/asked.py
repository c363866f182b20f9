"""What a form answers: the entries that an act is about, with clocks and steps, to be read beside the form.

No kind is known by name here. What an act is about stands in its facts: an entry, a partner's asking, a waiting lane.
The dossier's opening entry stands with them: a request's question, a warning's text, what an operation is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tansiq.dossiers import effective_handling
from tansiq.dossiers.model import ActRule, DossierState, Duty, Entry
from tansiq.errors import TansiqError
from tansiq.kinds import Item, items_of
from tansiq.terms import DossierId, EntryId
from tansiq.web import views
from tansiq.web.excerpts import Excerpt, excerpts
from tansiq.web.factforms import FactField
from tansiq.web.visit import Form, Visit

MOST_SHOWN = 6
"""So many entries stand beside a form; how many more the list of choices has is said."""
ENTRY_FACTS = ("about", "asked")
"""Facts of an act that name an entry of the dossier."""


@dataclass(frozen=True)
class AskedEntry:
    """One entry beside the form; `chosen`: the form names it, or nothing else can be meant, so it stands open."""

    view: Excerpt
    chosen: bool
    item: Item | None
    """The piece of work that it began, with the steps so far."""


@dataclass(frozen=True)
class Asked:
    """All that stands beside a form."""

    entries: tuple[AskedEntry, ...]
    left_out: int
    clocks: tuple[tuple[Duty, views.ClockView], ...]
    follows: DossierId | None
    """Another dossier that its opening follows up, where this officer has not said yet why that is opened."""
    codes: tuple[Iterable[str], ...]
    """The handling codes of what is shown: the marking of the page counts them."""


def may_show(visit: Visit, dossier: DossierId) -> bool:
    """Whether this officer has said why the dossier is opened, and confirmed its restrictions."""
    if visit.purpose_for(dossier) is None:
        return False
    return not visit.node.h3_due(dossier, visit.acting_for(dossier))


def beside(visit: Visit, state: DossierState, rule: ActRule, fields: Sequence[FactField], form: Form) -> Asked | None:
    """Read as an officer reads: asked of the gate and logged (LED art. 25). None where it may not be shown."""
    if not may_show(visit, state.id):
        return None
    try:
        shown: DossierState = visit.node.show(state.id, visit.acting_for(state.id))
    except TansiqError:
        return None
    chosen, offered = _named(shown, rule, fields, form)
    opening = shown.first.id
    order = list(dict.fromkeys([*chosen, *offered, opening]))
    items = {i.begun: i for i in items_of(shown)}
    known = {e.id: e for e in shown.entries}
    kept = [e for e in order if e in known]
    few = [known[e] for e in [*kept[:MOST_SHOWN], *([opening] if opening in kept[MOST_SHOWN:] else [])]]
    told = tuple(
        AskedEntry(
            v, v.entry.id in chosen or (v.entry.id == opening and not chosen) or len(kept) == 1, items.get(v.entry.id)
        )
        for v in excerpts(views.entries(shown, visit.node.node_id, few))
    )
    entries = [x.view.entry for x in told]
    codes: list[Iterable[str]] = [effective_handling(shown, e).codes for e in entries]
    earlier, follows = _followed(visit, shown)
    if earlier is not None:
        at, entry = earlier
        told = (*told, entry)
        codes.append(effective_handling(at, entry.view.entry).codes)
    codes.append(views.claim_codes(x.view.entry for x in told))
    left_out = len(set(kept) - {e.id for e in entries})
    return Asked(told, left_out, _clocks(visit, shown, {e.id for e in entries}), follows, tuple(codes))


def _followed(visit: Visit, state: DossierState) -> tuple[tuple[DossierState, AskedEntry] | None, DossierId | None]:
    """What the opening follows up in another dossier: a request names nobody where the report that it is about does."""
    about = EntryId(str(state.first.statement.facts.get("about", "")))
    where: DossierId | None = visit.node.dossiers.dossier_of(about) if about.startswith("e-") else None
    if where is None or where == state.id:
        return None, None
    if not may_show(visit, where):
        return None, where
    try:
        found: DossierState = visit.node.show(where, visit.acting_for(where))
    except TansiqError:
        return None, where
    entry = found.entry(about)
    if entry is None:
        return None, None
    (view,) = excerpts(views.entries(found, visit.node.node_id, [entry]))
    return (found, AskedEntry(view, False, None)), None


def _named(
    state: DossierState, rule: ActRule, fields: Sequence[FactField], form: Form
) -> tuple[list[EntryId], list[EntryId]]:
    """Entries that the form names, and those that it may name; of one choice, that one."""
    chosen: list[EntryId] = []
    offered: list[EntryId] = []
    by_name = {f.name: f for f in fields}
    for name in ENTRY_FACTS:
        if (field := by_name.get(name)) is None:
            continue
        values = [EntryId(c.value) for c in field.choices if c.value]
        picked = form.get(field.at)
        one = [EntryId(picked)] if picked in values else values if len(values) == 1 else []
        chosen += [e for x in one for e in _with_matter(state, x)]
        offered += [] if one else [e for x in values for e in _with_matter(state, x)]
    if "lane" in by_name:
        chosen += _waiting(state, form.get(by_name["lane"].at))
    if rule.type == "dossier.restriction_acknowledged":
        chosen += [r.entry for r in state.restrictions if r.about in chosen]
    return list(dict.fromkeys(chosen)), list(dict.fromkeys(offered))


def _with_matter(state: DossierState, entry: EntryId) -> list[EntryId]:
    """An asking (may this go further?) is read with the entry that it asks about."""
    found = state.entry(entry)
    about = str(found.statement.facts.get("about", "")) if found else ""
    is_asking = found is not None and any(p.asked == entry for p in state.permissions)
    return [entry, EntryId(about)] if is_asking and about else [entry]


def _waiting(state: DossierState, picked: str) -> list[EntryId]:
    """What each lane that waits was asked for last: the one that the form names, or all of them."""
    lanes: Mapping[Any, Any] = getattr(state.own, "lanes", None) or {}
    waiting = {n for n, lane in lanes.items() if lane.state == "waiting" and picked in ("", n)}
    last: dict[str, Entry] = {}
    for e in state.entries:
        if e.statement.author in waiting and e.id not in state.voided() and e.statement.type.endswith("_asked"):
            last[e.statement.author] = e
    return [e.id for e in last.values()]


def _clocks(visit: Visit, state: DossierState, shown: set[EntryId]) -> tuple[tuple[Duty, views.ClockView], ...]:
    """What this service owes here, the most urgent first; of several, what the shown entries ask for."""
    owed = [d for d in visit.node.dossiers.duties(visit.node.node_id, state.id) if d.code != "dossier.review"]
    near = [d for d in owed if d.entry is None or d.entry in shown] or owed
    timed = sorted(near, key=views.urgency)
    return tuple((d, views.clock(d.since, d.due_at, visit.now)) for d in timed[:3])
