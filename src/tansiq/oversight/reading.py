"""Dossiers as one officer may read them, each read once in a search; and whose word stands in an entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tansiq.access.model import Acting
from tansiq.dossiers import effective_handling
from tansiq.dossiers.model import DossierState, Entry
from tansiq.errors import TansiqError
from tansiq.oversight.model import Bound, Disclosure, Kept
from tansiq.oversight.sources import Granted, Sources
from tansiq.terms import DossierId, EntryId, NodeId, country_of

TRANSLATED = "dossier.translated"


@dataclass(frozen=True, slots=True)
class Read:
    """A dossier as this officer may read it."""

    state: DossierState
    may_show: bool
    unread: frozenset[str]
    grants: tuple[Granted, ...]
    filed_at: Mapping[str, datetime]

    def codes_of(self, entries: Iterable[Entry]) -> frozenset[str]:
        return frozenset(str(c) for e in entries for c in effective_handling(self.state, e).codes)

    def codes(self) -> frozenset[str]:
        """All that binds anything in it."""
        return self.codes_of(self.state.entries)

    def kept(self, entry: str) -> Kept:
        """Whether what stands in this entry is shown."""
        if not self.may_show:
            return Kept.REFUSED
        return Kept.UNREAD if entry in self.unread else Kept.SHOWN

    def kept_about(self) -> Kept:
        """Whether is shown what was written over all of it, by who had confirmed each restriction in it."""
        if not self.may_show:
            return Kept.REFUSED
        return Kept.UNREAD if self.unread else Kept.SHOWN

    def whose(self, entry: Entry) -> NodeId:
        """Whose word it is: a translation says what its original says, whoever made it."""
        return self.whose_act(entry.statement.type, entry.statement.facts, entry.statement.author)

    def whose_act(self, act: str, facts: object, author: NodeId) -> NodeId:
        for _ in self.state.entries:
            about = facts.get("about") if act == TRANSLATED and isinstance(facts, Mapping) else None
            of = self.state.entry(EntryId(str(about))) if about else None
            if of is None:
                break
            act, facts, author = of.statement.type, of.statement.facts, of.statement.author
        return author


class Reading:
    """One search of one officer: what it has read, and which bounds it has met."""

    def __init__(self, sources: Sources, by: Acting) -> None:
        self._s = sources
        self._by = by
        self._read: dict[str, Read | None] = {}
        self._met: set[Bound] = set()

    def bound(self, bound: Bound, *, met: bool) -> None:
        if met:
            self._met.add(bound)

    def left_out(self) -> tuple[Bound, ...]:
        return tuple(b for b in Bound if b in self._met)

    def read(self, dossier: str) -> Read | None:
        """None where it cannot be read at all."""
        if dossier not in self._read:
            self._read[dossier] = self._load(DossierId(dossier))
        return self._read[dossier]

    def _load(self, ident: DossierId) -> Read | None:
        d = self._s.dossiers
        try:
            state = d.state(ident)
        except TansiqError:
            return None
        unread = d.restrictions.unread([ident], self._by)
        return Read(state, d.may_show(ident, self._by), unread, tuple(d.grants(ident)), d.filed_at(ident))

    def sides(self, sides: Iterable[tuple[str, str, str]]) -> tuple[Kept, frozenset[str], tuple[str, ...]]:
        """Of things that stand side by side, each a (dossier, entry, country of who gave it): whether they are shown,
        which codes bind them, and which partners' words they are. What cannot be read is its giver's, and not shown."""
        kept, codes, owners = Kept.SHOWN, frozenset[str](), dict[str, None]()
        for dossier, entry, giver in sides:
            there = self.read(dossier)
            of = there.state.entry(EntryId(entry)) if there is not None else None
            if there is None or of is None:
                kept = Kept.REFUSED
                owners |= {giver.upper(): None} if giver.upper() != self._s.country.upper() else {}
                continue
            if kept is not Kept.REFUSED:
                here = there.kept_about()
                kept = here if here is not Kept.SHOWN else kept
            codes |= there.codes_of([of])
            if (whose := there.whose(of)) != self._s.node:
                owners[country_of(whose)] = None
        return kept, codes, tuple(owners)

    def disclosures(self, there: Read, entry: EntryId, part: str) -> Iterator[Disclosure]:
        """To whom this part went: each grant that did not withhold it, and what the exchange says of it."""
        granted = [g for g in there.grants if g.entry == entry and part not in g.withheld]
        sent = {d.to: d for d in self._s.exchange.deliveries(ref=entry, limit=1000)} if granted else {}
        for g in granted:
            d = sent.get(g.node)
            yield Disclosure(g.node, g.at, g.clauses, d.state.value if d else "", d.received_at if d else None)


def facts_of(body: Mapping[str, Any]) -> tuple[str, object]:
    """An act's type and facts, as an officer typed them."""
    return str(body.get("type", "")), body.get("facts")
