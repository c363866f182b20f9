"""Bytes from partners to values: cards, envelopes, receipts, polls, parcels. The only parsers of untrusted input here.

Every body is canonical JSON (RFC 8785 subset): a body that does not re-render to the very same bytes is refused, so no
two readings of one signed body exist (duplicate keys, other number forms, loose base64). Unknown fields are refused:
a field that we do not know may carry a restriction that we would break. Nesting is bounded by the types themselves.
What is bytes already (a seal, the payloads in it) stands as it is behind a head of canonical JSON and a line feed,
which canonical JSON does not hold: base64 at each layer would make two and a half times as much of a file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Annotated, TypeVar

import msgspec

from tansiq.crypto import canonical, require_suite
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult, NodeCard, Receipt
from tansiq.terms import NodeId, format_instant, parse_instant

CARD_TYPE = "application/vnd.tansiq.card.v1+json"
ROTATION_TYPE = "application/vnd.tansiq.rotation.v1+json"
ENVELOPE_TYPE = "application/vnd.tansiq.envelope.v1"
RECEIPT_TYPE = "application/vnd.tansiq.receipt.v1+json"
POLL_TYPE = "application/vnd.tansiq.poll.v1+json"

MAX_SEALED_BYTES = 5 * 1024 * 1024
"""Plaintext plus HPKE overhead."""
MAX_ENVELOPE_HEAD_BYTES = 4 * 1024
MAX_ENVELOPE_BODY_BYTES = MAX_ENVELOPE_HEAD_BYTES + MAX_SEALED_BYTES
MAX_ENVELOPE_BYTES = MAX_ENVELOPE_BODY_BYTES * 4 // 3 + 32 * 1024
MAX_CARD_BYTES = 64 * 1024
MAX_CARD_FILE_BYTES = 2 * 1024 * 1024
MAX_RECEIPT_BYTES = 256 * 1024
MAX_POLL_BYTES = 32 * 1024
MAX_POLL_ANSWER_BYTES = 40 * 1024 * 1024
MAX_PARCEL_BYTES = 1024 * 1024 * 1024
MAX_PARCEL_HEAD_BYTES = 1024
MAX_PARCEL_LINES = 100_000
MAX_PROOF_BYTES = 8 * 1024 * 1024
MAX_ITEMS = 64
MAX_REQUEST_HEAD_BYTES = 8 * 1024
MAX_ITEM_BYTES = 3 * 1024 * 1024
MAX_ITEMS_HEAD_BYTES = MAX_ITEMS * 256

_Id = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._:-]{1,128}\Z")]
_EnvelopeId = Annotated[str, msgspec.Meta(pattern=r"\Ax-[A-Za-z0-9._:-]{1,126}\Z")]
"""Its sender chooses it, and our ledger's leaf bears it: it must not pass for an entry's, a dossier's, an act's."""
_Node = Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{2}-[a-z2-7]{20}\Z")]
_Kind = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z_]{0,31}\Z")]
_Code = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9_.]{0,96}\Z")]
_Sha = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Instant = Annotated[str, msgspec.Meta(max_length=24)]
_Suite = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]{1,32}\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=256)]
_Language = Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{2}\Z")]
_Url = Annotated[str, msgspec.Meta(pattern=r"\A(https://[A-Za-z0-9._\[\]:-]{1,200})?\Z")]
_V1 = Annotated[int, msgspec.Meta(ge=1, le=1)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class _SigningKeys(_Strict, frozen=True):
    ed25519: Annotated[str, msgspec.Meta(max_length=64)]
    mldsa65: Annotated[str, msgspec.Meta(max_length=4096)]


class _SealingKeys(_Strict, frozen=True):
    x25519: Annotated[str, msgspec.Meta(max_length=64)]
    mlkem768: Annotated[str, msgspec.Meta(max_length=4096)]


class _Card(_Strict, frozen=True):
    v: _V1
    node: _Node
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    country: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{2}\Z")]
    url: _Url
    languages: Annotated[list[_Language], msgspec.Meta(max_length=16)]
    contact: _Text
    signing_keys: _SigningKeys
    sealing_keys: _SealingKeys
    tls_sha256: _Sha
    suites: Annotated[list[_Suite], msgspec.Meta(min_length=1, max_length=8)]
    issued_at: _Instant


class _Rotation(_Strict, frozen=True):
    v: _V1
    card: bytes


class _CardFile(_Strict, frozen=True):
    v: _V1
    links: Annotated[list[bytes], msgspec.Meta(min_length=1, max_length=64)]


class _Envelope(_Strict, frozen=True, rename={"sender": "from", "recipient": "to"}):
    v: _V1
    suite: _Suite
    id: _EnvelopeId
    sender: _Node
    recipient: _Node
    sent_at: _Instant
    expires_at: _Instant
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEALED_BYTES)]


class _Item(_Strict, frozen=True):
    kind: _Kind
    ref: _Id
    size: Annotated[int, msgspec.Meta(ge=0, le=MAX_ITEM_BYTES)]


class _Items(_Strict, frozen=True):
    items: Annotated[list[_Item], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class _Result(_Strict, frozen=True):
    kind: _Kind
    ref: _Id
    received: bool
    reason: _Code


class _Receipt(_Strict, frozen=True, rename={"sender": "from", "recipient": "to"}):
    v: _V1
    envelope: _Id
    envelope_sha256: _Sha
    sender: _Node
    recipient: _Node
    received_at: _Instant
    items: Annotated[list[_Result], msgspec.Meta(min_length=1, max_length=MAX_ITEMS)]


class _Poll(_Strict, frozen=True, rename={"sender": "from", "recipient": "to"}):
    v: _V1
    id: _Id
    sender: _Node
    recipient: _Node
    at: _Instant


class _PollAnswer(_Strict, frozen=True):
    envelopes: Annotated[list[bytes], msgspec.Meta(max_length=16)]


class _ParcelHead(_Strict, frozen=True, rename={"sender": "from", "recipient": "to"}):
    tansiq: Annotated[str, msgspec.Meta(pattern=r"\Aparcel\Z")]
    v: _V1
    sender: _Node
    recipient: _Node
    made_at: _Instant


class _ParcelLine(_Strict, frozen=True):
    envelope: bytes | None = None
    receipt: bytes | None = None


class _Proof(_Strict, frozen=True):
    tansiq: Annotated[str, msgspec.Meta(pattern=r"\Areceipt-proof\Z")]
    v: _V1
    kind: _Kind
    ref: _Id
    envelope: _Id
    envelope_sha256: _Sha
    receipt: bytes
    sender_card: bytes
    recipient_card: bytes


@dataclass(frozen=True, slots=True)
class SealedEnvelope:
    """An envelope's body; its items are still sealed."""

    id: str
    suite: str
    sender: NodeId
    recipient: NodeId
    sent_at: datetime
    expires_at: datetime
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Poll:
    """A signed question: have you got anything for me?"""

    id: str
    sender: NodeId
    recipient: NodeId
    at: datetime


@dataclass(frozen=True, slots=True)
class ParcelHead:
    """The first line of a file carried by hand. Unsigned: each line below it carries its own signatures."""

    sender: NodeId
    recipient: NodeId
    made_at: datetime


S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")
_PATH = re.compile(r"`(\$[^`]{0,80})`\s*\Z")


def _failure(step: str, exc: Exception) -> Invalid:
    """Our own words only: msgspec's message may quote what the partner wrote, and that may be personal data."""
    text = str(exc)
    found = _PATH.search(text)
    path = found.group(1).removeprefix("$").removeprefix(".") if found else ""
    if "unknown field" in text:
        code, message = "unknown_field", "has a field that this version does not know"
    elif "missing required field" in text:
        code, message = "missing_field", "lacks a field"
        named = re.search(r"missing required field `([a-z0-9_]{1,32})`", text)
        path = ".".join(x for x in (path, named.group(1) if named else "") if x)
    else:
        code, message = "malformed", "does not have the form that the protocol asks for"
    return Invalid(f"{step}.{code}", f"the {step} {message}", step=step, field=path)


def _decode(step: str, raw: bytes, kind: type[S], limit: int) -> S:
    if len(raw) > limit:
        raise Invalid(f"{step}.too_large", f"the {step} is larger than {limit} bytes", step=step)
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as exc:
        raise _failure(step, exc) from exc


def _same(step: str, body: bytes, rendered: bytes) -> None:
    if body != rendered:
        raise Invalid(f"{step}.not_canonical", f"the {step} is not in its one canonical form", step=step)


def _headed(step: str, raw: bytes, kind: type[S], limit: int, head_limit: int) -> tuple[S, bytes, bytes]:
    """The head that stands before the first line feed: read, and as it stands; and the bytes behind it."""
    if len(raw) > limit:
        raise Invalid(f"{step}.too_large", f"the {step} is larger than {limit} bytes", step=step)
    head, line_feed, behind = raw.partition(b"\n")
    found = _decode(step, head, kind, head_limit)
    if not line_feed:
        raise Invalid(f"{step}.malformed", f"the {step} has nothing behind its head", step=step)
    return found, head, behind


def _instant(step: str, text: str, field: str) -> datetime:
    try:
        return parse_instant(text, field)
    except Invalid as exc:
        raise Invalid(f"{step}.malformed", exc.message, step=step, field=field) from exc


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def read(step: str, parse: Callable[[bytes], T], raw: bytes) -> T:
    """What a *verified* partner signed must parse: a body that does not makes the partner untrusted, not us."""
    try:
        return parse(raw)
    except Invalid as exc:
        raise Untrusted(exc.code, exc.message, step=step, field=exc.field) from exc


def check_size(step: str, raw: bytes, limit: int) -> None:
    if len(raw) > limit:
        raise Untrusted(f"{step}.too_large", f"the {step} is larger than {limit} bytes", step=step)


# --- cards ---


def render_card(card: NodeCard) -> bytes:
    return canonical(
        {
            "v": 1,
            "node": card.node,
            "version": card.version,
            "name": card.name,
            "country": card.country,
            "url": card.url,
            "languages": list(card.languages),
            "contact": card.contact,
            "signing_keys": dict(card.signing_keys),
            "sealing_keys": dict(card.sealing_keys),
            "tls_sha256": card.tls_sha256,
            "suites": list(card.suites),
            "issued_at": format_instant(card.issued_at),
        }
    )


def parse_card(body: bytes) -> NodeCard:
    """Raises `Invalid` naming the field."""
    c = _decode("card", body, _Card, MAX_CARD_BYTES)
    card = NodeCard(
        node=NodeId(c.node),
        version=c.version,
        name=c.name,
        country=c.country,
        url=c.url,
        languages=tuple(c.languages),
        contact=c.contact,
        signing_keys={"ed25519": c.signing_keys.ed25519, "mldsa65": c.signing_keys.mldsa65},
        sealing_keys={"x25519": c.sealing_keys.x25519, "mlkem768": c.sealing_keys.mlkem768},
        tls_sha256=c.tls_sha256,
        suites=tuple(c.suites),
        issued_at=_instant("card", c.issued_at, "issued_at"),
    )
    if card.country.lower() != card.node[:2]:
        raise Invalid("card.malformed", "the country is not that of the node id", step="card", field="country")
    _same("card", body, render_card(card))
    return card


def render_rotation(card: bytes) -> bytes:
    return canonical({"v": 1, "card": b64(card)})


def parse_rotation(body: bytes) -> bytes:
    """The signed new card inside."""
    found = _decode("rotation", body, _Rotation, 2 * MAX_CARD_BYTES)
    _same("rotation", body, render_rotation(found.card))
    return found.card


def render_card_file(links: list[bytes]) -> bytes:
    """One link is given as it is: most nodes never rotate their keys, and a card is a plain signed document."""
    return links[0] if len(links) == 1 else canonical({"v": 1, "links": [b64(x) for x in links]})


def parse_card_file(raw: bytes) -> list[bytes]:
    """The links, oldest first: the first signed card, then rotations and newer cards."""
    if len(raw) > MAX_CARD_FILE_BYTES:
        raise Invalid("card.too_large", f"the card is larger than {MAX_CARD_FILE_BYTES} bytes", step="card")
    if b'"links"' not in raw[:64]:
        return [raw]
    found = _decode("card", raw, _CardFile, MAX_CARD_FILE_BYTES)
    return list(found.links)


# --- envelopes ---


def envelope_info(envelope: str, sender: NodeId, recipient: NodeId, suite: str) -> bytes:
    """What HPKE binds beside the key: an item sealed for one envelope opens in no other, for nobody else."""
    return canonical({"tansiq": "envelope.v1", "id": envelope, "from": sender, "to": recipient, "suite": suite})


def render_envelope(e: SealedEnvelope) -> bytes:
    return b"%b\n%b" % (_envelope_head(e), e.sealed)


def _envelope_head(e: SealedEnvelope) -> bytes:
    return canonical(
        {
            "v": 1,
            "suite": e.suite,
            "id": e.id,
            "from": e.sender,
            "to": e.recipient,
            "sent_at": format_instant(e.sent_at),
            "expires_at": format_instant(e.expires_at),
            "size": len(e.sealed),
        }
    )


def parse_envelope(body: bytes) -> SealedEnvelope:
    """Raises `Invalid` naming the field; `Untrusted("suite.unknown")` names a suite that we do not speak."""
    e, head, sealed = _headed("envelope", body, _Envelope, MAX_ENVELOPE_BODY_BYTES, MAX_ENVELOPE_HEAD_BYTES)
    require_suite(e.suite)
    if e.size != len(sealed):
        raise Invalid("envelope.size", "what is sealed is not as long as said", step="envelope", field="size")
    found = SealedEnvelope(
        id=e.id,
        suite=e.suite,
        sender=NodeId(e.sender),
        recipient=NodeId(e.recipient),
        sent_at=_instant("envelope", e.sent_at, "sent_at"),
        expires_at=_instant("envelope", e.expires_at, "expires_at"),
        sealed=sealed,
    )
    _same("envelope", head, _envelope_head(found))
    return found


def render_items(items: list[Item]) -> bytes:
    return b"".join([_items_head(items), b"\n", *(i.payload for i in items)])


def _items_head(items: list[Item]) -> bytes:
    return canonical({"items": [{"kind": i.kind, "ref": i.ref, "size": len(i.payload)} for i in items]})


def parse_items(plaintext: bytes) -> list[Item]:
    found, head, behind = _headed("items", plaintext, _Items, MAX_SEALED_BYTES, MAX_ITEMS_HEAD_BYTES)
    if sum(i.size for i in found.items) != len(behind):
        raise Invalid("items.sizes", "the payloads are not as long as said", step="items", field="items")
    ends = list(accumulate(i.size for i in found.items))
    items = [Item(i.kind, i.ref, behind[end - i.size : end]) for i, end in zip(found.items, ends, strict=True)]
    if len({(i.kind, i.ref) for i in items}) != len(items):
        raise Invalid("items.repeated", "one item stands twice in the envelope", step="items", field="items")
    _same("items", head, _items_head(items))
    return items


# --- receipts and polls ---


def render_receipt(r: Receipt) -> bytes:
    return canonical(
        {
            "v": 1,
            "envelope": r.envelope,
            "envelope_sha256": r.envelope_sha256,
            "from": r.sender,
            "to": r.recipient,
            "received_at": format_instant(r.received_at),
            "items": [{"kind": i.kind, "ref": i.ref, "received": i.received, "reason": i.reason} for i in r.items],
        }
    )


class _For(msgspec.Struct, frozen=True):
    envelope: _EnvelopeId


def receipt_for(body: bytes) -> str:
    """The envelope of a receipt that cannot be read; empty where it names none."""
    try:
        return _decode("receipt", body, _For, MAX_RECEIPT_BYTES).envelope
    except Invalid:
        return ""


def parse_receipt(body: bytes) -> Receipt:
    """`from` and `to` are those of the envelope: the receipt is signed by the node in `to`."""
    r = _decode("receipt", body, _Receipt, MAX_RECEIPT_BYTES)
    found = Receipt(
        envelope=r.envelope,
        envelope_sha256=r.envelope_sha256,
        sender=NodeId(r.sender),
        recipient=NodeId(r.recipient),
        received_at=_instant("receipt", r.received_at, "received_at"),
        items=tuple(ItemResult(i.ref, i.received, i.reason, i.kind) for i in r.items),
    )
    _same("receipt", body, render_receipt(found))
    return found


def render_poll(p: Poll) -> bytes:
    return canonical({"v": 1, "id": p.id, "from": p.sender, "to": p.recipient, "at": format_instant(p.at)})


def parse_poll(body: bytes) -> Poll:
    p = _decode("poll", body, _Poll, MAX_POLL_BYTES)
    found = Poll(p.id, NodeId(p.sender), NodeId(p.recipient), _instant("poll", p.at, "at"))
    _same("poll", body, render_poll(found))
    return found


def render_poll_answer(envelopes: list[bytes]) -> bytes:
    return canonical({"envelopes": [b64(e) for e in envelopes]})


def parse_poll_answer(raw: bytes) -> list[bytes]:
    """Unsigned: each envelope in it carries its own signatures."""
    return list(_decode("poll", raw, _PollAnswer, MAX_POLL_ANSWER_BYTES).envelopes)


# --- parcels (files carried by hand) and proofs ---


def render_parcel(head: ParcelHead, envelopes: list[bytes], receipts: list[bytes]) -> bytes:
    first = canonical(
        {
            "tansiq": "parcel",
            "v": 1,
            "from": head.sender,
            "to": head.recipient,
            "made_at": format_instant(head.made_at),
        }
    )
    # Receipts first: they are small, and a file cut short on a bad stick still brings them.
    lines = [
        first,
        *(canonical({"receipt": b64(r)}) for r in receipts),
        *(canonical({"envelope": b64(e)}) for e in envelopes),
    ]
    return b"\n".join(lines) + b"\n"


def parse_parcel(raw: bytes) -> tuple[ParcelHead, list[tuple[int, str, bytes]], list[tuple[int, str]]]:
    """The head, then (line, `envelope`|`receipt`, bytes) of each good line, then (line, code) of each bad one.

    A file may have been cut short or damaged on its way by hand: what is whole in it is still used.
    """
    if len(raw) > MAX_PARCEL_BYTES:
        raise Invalid("parcel.too_large", f"the file is larger than {MAX_PARCEL_BYTES} bytes", step="parcel")
    lines = raw.split(b"\n", MAX_PARCEL_LINES)
    if len(lines) > MAX_PARCEL_LINES:
        # Each costs more in memory than an empty one is long.
        raise Invalid("parcel.too_large", f"the file has more than {MAX_PARCEL_LINES} lines", step="parcel")
    if len(lines[0]) > MAX_PARCEL_HEAD_BYTES:
        # Another kind of file, most likely: "too large" would send an officer looking for a smaller one.
        raise Invalid("parcel.malformed", "the file does not begin as a parcel does", step="parcel", field="line 1")
    h = _decode("parcel", lines[0], _ParcelHead, MAX_PARCEL_HEAD_BYTES)
    head = ParcelHead(NodeId(h.sender), NodeId(h.recipient), _instant("parcel", h.made_at, "made_at"))
    good: list[tuple[int, str, bytes]] = []
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        try:
            found = _decode("parcel", line, _ParcelLine, MAX_ENVELOPE_BYTES * 4 // 3 + 64)
        except TansiqError as exc:
            bad.append((number, exc.code))
            continue
        if found.envelope is not None and found.receipt is None:
            good.append((number, "envelope", found.envelope))
        elif found.receipt is not None and found.envelope is None:
            good.append((number, "receipt", found.receipt))
        else:
            bad.append((number, "parcel.malformed"))
    return head, good, bad


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """Everything that a third party needs; nothing in it is trusted before `proofs.verify_receipt_proof`."""

    kind: str
    ref: str
    envelope: str
    envelope_sha256: str
    receipt: bytes
    sender_card: bytes
    recipient_card: bytes


def render_proof(p: ReceiptProof) -> bytes:
    return canonical(
        {
            "tansiq": "receipt-proof",
            "v": 1,
            "kind": p.kind,
            "ref": p.ref,
            "envelope": p.envelope,
            "envelope_sha256": p.envelope_sha256,
            "receipt": b64(p.receipt),
            "sender_card": b64(p.sender_card),
            "recipient_card": b64(p.recipient_card),
        }
    )


def parse_proof(raw: bytes) -> ReceiptProof:
    p = _decode("proof", raw.strip(), _Proof, MAX_PROOF_BYTES)
    return ReceiptProof(p.kind, p.ref, p.envelope, p.envelope_sha256, p.receipt, p.sender_card, p.recipient_card)


# --- the door's HTTP ---


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What the partners' door reads of an HTTP request; no other header says anything there."""

    method: str
    path: str
    """Without its query."""
    length: int
    """Of the body, in bytes."""
    keep: bool
    """Whether the line goes on after the answer."""
    waits: bool
    """The body comes only once it was asked for (`100-continue`)."""


_REQUEST = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,1023}) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t -~\x80-\xff]*)")
_MOST_HEADERS = 64


def parse_request_head(raw: bytes) -> RequestHead:
    """The lines up to the empty one, without it. Raises `Invalid("http.*")`.

    Strict where two readers could differ on where a body ends: one length at most, no transfer encoding, no folded
    line, no line end but CR LF.
    """
    if len(raw) > MAX_REQUEST_HEAD_BYTES:
        raise _bad_request("http.head_too_large", "the head of the request is too long")
    first, *lines = raw.split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    if request is None or len(lines) > _MOST_HEADERS:
        raise _bad_request("http.request", "not a request of HTTP/1.1")
    found: dict[bytes, bytes] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise _bad_request("http.header", "not a header")
        name = header[1].lower()
        if name in found and name in (b"content-length", b"transfer-encoding"):
            raise _bad_request("http.length", "two lengths")
        found[name] = header[2].rstrip(b" \t").lower()
    method = request[1].decode("ascii")
    words = {word.strip() for word in found.get(b"connection", b"").split(b",")}
    return RequestHead(
        method=method,
        path=request[2].decode("ascii").partition("?")[0],
        length=_body_length(method, found),
        keep=request[3] == b"1" and b"close" not in words,
        waits=found.get(b"expect") == b"100-continue",
    )


def _body_length(method: str, headers: dict[bytes, bytes]) -> int:
    if b"transfer-encoding" in headers:
        raise _bad_request("http.length", "a body needs its length: no transfer encoding is taken")
    claimed = headers.get(b"content-length")
    if claimed is None:
        if method == "POST":
            raise _bad_request("http.length", "a body needs its length")
        return 0
    if not re.fullmatch(rb"[0-9]{1,12}", claimed):
        raise _bad_request("http.length", "not a length")
    return int(claimed)


def _bad_request(code: str, message: str) -> Invalid:
    return Invalid(code, message, step="read the request", field="head")
