"""Bytes to values: signed notes, checkpoints, witness requests and proof bundles. Every failure is `Untrusted`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from tansiq.crypto import SUITE, canonical, from_base64, parse_canonical, require_suite, to_base64
from tansiq.errors import TansiqError, Untrusted
from tansiq.ledger.merkle import HASH_BYTES
from tansiq.ledger.model import Checkpoint, Leaf, Wanted
from tansiq.terms import LogVerb, parse_instant

MAX_NOTE_BYTES = 256 * 1024  # a signed note must hold at least 16 signatures; ML-DSA-65 lines have 4.4 kB
MAX_SIGNATURES = 64
"""On one note: two of its log, and of 62 witnesses."""
MAX_BUNDLE_BYTES = 1024 * 1024
MAX_SIZE = 2**63 - 1
_MAX_PROOF = 63
_MAX_ANSWER_BYTES = 16 * 1024
BUNDLE_TYPE = "tansiq.ledger.proof.v1"
ARCHIVE_TYPE = "tansiq.ledger.log.v1"
MAX_ARCHIVE_HEAD = 32 * 1024 * 1024
"""Cards of some hundred witnesses, and the ids of a chosen dossier with all that is in it."""
_NOTE_LINE = b'{"checkpoint":'

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/=]{8,12000})")


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, not verified."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, not verified: its text (with the final newline) and its signature lines."""

    text: str
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True)
class BundleWire:
    """A proof bundle, not verified."""

    index: int
    leaf: Leaf
    salt: bytes | None
    content: Mapping[str, Any] | None
    path: tuple[bytes, ...]
    checkpoint: str


def parse_note(raw: bytes | str) -> Note:
    """C2SP signed-note. Raises `Untrusted("note.malformed")`."""
    data = _utf8(raw)
    if len(data) > MAX_NOTE_BYTES:
        raise Untrusted("note.too_large", f"a note larger than {MAX_NOTE_BYTES} bytes", step="note")
    text = data.decode()
    if any(c < " " and c != "\n" for c in text):
        raise Untrusted("note.malformed", "a note with control characters", step="note")
    body, blank, lines = text.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise Untrusted("note.malformed", "a note is text, a blank line and signature lines", step="note")
    found = tuple(parse_signature(line) for line in lines[:-1].split("\n"))
    if len(found) > MAX_SIGNATURES:
        raise Untrusted("note.signatures", f"more than {MAX_SIGNATURES} signatures", step="note")
    return Note(body + "\n", found)


def parse_signature(line: str) -> NoteSignature:
    """One signature line, without its newline. Raises `Untrusted("note.malformed")`."""
    match = _SIGNATURE.fullmatch(line)
    if not match:
        raise Untrusted("note.malformed", "not a signature line", step="note")
    raw = from_base64(match[2], "signature", "note.malformed")
    if len(raw) <= 4:
        raise Untrusted("note.malformed", "a signature line without a signature", step="note")
    return NoteSignature(match[1], raw[:4], raw[4:])


def parse_checkpoint(text: str) -> Checkpoint:
    """The text of a C2SP tlog-checkpoint. Raises `Untrusted("checkpoint.malformed")`."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise Untrusted("checkpoint.malformed", "a checkpoint is origin, size and root", step="checkpoint")
    origin, size, root, *extensions = lines[:-1]
    return Checkpoint(
        origin, _size(size, "checkpoint.malformed"), _hash(root, "root", "checkpoint.malformed"), tuple(extensions)
    )


def render_request(old: int, path: tuple[bytes, ...], note: str) -> bytes:
    """The body of C2SP tlog-witness `add-checkpoint`."""
    return "".join([f"old {old}\n", *(f"{to_base64(step)}\n" for step in path), "\n", note]).encode()


def parse_request(raw: bytes) -> tuple[int, tuple[bytes, ...], str]:
    """(old size, consistency proof, note) of `add-checkpoint`. Raises `Untrusted("witness.malformed")`."""
    if len(raw) > MAX_NOTE_BYTES + 4096:
        raise Untrusted("witness.malformed", "a witness request that is too large", step="witness")
    head, blank, note = _utf8(raw).decode().partition("\n\n")
    first, *steps = head.split("\n")
    if not blank or not first.startswith("old ") or len(steps) > _MAX_PROOF:
        raise Untrusted("witness.malformed", "not a witness request", step="witness")
    old = _size(first[4:], "witness.malformed")
    return old, tuple(_hash(step, "proof", "witness.malformed") for step in steps), note


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What a witness says to a checkpoint: its cosignature line, or the size that it knows. One of the two."""

    size: int
    """Of the checkpoint that was laid before it."""
    line: str = ""
    known: int = 0
    note: str = ""
    """The log's own signed note of the size that is known, where that is more than was laid before the witness."""


def render_answer(answer: WitnessAnswer) -> bytes:
    """Canonical JSON `v, size, line, known`; with a note, of version 2, `note` besides."""
    said = {"size": answer.size, "line": answer.line, "known": answer.known}
    return canonical({"v": 2, **said, "note": answer.note} if answer.note else {"v": 1, **said})


def parse_answer(raw: bytes) -> WitnessAnswer:
    """Raises `Untrusted("witness.malformed")`."""
    value = parse_canonical(raw, _MAX_ANSWER_BYTES, "witness")
    fields = {"v", "size", "line", "known"}
    form = value.get("v") if isinstance(value, dict) else None
    if type(form) is not int or form not in (1, 2) or value.keys() != (fields if form == 1 else fields | {"note"}):
        raise Untrusted("witness.malformed", "not a witness's answer", step="witness")
    size, line, known = value["size"], value["line"], value["known"]
    counts = all(type(n) is int and 0 <= n <= MAX_SIZE for n in (size, known))
    note = value.get("note", "")
    if not counts or not isinstance(line, str) or (line and known):
        raise Untrusted("witness.malformed", "a witness's answer is a line or a size", step="witness")
    if form == 2 and not (known and isinstance(note, str) and note):  # a note proves a size
        raise Untrusted("witness.malformed", "a note without the size that it proves", step="witness")
    return WitnessAnswer(size, line, known, note)


def lines_of(note: str, origin: str) -> str:
    """A signed note with the log's own signatures alone: without those of its witnesses it is short."""
    text, blank, lines = note.partition("\n\n")
    return text + blank + "".join(f"{line}\n" for line in lines.splitlines() if line.startswith(f"— {origin} "))


def render_bundle(bundle: BundleWire) -> dict[str, Any]:
    """The JSON value of a bundle, to be written in canonical form."""
    leaf = bundle.leaf
    disclosed = None
    if bundle.salt is not None and bundle.content is not None:
        disclosed = {"salt": to_base64(bundle.salt), "content": dict(bundle.content)}
    return {
        "type": BUNDLE_TYPE,
        "suite": SUITE,
        "index": bundle.index,
        "leaf": {
            "at": leaf.at,
            "verb": leaf.verb.value,
            "subject": leaf.subject,
            "commitment": leaf.commitment.hex(),
        },
        "disclosed": disclosed,
        "path": [to_base64(step) for step in bundle.path],
        "checkpoint": bundle.checkpoint,
    }


def parse_bundle(raw: bytes) -> BundleWire:
    """A proof bundle in canonical form, nothing verified. Raises `Untrusted("bundle.*")` or `suite.unknown`."""
    value = parse_canonical(raw, MAX_BUNDLE_BYTES, "bundle")
    value = _object(value, {"type", "suite", "index", "leaf", "disclosed", "path", "checkpoint"}, "")
    require_suite(value["suite"])
    if value["type"] != BUNDLE_TYPE:
        raise _bad("type")
    index, path, note = value["index"], value["path"], value["checkpoint"]
    if type(index) is not int or index < 0:
        raise _bad("index")
    if not isinstance(path, list) or len(path) > _MAX_PROOF:
        raise _bad("path")
    if not isinstance(note, str):
        raise _bad("checkpoint")
    salt: bytes | None = None
    content: Mapping[str, Any] | None = None
    if value["disclosed"] is not None:
        disclosed = _object(value["disclosed"], {"salt", "content"}, "disclosed")
        salt, content = from_base64(disclosed["salt"], "disclosed.salt", "bundle.malformed"), disclosed["content"]
        if not isinstance(content, dict):
            raise _bad("disclosed.content")
    steps = tuple(_hash(step, "path", "bundle.malformed") for step in path)
    return BundleWire(index, _leaf(value["leaf"]), salt, content, steps, note)


@dataclass(frozen=True, slots=True)
class ArchiveHead:
    """The first line of an archive, not verified: whose log, of which size, what was chosen to be opened.

    It has one spelling only: to render what was parsed gives the same bytes, or the archive's signature does not hold.
    """

    origin: str
    size: int
    chosen: Wanted | None
    """None: nothing is opened."""
    card: str
    witnesses: tuple[str, ...]
    """Cards of those who cosigned; like `card` in the form of a card file."""


@dataclass(frozen=True, slots=True)
class ArchiveLeaf:
    """One leaf of an archive, not verified. `salt` and `content` only where it was opened."""

    leaf: Leaf
    salt: bytes | None
    content: Mapping[str, Any] | None
    erased: bool


def render_archive_head(head: ArchiveHead) -> dict[str, Any]:
    """Its JSON value."""
    chosen = head.chosen
    return {
        "type": ARCHIVE_TYPE,
        "suite": SUITE,
        "origin": head.origin,
        "size": head.size,
        "opened": None
        if chosen is None
        else {
            "since": chosen.since,
            "until": chosen.until,
            "verb": chosen.verb.value if chosen.verb is not None else "",
            "officer": chosen.officer,
            "subjects": None if chosen.subjects is None else sorted(chosen.subjects),
        },
        "card": head.card,
        "witnesses": list(head.witnesses),
    }


def parse_archive_head(raw: bytes) -> ArchiveHead:
    """Raises `Untrusted("archive.*")` or `suite.unknown`."""
    names = {"type", "suite", "origin", "size", "opened", "card", "witnesses"}
    value = _archived(_canonical_line(raw, MAX_ARCHIVE_HEAD), names, "head")
    require_suite(value["suite"])
    cards = value["witnesses"]
    if (
        value["type"] != ARCHIVE_TYPE
        or type(value["size"]) is not int
        or not 0 < value["size"] <= MAX_SIZE
        or not all(isinstance(value[n], str) for n in ("origin", "card"))
        or not (isinstance(cards, list) and all(isinstance(c, str) for c in cards))
    ):
        raise _not_archive("head")
    chosen = None if value["opened"] is None else _chosen(value["opened"])
    return ArchiveHead(value["origin"], value["size"], chosen, value["card"], tuple(cards))


def _chosen(value: object) -> Wanted:
    said = _archived(value, {"since", "until", "verb", "officer", "subjects"}, "opened")
    subjects = said["subjects"]
    if not all(isinstance(said[n], str) for n in ("since", "until", "verb", "officer")):
        raise _not_archive("opened")
    if subjects is not None and not (isinstance(subjects, list) and all(isinstance(x, str) for x in subjects)):
        raise _not_archive("opened.subjects")
    try:
        verb = LogVerb(said["verb"]) if said["verb"] else None
    except ValueError as exc:
        raise _not_archive("opened.verb") from exc
    return Wanted(
        said["since"], said["until"], verb, None if subjects is None else frozenset(subjects), said["officer"]
    )


def render_archive_leaf(one: ArchiveLeaf) -> dict[str, Any]:
    """Its JSON value."""
    leaf = one.leaf
    value: dict[str, Any] = {
        "at": leaf.at,
        "verb": leaf.verb.value,
        "subject": leaf.subject,
        "commitment": leaf.commitment.hex(),
        "erased": one.erased,
        "disclosed": None,
    }
    if one.salt is not None and one.content is not None:
        value["disclosed"] = {"salt": to_base64(one.salt), "content": dict(one.content)}
    return value


def parse_archive_leaf(raw: bytes) -> ArchiveLeaf:
    """Raises `Untrusted`."""
    value = _canonical_line(raw, MAX_BUNDLE_BYTES)
    value = _archived(value, {"at", "verb", "subject", "commitment", "erased", "disclosed"}, "leaf")
    leaf = _leaf({n: value[n] for n in ("at", "verb", "subject", "commitment")})
    if type(value["erased"]) is not bool:
        raise _not_archive("erased")
    if value["disclosed"] is None:
        return ArchiveLeaf(leaf, None, None, value["erased"])
    disclosed = _archived(value["disclosed"], {"salt", "content"}, "disclosed")
    if value["erased"]:
        raise _not_archive("erased")
    if not isinstance(disclosed["content"], dict):
        raise _not_archive("disclosed.content")
    salt = from_base64(disclosed["salt"], "disclosed.salt", "archive.malformed")
    return ArchiveLeaf(leaf, salt, disclosed["content"], value["erased"])


def render_archive_note(note: str) -> bytes:
    """The line of a checkpoint; it stands behind the last leaf that the checkpoint covers."""
    return canonical({"checkpoint": note})


def parse_archive_note(raw: bytes) -> str | None:
    """The checkpoint of this line; None where the line is another's. Raises `Untrusted`."""
    if not raw.startswith(_NOTE_LINE):
        return None
    value = _archived(_canonical_line(raw, MAX_BUNDLE_BYTES), {"checkpoint"}, "checkpoint")
    if not isinstance(value["checkpoint"], str):
        raise _not_archive("checkpoint")
    return value["checkpoint"]


def render_archive_end(head: ArchiveHead, lines: bytes) -> bytes:
    """What is signed in an archive's last line; `lines` is the digest of all the lines before it."""
    return canonical({"v": 1, "suite": SUITE, "origin": head.origin, "size": head.size, "lines": lines.hex()})


def archive_lines(source: BinaryIO) -> Iterator[bytes]:
    """The lines of an archive's file, none held in memory beyond what a line may have. Raises `Untrusted`.

    Hazard: a file without line ends costs its sender nothing, and the reader all its memory.
    """
    most = MAX_ARCHIVE_HEAD
    while line := source.readline(most + 2):
        if len(line.removesuffix(b"\n")) > most:
            raise _not_archive("line")
        yield line
        most = MAX_BUNDLE_BYTES


def _canonical_line(raw: bytes, most: int) -> object:
    value: object = parse_canonical(raw, most, "archive")
    return value


def _archived(value: object, names: set[str], field: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise _not_archive(field)
    return value


def _not_archive(field: str) -> Untrusted:
    return Untrusted("archive.malformed", "not an archive of a log", step="archive", field=field)


def _leaf(value: object) -> Leaf:
    leaf = _object(value, {"at", "verb", "subject", "commitment"}, "leaf")
    commitment = leaf["commitment"]
    if not isinstance(commitment, str) or not re.fullmatch(r"[0-9a-f]{64}", commitment):
        raise _bad("leaf.commitment")
    if not isinstance(leaf["subject"], str):
        raise _bad("leaf.subject")
    try:
        parse_instant(leaf["at"], "leaf.at")
        verb = LogVerb(leaf["verb"])
    except (TansiqError, ValueError) as exc:
        raise _bad("leaf") from exc
    return Leaf(leaf["at"], verb, leaf["subject"], bytes.fromhex(commitment))


def _object(value: object, names: set[str], field: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise _bad(field)
    return value


def _bad(field: str) -> Untrusted:
    return Untrusted("bundle.malformed", "not a proof bundle", step="bundle", field=field)


def _utf8(raw: bytes | str) -> bytes:
    """The bytes of a text, if they are UTF-8 and the text is."""
    try:
        data = raw.encode() if isinstance(raw, str) else raw
        data.decode()
    except UnicodeError as exc:
        raise Untrusted("note.malformed", "not UTF-8", step="note") from exc
    return data


def _size(text: str, code: str) -> int:
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        raise Untrusted(code, "not a tree size", step="checkpoint", field="size")
    return int(text)


def _hash(text: object, field: str, code: str) -> bytes:
    raw = from_base64(text, field, code)
    if len(raw) != HASH_BYTES:
        raise Untrusted(code, "not a SHA-256 hash", step="checkpoint", field=field)
    return raw
