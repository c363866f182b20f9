"""Signing keys: an Ed25519 and an ML-DSA-65 pair that are one identity. Neither is ever used without the other,
but for C2SP notes, whose signature lines stand one by one.
"""

from __future__ import annotations

import base64
import re
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.hashing import sha256
from tansiq.crypto.wire import parse_key_map, to_base64
from tansiq.errors import Invalid, Untrusted
from tansiq.terms import NodeId

ED25519_BYTES, ED25519_SIGNATURE_BYTES = 32, 64
MLDSA65_BYTES = 1952
_SIGNING_VERSION = b"\x01"
_SEED = 32
BEGIN_S = 0.0005
"""Longer nobody waits for a signature to be begun: then all processors are at work."""

# The points of small order and their non-canonical spellings (RFC 8032, sign bit cleared). Hazard: under such a
# "key" one signature verifies for many messages.
_SMALL_ORDER = frozenset(
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


@lru_cache(maxsize=1024)
def _ed25519(raw: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=1024)
def _mldsa65(raw: bytes) -> MLDSA65PublicKey:
    return MLDSA65PublicKey.from_public_bytes(raw)


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """The verifying side of a node's identity: raw Ed25519 (32 bytes) and raw ML-DSA-65 (1952 bytes)."""

    ed25519: bytes
    mldsa65: bytes

    def to_wire(self) -> dict[str, str]:
        return {"ed25519": to_base64(self.ed25519), "mldsa65": to_base64(self.mldsa65)}

    @classmethod
    def from_wire(cls, value: object, field: str = "signing") -> PublicKeys:
        """From untrusted JSON. Raises `Untrusted("key.malformed" | "key.weak")`."""
        raw = parse_key_map(value, {"ed25519": ED25519_BYTES, "mldsa65": MLDSA65_BYTES}, field)
        if raw["ed25519"][:31] + bytes([raw["ed25519"][31] & 0x7F]) in _SMALL_ORDER:
            raise Untrusted("key.weak", "an Ed25519 key of small order", step="keys", field=f"{field}.ed25519")
        return cls(raw["ed25519"], raw["mldsa65"])

    def verify_ed25519(self, signature: bytes, message: bytes) -> bool:
        try:
            _ed25519(self.ed25519).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def verify_mldsa65(self, signature: bytes, message: bytes) -> bool:
        try:
            _mldsa65(self.mldsa65).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKeys:
    """The signing side. Key objects are parsed once; signing costs about 0.06 ms and 1.3 ms."""

    __slots__ = ("_beside", "_ed25519", "_mldsa65", "_seeds", "public")

    def __init__(self, ed25519_seed: bytes, mldsa65_seed: bytes) -> None:
        if len(ed25519_seed) != _SEED or len(mldsa65_seed) != _SEED:
            raise Invalid("key.malformed", "a signing seed has 32 bytes", step="keys")
        self._seeds = ed25519_seed + mldsa65_seed
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        self._mldsa65 = MLDSA65PrivateKey.from_seed_bytes(mldsa65_seed)
        self.public = PublicKeys(
            self._ed25519.public_key().public_bytes_raw(), self._mldsa65.public_key().public_bytes_raw()
        )
        self._beside = ThreadPoolExecutor(2, thread_name_prefix="signer")

    @classmethod
    def generate(cls, random: RandomBytes = random_bytes) -> SigningKeys:
        return cls(random(_SEED), random(_SEED))

    def to_bytes(self) -> bytes:
        """The secret seeds, 65 bytes. Only `seal_keyfile` may store them."""
        return _SIGNING_VERSION + self._seeds

    @classmethod
    def from_bytes(cls, raw: bytes) -> SigningKeys:
        if len(raw) != 1 + 2 * _SEED or raw[:1] != _SIGNING_VERSION:
            raise Invalid("key.malformed", "not signing keys", step="keys")
        return cls(raw[1 : 1 + _SEED], raw[1 + _SEED :])

    def sign_ed25519(self, message: bytes) -> bytes:
        return self._ed25519.sign(message)

    def sign_mldsa65(self, message: bytes) -> bytes:
        return self._mldsa65.sign(message)

    def begin_mldsa65(self, message: bytes) -> Future[bytes]:
        """The same on another processor: the library lets the interpreter go while it signs.

        Who calls goes on once it has begun: the other thread needs the interpreter for that, and would otherwise get
        it only when somebody next waits for something, half a signature later.
        """
        begun: SimpleQueue[None] = SimpleQueue()

        def sign() -> bytes:
            begun.put(None)
            return self._mldsa65.sign(message)

        signature = self._beside.submit(sign)
        with suppress(Empty):
            begun.get(timeout=BEGIN_S)
        return signature

    def __repr__(self) -> str:  # a key must never reach a log or a traceback
        return "SigningKeys(...)"


def node_id(country: str, public: PublicKeys) -> NodeId:
    """`<cc>-` and 20 base32 characters (100 bits) of the hash of the node's first signing keys: a name that nobody
    else can claim without those keys."""
    if not re.fullmatch(r"[A-Za-z]{2}", country):
        raise Invalid("country.malformed", "a country is two letters of ISO 3166", step="keys", field="country")
    digest = sha256("tansiq.node.v1", public.ed25519, public.mldsa65)
    return NodeId(f"{country.lower()}-{base64.b32encode(digest).decode('ascii')[:20].lower()}")
