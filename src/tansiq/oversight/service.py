"""The verbs of oversight: choose from the log, find everything about a person, sign an extract, give out the log.

Each asks the law gate and leaves its leaf, a refusal too. Names stay out of leaves: they outlive what they speak of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec

from tansiq import crypto
from tansiq.access.model import OVERSEERS, Acting, Role
from tansiq.bank.model import Entity
from tansiq.errors import Invalid, NotFound, Refused
from tansiq.ledger import wanted
from tansiq.ledger.model import LeafPage, LeafView, Wanted
from tansiq.oversight import deciding, erasing, rules
from tansiq.oversight.gathering import Gathering
from tansiq.oversight.model import CLAUSE, Found, Right, Thing
from tansiq.oversight.sources import Sources
from tansiq.oversight.wire import EXTRACT_TYPE, MAX_EXTRACT_BYTES
from tansiq.policy import clauses_of, refused
from tansiq.policy.model import Action, Permit, Question, Refusal
from tansiq.terms import LogVerb
from tansiq.terms.ids import parse_dossier_id

__all__ = ["Oversight", "Sources"]

FIND, EXTRACT, ARCHIVE = "person.find", "person.extract", "ledger.export"
"""What the ledger calls these acts: their subject is nobody's name."""


class Oversight:
    """What those who oversee ask of this node."""

    def __init__(self, sources: Sources) -> None:
        self._s = sources
        self._gathering = Gathering(sources)

    # --- what is owed ---

    def duties(self) -> list[erasing.ErasureDuty]:
        """What was to be erased and is still held; the oldest first."""
        return erasing.owed(self._s.dossiers, self._s.bank)

    # --- the log ---

    def leaves(
        self, by: Acting, *, since: str = "", until: str = "", verb: str = "", officer: str = "", record: str = "",
        before: int | None = None, limit: int = 50,
    ) -> LeafPage:  # fmt: skip
        """The leaves that are asked for, newest first; of a dossier those of its entries, parts and matches too.

        What other officers did is for those who oversee: to the rest such leaves come without their content. Raises
        `Invalid` with the field, `Refused` where another officer's leaves are asked for.
        """
        oversees = bool(OVERSEERS & by.roles)
        if officer and not oversees and officer != by.officer:
            raise Refused("access.role", "What other officers did is for those who oversee.", step="read the log")
        asked = wanted(since, until, verb, officer, self.subjects(record) if record else None)
        page = self._s.ledger.select(asked, before, limit)
        if oversees:
            return page
        mine = {x.index for x in page.leaves if x.content and x.content.get("officer") == by.officer}
        return replace(page, leaves=tuple(x if x.index in mine else _closed(x) for x in page.leaves))

    def subjects(self, record: str) -> frozenset[str]:
        """Under which ids the log speaks of a record: of a dossier also its entries, parts and matches."""
        if not record.startswith("d-"):
            return frozenset({record})
        with suppress(Invalid, NotFound):
            state = self._s.dossiers.state(parse_dossier_id(record))
            parts = {p.ref.id for e in state.entries for p in e.parts}
            matches = {m.id for m in self._s.hits.matches(dossier=record)}
            return frozenset({record, *(e.id for e in state.entries), *parts, *matches})
        return frozenset({record})

    def archive(
        self, by: Acting, *, open_them: bool, since: str = "", until: str = "", verb: str = "", officer: str = "",
        record: str = "",
    ) -> Iterator[bytes]:  # fmt: skip
        """The whole log for an oversight body, line by line (LED art. 25): every leaf, checkpoint and cosignature.

        With `open_them` the leaves that are asked for come with their content; the leaf of this very act stands in it.
        Raises `Invalid` with the field, `Refused`.
        """
        asked = wanted(since, until, verb, officer, self.subjects(record) if record else None)
        if not OVERSEERS & by.roles:
            self._leaf(ARCHIVE, by, {"clauses": ["LED art. 34"], "decision": "refusal"})
            raise Refused("archive.role", "those who oversee give out the log", step="give out the log", field="role")
        clauses = self._asked_gate(Action.EXPORT, ARCHIVE, by, "log_archive")
        chosen = {"since": asked.since, "until": asked.until, "verb": verb, "of": officer, "record": record}
        said = {"clauses": [*clauses, "LED art. 25"], "decision": "permit", "opened": open_them}
        self._leaf(ARCHIVE, by, said | {k: v for k, v in chosen.items() if v})
        card = self._s.exchange.card_bytes().decode()
        cards = [raw.decode() for raw in self._s.exchange.peer_cards()]
        return self._s.ledger.archive(asked if open_them else None, card, cards)

    # --- everything held on one person ---

    def find(self, asked: Entity, right: Right, by: Acting) -> Found:
        """Everything that this node holds and that may be about this person. Raises `Refused`, `Invalid`.

        The data-protection officer's verb: nobody else searches drafts, other officers' queries and private checks.
        """
        clauses = self._permitted(Action.SEARCH, FIND, by)
        things, left_out = self._gathering.find(asked, by)
        said = {"right": right.value, "found": rules.counted(things), "items": rules.named(things)}
        if left_out:
            said["left_out"] = [b.value for b in left_out]
        leaf = self._leaf(FIND, by, {"clauses": [*clauses, CLAUSE[right]], "decision": "permit", **said})
        return Found(asked, right, tuple(things), left_out, leaf)

    def decide(self, decision: deciding.Decision, by: Acting) -> int:
        """Keep what was decided on a person's request, with its grounds and reasons (LED art. 15(4)); its leaf.

        Raises `Refused`, `Invalid`.
        """
        clauses = self._permitted(Action.SEARCH, deciding.SUBJECT, by)
        said = deciding.content(decision)
        return self._leaf(deciding.SUBJECT, by, {**said, "clauses": [*clauses, *said["clauses"]]})

    def decisions(self, by: Acting, request: str = "", limit: int = 50) -> list[deciding.Kept]:
        """What was decided, newest first; of one request, or of all. For those who oversee, and the authority that
        visits them: raises `Refused`."""
        if not OVERSEERS & by.roles:
            raise Refused("access.role", "What other officers did is for those who oversee.", step=deciding.STEP)
        found: list[deciding.Kept] = []
        asked, before = Wanted(subjects=frozenset({deciding.SUBJECT})), None
        while len(found) < limit:
            page = self._s.ledger.select(asked, before, limit)
            kept = [k for k in map(deciding.read, page.leaves) if k is not None]
            found += [k for k in kept if not request or k.decision.request.casefold() == request.strip().casefold()]
            if (before := page.older) is None:
                break
        return found[:limit]

    def _follows(self, leaf: int | None, right: Right, items: Collection[str]) -> dict[str, int]:
        """Which decision an extract carries out, for its own leaf. Raises `Invalid`."""
        if leaf is None:
            return {}
        there = self._s.ledger.page(leaf + 1, 1) if 0 <= leaf < 2**53 else []
        kept = deciding.read(there[0]) if there and there[0].index == leaf else None
        return {"decided": deciding.check_follows(kept, right, items).leaf}

    def extract(
        self, asked: Entity, right: Right, items: Collection[str], by: Acting, consented: Collection[str] = (),
        decided: int | None = None,
    ) -> bytes:  # fmt: skip
        """A signed file of what the officer says is this person's, with the leaf that says so.

        `consented`: of those, what its originators have agreed to give out; nothing of a partner's is in it otherwise.
        `decided`: the leaf of the decision that it carries out; its own leaf names it.
        Looked for anew: what was erased meanwhile is not in it, and refused by its id. Raises `Refused`, `Invalid`.
        """
        s = self._s
        clauses = self._permitted(Action.EXPORT, EXTRACT, by)
        follows = self._follows(decided, right, items)
        things, left_out = self._gathering.find(asked, by)
        chosen = rules.check_items(things, items, consented)
        out = [rules.given_out(t, consented, permitted=self._may_leave(t, by, t.id in consented)) for t in chosen]
        service = {"node": s.node, "name": s.name, "country": s.country}
        body = crypto.canonical(
            rules.extract_body(service=service, at=s.clock(), asked=asked, right=right, things=out, left_out=left_out)
        )
        if len(body) > MAX_EXTRACT_BYTES:
            raise Invalid("person.many", "more than one file holds: make several", step=rules.STEP, field="items")
        said = {"right": right.value, "items": [t.id for t in chosen], "consented": sorted(set(consented))}
        digest = crypto.sha256(EXTRACT_TYPE, body).hex()
        leaf = self._leaf(
            EXTRACT,
            by,
            {"clauses": [*clauses, CLAUSE[right]], "decision": "permit", "digest": digest, **said, **follows},
        )
        file = {
            "type": EXTRACT_TYPE,
            "card": s.exchange.card_bytes().decode(),
            "signed": crypto.to_base64(crypto.sign(EXTRACT_TYPE, body, s.signing, s.node)),
            "leaf": msgspec.json.decode(s.ledger.bundle(leaf, disclose=True)),
        }
        return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"

    def _may_leave(self, thing: Thing, by: Acting, consented: bool) -> bool:
        """The law gate's word on this one: whose it is, under which codes, with whose consent."""
        codes = frozenset(thing.handling)
        asked = replace(
            self._question(Action.EXPORT, by, "person_extract"), handling=codes,
            handling_text="stated" if "H3" in codes else "", consent=consented,
        )  # fmt: skip
        owners = thing.owners or (thing.originator or self._s.country,)
        return all(isinstance(self._s.gate.decide(replace(asked, originator=o)), Permit) for o in owners)

    # --- asking, and saying that it was asked ---

    def _question(self, action: Action, by: Acting, kind: str) -> Question:
        roles = frozenset(r.value for r in by.roles)
        country = self._s.country
        return Question(action, country, roles, country, kind, purpose=by.purpose, justification=by.justification)

    def _permitted(self, action: Action, subject: str, by: Acting) -> list[str]:
        """The clauses that permit it; a refusal stands in the ledger."""
        if Role.PROTECTION not in by.roles:
            self._leaf(subject, by, {"clauses": ["LED art. 34"], "decision": "refusal"})
            raise Refused(
                "person.role", "the data-protection officer looks for a person", step=rules.STEP, field="role"
            )
        if len(by.justification.strip()) < rules.MIN_REASON:
            raise Invalid("person.why", "say which request this answers", step=rules.STEP, field="justification")
        return self._asked_gate(action, subject, by, "person_extract" if action is Action.EXPORT else "")

    def _asked_gate(self, action: Action, subject: str, by: Acting, kind: str) -> list[str]:
        decision = self._s.gate.decide(self._question(action, by, kind))
        if isinstance(decision, Refusal):
            self._leaf(subject, by, {"clauses": clauses_of(decision), "decision": "refusal"})
            raise refused(decision, subject, hint="state a purpose")
        return clauses_of(decision)

    def _leaf(self, subject: str, by: Acting, more: Mapping[str, Any]) -> int:
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification, **more}
        return self._s.store.write(
            lambda tx: self._s.ledger.append(
                tx, verb=LogVerb.CONSULT, subject=subject, content=content, at=self._s.clock()
            )
        )


def _closed(leaf: LeafView) -> LeafView:
    """Without its content, which another may read; what is erased nobody reads, and that is no secret."""
    return replace(leaf, content=None, hidden=leaf.content is not None)
