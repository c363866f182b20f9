"""The verbs of the bank. Writes happen in the caller's transaction; the names in memory follow the commit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain

import structlog
from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import records, rules
from tansiq.bank.asking import question
from tansiq.bank.model import BankRecord, Candidate, Entity, Provenance
from tansiq.bank.names import Names, Spelling
from tansiq.crypto import Vault
from tansiq.errors import Invalid, NotFound
from tansiq.ledger import Ledger
from tansiq.matching import Told
from tansiq.policy import Gate, clauses_of, permitted
from tansiq.policy.model import Action
from tansiq.store import Store, in_groups, why
from tansiq.terms import LogVerb

_log = structlog.get_logger()

POOL = 30
"""How many records the name index proposes for comparison before `k` of them are kept: the index ranks names alone,
while birth dates and numbers, which it does not see, may turn the order round."""
NAME_FLOOR = 0.01
"""Below it the names say `another person` so plainly that no birth date brings a record back; a number still does."""
GROUP = 64
"""Records erased in one transaction of a sweep."""
DEEPEST = 256
"""So many spellings does the index tell at most (its CANDIDATES); a search that is to find everything says so."""
MAX_QUERY_NAMES = 16
"""Spellings of one query that are searched; the UN's longest entries have a hundred, most of them near repeats."""


class Bank:
    """What this service holds. Thread-safe."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        gate: Gate,
        country: str = "",
    ) -> None:
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._new_id = new_id
        self._gate = gate
        self._country = country
        """Where a phone or a plate without a country is read, when its originator is not known."""
        self._names = Names()
        self.refused: dict[str, str] = {}
        """What the last sweep could not erase: record -> the reason's code. Whoever serves keeps it."""
        self.on_reduced: list[Callable[[Connection, list[BankRecord]], None]] = []
        """Told in the same transaction when single values of records were erased, with the records as they are then."""
        self.on_dropped: list[Callable[[Connection, list[str]], None]] = []
        """Told in the same transaction which records are gone: erased, or delisted."""

    def warm(self) -> int:
        """Bring the names in memory up to what is committed, by this process or another. Returns how many were read.

        Every search does so itself; called when a node starts, the first search need not wait for it.
        """
        with self._store.read() as tx:
            # One statement first and one snapshot for both: nothing can come in between.
            change = records.last_change(tx)
            if change <= self._names.seen:
                self._names.take_in()
                return 0
            number = 0
            for record in records.load_since(tx, self._vault, self._names.seen):
                names = rules.searchable_names(record.entity)
                self._names.put(record.id, names, told=rules.told(record.entity, record.provenance.originator))
                number += 1
        self._names.caught_up(change)
        return number

    def collect(self, entity: Entity, prov: Provenance, by: Acting) -> str:
        """An officer's own record: the record and its ledger leaf in one transaction (LED art. 25(1)(a)).

        Raises `Refused` where the law gate does not permit it, `Invalid` where a value would outlive its record.
        """
        for n, claim in enumerate(entity.claims):
            if claim.erase_on and prov.erase_on and claim.erase_on > prov.erase_on:
                where = f"claims[{n}].erase_on"
                raise Invalid("claim.erase_after_entry", "later than its record's", step="record", field=where)
        clauses = self.permitted(Action.COLLECT, by, "record", [entity], prov)

        def work(tx: Connection) -> str:
            record = self.add(tx, entity, prov)
            self._leaf(tx, LogVerb.COLLECT, record, by, {"source": prov.source, "schema": entity.schema}, clauses)
            return record

        return self._store.write(work)

    def permitted(
        self, action: Action, by: Acting, step: str, about: Iterable[Entity] = (), prov: Provenance | None = None
    ) -> list[str]:
        """The clauses by which the law gate permits it, for the leaf. Raises `Refused` naming clauses and field."""
        today = self._clock().date()
        asked = question(action, self._gate.country, by, about=about, prov=prov, today=today)
        return clauses_of(permitted(self._gate, asked, step))

    def add(self, tx: Connection, entity: Entity, prov: Provenance) -> str:
        """Keep one entity and return the record's id; the caller's verb writes the leaf.

        A part is kept once: adding it again (a repeated delivery, a crash in between) returns the record that is there.
        """
        if prov.part and (there := records.ids_of_part(tx, self._vault, prov.source, prov.reference, prov.part)):
            return there[0]
        return self.add_many(tx, [(entity, prov)])[0]

    def add_many(self, tx: Connection, given: Iterable[tuple[Entity, Provenance]]) -> list[str]:
        """Keep entities that are known to be new; the caller's verb writes the leaf."""
        now = self._clock()
        made = [BankRecord(f"b-{self._new_id()}", entity, prov, now) for entity, prov in given]
        self._save(tx, made)
        return [r.id for r in made]

    def _save(self, tx: Connection, made: list[BankRecord]) -> None:
        if not made:
            return
        items = [(r, rules.identifiers(r.entity, r.provenance.originator or self._country)) for r in made]
        last = records.save(tx, self._vault, items)
        names = [(r.id, rules.searchable_names(r.entity), rules.told(r.entity, r.provenance.originator)) for r in made]

        def put() -> None:
            for change, (record, spellings, told) in enumerate(names, last - len(names) + 1):
                self._names.put(record, spellings, change, told)

        self._store.after_commit(tx, put)

    def get(self, record: str) -> BankRecord:
        """Raises `NotFound`."""
        with self._store.read() as tx:
            found = records.load(tx, self._vault, [record])
        if not found:
            raise NotFound("bank.record", "no such record", step="load record", detail=record)
        return found[0]

    def get_many(self, ids: Iterable[str]) -> list[BankRecord]:
        """Those that exist."""
        with self._store.read() as tx:
            return self.get_many_in(tx, ids)

    def get_many_in(self, tx: Connection, ids: Iterable[str]) -> list[BankRecord]:
        """The same as this transaction sees them: a writer's own changes too."""
        return records.load(tx, self._vault, ids)

    def now(self) -> datetime:
        """The node's clock, as the bank was given it."""
        return self._clock()

    def new_holdings(self, after: int | None, limit: int) -> tuple[int, list[BankRecord]]:
        """What this service came to hold by itself after a change (None: since the last `holdings_examined`).

        With the change up to which there is no other. What a partner's report brought is left out, as far as its
        originator's country tells; where two services share one country, the caller knows its own entries.
        """
        with self._store.read() as tx:
            last = records.last_change(tx)
            start = records.examined(tx) if after is None else after
            found = records.load_own_after(tx, self._vault, start, self._country, limit) if start < last else []
        return (found[-1][0] if len(found) == limit else last), [record for _, record in found]

    def change(self, tx: Connection) -> int:
        """Up to which change `meet` looks in this snapshot: `others_since` tells what came after it."""
        return records.last_change(tx)

    def others_since(self, tx: Connection, change: int, entry: str) -> bool:
        """Whether anything but this entry's own records came after a change, as the transaction sees it."""
        return records.others_since(tx, self._vault, change, "dossier", entry)

    def is_untouched(self, tx: Connection, ids: Collection[str], change: int) -> bool:
        """Whether all of these records are there, and none was written after this change."""
        return records.count_before(tx, ids, change) == len(set(ids))

    def holdings_examined(self, tx: Connection, change: int) -> None:
        """In the transaction that keeps what was found."""
        records.set_examined(tx, change)

    def compare(self, entity: Entity, record: BankRecord, country: str = "") -> Candidate:
        """One entity of a source against one record, with the reasons."""
        return rules.score_entity(rules.Asked(entity, country or self._country), record)

    def remove(self, tx: Connection, record: str, by: Acting | None = None, reason: str = "") -> bool:
        """Erase one record, with its leaf. False when it was not there."""
        return bool(self._erase(tx, [record], by, {"reason": reason}))

    def erase_part(self, tx: Connection, entry: str, part: str, by: Acting | None = None) -> list[str]:
        """A recall or an erasure took an entry's part back: so go the records that were made of it."""
        made = records.ids_of_part(tx, self._vault, "dossier", entry, part)
        return self._erase(tx, made, by, {"entry": entry, "part": part})

    def sweep(self) -> None:
        """`erase_due` of all that is due today, in groups: each a transaction with its leaves, so that no writer waits
        for all of it. A crash between two leaves the rest as due as it was. A record that may not be erased holds no
        other up: it is named in `refused`, and tried again with the next sweep."""
        today = self._clock().date().isoformat()

        def due(tx: Connection, most: int, skip: Collection[str]) -> list[str]:
            found = records.ids_due(tx, today, most + len(skip))
            return [record for record in found if record not in skip][:most]

        def step(most: int, skip: Collection[str]) -> bool:
            def work(tx: Connection) -> bool:
                these = due(tx, most, skip)
                self._erase_these(tx, records.load(tx, self._vault, these), today)
                return len(these) == most

            return self._store.write(work)

        def first(skip: Collection[str]) -> str | None:
            with self._store.read() as tx:
                return next(iter(due(tx, 1, skip)), None)

        self.refused = {record: why(failure) for record, failure in in_groups(GROUP, step, first).items()}
        for record, code in self.refused.items():
            _log.error("not erased", of=record, code=code)

    def unerased(self, most: int) -> list[tuple[str, str]]:
        """Records that hold something past its day although they were swept, with that day; the oldest, so many."""
        today = self._clock().date().isoformat()
        with self._store.read() as tx:
            return records.load_unerased(tx, today, self.refused, most)

    def erase_due(self, tx: Connection, today: str) -> list[str]:
        """Erase records that are past their `erase_on` (LED art. 5), and single values past theirs out of records that
        stay. The records that are gone; `today` is `YYYY-MM-DD`."""
        return self._erase_these(tx, records.load(tx, self._vault, records.ids_due(tx, today)), today)

    def _erase_these(self, tx: Connection, due: list[BankRecord], today: str) -> list[str]:
        self._erase_claims(tx, [r for r in due if _left(r, today) is not None], today)
        return self._erase(tx, [r.id for r in due if _left(r, today) is None], None, {"reason": "erase_on"})

    def erase_claims_of_part(self, tx: Connection, entry: str, part: str, today: str) -> list[BankRecord]:
        """Erase single values on their day out of what was made of an entry's part; the records as they are then."""
        made = records.load(tx, self._vault, records.ids_of_part(tx, self._vault, "dossier", entry, part))
        return self._erase_claims(tx, [r for r in made if _left(r, today) not in (None, r.entity)], today)

    def _erase_claims(self, tx: Connection, due: list[BankRecord], today: str) -> list[BankRecord]:
        """Same record, same age, fewer values. Raises `Refused` where the law gate wants them kept."""
        if not due:
            return []
        who = Acting.machine()
        clauses = self.permitted(Action.ERASE, who, "erase")
        left = [replace(r, entity=entity) for r in due if (entity := _left(r, today)) is not None]
        records.remove(tx, [r.id for r in left])
        self._save(tx, left)
        for before, after in zip(due, left, strict=True):
            gone = len(before.entity.claims) - len(after.entity.claims)
            self._leaf(tx, LogVerb.ERASE, after.id, who, {"reason": "erase_on", "claims": str(gone)}, clauses)
        for listener in self.on_reduced:
            listener(tx, left)
        return left

    def count(self, source: str = "") -> int:
        with self._store.read() as tx:
            return records.count(tx, source)

    def find(self, entity: Entity, k: int = 10, *, country: str = "", not_dossier: str = "") -> list[Candidate]:
        """Records that may speak of the same thing: by identifiers of any kind and by names, each with its reasons.

        `not_dossier` leaves out what came with that dossier: a thing never matches itself.
        """
        with self._store.read() as tx:
            return self.meet(tx, [entity], k, country=country, not_dossier=not_dossier)[0]

    def meet(
        self,
        tx: Connection,
        entities: Sequence[Entity],
        k: int = 10,
        *,
        country: str = "",
        not_dossier: str = "",
        least: float = 0.0,
        pool: int = POOL,
        source: str = "",
    ) -> list[list[Candidate]]:
        """What `find` gives for each of several entities of one source, of what this snapshot of a reader holds: each
        name searched once, all read at once.

        Records whose score cannot come to `least` are not even loaded, unless they share a number; with `source`, those
        of other sources neither.
        """
        if records.last_change(tx) > self._names.seen:
            self.warm()
        asked = [rules.Asked(e, country or self._country) for e in entities]
        names = dict.fromkeys(chain.from_iterable(a.names[:MAX_QUERY_NAMES] for a in asked))
        searched = {name: self._names.search(name, pool, NAME_FLOOR) for name in names}
        near = [self._nearest(a.names[:MAX_QUERY_NAMES], searched, rules.may_reach(a, least)) for a in asked]
        carried = records.find_marked(tx, self._vault, set(chain.from_iterable(a.numbers for a in asked)))
        wanted = chain(chain.from_iterable(carried.values()), *near)
        found = {r.id: r for r in records.load(tx, self._vault, wanted, source)}
        if not source:
            self._forget_gone(i for i in chain.from_iterable(near) if i not in found)
        met: list[list[Candidate]] = []
        for query, named in zip(asked, near, strict=True):
            sharing = dict.fromkeys(i for number in query.numbers for i in carried.get(number, ()))
            scored = (
                rules.score_entity(query, found[i], named.get(i, ()), shares=i in sharing)
                for i in dict.fromkeys([*sharing, *named])
                if i in found and not (not_dossier and found[i].provenance.dossier == not_dossier)
            )
            met.append(rules.best(scored, k))
        return met

    def find_all(self, entity: Entity, least: float) -> tuple[list[Candidate], bool]:
        """All records that come to `least` or share a number, best first; and whether these are all that there are.

        For who asks by right. Where `find` keeps the nearest few of a few spellings, this searches every spelling as
        far down as the index goes; and where what dossiers brought fills it, once more without that: no partner's
        look-alikes crowd out what this service holds itself.
        """
        query = rules.Asked(entity, self._country)
        with self._store.read() as tx:
            if records.last_change(tx) > self._names.seen:
                self.warm()
            searched, whole = self._search_deep(self._names, query, least)
            near = self._nearest_first(searched, rules.may_reach(query, least))
            carried = records.find_marked(tx, self._vault, set(query.numbers))
            sharing = set(chain.from_iterable(carried.values()))
            found = records.load(tx, self._vault, [*sorted(sharing), *near])
            if not whole and any(r.provenance.source == "dossier" for r in found):
                aside, _ = self._search_deep(self._names.only(records.not_of_dossiers(tx)), query, least)
                near |= self._nearest_first(aside, rules.may_reach(query, least))
                found = records.load(tx, self._vault, [*sorted(sharing), *near])
        scored = (rules.score_entity(query, r, near.get(r.id, ()), shares=r.id in sharing) for r in found)
        wanted = (c for c in scored if c.score >= least or c.record.id in sharing)
        return sorted(wanted, key=lambda c: (-c.score, c.record.id)), whole

    def _search_deep(self, names: Names, query: rules.Asked, least: float) -> tuple[dict[str, list[Spelling]], bool]:
        """The spellings near to each name, and whether those that the index did not tell are all too far off."""
        reach, whole = rules.may_any_reach(query, least), True
        searched: dict[str, list[Spelling]] = {}
        for name in query.names:
            searched[name] = found = names.search(name, DEEPEST, NAME_FLOOR)
            # A record with many spellings fills a search by itself: counted are spellings, not records.
            whole = whole and (len(found) < DEEPEST or not reach(found[-1].score))
        return searched, whole

    def _nearest_first(
        self, searched: Mapping[str, Sequence[Spelling]], enough: Callable[[float, Told], bool]
    ) -> dict[str, list[tuple[str, str]]]:
        """As `_nearest`, each record's nearest pairs first: no more than a few of them are compared in full."""
        every = sorted(((s.score, name, s) for name, each in searched.items() for s in each), reverse=True)
        pairs: dict[str, list[tuple[str, str]]] = {}
        for score, name, spelling in every:
            if spelling.record in pairs or enough(score, self._names.told(spelling.record)):
                pairs.setdefault(spelling.record, []).append((name, spelling.name))
        return pairs

    def _nearest(
        self,
        names: Iterable[str],
        searched: Mapping[str, Sequence[Spelling]],
        enough: Callable[[float, Told], bool],
    ) -> dict[str, list[tuple[str, str]]]:
        """Record -> pairs (name asked, spelling held) for records of which one spelling at least scores enough."""
        pairs: dict[str, list[tuple[str, str]]] = {}
        best: dict[str, float] = {}
        for name in names:
            for spelling in searched[name]:
                pairs.setdefault(spelling.record, []).append((name, spelling.name))
                best[spelling.record] = max(best.get(spelling.record, 0.0), spelling.score)
        return {r: found for r, found in pairs.items() if enough(best[r], self._names.told(r))}

    def _forget_gone(self, missing: Iterable[str]) -> None:
        """What another process erased is still named in memory. A name gets there after its commit only: what a newer
        snapshot lacks is gone; what it has came after the one that was searched."""
        if gone := set(missing):
            with self._store.read() as tx:
                gone -= records.those_of(tx, gone)
            self._names.drop(gone)

    def editions(self, tx: Connection, source: str) -> dict[bytes, tuple[str, bytes]]:
        """What is held of a list: mark of the reference -> (record, mark of the content). For `sources`."""
        return records.editions(tx, source)

    def edition_marks(self, entity: Entity, prov: Provenance) -> tuple[bytes, bytes]:
        """The marks under which this entity stands, or would stand, in `editions`."""
        packed = records.pack(entity, prov)
        return (
            records.reference_mark(self._vault, prov.source, prov.reference),
            records.content_mark(self._vault, packed),
        )

    def replace_many(self, tx: Connection, given: Mapping[str, tuple[Entity, Provenance]]) -> None:
        """A newer edition of the same references: same record ids, new content. The caller's verb writes the leaf."""
        # They have been held since their first edition: reviews and retention count from there (LED art. 5).
        since = {r.id: r.created_at for r in records.load(tx, self._vault, given)}
        records.remove(tx, given)
        now = self._clock()
        self._save(tx, [BankRecord(i, entity, prov, since.get(i, now)) for i, (entity, prov) in given.items()])

    def drop(self, tx: Connection, ids: Iterable[str]) -> list[str]:
        """Take records out under the caller's own leaf (delisted entries)."""
        gone = records.remove(tx, ids)
        for listener in self.on_dropped if gone else ():
            listener(tx, gone)
        self._store.after_commit(tx, lambda: self._names.drop(gone))
        return gone

    def _erase(self, tx: Connection, ids: Iterable[str], by: Acting | None, why: dict[str, str]) -> list[str]:
        """`by` None: the rules erase, and nobody decides it. Raises `Refused` where the law gate wants it kept."""
        who = by or Acting.machine()
        if not (wanted := list(ids)):
            return []
        clauses = self.permitted(Action.ERASE, who, "erase")
        gone = self.drop(tx, wanted)
        for record in gone:
            self._leaf(tx, LogVerb.ERASE, record, who, why, clauses)
        return gone

    def _leaf(
        self, tx: Connection, verb: LogVerb, record: str, by: Acting, more: dict[str, str], clauses: list[str]
    ) -> None:
        content = {
            "clauses": clauses,
            "officer": by.officer,
            "purpose": by.purpose,
            "justification": by.justification,
            **{k: v for k, v in more.items() if v},
        }
        self._ledger.append(tx, verb=verb, subject=record, content=content, at=self._clock())


def _left(record: BankRecord, today: str) -> Entity | None:
    """What is left of a record on this day; None where all of it goes."""
    whole = record.provenance.erase_on
    return None if whole and whole <= today else record.entity.without_due(today)
