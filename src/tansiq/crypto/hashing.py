"""Domain-separated SHA-256, and the commitments built on it.

Every part is preceded by its length (8 bytes, big endian), so ("ab", "c") and ("a", "bc") never hash alike, and the
domain comes first, so a hash made for one purpose is worth nothing for another.
"""

from __future__ import annotations

import hashlib

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.errors import Invalid
from tansiq.terms import PartId

SALT_BYTES = 32


def sha256(domain: str, *parts: bytes) -> bytes:
    """SHA-256 over the length-prefixed domain and the length-prefixed parts."""
    return hashlib.sha256(framed(domain.encode(), *parts)).digest()


def framed(*parts: bytes) -> bytes:
    """The parts, each after its length: an injective encoding."""
    return b"".join([len(part).to_bytes(8, "big") + part for part in parts])


def new_salt(random: RandomBytes = random_bytes) -> bytes:
    """A salt for one commitment."""
    return random(SALT_BYTES)


def commit_part(kind: str, salt: bytes, content: bytes) -> PartId:
    """The name of a part: a salted hash of its content.

    The salt (32 bytes of chance) travels with the content and is erased with it. Hazard: without it anyone could guess
    a name or a phone number out of the commitment that stays in the log.
    """
    if len(salt) != SALT_BYTES:
        raise Invalid("part.salt", "a part's salt has 32 bytes", step="commit", field="salt")
    return PartId("p-" + sha256("tansiq.part.v1", kind.encode(), salt, content).hex())
