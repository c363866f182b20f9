"""From what an officer wrote to a statement with its parts, and to the questions for the law gate. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import msgspec

from tansiq import crypto
from tansiq.bank import is_minor, parse_entity
from tansiq.bank.model import Entity
from tansiq.dossiers.model import ActRule, DossierState, Entry, Kind, Legal, Part, PartRef, Presence, Statement
from tansiq.dossiers.wire import (
    MAX_PARENTS,
    Body,
    body_legal,
    check_statement,
    entry_id,
    part_content,
    statement_to_bytes,
)
from tansiq.errors import Invalid
from tansiq.policy.model import Action, Decision, Question, Refusal
from tansiq.terms import EntryId, Handling, NodeId, PartId, country_of
from tansiq.terms.ids import parse_node_id
from tansiq.terms.texts import is_said

TEXT_KEYS = {"kind", "text", "lang", "title"}
FILE_KEYS = {"kind", "text", "media", "sha256", "size", "chunks"}
LINK_KEYS = {"kind", "from", "to", "type", "basis", "grade", "as_of", "role"}
PRECEDENCE_URGENT = ("immediate", "flash")
ENTRY_FACTS = ("about", "asked", "recall", "match", "venue", "meeting")
"""Facts that name an entry of the dossier."""
NODE_FACTS = ("lane", "owner", "member", "host", "hosts", "visitors")
"""Facts that name a member, or several."""


@dataclass(frozen=True, slots=True)
class DraftPart:
    """A part before it is committed to."""

    kind: str
    content: Mapping[str, Any]
    withhold_from: frozenset[NodeId]
    entity: Entity | None = None
    packed: bytes = b""
    """The content's canonical bytes; empty for an act that is only asked about again."""
    place: str = ""
    """`parts[n]` of what an officer wrote, or the id that it got: how a refusal names it."""

    def goes_to(self, node: NodeId | None) -> bool:
        """`node` None: whoever is asked about, it is part of the act."""
        return node is None or node not in self.withhold_from


@dataclass(frozen=True, slots=True)
class Declared:
    """What the officer says of the act as a whole; no part could show it to the gate.

    Kept beside the entry, sealed, and not part of what is signed (ADR 12): a later delivery is asked with it again.
    """

    strictly_necessary: bool = False
    special_categories: bool = False
    """LED art. 10."""
    interpol_channel: bool = False
    article_3: bool = False
    classification: str = "UNCLASSIFIED"
    risk: frozenset[str] = frozenset()
    assurances: frozenset[str] = frozenset()

    def to_bytes(self) -> bytes:
        return msgspec.json.encode({f.name: _plain(getattr(self, f.name)) for f in fields(self)})

    @classmethod
    def from_bytes(cls, raw: bytes) -> Declared:
        return msgspec.json.decode(raw, type=cls)


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


@dataclass(frozen=True, slots=True)
class Draft:
    """An act, checked for form; not yet signed."""

    rule: ActRule
    handling: Handling
    legal: Legal
    facts: Mapping[str, Any]
    parts: tuple[DraftPart, ...]
    addressees: tuple[NodeId, ...]
    declared: Declared = Declared()


def draft_parts(body: Body, rule: ActRule, resolve: Callable[[str], NodeId]) -> tuple[DraftPart, ...]:
    """Raises `Invalid` with the part's place."""
    raw = list(body.parts)
    if body.subject:
        raw.insert(0, {"kind": "subject", "text": body.subject})
    return tuple(_draft_part(p, rule, f"parts[{n}]", resolve) for n, p in enumerate(raw))


def _draft_part(raw: Mapping[str, Any], rule: ActRule, field: str, resolve: Callable[[str], NodeId]) -> DraftPart:
    kind = raw.get("kind")
    if not isinstance(kind, str) or kind not in rule.parts:
        allowed = ", ".join(sorted(rule.parts)) or "none"
        raise Invalid("part.kind", f"this act takes: {allowed}", step="read the act", field=f"{field}.kind")
    hidden = raw.get("withhold_from", [])
    if not isinstance(hidden, list) or not all(isinstance(n, str) for n in hidden):
        raise Invalid("part.withhold_from", "a list of partners", step="read the act", field=f"{field}.withhold_from")
    content = {k: v for k, v in raw.items() if k != "withhold_from"}
    entity = None
    if kind == "entity":
        if set(content) != {"kind", "entity"}:
            raise Invalid("part.entity", "an entity part holds one entity", step="read the act", field=field)
        entity = parse_entity(content["entity"], f"{field}.entity")
    elif kind == "link":
        _check_keys(content, LINK_KEYS, {"from", "to", "type"}, field)
    elif kind == "attachment":
        _check_keys(content, FILE_KEYS, FILE_KEYS, field)
    else:
        _check_keys(content, TEXT_KEYS, {"text"}, field)
    packed = part_content(content, field)
    return DraftPart(kind, content, frozenset(resolve(n) for n in hidden), entity, packed, field)


def _check_keys(content: Mapping[str, Any], known: set[str], needed: set[str], field: str) -> None:
    for key in content:
        if key not in known:
            raise Invalid("part.unknown_field", "unknown field", step="read the act", field=f"{field}.{str(key)[:40]}")
    for key in sorted(needed):
        if not isinstance(content.get(key), str) or not is_said(content[key]):
            raise Invalid("part.missing", "missing", step="read the act", field=f"{field}.{key}")
    if not all(isinstance(v, str) for v in content.values()):
        raise Invalid("part.form", "texts only", step="read the act", field=field)


def make_draft(
    body: Body,
    rule: ActRule,
    *,
    addressees: tuple[NodeId, ...],
    inherited: Legal | None,
    resolve: Callable[[str], NodeId],
) -> Draft:
    """Raises `Invalid`: a form is wrong, or a legal ground is missing."""
    legal = body_legal(body) or inherited
    if legal is None:
        raise Invalid("legal.missing", "purpose, legal basis and dates are missing", step="read the act", field="legal")
    parts = tuple(
        replace(p, withhold_from=frozenset(addressees)) if p.kind in rule.kept else p
        for p in draft_parts(body, rule, resolve)
    )
    if rule.says_nothing(body.facts, parts):
        needed = ", ".join(sorted(rule.parts))
        raise Invalid("act.empty", f"it says nothing: add one of {needed}", step="read the act", field="parts")
    for n, part in enumerate(parts):
        if part.withhold_from - set(addressees):
            # Kept nowhere, such a wish would be forgotten when the partner joins later: fail closed, and say so.
            where = f"parts[{n}].withhold_from"
            raise Invalid("part.withhold_from", "not a recipient of this act", step="read the act", field=where)
        _check_claims(part, legal)
    return Draft(
        rule=rule,
        handling=Handling.parse(body.handling.codes, body.handling.text),
        legal=legal,
        facts=body.facts,
        parts=parts,
        addressees=addressees,
        declared=declared_in(body),
    )


def declared_in(body: Body) -> Declared:
    return Declared(
        strictly_necessary=body.strictly_necessary,
        special_categories=body.special_categories,
        interpol_channel=body.interpol_channel,
        article_3=body.article_3,
        classification=body.handling.classification.value,
        risk=frozenset(body.risk),
        assurances=frozenset(body.assurances),
    )


def _check_claims(part: DraftPart, legal: Legal) -> None:
    """Nothing in an entry outlives it (LED art. 5)."""
    for n, claim in enumerate(part.entity.claims if part.entity else ()):
        if claim.erase_on and legal.erase_on and claim.erase_on > legal.erase_on:
            where = f"{part.place}.entity.claims[{n}].erase_on"
            raise Invalid("claim.erase_after_entry", "later than its entry's", step="read the act", field=where)


@dataclass(frozen=True, slots=True)
class Made:
    """A statement ready to be signed, with what its parts hold."""

    entry: Entry
    body: bytes
    salts: Mapping[PartId, tuple[bytes, bytes]]
    """Part -> (salt, the content's canonical bytes)."""
    withheld: Mapping[NodeId, tuple[PartId, ...]]
    entities: Mapping[PartId, Entity]


def make_statement(
    draft: Draft,
    *,
    state: DossierState,
    author: NodeId,
    officer: str,
    at: datetime,
    salt: Callable[[], bytes],
    members: tuple[NodeId, ...] | None = None,
    nonce: str = "",
) -> Made:
    """Commit to each part and name what this node has seen."""
    refs, parts, salts, entities = [], [], {}, {}
    withheld: dict[NodeId, list[PartId]] = {n: [] for n in draft.addressees}
    for part in draft.parts:
        grain = salt()
        ref = PartRef(crypto.commit_part(part.kind, grain, part.packed), part.kind, len(part.packed))
        refs.append(ref)
        parts.append(Part(ref, Presence.HELD, part.content))
        salts[ref.id] = (grain, part.packed)
        if part.entity is not None:
            entities[ref.id] = part.entity
        for node in part.withhold_from & set(draft.addressees):
            withheld[node].append(ref.id)
    heads = state.heads[-MAX_PARENTS:]
    clocks = [e.statement.clock for e in state.entries if e.id in heads]
    statement = Statement(
        dossier=state.id,
        kind=state.kind,
        type=draft.rule.type,
        author=author,
        officer=officer,
        clock=max(clocks) + 1 if clocks else 0,
        at=at,
        parents=tuple(sorted(heads)),
        addressees=draft.addressees,
        handling=draft.handling,
        legal=draft.legal,
        facts=draft.facts,
        parts=tuple(refs),
        members=members,
        nonce=nonce,
    )
    body = statement_to_bytes(statement)
    entry = Entry(entry_id(body), check_statement(body), tuple(parts))
    return Made(entry, body, salts, {n: tuple(p) for n, p in withheld.items()}, entities)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks the gate, and why."""

    country: str
    roles: frozenset[str]
    purpose: str
    why: str
    second: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What the gate is asked about a dossier besides the act: of its event, and of the recipient's signature."""

    kind: str
    event_ends_on: str
    signed: bool


def place_in(kind: Kind, state: DossierState | None, draft: Draft, to: NodeId) -> Place:
    """`state`: the dossier as it stands; None for its opening."""
    opened = state if state is not None and state.entries else None
    opening = opened.first.statement.facts if opened else draft.facts
    signed = opened is None or kind.has_signed(opened, draft.rule.type, to)
    return Place(kind.name, kind.ends_on(opening), signed)


def question(
    draft: Draft,
    asker: Asker,
    *,
    place: Place,
    to: NodeId | None,
    at: datetime,
    consent: bool = False,
    action: Action = Action.SEND,
) -> Question:
    """What the gate is asked about sending this act to one recipient, or about writing it at all (`to` None)."""
    entities = [p.entity for p in draft.parts if p.entity is not None and p.goes_to(to)]
    persons = [e for e in entities if e.schema == "Person"]
    recipient = country_of(to) if to else None
    facts = draft.facts
    return Question(
        action=action,
        country=asker.country,
        roles=asker.roles,
        originator=asker.country,
        kind=place.kind,
        entry_type=draft.rule.type,
        recipient=recipient,
        recipients=len(draft.addressees),
        agreement=draft.legal.agreement_with(recipient or ""),
        purpose=draft.legal.purpose,
        legal_basis=draft.legal.legal_basis,
        transfer_basis=draft.legal.transfer_basis,
        justification=asker.why or asker.purpose,
        handling=own_handling(draft).union(*(e.handling() for e in entities)),
        handling_text=draft.handling.text,
        urgency=_urgency(facts),
        crime_areas=frozenset(str(c) for c in facts.get("crime_areas", ())),
        person_roles=frozenset(p.role for p in persons),
        properties=frozenset(f"{p.role}:{c.property}" for p in persons for c in p.claims) | _contacts(draft, persons),
        has_persons=bool(persons),
        has_text=any(p.kind != "entity" and p.goes_to(to) for p in draft.parts),
        has_minors=any(is_minor(p, at.date()) for p in persons),
        has_special_categories=draft.declared.special_categories,
        strictly_necessary=draft.declared.strictly_necessary,
        interpol_channel=draft.declared.interpol_channel,
        article_3=draft.declared.article_3,
        classification=draft.declared.classification,
        graded=all(c.grade for e in entities for c in e.claims),
        review_on=draft.legal.review_on,
        erase_on=draft.legal.erase_on,
        consent=consent,
        assurances=draft.declared.assurances,
        risk=draft.declared.risk,
        second_officer=asker.second,
        event_ends_on=place.event_ends_on,
        recipient_signed=place.signed,
    )


def own_handling(draft: Draft) -> frozenset[str]:
    """The codes of the act itself, without those of single values in it."""
    return frozenset(str(c) for c in draft.handling.codes)


def with_parts(
    decision: Decision, asked: Question, draft: Draft, to: NodeId | None, decide: Callable[[Question], Decision]
) -> Decision:
    """Where a clause forbids it for the handling of single values alone, the parts that hold them are named."""
    own = own_handling(draft)
    if not isinstance(decision, Refusal) or asked.handling == own:
        return decision

    def forbidding(handling: frozenset[str]) -> set[str]:
        found = decide(replace(asked, handling=handling))
        return {found.reason, *(c.id for c in found.clauses)} if isinstance(found, Refusal) else set()

    without = forbidding(own)
    stricter = [(p.place, codes) for p in draft.parts if p.entity and p.goes_to(to) and (codes := p.entity.handling())]
    return replace(decision, parts=tuple(place for place, codes in stricter if forbidding(own | codes) - without))


def _urgency(facts: Mapping[str, Any]) -> str:
    """`urgent` by the act's own word, or by the precedence of a warning."""
    return "urgent" if facts.get("precedence") in PRECEDENCE_URGENT else str(facts.get("urgency", "normal"))


def _contacts(draft: Draft, persons: list[Entity]) -> frozenset[str]:
    """Links from a person to a further person, as properties of the first (Reg. 2016/794 Annex II.B(4), (5))."""
    by_id = {p.id: p for p in persons}
    found: set[str] = set()
    for part in draft.parts:
        start, end = by_id.get(str(part.content.get("from"))), by_id.get(str(part.content.get("to")))
        if part.kind == "link" and start is not None and end is not None:
            found |= {f"{start.role}:contact_kind", f"{start.role}:contacts"}
    return frozenset(found)


def redraft(
    entry: Entry,
    rule: ActRule,
    handling: Handling,
    declared: Declared,
    withheld: tuple[PartId, ...],
    to: NodeId,
    parsed: Mapping[PartId, Entity],
    had_by: Iterable[NodeId] = (),
) -> Draft:
    """An entry that was written already, as a draft for a new recipient: the same questions are asked again.

    Never less than the first time: with what its officer declared, as its author restricted it since, and with all
    who have it (`had_by`) counted as recipients.
    """
    s = entry.statement
    parts = tuple(
        DraftPart(
            p.ref.kind,
            p.content or {},
            frozenset({to}) if p.ref.id in withheld else frozenset(),
            parsed.get(p.ref.id),
            place=p.ref.id,
        )
        for p in entry.parts
    )
    return Draft(rule, handling, s.legal, s.facts, parts, tuple(sorted({to, *had_by})), declared)


def resolve_entry(state: DossierState, word: object) -> EntryId:
    """An entry of this dossier by its id or the first characters of it. Raises `Invalid`."""
    text = str(word)
    found = [e.id for e in state.entries if e.id == text or (len(text) >= 6 and e.id.startswith(text))]
    if len(found) != 1:
        raise Invalid("entry.unknown", "no such entry, or more than one", step="read the act", field="facts.about")
    return found[0]


def whole_ids(facts: Mapping[str, Any], state: DossierState | None, node: Callable[[str], NodeId]) -> dict[str, Any]:
    """Short forms of ids that an officer may type, made whole. `state` None: of an opening, which names no entries."""
    found = dict(facts)
    for key in ENTRY_FACTS:
        if state is not None and found.get(key):
            found[key] = resolve_entry(state, found[key])
    for key in NODE_FACTS:
        value = found.get(key)
        if isinstance(value, str) and value:
            found[key] = node(value)
        elif isinstance(value, list) and all(isinstance(v, str) for v in value):
            found[key] = [node(v) for v in value]
    return found


def node_or_resolve(word: str, resolve: Callable[[str], NodeId]) -> NodeId:
    """A node id as it is, or a partner's country or name."""
    return parse_node_id(word) if "-" in word and len(word) == 23 else resolve(word)


def opening_rule(kind: Kind, body: Body) -> ActRule:
    if body.type and body.type != kind.opening.type:
        raise Invalid(
            "act.not_opening", f"a {kind.name} opens with {kind.opening.type}", step="read the act", field="type"
        )
    return kind.opening
