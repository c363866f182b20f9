"""Looking through everything that this node holds for one person. Writes nothing, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from tansiq.access.model import Acting, Draft
from tansiq.bank import entity_to_json
from tansiq.bank.model import Candidate, Entity
from tansiq.bureau import Compared
from tansiq.bureau.model import Watch, WatchKind
from tansiq.dossiers.model import Entry, Part
from tansiq.errors import Invalid, NotFound
from tansiq.hits import LEAST_SCORE, match_rule
from tansiq.hits.model import Match
from tansiq.oversight import person, rules
from tansiq.oversight.model import Bound, Kept, Logged, Sort, Thing
from tansiq.oversight.reading import Read, Reading, facts_of
from tansiq.oversight.sources import Sources
from tansiq.private.model import CheckKind, CheckResult, CheckState
from tansiq.terms import EntryId, LogVerb, country_of

MOST_HOLDINGS = 200
MOST_PLACES = 5000
"""Places in texts that one spelling is looked up at."""
MOST_TEXTS = 500
MOST_CHECKS = 100_000
MOST_LEAVES = 200
"""So many of the newest leaves of one thing; all of them stand in the log."""
OF_THE_QUESTION = frozenset({LogVerb.CONSULT.value, LogVerb.COLLECT.value})
"""Leaves of a private check that tell that it was asked. The others tell what was answered."""


class Gathering:
    """Goes through the node's capabilities one by one."""

    def __init__(self, sources: Sources) -> None:
        self._s = sources

    def find(self, asked: Entity, by: Acting) -> tuple[list[Thing], tuple[Bound, ...]]:
        """(what was found, best first in each sort; where more may be held than was found)."""
        search = Reading(self._s, by)
        candidates = self._candidates(asked, search)
        holdings = [self._holding(c, search) for c in candidates]
        # The bank meets names across scripts and with parts run together; texts are searched by words. So they are
        # looked through for each spelling under which the person is held, too.
        asked, all_names = person.with_names(asked, (n for c in candidates for n in c.record.entity.names()))
        search.bound(Bound.SPELLINGS, met=not all_names)
        compared = person.looked_for(asked)
        shown = {(h.entry, h.part) for h in holdings if h.part}
        files = self._files(compared, search)
        texts = self._texts(asked, compared, search, shown | {(f.entry, f.part) for f in files})
        texts = [*texts, *files]
        places = shown | {(t.entry, t.part) for t in texts}
        matches = [self._match(m, search) for m in self._s.hits.about({h.id for h in holdings}, places)]
        others = [*self._queries(asked, compared), *self._drafts(compared, search), *self._checks(compared, search)]
        every = [*holdings, *texts, *matches, *others]
        order = list(Sort)
        found = sorted(every, key=lambda t: (order.index(t.sort), -t.score, t.id))
        things = [replace(t, trail=self._trail(t, search)) for t in _named_apart(found)]
        search.bound(Bound.INDEX, met=not self._s.words.complete)
        return things, search.left_out()

    # --- our holdings, what dossiers brought among them ---

    def _candidates(self, asked: Entity, search: Reading) -> list[Candidate]:
        """The same threshold as for what arrives: below it the machine does not say that they are alike.

        Our own first: whatever a partner sends, what this service holds itself is listed.
        """
        every, whole = self._s.bank.find_all(asked, LEAST_SCORE)
        alike = [c for c in every if match_rule(asked, c)]
        search.bound(Bound.HOLDINGS, met=not whole or len(alike) > MOST_HOLDINGS)
        return sorted(alike, key=self._is_partners)[:MOST_HOLDINGS]

    def _is_partners(self, found: Candidate) -> bool:
        prov = found.record.provenance
        return prov.source == "dossier" and prov.originator.upper() != self._s.country.upper()

    def _holding(self, found: Candidate, search: Reading) -> Thing:
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
        there = search.read(prov.dossier)
        of = there.state.entry(entry) if there is not None else None
        if there is None or of is None:
            owners = (thing.originator,) if self._is_partners(found) else ()
            return replace(thing, entry=entry, dossier=prov.dossier, what=None, kept=Kept.REFUSED, owners=owners)
        return self._of_entry(thing, there, of, prov.part, search)

    def _of_entry(self, thing: Thing, there: Read, entry: Entry, part: str, search: Reading) -> Thing:
        """The thing with what binds its entry, with whom it was shared, and hidden where this officer may not read."""
        legal, whose = entry.statement.legal, there.whose(entry)
        kept, ours = there.kept(entry.id), whose == self._s.node
        return replace(
            thing, dossier=there.state.id, entry=entry.id, part=part, kept=kept,
            what=thing.what if kept is Kept.SHOWN else None, ours=ours,
            originator=country_of(whose), owners=() if ours else (country_of(whose),),
            handling=tuple(sorted(there.codes_of([entry]) | set(thing.handling))),
            purpose=legal.purpose, legal_basis=legal.legal_basis, review_on=legal.review_on,
            erase_on=thing.erase_on or legal.erase_on, since=there.filed_at.get(entry.id),
            disclosures=tuple(search.disclosures(there, entry.id, part)),
        )  # fmt: skip

    # --- texts ---

    def _texts(self, asked: Entity, compared: Compared, search: Reading, shown: set[tuple[str, str]]) -> list[Thing]:
        """Our own first, then the best; without what is shown as a holding already."""
        found, seen = [], set(shown)
        for words in (*asked.names(), *person.numbers_of(asked)):
            for dossier, entry, part in self._places(words, search):
                if (entry, part) in seen:
                    continue
                seen.add((entry, part))
                there = search.read(dossier)
                if (
                    there is not None
                    and (made := self._text(there, EntryId(entry), part, compared, search)) is not None
                ):
                    found.append(made)
        search.bound(Bound.TEXTS, met=len(found) > MOST_TEXTS)
        return sorted(found, key=lambda t: (not t.ours, -t.score, t.id))[:MOST_TEXTS]

    def _places(self, words: str, search: Reading) -> Iterator[tuple[str, str, str]]:
        try:
            places = self._s.words.find(words, MOST_PLACES)
        except Invalid as failure:
            # Without a letter or a digit it stands in no text. Too long or too short is another matter.
            search.bound(Bound.SPELLINGS, met=failure.code != "search.words")
            return
        search.bound(Bound.TEXTS, met=len(places) >= MOST_PLACES)
        yield from ((p.dossier, p.entry, p.part) for p in places)

    def _text(self, there: Read, entry: EntryId, part: str, compared: Compared, search: Reading) -> Thing | None:
        of = there.state.entry(entry)
        held = next((p for p in of.parts if p.ref.id == part), None) if of else None
        if of is None or held is None or held.content is None:
            return None
        score, words = person.met(compared, held.content)
        if not score:
            return None
        what = self._passage(held, words)
        thing = Thing(part, Sort.PART, score, what, Kept.SHOWN, "", ours=False, others=True)
        return self._of_entry(thing, there, of, part, search)

    def _files(self, compared: Compared, search: Reading) -> list[Thing]:
        """Attached files that are plain text, by what stands in them; by their names they are found as texts are."""
        found = []
        for file in self._s.files.texts():
            search.bound(Bound.FILES, met=file.text is None)
            score, words = person.met(compared, {"title": file.name, "text": file.text}) if file.text else (0.0, "")
            dossier = self._s.dossiers.dossier_of(file.entry) if score else None
            there = search.read(dossier) if dossier else None
            of = there.state.entry(file.entry) if there is not None else None
            if there is None or of is None:
                continue
            text = str(file.text) if words in str(file.text) else file.name
            what = {"kind": "attachment", "file": file.name, "passage": rules.passage(text, words)}
            thing = Thing(file.part, Sort.PART, score, what, Kept.SHOWN, "", ours=False, others=True)
            found.append(self._of_entry(thing, there, of, file.part, search))
        return found

    def _passage(self, part: Part, words: str) -> dict[str, Any]:
        """The words and what stands around them: the rest of a text may be about others."""
        content = part.content or {}
        texts = [str(content[k]) for k in ("title", "text") if content.get(k)]
        if part.ref.kind == "entity":
            return {"kind": "entity", "entity": dict(content.get("entity", {}))}
        text = next((t for t in texts if words in t), texts[0] if texts else "")
        return {"kind": part.ref.kind, "passage": rules.passage(text, words)}

    # --- what the machine and officers made of it ---

    def _match(self, m: Match, search: Reading) -> Thing:
        """It speaks of both its sides: whose they are has a word in it, and what binds them binds it."""
        what = {
            "dossier": m.dossier, "entry": m.entry, "record": m.holding.id, "rule": m.rule, "state": m.state.value,
            "reason": m.reason,
        }  # fmt: skip
        prov = m.holding.provenance
        sides = [(m.dossier, m.entry, m.originator)]
        sides += [(prov.dossier, prov.reference, prov.originator)] if prov.source == "dossier" else []
        kept, codes, owners = search.sides(sides)
        return Thing(
            m.id, Sort.MATCH, m.score, what if kept is Kept.SHOWN else None, kept,
            owners[0] if owners else self._s.country, ours=not owners, owners=owners, since=m.found_at,
            handling=tuple(sorted({"H0", *codes, *m.holding.handling(), *m.incoming.handling()})),
            dossier=m.dossier, entry=m.entry, part=m.part,
        )  # fmt: skip

    def _queries(self, asked: Entity, compared: Compared) -> Iterator[Thing]:
        watches = self._s.queries.kept()
        met: dict[str, float] = {}
        for words in person.pieces({"kind": "entity", "entity": entity_to_json(asked)}) if watches else ():
            for found in Compared(watches).meet(words):
                met[found.watch] = max(found.score, met.get(found.watch, 0.0))
        for w in watches:
            # Of names the nearest few alone are told above, so each is held against the person, too.
            near = person.met(compared, person.text_of_watch(w))[0] if w.kind is WatchKind.NAME else 0.0
            if score := max(near, met.get(w.id, 0.0)):
                yield self._query(w, score)

    def _query(self, w: Watch, score: float) -> Thing:
        what = {"kind": w.kind.value, "text": w.text, "until": w.expires_on, "why": w.justification}
        return Thing(
            w.id, Sort.QUERY, score, what, Kept.SHOWN, self._s.country, ours=True, purpose=w.purpose,
            erase_on=w.expires_on, since=w.made_at,
        )  # fmt: skip

    def _drafts(self, compared: Compared, search: Reading) -> Iterator[Thing]:
        """What waits for a second officer."""
        for draft in self._s.access.pending():
            try:
                held = msgspec.json.decode(draft.body)
            except msgspec.MsgspecError:
                continue
            if score := max((person.met(compared, c)[0] for c in _contents(held)), default=0.0):
                yield self._draft(draft, held, score, search)

    def _draft(self, draft: Draft, held: Mapping[str, Any], score: float, search: Reading) -> Thing:
        """Bound by its own codes and by those of the dossier that it is meant for, as if it stood in it."""
        kept, codes, whose = Kept.SHOWN, rules.codes_in(held), self._s.node
        if dossier := str(held.get("dossier") or (draft.ref if draft.ref.startswith("d-") else "")):
            there = search.read(dossier)
            kept = there.kept_about() if there is not None else Kept.REFUSED
            if there is not None:
                codes |= there.codes()
                whose = there.whose_act(*facts_of(held["body"]), self._s.node)
        ours = whose == self._s.node
        what = {"act": draft.act, "body": draft.body.decode()} if kept is Kept.SHOWN else None
        return Thing(
            draft.id, Sort.DRAFT, score, what, kept, country_of(whose), ours=ours,
            owners=() if ours else (country_of(whose),), handling=tuple(sorted({"H0", *codes})),
            purpose=draft.purpose, since=draft.proposed_at, dossier=dossier, others=True,
        )  # fmt: skip

    def _checks(self, compared: Compared, search: Reading) -> Iterator[Thing]:
        """Whom this node asked partners about without naming them, what they answered, whom it keeps watched there."""
        checks = self._s.checks.checks(limit=MOST_CHECKS)
        search.bound(Bound.CHECKS, met=len(checks) >= MOST_CHECKS)
        for check in checks:
            if check.kind is not CheckKind.PERSON:
                continue
            try:
                words = self._s.checks.person_of(check.id)
            except NotFound:
                continue  # its day came while we looked
            if score := person.met(compared, person.words_as_content(words))[0]:
                yield from self._check(check, score)
        for watch in self._s.checks.watches():
            if score := person.met(compared, person.words_as_content(watch.person))[0]:
                yield Thing(
                    watch.id, Sort.WATCH, score, {"case": watch.case, "until": watch.until_on}, Kept.SHOWN,
                    self._s.country, ours=True, purpose=watch.purpose, since=watch.since,
                )  # fmt: skip

    def _check(self, check: CheckResult, score: float) -> Iterator[Thing]:
        """The question is ours. Whether anything met is the partner's, and a request that was opened on it tells it."""
        asked = Thing(
            check.id, Sort.CHECK, score, {"partner": check.partner, "case": check.case}, Kept.SHOWN, self._s.country,
            ours=True, purpose=check.purpose, since=check.asked_at,
        )  # fmt: skip
        yield asked
        if check.state is not CheckState.WAITING:
            said = {"partner": check.partner, "state": check.state.value, "hit": check.hit, "request": check.dossier}
            country = country_of(check.partner)
            yield replace(
                asked, id=f"{check.id}@{check.partner}", sort=Sort.ANSWER, what=said, originator=country, ours=False,
                owners=(country,),
            )  # fmt: skip

    def _trail(self, thing: Thing, search: Reading) -> tuple[Logged, ...]:
        subjects = dict.fromkeys(s for s in (thing.id.partition("@")[0], thing.entry, thing.part) if s)
        leaves = sorted((x for s in subjects for x in self._s.ledger.find(s)), key=lambda x: x.index)
        if thing.sort in (Sort.CHECK, Sort.ANSWER):
            leaves = [x for x in leaves if (x.verb.value in OF_THE_QUESTION) is (thing.sort is Sort.CHECK)]
        search.bound(Bound.LOG, met=len(leaves) > MOST_LEAVES)
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
    yield from ({"kind": "fact", "text": text} for text in _texts_in(body.get("facts")))
    parts = body.get("parts")
    yield from (p for p in parts if isinstance(p, Mapping)) if isinstance(parts, Iterable) else ()


def _texts_in(held: Any) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, Mapping | list | tuple):
        for each in held.values() if isinstance(held, Mapping) else held:
            yield from _texts_in(each)


def _named_apart(things: Iterable[Thing]) -> Iterator[Thing]:
    """Two entries may have one part: the second of them is called by its entry too."""
    seen: set[str] = set()
    for thing in things:
        yield replace(thing, id=f"{thing.id}@{thing.entry}") if thing.id in seen else thing
        seen.add(thing.id)
