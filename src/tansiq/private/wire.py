"""Bytes to values: descriptors, deltas, batches and answers as they come from a partner.

A message is `TPM1`, the length of a signed envelope (4 bytes, big endian), the envelope, and a payload of raw bytes
whose digest the envelope holds. So 64 bytes a key stay 64 bytes, and what is signed is small. Who signed is checked by
the caller with `crypto.verify`; only then are the bodies read here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from tansiq.crypto import canonical, from_base64, parse_canonical, to_base64
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.private.model import (
    BATCH_SIZES,
    BLOCK,
    ELEMENT_BYTES,
    LABEL_BYTES,
    PROOF_BYTES,
    SUITE,
    TAG_BYTES,
    AnswerHeader,
    BatchHeader,
    Delta,
    Descriptor,
    Opening,
)
from tansiq.terms.ids import parse_node_id

DESCRIPTOR_TYPE = "application/vnd.tansiq.private-descriptor.v1+json"
DELTA_TYPE = "application/vnd.tansiq.private-delta.v1+json"
BATCH_TYPE = "application/vnd.tansiq.private-batch.v1+json"
ANSWER_TYPE = "application/vnd.tansiq.private-answer.v1+json"

MAX_LIST = 200_000_000
"""Tags in one list: 1.6 GB, 4.8 GB with labels."""
MAX_BLOCKS = 4096
MAX_ENVELOPE = 64 * 1024
_MAGIC = b"TPM1"
_MAX_EPOCH = 10**9
_MAX_SEQUENCE = 2**53 - 1
_HEX = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEYSPEC = re.compile(r"[0-9]{1,6}-[0-9a-f]{16}")


def digest(raw: bytes | memoryview) -> str:
    """SHA-256 in hexadecimal: the name of a payload."""
    return hashlib.sha256(raw).hexdigest()


def frame(envelope: bytes, payload: bytes) -> bytes:
    """One message."""
    return _MAGIC + len(envelope).to_bytes(4, "big") + envelope + payload


def parse_frame(raw: bytes, max_payload: int) -> tuple[bytes, bytes]:
    """(envelope, payload), nothing of it verified. Raises `Untrusted("private.malformed" | "private.too_large")`."""
    if len(raw) < 8 or raw[:4] != _MAGIC:
        raise _malformed("not a message of the private check")
    length = int.from_bytes(raw[4:8], "big")
    if length > MAX_ENVELOPE or len(raw) > 8 + length + max_payload:
        raise Untrusted("private.too_large", "larger than such a message can be", step="private")
    if len(raw) < 8 + length:
        raise _malformed("a message that was cut off")
    return raw[8 : 8 + length], raw[8 + length :]


def _malformed(message: str, field: str = "") -> Untrusted:
    return Untrusted("private.malformed", message, step="private", field=field)


class _Fields:
    """A canonical JSON object whose every field is taken once, by type; what is left over is refused."""

    def __init__(self, body: bytes) -> None:
        try:
            value = parse_canonical(body, MAX_ENVELOPE, step="private")
        except TansiqError as exc:
            raise _malformed("not canonical JSON") from exc
        if not isinstance(value, dict):
            raise _malformed("not an object")
        self._left: dict[str, Any] = value

    def take(self, name: str, kind: type) -> Any:
        value = self._left.pop(name, None)
        if type(value) is not kind:  # a bool is no int here
            raise _malformed("a field is missing or of another type", name)
        return value

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        value: str = self.take(name, str)
        if not pattern.fullmatch(value):
            raise _malformed("a text of another form", name)
        return value

    def number(self, name: str, least: int, most: int) -> int:
        value: int = self.take(name, int)
        if not least <= value <= most:
            raise _malformed("a number out of range", name)
        return value

    def raw(self, name: str, size: int) -> bytes:
        value = from_base64(self.take(name, str), name, "private.malformed")
        if len(value) != size:
            raise _malformed("bytes of another length", name)
        return value

    def node(self, name: str) -> Any:
        try:
            return parse_node_id(self.take(name, str), name)
        except Invalid as exc:
            raise _malformed("not a node's id", name) from exc

    def end(self) -> None:
        if self._left:
            raise _malformed("fields that this version does not know")


def _encode(value: Any) -> dict[str, Any]:
    """A frozen value as JSON: bytes in base64, tuples as lists."""
    return {
        name: to_base64(item) if isinstance(item, bytes) else list(item) if isinstance(item, tuple) else item
        for name, item in ((n, getattr(value, n)) for n in value.__dataclass_fields__)
    }


def descriptor_body(descriptor: Descriptor) -> bytes:
    return canonical(_encode(descriptor))


def parse_descriptor(body: bytes) -> Descriptor:
    """A descriptor that was verified. Raises `Untrusted("private.*")`, the suite by name."""
    read = _Fields(body)
    if (suite := read.take("suite", str)) != SUITE:
        shown = "".join(c if " " <= c <= "~" else "?" for c in suite[:40])
        raise Untrusted("private.suite", f"an unknown suite {shown!r}", step="private", field="suite")
    classes = read.take("classes", list)
    if len(classes) > 64 or not all(isinstance(c, str) and _WORD.fullmatch(c) for c in classes):
        raise _malformed("not a list of key classes", "classes")
    found = Descriptor(
        read.node("holder"),
        read.node("partner"),
        read.text("tier", _WORD),
        read.number("epoch", 1, _MAX_EPOCH),
        read.text("keyspec", _KEYSPEC),
        tuple(classes),
        read.raw("public", ELEMENT_BYTES),
        read.number("count", 0, MAX_LIST),
        read.take("labelled", bool),
        read.text("digest", _HEX),
        read.text("begins_on", _DAY),
        read.text("ends_on", _DAY),
    )
    read.end()
    return found


def require_payload(payload: bytes, told: str, size: int, field: str) -> bytes:
    """The payload, if it is what the signed part says; else `Untrusted("private.length" | "private.digest")`."""
    if len(payload) != size:
        raise Untrusted("private.length", "not as many bytes as were told", step="private", field=field)
    if digest(payload) != told:
        raise Untrusted("private.digest", "other bytes than were signed", step="private", field=field)
    return payload


def list_bytes(count: int, labelled: bool) -> int:
    """The size of a list."""
    return count * (TAG_BYTES + (LABEL_BYTES if labelled else 0))


def delta_body(delta: Delta) -> tuple[bytes, bytes]:
    """(body to sign, payload)."""
    payload = delta.added + delta.labels + delta.removed
    fields = {n: v for n, v in _encode(delta).items() if n not in {"added", "labels", "removed"}}
    fields |= {"blocks": len(delta.added) // (TAG_BYTES * BLOCK), "labelled": bool(delta.labels)}
    return canonical({**fields, "digest": digest(payload)}), payload


def parse_delta(body: bytes, payload: bytes) -> Delta:
    """A delta that was verified. Raises `Untrusted("private.*")`."""
    read = _Fields(body)
    blocks, labelled = read.number("blocks", 1, MAX_BLOCKS), read.take("labelled", bool)
    tags, labels = blocks * BLOCK * TAG_BYTES, blocks * BLOCK * LABEL_BYTES if labelled else 0
    require_payload(payload, read.text("digest", _HEX), 2 * tags + labels, "payload")
    found = Delta(
        read.node("holder"),
        read.node("partner"),
        read.text("tier", _WORD),
        read.number("epoch", 1, _MAX_EPOCH),
        read.number("sequence", 1, _MAX_SEQUENCE),
        read.text("before", _HEX),
        read.text("after", _HEX),
        payload[:tags],
        payload[tags : tags + labels],
        payload[tags + labels :],
    )
    read.end()
    return found


def batch_body(header: BatchHeader) -> bytes:
    return canonical(_encode(header))


def parse_batch(body: bytes, payload: bytes) -> tuple[BatchHeader, bytes]:
    """A batch that was verified: its header and its elements. The elements themselves are the evaluator's to check."""
    read = _Fields(body)
    count = read.number("count", 1, max(BATCH_SIZES))
    if count not in BATCH_SIZES:
        raise Untrusted("batch.size", "a batch has 64 or 256 elements", step="private", field="count")
    header = BatchHeader(
        read.node("asker"),
        read.node("holder"),
        read.text("tier", _WORD),
        read.number("epoch", 1, _MAX_EPOCH),
        read.text("keyspec", _KEYSPEC),
        read.number("sequence", 1, _MAX_SEQUENCE),
        count,
        read.text("case", _HEX),
        read.text("purpose", _WORD),
        read.text("digest", _HEX),
    )
    read.end()
    return header, require_payload(payload, header.digest, count * ELEMENT_BYTES, "elements")


def answer_body(header: AnswerHeader) -> bytes:
    return canonical(_encode(header))


def parse_answer(body: bytes, payload: bytes) -> tuple[AnswerHeader, bytes]:
    """An answer that was verified: its header and the evaluated elements."""
    read = _Fields(body)
    header = AnswerHeader(
        read.node("holder"),
        read.node("asker"),
        read.text("tier", _WORD),
        read.number("epoch", 1, _MAX_EPOCH),
        read.number("sequence", 1, _MAX_SEQUENCE),
        read.text("digest", _HEX),
        read.text("asked", _HEX),
        read.raw("proof", PROOF_BYTES),
    )
    read.end()
    if len(payload) not in {size * ELEMENT_BYTES for size in BATCH_SIZES}:
        raise Untrusted("batch.size", "an answer has 64 or 256 elements", step="private", field="elements")
    return header, require_payload(payload, header.digest, len(payload), "elements")


class _OpeningWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    input: bytes
    blind: bytes
    case: str
    case_salt: bytes
    batch: str
    position: int


_openings = msgspec.msgpack.Decoder(_OpeningWire)


def opening_bytes(opening: Opening) -> bytes:
    """What the asker's vault seals, or its supervisor sends on."""
    return msgspec.msgpack.encode(
        _OpeningWire(opening.input, opening.blind, opening.case, opening.case_salt, opening.batch, opening.position)
    )


def parse_opening(raw: bytes) -> Opening:
    """An opening as another service's supervisor sends it. Raises `Untrusted("private.malformed")`."""
    if len(raw) > 70_000:
        raise Untrusted("private.too_large", "larger than an opening can be", step="private")
    try:
        read = _openings.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as exc:
        raise _malformed("not an opening") from exc
    if not _HEX.fullmatch(read.batch) or not 0 <= read.position < max(BATCH_SIZES) or len(read.case) > 200:
        raise _malformed("an opening of no batch", "batch")
    return Opening(read.input, read.blind, read.case, read.case_salt, read.batch, read.position)


def split(raw: bytes, size: int) -> list[bytes]:
    """Equal pieces."""
    return [raw[at : at + size] for at in range(0, len(raw), size)]


# --- refusals, samples and openings ----------------------------------------------------------------------------

REFUSAL_TYPE = "application/vnd.tansiq.private-refusal.v1+json"
_CODE = re.compile(r"[a-z]+(\.[a-z_]+){1,3}")
_KIND = re.compile(r"Invalid|Refused|NotFound|Conflict|Untrusted|Broken")
MAX_SAMPLE = 1024 * 1024
MAX_OPENINGS = 64 * 1024 * 1024
_MAX_BATCHES = 10_000


def refusal_body(holder: str, asker: str, asked: str, kind: str, code: str) -> bytes:
    """A holder's signed no to one batch, by name."""
    return canonical({"holder": holder, "asker": asker, "asked": asked, "kind": kind, "code": code})


def parse_refusal(body: bytes) -> tuple[str, str, str, str, str]:
    """(holder, asker, asked, kind, code) of a refusal that was verified."""
    read = _Fields(body)
    found = (
        read.node("holder"),
        read.node("asker"),
        read.text("asked", _HEX),
        read.text("kind", _KIND),
        read.text("code", _CODE),
    )
    read.end()
    return found


class _SampleWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    v: int
    holder: str
    asker: str
    seed: bytes
    share: float
    batches: list[str]


class _OpeningsWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    v: int
    holder: str
    asker: str
    seed: bytes
    share: float
    openings: list[bytes]


def sample_file(holder: str, asker: str, seed: bytes, share: float, batches: list[str]) -> bytes:
    """What one supervisor draws for the other: which batches, and the chance that picks elements of them."""
    return msgspec.json.encode(_SampleWire(1, holder, asker, seed, share, batches))


def parse_sample(raw: bytes) -> tuple[str, str, bytes, float, list[str]]:
    """(holder, asker, seed, share, batches). Raises `Untrusted("private.*")`."""
    read = _sheet(raw, MAX_SAMPLE, _SampleWire)
    if len(read.batches) > _MAX_BATCHES or not all(_HEX.fullmatch(b) for b in read.batches):
        raise _malformed("not a list of batches", "batches")
    return read.holder, read.asker, read.seed, read.share, read.batches


def openings_file(holder: str, asker: str, seed: bytes, share: float, openings: list[bytes]) -> bytes:
    """The asker's supervisor's answer to a sample."""
    return msgspec.json.encode(_OpeningsWire(1, holder, asker, seed, share, openings))


def parse_openings(raw: bytes) -> tuple[str, str, bytes, float, list[Opening]]:
    """(holder, asker, seed, share, openings). Raises `Untrusted("private.*")`."""
    read = _sheet(raw, MAX_OPENINGS, _OpeningsWire)
    return read.holder, read.asker, read.seed, read.share, [parse_opening(o) for o in read.openings]


def _sheet(raw: bytes, limit: int, kind: Any) -> Any:
    if len(raw) > limit:
        raise Untrusted("private.too_large", "larger than such a file can be", step="private")
    try:
        read = msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as exc:
        raise _malformed("not such a file") from exc
    if read.v != 1 or not 0.0 < read.share <= 1.0 or len(read.seed) != 32:
        raise _malformed("a sample of another form", "seed")
    return read
