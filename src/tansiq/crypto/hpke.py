"""Sealing to one node: RFC 9180 HPKE, base mode, ML-KEM-768 + X25519, HKDF-SHA-256, AES-256-GCM.

Hybrid: who records the traffic today must break both, the lattice and the curve. Sealing does not say who sealed;
the signature inside does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.hashing import framed, sha256
from tansiq.crypto.keys import PublicKeys
from tansiq.crypto.suites import SUITE
from tansiq.crypto.wire import parse_key_map, to_base64
from tansiq.errors import Invalid, Untrusted

MLKEM768_BYTES, X25519_BYTES = 1184, 32
_MLKEM_SEED, _X25519_SEED = 64, 32
_SEALING_VERSION = b"\x01"
_suite = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@lru_cache(maxsize=1024)
def _recipient(mlkem768: bytes, x25519: bytes) -> MLKEM768X25519PublicKey:
    return MLKEM768X25519PublicKey(
        MLKEM768PublicKey.from_public_bytes(mlkem768), X25519PublicKey.from_public_bytes(x25519)
    )


@dataclass(frozen=True, slots=True)
class SealingPublic:
    """The public sealing keys of a node: raw ML-KEM-768 (1184 bytes) and raw X25519 (32 bytes)."""

    mlkem768: bytes
    x25519: bytes

    def to_wire(self) -> dict[str, str]:
        return {"mlkem768": to_base64(self.mlkem768), "x25519": to_base64(self.x25519)}

    @classmethod
    def from_wire(cls, value: object, field: str = "sealing") -> SealingPublic:
        """From untrusted JSON. Raises `Untrusted("key.malformed")`."""
        raw = parse_key_map(value, {"mlkem768": MLKEM768_BYTES, "x25519": X25519_BYTES}, field)
        try:
            _recipient(raw["mlkem768"], raw["x25519"])  # FIPS 203 7.2: the modulus check
        except ValueError as exc:
            raise Untrusted("key.malformed", "not sealing keys", step="keys", field=field) from exc
        return cls(raw["mlkem768"], raw["x25519"])


class SealingKeys:
    """The opening side of a node's sealing keys."""

    __slots__ = ("_key", "_seeds", "public")

    def __init__(self, mlkem768_seed: bytes, x25519_seed: bytes) -> None:
        if len(mlkem768_seed) != _MLKEM_SEED or len(x25519_seed) != _X25519_SEED:
            raise Invalid("key.malformed", "sealing seeds have 64 and 32 bytes", step="keys")
        self._seeds = mlkem768_seed + x25519_seed
        mlkem768 = MLKEM768PrivateKey.from_seed_bytes(mlkem768_seed)
        x25519 = X25519PrivateKey.from_private_bytes(x25519_seed)
        self._key = MLKEM768X25519PrivateKey(mlkem768, x25519)
        self.public = SealingPublic(mlkem768.public_key().public_bytes_raw(), x25519.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, random: RandomBytes = random_bytes) -> SealingKeys:
        return cls(random(_MLKEM_SEED), random(_X25519_SEED))

    def to_bytes(self) -> bytes:
        """The secret seeds, 97 bytes. Only `seal_keyfile` may store them."""
        return _SEALING_VERSION + self._seeds

    @classmethod
    def from_bytes(cls, raw: bytes) -> SealingKeys:
        if len(raw) != 1 + _MLKEM_SEED + _X25519_SEED or raw[:1] != _SEALING_VERSION:
            raise Invalid("key.malformed", "not sealing keys", step="keys")
        return cls(raw[1 : 1 + _MLKEM_SEED], raw[1 + _MLKEM_SEED :])

    def _open(self, ciphertext: bytes, info: bytes) -> bytes:
        return _suite.decrypt(ciphertext, self._key, info=info)

    def __repr__(self) -> str:  # a key must never reach a log or a traceback
        return "SealingKeys(...)"


def seal(plaintext: bytes, to: SealingPublic, info: bytes) -> bytes:
    """Sealed to `to`; `info` is bound in and must be known to the opener (e.g. envelope id and both nodes)."""
    try:
        return _suite.encrypt(plaintext, _recipient(to.mlkem768, to.x25519), info=_bound(info))
    except ValueError as exc:  # an X25519 key of small order: the shared secret would be zero
        raise Untrusted("seal.key", "these sealing keys cannot be used", step="seal") from exc


def open_sealed(ciphertext: bytes, keys: SealingKeys, info: bytes) -> bytes:
    """The plaintext; `Untrusted("seal.open")` when it was sealed to other keys, with other info, or was changed."""
    try:
        return keys._open(ciphertext, _bound(info))
    except (InvalidTag, ValueError) as exc:
        raise Untrusted("seal.open", "the sealed content does not open with this node's keys", step="open") from exc


def fingerprint(signing: PublicKeys, sealing: SealingPublic, *more: bytes) -> str:
    """Twelve groups of five digits (199 bits) over all public keys, to be read aloud over another channel."""
    parts = (signing.ed25519, signing.mldsa65, sealing.mlkem768, sealing.x25519, *more)
    digits = f"{int.from_bytes(sha256('tansiq.fingerprint.v1', *parts), 'big') % 10**60:060d}"
    return " ".join(digits[i : i + 5] for i in range(0, 60, 5))


def _bound(info: bytes) -> bytes:
    return framed(b"tansiq.seal.v1", SUITE.encode(), info)
