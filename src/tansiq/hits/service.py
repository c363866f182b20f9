"""The verbs of hits: queue what arrived, examine it, show matches, decide."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import Bank, parse_entity
from tansiq.bank.model import BankRecord, Candidate, Entity
from tansiq.crypto import Vault
from tansiq.dossiers.model import Entry, Presence
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.hits import records, rules
from tansiq.hits.asking import Answers, Comparing
from tansiq.hits.model import LocalDuty, Match, MatchState, Tally
from tansiq.hits.standing import Standing
from tansiq.ledger import Ledger
from tansiq.policy import Gate
from tansiq.policy.model import Action, Question, Refusal
from tansiq.store import Store
from tansiq.terms import LogVerb, PartId

_log = structlog.get_logger("tansiq.hits")
_ROUND = 100
_GROUP = 16
_GROUP_S = 0.05
"""A match is shown once it is committed: no entry of a burst waits longer than this for its neighbours."""

PartIn = Callable[[Connection, str, str], Mapping[str, Any] | None]
"""(tx, entry, part): what is held of an entry's part, as this transaction sees it; None where nothing is."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What an entry was found to meet, in a snapshot: whoever keeps it looks whether it still is what can be found."""

    change: int
    """The bank's, in that snapshot."""
    fresh: list[Match]
    answers: Answers


_Met = tuple[records.Queued, Ahead]


class Hits:
    """The standing examination of what arrives, and the officers' decisions on what it found."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        bank: Bank,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        gate: Gate,
        country: str,
        part_in: PartIn,
    ) -> None:
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._bank = bank
        self._part_in = part_in
        bank.on_reduced.append(self.compare_again)
        bank.on_dropped.append(records.remove_of_records)
        self._clock = clock
        self._new_id = new_id
        self._gate = gate
        self._country = country
        self._examining = threading.Lock()
        """Held by the one thread that examines; a second one would do the same work for nothing."""
        self.told: list[Callable[[list[Match]], None]] = []
        """Called with what an entry newly met, once that is committed; they must be short and may not write."""
        self._comparing = Comparing(gate, clock)
        self._standing = Standing(store, vault, bank, clock, new_id, self._leaf, self._comparing)

    def queue(
        self,
        tx: Connection,
        dossier: str,
        entry: str,
        originator: str,
        *,
        urgent: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        """In the transaction that files the entry: a crash later loses no examination.

        What was looked up `ahead` is kept in this same transaction, if it still is all that can be found.
        """
        item = records.Queued(entry, dossier, originator.upper(), urgent)
        # Of the part itself the filing knows whether it stays: what it looked up for one that goes, it does not give.
        if ahead is not None and (self._bank.others_since(tx, ahead.change, entry) or not self._meets_still(tx, ahead)):
            ahead = None
        records.enqueue(tx, item, self._clock(), waits=ahead is None)
        if ahead is not None:
            self._keep(tx, item, ahead)

    def look_ahead(
        self,
        tx: Connection,
        entry: Entry,
        entities: Mapping[PartId, Entity],
        originator: str,
        load_entry: Callable[[str], Entry],
    ) -> Ahead:
        """Examine an entry that is about to be filed, in a snapshot of a reader; `queue` keeps what was found."""
        s = entry.statement
        item = records.Queued(entry.id, s.dossier, originator.upper(), urgent=False)
        return self._meet(tx, item, s.handling.codes, entities.items(), load_entry)

    def examine_queued(self, load_entry: Callable[[str], Entry]) -> list[Match]:
        """Compare every queued entry with the bank; the matches that are new.

        What cannot be loaded now stays queued; what no longer exists is done. A crash in between repeats the entry and
        finds the same matches, of which each is kept once.
        """
        found: list[Match] = []
        with self._examining:
            tried: set[str] = set()
            while items := [i for i in self._waiting() if i.entry not in tried]:
                tried.update(i.entry for i in items)
                for group in self._in_groups(items, load_entry):
                    found.extend(self._store.write(partial(self._keep_all, group=group)))
        return found

    def _in_groups(self, items: list[records.Queued], load_entry: Callable[[str], Entry]) -> Iterator[list[_Met]]:
        """What was met, as many entries together as one transaction should hold: a burst is not a commit for each."""
        group: list[_Met] = []
        latest = time.monotonic() + _GROUP_S
        for item in items:
            found = self._examine(item, load_entry)
            if found is not None:
                group.append((item, found))
            if group and (time.monotonic() >= latest or len(group) == _GROUP):
                yield group
                group = []
                latest = time.monotonic() + _GROUP_S
        if group:
            yield group

    def _waiting(self) -> list[records.Queued]:
        with self._store.read() as tx:
            return records.waiting(tx, _ROUND)

    def _examine(self, item: records.Queued, load_entry: Callable[[str], Entry]) -> Ahead | None:
        """What the entry's entities meet; None when it cannot be loaded now and stays in the queue."""
        try:
            entry = load_entry(item.entry)
        except NotFound:
            return Ahead(0, [], Answers())
        except TansiqError as exc:
            _log.warning("hits.entry_not_loaded", entry=item.entry, code=exc.code)
            return None
        with self._store.read() as tx:
            return self._meet(tx, item, entry.statement.handling.codes, _entities(entry), load_entry)

    def _meet(
        self,
        tx: Connection,
        item: records.Queued,
        codes: Iterable[str],
        entities: Iterable[tuple[str, Entity]],
        load_entry: Callable[[str], Entry],
    ) -> Ahead:
        """What the law gate does not let the machine compare (a witness, a minor) is left out, and the leaf says so."""
        change, answers = self._bank.change(tx), Answers()
        parts = [(p, e) for p, e in entities if self._comparing.may(e, item.originator, codes, answers)]
        met = self._bank.meet(
            tx,
            [entity for _, entity in parts],
            rules.MOST_MATCHES * 2,
            country=item.originator,
            not_dossier=item.dossier,
            least=rules.LEAST_SCORE,
        )
        fresh = [
            match
            for (part, entity), candidates in zip(parts, met, strict=True)
            for match in self._meetings(item, part, entity, candidates, lambda r: _dossier_of(r, load_entry))
        ]
        return Ahead(change, fresh, answers)

    def _meetings(
        self,
        item: records.Queued,
        part: str,
        entity: Entity,
        candidates: Iterable[Candidate],
        dossier_of: Callable[[BankRecord], str],
    ) -> Iterator[Match]:
        kept = 0
        for candidate in candidates:
            rule = rules.match_rule(entity, candidate)
            # A record that was made of this very part, under whatever dossier it was kept, is the part itself.
            if not rule or candidate.record.provenance.part == part or kept == rules.MOST_MATCHES:
                continue
            if dossier_of(candidate.record) == item.dossier or not self._comparing.may_meet(candidate.record):
                continue
            kept += 1
            yield Match(
                id=f"m-{self._new_id()}",
                dossier=item.dossier,
                entry=item.entry,
                part=part,
                incoming=entity,
                holding=candidate.record,
                score=candidate.score,
                explanation=candidate.explanation,
                rule=rule,
                state=MatchState.OPEN,
                found_at=self._clock(),
                originator=item.originator,
                extra={"urgent": item.urgent},
            )

    def _keep_all(self, tx: Connection, group: list[_Met]) -> list[Match]:
        """The matches that are new, with the end of their entries' wait. Where something has gone meanwhile of what
        they show, their entry waits on, and is examined anew."""
        now = self._clock()
        good = [met for met in group if self._is_held(tx, met[1])]
        waited = [met for met in good if records.mark_examined(tx, met[0].entry, now)]
        return [match for met in waited for match in self._keep(tx, *met)]

    def _is_held(self, tx: Connection, found: Ahead) -> bool:
        """Whether all that was found to meet is still held as it was met.

        What an erasure took between the look and this transaction would come back in the match, and stay: neither a
        lock of this process nor the order of its threads keeps a command beside it from erasing.
        """
        if not self._meets_still(tx, found):
            return False
        parts = {(m.entry, m.part): m.incoming for m in found.fresh}
        return all(_entity(part, self._part_in(tx, entry, part)) == e for (entry, part), e in parts.items())

    def _meets_still(self, tx: Connection, found: Ahead) -> bool:
        return self._bank.is_untouched(tx, {m.holding.id for m in found.fresh}, found.change)

    def _keep(self, tx: Connection, item: records.Queued, found: Ahead) -> list[Match]:
        """The matches that are new."""
        kept = records.save_new(tx, self._vault, found.fresh)
        # LED art. 25(1)(f): a machine's comparison is a combination too.
        self._leaf(
            tx,
            item.entry,
            Acting.machine(),
            {"matches": len(kept), "dossier": item.dossier, **found.answers.as_content()},
        )
        for listener in self.told if kept else ():
            self._store.after_commit(tx, partial(listener, kept))
        return kept

    def examine_holdings(self) -> tuple[list[Match], bool]:
        """Compare one step of what this service has newly come to hold with what partners' entries brought before.

        A person listed today must alert on yesterday's report. The matches that are new, and whether more waits. A
        crash repeats the step and finds the same; what it found is kept once.
        """
        with self._examining:
            return self._standing.step()

    def matches(self, state: MatchState | None = None, *, dossier: str = "") -> list[Match]:
        """All of them, newest first. A match goes with its holding; of one that goes just now nothing is shown."""
        with self._store.read() as tx:
            rows = records.load(tx, state=state, dossier=dossier)
        return self._unpack(rows)

    def about(self, held: Collection[str], parts: Collection[tuple[str, str]]) -> list[Match]:
        """Matches that show one of these records, or one of these parts (entry, part)."""
        with self._store.read() as tx:
            rows = {r["id"]: r for r in records.showing(tx, "", "", sorted(held))}
            for entry, part in sorted(parts):
                rows |= {r["id"]: r for r in records.showing(tx, entry, part, [])}
        return self._unpack([rows[i] for i in sorted(rows)])

    def page(self, state: MatchState | None, after: str, most: int) -> list[Match]:
        """So many matches, newest first, from behind `after` (an id) on; one that is gone meanwhile begins anew."""
        with self._store.read() as tx:
            rows = records.load_page(tx, state, after, most)
        return self._unpack(rows)

    def some(self, ids: Collection[str]) -> list[Match]:
        """Those of these that are still there, in no order."""
        with self._store.read() as tx:
            rows = records.load_some(tx, ids)
        return self._unpack(rows)

    def count(self, state: MatchState) -> int:
        """How many matches stand so."""
        with self._store.read() as tx:
            return records.count(tx, state)

    def counts(self) -> dict[MatchState, int]:
        """The same for each state, of one moment."""
        with self._store.read() as tx:
            return {state: records.count(tx, state) for state in MatchState}

    def tally(self, country: str, begins: datetime, ends: datetime, told: Collection[str]) -> Tally:
        """What entries of this country met from `begins` to `ends` (not included); counted, not read."""
        with self._store.read() as tx:
            return records.tally(tx, country, begins, ends, told)

    def queue_of(self, match: Match) -> tuple[int, str, str]:
        """Of the matches in its state, the newest first: how many come before this one, and its two neighbours."""
        with self._store.read() as tx:
            row = records.load_one(tx, match.id)
            return (0, "", "") if row is None else records.around(tx, row)

    def decided_near(self, score: float, band: float) -> dict[MatchState, int]:
        """How matches of about this score were decided."""
        with self._store.read() as tx:
            return records.count_decided_near(tx, score, band)

    def beside(self, match: Match) -> tuple[list[Match], list[Match]]:
        """What else its part of the report met; and what else was decided of its holding. Newest first."""
        with self._store.read() as tx:
            rivals = records.load_of_part(tx, match.entry, match.part)
            earlier = records.load_of_record(tx, match.holding.id)
        rivals, earlier = ([r for r in rows if r["id"] != match.id] for rows in (rivals, earlier))
        return self._unpack(rivals), self._unpack(earlier)

    def match(self, ident: str) -> Match:
        """Raises `NotFound`."""
        with self._store.read() as tx:
            row = records.load_one(tx, ident)
        found = self._unpack([row] if row is not None else [])
        if not found:
            raise NotFound("hit.match", "no such match", step="load match", detail=ident)
        return found[0]

    def decide(self, ident: str, state: MatchState, reason: str, by: Acting) -> Match:
        """An officer's word on a match. Raises `Refused`, `Invalid`, or `Conflict` when it is decided already."""
        match = self.match(ident)
        clauses = self._permit(match, by)
        said = reason.strip()
        if not rules.MIN_REASON <= len(said) <= rules.MAX_REASON:
            raise Invalid("hit.reason", "a decision needs its reason", step="decide match", field="reason")
        if state is MatchState.OPEN:
            raise Invalid("hit.state", "a decision is hit, no_hit or unclear", step="decide match", field="state")

        def work(tx: Connection) -> Match:
            if not rules.may_become(match.state, state):
                raise Conflict("hit.decided", f"already {match.state.value}", step="decide match", detail=ident)
            decided = replace(match, state=state, decided_by=by.officer, decided_at=self._clock(), reason=said)
            if not records.decide(tx, self._vault, decided, match.state):
                raise Conflict("hit.decided", "decided in the meantime", step="decide match", detail=ident)
            more = {"decision": state.value, "entry": match.entry, "record": match.holding.id, "clauses": clauses}
            self._leaf(tx, ident, by, {**more, "reason": said})
            return decided

        return self._store.write(work)

    def _permit(self, match: Match, by: Acting) -> list[str]:
        """The clauses that permit it. LED art. 11: the machine's account decides nothing, whatever the gate says."""
        if by.officer == Acting.machine().officer or not by.roles:
            self._refused(match, by, ["led.11"])
            raise Refused(
                "hit.needs_officer",
                "only an officer makes a hit of a match",
                clauses=("led.11",),
                step="decide match",
            )
        decision = self._gate.decide(
            Question(
                action=Action.DECIDE,
                country=self._country,
                roles=frozenset(r.value for r in by.roles),
                originator=match.originator,
                kind="match",
                purpose=by.purpose,
                justification=by.justification,
                has_persons=match.incoming.schema == "Person",
                person_roles=frozenset({match.incoming.role} - {""}),
            )
        )
        clauses = [c.id for c in decision.clauses]
        if isinstance(decision, Refusal):
            self._refused(match, by, clauses or [decision.reason])
            raise Refused("hit.refused", "the law gate refuses", clauses=tuple(clauses), step="decide match")
        return clauses

    def _refused(self, match: Match, by: Acting, clauses: list[str]) -> None:
        more = {"decision": "refused", "clauses": clauses}
        self._store.write(lambda tx: self._leaf(tx, match.id, by, more))

    def duties(self, most: int | None = None) -> tuple[LocalDuty, ...]:
        """`hit.confirm` for each match that waits for an officer, the one that is due first at the top; `most`: of so
        many that are due first."""
        with self._store.read() as tx:
            rows = [r for urgent in (True, False) for r in records.load_due(tx, urgent=urgent, most=most)]
        return rules.duties(rows)[:most]

    def duty_of(self, match: Match) -> tuple[LocalDuty, ...]:
        """The same of one match."""
        with self._store.read() as tx:
            row = records.load_one_due(tx, match.id)
        return rules.duties([row] if row is not None else [])

    def erase_part(self, tx: Connection, entry: str, part: str, gone: Sequence[str] = ()) -> list[str]:
        """An entry's part was recalled or erased: so go the matches that show it, on either side.

        `gone` are the bank's records that went with it. The caller writes the leaf.
        """
        return records.erase_part(tx, entry, part, gone)

    def part_reduced(self, tx: Connection, dossier: str, entry: str, part: str, left: Entity | None) -> None:
        """Single values of a part were erased: matches show what is left of it. As a hook of the dossiers."""
        self.compare_again(tx, [], entry, part, left)

    def compare_again(
        self,
        tx: Connection,
        held: Sequence[BankRecord],
        entry: str = "",
        part: str = "",
        left: Entity | None = None,
    ) -> None:
        """Single values of these records were erased, or of this part, of which so much is left: no match shows them.

        An undecided match that no rule accepts any longer goes. An officer's decision stays, beside what is left.
        """
        fresh = {r.id: r for r in held}
        rows = records.showing(tx, entry, part, list(fresh))
        # Hazard: read beside this transaction, a holding that it has just reduced would be shown whole again, for good.
        there = {r.id: r for r in self._bank.get_many_in(tx, {r["record"] for r in rows} - fresh.keys())} | fresh
        for row in rows:
            of_part = (row["entry"], row["part"]) == (entry, part)
            holding = there.get(row["record"])
            if holding is None or (of_part and left is None):
                records.remove(tx, [row["id"]])
                continue
            match = records.unpack(row, holding, self._vault)
            incoming = left if of_part and left is not None else match.incoming
            found = self._bank.compare(incoming, holding, match.originator)
            rule = rules.match_rule(incoming, found)
            if not rule and match.state in (MatchState.OPEN, MatchState.UNCLEAR):
                records.remove(tx, [match.id])
                continue
            shown = replace(match, incoming=incoming, score=found.score, explanation=found.explanation)
            records.update_content(tx, self._vault, replace(shown, rule=rule or match.rule))

    def _unpack(self, rows: list[dict[str, Any]]) -> list[Match]:
        holdings = {r.id: r for r in self._bank.get_many(dict.fromkeys(row["record"] for row in rows))}
        return [records.unpack(r, holdings[r["record"]], self._vault) for r in rows if r["record"] in holdings]

    def _leaf(self, tx: Connection, subject: str, by: Acting, more: dict[str, Any]) -> None:
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}
        self._ledger.append(tx, verb=LogVerb.COMBINE, subject=subject, content=content, at=self._clock())


def _dossier_of(record: BankRecord, load_entry: Callable[[str], Entry]) -> str:
    """The dossier that a record came with: as kept with it, else as its entry says; empty for our own and for lists."""
    prov = record.provenance
    if prov.dossier or prov.source != "dossier":
        return prov.dossier
    try:
        return load_entry(prov.reference).statement.dossier
    except TansiqError:
        return ""


def _entities(entry: Entry) -> Iterator[tuple[str, Entity]]:
    """The entities of the parts that this node holds. What is no entity of ours is left out, never guessed at."""
    for part in entry.parts:
        if part.presence is Presence.HELD and (found := _entity(part.ref.id, part.content)) is not None:
            yield part.ref.id, found


def _entity(part: str, content: Mapping[str, Any] | None) -> Entity | None:
    if content is None or content.get("kind") != "entity":
        return None
    try:
        return parse_entity(content.get("entity"))
    except Invalid as exc:
        _log.warning("hits.entity_not_read", part=part, code=exc.code, field=exc.field)
        return None
