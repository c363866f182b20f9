"""The bureau's verbs for officers: each asks the law gate, and leaves its leaf.

`Access` says what an officer may read now: the gate's word on the dossier, and whether a restriction (H3) is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.bank import Bank
from tansiq.bureau.links import Links
from tansiq.bureau.model import Alert, Found, Link, Notice, Place, Template, Watch
from tansiq.bureau.search import Changed, Contents, Search, query_words, snippet
from tansiq.bureau.templates import Templates
from tansiq.bureau.watches import Watches
from tansiq.crypto import Vault
from tansiq.dossiers import parse_body
from tansiq.dossiers.model import Entry
from tansiq.errors import Invalid, NotFound, Refused, TansiqError
from tansiq.ledger import Ledger
from tansiq.policy import Gate, Refusal, clauses_of, refused
from tansiq.policy.model import Action, Question
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, LogVerb, PartId

SEARCHED = "dossiers.search"
CANDIDATES = 5
"""How many places are looked at for each that is shown: some may be erased, or not for this officer."""


@dataclass(frozen=True, slots=True)
class Access:
    """What an officer may read now. No verb: `Bureau` asks it for each dossier."""

    readable: Callable[[Iterable[DossierId], Acting], Mapping[DossierId, bool]]
    """Those of many dossiers that are for this officer, and whether a restriction (H3) waits for his word."""

    def opens(self, dossier: DossierId, by: Acting) -> bool:
        return not self.readable([dossier], by).get(dossier, True)


class Bureau:
    """What one service keeps for its own officers."""

    def __init__(  # noqa: PLR0913  # one node's capabilities, named at the one place that builds it
        self,
        store: Store,
        vault: Vault,
        ledger: Ledger,
        bank: Bank,
        gate: Gate,
        country: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        changed: Changed,
        contents: Contents,
        count: Callable[[], int],
        entry: Callable[[EntryId], Entry],
        access: Access,
        kinds: Collection[str],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._gate = gate
        self._country = country
        self._clock = clock
        self._count = count
        self._entry = entry
        self._access = access
        self._kinds = kinds
        self.words = Search(changed, contents)
        self.watches = Watches(store, vault, ledger, bank, clock, new_id)
        bank.on_reduced.append(lambda tx, gone: self.watches.forget(tx, "", [r.id for r in gone]))
        self._links = Links(store, vault, ledger, clock, new_id)
        self.templates = Templates(store, vault, new_id)

    def part_reduced(self, tx: Connection, dossier: DossierId, entry: EntryId, part: PartId, left: object) -> None:
        """Single values of a part were erased: no notice and no word of the search shows them any more.

        What is left of it meets the standing queries anew: an erasure date takes no notice off an officer that it is
        not about.
        """
        self.watches.forget(tx, part, [])
        if left is not None:
            self.watches.note(tx, entry, dossier)
        self._store.after_commit(tx, lambda: self.words.forget(dossier, entry, part))

    # --- search ---

    def search(self, words: str, limit: int, by: Acting) -> list[Found]:
        """Parts of dossiers that this officer may read, with every word asked for. Raises `Invalid`, `Refused`.

        Behind a node's start they are those of the dossiers that `searched` counts.
        One leaf: who looked, why, and how much was shown. The words stay out of it: they may name a person, and a leaf
        is kept longer than any part.
        """
        asked = query_words(words)
        clauses = self._permitted(SEARCHED, by)
        shown: list[Found] = []
        places = self.words.find(words, limit * CANDIDATES, whole=False)
        for start in range(0, len(places), limit):
            some = places[start : start + limit]
            opens = self._access.readable(dict.fromkeys(p.dossier for p in some), by)
            found = (self._shown(p, asked, unread=opens[p.dossier]) for p in some if p.dossier in opens)
            shown += [f for f in found if f is not None][: limit - len(shown)]
            if len(shown) == limit:
                break
        self._leaf(SEARCHED, by, {"clauses": clauses, "decision": "permit", "shown": len(shown)})
        return shown

    def searched(self) -> tuple[int, int] | None:
        """How many dossiers are searched yet, and of how many; None where it is all of them."""
        count = self.words.searched()
        return None if count is None else (count, max(count, self._count()))

    def _shown(self, place: Place, asked: list[tuple[str, str]], *, unread: bool) -> Found | None:
        """As the store has it now: the index in memory is never a source of text."""
        try:
            entry = self._entry(place.entry)
        except TansiqError:
            return None
        part = next((p for p in entry.parts if p.ref.id == place.part), None)
        if part is None or part.content is None:
            return None
        text = "" if unread else snippet(part.content, asked)
        if not text and not unread:
            return None
        told = entry.statement
        where = (place.dossier, place.entry, place.part, part.ref.kind)
        return Found(*where, text, place.score, unread, told.kind, told.type, told.author, told.at)

    def _permitted(self, subject: str, by: Acting) -> list[str]:
        question = Question(
            Action.SEARCH,
            self._country,
            frozenset(by.roles),
            self._country,
            purpose=by.purpose,
            justification=by.justification,
        )
        decision = self._gate.decide(question)
        if isinstance(decision, Refusal):
            self._leaf(subject, by, {"clauses": clauses_of(decision), "decision": "refusal"})
            raise refused(decision, "search", hint="state a purpose")
        return clauses_of(decision)

    def _leaf(self, subject: str, by: Acting, more: dict[str, Any]) -> None:
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}

        def work(tx: Connection) -> None:
            self._ledger.append(tx, verb=LogVerb.CONSULT, subject=subject, content=content, at=self._clock())

        self._store.write(work)

    # --- standing queries ---

    def watch(self, kind: str, text: str, expires_on: str, by: Acting) -> Watch:
        """Be told when this name, number or these words arrive or come into our holdings. `Invalid`, `Refused`."""
        self._permitted("bureau.watches", by)
        return self.watches.add(kind, text, expires_on, by)

    def notices(self, by: Acting, *, open_only: bool = True) -> list[Notice]:
        """What met this officer's queries. Words of a dossier that he may not read (yet) are left out.

        Who asks without a purpose asks for that of the query, which was stated when it was made.
        """
        kept = self.watches.kept(by.officer)
        asked = {
            w.id: by if by.purpose else replace(by, purpose=w.purpose, justification=w.justification) for w in kept
        }
        return [
            n
            if not n.dossier or self._access.opens(DossierId(n.dossier), asked.get(n.watch, by))
            else replace(n, what="")
            for n in self.watches.notices(by.officer, open_only=open_only)
        ]

    def alerts(self, by: Acting | None) -> list[Alert]:
        """What met this officer's queries and was not read, each with its query; of all officers without any words."""
        queries = {w.id: w for w in self.watches.kept(by.officer if by else "")}
        found = self.notices(by) if by else self.watches.notices("")
        return [
            Alert(
                n.id,
                q.officer,
                q.id,
                q.kind,
                q.text if by else "",
                q.justification if by else "",
                n.met,
                n.dossier,
                n.what if by else "",
                n.at,
            )
            for n in found
            if (q := queries.get(n.watch)) is not None
        ]

    # --- links ---

    def link(self, origin: DossierId, target: DossierId, why: str, by: Acting) -> Link:
        """Note that two dossiers belong together. Raises `NotFound` where this officer may not read one of them."""
        for dossier, field in ((origin, "dossier"), (target, "to")):
            if not self._access.opens(dossier, by):
                # As for one that does not exist: its existence is protected.
                raise NotFound("dossier.unknown", "no such dossier", step="link the dossiers", field=field)
        return self._links.add(origin, target, why, by)

    def links(self, dossier: DossierId, by: Acting) -> list[Link]:
        """Both ways, as far as this officer may read the other end."""
        return self._links.of(dossier, lambda other: self._access.opens(other, by))

    def unlink(self, dossier: DossierId, link: str, by: Acting) -> None:
        if all(x.id != link for x in self.links(dossier, by)):
            raise NotFound("link.unknown", "no such link", step="remove the link", field="link")
        self._links.remove(dossier, link, by)

    # --- templates ---

    def keep_template(self, name: str, kind: str, body: Mapping[str, Any], by: Acting) -> Template:
        """A body with places to fill in. Raises `Invalid` for what could never be an act, `Refused`."""
        self.may_keep_templates(by)
        if kind not in self._kinds:
            raise Invalid("kind.unknown", "no such kind of dossier", step="save the template", field="kind")
        parse_body(body)
        return self.templates.save(name, kind, body)

    def may_keep_templates(self, by: Acting) -> None:
        """Raises `Refused` for who may not write acts."""
        if not by.roles:
            raise Refused("access.role", "your role writes no acts", step="save the template", field="role")
