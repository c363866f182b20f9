"""Partners' lists, taken in and kept current: descriptors, pieces, changes, ends, and the files they become.

A list is asked only once it is whole and what its holder signed. Its row changes only where it still is as it was
read: an end is filed by another thread, and what ended stays so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from tansiq.access.model import Acting
from tansiq.errors import Conflict, Invalid, NotFound, Refused, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.private import records
from tansiq.private.ground import Ground, log
from tansiq.private.holder import own_descriptor
from tansiq.private.lists import TagList, apply_delta
from tansiq.private.model import (
    BATCH_SIZES,
    ELEMENT_BYTES,
    Tier,
)
from tansiq.private.shelf import Shelf
from tansiq.private.wire import (
    DELTA_TYPE,
    DESCRIPTOR_TYPE,
    MAX_BLOCKS,
    MAX_ENVELOPE,
    digest,
    list_bytes,
    parse_delta,
    parse_descriptor,
    parse_frame,
)
from tansiq.terms import LogVerb, NodeId, format_instant, later

MAX_ANSWER = max(BATCH_SIZES) * ELEMENT_BYTES
MAX_PIECES = 2400
_MAX_DELTA = MAX_BLOCKS * 256 * 32
MAX_LETTER = 8 + MAX_ENVELOPE + MAX_ANSWER
"""A batch or an answer that comes by envelope."""
MOST_QUEUED = 4096
"""Of one partner, and not looked at yet."""
MOST_AHEAD = 400
"""Changes of one list that wait for those before them: more than the days for which an item is kept."""
MOST_LISTS, LISTS_IN = 16, timedelta(days=30)
"""Of one partner and tier in so many days. An epoch lasts for months; some are begun anew by hand."""
_LIVING = ("ready", "old")
"""States of a list that is asked, changed and looked up: `old` is one of an earlier epoch, while its grace lasts."""
_TAKING = ("arriving", *_LIVING)
_TRIES = 3


class Taking:
    """What partners ship to us."""

    def __init__(self, ground: Ground) -> None:
        self._g = ground
        self.shelf = Shelf(ground.home, ground.fault)
        self._untidy = threading.Event()
        """There may be files of no living list. From the start on: an earlier process may have died between two."""
        self._untidy.set()

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """The inbox's handler: keeps what came; the worker reads it. Raises `Untrusted` on what does not verify."""
        what, *rest = item.ref.split(":")
        g = self._g
        if what in ("batch", "answer"):
            self._queue(tx, what, sender, rest, item.payload)
        elif what == "end":
            self._end(tx, sender, rest)
        elif what == "desc":
            self._take_descriptor(tx, sender, item.payload)
        elif what in ("piece", "delta"):
            self._take_bytes(tx, sender, what, rest, item.payload)
        else:
            return ItemResult(item.ref, received=False, reason="private.unknown")
        g.store.after_commit(tx, g.wake)
        return ItemResult(item.ref, received=True)

    def _queue(self, tx: Connection, what: str, sender: NodeId, rest: list[str], raw: bytes) -> None:
        if len(rest) != 1 or not rest[0]:
            raise _no_ref()
        if len(raw) > MAX_LETTER:
            raise Untrusted("private.too_large", "larger than such a message can be", step="private")
        if records.queued(tx, what, sender) >= MOST_QUEUED:
            raise Conflict("private.too_many", "so many of this partner wait already", step="private")
        values = {"what": what, "node": sender, "at": format_instant(self._g.clock()), "raw": raw}
        records.put(tx, records.queue, id=f"{what}:{sender}:{rest[0]}", **values)

    def _take_descriptor(self, tx: Connection, sender: NodeId, raw: bytes) -> None:
        g = self._g
        envelope, _ = parse_frame(raw, 0)
        _, body = g.verified(tx, envelope, DESCRIPTOR_TYPE, sender)
        found = parse_descriptor(body)
        if found.holder != sender or found.partner != g.node:
            raise Untrusted("private.descriptor", "a list of another pair of nodes", step="private", field="holder")
        if found.tier not in set(Tier):
            raise Untrusted("private.descriptor", "a list of no tier that there is", step="private", field="tier")
        key = {"holder": sender, "tier": found.tier, "epoch": found.epoch}
        there = records.row(tx, records.taken, **key)
        if there is not None and own_descriptor(bytes(there["descriptor"])) != found:
            # One epoch has one key and one list: a second one would tell who asked under the first.
            raise Untrusted("private.two_descriptors", "a second list of one epoch", step="private", field="epoch")
        if there is not None:
            return
        since = format_instant(later(g.clock(), -LISTS_IN))
        c = records.taken.c
        if len(records.rows(tx, records.taken, c.changed_at >= since, holder=sender, tier=found.tier)) >= MOST_LISTS:
            # Each may be gigabytes, and nothing but its maker's word says how many there are.
            raise Conflict("private.too_many", "so many lists of this tier came lately", step="private", field="epoch")
        now = format_instant(g.clock())
        values = {"state": "arriving", "descriptor": raw, "digest": found.digest, "sequence": 0, "last_asked": 0}
        records.add(tx, records.taken, **key, **values, changed_at=now)
        facts = {"partner": sender, "tier": found.tier, "epoch": found.epoch, "count": found.count}
        facts |= {"public": found.public.hex(), "descriptor": digest(raw), "keyspec": found.keyspec}
        g.leaf(tx, LogVerb.COLLECT, f"private.list.{found.tier}.{found.epoch}", Acting.machine(), "taken", **facts)

    def _take_bytes(self, tx: Connection, sender: NodeId, what: str, rest: list[str], raw: bytes) -> None:
        tier, epoch, number = _place(rest)
        there = records.row(tx, records.taken, holder=sender, tier=tier, epoch=epoch)
        if there is None:
            # Its descriptor goes first. Without it nobody knows how much it may be, nor ever reads it.
            raise NotFound("private.no_list", "a piece of no list that we know", step="private", field="ref")
        place = {"side": "taken", "node": sender, "tier": tier, "epoch": epoch}
        if what == "piece":
            self._take_piece(tx, there, place, number, raw)
        else:
            self._take_delta(tx, there, place, number, raw)

    def _take_piece(
        self, tx: Connection, there: dict[str, Any], place: dict[str, Any], number: int, raw: bytes
    ) -> None:
        sizes = records.piece_sizes(tx, *place.values())
        if there["state"] != "arriving" or number in sizes:
            return  # it is whole, or over, or here: what comes again is not kept
        found = own_descriptor(bytes(there["descriptor"]))
        if number >= MAX_PIECES or sum(sizes.values()) + len(raw) > list_bytes(found.count, found.labelled):
            raise Untrusted("private.too_large", "more pieces than this list has", step="private")
        records.add(tx, records.pieces, **place, number=number, raw=raw)

    def _take_delta(
        self, tx: Connection, there: dict[str, Any], place: dict[str, Any], number: int, raw: bytes
    ) -> None:
        if there["state"] in ("ended", "broken") or number <= there["sequence"]:
            return
        if number > there["sequence"] + MOST_AHEAD or len(raw) > 8 + MAX_ENVELOPE + _MAX_DELTA:
            raise Untrusted("private.too_large", "more changes than can wait", step="private")
        records.add(tx, records.deltas, **place, sequence=number, raw=raw)

    def _end(self, tx: Connection, sender: NodeId, rest: list[str]) -> None:
        """The holder has closed an epoch, or all of our checks."""
        where: dict[str, Any] = {"holder": sender}
        if rest[:1] != ["all"]:
            where["tier"], where["epoch"], _ = _place([*rest, "0"])
        records.change(tx, records.taken, where, state="ended", changed_at=format_instant(self._g.clock()))
        self._drop_waiting(tx, sender, {name: where[name] for name in where if name != "holder"})
        self._g.store.after_commit(tx, self._untidy.set)

    @staticmethod
    def _drop_waiting(tx: Connection, holder: str, where: Mapping[str, Any]) -> None:
        """What came of a list that will never be whole, or never changes again."""
        for table in (records.pieces, records.deltas):
            records.remove(tx, table, side="taken", node=holder, **where)

    def work(self) -> bool:
        """Assemble what is complete, apply changes. True when something was done."""
        with self._g.store.read() as tx:
            arriving = records.rows(tx, records.taken, state="arriving")
            waiting = records.waiting_deltas(tx)
        done = [self.guarded(self._assemble, row) for row in arriving]
        return any([*done, *(self.guarded(self._apply, row) for row in waiting)])

    def look_over(self) -> None:
        """Another process of this home may have ended lists: the next work looks."""
        self._untidy.set()

    def tidy(self) -> None:
        """Removes the files that no living list names."""
        if not self._untidy.is_set():
            return
        self._untidy.clear()
        with self.shelf.held():
            with self._g.store.read() as tx:
                living = records.digests(tx, _LIVING)
            gone = self.shelf.sweep(living)
        if gone:
            log.info("private.lists_swept", files=gone)

    def guarded(self, step: Callable[[dict[str, Any]], bool], row: dict[str, Any]) -> bool:
        """One partner's broken bytes must not hold up another's."""
        try:
            return step(row)
        except (Untrusted, Conflict, Invalid) as exc:
            log.warning("private.partner_refused", code=exc.code, peer=row.get("holder") or row.get("node"))
            self._g.store.write(partial(self._break, row=row, code=exc.code))
            return True

    def _break(self, tx: Connection, row: dict[str, Any], code: str) -> None:
        if "id" in row:
            records.remove(tx, records.queue, id=row["id"])
            return
        if code == "delta.sequence":
            return
        holder = row.get("holder") or row["node"]
        where = {"holder": holder, "tier": row["tier"], "epoch": row["epoch"]}
        # Its end came meanwhile: what is wrong with it then is that it has ended.
        if not any(records.change(tx, records.taken, where | {"state": s}, state="broken") for s in _TAKING):
            return
        self._g.store.after_commit(tx, self._untidy.set)
        self._drop_waiting(tx, holder, {"tier": row["tier"], "epoch": row["epoch"]})
        self._g.alarm(tx, "list_broken", holder, row["tier"], 0, 0, code)

    def _assemble(self, row: dict[str, Any]) -> bool:
        with self.shelf.held():
            return self._assemble_held(row)

    def _assemble_held(self, row: dict[str, Any]) -> bool:
        g = self._g
        found = own_descriptor(bytes(row["descriptor"]))
        size = list_bytes(found.count, found.labelled)
        place = (row["holder"], row["tier"], row["epoch"])
        with g.store.read() as tx:
            sizes = records.piece_sizes(tx, "taken", *place)
        # In order; a gap ends them.
        there = [number for at, number in enumerate(sorted(sizes)) if number == at]
        if sum(sizes[number] for number in there) < size:
            return False
        self._untidy.set()
        self.shelf.write((self._piece(place, number) for number in there), found.digest)
        with TagList(self.shelf.path(found.digest), found) as tags:
            tags.verify()

        def work(tx: Connection) -> bool:
            if not self._move(tx, place, {"state": "arriving"}, state="ready", changed_at=format_instant(g.clock())):
                return False  # its end came meanwhile
            node, tier, epoch = place
            records.remove(tx, records.pieces, side="taken", node=node, tier=tier, epoch=epoch)
            # An older epoch's changes do not come any more once the newer list is there.
            c = records.taken.c
            for old in records.rows(tx, records.taken, c.epoch < epoch, holder=node, tier=tier, state="ready"):
                self._move(tx, (node, tier, old["epoch"]), {"state": "ready"}, state="old")
            return True

        done = g.store.write(work)
        g.fault("list.assembled")
        return done

    def _move(self, tx: Connection, place: tuple[str, str, int], still: Mapping[str, Any], **values: Any) -> bool:
        """Only where it still is as it was read: its end may have been filed since."""
        where = {"holder": place[0], "tier": place[1], "epoch": place[2], **still}
        return bool(records.change(tx, records.taken, where, **values))

    def _piece(self, place: tuple[str, str, int], number: int) -> bytes:
        """One at a time: a list may be larger than memory."""
        node, tier, epoch = place
        with self._g.store.read() as tx:
            row = records.row(tx, records.pieces, side="taken", node=node, tier=tier, epoch=epoch, number=number)
        return bytes(row["raw"]) if row else b""

    def _apply(self, row: dict[str, Any]) -> bool:
        """One delta, if it is the next one of its list."""
        with self.shelf.held():
            return self._apply_held(row)

    def _apply_held(self, row: dict[str, Any]) -> bool:
        g, place = self._g, (row["node"], row["tier"], row["epoch"])
        with g.store.read() as tx:
            there = records.row(tx, records.taken, holder=place[0], tier=place[1], epoch=place[2])
            if there is None or there["state"] not in _LIVING or row["sequence"] > there["sequence"] + 1:
                return False
            key = {"side": "taken", "node": place[0], "tier": place[1], "epoch": place[2], "sequence": row["sequence"]}
            if row["sequence"] <= there["sequence"]:
                g.store.write(lambda tx: records.remove(tx, records.deltas, **key))
                return False
            kept = records.row(tx, records.deltas, **key)
            if kept is None:
                return False
            envelope, payload = parse_frame(bytes(kept["raw"]), _MAX_DELTA)
            _, body = g.verified(tx, envelope, DELTA_TYPE, NodeId(place[0]))
        delta = parse_delta(body, payload)
        if delta.holder != place[0] or delta.partner != g.node:
            raise Untrusted("delta.epoch", "a change of another list", step="delta", field="holder")
        now = replace(own_descriptor(bytes(there["descriptor"])), digest=there["digest"])
        try:
            raw = self.shelf.path(there["digest"]).read_bytes()
        except FileNotFoundError as exc:
            raise Conflict("list.lost", "the file of this list is gone", step="delta", field="before") from exc
        after, changed = apply_delta(raw, now, delta, there["sequence"])
        self._untidy.set()
        self.shelf.write((after,), changed.digest)

        def work(tx: Connection) -> bool:
            still = {name: there[name] for name in ("state", "digest", "sequence")}
            at = format_instant(g.clock())
            values = {"digest": changed.digest, "sequence": delta.sequence, "changed_at": at}
            if not self._move(tx, place, still, **values):
                return False
            records.remove(tx, records.deltas, **key)
            # A row, so that no watch misses a change whose process died behind this commit.
            ident = f"look:{place[0]}:{place[1]}:{place[2]}"
            records.put(tx, records.queue, id=ident, what="look", node=place[0], at=at, raw=b"")
            return True

        done = g.store.write(work)
        g.fault("list.changed")
        return done

    def lists(self, tx: Connection, partner: NodeId, tier: Tier) -> dict[str, Any] | None:
        """The newest list of a tier that can be asked."""
        c = records.taken.c
        found = records.rows(tx, records.taken, by=(c.epoch.desc(),), holder=partner, tier=tier.value)
        return next((r for r in found if r["state"] in _LIVING), None)

    def tags(self, row: dict[str, Any]) -> TagList:
        """The list as it is now. Where it changes between the row and its file, the row is read once more."""
        for _ in range(_TRIES):
            with self._g.store.read() as tx:
                taken = records.row(tx, records.taken, holder=row["holder"], tier=row["tier"], epoch=row["epoch"])
            if taken is not None and taken["state"] == "ended":
                raise Refused("epoch.ended", "the partner has ended this list", step="check", field="epoch")
            if taken is None or taken["state"] not in _LIVING:
                break
            found = replace(own_descriptor(bytes(taken["descriptor"])), digest=taken["digest"])
            with suppress(FileNotFoundError):
                return TagList(self.shelf.path(found.digest), found)
        raise NotFound("check.no_list", "the list is gone", step="check", field="tier")


def _place(rest: list[str]) -> tuple[str, int, int]:
    """(tier, epoch, number) of an item's reference."""
    tier, *numbers = rest or [""]
    if (
        tier not in set(Tier)
        or len(numbers) != 2
        or not all(n.isascii() and n.isdigit() and len(n) < 10 for n in numbers)
    ):
        raise _no_ref()
    return tier, int(numbers[0]), int(numbers[1])


def _no_ref() -> Untrusted:
    return Untrusted("private.malformed", "a reference of another form", step="private", field="ref")
