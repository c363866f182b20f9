"""What a form may offer: the choices that only this dossier knows, and the acts that have something to be about.

No kind is known by name here: items, tables and possible values come from the kind (`kinds.face`). The service decides
again when the act is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tansiq.dossiers.model import ActRule, DossierState, Entry, Kind, Legal, Statement
from tansiq.kinds import KINDS, Face, Item, cycle_of, face_of, items_of, steppable
from tansiq.terms import DossierId, EntryId, GradeScheme, Handling, NodeId, country_of
from tansiq.web import labels, views
from tansiq.web.factforms import Axes, Choice, grade_choices
from tansiq.web.pages.lists import peer_names
from tansiq.web.render import label
from tansiq.web.visit import Visit

Offered = dict[str, tuple[Choice, ...]]
MEMBER_FACTS = ("owner", "member", "host", "hosts", "visitors")
COUNTRY_FACTS = ("country", "states")
LANGUAGE_FACTS = ("language", "languages")
NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes of groups and of nothing, which the common locale data has among the countries."""
ITEM_FACTS = ("match", "venue", "meeting")
"""Facts that name an item of that sort."""
NOBODY = NodeId("")
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
MOST_ENTRIES = 300
"""So many entries a list offers; the newest."""


def kind_of(rule: ActRule, state: DossierState | None) -> str:
    return state.kind if state else rule.type.partition(".")[0]


def offered(visit: Visit, state: DossierState | None, rule: ActRule) -> Offered:
    """Fact -> its choices, for the facts whose choices the dossier or its kind knows."""
    found = {**_countries(visit), **_languages(visit), **_of_kind(visit, state, rule)}
    if state is None:
        # An opening act may follow up an entry of another dossier; the officer comes here from that entry.
        about = visit.form.get("fact_about") or visit.query("about")
        found["about"] = (Choice("", "—"), *([Choice(about, about[:18])] if about.startswith("e-") else []))
        everybody = (visit.node.node_id, *(p.card.node for p in visit.node.exchange.peers() if p.state == "pinned"))
        return found | _members(visit, everybody)
    found |= _members(visit, state.members) | _grades(state, rule)
    if rule in KINDS[state.kind].acts:
        return found | _items(visit, state, rule) | _lanes(visit, state)
    return found | _frame(visit, state, rule) | _lanes(visit, state)


def _members(visit: Visit, nodes: Iterable[NodeId]) -> Offered:
    names, me = peer_names(visit.node), visit.node.node_id
    choices = tuple(
        Choice(n, f"{country_of(n)} · {visit.say('this service') if n == me else names.get(n, n)}") for n in nodes
    )
    return dict.fromkeys(MEMBER_FACTS, choices)


def _countries(visit: Visit) -> Offered:
    """Every country by its name in the page's language; first those of the services that we know."""
    named = visit.tongue.locale.territories
    near = {country_of(visit.node.node_id), *(p.card.country.upper() for p in visit.node.exchange.peers())}
    codes = [c for c in map(str, named) if len(c) == 2 and c.isalpha() and c not in NO_COUNTRIES]
    order = sorted(codes, key=lambda c: (c not in near, str(named[c])))
    return dict.fromkeys(COUNTRY_FACTS, tuple(Choice(c, f"{c} · {named[c]}") for c in order))


def _languages(visit: Visit) -> Offered:
    """Every language that ISO 639-1 has a code for; first those of the pages."""
    named = visit.tongue.locale.languages
    codes = [c for c in map(str, named) if len(c) == 2]
    order = sorted(codes, key=lambda c: (c not in labels.LANGUAGE, str(named[c])))
    return dict.fromkeys(LANGUAGE_FACTS, tuple(Choice(c, f"{c} · {named[c]}") for c in order))


def _grades(state: DossierState, rule: ActRule) -> Offered:
    """A grade that comes without its scheme is in the scheme of what it changes."""
    fields = {f.name for f in getattr(msgspec.inspect.type_info(rule.facts), "fields", ())} if rule.facts else set()
    if "grade" not in fields or "scheme" in fields:
        return {}
    scheme = str(state.first.statement.facts.get("scheme", "4x4"))
    if scheme not in list(GradeScheme):
        return {}
    return {"grade": tuple(Choice(c.label, c.label, scheme) for c in grade_choices([GradeScheme(scheme)]))}


def axes(visit: Visit, state: DossierState | None, rule: ActRule, facts: Any) -> Axes:
    """What stands at the side of an act's tables and over their columns, as the dossier has it."""
    if state is None or facts is None:
        return {}
    kind, names, peers = face_of(state.kind), entry_names(visit, state), peer_names(visit.node)

    def worded(key: str, entry: str) -> Choice:
        if entry:
            # Its words without the day, which in another direction of writing would fall apart.
            return Choice(key, f"{key} · {names.get(EntryId(entry), '').rpartition(' · ')[0]}")
        return Choice(key, visit.say("this service") if key == visit.node.node_id else peers.get(key, key))

    found = {}
    for f in getattr(msgspec.inspect.type_info(facts), "fields", ()):
        if told := kind.axes(state, rule.type, f.name):
            found[f.name] = tuple(tuple(worded(*k) for k in axis) for axis in told)
    return found


def _of_kind(visit: Visit, state: DossierState | None, rule: ActRule) -> Offered:
    """Values that are possible at all: of closed lists that the kind narrows, and of lists that it keeps as data."""
    kind = kind_of(rule, state)
    shown, found = face_of(kind), Offered()
    for f in getattr(msgspec.inspect.type_info(rule.facts), "fields", ()) if rule.facts else ():
        possible = _possible(visit, state, shown, rule.type, f.name)
        if possible is not None:
            words = {v: shown.say(v, visit.tongue.code) or label(visit.tongue, "FACT_VALUE", v, kind) for v in possible}
            known = [str(v) for v in getattr(f.type, "values", ())]
            order = sorted(possible, key=lambda v: (known.index(v) if v in known else len(known), v))
            found[f.name] = tuple(Choice(v, words[v]) for v in order)
    return found


def _possible(visit: Visit, state: DossierState | None, shown: Face, act: str, field: str) -> frozenset[str] | None:
    """Between the members; of an opening, with any of the partners that it may be sent to."""
    if state is not None:
        return shown.offers(act, field, frozenset(country_of(n) for n in state.members))
    here = country_of(visit.node.node_id)
    there = {p.card.country.upper() for p in visit.node.exchange.peers() if p.state == "pinned"}
    each = [shown.offers(act, field, frozenset({here, c})) for c in sorted(there)]
    known = [e for e in each if e is not None]
    return frozenset().union(*known) if known and len(known) == len(each) else None


def _items(visit: Visit, state: DossierState, rule: ActRule) -> Offered:
    """Items by what they are: those that this act may be about now, and those that another fact of it names."""
    names = entry_names(visit, state)
    items = items_of(state)
    found: Offered = {}
    about = abouts(state, rule, visit.node.node_id, visit.now)
    found["about"] = tuple(Choice(e, names.get(e, e[:14])) for e in about)
    for sort in ITEM_FACTS:
        if begun := dict.fromkeys(i.begun for i in items if i.sort == sort):
            found[sort] = tuple(Choice(e, names.get(e, e[:14])) for e in begun)
    if hypotheses := getattr(state.own, "hypotheses", None):
        found["hypothesis"] = tuple(Choice(h, f"{h} · {names.get(e, '')}") for h, e in hypotheses.items())
    if digests := _digests(items, about):
        found["digest"] = digests
    return found


def _digests(items: Iterable[Item], about: tuple[EntryId, ...]) -> tuple[Choice, ...]:
    """The texts whose digest an answer may name: those that it may be about."""
    told = {str(i.facts["digest"]): str(i.facts.get("language", "")) for i in items if _has_digest(i, about)}
    return tuple(Choice(d, f"{language} {d[:16]}".strip()) for d, language in told.items())


def _has_digest(item: Item, about: tuple[EntryId, ...]) -> bool:
    return item.begun in about and bool(item.facts.get("digest"))


def abouts(state: DossierState, rule: ActRule, me: NodeId, now: datetime) -> tuple[EntryId, ...]:
    """The entries that this act may be about now: items that it may step, and whatever else its kind allows."""
    kind, cycle, items = KINDS[state.kind], cycle_of(state.kind), items_of(state)
    found = dict.fromkeys(i.begun for i in steppable(cycle, items, rule.type, me)) if cycle else {}
    for entry in dict.fromkeys((state.first.id, *(i.begun for i in items))):
        if entry not in found and _legal(kind, state, rule, me, now, entry):
            found[entry] = None
    return tuple(found)


def _legal(kind: Kind, state: DossierState, rule: ActRule, me: NodeId, now: datetime, about: EntryId) -> bool:
    """What the kind says of the act if it were about that entry and told nothing else."""
    try:
        return kind.check(state, told(rule, {"about": about}, state, me, now)) == ""
    except (KeyError, TypeError, ValueError):
        return False  # it asks for more than the form has been told yet


def told(
    rule: ActRule,
    facts: Mapping[str, Any],
    state: DossierState | None = None,
    me: NodeId = NOBODY,
    now: datetime = NEVER,
) -> Entry:
    """An act as far as a form has told it: for asking the kind, never for writing."""
    members, heads = (state.members, state.heads) if state else ((), ())
    legal = state.first.statement.legal if state else Legal("", "", {})
    where = state.id if state else DossierId("")
    others = tuple(n for n in members if n != me)
    statement = Statement(
        where, kind_of(rule, state), rule.type, me, "", 0, now, heads, others, Handling.parse([]), legal, facts, ()
    )
    return Entry(EntryId(""), statement)


def needs_about(rule: ActRule) -> bool:
    fields = getattr(msgspec.inspect.type_info(rule.facts), "fields", ()) if rule.facts else ()
    return any(f.name == "about" and f.required for f in fields)


def acts(visit: Visit, state: DossierState, rules: Iterable[ActRule]) -> list[ActRule]:
    """What this service may write now; an act of the kind that has nothing to be about is left out."""
    me, own = visit.node.node_id, KINDS[state.kind].acts
    found = []
    for rule in views.acts_for(state, rules, me):
        kind = KINDS[state.kind]
        if rule is kind.opening or rule.type == kind.erased_act or rule.type in face_of(state.kind).elsewhere:
            continue
        asks = rule in own and cycle_of(state.kind) is not None and needs_about(rule)
        if not asks or abouts(state, rule, me, visit.now):
            found.append(rule)
    return found


def steps_of(visit: Visit, state: DossierState, rules: Iterable[ActRule]) -> dict[str, list[ActRule]]:
    """Item -> the acts with which this service may step it now, those that it owes first."""
    cycle, me, found = cycle_of(state.kind), visit.node.node_id, dict[str, list[ActRule]]()
    for rule in rules:
        if cycle is None or not needs_about(rule):
            continue
        for item in steppable(cycle, items_of(state), rule.type, me):
            if _asks_more(rule) or _legal(KINDS[state.kind], state, rule, me, visit.now, item.begun):
                found.setdefault(item.key, []).append(rule)
    return found


def owed_by(state: DossierState, me: NodeId, steps: Mapping[str, list[ActRule]]) -> frozenset[str]:
    """The acts that end something which this service owes."""
    cycle = cycle_of(state.kind)
    due = {(o.sort, s) for o in cycle.owed for s in o.states} if cycle else set()
    mine = {i.key for i in items_of(state) if i.owner == me and (i.sort, i.state) in due}
    return frozenset(rule.type for key in mine for rule in steps.get(key, ()))


def _asks_more(rule: ActRule) -> bool:
    """Whether the act tells more than what it is about: then its rules can be asked only when that is told."""
    fields = getattr(msgspec.inspect.type_info(rule.facts), "fields", ())
    return any(f.required and f.name != "about" for f in fields)


def _lanes(visit: Visit, state: DossierState) -> Offered:
    names = peer_names(visit.node)
    lanes = getattr(state.own, "lanes", None) or {}
    return {"lane": tuple(Choice(n, names.get(n, n)) for n, lane in lanes.items() if lane.state == "waiting")}


def _frame(visit: Visit, state: DossierState, rule: ActRule) -> Offered:
    """The acts that every dossier has: about which entry, which part, which asking."""
    me, names = visit.node.node_id, peer_names(visit.node)
    ours = rule.by == "originator" and rule.type != "dossier.permission_answered"
    wanted = [
        e
        for e in state.entries
        if e.id not in state.voided() and e.parts and ((e.statement.author == me) if ours else True)
    ]
    if rule.type in ("dossier.permission_requested", "dossier.regrade_proposed", "dossier.feedback"):
        wanted = [e for e in wanted if e.statement.author != me]
    if rule.type == "dossier.restriction_acknowledged":
        wanted = [e for r in state.restrictions if (e := state.entry(r.entry)) is not None]
    wanted = wanted[-MOST_ENTRIES:]
    gone = {r.part for r in state.recalls} if rule.type == "dossier.recalled" else set()
    return {
        "about": tuple(Choice(e.id, entry_name(visit, e)) for e in wanted),
        "part": tuple(
            Choice(p.ref.id, part_name(visit, p, e)) for e in wanted for p in e.parts if p.ref.id not in gone
        ),
        "asked": tuple(
            Choice(p.asked, f"{names.get(p.by, p.by)} → {p.to.upper() if len(p.to) == 2 else names.get(p.to, p.to)}")
            for p in state.permissions
            if not p.answer
        ),
    }


def entry_name(visit: Visit, entry: Entry) -> str:
    s = entry.statement
    kind = label(visit.tongue, "ENTRY_TYPE", s.type, s.kind)
    return f"{country_of(s.author)} · {kind} · {visit.tongue.instant(s.at)}"


def entry_names(visit: Visit, state: DossierState) -> Mapping[EntryId, str]:
    """What an entry is called in a list: its own words where this node has them, else its act and time."""
    found = {}
    for entry in state.entries:
        texts = [str(p.content["text"]) for p in entry.parts if p.content and p.content.get("text")]
        told = entry.statement.facts
        pair = f"{told['home']} – {told['away']}" if {"home", "away"} <= set(told) else ""
        words = pair or (texts[0][:70] if texts else "")
        found[entry.id] = f"{words} · {visit.tongue.day(entry.statement.at)}" if words else entry_name(visit, entry)
    return found


def part_name(visit: Visit, part: Any, entry: Entry | None = None) -> str:
    """What a part is called in a list of choices: enough of its content to tell it from the others."""
    kind = visit.say(labels.PART.get(part.ref.kind, "")) or label(visit.tongue, "PART", part.ref.kind)
    content = part.content or {}
    if part.ref.kind == "link" and content:
        ends = views.ends_of(entry) if entry else {}
        start, end = (ends.get(str(content.get(x)), str(content.get(x, ""))) for x in ("from", "to"))
        return f"{kind}: {start} – {visit.say(labels.LINK.get(str(content.get('type')), ''))} – {end}"
    return f"{kind}: {views.first_words(content)}"
