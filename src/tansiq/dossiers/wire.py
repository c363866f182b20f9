"""Bytes to entries: the only parser of what partners and officers write into dossiers.

A statement is canonical JSON inside a DSSE envelope signed twice; a delivery carries it with the parts that the
recipient is given. In the envelope that was signed with it, it comes without its signatures, and is made whole by that
envelope's. Anything else is refused by name. Parts are bound by salted commitments, so a part can be missing
(withheld), but never be another one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import msgspec

from tansiq import crypto
from tansiq.dossiers.model import Entry, Legal, Part, PartRef, Presence, Statement
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.terms import (
    Classification,
    DossierId,
    EntryId,
    Handling,
    NodeId,
    PartId,
    Purpose,
    TransferBasis,
    format_instant,
    ids,
    parse_instant,
)
from tansiq.terms.instants import parse_date

PAYLOAD_TYPE = "application/vnd.tansiq.entry.v1+json"
MAX_STATEMENT_BYTES = 64 * 1024
MAX_DELIVERY_BYTES = 6 * 1024 * 1024
MAX_PART_BYTES = 1024 * 1024
MAX_PARTS = 512
MAX_PARENTS = 256
MAX_MEMBERS = 64
MAX_DEPTH = 12
MAX_CLOCK = 2**31
# Words of the vocabulary, known to us or not. They stand in columns: what one database takes and another refuses would
# be an entry that one member has and another never gets.
_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,59}")
_PART_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
_COUNTRY = re.compile(r"\*|[A-Za-z]{2}")
_AGREEMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class _Ref(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    kind: str
    size: int


class _Handling(msgspec.Struct, forbid_unknown_fields=True):
    codes: list[str]
    text: str


class _Legal(msgspec.Struct, forbid_unknown_fields=True):
    purpose: str
    legal_basis: str
    agreements: dict[str, str]
    transfer_basis: str
    review_on: str
    erase_on: str


class _Statement(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    suite: str
    dossier: str
    kind: str
    type: str
    author: str
    officer: str
    clock: int
    at: str
    parents: list[str]
    addressees: list[str]
    handling: _Handling
    legal: _Legal
    facts: dict[str, Any]
    parts: list[_Ref]
    members: list[str] | None
    nonce: str


class _DeliveredPart(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    salt: str
    content: dict[str, Any]


class _Delivery(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    parts: list[_DeliveredPart]
    entry: msgspec.Raw = msgspec.Raw(b"")
    """The signed entry, a document of its own: its bytes are those that it was signed and is kept with."""
    loose: msgspec.Raw = msgspec.Raw(b"")
    """Instead: the entry without signatures, signed in one batch with the envelope that it is in."""


def statement_to_bytes(s: Statement) -> bytes:
    """The canonical bytes that are signed and hashed."""
    return crypto.canonical(
        {
            "v": 1,
            "suite": crypto.SUITE,
            "dossier": s.dossier,
            "kind": s.kind,
            "type": s.type,
            "author": s.author,
            "officer": s.officer,
            "clock": s.clock,
            "at": format_instant(s.at),
            "parents": list(s.parents),
            "addressees": list(s.addressees),
            "handling": {"codes": [str(c) for c in s.handling.codes], "text": s.handling.text},
            "legal": {
                "purpose": s.legal.purpose,
                "legal_basis": s.legal.legal_basis,
                "agreements": dict(s.legal.agreements),
                "transfer_basis": s.legal.transfer_basis,
                "review_on": s.legal.review_on,
                "erase_on": s.legal.erase_on,
            },
            "facts": dict(s.facts),
            "parts": [{"id": p.id, "kind": p.kind, "size": p.size} for p in s.parts],
            "members": None if s.members is None else list(s.members),
            "nonce": s.nonce,
        }
    )


def entry_id(statement: bytes) -> EntryId:
    return EntryId("e-" + crypto.sha256("tansiq.entry.v1", statement).hex())


def dossier_id(opener: NodeId, nonce: str) -> DossierId:
    """A dossier's id belongs to its opener: nobody else can write a valid opening entry under it."""
    return DossierId("d-" + crypto.sha256("tansiq.dossier.v1", opener.encode(), nonce.encode()).hex()[:32])


_LEAVES = frozenset({str, int, bool, type(None)})


def depth_of(value: object) -> int:
    """How deeply lists and objects nest, without recursion (a hostile value must not use our stack)."""
    level, there = 1, [value]
    while level <= MAX_DEPTH:
        below: list[object] = []
        for item in there:
            if type(item) in _LEAVES:  # most are: not worth asking what else they might be
                continue
            if isinstance(item, Mapping):
                below += item.values()
            elif isinstance(item, list | tuple):
                below += item
        if not below:
            return level
        level, there = level + 1, below
    return level


def _no_floats(value: object) -> bool:
    todo = [value]
    while todo:
        item = todo.pop()
        if type(item) in _LEAVES:
            continue
        if isinstance(item, float):
            return False
        if isinstance(item, Mapping):
            todo += list(item.values())
        elif isinstance(item, list | tuple):
            todo += list(item)
    return True


def parse_statement(body: bytes) -> Statement:
    """Raises `Untrusted` with the step and the field; the canonical bytes only, so that one statement has one id."""
    step = "read statement"
    if len(body) > MAX_STATEMENT_BYTES:
        raise Untrusted("statement.too_large", f"over {MAX_STATEMENT_BYTES} bytes", step=step)
    try:
        raw = msgspec.json.decode(body, type=_Statement)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as exc:
        raise Untrusted("statement.malformed", _where(exc), step=step) from None
    if raw.v != 1:
        raise Untrusted("statement.version", "unknown version", step=step, field="v")
    if raw.suite != crypto.SUITE:
        raise Untrusted("suite.unknown", "unknown suite", step=step, field="suite")
    try:
        found = _statement(raw)
        same = statement_to_bytes(found) == body
    except TansiqError as exc:
        raise Untrusted("statement.malformed", exc.message, step=step, field=exc.field) from None
    if not same:
        raise Untrusted("statement.not_canonical", "not in canonical form", step=step)
    return found


def _where(exc: Exception) -> str:
    """What msgspec found wrong, by place only: its text may quote the input."""
    text = str(exc)
    return "malformed" + (text[text.rindex(" - at") :].split("\n")[0][:80] if " - at" in text else "")


def _bounded(count: int, most: int, field: str) -> None:
    if count > most:
        raise Invalid("statement.too_many", f"more than {most}", field=field)


def check_members(count: int, field: str) -> None:
    """What every reader refuses is not written either. Raises `Invalid`."""
    if count > MAX_MEMBERS:
        raise Invalid("statement.too_many_members", f"more than {MAX_MEMBERS}", step="name the members", field=field)


def _statement(raw: _Statement) -> Statement:
    _bounded(len(raw.parts), MAX_PARTS, "parts")
    _bounded(len(raw.parents), MAX_PARENTS, "parents")
    check_members(len(raw.addressees), "addressees")
    check_members(len(raw.members or ()), "members")
    _bounded(depth_of(raw.facts), MAX_DEPTH, "facts")
    if not _no_floats(raw.facts):
        raise Invalid("statement.float", "numbers are whole", field="facts")
    if not 0 <= raw.clock < MAX_CLOCK:
        raise Invalid("statement.clock", "out of range", field="clock")
    if not _TYPE.fullmatch(raw.type):
        raise Invalid("statement.type", "not a word", field="type")
    if not all(_PART_KIND.fullmatch(p.kind) for p in raw.parts):
        raise Invalid("statement.part_kind", "not a word", field="parts.kind")
    for name in ("kind", "officer", "nonce"):
        if len(getattr(raw, name)) > 100:
            raise Invalid("statement.too_long", "over 100 characters", field=name)
    if any(not 0 <= p.size <= MAX_PART_BYTES for p in raw.parts):
        raise Invalid("statement.part_size", "out of range", field="parts")
    at = parse_instant(raw.at, "at")
    if not 2000 <= at.year <= 2199:
        raise Invalid("statement.at", "out of range", field="at")
    refs = tuple(PartRef(ids.parse_part_id(p.id, "parts.id"), p.kind, p.size) for p in raw.parts)
    if len({r.id for r in refs}) != len(refs):
        raise Invalid("statement.part_twice", "a part stands twice", field="parts")
    return Statement(
        dossier=ids.parse_dossier_id(raw.dossier, "dossier"),
        kind=raw.kind,
        type=raw.type,
        author=ids.parse_node_id(raw.author, "author"),
        officer=raw.officer,
        clock=raw.clock,
        at=at,
        parents=tuple(ids.parse_entry_id(p, "parents") for p in raw.parents),
        addressees=tuple(ids.parse_node_id(n, "addressees") for n in raw.addressees),
        handling=Handling.parse(raw.handling.codes, raw.handling.text),
        legal=parse_legal(raw.legal),
        facts=raw.facts,
        parts=refs,
        members=None if raw.members is None else tuple(ids.parse_node_id(n, "members") for n in raw.members),
        nonce=raw.nonce,
    )


def parse_legal(raw: _Legal) -> Legal:
    """Closed purposes and real dates; texts are bounded."""
    try:
        Purpose(raw.purpose)
    except ValueError:
        raise Invalid("legal.purpose", "unknown purpose", field="legal.purpose") from None
    for name in ("review_on", "erase_on"):
        if getattr(raw, name):
            parse_date(getattr(raw, name), f"legal.{name}")
    if len(raw.legal_basis) > 2000 or len(raw.agreements) > MAX_MEMBERS:
        raise Invalid("legal.too_long", "too long", field="legal")
    if raw.review_on and raw.erase_on and raw.erase_on < raw.review_on:
        raise Invalid("legal.erase_before_review", "erasure comes before review", field="legal.erase_on")
    return Legal(raw.purpose, raw.legal_basis, raw.agreements, raw.transfer_basis, raw.review_on, raw.erase_on)


def check_statement(body: bytes) -> Statement:
    """What we are about to sign must be what we can read: too many parts or parents is our officer's `Invalid`.

    It comes back as everybody else will read it.
    """
    try:
        return parse_statement(body)
    except Untrusted as exc:
        raise Invalid(exc.code, exc.message, step="write the statement", field=exc.field) from None


def has_form(kind: str, content: Mapping[str, Any]) -> bool:
    """A part's content has the form that its kind promises, so that no page and no matcher trips over it."""
    if content.get("kind") != kind:
        return False
    if kind != "entity":
        return all(isinstance(v, str) for v in content.values()) and (kind == "link" or "text" in content)
    entity = content.get("entity")
    claims = entity.get("claims") if isinstance(entity, Mapping) else None
    if not isinstance(entity, Mapping) or not isinstance(entity.get("schema"), str) or not isinstance(claims, list):
        return False
    return all(isinstance(c, Mapping) and all(isinstance(v, str) for v in c.values()) for c in claims)


def part_content(content: Mapping[str, Any], field: str = "parts") -> bytes:
    """The canonical bytes of a part's content. Raises `Invalid` on floats, depth or size."""
    try:
        # One walk for what is in order. What stands in the innermost list or object is one level deeper than that.
        found = crypto.canonical(dict(content), max_depth=MAX_DEPTH - 1)
    except Invalid:
        if depth_of(content) > MAX_DEPTH:
            raise Invalid("part.too_deep", f"nested deeper than {MAX_DEPTH}", field=field) from None
        if not _no_floats(content):
            raise Invalid("part.float", "numbers are whole; write decimals as text", field=field) from None
        found = crypto.canonical(dict(content))
    if len(found) > MAX_PART_BYTES:
        raise Invalid("part.too_large", f"over {MAX_PART_BYTES} bytes", field=field)
    return found


def delivery_to_bytes(raw_entry: bytes, parts: list[tuple[PartId, bytes, msgspec.Raw]]) -> bytes:
    """`parts`: (id, salt, content as JSON) of those that this recipient is given."""
    return _delivery("entry", raw_entry, parts)


def loose_delivery_to_bytes(loose: bytes, parts: list[tuple[PartId, bytes, msgspec.Raw]]) -> bytes:
    """The same for the envelope that is signed with the entry, and for no other."""
    return _delivery("loose", loose, parts)


def _delivery(form: str, raw: bytes, parts: list[tuple[PartId, bytes, msgspec.Raw]]) -> bytes:
    return msgspec.json.encode(
        {
            "v": 1,
            form: msgspec.Raw(raw),
            "parts": [{"id": p, "salt": base64.b64encode(s).decode(), "content": c} for p, s, c in parts],
        }
    )


Keyring = Callable[[NodeId], crypto.PublicKeys]
"""The pinned keys of a node; raises `Untrusted` for one that is not pinned."""


def verify_entry(raw_entry: bytes, keyring: Keyring, known: crypto.Batch | None = None) -> tuple[Entry, Statement]:
    """An entry with no parts held yet. Raises `Untrusted`. `known`: a batch whose signature is not verified again."""
    claim = crypto.peek(raw_entry, max_bytes=2 * MAX_STATEMENT_BYTES)
    statement = parse_statement(claim.body)
    author = statement.author
    body = claim.verified(PAYLOAD_TYPE, keyring(author), author, batches=True, known=known)
    parts = tuple(Part(ref, Presence.WITHHELD, None) for ref in statement.parts)
    return Entry(entry_id(body), statement, parts), statement


class Given(NamedTuple):
    """A part as it was delivered."""

    salt: bytes
    content: Mapping[str, Any]
    packed: bytes
    """The content's canonical bytes."""


def parse_delivery(
    payload: bytes, keyring: Keyring, batch: crypto.Batch | None = None
) -> tuple[bytes, Entry, dict[PartId, Given]]:
    """(signed entry, entry, what was given of it). Raises `Untrusted`: signature, commitment or form is wrong.

    `batch`: what the envelope of this delivery was signed with.
    """
    step = "read delivery"
    if len(payload) > MAX_DELIVERY_BYTES:
        raise Untrusted("delivery.too_large", f"over {MAX_DELIVERY_BYTES} bytes", step=step)
    try:
        raw = msgspec.json.decode(payload, type=_Delivery)
        salts = [base64.b64decode(p.salt, validate=True) for p in raw.parts]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, binascii.Error, ValueError):
        _malformed(step)
    if raw.v != 1:
        raise Untrusted("delivery.version", "unknown version", step=step, field="v")
    raw_entry = _signed_entry(raw, batch, step)
    entry, statement = verify_entry(raw_entry, keyring, batch)
    refs = {r.id: r for r in statement.parts}
    found: dict[PartId, Given] = {}
    for part, salt in zip(raw.parts, salts, strict=True):
        ref = refs.get(PartId(part.id))
        if ref is None or ref.id in found:
            raise Untrusted(
                "delivery.part_unknown", "a part that the statement does not list", step=step, field="parts"
            )
        try:
            content = part_content(part.content)
        except Invalid as exc:
            raise Untrusted(exc.code, exc.message, step=step, field="parts") from None
        if len(salt) != 32 or crypto.commit_part(ref.kind, salt, content) != ref.id or len(content) != ref.size:
            raise Untrusted("delivery.commitment", "a part does not match its commitment", step=step, field="parts")
        if not has_form(ref.kind, part.content):
            raise Untrusted("delivery.part_form", "a part has not the form of its kind", step=step, field="parts")
        found[ref.id] = Given(salt, part.content, content)
    return raw_entry, entry, found


def _signed_entry(raw: _Delivery, batch: crypto.Batch | None, step: str) -> bytes:
    """The entry as it stands alone, whichever way it came."""
    signed, loose = bytes(raw.entry), bytes(raw.loose)
    if bool(signed) == bool(loose):
        _malformed(step)
    if signed:
        return signed
    if batch is None:
        raise Untrusted("batch.not_in", "an entry without signatures", step=step, field="loose")
    return batch.whole(loose)


def _malformed(step: str) -> NoReturn:
    raise Untrusted("delivery.malformed", "malformed", step=step)


# --- what officers write (CLI files, API, pages) ---


class _BodyLegal(msgspec.Struct, forbid_unknown_fields=True):
    purpose: str
    legal_basis: str
    agreement: str | dict[str, str] = ""
    transfer_basis: str = ""
    review_on: str = ""
    erase_on: str = ""


class _BodyHandling(msgspec.Struct, forbid_unknown_fields=True):
    codes: list[str] = []
    text: str = ""
    classification: Classification = Classification.UNCLASSIFIED


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """One act as an officer writes it; docs/dossier-body.md is its reference."""

    type: str = ""
    subject: str = ""
    facts: dict[str, Any] = {}
    handling: _BodyHandling = msgspec.field(default_factory=_BodyHandling)
    legal: _BodyLegal | None = None
    to: list[str] | None = None
    parts: list[dict[str, Any]] = []
    strictly_necessary: bool = False
    special_categories: bool = False
    interpol_channel: bool = False
    article_3: bool = False
    risk: list[str] = []
    assurances: list[str] = []


def field_of(exc: Exception, root: str = "") -> str:
    """Where msgspec found the fault, e.g. `legal.legal_basis`: places and field names of ours, never the input.

    An unknown field's own name comes from the input; it is shortened, and it is what the writer must find.
    """
    text = str(exc)
    path = text[text.rindex("`$") :].strip("`").removeprefix("$").lstrip(".") if "`$" in text else ""
    named = text.split("`")[1][:40] if "field `" in text else ""
    return ".".join(x for x in (root, path, named) if x)


def parse_body(value: object) -> Body:
    """Raises `Invalid` with the field's path; the input is never quoted."""
    if depth_of(value) > MAX_DEPTH:
        raise Invalid("body.too_deep", f"nested deeper than {MAX_DEPTH}", step="read the act")
    try:
        return msgspec.convert(value, type=Body)
    except msgspec.ValidationError as exc:
        raise Invalid(
            "body.malformed", "missing, unknown or of the wrong form", step="read the act", field=field_of(exc)
        ) from None


def body_legal(body: Body) -> Legal | None:
    """The act's own legal ground, checked; None where it follows the opening entry's.

    Of its fields only the basis in law is in words: all of them are signed, seen by every member and erased by nobody.
    """
    if body.legal is None:
        return None
    agreement = body.legal.agreement
    agreements = {"*": agreement} if isinstance(agreement, str) else dict(agreement)
    for country, ident in agreements.items():
        if not _COUNTRY.fullmatch(country) or not _AGREEMENT.fullmatch(ident or "none"):
            raise Invalid("legal.agreement", "an agreement's id", step="read the act", field="legal.agreement")
    if body.legal.transfer_basis and body.legal.transfer_basis not in set(TransferBasis):
        raise Invalid("legal.transfer_basis", "no such basis", step="read the act", field="legal.transfer_basis")
    return parse_legal(
        _Legal(
            body.legal.purpose,
            body.legal.legal_basis,
            {k.upper(): v for k, v in agreements.items() if v},
            body.legal.transfer_basis,
            body.legal.review_on,
            body.legal.erase_on,
        )
    )
