"""The verbs of the private checks: whom we serve, whom we ask, what was asked, watches, requests on a hit, openings.

Two sides in one service: `holder.py` ships lists and answers, `asker.py` takes lists and asks. `work` does what waits
(cheap when nothing does), `tick` what the calendar wants. Lists and changes travel as items of the exchange: sealed,
receipted, also by poll and by hand. A batch is a question at a desk: it goes straight over the partners' pinned TLS
line and is answered in the same breath; where the holder has no address it travels as an item too, and waits.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection

from tansiq.access.model import Acting, Role
from tansiq.bank import parse_entity
from tansiq.dossiers.model import Entry
from tansiq.errors import Conflict, Invalid, NotFound, TansiqError
from tansiq.evaluator import hit_alarms, readout
from tansiq.exchange.model import Item, ItemResult
from tansiq.matching import asked_keys
from tansiq.private import records
from tansiq.private.asker import Asker, Listener, Question
from tansiq.private.ground import ITEM, Ground, PrivateSettings, log
from tansiq.private.holder import Holder, Provider, own_descriptor
from tansiq.private.model import (
    CheckDuty,
    CheckKind,
    CheckResult,
    EpochRow,
    ListRow,
    Meaning,
    MeterRow,
    Notice,
    Tier,
    UseRow,
    Watch,
    check_duties,
)
from tansiq.private.openlog import OpenLog
from tansiq.private.words import words_of
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, OfficerId, format_instant, parse_date, parse_instant


class Dossiers(Protocol):
    """What we need of the dossiers: a request opened, an entry read."""

    def open_in(self, tx: Connection, kind: str, body: object, to: Iterable[str], by: Acting) -> DossierId: ...

    def entry(self, entry: EntryId) -> Entry: ...


OPAQUE = re.compile(r"tansiq-opaque:([0-9a-f]{24})")
"""How an opaque id stands in a note of a request: a part, so that it can be erased, and no fact, which cannot."""
WATCH_DAYS = 90
_MAX_NAMED = 64


class Private:
    """One node's private checks. Thread-safe; several processes of one home may have one each."""

    def __init__(self, ground: Ground) -> None:
        self._g = ground
        self._holder = Holder(ground)
        self._asker = Asker(ground)
        self._log = OpenLog(ground, self._asker)
        self._working = threading.Lock()
        self._dossiers: Dossiers | None = None
        self._renewed: dict[tuple[str, str], int] | None = None
        """Epochs of the lists for which the watches were asked; None: look again."""

    # --- wiring ---

    def attach(self, dossiers: Dossiers) -> None:
        """Requests are opened and read through it."""
        self._dossiers = dossiers

    def provide(self, tier: Tier, provider: Provider, classes: tuple[str, ...], spec: Any) -> None:
        """Another capability lists its own things in a tier (plans). `spec()` names the rules of its inputs."""
        self._holder.provide(tier, provider, classes, spec)
        self._asker.speak(tier, spec)

    def listen(self, kind: CheckKind, listener: Listener) -> None:
        """`listener(result, changed)`: a check of this kind is done, or a change of a list has changed its result."""
        self._asker.listen(kind, listener)

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """The exchange's handler for what partners send by envelope."""
        return self._asker.taking.file(tx, sender, item)

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The exchange's loader."""
        return (self._asker if ref.startswith("batch:") else self._holder).load(tx, ref, to)

    @staticmethod
    def is_of_list(ref: str) -> bool:
        """Whether an item belongs to a list that we ship, and to no question or answer: those are met once."""
        return ref.startswith(("desc:", "piece:", "delta:", "end:"))

    def renew(self, tx: Connection) -> None:
        """After a restore: new keys and lists, under an epoch that no partner can have met."""
        self._holder.renew(tx)

    def note_entry(self, tx: Connection, entry: str) -> None:
        """In the transaction that files a partner's entry: it may name an opaque id of ours."""
        if not records.has_held(tx):
            return
        at = format_instant(self._g.clock())
        records.put(tx, records.queue, id=f"entry:{entry}", what="entry", node=self._g.node, at=at, raw=b"")

    def answer(self, raw: bytes) -> bytes:
        """The partners' door for batches. Raises `Untrusted` for who is not pinned; every other no is signed."""
        return self._holder.answer(raw)

    def still(self) -> AbstractContextManager[None]:
        """While it lasts, files and rows of partners' lists are of one moment: for a backup. Not in a transaction that
        writes."""
        return self._asker.taking.shelf.held()

    def close(self) -> None:
        self._g.keys.stop()

    # --- work ---

    def work(self) -> bool:
        """Do what waits, in whichever process has the keys. False when nothing did."""
        if not self._working.acquire(blocking=False):
            return False
        try:
            done = self._asker.work()
            done = self._read_entries() or done
            done = self._renew_watches() or done
            try:
                return self._holder.work() or done
            except Conflict as exc:
                if exc.code != "evaluator.running":
                    raise
                return done  # the process that has the keys will do it
        finally:
            self._working.release()

    def tick(self, now: datetime | None = None) -> None:
        """What the calendar wants: rotation, graces that end, daily changes, watches and logs that are over."""
        now = now or self._g.clock()
        self._asker.taking.look_over()
        self._renewed = None  # a watch that met a spent quota asks again
        try:
            self._holder.tick()
        except Conflict as exc:
            if exc.code != "evaluator.running":
                raise
        today, before = now.date().isoformat(), format_instant(now - timedelta(days=self._g.chosen.log_days))

        def work(tx: Connection) -> None:
            c = records.watches.c
            for row in records.rows(tx, records.watches, c.until_on < today, state="on"):
                self._stop_watch(tx, row["id"])
            records.remove(tx, records.asked, records.asked.c.at < before)
            records.remove(tx, records.checks, records.checks.c.asked_at < before)
            records.remove(tx, records.watches, c.until_on < before[:10], state="off")
            records.remove(tx, records.alarms, records.alarms.c.at < before, records.alarms.c.seen_at != "")
            records.remove(tx, records.notices, records.notices.c.at < before)
            old = format_instant(now - timedelta(days=self._g.chosen.item_days))
            records.remove(tx, records.queue, records.queue.c.at < old, what="reply")

        self._g.store.write(work)

    # --- as a holder ---

    def publish(self, partner: str, tiers: Iterable[Tier], by: Acting) -> None:
        """Serve a partner lists of these tiers, in this epoch and the next ones. The list follows with `work`."""
        self._holder.serve(self._g.peers.resolve(partner), tiers, by)

    def refresh(self, partner: str, tier: Tier) -> bool:
        """Ship what has changed in a list now, without waiting for the day's change."""
        return self._holder.refresh(self._g.peers.resolve(partner), tier)

    def order_refresh(self, partner: str, tier: Tier, by: Acting) -> None:
        """The same, from a command: the process that has the keys does it."""
        self._holder.order_refresh(self._g.peers.resolve(partner), tier, by)

    def rotate(self, by: Acting) -> None:
        self._holder.rotate(by)

    def revoke(self, partner: str, by: Acting) -> None:
        self._holder.revoke(self._g.peers.resolve(partner), by)

    def ordered(self) -> bool:
        """Whether something that was ordered still waits for the process that has the keys."""
        with self._g.store.read() as tx:
            return records.exists(tx, records.queue, what="order") or records.exists(tx, records.served, state="wanted")

    def add_canary(self, person: Mapping[str, Any], by: Acting) -> str:
        return self._holder.add_canary(self.person(person), by)

    def epochs(self) -> list[EpochRow]:
        with self._g.store.read() as tx:
            rows = records.rows(tx, records.epochs, by=(records.epochs.c.number.desc(),))
        return [EpochRow(**r) for r in rows]

    def lists(self) -> list[ListRow]:
        """Ours for partners, and partners' for us; newest epochs first."""
        with self._g.store.read() as tx:
            ours = records.rows(tx, records.held, by=(records.held.c.epoch.desc(), records.held.c.partner))
            theirs = records.rows(tx, records.taken, by=(records.taken.c.epoch.desc(), records.taken.c.holder))
            served = {(s["partner"], s["tier"]): s["state"] for s in records.rows(tx, records.served)}
            states = {e["number"]: e["state"] for e in records.rows(tx, records.epochs)}
        found = []
        for side, rows in (("held", ours), ("taken", theirs)):
            for r in rows:
                d = own_descriptor(bytes(r["descriptor"]))
                node = r["partner"] if side == "held" else r["holder"]
                state = r.get("state") or (
                    "revoked" if served.get((node, r["tier"])) == "revoked" else states.get(r["epoch"], "")
                )
                entries = self._holder.entries(r) if side == "held" else 0
                at = r["changed_on"] if side == "held" else r["changed_at"]
                found.append(
                    ListRow(
                        side, NodeId(node), r["tier"], r["epoch"], state, d.count, entries, r["sequence"], at,
                        d.classes, d.public.hex(), r["digest"],
                    )
                )  # fmt: skip
        return found

    def meters(self) -> list[MeterRow]:
        """What each served partner has spent today of each tier, and what its quota reads out in an epoch.

        The figures of the database: the evaluator's own book is what binds, and it agrees but for a crash in between.
        """
        g, today = self._g, self._g.today().isoformat()
        with g.store.read() as tx:
            served = records.rows(
                tx, records.served, by=(records.served.c.partner, records.served.c.tier), state="served"
            )
            used = records.totals(tx, records.answered, "partner", today)
        spent: dict[tuple[str, str], int] = {}
        for u in used:
            if not u["code"]:
                spent[u["partner"], u["tier"]] = spent.get((u["partner"], u["tier"]), 0) + u["evaluations"]
        found = []
        for s in served:
            quota = g.chosen.quota(s["partner"], s["tier"])
            shares = readout(quota, g.chosen.epoch_days).shares
            place = (s["partner"], s["tier"])
            found.append(
                MeterRow(NodeId(s["partner"]), s["tier"], spent.get(place, 0), quota.per_day, quota.burst, shares)
            )
        return found

    def asked_of_us(self, since: datetime | None = None) -> list[UseRow]:
        """Counts by partner, tier, purpose; refusals by their code."""
        return self._uses(records.answered, "partner", since)

    def we_asked(self, since: datetime | None = None) -> list[UseRow]:
        return self._uses(records.asked, "holder", since)

    def _uses(self, table: Any, who: str, since: datetime | None) -> list[UseRow]:
        with self._g.store.read() as tx:
            rows = records.totals(tx, table, who, format_instant(since) if since else "")
        return [
            UseRow(NodeId(r["partner"]), r["tier"], r["purpose"], r["code"], r["batches"], r["evaluations"], r["last"])
            for r in rows
        ]

    # --- as an asker ---

    def ask(self, partner: str, person: Mapping[str, Any], case: str, by: Acting, *, ref: str = "") -> CheckResult:
        """Is this person in the partner's lists? `person` in the words of a comparison, or an entity with claims.

        Raises the holder's refusal by its own code (`meter.quota`, `epoch.ended`, `batch.*`), `Untrusted` on a proof
        that fails, `PeerUnavailable`, `Refused("policy.refused")` by our own gate.
        """
        words = self.person(person)
        holder = self._g.peers.resolve(partner)
        return self._asker.start(holder, self._asker.questions(words), case, by, ref=ref, person=words)

    def ask_inputs(
        self, partner: str, tier: Tier, inputs: Sequence[tuple[str, bytes]], case: str, by: Acting, *, ref: str
    ) -> CheckResult:
        """Raw inputs of a tier that another capability provides: (class, input). `ref` makes it a standing question:
        kept outputs are looked up again whenever the list changes."""
        holder = self._g.peers.resolve(partner)
        questions = [Question(tier, name, message) for name, message in inputs]
        return self._asker.start(holder, questions, case, by, kind=CheckKind.PLAN, ref=ref)

    def found(self, check: str) -> dict[bytes, tuple[str, ...]]:
        """input -> opaque ids of what a check has found so far."""
        return self._asker.found(check)

    def forget(self, ref: str) -> None:
        """A standing question is over: its checks are not looked up again."""

        def work(tx: Connection) -> None:
            records.change(tx, records.checks, {"ref": ref}, ref="")

        self._g.store.write(work)

    def result(self, check: str) -> CheckResult:
        return self._asker.result(check)

    def checks(self, since: datetime | None = None, ref: str = "", limit: int = 200) -> list[CheckResult]:
        return self._asker.results(since, ref, limit)

    def person(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A person as keys are made of: an entity with claims is translated, plain words are taken as they are."""
        if "claims" in given:
            return words_of(parse_entity({"id": "query", "schema": "Person", **given}, "person"), self._g.country)
        plain: dict[str, Any] = {}
        for word, value in given.items():
            if word not in _WORDS:
                raise Invalid("person.word", "a word that no key is made of", step="check", field=str(word)[:40])
            values = value if isinstance(value, list) else [value]
            if not all(isinstance(v, str) or _is_number(v) for v in values):
                raise Invalid("person.value", "texts, or numbers with their country", step="check", field=word)
            plain[word] = values
        return plain

    def makes_keys(self, given: Mapping[str, Any]) -> bool:
        """Whether anything of this person can be asked. Raises `Invalid` on a word that no key is made of."""
        return bool(asked_keys(self.person(given)))

    def person_of(self, check: str) -> Mapping[str, Any]:
        """The person that a check was about."""
        return self._asker.person_of(check)

    # --- following a hit ---

    def follow(self, check: str, body: Mapping[str, Any], by: Acting) -> DossierId:
        """An officer's decision: a `request` to the holder that carries the opaque ids, and nothing else by itself.

        `body` is the request as an officer writes it; the note with the ids is added to its parts. Only now does the
        holder learn which of its records was met.
        """
        found = self._asker.result(check)
        if not found.rids:
            raise Conflict("check.no_hit", "this check has found nothing to follow", step="follow", field="check")
        if found.dossier:
            raise Conflict("check.followed", "a request was opened on this check", step="follow", field="check")
        if self._dossiers is None:
            raise NotFound("check.dossiers", "no dossiers here", step="follow")
        named = "\n".join(f"tansiq-opaque:{rid}" for rid in found.rids)
        note = {"kind": "note", "lang": "en", "text": f"Private check {found.id}\n{named}"}
        whole = {**body, "parts": [*body.get("parts", ()), note]}
        dossiers = self._dossiers

        def work(tx: Connection) -> DossierId:
            row = records.row(tx, records.checks, id=check)
            if row is None or row["dossier"]:
                raise Conflict("check.followed", "a request was opened on this check", step="follow", field="check")
            made = dossiers.open_in(tx, "request", whole, [found.partner], by)
            records.change(tx, records.checks, {"id": check}, dossier=made)
            facts = {"partner": found.partner, "dossier": made, "rids": len(found.rids)}
            self._g.leaf(tx, LogVerb.DISCLOSE, check, by, "followed", **facts)
            return made

        return self._g.store.write(work)

    def _read_entries(self) -> bool:
        """Partners' entries that were filed since: do they name opaque ids of ours?"""
        g = self._g
        with g.store.read() as tx:
            rows = records.rows(tx, records.queue, what="entry", by=(records.queue.c.at,), limit=200)
        if not rows or self._dossiers is None:
            return False
        for row in rows:
            ident = row["id"].partition(":")[2]
            try:
                named = self._named(self._dossiers.entry(EntryId(ident)))
            except TansiqError as exc:
                log.warning("private.entry_not_read", entry=ident, code=exc.code)
                named = []

            def work(tx: Connection, row: dict[str, Any] = row, named: list[Any] = named) -> None:
                if records.remove(tx, records.queue, id=row["id"]):
                    for entry, rid, meaning in named:
                        self._notice(tx, entry, rid, meaning)

            g.store.write(work)
        return True

    def _named(self, entry: Entry) -> list[tuple[Entry, str, Meaning | None]]:
        if entry.statement.type != "request.made" or entry.statement.author == self._g.node:
            return []
        texts = [str(p.content.get("text", "")) for p in entry.parts if p.content is not None]
        rids = list(dict.fromkeys(rid for text in texts for rid in OPAQUE.findall(text)))[:_MAX_NAMED]
        return [(entry, rid, self._holder.meaning(rid, entry.statement.author)) for rid in rids]

    def _notice(self, tx: Connection, entry: Entry, rid: str, meaning: Meaning | None) -> None:
        g, s = self._g, entry.statement
        if meaning is None:
            # An id that we never gave: chance has one in 2^96, so somebody made it up.
            g.alarm(tx, "unknown_id", s.author, "", 1, 0, s.dossier)
            return
        ident = f"pn-{g.new_id()}"
        at = format_instant(g.clock())
        values = {"partner": s.author, "dossier": s.dossier, "entry": entry.id, "at": at, "done_at": ""}
        records.sealed_notices.add(tx, g.vault, [rid, meaning.record], id=ident, **values)
        canary = int(meaning.record.startswith("ca-"))
        asked = sum(
            u["evaluations"] for u in records.totals(tx, records.answered, "partner", "") if u["partner"] == s.author
        )
        hits = len(records.rows(tx, records.notices, partner=s.author))
        for alarm in hit_alarms(s.author, asked, hits, canary):
            g.alarm(tx, alarm.kind.value, s.author, meaning.tier, alarm.count, alarm.of, s.dossier)

    def meanings(self, dossier: str, by: Acting) -> list[Meaning]:
        """What the opaque ids in a partner's request mean, here and only here. Logged as a consultation."""
        g = self._g
        g.need(by, Role.ANALYST, Role.LIAISON, Role.SUPERVISOR)
        with g.store.read() as tx:
            rows = records.sealed_notices.load(tx, g.vault, by=(records.notices.c.at,), dossier=dossier)
        found = []
        for row, (rid, _record) in rows:
            if (meaning := self._holder.meaning(rid, NodeId(row["partner"]))) is not None:
                found.append(meaning)
        now = format_instant(g.clock())

        def work(tx: Connection) -> None:
            records.change(tx, records.notices, {"dossier": dossier, "done_at": ""}, done_at=now)
            shown = [m.record for m in found]
            g.leaf(tx, LogVerb.CONSULT, dossier, by, "opaque ids looked up", records=shown)

        g.store.write(work)
        return found

    def meaning(self, rid: str, partner: NodeId | None = None) -> Meaning | None:
        """For other capabilities of this node: what an opaque id of ours means (to this partner)."""
        return self._holder.meaning(rid, partner)

    # --- standing watch ---

    def watch(
        self, person: Mapping[str, Any], partners: Iterable[str], case: str, by: Acting, until_on: str = ""
    ) -> tuple[Watch, list[CheckResult]]:
        """Ask now, and keep what was evaluated: each change of a partner's list is looked up again, without asking.

        A new epoch costs the same evaluations once more; they are spent when its list is there.
        """
        g = self._g
        words = self.person(person)
        until = until_on or (g.today() + timedelta(days=WATCH_DAYS)).isoformat()
        if parse_date(until, "until") <= g.today():
            raise Invalid("watch.until", "a watch ends on a later day", step="watch", field="until")
        ident = f"pw-{g.new_id()}"
        nodes = [g.peers.resolve(p) for p in partners]
        if not nodes:
            raise Invalid("watch.partners", "name a partner", step="watch", field="peer")
        results = [self.ask(node, words, case, by, ref=ident) for node in nodes]
        inner = {"person": words, "case": case, "partners": nodes, "justification": by.justification}
        values = {"purpose": by.purpose, "officer": by.officer, "roles": " ".join(sorted(by.roles)), "until_on": until}

        def work(tx: Connection) -> None:
            since = format_instant(g.clock())
            records.sealed_watches.add(tx, g.vault, inner, id=ident, state="on", since=since, **values)
            g.leaf(tx, LogVerb.COLLECT, ident, by, "watch begun", partners=nodes, until=until)

        g.store.write(work)
        return self._watch_of(ident), results

    def unwatch(self, watch: str, by: Acting) -> None:
        def work(tx: Connection) -> None:
            if not records.exists(tx, records.watches, id=watch, state="on"):
                raise NotFound("watch.unknown", "no such watch", step="watch", field="id")
            self._stop_watch(tx, watch)
            self._g.leaf(tx, LogVerb.ALTER, watch, by, "watch ended")

        self._g.store.write(work)

    def _stop_watch(self, tx: Connection, watch: str) -> None:
        records.change(tx, records.watches, {"id": watch}, state="off")
        records.change(tx, records.checks, {"ref": watch}, ref="")

    def watches(self) -> list[Watch]:
        """Those that are on, newest first."""
        with self._g.store.read() as tx:
            rows = records.rows(tx, records.watches, by=(records.watches.c.since.desc(),), state="on")
        return [self._watch(r) for r in rows]

    def _watch_of(self, ident: str) -> Watch:
        with self._g.store.read() as tx:
            row = records.row(tx, records.watches, id=ident)
        if row is None:
            raise NotFound("watch.unknown", "no such watch", step="watch", field="id")
        return self._watch(row)

    def _inner(self, row: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = records.sealed_watches.open(self._g.vault, row)
        return found

    def _watch(self, row: dict[str, Any]) -> Watch:
        inner = self._inner(row)
        since = parse_instant(row["since"])
        return Watch(
            row["id"],
            row["state"],
            row["purpose"],
            row["officer"],
            inner["case"],
            since,
            row["until_on"],
            inner["person"],
        )

    def _renew_watches(self) -> bool:
        """A newer epoch's list has come: ask each watch once more, in the name of who began it."""
        g = self._g
        with g.store.read() as tx:
            ready = {
                (r["holder"], r["tier"]): r["epoch"]
                for r in records.rows(tx, records.taken, state="ready", by=(records.taken.c.epoch,))
            }
            if ready == self._renewed:
                return False
            rows = records.rows(tx, records.watches, state="on")
            asked = {r["id"]: self._epochs_of(tx, r["id"]) for r in rows}
        done = False
        for row in rows:
            inner = self._inner(row)
            for node in inner["partners"]:
                due = [
                    tier
                    for (n, tier), epoch in ready.items()
                    if n == node and 0 < asked[row["id"]].get((n, tier), 0) < epoch
                ]
                if due:
                    done = self._renew(row, inner, NodeId(node)) or done
        self._renewed = ready
        return done

    def _epochs_of(self, tx: Connection, watch: str) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for check in records.rows(tx, records.checks, ref=watch):
            for b in records.rows(tx, records.asked, check=check["id"]):
                place = (b["holder"], b["tier"])
                found[place] = max(found.get(place, 0), b["epoch"])
        return found

    def _renew(self, row: dict[str, Any], inner: dict[str, Any], node: NodeId) -> bool:
        roles = frozenset(Role(r) for r in row["roles"].split())
        by = Acting(OfficerId(row["officer"]), roles, row["purpose"], inner["justification"])
        try:
            found = self.ask(node, inner["person"], inner["case"], by, ref=row["id"])
        except TansiqError as exc:
            log.warning("private.watch_not_renewed", watch=row["id"], peer=node, code=exc.code)
            return False
        g = self._g
        with g.store.read() as tx:
            old = [
                r["id"] for r in records.rows(tx, records.checks, ref=row["id"], partner=node) if r["id"] != found.id
            ]
        if found.hit and not any(self._asker.result(i).hit for i in old):
            count = len(found.rids)
            g.store.write(lambda tx: g.alarm(tx, "watch_hit", node, "", count, found.evaluations, found.id))
        return True

    # --- alarms and duties ---

    def notices(self, *, all_of_them: bool = False) -> list[Notice]:
        """What waits for a supervisor (alarms) or an officer (ids that a request names, new findings of a watch)."""
        with self._g.store.read() as tx:
            where = {} if all_of_them else {"seen_at": ""}
            rows = records.rows(tx, records.alarms, by=(records.alarms.c.at.desc(),), limit=1000, **where)
            done = {} if all_of_them else {"done_at": ""}
            named = records.rows(tx, records.notices, by=(records.notices.c.at.desc(),), limit=1000, **done)
        found = [
            Notice(
                r["id"],
                "private.watch_hit" if r["kind"] == "watch_hit" else f"private.alarm.{r['kind']}",
                r["partner"], r["tier"], r["count"], r["of"], r["ref"], parse_instant(r["at"]),
                parse_instant(r["seen_at"]) if r["seen_at"] else None,
            )
            for r in rows
        ]  # fmt: skip
        found += [
            Notice(
                r["id"], "private.named", r["partner"], "", 1, 0, r["dossier"], parse_instant(r["at"]),
                parse_instant(r["done_at"]) if r["done_at"] else None,
            )
            for r in named
        ]  # fmt: skip
        return found

    def duties(self) -> tuple[CheckDuty, ...]:
        """What this service's officers owe: alarms that nobody has looked at, and what a watch found."""
        return check_duties(self.notices())

    def seen(self, notice: str, by: Acting) -> None:
        """An alarm was looked at: a supervisor's act, or for a watch that of who may search."""
        g = self._g
        with g.store.read() as tx:
            row = records.row(tx, records.alarms, id=notice)
        if row is None:
            raise NotFound("notice.unknown", "no such notice", step="notice", field="id")
        if row["kind"] == "watch_hit":
            g.need(by, Role.ANALYST, Role.LIAISON, Role.SUPERVISOR)
        else:
            g.need(by, Role.SUPERVISOR)
        at = format_instant(g.clock())

        def work(tx: Connection) -> None:
            if records.change(tx, records.alarms, {"id": notice, "seen_at": ""}, seen_at=at, seen_by=by.officer):
                g.leaf(tx, LogVerb.CONSULT, f"private.alarm.{row['kind']}", by, "seen", notice=notice)

        g.store.write(work)

    # --- the openable log ---

    def draw_sample(self, partner: str, share: float, days: int, by: Acting) -> bytes:
        """The holder's supervisor draws elements of what a partner asked, after the fact."""
        return self._log.draw(self._g.peers.resolve(partner), share, days, by)

    def open_sample(self, sample: bytes, by: Acting) -> bytes:
        """The asker's supervisor opens a sample: inputs, blinds and cases of the drawn elements, padding too."""
        return self._log.open(sample, by)

    def check_openings(self, raw: bytes, by: Acting) -> dict[str, Any]:
        """The holder's supervisor checks openings against the elements that were kept."""
        return self._log.check(raw, by)


_WORDS = frozenset(
    [
        "names",
        "birth_dates",
        "birth_places",
        "fathers",
        "mothers",
        "documents",
        "phones",
        "plates",
        "ibans",
        "vins",
        "imeis",
        "emails",
        "wallets",
        "cards",
    ]
)


def _is_number(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() <= {"number", "country", "kind"}
        and all(isinstance(v, str) for v in value.values())
    )


def role_of(notice: Notice) -> str:
    """Who must look at it."""
    return "supervisor" if notice.code.startswith("private.alarm.") else "analyst"


__all__ = ["ITEM", "Ground", "Private", "PrivateSettings", "role_of"]
