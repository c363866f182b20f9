"""Hits: the list, and the one page that asks whether two records are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from starlette.responses import Response

from tansiq.dossiers import effective_handling
from tansiq.dossiers.model import DossierState, Duty, Entry, Part
from tansiq.errors import Conflict, Invalid, TansiqError
from tansiq.hits.model import Match, MatchState
from tansiq.terms import DossierId, EntryId
from tansiq.web import graphs, labels, places, problems, views
from tansiq.web.pages.asked import may_show
from tansiq.web.pages.dossier import ClockRow, before_reading
from tansiq.web.pages.lists import HITS, PAGE, is_blind, is_unread, officer_names, peer_names, shown_codes, unread_in
from tansiq.web.pages.session import ask_purpose, go
from tansiq.web.render import render
from tansiq.web.transcription import transcribed
from tansiq.web.visit import Form, Visit, check_may_read

LEAST_REASON = 10
BAND = 0.1
"""Decided hits within this much of the score count for "how often was this right"."""


NAME_PARTS = frozenset(
    {"name", "given", "family", "second_family", "surname", "father", "mother", "patronymic", "kunya", "extra", "alias"}
    | {"birth_place", "birthPlace", "birthplace"}
)
"""Rows of the score whose values a reader of another script wants to hear."""


@dataclass(frozen=True)
class Translation:
    """One translation of a text; `by`: an officer or a machine."""

    lang: str
    by: str
    author: str
    content: Any
    presence: str

    @property
    def machine(self) -> bool:
        return self.by == "machine"


@dataclass(frozen=True)
class Text:
    """A text of the report as it came, with what stands beside it."""

    content: Any
    translations: tuple[Translation, ...]


def restricted(match: Match) -> dict[str, Any]:
    """What is said of a match before that: that it is there, and where the restriction is read."""
    named = {"id": match.id, "dossier": match.dossier, "entry": match.entry, "state": match.state.value}
    return named | {"held_in": match.holding.provenance.dossier, "restricted": "handling.h3_unread"}


def hits(visit: Visit) -> Response:
    state = visit.query("state") or "open"
    if state != "all" and state not in set(MatchState):
        raise Invalid("form.choice", "Choose one of the list.", step="read the filter", field="state")
    check_may_read(visit.node, visit.officer.roles)
    if visit.purpose_for(HITS) is None:
        # It shows persons of both sides: why it is read is asked and kept, as for a record (LED art. 25).
        return ask_purpose(visit, HITS, f"/hits?state={state}")
    by = visit.acting_for(HITS)
    visit.node.consult(HITS, by)
    chosen = None if state == "all" else MatchState(state)
    # One more than is shown tells whether there are more. A match that is gone meanwhile begins the list anew.
    more = visit.node.hits.page(chosen, visit.query("after"), PAGE + 1)
    found, older = more[:PAGE], more[PAGE - 1].id if len(more) > PAGE else ""
    counts = visit.node.hits.counts()
    unread = unread_in(visit.node, found, by)
    return render(
        visit,
        "hits.html",
        strictest=views.strictest(shown_codes(visit.node, found, unread)),
        matches=found,
        blind={m.id for m in found if is_blind(visit.node, m)},
        unread={m.id for m in found if is_unread(m, unread)},
        state=state,
        total=sum(counts.values()) if chosen is None else counts[chosen],
        older=older,
        states=[s.value for s in MatchState],
        names=peer_names(visit.node),
    )


def hit(visit: Visit) -> Response:
    """Side A, side B, and the evidence; once the officer has said why this record is opened."""
    match = visit.node.hits.match(visit.path("match"))
    check_may_read(visit.node, visit.officer.roles)
    if (first := before_reading(visit, DossierId(match.dossier))) is not None:
        return first
    # Our side may have come under a restriction of its own: that is read before that side is shown.
    for held in match.dossiers() - {match.dossier}:
        due = visit.node.h3_due(DossierId(held), visit.acting_for(match.dossier))
        if due and (first := before_reading(visit, DossierId(held))) is not None:
            return first
    return _hit(visit, match, Form([]), {}, 200)


def _hit(visit: Visit, match: Match, form: Form, errors: dict[str, str], status: int) -> Response:
    node = visit.node
    state = _consult(visit, match)
    entry: Entry | None = state.entry(EntryId(match.entry))
    newer, previous, following = node.hits.queue_of(match) if match.state is MatchState.OPEN else (0, "", "")
    score, blind = views.score(match.explanation), is_blind(node, match)
    rivals, earlier = node.hits.beside(match)
    unread = unread_in(node, rivals, visit.acting_for(match.dossier))
    held, codes = _held(visit, match)
    handling = [*shown_codes(node, [match], frozenset()), *shown_codes(node, rivals, unread), *codes]
    return render(
        visit,
        "hit.html",
        status=status,
        strictest=views.strictest(handling),
        m=match,
        entry=entry,
        texts=_texts(state, entry) if entry else [],
        values=views.values_in(entry, match.part) if entry else {},
        found=_found(node, match, entry),
        score=score,
        blind=blind,
        NAME_PARTS=NAME_PARTS,
        spelled=any(transcribed(x, visit.tongue.code) for r in score.rows if r.part in NAME_PARTS for x in (r.a, r.b)),
        graph=graphs.of_match(match, entry, blind=blind, mirrored=visit.tongue.direction == "rtl"),
        timeline=graphs.timeline(
            match, entry, today=visit.now.astimezone(UTC).date(), mirrored=visit.tongue.direction == "rtl"
        ),
        places=places.of_match(match, entry, held, visit.tongue.code),
        percent=int(match.score * 100),
        names=peer_names(node),
        officers=officer_names(node),
        clocks=_clocks(visit, match),
        confirmed=None if blind else _confirmed(node, match),
        rivals=rivals,
        unread={m.id for m in rivals if is_unread(m, unread)},
        earlier=earlier,
        position=(newer + 1, node.hits.count(MatchState.OPEN)) if match.state is MatchState.OPEN else None,
        previous=previous,
        next=following,
        trail=node.ledger.find(match.id)[-8:],
        form=form,
        errors=errors,
    )


def _consult(visit: Visit, match: Match) -> DossierState:
    """Side A's dossier, read as an officer reads: asked of the gate, logged as a consultation (LED art. 25)."""
    state: DossierState = visit.node.show(DossierId(match.dossier), visit.acting_for(match.dossier))
    return state


def _texts(state: DossierState, entry: Entry) -> list[Text]:
    beside: dict[str, list[Translation]] = {}
    void = state.voided()
    for other in state.entries:
        facts = other.statement.facts
        if other.statement.type != "dossier.translated" or other.id in void or facts.get("about") != entry.id:
            continue
        found = beside.setdefault(str(facts.get("part", "")), [])
        found += [_translation(other, p) for p in other.parts if p.ref.kind == "translation"]
    return [
        Text(p.content, tuple(beside.get(p.ref.id, ()))) for p in entry.parts if p.content and p.ref.kind == "narrative"
    ]


def _translation(entry: Entry, part: Part) -> Translation:
    facts = entry.statement.facts
    told = str(facts.get("lang", "")), str(facts.get("by", ""))
    return Translation(*told, entry.statement.author, part.content, part.presence)


def _held(visit: Visit, match: Match) -> tuple[Entry | None, tuple[Iterable[str], ...]]:
    """Our side's entry, where it came from a dossier that this officer has said why to open: read on the record too."""
    where = match.holding.provenance.dossier
    if not where or where == match.dossier or not may_show(visit, DossierId(where)):
        return None, ()
    try:
        state = visit.node.show(DossierId(where), visit.acting_for(where))
    except TansiqError:
        return None, ()
    found: Entry | None = state.entry(EntryId(match.holding.provenance.reference))
    return found, (effective_handling(state, found).codes, views.claim_codes([found])) if found else ()


def _found(node: Any, match: Match, entry: Entry | None) -> list[dict[str, Any]]:
    """Every record of the report, and which of them met something here."""
    if entry is None:
        return []
    met = [m.part for m in node.hits.matches(dossier=match.dossier)]
    found = []
    for p in entry.parts:
        if p.ref.kind != "entity" or not p.content:
            continue
        entity = p.content["entity"]
        first: dict[str, str] = next(iter(entity.get("claims", ())), {})
        found.append(
            {
                "schema": entity["schema"],
                "property": first.get("property", ""),
                "lang": first.get("lang", ""),
                "value": first.get("value", ""),
                "this": p.ref.id == match.part,
                "hits": met.count(p.ref.id),
            }
        )
    return found


def _clocks(visit: Visit, match: Match) -> list[ClockRow]:
    found = []
    for x in visit.node.hits.duty_of(match):
        duty = Duty(DossierId(x.dossier), visit.node.node_id, x.code, x.due_at, x.since, x.clause, urgent=x.urgent)
        found.append(ClockRow(duty, views.clock(x.since, x.due_at, visit.now)))
    return found


def _confirmed(node: Any, match: Match) -> tuple[int, int] | None:
    """How often matches of about this score were confirmed here; nothing where there are too few to tell."""
    near = node.hits.decided_near(match.score, BAND)
    every = sum(near.values())
    return (near.get(MatchState.HIT, 0), every) if every >= 5 else None


def decide(visit: Visit) -> Response:
    """Record the officer's word. The answers have equal weight and none is chosen beforehand."""
    match = visit.node.hits.match(visit.path("match"))
    visit.node.dossiers.restrictions.check_sides(match.dossiers(), visit.acting(), "decide")
    answer, reason = visit.form.get("answer"), visit.form.get("reason")
    errors: dict[str, str] = {}
    if answer not in ("hit", "no_hit", "unclear"):
        errors["answer"] = visit.say(labels.FAILURES["decision.missing"])
    if len(reason) < LEAST_REASON:
        errors["reason"] = visit.say(labels.FAILURES["reason.missing"])
    if errors:
        return _hit(visit, match, visit.form, errors, 422)
    purpose, why = visit.purpose_for(match.dossier) or ("", "")
    try:
        visit.node.hits.decide(match.id, MatchState(answer), reason, visit.acting(purpose, why or reason))
    except Invalid as failure:
        return _hit(visit, match, visit.form, _form_errors(visit, failure), 422)
    except Conflict as failure:
        # Another officer was quicker: their word is shown, and what this one wrote is not lost.
        decided = visit.node.hits.match(match.id)
        return _hit(visit, decided, visit.form, _form_errors(visit, failure), failure.http_status)
    return go(f"/hits/{match.id}")


def _form_errors(visit: Visit, failure: TansiqError) -> dict[str, str]:
    return problems.field_errors(visit, failure, failure.field or "reason")
