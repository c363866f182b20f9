"""Bytes to values: the only parsers of untrusted input in `crypto`. Every failure is `Untrusted` or `Invalid`.

What is read must be in canonical form, byte for byte. So an envelope has one spelling: no second key that hides
behind the first, no white space that changes its hash, no base64 with spare bits.
"""

from __future__ import annotations

import binascii
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import msgspec

from tansiq.crypto.jcs import canonical
from tansiq.errors import Invalid, TansiqError, Untrusted

MAX_ENVELOPE_BYTES = 16 * 1024 * 1024
MAX_BATCH_DEPTH = 8
_HASH_BYTES = 32
_MAX_KEYFILE_BYTES = 64 * 1024


class SignatureWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    keyid: str
    sig: str


class EnvelopeWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A DSSE v1 envelope; the field order is the canonical one."""

    payload: str
    payloadType: str  # noqa: N815  the DSSE specification's spelling
    signatures: list[SignatureWire]


class LooseWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A document that was signed in a batch, without its signatures and its place."""

    payload: str
    payloadType: str  # noqa: N815  as in a DSSE envelope
    salt: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands in the batch that it was signed in, and the salt of its leaf."""

    salt: bytes
    index: int
    path: tuple[bytes, ...]
    """From its leaf's sibling to that below the root."""

    def to_bytes(self) -> bytes:
        return b"".join((self.salt, bytes([self.index]), *self.path))


class KeyfileWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A sealed key file; all numbers are those of Argon2id and zero with a key-encryption key."""

    iterations: int
    kdf: str
    lanes: int
    memory_kib: int
    nonce: str
    salt: str
    sealed: str
    suite: str
    v: int


_envelopes = msgspec.json.Decoder(EnvelopeWire)
_keyfiles = msgspec.json.Decoder(KeyfileWire)
_loose = msgspec.json.Decoder(LooseWire)
_DECODE_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def to_base64(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


def from_base64(text: object, field: str = "", code: str = "base64.malformed") -> bytes:
    """Standard base64 with padding and in its one canonical spelling. Raises `Untrusted`."""
    if not isinstance(text, str):
        raise Untrusted(code, "not base64 text", step="decode", field=field)
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as exc:  # binascii.Error and UnicodeEncodeError are ValueErrors
        raise Untrusted(code, "not base64", step="decode", field=field) from exc
    if to_base64(raw) != text:
        raise Untrusted(code, "base64 that is not in its canonical form", step="decode", field=field)
    return raw


def parse_envelope(raw: bytes, max_bytes: int = MAX_ENVELOPE_BYTES) -> tuple[EnvelopeWire, bytes]:
    """The DSSE envelope and its decoded body, nothing of it verified. Raises `Untrusted("dsse.*")`."""
    if len(raw) > max_bytes:
        raise Untrusted("dsse.too_large", f"an envelope larger than {max_bytes} bytes", step="dsse")
    try:
        envelope = _envelopes.decode(raw)
    except _DECODE_FAILURES as exc:
        raise Untrusted("dsse.malformed", "not a DSSE envelope", step="dsse") from exc
    if msgspec.json.encode(envelope) != raw:
        raise Untrusted("dsse.not_canonical", "an envelope that is not in canonical form", step="dsse")
    return envelope, from_base64(envelope.payload, "payload", "dsse.base64")


def parse_place(raw: bytes) -> Place:
    """Salt, index and path, one behind the other. Raises `Untrusted("batch.place")`: there is one spelling of a place,
    and none that is deeper than any batch."""
    depth, rest = divmod(len(raw) - _HASH_BYTES - 1, _HASH_BYTES)
    if rest or not 1 <= depth <= MAX_BATCH_DEPTH or raw[_HASH_BYTES] >> depth:
        raise Untrusted("batch.place", "no place in a batch", step="dsse", field="signatures.sig")
    path = raw[_HASH_BYTES + 1 :]
    cut = tuple(path[n : n + _HASH_BYTES] for n in range(0, len(path), _HASH_BYTES))
    return Place(raw[:_HASH_BYTES], raw[_HASH_BYTES], cut)


def parse_loose(raw: bytes) -> tuple[str, bytes, bytes]:
    """(payload type, body, salt) of a document that came without its signatures. Raises `Untrusted("batch.*")`."""
    try:
        found = _loose.decode(raw)
    except _DECODE_FAILURES as exc:
        raise Untrusted("batch.malformed", "not a document of a batch", step="dsse") from exc
    if msgspec.json.encode(found) != raw:
        raise Untrusted("batch.not_canonical", "a document that is not in canonical form", step="dsse")
    salt = from_base64(found.salt, "salt", "batch.malformed")
    if len(salt) != _HASH_BYTES:
        raise Untrusted("batch.malformed", "a salt has 32 bytes", step="dsse", field="salt")
    return found.payloadType, from_base64(found.payload, "payload", "batch.malformed"), salt


def parse_canonical(raw: bytes, max_bytes: int = MAX_ENVELOPE_BYTES, step: str = "canonical") -> Any:
    """JSON that is exactly in canonical form; any other spelling, a repeated key included, is `Untrusted`."""
    if len(raw) > max_bytes:
        raise Untrusted("canonical.too_large", f"larger than {max_bytes} bytes", step=step)
    try:
        value = msgspec.json.decode(raw)
    except _DECODE_FAILURES as exc:
        raise Untrusted("canonical.malformed", "not JSON", step=step) from exc
    try:
        again = canonical(value)
    except TansiqError as exc:
        raise Untrusted(exc.code, exc.message, step=step) from exc
    if again != raw:
        raise Untrusted("canonical.form", "JSON that is not in canonical form", step=step)
    return value


def parse_keyfile(raw: bytes) -> KeyfileWire:
    """The outer form of a key file. Raises `Invalid("keyfile.malformed")`: the file is the operator's own."""
    if len(raw) > _MAX_KEYFILE_BYTES:
        raise Invalid("keyfile.malformed", "not a key file: too large", step="keyfile")
    try:
        return _keyfiles.decode(raw)
    except _DECODE_FAILURES as exc:
        raise Invalid("keyfile.malformed", "not a key file", step="keyfile") from exc


def parse_key_map(value: object, sizes: dict[str, int], field: str) -> dict[str, bytes]:
    """An object that holds exactly these keys, each base64 of exactly that many bytes. Raises `Untrusted`."""
    if not isinstance(value, dict) or set(value) != set(sizes):
        raise Untrusted("key.malformed", "public keys have the wrong fields", step="keys", field=field)
    keys = {}
    for name, size in sizes.items():
        keys[name] = from_base64(value[name], f"{field}.{name}", "key.malformed")
        if len(keys[name]) != size:
            raise Untrusted("key.malformed", f"a key of {size} bytes is expected", step="keys", field=f"{field}.{name}")
    return keys
