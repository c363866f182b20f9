"""RFC 9497, oblivious pseudorandom functions: mode 0 (OPRF) and mode 1 (VOPRF) of the suite ristretto255-SHA512.

The holder of a key evaluates what it cannot see; the asker learns F(key, input) and, in mode 1, that it was this key.
Names follow the RFC in the comments: Blind, BlindEvaluate, GenerateProof, VerifyProof, Finalize, Evaluate.

Hazards:
- a blind is used once: the same blinded element sent twice, or to two holders, joins two questions;
- the secret key, and a proof's own scalar, meet libsodium's constant-time functions only. `combine` takes its time by
  what it is given: it gets what both sides know, and nothing else; blinds are also Python integers (batch inversion):
  they live on the asker's own machine, for one batch.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.kernel import combine
from tansiq.crypto.ristretto import ELEMENT_BYTES, ORDER, SCALAR_BYTES, check_scalar, group
from tansiq.errors import Broken, Invalid, Untrusted

OUTPUT_BYTES = 64
PROOF_BYTES = 64
SEED_BYTES = 32
MAX_INPUT = 2**16 - 1
MAX_BATCH = 2**16 - 1
IDENTIFIER = "ristretto255-SHA512"

_ZERO_PAD = hashlib.sha512(bytes(128))  # expand_message_xmd's Z_pad, the block size of SHA-512 (RFC 9380 5.3.1)


class Mode(IntEnum):
    """RFC 9497 section 3.1."""

    PLAIN = 0
    VERIFIABLE = 1


@dataclass(frozen=True, slots=True)
class _Context:
    """The domain separation tags of one mode, each with its length behind it (DST_prime)."""

    to_group: bytes
    to_scalar: bytes
    derive: bytes
    seed: bytes


def _context(mode: Mode) -> _Context:
    name = b"OPRFV1-" + bytes([mode]) + b"-" + IDENTIFIER.encode("ascii")
    tags = [prefix + name for prefix in (b"HashToGroup-", b"HashToScalar-", b"DeriveKeyPair")]
    to_group, to_scalar, derive = (tag + bytes([len(tag)]) for tag in tags)
    return _Context(to_group, to_scalar, derive, b"Seed-" + name)


_CONTEXTS = {mode: _context(mode) for mode in Mode}
_BYTE_1 = b"\x01"
_LENGTH = ELEMENT_BYTES.to_bytes(2, "big")


def _expand(message: bytes, tag: bytes) -> bytes:
    """expand_message_xmd with SHA-512 to 64 bytes (RFC 9380 section 5.3.1): one block, so b_1 is all of it."""
    first = _ZERO_PAD.copy()
    first.update(message + b"\x00\x40\x00" + tag)
    return hashlib.sha512(first.digest() + _BYTE_1 + tag).digest()


def _sized(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _hash_to_group(message: bytes, mode: Mode) -> bytes:
    if len(message) > MAX_INPUT:
        raise Invalid("oprf.input", "an input of more than 65,535 bytes", step="oprf")
    return group().from_hash(_expand(message, _CONTEXTS[mode].to_group))


class OprfKey:
    """A key pair of one mode. Its repr shows nothing; only `secret` gives the scalar."""

    __slots__ = ("mode", "public", "secret")

    def __init__(self, secret: bytes, mode: Mode = Mode.VERIFIABLE) -> None:
        self.secret = check_scalar(secret, "secret")
        self.mode = mode
        self.public = group().mul_base(secret)

    def __repr__(self) -> str:  # a key must never reach a log or a traceback
        return "OprfKey(...)"


def derive_key(seed: bytes, info: bytes, mode: Mode = Mode.VERIFIABLE) -> OprfKey:
    """DeriveKeyPair (section 3.2.1): the same seed and info give the same key."""
    if len(seed) != SEED_BYTES or len(info) > MAX_INPUT:
        raise Invalid("oprf.seed", "a seed has 32 bytes, and its info at most 65,535", step="oprf")
    for counter in range(256):
        message = seed + _sized(info) + bytes([counter])
        secret = group().reduce(_expand(message, _CONTEXTS[mode].derive))
        if any(secret):
            return OprfKey(secret, mode)
    raise Broken("oprf.seed", "no key follows from this seed", step="oprf")


@dataclass(frozen=True, slots=True)
class Blinded:
    """One question of the asker: what it asks, the blind that hides it, and what the holder gets to see."""

    input: bytes = field(repr=False)
    blind: bytes = field(repr=False)
    element: bytes


def random_scalar(random: RandomBytes = random_bytes) -> bytes:
    """Uniform below the order, never zero."""
    while not any(scalar := group().reduce(random(64))):  # once in 2^252
        pass
    return scalar


def blind(message: bytes, mode: Mode = Mode.VERIFIABLE, random: RandomBytes = random_bytes) -> Blinded:
    """Blind: a fresh scalar times the input's element."""
    return blind_with(message, random_scalar(random), mode)


def blind_with(message: bytes, scalar: bytes, mode: Mode = Mode.VERIFIABLE) -> Blinded:
    """Blind with a given scalar: for opening a kept question, and for the RFC's vectors."""
    return Blinded(message, scalar, group().mul(check_scalar(scalar), _hash_to_group(message, mode)))


def blind_evaluate(key: OprfKey, elements: Iterable[bytes]) -> list[bytes]:
    """BlindEvaluate without proof. Raises `Untrusted("oprf.*")` for what is no element."""
    mul, secret = group().mul, key.secret
    return [mul(secret, element) for element in elements]


def blind_evaluate_proved(
    key: OprfKey, elements: Sequence[bytes], random: RandomBytes = random_bytes
) -> tuple[list[bytes], bytes]:
    """BlindEvaluate of mode 1: the evaluated elements and one proof for all of them."""
    evaluated = blind_evaluate(key, elements)
    return evaluated, prove(key, elements, evaluated, random_scalar(random))


def prove(key: OprfKey, elements: Sequence[bytes], evaluated: Sequence[bytes], scalar: bytes) -> bytes:
    """GenerateProof: that one key made all of `evaluated`. `scalar` is fresh: used twice, it gives the key away."""
    _require_verifiable(key.mode)
    g = group()
    m, _ = _composites(key.public, elements, evaluated, both=False)
    z = g.mul(key.secret, m)  # ComputeCompositesFast: the prover knows the key, so half the products go
    challenge = _challenge(key.public, m, z, g.mul_base(scalar), g.mul(scalar, m))
    return challenge + g.scalar_sub(scalar, g.scalar_mul(challenge, key.secret))


def verify_proof(public: bytes, elements: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes) -> None:
    """VerifyProof. Raises `Untrusted("oprf.proof")` unless the key behind `public` made all of `evaluated`."""
    g = group()
    g.check(public, "public")
    if len(proof) != PROOF_BYTES:
        raise Untrusted("oprf.length", "a proof has 64 bytes", step="oprf", field="proof")
    if len(elements) != len(evaluated) or not elements:
        raise Untrusted("oprf.count", "not one answer for each question", step="oprf", field="evaluated")
    challenge, response = proof[:SCALAR_BYTES], proof[SCALAR_BYTES:]
    check_scalar(challenge, "proof")
    check_scalar(response, "proof")
    m, z = _composites(public, elements, evaluated, both=True)
    t2 = combine((response, challenge), (_generator(), public))
    t3 = combine((response, challenge), (m, z))
    if not hmac.compare_digest(_challenge(public, m, z, t2, t3), challenge):
        raise Untrusted("oprf.proof", "another key than the one told answered", step="oprf", field="proof")


def _require_verifiable(mode: Mode) -> None:
    if mode is not Mode.VERIFIABLE:
        raise Invalid("oprf.mode", "only mode 1 has proofs", step="oprf", field="mode")


def _composites(
    public: bytes, elements: Sequence[bytes], evaluated: Sequence[bytes], *, both: bool
) -> tuple[bytes, bytes]:
    """ComputeComposites: one random combination of all questions (and of all answers, if `both`)."""
    if not 0 < len(elements) <= MAX_BATCH:
        raise Invalid("oprf.count", "a batch has 1 to 65,535 elements", step="oprf", field="elements")
    reduce, tag = group().reduce, _CONTEXTS[Mode.VERIFIABLE].to_scalar
    head = _sized(hashlib.sha512(_sized(public, _CONTEXTS[Mode.VERIFIABLE].seed)).digest())
    weights = []
    for at, (asked, answered) in enumerate(zip(elements, evaluated, strict=True)):
        transcript = head + at.to_bytes(2, "big") + _LENGTH + asked + _LENGTH + answered + b"Composite"
        weights.append(reduce(_expand(transcript, tag)))
    return combine(weights, elements), combine(weights, evaluated) if both else b""


@cache
def _generator() -> bytes:
    return group().mul_base((1).to_bytes(SCALAR_BYTES, "little"))


def _challenge(public: bytes, m: bytes, z: bytes, t2: bytes, t3: bytes) -> bytes:
    transcript = _sized(public, m, z, t2, t3) + b"Challenge"
    return group().reduce(_expand(transcript, _CONTEXTS[Mode.VERIFIABLE].to_scalar))


def finalize(blinded: Sequence[Blinded], evaluated: Sequence[bytes]) -> list[bytes]:
    """Finalize without proof: F(key, input) of each question, 64 bytes."""
    if len(blinded) != len(evaluated):
        raise Untrusted("oprf.count", "not one answer for each question", step="oprf", field="evaluated")
    mul = group().mul
    inverses = invert_all([b.blind for b in blinded])
    return [
        _output(b.input, mul(inverse, element))
        for b, element, inverse in zip(blinded, evaluated, inverses, strict=True)
    ]


def finalize_verified(
    blinded: Sequence[Blinded], evaluated: Sequence[bytes], proof: bytes, public: bytes
) -> list[bytes]:
    """Finalize of mode 1: nothing comes out unless the proof holds for the key that was told beforehand."""
    verify_proof(public, [b.element for b in blinded], evaluated, proof)
    return finalize(blinded, evaluated)


def require_element(element: bytes, field: str = "") -> bytes:
    """An element that came from outside, if it is one; else `Untrusted("oprf.length|identity|element")`."""
    return group().check(element, field)


def evaluate(key: OprfKey, message: bytes) -> bytes:
    """Evaluate: F(key, message) by the holder itself, who knows both."""
    return _output(message, group().mul(key.secret, _hash_to_group(message, key.mode)))


def _output(message: bytes, element: bytes) -> bytes:
    return hashlib.sha512(_sized(message) + _LENGTH + element + b"Finalize").digest()


def invert_all(scalars: Sequence[bytes]) -> list[bytes]:
    """The inverses of all, for the price of one inversion and three products each (Montgomery's trick)."""
    if not scalars:
        return []
    values = [int.from_bytes(check_scalar(s), "little") for s in scalars]
    before, product = [], 1
    for value in values:
        before.append(product)
        product = product * value % ORDER
    rest = pow(product, -1, ORDER)
    inverses = [b""] * len(values)
    for at in range(len(values) - 1, -1, -1):
        inverses[at] = (rest * before[at] % ORDER).to_bytes(SCALAR_BYTES, "little")
        rest = rest * values[at] % ORDER
    return inverses
