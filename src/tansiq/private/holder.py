"""The holder's side: lists made and shipped, changed daily, rotated and revoked; batches answered and counted.

What an officer orders (serve, rotate, revoke) is a row in the database, and `work` carries it out in whichever process
of the home has the keys: a command beside a running node orders, the node acts. A revocation holds from its row on.
Order of a batch: verify → agreement, epoch, rules → the evaluator counts on disk and multiplies → leaf and kept
elements in one transaction → answer. A crash in between costs the partner its batch, never the holder its count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting, Role
from tansiq.crypto import peek
from tansiq.errors import Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.evaluator import EvaluatorClient
from tansiq.evaluator.model import KeyName
from tansiq.evaluator.model import Tier as KeyTier
from tansiq.matching import KeyClass, group_of, held_keys, key_fingerprint, tier_of
from tansiq.private import holding, records
from tansiq.private.batches import answer_batch, read_batch
from tansiq.private.ground import Ground, log
from tansiq.private.lists import build_list, change_list
from tansiq.private.model import (
    BATCH_SIZES,
    BLOCK,
    ELEMENT_BYTES,
    BatchHeader,
    Delta,
    Descriptor,
    Listing,
    Meaning,
    Tier,
)
from tansiq.private.wire import (
    ANSWER_TYPE,
    BATCH_TYPE,
    DELTA_TYPE,
    DESCRIPTOR_TYPE,
    REFUSAL_TYPE,
    answer_body,
    delta_body,
    descriptor_body,
    digest,
    parse_batch,
    parse_descriptor,
    parse_frame,
    refusal_body,
)
from tansiq.private.words import words_of
from tansiq.terms import LogVerb, NodeId, Purpose, format_instant

PIECE_BYTES = 2 * 1024 * 1024
MAX_BATCH = max(BATCH_SIZES) * ELEMENT_BYTES
PUBLIC_SOURCES = frozenset({"un", "eu", "ofac", "ca"})
"""Lists that everybody can read: to check them needs no privacy, and listing them costs a key each."""
SERVED_CLASSES = frozenset(KeyClass) - {KeyClass.PAIR_PLACE, KeyClass.PAIR_PARENT}
"""Those with a place or a parent's name need both sides' word."""
_CHUNK = 1000
_MOST_DELTA = 64 * BLOCK
"""A larger change is shipped as a new list under a new epoch: a delta has to fit into an envelope."""
_NOTHING = "0" * 64
ANSWER_WAIT_S = 10.0
"""A command of this home may have the keys for a moment: a partner's question waits for it."""

Provider = Callable[[NodeId], Iterable[Listing]]


class Holder:
    """Our lists, and what partners ask of us."""

    def __init__(self, ground: Ground) -> None:
        self._g = ground
        ground.keys.prepare = self._prepare
        self._providers: dict[Tier, tuple[Provider, tuple[str, ...], Callable[[], str]]] = {
            tier: (self._persons_of(tier), _classes(tier), key_fingerprint) for tier in (Tier.LOW, Tier.HIGH)
        }

    def provide(self, tier: Tier, provider: Provider, classes: tuple[str, ...], spec: Callable[[], str]) -> None:
        """Who lists what in a tier. `spec` names the rules by which its inputs are made; both sides must agree."""
        self._providers[tier] = (provider, classes, spec)

    # --- orders ---

    def serve(self, partner: NodeId, tiers: Iterable[Tier], by: Acting) -> None:
        """A partner gets lists of these tiers from now on. A revoked one gets new ones only after a rotation."""
        g = self._g
        g.need(by, Role.SUPERVISOR)
        if not g.agreement(partner):
            raise Refused("private.agreement", "no agreement with this partner", step="serve", field="partner")
        chosen = [t for t in tiers if t in self._providers]

        def work(tx: Connection) -> None:
            g.peers.keys_of(tx, partner)
            for tier in chosen:
                there = records.row(tx, records.served, partner=partner, tier=tier.value)
                if there is not None and there["state"] == "served":
                    continue
                if there is not None and there["state"] == "revoked":
                    self._order(tx, "rotate", by)
                    self._order(tx, f"restore:{partner}", by)
                now = format_instant(g.clock())
                records.put(
                    tx, records.served, partner=partner, tier=tier.value, state="wanted", officer=by.officer, at=now
                )
                g.leaf(tx, LogVerb.DISCLOSE, "private.served", by, "served", partner=partner, tier=tier.value)
            g.store.after_commit(tx, g.wake)

        g.store.write(work)

    def rotate(self, by: Acting) -> None:
        """A new epoch, ordered: new seed, new lists for all; the old epoch is answered during its grace."""
        self._g.need(by, Role.SUPERVISOR)
        self._g.store.write(lambda tx: self._order(tx, "rotate", by))

    def renew(self, tx: Connection) -> None:
        """After a restore: an epoch that no partner can have met, in place of those that the backup does not know."""
        if records.rows(tx, records.served, limit=1):
            self._order(tx, "renew", Acting.machine())

    def order_refresh(self, partner: NodeId, tier: Tier, by: Acting) -> None:
        """What has changed in a list is shipped now, by whichever process has the keys."""
        self._g.need(by, Role.SUPERVISOR)
        self._g.store.write(lambda tx: self._order(tx, f"refresh:{partner}:{tier.value}", by))

    def _order(self, tx: Connection, what: str, by: Acting) -> None:
        g = self._g
        records.put(
            tx, records.queue, id=f"order:{what}", what="order", node=g.node, at=format_instant(g.clock()), raw=b""
        )
        g.leaf(tx, LogVerb.ALTER, "private.epoch", by, f"{what.partition(':')[0]} ordered")
        g.store.after_commit(tx, g.wake)

    def revoke(self, partner: NodeId, by: Acting) -> None:
        """One step: from the commit on nothing is answered and nothing is shipped; its lists go."""
        g = self._g
        g.need(by, Role.SUPERVISOR)
        now = format_instant(g.clock())

        def work(tx: Connection) -> None:
            for tier in Tier:
                values = {"state": "revoked", "officer": by.officer, "at": now}
                records.put(tx, records.served, partner=partner, tier=tier.value, **values)
            for table in (records.pieces, records.deltas):
                records.remove(tx, table, side="held", node=partner)
            records.put(tx, records.queue, id=f"order:revoke:{partner}", what="order", node=partner, at=now, raw=b"")
            g.enqueue(tx, partner, f"end:all:{g.new_id()}")
            g.leaf(tx, LogVerb.ALTER, "private.served", by, "revoked", partner=partner)
            g.store.after_commit(tx, g.wake)

        g.store.write(work)

    # --- work ---

    def work(self) -> bool:
        """Carry out what was ordered and is due now. True when something was done. Starts the key process only then."""
        g = self._g
        with g.store.read() as tx:
            orders = records.rows(tx, records.queue, by=(records.queue.c.at, records.queue.c.id), what="order")
            wanted = records.rows(tx, records.served, by=(records.served.c.at,), state="wanted")
            batches = records.rows(tx, records.queue, by=(records.queue.c.at,), what="batch", limit=100)
        if not (orders or wanted or batches):
            return False
        keys = g.keys.get()
        self._reconcile(keys)
        for order in orders:
            self._carry_out(keys, order)
        if wanted and self.current() is None:
            self._open_epoch(keys)
        for row in wanted:
            self._build(keys, NodeId(row["partner"]), Tier(row["tier"]))
        for row in batches:
            self._answer_queued(row)
        return True

    def _carry_out(self, keys: EvaluatorClient, order: dict[str, Any]) -> None:
        what = order["id"].removeprefix("order:")
        if what == "rotate":
            self._open_epoch(keys)
        elif what == "renew":
            # The clock's number is beyond all that were counted one by one before the loss.
            self._open_epoch(keys, int(self._g.clock().timestamp()) // 60)
        elif what.startswith("revoke:"):
            keys.revoke(what.partition(":")[2])
        elif what.startswith("restore:"):
            keys.restore(what.partition(":")[2])
        elif what.startswith("refresh:"):
            _, partner, tier = what.split(":")
            try:
                self.refresh(NodeId(partner), Tier(tier))
            except NotFound:
                log.info("private.nothing_to_refresh", peer=partner, tier=tier)
        self._g.store.write(lambda tx: records.remove(tx, records.queue, id=order["id"]))

    def _prepare(self, keys: EvaluatorClient) -> None:
        """Limits as the settings have them now, for a process that has just started."""
        g = self._g
        with g.store.read() as tx:
            partners = records.rows(tx, records.served, by=(records.served.c.partner, records.served.c.tier))
        for row in partners:
            if row["state"] == "revoked":
                keys.revoke(row["partner"])
            elif row["tier"] in g.chosen.quotas:
                quota = g.chosen.quota(row["partner"], row["tier"])
                keys.set_quota(row["partner"], KeyTier(row["tier"]), quota)
        for tier, most in g.chosen.ceilings.items():
            if most:
                keys.set_ceiling(KeyTier(tier), most)

    # --- epochs ---

    def current(self) -> dict[str, Any] | None:
        with self._g.store.read() as tx:
            return records.row(tx, records.epochs, state="current")

    def _reconcile(self, keys: EvaluatorClient) -> None:
        """The key process is right about which epochs there are: a crash may have parted the two."""
        known = {e.epoch: e for e in keys.meter().epochs}
        newest = max(known, default=0)
        with self._g.store.read() as tx:
            there = records.row(tx, records.epochs, number=newest)
        if newest and there is None and known[newest].state == "current":
            self._g.store.write(lambda tx: self._note_epoch(tx, newest))

    def _open_epoch(self, keys: EvaluatorClient, least: int = 1) -> None:
        g = self._g
        number = max(max((e.epoch for e in keys.meter().epochs), default=0) + 1, least)
        keys.open_epoch(number, (g.today() + timedelta(days=g.chosen.grace_days)).toordinal())
        g.store.write(lambda tx: self._note_epoch(tx, number))

    def _note_epoch(self, tx: Connection, number: int) -> None:
        g, today = self._g, self._g.today()
        grace = (today + timedelta(days=g.chosen.grace_days)).isoformat()
        records.change(tx, records.epochs, {"state": "current"}, state="grace", grace_until=grace)
        ends = (today + timedelta(days=g.chosen.epoch_days)).isoformat()
        records.put(
            tx,
            records.epochs,
            number=number,
            state="current",
            begins_on=today.isoformat(),
            ends_on=ends,
            grace_until="",
        )
        records.change(tx, records.served, {"state": "served"}, state="wanted")
        g.leaf(tx, LogVerb.ALTER, "private.epoch", Acting.machine(), "opened", epoch=number)

    def tick(self) -> None:
        """Once an hour or so: rotation when an epoch is over, the end of a grace, one delta a day for each list."""
        g, today = self._g, self._g.today().isoformat()
        with g.store.read() as tx:
            epochs = records.rows(tx, records.epochs, by=(records.epochs.c.number,))
            due = [h for h in self._live(tx) if h["changed_on"] < today]
        over = [e for e in epochs if e["state"] == "grace" and e["grace_until"] < today]
        if any(e["state"] == "current" and e["ends_on"] <= today for e in epochs):
            g.store.write(lambda tx: self._order(tx, "rotate", Acting.machine()))
            self.work()
            due = []
        for row in over:
            g.keys.get().destroy_epoch(row["number"])
            g.store.write(partial(self._end_epoch, number=row["number"]))
        for row in due:
            self.refresh(NodeId(row["partner"]), Tier(row["tier"]))
        self._forget()

    def _live(self, tx: Connection) -> list[dict[str, Any]]:
        """Lists of the current epoch whose partner is served."""
        epoch = records.row(tx, records.epochs, state="current")
        served = {(s["partner"], s["tier"]) for s in records.rows(tx, records.served, state="served")}
        found = records.rows(tx, records.held, epoch=epoch["number"]) if epoch else []
        return [h for h in found if (h["partner"], h["tier"]) in served]

    def _end_epoch(self, tx: Connection, number: int) -> None:
        g = self._g
        records.change(tx, records.epochs, {"number": number}, state="destroyed")
        for table in (records.pieces, records.deltas):
            records.remove(tx, table, side="held", epoch=number)
        for row in records.rows(tx, records.held, epoch=number):
            g.enqueue(tx, NodeId(row["partner"]), f"end:{row['tier']}:{number}")
        g.leaf(tx, LogVerb.ERASE, "private.epoch", Acting.machine(), "destroyed", epoch=number)

    def _forget(self) -> None:
        """What no opening and no request can ask for any more."""
        g = self._g
        before = g.clock() - timedelta(days=g.chosen.log_days)
        since = format_instant(before)

        def work(tx: Connection) -> None:
            records.remove(tx, records.answered, records.answered.c.at < since)
            gone = [e["number"] for e in records.rows(tx, records.epochs, state="destroyed")]
            records.remove(
                tx, records.held, records.held.c.epoch.in_(gone), records.held.c.changed_on < before.date().isoformat()
            )

        g.store.write(work)

    # --- lists ---

    def _name(self, partner: NodeId, tier: Tier, epoch: int) -> KeyName:
        return KeyName(self._g.node, partner, KeyTier(tier.value), epoch)

    def _mark(self, message: bytes) -> bytes:
        return self._g.vault.mac("private.key", message.hex())[:16]

    def _build(self, keys: EvaluatorClient, partner: NodeId, tier: Tier) -> None:
        """A list of the current epoch, signed and queued for its partner."""
        g = self._g
        epoch = self.current()
        if epoch is None or tier not in self._providers:
            return
        provider, classes, spec = self._providers[tier]
        name = self._name(partner, tier, epoch["number"])
        if tier.value in g.chosen.quotas:
            keys.set_quota(partner, name.tier, g.chosen.quota(partner, tier.value))
        step = holding.plan(None, provider(partner), self._mark, g.random)
        outputs = keys.set_up(name, step.inputs)
        pairs = [(o, rid) for o, (_, rids) in zip(outputs, step.behind, strict=True) for rid in rids]
        held = build_list([o for o, _ in pairs], [rid for _, rid in pairs], random=g.random)
        behind = {m: [(rid, tag) for tag, _, rid in found] for m, found in holding.laid(step, outputs).items()}
        raw = held.to_bytes()
        descriptor = Descriptor(
            g.node,
            partner,
            tier.value,
            name.epoch,
            spec(),
            classes,
            keys.public_key(name),
            len(held.tags),
            held.labelled,
            digest(raw),
            epoch["begins_on"],
            epoch["ends_on"],
        )
        kept = holding.Held(held, dict(step.meanings), behind)
        signed = g.sign(DESCRIPTOR_TYPE, descriptor_body(descriptor))
        g.store.write(lambda tx: self._ship(tx, descriptor, signed, kept, raw))

    def _ship(self, tx: Connection, d: Descriptor, signed: bytes, kept: holding.Held, raw: bytes) -> None:
        g = self._g
        row = records.row(tx, records.served, partner=d.partner, tier=d.tier)
        if row is None or row["state"] == "revoked":
            return
        self._keep(tx, d.partner, d.tier, d.epoch, kept, digest=d.digest, sequence=0, descriptor=signed)
        records.change(tx, records.served, {"partner": d.partner, "tier": d.tier}, state="served")
        records.remove(tx, records.pieces, side="held", node=d.partner, tier=d.tier, epoch=d.epoch)
        g.enqueue(tx, d.partner, f"desc:{d.tier}:{d.epoch}")
        for number, at in enumerate(range(0, len(raw), PIECE_BYTES)):
            piece = {"side": "held", "node": d.partner, "tier": d.tier, "epoch": d.epoch, "number": number}
            records.put(tx, records.pieces, **piece, raw=raw[at : at + PIECE_BYTES])
            g.enqueue(tx, d.partner, f"piece:{d.tier}:{d.epoch}:{number}")
        facts = {"partner": d.partner, "tier": d.tier, "epoch": d.epoch, "count": d.count}
        facts |= {"public": d.public.hex(), "descriptor": digest(signed), "keyspec": d.keyspec}
        g.leaf(tx, LogVerb.DISCLOSE, f"private.list.{d.tier}.{d.epoch}", Acting.machine(), "shipped", **facts)

    def _keep(self, tx: Connection, partner: str, tier: str, epoch: int, kept: holding.Held, **values: Any) -> None:
        g = self._g
        key = {"partner": partner, "tier": tier, "epoch": epoch}
        values["changed_on"] = g.today().isoformat()
        if "descriptor" in values:
            records.sealed_held.put(tx, g.vault, kept, **key, **values, published_at=format_instant(g.clock()))
        else:
            records.sealed_held.change(tx, g.vault, kept, key, **values)

    def _open(self, row: dict[str, Any]) -> holding.Held:
        found: holding.Held = records.sealed_held.open(self._g.vault, row)
        return found

    def refresh(self, partner: NodeId, tier: Tier) -> bool:
        """Ship what has changed in a list, or a block of padding where nothing has. False when the epoch was rotated
        instead, because the list is full. Raises `NotFound` where there is no such list now."""
        g = self._g
        with g.store.read() as tx:
            row = next((h for h in self._live(tx) if (h["partner"], h["tier"]) == (partner, tier.value)), None)
        if row is None:
            raise NotFound("private.no_list", "no list of this tier for this partner", step="refresh", field="tier")
        kept = self._open(row)
        step = holding.plan(kept, self._providers[tier][0](partner), self._mark, g.random)
        outputs = g.keys.get().set_up(self._name(partner, tier, row["epoch"]), step.inputs)
        laid = holding.laid(step, outputs)
        add = {tag: (label, rid) for found in laid.values() for tag, label, rid in found}
        leaving = chain(step.gone, laid)
        remove = [tag for mark in leaving for _, tag in kept.keys.get(mark, ())]
        try:
            change = change_list(kept.held, add, remove, g.random)
        except Refused as exc:
            if exc.code != "list.full":
                raise
            change = None
        if change is None or len(change.added) > _MOST_DELTA * 8:
            g.store.write(lambda tx: self._order(tx, "rotate", Acting.machine()))
            return False
        keys = {m: b for m, b in kept.keys.items() if m not in step.gone} | {
            m: [(rid, tag) for tag, _, rid in found] for m, found in laid.items()
        }
        self._ship_delta(
            row, holding.Held(change.after, dict(step.meanings), keys), change.added, change.labels, change.removed
        )
        return True

    def _ship_delta(self, row: dict[str, Any], kept: holding.Held, added: bytes, labels: bytes, removed: bytes) -> None:
        g = self._g
        partner, tier, epoch, sequence = NodeId(row["partner"]), row["tier"], row["epoch"], row["sequence"] + 1
        after = digest(kept.held.to_bytes())
        delta = Delta(g.node, partner, tier, epoch, sequence, row["digest"], after, added, labels, removed)
        raw = g.sign(DELTA_TYPE, *delta_body(delta))

        def work(tx: Connection) -> None:
            there = records.row(tx, records.held, partner=partner, tier=tier, epoch=epoch)
            if there is None or there["sequence"] != row["sequence"]:
                return  # another thread was quicker
            self._keep(tx, partner, tier, epoch, kept, digest=after, sequence=sequence)
            key = {"side": "held", "node": partner, "tier": tier, "epoch": epoch, "sequence": sequence}
            records.put(tx, records.deltas, **key, raw=raw)
            g.enqueue(tx, partner, f"delta:{tier}:{epoch}:{sequence}")
            facts = {"partner": partner, "tier": tier, "epoch": epoch, "sequence": sequence}
            g.leaf(tx, LogVerb.DISCLOSE, f"private.list.{tier}.{epoch}", Acting.machine(), "changed", **facts)

        g.store.write(work)

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader for what we ship as a holder; None: it may not go any more."""
        what, *rest = ref.split(":")
        if what == "end":
            return b"end"
        if what == "answer":
            row = records.row(tx, records.queue, id=_reply(to, rest[0]))
            return bytes(row["raw"]) if row else None
        served = records.row(tx, records.served, partner=to, tier=rest[0])
        if served is None or served["state"] == "revoked":
            return None
        key = {"tier": rest[0], "epoch": int(rest[1])}
        if what == "desc":
            row = records.row(tx, records.held, partner=to, **key)
            return bytes(row["descriptor"]) if row else None
        table, field = (records.pieces, "number") if what == "piece" else (records.deltas, "sequence")
        row = records.row(tx, table, side="held", node=to, **key, **{field: int(rest[2])})
        return bytes(row["raw"]) if row else None

    # --- what is listed ---

    def _persons_of(self, tier: Tier) -> Provider:
        def listings(_partner: NodeId) -> Iterator[Listing]:
            classes = _key_classes(tier)
            for record, person in chain(self._records(), self._canaries()):
                for key in held_keys(person, classes):
                    yield Listing(record, group_of(key.key_class), key.input)

        return listings

    def _records(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Our own holding: what a partner gave us is the partner's to tell."""
        after = 0
        while True:
            last, found = self._g.bank.new_holdings(after, _CHUNK)
            for record in found:
                source, country = record.provenance.source, record.provenance.originator or self._g.country
                if source not in PUBLIC_SOURCES:
                    yield record.id, words_of(record.entity, country)
            if last <= after or len(found) < _CHUNK:
                return
            after = last

    def _canaries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        with self._g.store.read() as tx:
            found = records.sealed_canaries.load(tx, self._g.vault, by=(records.canaries.c.id,))
        for row, person in found:
            yield row["id"], person

    def add_canary(self, person: dict[str, Any], by: Acting) -> str:
        """An invented person whom nobody has a reason to ask for. It stands in the lists from the next change on."""
        g = self._g
        g.need(by, Role.SUPERVISOR)
        if not held_keys(person):
            raise Invalid("canary.no_key", "no key can be made of this person", step="canary", field="person")
        ident = f"ca-{g.new_id()}"

        def work(tx: Connection) -> None:
            records.sealed_canaries.add(tx, g.vault, person, id=ident, at=format_instant(g.clock()))
            g.leaf(tx, LogVerb.COLLECT, "private.canary", by, "set")

        g.store.write(work)
        return ident

    # --- answering ---

    def answer(self, raw: bytes) -> bytes:
        """A partner's batch in, its answer or a signed refusal by name out. Raises `Untrusted` for a stranger."""
        envelope, payload = parse_frame(raw, MAX_BATCH)
        with self._g.store.read() as tx:
            asker, body = self._g.verified(tx, envelope, BATCH_TYPE)
        header: BatchHeader | None = None
        try:
            header, elements = parse_batch(body, payload)
            answer, evaluated = self._evaluate(header, elements, asker, body)
        except TansiqError as exc:
            if exc.http_status >= 500:
                raise
            return self._refuse(asker, header, body, exc)
        return self._g.sign(ANSWER_TYPE, answer_body(answer), evaluated)

    def _evaluate(self, header: BatchHeader, elements: bytes, asker: NodeId, body: bytes) -> tuple[Any, bytes]:
        g = self._g
        with g.store.read() as tx:
            served = records.row(tx, records.served, partner=asker, tier=header.tier)
            epochs = [e["number"] for e in records.rows(tx, records.epochs) if self._answers(e)]
            gone = records.exists(tx, records.epochs, number=header.epoch) and header.epoch not in epochs
        if served is not None and served["state"] == "revoked":
            raise Refused("meter.revoked", "this partner's private checks are revoked", step="batch")
        if served is None:
            raise Invalid("batch.tier", "a batch of a tier that is not served", step="batch", field="tier")
        if gone:
            raise Refused("epoch.ended", "this epoch is over", step="batch", field="epoch")
        spec = self._providers[Tier(header.tier)][2]()
        read_batch(header, asker=asker, holder=g.node, tier=served["tier"], epochs=epochs, keyspec=spec)
        if header.purpose not in set(Purpose):
            raise Invalid("batch.purpose", "no purpose that the law knows", step="batch", field="purpose")
        g.may_answer(asker, header.purpose)
        name = self._name(asker, Tier(header.tier), header.epoch)
        found: list[Any] = []

        def evaluate(asked: bytes) -> tuple[bytes, bytes]:
            made, proof, left, alarms = g.keys.get(ANSWER_WAIT_S).evaluate(name, header.sequence, asked)
            found.extend((left, alarms))
            return made, proof

        answer, evaluated = answer_batch(header, elements, evaluate)
        left, alarms = found

        def work(tx: Connection) -> None:
            self._note(tx, header, body, "", elements)
            self._leaf(tx, header, "evaluated", left=left)
            g.alarms(tx, alarms)

        g.store.write(work)
        return answer, evaluated

    def _answers(self, epoch: dict[str, Any]) -> bool:
        if epoch["state"] == "grace":
            return self._g.today() <= date.fromisoformat(epoch["grace_until"])
        return bool(epoch["state"] == "current")

    def _note(self, tx: Connection, header: BatchHeader, body: bytes, code: str, elements: bytes = b"") -> None:
        g = self._g
        values = {name: getattr(header, name) for name in ("tier", "epoch", "sequence", "count", "case", "purpose")} | {
            "partner": header.asker,
            "code": code,
            "at": format_instant(g.clock()),
            "body": body,
        }
        ident = header.digest if not code else digest(f"{g.new_id()}".encode())
        records.add(tx, records.answered, id=ident, elements=elements, **values)

    def _leaf(self, tx: Connection, header: BatchHeader, decision: str, **more: Any) -> None:
        facts = {"partner": header.asker, "tier": header.tier, "epoch": header.epoch, "sequence": header.sequence}
        facts |= {"count": header.count, "case": header.case}
        by = replace(Acting.machine(), purpose=header.purpose, justification="private check of a partner")
        self._g.leaf(tx, LogVerb.COMBINE, f"private.batch.{header.digest}", by, decision, **facts, **more)

    def _refuse(self, asker: NodeId, header: BatchHeader | None, body: bytes, why: TansiqError) -> bytes:
        g = self._g
        log.info("private.batch_refused", peer=asker, code=why.code)

        def work(tx: Connection) -> None:
            if header is None:
                return
            self._note(tx, replace(header, asker=asker), body, why.code)
            self._leaf(tx, replace(header, asker=asker), "refused", code=why.code)

        g.store.write(work)
        kind, asked = type(why).__name__, header.digest if header else _NOTHING
        return g.sign(REFUSAL_TYPE, refusal_body(g.node, asker, asked, kind, why.code))

    def _answer_queued(self, row: dict[str, Any]) -> None:
        """A batch that came by envelope: its answer goes the same way."""
        g, ident = self._g, row["id"].rpartition(":")[2]
        try:
            raw: bytes | None = self.answer(bytes(row["raw"]))
        except Untrusted as exc:
            log.warning("private.queued_batch_refused", peer=row["node"], code=exc.code)
            raw = None

        def work(tx: Connection) -> None:
            records.remove(tx, records.queue, id=row["id"])
            if raw is not None:
                values = {"what": "reply", "node": row["node"], "at": format_instant(g.clock()), "raw": raw}
                records.put(tx, records.queue, id=_reply(row["node"], ident), **values)
                g.enqueue(tx, NodeId(row["node"]), f"answer:{ident}")

        g.store.write(work)

    # --- what an opaque id means ---

    def meaning(self, rid: str, partner: NodeId | None = None) -> Meaning | None:
        """Which record an opaque id means; None where we never gave it (to this partner)."""
        wanted = bytes.fromhex(rid)
        with self._g.store.read() as tx:
            where: dict[str, Any] = {"partner": partner} if partner else {}
            rows = records.rows(tx, records.held, by=(records.held.c.epoch.desc(),), **where)
        for row in rows:
            if (of := self._open(row).meanings.get(wanted)) is not None:
                return Meaning(rid, NodeId(row["partner"]), row["tier"], row["epoch"], *of)
        return None

    def descriptor(self, row: dict[str, Any]) -> Descriptor:
        return own_descriptor(bytes(row["descriptor"]))

    def entries(self, row: dict[str, Any]) -> int:
        return len(self._open(row).held.real)


def _reply(asker: str, ident: str) -> str:
    """By its asker, who chose the reference: another may have chosen the same."""
    return f"reply:{asker}:{ident}"


def own_descriptor(raw: bytes) -> Descriptor:
    """A descriptor that we signed, or verified, before we kept it."""
    envelope, _ = parse_frame(raw, 0)
    return parse_descriptor(peek(envelope).body)


def _key_classes(tier: Tier) -> list[KeyClass]:
    return sorted(k for k in SERVED_CLASSES if tier_of(k).value == tier.value)


def _classes(tier: Tier) -> tuple[str, ...]:
    return tuple(k.value for k in _key_classes(tier))
