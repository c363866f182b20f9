"""Looking through everything that this node holds for one person. Writes nothing, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from tansiq.access.model import Acting
from tansiq.bank import entity_to_json
from tansiq.bank.model import Candidate, Entity
from tansiq.bureau import Compared
from tansiq.dossiers import effective_handling
from tansiq.dossiers.model import DossierState, Entry, Part
from tansiq.errors import Invalid, NotFound, TansiqError
from tansiq.hits import match_rule
from tansiq.hits.model import Match
from tansiq.oversight import person, rules
from tansiq.oversight.model import Disclosure, Kept, Logged, Sort, Thing
from tansiq.oversight.sources import Granted, Sources
from tansiq.private.model import CheckKind
from tansiq.terms import DossierId, EntryId, country_of

MOST_HOLDINGS = 200
MOST_PLACES = 500
MOST_CHECKS = 100_000
MOST_LEAVES = 200
"""So many of the newest leaves of one thing; all of them stand in the log."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A dossier as this officer may read it."""

    state: DossierState
    may_show: bool
    unread: frozenset[str]
    grants: tuple[Granted, ...]
    filed_at: Mapping[str, Any]


class Gathering:
    """Goes through the node's capabilities one by one."""

    def __init__(self, sources: Sources) -> None:
        self._s = sources

    def find(self, asked: Entity, by: Acting) -> tuple[list[Thing], bool]:
        """(what was found, best first in each sort; whether all texts were looked through)."""
        read: dict[str, _Read | None] = {}
        candidates = self._candidates(asked)
        holdings = [self._holding(c, by, read) for c in candidates]
        # The bank meets names across scripts and with parts run together; texts are searched by words. So they are
        # looked through for each spelling under which the person is held, too.
        asked = person.with_names(asked, (n for c in candidates for n in c.record.entity.names()))
        compared = person.looked_for(asked)
        shown = {(h.entry, h.part) for h in holdings if h.part}
        texts = [t for t in self._texts(asked, compared, by, read) if (t.entry, t.part) not in shown]
        places = shown | {(t.entry, t.part) for t in texts}
        matches = [self._match(m) for m in self._s.hits.about({h.id for h in holdings}, places)]
        others = [*self._queries(asked), *self._drafts(compared), *self._checks(compared)]
        every = [*holdings, *texts, *matches, *others]
        order = list(Sort)
        found = sorted(every, key=lambda t: (order.index(t.sort), -t.score, t.id))
        return [replace(t, trail=self._trail(t)) for t in _named_apart(found)], self._s.words.complete

    # --- our holdings, what dossiers brought among them ---

    def _candidates(self, asked: Entity) -> list[Candidate]:
        """The same threshold as for what arrives: below it the machine does not say that they are alike."""
        found = self._s.bank.find(asked, MOST_HOLDINGS)
        return [c for c in found if match_rule(asked, c)]

    def _holding(self, found: Candidate, by: Acting, read: dict[str, _Read | None]) -> Thing:
        record, prov = found.record, found.record.provenance
        entity = record.entity
        what = {"kind": "entity", "entity": entity_to_json(entity), "source": prov.source, "reference": prov.reference}
        thing = Thing(
            record.id, Sort.HOLDING, found.score, what, Kept.SHOWN, prov.originator or self._s.country,
            ours=prov.source != "dossier", handling=record.handling(), legal_basis=prov.legal_basis,
            erase_on=record.first_erasure(), since=record.created_at, part=prov.part,
        )  # fmt: skip
        if prov.source != "dossier":
            return thing
        entry = EntryId(prov.reference)
        there = self._read(prov.dossier, by, read)
        of = there.state.entry(entry) if there is not None else None
        if there is None or of is None:
            return replace(thing, entry=entry, dossier=prov.dossier, what=None, kept=Kept.REFUSED)
        return self._of_entry(thing, there, of, prov.part)

    def _read(self, dossier: str, by: Acting, read: dict[str, _Read | None]) -> _Read | None:
        """Each dossier once; None where it cannot be read at all."""
        if dossier not in read:
            ident = DossierId(dossier)
            try:
                state = self._s.dossiers.state(ident)
            except TansiqError:
                read[dossier] = None
                return None
            d = self._s.dossiers
            unread = d.restrictions.unread([dossier], by)
            read[dossier] = _Read(state, d.may_show(ident, by), unread, tuple(d.grants(ident)), d.filed_at(ident))
        return read[dossier]

    def _of_entry(self, thing: Thing, there: _Read, entry: Entry, part: str) -> Thing:
        """The thing with what binds its entry, with whom it was shared, and hidden where this officer may not read."""
        legal, author = entry.statement.legal, entry.statement.author
        kept = Kept.SHOWN
        if not there.may_show:
            kept = Kept.REFUSED
        elif entry.id in there.unread:
            kept = Kept.UNREAD
        codes = {str(c) for c in effective_handling(there.state, entry).codes}
        return replace(
            thing, dossier=there.state.id, entry=entry.id, part=part, kept=kept,
            what=thing.what if kept is Kept.SHOWN else None, ours=author == self._s.node,
            originator=country_of(author), handling=tuple(sorted(codes | set(thing.handling))),
            purpose=legal.purpose, legal_basis=legal.legal_basis, review_on=legal.review_on,
            erase_on=thing.erase_on or legal.erase_on, since=there.filed_at.get(entry.id),
            disclosures=tuple(self._disclosures(there, entry.id, part)),
        )  # fmt: skip

    def _disclosures(self, there: _Read, entry: EntryId, part: str) -> Iterator[Disclosure]:
        """To whom this part went: each grant that did not withhold it, and what the exchange says of it."""
        granted = [g for g in there.grants if g.entry == entry and part not in g.withheld]
        sent = {d.to: d for d in self._s.exchange.deliveries(ref=entry, limit=1000)} if granted else {}
        for g in granted:
            d = sent.get(g.node)
            yield Disclosure(g.node, g.at, g.clauses, d.state.value if d else "", d.received_at if d else None)

    # --- texts ---

    def _texts(self, asked: Entity, compared: Compared, by: Acting, read: dict[str, _Read | None]) -> Iterator[Thing]:
        seen: set[tuple[str, str]] = set()
        for words in (*asked.names(), *person.numbers_of(asked)):
            try:
                places = self._s.words.find(words, MOST_PLACES)
            except Invalid:
                continue  # nothing in it that texts are searched by; the bank was asked for it all the same
            for place in places:
                key = (place.entry, place.part)
                there = None if key in seen else self._read(place.dossier, by, read)
                seen.add(key)
                if there is not None and (made := self._text(there, place.entry, place.part, compared)) is not None:
                    yield made

    def _text(self, there: _Read, entry: EntryId, part: str, compared: Compared) -> Thing | None:
        of = there.state.entry(entry)
        held = next((p for p in of.parts if p.ref.id == part), None) if of else None
        if of is None or held is None or held.content is None:
            return None
        score, words = person.met(compared, held.content)
        if not score:
            return None
        what = self._passage(held, words)
        thing = Thing(part, Sort.PART, score, what, Kept.SHOWN, "", ours=False, others=True)
        return self._of_entry(thing, there, of, part)

    def _passage(self, part: Part, words: str) -> dict[str, Any]:
        """The words and what stands around them: the rest of a text may be about others."""
        content = part.content or {}
        texts = [str(content[k]) for k in ("title", "text") if content.get(k)]
        if part.ref.kind == "entity":
            return {"kind": "entity", "entity": dict(content.get("entity", {}))}
        text = next((t for t in texts if words in t), texts[0] if texts else "")
        return {"kind": part.ref.kind, "passage": rules.passage(text, words)}

    # --- what the machine and officers made of it ---

    def _match(self, m: Match) -> Thing:
        what = {
            "dossier": m.dossier, "entry": m.entry, "record": m.holding.id, "rule": m.rule, "state": m.state.value,
            "reason": m.reason,
        }  # fmt: skip
        return Thing(
            m.id, Sort.MATCH, m.score, what, Kept.SHOWN, self._s.country, ours=True, since=m.found_at,
            dossier=m.dossier, entry=m.entry, part=m.part,
        )  # fmt: skip

    def _queries(self, asked: Entity) -> Iterator[Thing]:
        content = {"kind": "entity", "entity": entity_to_json(asked)}
        watches = {w.id: w for w in self._s.queries.kept()}
        for found in Compared(watches.values()).meet(content) if watches else ():
            w = watches[found.watch]
            what = {"kind": w.kind.value, "text": w.text, "until": w.expires_on, "why": w.justification}
            yield Thing(
                w.id, Sort.QUERY, found.score, what, Kept.SHOWN, self._s.country, ours=True, purpose=w.purpose,
                erase_on=w.expires_on, since=w.made_at,
            )  # fmt: skip

    def _drafts(self, compared: Compared) -> Iterator[Thing]:
        """What waits for a second officer."""
        for draft in self._s.access.pending():
            try:
                held = msgspec.json.decode(draft.body)
            except msgspec.MsgspecError:
                continue
            score = max((person.met(compared, c)[0] for c in _contents(held)), default=0.0)
            if score:
                yield Thing(
                    draft.id, Sort.DRAFT, score, {"act": draft.act, "body": draft.body.decode()}, Kept.SHOWN,
                    self._s.country, ours=True, purpose=draft.purpose, since=draft.proposed_at, dossier=draft.ref,
                    others=True,
                )  # fmt: skip

    def _checks(self, compared: Compared) -> Iterator[Thing]:
        """Whom this node asked partners about without naming them, and whom it keeps under watch there."""
        for check in self._s.checks.checks(limit=MOST_CHECKS):
            if check.kind is not CheckKind.PERSON:
                continue
            try:
                words = self._s.checks.person_of(check.id)
            except NotFound:
                continue  # its day came while we looked
            if score := person.met(compared, person.words_as_content(words))[0]:
                what = {"partner": check.partner, "state": check.state.value, "hit": check.hit, "case": check.case}
                yield Thing(
                    check.id, Sort.CHECK, score, what, Kept.SHOWN, self._s.country, ours=True, purpose=check.purpose,
                    since=check.asked_at, dossier=check.dossier,
                )  # fmt: skip
        for watch in self._s.checks.watches():
            if score := person.met(compared, person.words_as_content(watch.person))[0]:
                yield Thing(
                    watch.id, Sort.WATCH, score, {"case": watch.case, "until": watch.until_on}, Kept.SHOWN,
                    self._s.country, ours=True, purpose=watch.purpose, since=watch.since,
                )  # fmt: skip

    def _trail(self, thing: Thing) -> tuple[Logged, ...]:
        subjects = dict.fromkeys(s for s in (thing.id.partition("@")[0], thing.entry, thing.part) if s)
        leaves = sorted((x for s in subjects for x in self._s.ledger.find(s)), key=lambda x: x.index)
        return tuple(
            Logged(
                x.index, x.at, x.verb.value, str((x.content or {}).get("purpose", "")),
                tuple(str(c) for c in (x.content or {}).get("clauses") or ()), str((x.content or {}).get("to", "")),
            )
            for x in leaves[-MOST_LEAVES:]
        )  # fmt: skip


def _contents(held: Any) -> Iterator[Mapping[str, Any]]:
    """The parts of an act that waits, and its subject line, as contents."""
    body = held.get("body") if isinstance(held, Mapping) else None
    if not isinstance(body, Mapping):
        return
    if isinstance(body.get("subject"), str):
        yield {"kind": "subject", "text": body["subject"]}
    parts = body.get("parts")
    yield from (p for p in parts if isinstance(p, Mapping)) if isinstance(parts, Iterable) else ()


def _named_apart(things: Iterable[Thing]) -> Iterator[Thing]:
    """Two entries may have one part: the second of them is called by its entry too."""
    seen: set[str] = set()
    for thing in things:
        yield replace(thing, id=f"{thing.id}@{thing.entry}") if thing.id in seen else thing
        seen.add(thing.id)
