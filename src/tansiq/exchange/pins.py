"""Our own card and our pinned partners. A pin changes only forward, and only with the pinned keys' consent."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tansiq.crypto import NodeKeys, PublicKeys
from tansiq.errors import Broken, Conflict, Invalid, NotFound, Untrusted
from tansiq.exchange import records
from tansiq.exchange.cards import (
    VerifiedCard,
    card_for,
    former_keys,
    is_rotation,
    may_replace,
    sign_card,
    sign_rotation,
    verify_card_file,
    verify_links,
)
from tansiq.exchange.ground import Ground
from tansiq.exchange.model import ItemState, NodeCard, Peer
from tansiq.terms import LogVerb, NodeId

CONTACT_GRAIN = timedelta(seconds=60)
"""An idle partner that polls costs no write more often than this."""


class Pins:
    """Who we are, and whom we trust to be who."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._verified: dict[tuple[NodeId, int], VerifiedCard] = {}
        self._log_keys: dict[tuple[NodeId, int], tuple[PublicKeys, ...]] = {}
        self._lock = threading.Lock()
        self.own = ground.store.write(self._own_card)

    @property
    def own_keys_since(self) -> int:
        return self.own.keys_since

    # --- our own card ---

    def check_own(self) -> None:
        """Raises `Broken` where another process has rotated our keys since we were opened."""
        self.own = self._ground.store.write(self._own_card)

    def _own_card(self, tx: Connection) -> VerifiedCard:
        """The stored card while it still says what is true, else its successor."""
        ground, now = self._ground, self._ground.clock()
        stored = records.load_own_card(tx)
        if stored is None:
            return self._keep_own(tx, (sign_card(card_for(ground.keys, ground.chosen, 1, now), ground.keys),))
        before = verify_card_file(stored[1])
        if before.card.node != ground.node or before.signing != ground.keys.signing.public:
            raise Broken(
                "card.keys_changed",
                "the keys are not those of the stored card",
                step="open exchange",
                detail=ground.node,
            )
        wanted = card_for(ground.keys, ground.chosen, before.card.version, before.card.issued_at)
        if wanted == before.card:
            return before
        newer = replace(wanted, version=before.card.version + 1, issued_at=now)
        return self._keep_own(tx, (*_needed(before), sign_card(newer, ground.keys)))

    def _keep_own(self, tx: Connection, links: tuple[bytes, ...]) -> VerifiedCard:
        card = verify_links(links)
        records.save_own_card(tx, card.card.node, card.card.version, card.to_bytes())
        return card

    def rotate(self, tx: Connection, new: NodeKeys) -> VerifiedCard:
        """The same node under new keys. Envelopes that the former keys signed are given up; their items go out anew."""
        ground = self._ground
        if new.node != ground.node:
            raise Invalid("rotation.other_node", "the new keys bear another node id", step="rotate", field="node")
        card = card_for(new, ground.chosen, self.own.card.version + 1, ground.clock())
        rotation = sign_rotation(sign_card(card, new), ground.keys)
        found = self._keep_own(tx, (*_needed(self.own, keep_last=True), rotation))
        for row in records.load_peers(tx):
            _give_up_envelopes(tx, row.node, ground.clock())
        ground.ledger.append(
            tx, verb=LogVerb.ALTER, subject=ground.node, content={"decision": "keys rotated"}, at=ground.clock()
        )
        return found

    # --- partners ---

    def add(self, raw: bytes) -> Peer:
        """Pin a partner's card. Raises `Untrusted` when it does not verify or is a second, different pin."""
        offered = verify_card_file(raw)
        if offered.card.node == self._ground.node:
            raise Invalid("pin.own_node", "that is this node's own card", step="pin", field="node")

        def work(tx: Connection) -> None:
            row = records.load_peer(tx, offered.card.node)
            if row is not None:
                may_replace(verify_card_file(row.file), offered)
                if row.state == "pinned" and row.version == offered.card.version:
                    return
            records.save_peer(tx, offered.card.node, offered.card.version, offered.to_bytes(), self._ground.clock())

        self._ground.store.write(work)
        self._ground.bell.contact(offered.card.node)
        return self.peer(offered.card.node)

    def remove(self, node: NodeId) -> None:
        """At once: nothing is accepted from it and nothing is formed for it, in any process on this store."""

        def work(tx: Connection) -> None:
            if not records.set_peer_state(tx, node, "removed"):
                raise NotFound("peer.unknown", "no such partner is pinned", step="remove peer", detail=node)
            # What may have arrived, or is being posted now, is not called refused.
            for open_one in records.open_envelopes(tx, node):
                records.mark_sent(tx, open_one.id, self._ground.clock())
            records.close_items(tx, node, ItemState.QUEUED, ItemState.REFUSED, "peer.removed")
            records.close_items(tx, node, ItemState.SENT, ItemState.EXPIRED, "peer.removed")
            _give_up_envelopes(tx, node, self._ground.clock())

        self._ground.store.write(work)
        self._ground.bell.ring(node)

    def hold(self, tx: Connection) -> list[NodeId]:
        """Nothing passes to or from any partner until each is confirmed: one may have been removed since the backup.

        What is queued waits. What was formed is given up: it is asked of its loader again when it goes.
        """
        held = [row.node for row in records.load_peers(tx) if row.state == "pinned"]
        for node in held:
            records.set_peer_state(tx, node, "held")
            _give_up_envelopes(tx, node, self._ground.clock())
        return held

    def confirm(self, tx: Connection, node: NodeId) -> bool:
        """A held partner is one again. False where it is not held."""
        state = records.peer_state(tx, node)
        if state is None or state[0] != "held":
            return False
        records.set_peer_state(tx, node, "pinned")
        self._ground.store.after_commit(tx, lambda: self._ground.bell.contact(node))
        return True

    def _as_peer(self, row: records.PeerRow) -> Peer:
        card = self._card(row.node, row.version, row.file)
        chosen = self._ground.chosen
        polled = bool(card.card.url) and (row.node in chosen.poll or not chosen.url)
        return Peer(card.card, card.fingerprint, row.state, row.pinned_at, row.last_contact_at, polled)

    def _card(self, node: NodeId, version: int, file: bytes) -> VerifiedCard:
        with self._lock:
            found = self._verified.get((node, version))
        if found is None:
            found = verify_card_file(file)
            with self._lock:
                self._verified[(node, version)] = found
        return found

    def find(self, tx: Connection, node: NodeId) -> Peer | None:
        row = records.load_peer(tx, node)
        return None if row is None else self._as_peer(row)

    def find_for(self, tx: Connection, node: NodeId, envelope: str) -> Peer | None:
        """The partner that an envelope of ours may be posted to, in whatever process it was given up."""
        row = records.load_peer_of_open(tx, node, envelope)
        return None if row is None else self._as_peer(row)

    def peer(self, node: NodeId) -> Peer:
        with self._ground.store.read() as tx:
            found = self.find(tx, node)
        if found is None:
            raise NotFound("peer.unknown", "no such partner is pinned", step="peer", detail=node)
        return found

    def all(self) -> list[Peer]:
        with self._ground.store.read() as tx:
            rows = records.load_peers(tx)
        return [self._as_peer(r) for r in rows]

    def pinned(self, tx: Connection, node: NodeId) -> VerifiedCard:
        """The keys to trust for `node` now. Raises `Untrusted`: unknown and removed look alike to the other side."""
        found = self.find_pinned(tx, node)
        if found is None:
            raise Untrusted(
                "peer.not_pinned", "the author is not a pinned partner", step="peer", field="from", detail=node
            )
        return found

    def find_pinned(self, tx: Connection, node: NodeId) -> VerifiedCard | None:
        state = records.peer_state(tx, node)
        if state is None or state[0] != "pinned":
            return None
        with self._lock:
            found = self._verified.get((node, state[1]))
        if found is not None:
            return found
        row = records.load_peer(tx, node)
        if row is None:
            raise Broken("peer.vanished", "a pinned partner has no card", step="peer", detail=node)
        return self._card(node, row.version, row.file)

    def known(self, node: NodeId) -> VerifiedCard | None:
        """The newest card of a partner that this process has met: it may not be pinned any more."""
        with self._lock:
            return max(
                (card for (of, _), card in self._verified.items() if of == node),
                key=lambda card: card.card.version,
                default=None,
            )

    def log_keys(self, tx: Connection, node: NodeId) -> tuple[PublicKeys, ...]:
        """By which its ledger verifies, newest first; none for a node that was never pinned."""
        own = node == self._ground.node
        row = None if own else records.load_peer(tx, node)
        if not own and row is None:
            return ()
        card = self.own if row is None else self._card(node, row.version, row.file)
        key = (node, card.card.version)
        with self._lock:
            found = self._log_keys.get(key)
        if found is None:
            found = (card.signing, *reversed(former_keys(card)))
            with self._lock:
                self._log_keys[key] = found
        return found

    def resolve(self, word: str) -> NodeId:
        """A node id, a country code or a name of one partner, pinned or held. Raises `NotFound`, or `Invalid` where
        several answer to it."""
        cards = self._cards()
        low = word.strip().lower()
        for same in (_by_id, _by_country, _by_name):
            found = [c.node for c in cards if same(c, low)]
            if len(found) > 1:
                raise Invalid(
                    "peer.ambiguous", "several partners answer to that word: give the node id", step="peer", field="to"
                )
            if found:
                return found[0]
        raise NotFound("peer.unknown", "no pinned partner answers to that word", step="peer", field="to")

    def _cards(self) -> list[NodeCard]:
        """Cards known in memory are not read again; the short rows are, so that a pin or a removal counts at once."""
        with self._ground.store.read() as tx:
            there = [(node, version) for node, state, version in records.peer_states(tx) if state != "removed"]
            with self._lock:
                known = {pin: self._verified[pin] for pin in there if pin in self._verified}
            rows = {} if len(known) == len(there) else {r.node: r for r in records.load_peers(tx)}
        return [(known.get(pin) or self._card(*pin, rows[pin[0]].file)).card for pin in there]

    def note_contact(self, tx: Connection, node: NodeId, at: datetime) -> None:
        """Inside a write that happens anyway."""
        records.note_contact(tx, node, at)

    def note_quiet_contact(self, node: NodeId) -> None:
        """A contact that changed nothing else: written once a minute at most."""
        now = self._ground.clock()
        with self._ground.store.read() as tx:
            row = records.load_peer(tx, node)
        if row is not None and (row.last_contact_at is None or abs(now - row.last_contact_at) >= CONTACT_GRAIN):
            self._ground.store.write(lambda tx: records.note_contact(tx, node, now))
        self._ground.bell.contact(node)

    def file_of(self, tx: Connection, node: NodeId, version: int) -> bytes:
        found = records.load_card_file(tx, node, version)
        if found is None:
            raise Conflict("card.unknown_version", "no card of that version is kept", step="prove", detail=node)
        return found


def _by_id(card: NodeCard, word: str) -> bool:
    return card.node == word


def _by_country(card: NodeCard, word: str) -> bool:
    return card.country.lower() == word


def _by_name(card: NodeCard, word: str) -> bool:
    return card.name.lower() == word


def _needed(before: VerifiedCard, *, keep_last: bool = False) -> tuple[bytes, ...]:
    """The links that a successor must carry: all that change keys, and the first, from which the node id follows."""
    kept = [link for n, link in enumerate(before.links) if n == 0 or is_rotation(link)]
    if not keep_last and len(kept) == 1:
        # Same keys as the first card: the id follows from the successor itself.
        return ()
    return tuple(kept)


def _give_up_envelopes(tx: Connection, node: NodeId, at: datetime) -> None:
    """A courier may be posting one of them at this moment: what is in them counts as sent."""
    for row in records.open_envelopes(tx, node):
        records.mark_sent(tx, row.id, at)
        records.free_items(tx, row.id)
        records.give_up_envelope(tx, row.id)
