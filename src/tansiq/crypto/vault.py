"""At rest: rows sealed with XAES-256-GCM, and keyed blind indexes, so that a stolen database without keys says nothing.

XAES-256-GCM (C2SP) is AES-256-GCM under a key derived from half of a 192-bit nonce (NIST SP 800-108 with CMAC).
Plain AES-256-GCM with chance nonces must stop at 2^32 rows under one key; a national bureau would reach that.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.hashing import framed
from tansiq.errors import Broken, Invalid

KEY_BYTES = 32
NONCE_BYTES = 24
_VERSION = b"\x01"


class Xaes:
    """XAES-256-GCM under one key."""

    __slots__ = ("_blocks", "_subkeys")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise Invalid("key.malformed", "a vault key has 32 bytes", step="vault")
        # ECB here is the bare block cipher that CMAC is defined over; it never sees content. It keeps nothing from one
        # block to the next, so one serves for all, and its calls do not give the interpreter away in the middle.
        self._blocks = Cipher(AES256(key), ECB()).encryptor().update  # noqa: S305  the bare block cipher, see above
        block = int.from_bytes(self._blocks(bytes(16)), "big")
        carry = 0x87 if block >> 127 else 0
        subkey = ((block << 1) & (2**128 - 1)) ^ carry
        self._subkeys = subkey << 128 | subkey

    def encrypt(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        return self._derived(nonce).encrypt(nonce[12:], plaintext, aad)

    def decrypt(self, nonce: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        """Raises `InvalidTag`."""
        return self._derived(nonce).decrypt(nonce[12:], ciphertext, aad)

    def _derived(self, nonce: bytes) -> AESGCM:
        if len(nonce) != NONCE_BYTES:
            raise Invalid("vault.nonce", "an XAES nonce has 24 bytes", step="vault")
        head = nonce[:12]
        counted = int.from_bytes(b"\0\x01X\0" + head + b"\0\x02X\0" + head, "big")
        return AESGCM(self._blocks((counted ^ self._subkeys).to_bytes(32, "big")))


class Vault:
    """Seals rows, each bound to its table and row id, and makes blind-index keys. Safe to share between threads."""

    __slots__ = ("_index", "_random", "_rows")

    def __init__(self, key: bytes, random: RandomBytes = random_bytes) -> None:
        if len(key) != KEY_BYTES:
            raise Invalid("key.malformed", "a vault key has 32 bytes", step="vault")
        self._rows = Xaes(hmac.digest(key, b"tansiq.vault.rows.v1", hashlib.sha256))
        # Begun once: to set up a MAC costs three times what it costs to make one.
        self._index = hmac.new(hmac.digest(key, b"tansiq.vault.index.v1", hashlib.sha256), digestmod=hashlib.sha256)
        self._random = random

    def seal(self, table: str, row: str, plaintext: bytes) -> bytes:
        """Sealed for this table and row alone: moved elsewhere it no longer opens."""
        nonce = self._random(NONCE_BYTES)
        return _VERSION + nonce + self._rows.encrypt(nonce, plaintext, _place(table, row))

    def open(self, table: str, row: str, sealed: bytes) -> bytes:
        """The plaintext. `Broken("vault.open")` if the row was changed, moved, or sealed with another key."""
        nonce = sealed[1 : 1 + NONCE_BYTES]
        if sealed[:1] != _VERSION or len(nonce) != NONCE_BYTES:
            raise Broken("vault.open", "a stored row is not a sealed one", step="vault", field=table)
        try:
            return self._rows.decrypt(nonce, sealed[1 + NONCE_BYTES :], _place(table, row))
        except InvalidTag as exc:
            raise Broken(
                "vault.open", "a stored row does not open with this node's key", step="vault", field=table
            ) from exc

    def mac(self, kind: str, value: str | bytes) -> bytes:
        """A keyed index key (HMAC-SHA-256): equal values meet, and nobody without the key can guess them."""
        raw = value.encode() if isinstance(value, str) else value
        index = self._index.copy()
        index.update(framed(kind.encode(), raw))
        return index.digest()

    def __repr__(self) -> str:  # a key must never reach a log or a traceback
        return "Vault(...)"


def _place(table: str, row: str) -> bytes:
    return framed(b"tansiq.vault.v1", table.encode(), row.encode())
