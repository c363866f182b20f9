"""Chance, for keys, salts and nonces only. Every function that uses it takes it as an argument, so that a test can
make the same keys again; this is the default.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

RandomBytes = Callable[[int], bytes]
_BLOCK = 32


def random_bytes(count: int) -> bytes:
    """`count` bytes out of the cryptographic library's generator of symmetric keys."""
    if count <= _BLOCK:
        return AESGCM.generate_key(256)[:count]
    return b"".join(AESGCM.generate_key(256) for _ in range(0, count, _BLOCK))[:count]
