"""Node cards: making them, verifying a chain of them, reading a fingerprint aloud. Pure.

A card is signed by the keys that it names. The node id is derived from the node's *first* signing keys, so a node that
has rotated its keys hands out a chain: the first card, then each rotation (a newer card, signed by the keys before it
as well), then newer cards under the same keys. Whoever verifies the chain knows that the id belongs to the newest keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tansiq.crypto import (
    SUITE,
    NodeKeys,
    PublicKeys,
    SealingPublic,
    certificate_sha256,
    fingerprint,
    node_id,
    peek,
    sign,
    verify,
)
from tansiq.errors import Untrusted
from tansiq.exchange import wire
from tansiq.exchange.model import ExchangeSettings, NodeCard
from tansiq.terms import country_of

Held = tuple[tuple[PublicKeys, datetime | None], ...]
"""Signing keys, oldest first, each with the time at which it was replaced; None: today's."""


@dataclass(frozen=True, slots=True)
class VerifiedCard:
    """A card whose whole chain verifies. `links` is what others need to verify it again."""

    card: NodeCard
    signing: PublicKeys
    sealing: SealingPublic
    fingerprint: str
    links: tuple[bytes, ...]
    keys_since: int = 0
    """The card version at which the present keys began."""

    def to_bytes(self) -> bytes:
        return wire.render_card_file(list(self.links))


def card_for(keys: NodeKeys, chosen: ExchangeSettings, version: int, at: datetime) -> NodeCard:
    return NodeCard(
        node=keys.node,
        version=version,
        name=chosen.name,
        country=country_of(keys.node),
        url=chosen.url,
        languages=chosen.languages,
        contact=chosen.contact,
        signing_keys=keys.signing.public.to_wire(),
        sealing_keys=keys.sealing.public.to_wire(),
        tls_sha256=certificate_sha256(keys.tls_cert_pem),
        suites=(SUITE,),
        issued_at=at,
    )


def sign_card(card: NodeCard, keys: NodeKeys) -> bytes:
    return sign(wire.CARD_TYPE, wire.render_card(card), keys.signing, keys.node)


def sign_rotation(card_raw: bytes, former: NodeKeys) -> bytes:
    """The new card, vouched for by the keys that it replaces."""
    return sign(wire.ROTATION_TYPE, wire.render_rotation(card_raw), former.signing, former.node)


def verify_card_file(raw: bytes) -> VerifiedCard:
    """Raises `Invalid` or `Untrusted` naming the step and the field; returns the newest card of the chain."""
    return verify_links(tuple(wire.parse_card_file(raw)))


def verify_links(links: tuple[bytes, ...]) -> VerifiedCard:
    *_, (newest, since) = _each(links)
    said = fingerprint(newest.signing, newest.sealing)
    return VerifiedCard(newest.card, newest.signing, newest.sealing, said, links, since)


def _each(links: tuple[bytes, ...]) -> Iterator[tuple[VerifiedCard, int]]:
    """The card of each link, and the version at which its keys began: a chain is gone through once, however long."""
    newest, since = _first(links[0]), 0
    yield newest, since
    for link in links[1:]:
        newest = _next(newest, link)
        since = newest.card.version if is_rotation(link) else since
        yield newest, since


def former_keys(card: VerifiedCard) -> tuple[PublicKeys, ...]:
    """The signing keys that this card's chain has left behind, oldest first: for what was signed before a rotation."""
    every = [each.signing for each, _ in _each(card.links)]
    return tuple(keys for keys in dict.fromkeys(every) if keys != card.signing)


def held_keys(card: VerifiedCard) -> Held:
    """The signing keys of a card's chain, oldest first, each with the time at which it was replaced (today's: None)."""
    every = [each.card for each, _ in _each(card.links)]
    began = [c for n, c in enumerate(every) if n == 0 or c.signing_keys != every[n - 1].signing_keys]
    ends = [c.issued_at for c in began[1:]]
    keys = [PublicKeys.from_wire(c.signing_keys, "signing_keys") for c in began]
    return tuple(zip(keys, [*ends, None], strict=True))


def _self_signed(raw: bytes) -> VerifiedCard:
    """A card that its own keys sign. The keys are read from the unverified body, then they must verify that body."""
    wire.check_size("card", raw, wire.MAX_CARD_BYTES)
    claimed = peek(raw, wire.MAX_CARD_BYTES)
    card = wire.parse_card(claimed.body)
    signing = PublicKeys.from_wire(card.signing_keys, "signing_keys")
    sealing = SealingPublic.from_wire(card.sealing_keys, "sealing_keys")
    verify(raw, wire.CARD_TYPE, signing, card.node, wire.MAX_CARD_BYTES)
    return VerifiedCard(card, signing, sealing, "", (raw,))


def _first(raw: bytes) -> VerifiedCard:
    found = _self_signed(raw)
    if node_id(found.card.country, found.signing) != found.card.node:
        raise Untrusted("card.id_not_derived", "the node id does not follow from the keys", step="card", field="node")
    return found


def is_rotation(link: bytes) -> bool:
    return peek(link, wire.MAX_CARD_BYTES).payload_type == wire.ROTATION_TYPE


def _next(before: VerifiedCard, link: bytes) -> VerifiedCard:
    if is_rotation(link):
        body = verify(link, wire.ROTATION_TYPE, before.signing, before.card.node, wire.MAX_CARD_BYTES)
        after = _self_signed(wire.read("rotation", wire.parse_rotation, body))
    else:
        after = _self_signed(link)
        if after.signing != before.signing:
            raise Untrusted(
                "card.not_rotated", "new keys that the former keys did not sign", step="card", field="signing_keys"
            )
    if after.card.node != before.card.node:
        raise Untrusted("card.other_node", "the chain changes its node", step="card", field="node")
    if after.card.version <= before.card.version:
        raise Untrusted("card.version", "the chain does not go forward", step="card", field="version")
    return after


def may_replace(pinned: VerifiedCard, offered: VerifiedCard) -> bool:
    """True when `offered` goes on from the pinned keys; False when it is the very pin. Raises `Untrusted`.

    A chain proves that *some* former keys vouched. The pin asks for more: that the offered chain goes on from the one
    pinned *here*. Who stole keys that were rotated away could else put keys of its own between them and a true card of
    today, with today's fingerprint, and they would count as former keys of the node.
    """
    if offered.card.node != pinned.card.node:
        raise Untrusted("pin.other_node", "that is another node", step="pin", field="node")
    if offered.card == pinned.card:
        return False
    if offered.card.version <= pinned.card.version:
        raise Untrusted(
            "pin.version",
            "a different card of a version that is not newer than the pinned one",
            step="pin",
            field="version",
        )
    if not _goes_on(held_keys(pinned), held_keys(offered)):
        raise Untrusted(
            "pin.not_vouched", "the pinned keys did not sign the new ones", step="pin", field="signing_keys"
        )
    return True


def _goes_on(before: Held, after: Held) -> bool:
    """Whether the keys of `before`, each with its end, are the first of `after`; only the present keys may end."""
    *ended, (present, _) = before
    count = len(ended)
    return len(after) > count and after[:count] == tuple(ended) and after[count][0] == present
