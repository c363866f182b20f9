"""DSSE v1 signing envelopes with exactly two signatures, Ed25519 and ML-DSA-65; a body counts only if both verify.

A forger must break both. The payload type is signed with the body (PAE), so that what was signed as one kind of
document never verifies as another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from tansiq.crypto.keys import PublicKeys, SigningKeys
from tansiq.crypto.suites import shown
from tansiq.crypto.wire import (
    MAX_ENVELOPE_BYTES,
    EnvelopeWire,
    SignatureWire,
    from_base64,
    parse_envelope,
    to_base64,
)
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.terms import NodeId
from tansiq.terms.ids import parse_node_id

_ALGORITHMS = ("ed25519", "mldsa65")


@dataclass(frozen=True, slots=True)
class Unverified:
    """What an envelope claims before anything of it is verified: good only for finding whose keys to verify with."""

    payload_type: str
    body: bytes
    claimed: NodeId
    _signatures: list[SignatureWire]

    def verified(self, payload_type: str, public: PublicKeys, node: NodeId) -> bytes:
        """The body, as `verify` would give it: the very bytes that were looked at are the verified ones."""
        if self.payload_type != payload_type:
            raise Untrusted("dsse.payload_type", "another payload type than expected", step="dsse", field="payloadType")
        if self.claimed != node:
            raise Untrusted("dsse.signer", "signed in another node's name", step="dsse", field="signatures.keyid")
        message = pae(payload_type, self.body)
        by_ed25519, by_mldsa65 = (from_base64(s.sig, "signatures.sig", "dsse.base64") for s in self._signatures)
        # Ed25519 first: it is the cheaper one, and garbage should cost little.
        if not public.verify_ed25519(by_ed25519, message):
            raise Untrusted("dsse.ed25519", "the Ed25519 signature does not verify", step="dsse", detail=node)
        if not public.verify_mldsa65(by_mldsa65, message):
            raise Untrusted("dsse.mldsa65", "the ML-DSA-65 signature does not verify", step="dsse", detail=node)
        return self.body

    def __iter__(self) -> Iterator[str | bytes]:
        """Unpacks as (payload_type, body)."""
        return iter((self.payload_type, self.body))


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


def _to_sign(payload_type: str, body: bytes) -> bytes:
    if not payload_type or not payload_type.isascii() or not payload_type.isprintable():
        raise Invalid("dsse.payload_type", "a payload type is printable ASCII", step="sign", field="payloadType")
    return pae(payload_type, body)


def _envelope(payload_type: str, body: bytes, node: NodeId, ed25519: bytes, mldsa65: bytes) -> bytes:
    signatures = [
        SignatureWire(f"{node}#ed25519", to_base64(ed25519)),
        SignatureWire(f"{node}#mldsa65", to_base64(mldsa65)),
    ]
    return msgspec.json.encode(EnvelopeWire(to_base64(body), payload_type, signatures))


def verify(
    raw: bytes, payload_type: str, public: PublicKeys, node: NodeId, max_bytes: int = MAX_ENVELOPE_BYTES
) -> bytes:
    """The body, if `node` signed it as `payload_type` with both keys. Raises `Untrusted` with `dsse.*`.

    Strict on purpose: exactly the two signatures, each once, in order; unknown ones are refused, not skipped, because
    a skipped signature is a place to hide what one reader sees and another does not.
    """
    return peek(raw, max_bytes).verified(payload_type, public, node)


def peek(raw: bytes, max_bytes: int = MAX_ENVELOPE_BYTES) -> Unverified:
    """Who claims to have signed what, unverified. Raises `Untrusted` when the form alone is wrong."""
    envelope, body = parse_envelope(raw, max_bytes)
    return Unverified(envelope.payloadType, body, _signer(envelope), envelope.signatures)


def _signer(envelope: EnvelopeWire) -> NodeId:
    """The one node in both key ids. Raises `Untrusted` unless there is one signature of each algorithm, in order."""
    if len(envelope.signatures) != len(_ALGORITHMS):
        raise Untrusted(
            "dsse.signatures", "an envelope carries exactly two signatures", step="dsse", field="signatures"
        )
    nodes = []
    for signature, expected in zip(envelope.signatures, _ALGORITHMS, strict=True):
        name, separator, algorithm = signature.keyid.partition("#")
        if not separator:
            raise Untrusted("dsse.keyid", "a key id is node#algorithm", step="dsse", field="signatures.keyid")
        if algorithm not in _ALGORITHMS:
            raise Untrusted(
                "suite.unknown",
                f"unknown signature algorithm {shown(algorithm)}",
                step="dsse",
                field="signatures.keyid",
            )
        if algorithm != expected:
            raise Untrusted(
                "dsse.signatures",
                "one Ed25519 and one ML-DSA-65 signature, in this order",
                step="dsse",
                field="signatures",
            )
        nodes.append(name)
    if nodes[0] != nodes[1]:
        raise Untrusted("dsse.signer", "the signatures name two nodes", step="dsse", field="signatures.keyid")
    try:
        return parse_node_id(nodes[0], "signatures.keyid")
    except TansiqError as exc:
        raise Untrusted("dsse.keyid", "a key id is node#algorithm", step="dsse", field="signatures.keyid") from exc
