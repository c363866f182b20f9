"""DSSE v1 signing envelopes with exactly two signatures, Ed25519 and ML-DSA-65; a body counts only if both verify.

A forger must break both. The payload type is signed with the body (PAE), so that what was signed as one kind of
document never verifies as another.

A document is signed by itself, or in a batch (`batch.py`): then the key ids name the algorithms `ed25519.batch` and
`mldsa65.batch`, both signatures are those of the batch's root, and the place stands before the first of them.
One parser and one verification for both: whoever expects a document that is signed by itself gets no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from tansiq.crypto.batch import BATCH_TYPE, Member, Signing, climb, leaf_hash, places, root_body
from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.keys import ED25519_SIGNATURE_BYTES, PublicKeys, SigningKeys
from tansiq.crypto.suites import shown
from tansiq.crypto.wire import (
    MAX_ENVELOPE_BYTES,
    EnvelopeWire,
    Place,
    SignatureWire,
    from_base64,
    parse_envelope,
    parse_loose,
    parse_place,
    to_base64,
)
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.terms import NodeId
from tansiq.terms.ids import parse_node_id

_ALGORITHMS = ("ed25519", "mldsa65")
_IN_BATCH = ("ed25519.batch", "mldsa65.batch")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch whose signatures verified, as one of its documents showed it."""

    node: NodeId
    public: PublicKeys
    """By which they verified."""
    _signed: tuple[bytes, bytes, bytes]
    """Message, Ed25519, ML-DSA-65."""
    _main: bytes
    """The leaf at the left of the root."""
    _others: bytes
    """What stands at the right of it."""

    def whole(self, loose: bytes) -> bytes:
        """The envelope of the main document, which came without it. Raises `Untrusted("batch.*")` for any other."""
        payload_type, body, salt = parse_loose(loose)
        if leaf_hash(payload_type, salt, body) != self._main:
            raise Untrusted("batch.not_in", "a document that was not signed with this envelope", step="dsse")
        _message, ed25519, mldsa65 = self._signed
        return _envelope(payload_type, body, self.node, ed25519, mldsa65, Place(salt, 0, (self._others,)))

    def vouches(self, public: PublicKeys, node: NodeId, signed: tuple[bytes, bytes, bytes]) -> bool:
        """Whether this very signature verified by these very keys."""
        return (self.public, self.node, self._signed) == (public, node, signed)


@dataclass(frozen=True, slots=True)
class Unverified:
    """What an envelope claims before anything of it is verified: good only for finding whose keys to verify with."""

    payload_type: str
    body: bytes
    claimed: NodeId
    in_batch: bool
    _signatures: list[SignatureWire]

    def verified(
        self,
        payload_type: str,
        public: PublicKeys,
        node: NodeId,
        *,
        batches: bool = False,
        known: Batch | None = None,
    ) -> bytes:
        """The body, as `verify` would give it: the very bytes that were looked at are the verified ones."""
        return self.verified_in(payload_type, public, node, batches=batches, known=known)[0]

    def verified_in(
        self,
        payload_type: str,
        public: PublicKeys,
        node: NodeId,
        *,
        batches: bool = True,
        known: Batch | None = None,
    ) -> tuple[bytes, Batch | None]:
        """The body, and the batch that it was signed in, if any. What `known` vouches for is not verified twice."""
        if self.payload_type != payload_type:
            raise Untrusted("dsse.payload_type", "another payload type than expected", step="dsse", field="payloadType")
        if self.claimed != node:
            raise Untrusted("dsse.signer", "signed in another node's name", step="dsse", field="signatures.keyid")
        if self.in_batch and not batches:
            raise Untrusted(
                "dsse.in_batch", "this kind of document is signed by itself", step="dsse", field="signatures.keyid"
            )
        by_ed25519, by_mldsa65 = (from_base64(s.sig, "signatures.sig", "dsse.base64") for s in self._signatures)
        if not self.in_batch:
            _verify_both((pae(payload_type, self.body), by_ed25519, by_mldsa65), public, node)
            return self.body, None
        place, by_ed25519 = parse_place(by_ed25519[:-ED25519_SIGNATURE_BYTES]), by_ed25519[-ED25519_SIGNATURE_BYTES:]
        leaf = leaf_hash(payload_type, place.salt, self.body)
        message = pae(BATCH_TYPE, root_body(climb(leaf, place.index, place.path)))
        signed = (message, by_ed25519, by_mldsa65)
        if known is None or not known.vouches(public, node, signed):
            _verify_both(signed, public, node)
        return self.body, _batch_of(place, leaf, signed, public, node)

    def __iter__(self) -> Iterator[str | bytes]:
        """Unpacks as (payload_type, body)."""
        return iter((self.payload_type, self.body))


def _verify_both(signed: tuple[bytes, bytes, bytes], public: PublicKeys, node: NodeId) -> None:
    message, by_ed25519, by_mldsa65 = signed
    # Ed25519 first: it is the cheaper one, and garbage should cost little.
    if not public.verify_ed25519(by_ed25519, message):
        raise Untrusted("dsse.ed25519", "the Ed25519 signature does not verify", step="dsse", detail=node)
    if not public.verify_mldsa65(by_mldsa65, message):
        raise Untrusted("dsse.mldsa65", "the ML-DSA-65 signature does not verify", step="dsse", detail=node)


def _batch_of(
    place: Place, leaf: bytes, signed: tuple[bytes, bytes, bytes], public: PublicKeys, node: NodeId
) -> Batch | None:
    """None for what stands at the left of the root: nothing was carried with it."""
    below = len(place.path) - 1
    if not place.index >> below:
        return None
    others = climb(leaf, place.index, place.path[:below])
    return Batch(node, public, signed, place.path[below], others)


def pae(payload_type: str, body: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(body), body)


def sign(payload_type: str, body: bytes, keys: SigningKeys, node: NodeId) -> bytes:
    """The envelope, in canonical JSON, of `body` signed by `node`."""
    message = _to_sign(payload_type, body)
    return _envelope(payload_type, body, node, keys.sign_ed25519(message), keys.sign_mldsa65(message))


def begin_sign(payload_type: str, body: bytes, keys: SigningKeys, node: NodeId) -> Callable[[], bytes]:
    """As `sign`, for who has something else to do for a millisecond: what is returned waits for the envelope."""
    message = _to_sign(payload_type, body)
    begun = keys.begin_mldsa65(message)
    return lambda: _envelope(payload_type, body, node, keys.sign_ed25519(message), begun.result())


def begin_batch(
    main: Member, others: Sequence[Member], keys: SigningKeys, node: NodeId, random: RandomBytes = random_bytes
) -> Signing:
    """As `begin_sign`, one signature for all of them."""
    for member in (main, *others):
        _to_sign(member.payload_type, b"")
    root, of_main, of_others = places(main, others, random)
    message = pae(BATCH_TYPE, root_body(root))
    begun = keys.begin_mldsa65(message)
    by_ed25519 = keys.sign_ed25519(message)

    def render(member: Member, place: Place) -> bytes:
        return _envelope(member.payload_type, member.body, node, by_ed25519, begun.result(), place)

    return Signing(render, (main, of_main), list(zip(others, of_others, strict=True)))


def _to_sign(payload_type: str, body: bytes) -> bytes:
    if not payload_type or not payload_type.isascii() or not payload_type.isprintable():
        raise Invalid("dsse.payload_type", "a payload type is printable ASCII", step="sign", field="payloadType")
    if payload_type == BATCH_TYPE:
        raise Invalid("dsse.payload_type", "a root is signed by its batch alone", step="sign", field="payloadType")
    return pae(payload_type, body)


def _envelope(
    payload_type: str, body: bytes, node: NodeId, ed25519: bytes, mldsa65: bytes, place: Place | None = None
) -> bytes:
    first, second = _IN_BATCH if place else _ALGORITHMS
    signatures = [
        SignatureWire(f"{node}#{first}", to_base64(place.to_bytes() + ed25519 if place else ed25519)),
        SignatureWire(f"{node}#{second}", to_base64(mldsa65)),
    ]
    return msgspec.json.encode(EnvelopeWire(to_base64(body), payload_type, signatures))


def verify(
    raw: bytes,
    payload_type: str,
    public: PublicKeys,
    node: NodeId,
    max_bytes: int = MAX_ENVELOPE_BYTES,
    *,
    batches: bool = False,
) -> bytes:
    """The body, if `node` signed it as `payload_type` with both keys. Raises `Untrusted` with `dsse.*`.

    Strict on purpose: exactly the two signatures, each once, in order; unknown ones are refused, not skipped, because
    a skipped signature is a place to hide what one reader sees and another does not. `batches`: also where it was
    signed in a batch.
    """
    return peek(raw, max_bytes).verified(payload_type, public, node, batches=batches)


def peek(raw: bytes, max_bytes: int = MAX_ENVELOPE_BYTES) -> Unverified:
    """Who claims to have signed what, unverified. Raises `Untrusted` when the form alone is wrong."""
    envelope, body = parse_envelope(raw, max_bytes)
    claimed, in_batch = _signer(envelope)
    return Unverified(envelope.payloadType, body, claimed, in_batch, envelope.signatures)


def _signer(envelope: EnvelopeWire) -> tuple[NodeId, bool]:
    """The one node in both key ids, and whether they are a batch's. Raises `Untrusted` unless there is one signature
    of each algorithm, in order, and both in the same way."""
    if len(envelope.signatures) != len(_ALGORITHMS):
        raise Untrusted(
            "dsse.signatures", "an envelope carries exactly two signatures", step="dsse", field="signatures"
        )
    nodes, algorithms = [], []
    for signature in envelope.signatures:
        name, separator, algorithm = signature.keyid.partition("#")
        if not separator:
            raise Untrusted("dsse.keyid", "a key id is node#algorithm", step="dsse", field="signatures.keyid")
        if algorithm not in _ALGORITHMS and algorithm not in _IN_BATCH:
            raise Untrusted(
                "suite.unknown",
                f"unknown signature algorithm {shown(algorithm)}",
                step="dsse",
                field="signatures.keyid",
            )
        nodes.append(name)
        algorithms.append(algorithm)
    if tuple(algorithms) not in (_ALGORITHMS, _IN_BATCH):
        raise Untrusted(
            "dsse.signatures",
            "one Ed25519 and one ML-DSA-65 signature, in this order",
            step="dsse",
            field="signatures",
        )
    if nodes[0] != nodes[1]:
        raise Untrusted("dsse.signer", "the signatures name two nodes", step="dsse", field="signatures.keyid")
    try:
        return parse_node_id(nodes[0], "signatures.keyid"), tuple(algorithms) == _IN_BATCH
    except TansiqError as exc:
        raise Untrusted("dsse.keyid", "a key id is node#algorithm", step="dsse", field="signatures.keyid") from exc
