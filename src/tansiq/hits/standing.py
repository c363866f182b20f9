"""The standing examination: what this service comes to hold, against what partners' entries brought before.

An arriving entry is compared with the bank as it is on that day. Who is put on a list, or into our own files, the day
after would otherwise meet nobody. A cursor over the bank's changes says how far this has come; it moves in the
transaction that keeps the matches. Steps are small, so that what arrives meanwhile does not wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import Bank
from tansiq.bank.model import BankRecord, Candidate
from tansiq.crypto import Vault
from tansiq.hits import records, rules
from tansiq.hits.asking import Answers, Comparing
from tansiq.hits.model import Match, MatchState
from tansiq.store import Store

STEP = 16
"""Holdings of one step: some tens of milliseconds."""
POOL = 60
"""How many records near to a holding's name are looked at: most of them may be other holdings."""
SUBJECT = "bank.holdings"

Leaf = Callable[[Connection, str, Acting, dict[str, Any]], None]


class Standing:
    """One cursor, one step at a time; the caller lets nobody else examine meanwhile."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        bank: Bank,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        leaf: Leaf,
        comparing: Comparing,
    ) -> None:
        self._store = store
        self._vault = vault
        self._bank = bank
        self._clock = clock
        self._new_id = new_id
        self._leaf = leaf
        self._comparing = comparing
        self._seen: int | None = None
        """Looked at by this process: what needs no examination moves no stored cursor, which would cost a commit."""

    def step(self) -> tuple[list[Match], bool]:
        """The matches that are new, and whether more waits."""
        upto, fresh = self._bank.new_holdings(self._seen, STEP)
        more = len(fresh) == STEP
        if fresh:
            with self._store.read() as tx:
                came = records.received(tx, {r.provenance.reference for r in fresh})
                anything = records.has_received(tx)
            # What came with an entry is examined with that entry.
            fresh = [r for r in fresh if r.provenance.reference not in came]
            if not anything:
                fresh = []
        kept = self._examine(fresh, upto) if fresh else []
        if kept is None:
            return [], True
        self._seen = upto
        return kept, more

    def _examine(self, holdings: list[BankRecord], upto: int) -> list[Match] | None:
        """None where something of what was compared has gone meanwhile: then the step is made again."""
        with self._store.read() as tx:
            change = self._bank.change(tx)
            # Again, in the snapshot of this change: since they were chosen a value of theirs may have been erased.
            holdings = self._bank.get_many_in(tx, [h.id for h in holdings])
            near = self._near(tx, holdings)
            came = records.received(tx, {c.record.provenance.reference for _, found in near for c in found})
        met: Counter[str] = Counter()
        answers = Answers()
        fresh = [match for holding, found in near for match in self._meetings(holding, found, came, met, answers)]
        shown = {m.holding.id for m in fresh} | met.keys()

        def work(tx: Connection) -> list[Match] | None:
            # What an erasure took since would come back in a match, and stay.
            if not self._bank.is_untouched(tx, shown, change):
                return None
            return self._keep(tx, fresh, len(holdings), upto, answers)

        return self._store.write(work)

    def _near(self, tx: Connection, holdings: list[BankRecord]) -> list[tuple[BankRecord, list[Candidate]]]:
        """Each holding with the records near to it. A bare phone is read where its holding comes from."""
        near: list[tuple[BankRecord, list[Candidate]]] = []
        for country in sorted({h.provenance.originator for h in holdings}):
            there = [h for h in holdings if h.provenance.originator == country]
            met = self._bank.meet(
                tx,
                [h.entity for h in there],
                POOL,
                country=country,
                least=rules.LEAST_SCORE,
                pool=POOL,
                source="dossier",
            )
            near += zip(there, met, strict=True)
        return near

    def _meetings(
        self,
        holding: BankRecord,
        found: list[Candidate],
        came: dict[str, records.Queued],
        met: Counter[str],
        answers: Answers,
    ) -> Iterator[Match]:
        for candidate in found:
            brought = candidate.record
            item = came.get(brought.provenance.reference)
            if item is None or item.dossier == holding.provenance.dossier or met[brought.id] == rules.MOST_MATCHES:
                continue
            if not self._comparing.may(brought.entity, item.originator, brought.provenance.handling, answers):
                continue
            # Anew in this direction: the reasons say what arrived (A) and what we hold (B).
            compared = self._bank.compare(brought.entity, holding, item.originator)
            rule = rules.match_rule(brought.entity, compared)
            if not rule:
                continue
            met[brought.id] += 1
            yield Match(
                id=f"m-{self._new_id()}",
                dossier=item.dossier,
                entry=item.entry,
                part=brought.provenance.part,
                incoming=brought.entity,
                holding=holding,
                score=compared.score,
                explanation=compared.explanation,
                rule=rule,
                state=MatchState.OPEN,
                found_at=self._clock(),
                originator=item.originator,
                extra={"urgent": item.urgent},
            )

    def _keep(self, tx: Connection, fresh: list[Match], holdings: int, upto: int, answers: Answers) -> list[Match]:
        kept = records.save_new(tx, self._vault, fresh)
        self._bank.holdings_examined(tx, upto)
        # LED art. 25(1)(f), as for what arrives: one leaf for each step of the comparison.
        self._leaf(tx, SUBJECT, Acting.machine(), {"matches": len(kept), "holdings": holdings, **answers.as_content()})
        return kept
