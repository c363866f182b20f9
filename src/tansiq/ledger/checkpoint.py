"""C2SP tlog-checkpoint: signed tree heads, and tlog-witness cosignatures over them. Pure.

A checkpoint carries two signature lines of its log: Ed25519 as the specification has it (so that any witness in the
world can check it), and ML-DSA-65 under the type byte 0xff, which is ours. We trust a checkpoint only with both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime

from tansiq.crypto import PublicKeys, SigningKeys, to_base64
from tansiq.errors import Conflict, Invalid, Untrusted
from tansiq.ledger.merkle import EMPTY_ROOT, verify_consistency
from tansiq.ledger.model import Checkpoint, Cosignature
from tansiq.ledger.wire import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Note,
    NoteSignature,
    parse_checkpoint,
    parse_note,
    parse_signature,
)

_ED25519 = b"\x01"
_COSIGNATURE = b"\x04"
_MLDSA65 = b"\xfftansiq.ml-dsa-65.v1"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9./-]{0,126}[a-z0-9])?")


def check_origin(origin: str) -> str:
    """A log's or witness's name: a schema-less URL. Raises `Invalid`.

    Hazard: the first line of what a log signs is its origin, so an origin must not look like another signed message.
    """
    if not _NAME.fullmatch(origin) or origin.startswith("cosignature/"):
        raise Invalid("ledger.origin", "an origin is a schema-less URL in lower case", step="ledger", field="origin")
    return origin


def key_id(name: str, kind: bytes, public: bytes) -> bytes:
    """C2SP signed-note: the first four bytes of SHA-256(name, newline, type, key)."""
    return hashlib.sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def cosigner_id(name: str, public: PublicKeys) -> bytes:
    """The key id on the lines of a witness."""
    return key_id(name, _COSIGNATURE, public.ed25519)


def render_text(checkpoint: Checkpoint) -> str:
    lines = (checkpoint.origin, str(checkpoint.size), to_base64(checkpoint.root), *checkpoint.extensions)
    return "\n".join(lines) + "\n"


def sign_checkpoint(checkpoint: Checkpoint, keys: SigningKeys) -> str:
    """The signed note: text, blank line, two signature lines in the log's own name."""
    check_origin(checkpoint.origin)
    text = render_text(checkpoint)
    message, name = text.encode(), checkpoint.origin
    by_ed25519 = _line(name, key_id(name, _ED25519, keys.public.ed25519), keys.sign_ed25519(message))
    by_mldsa65 = _line(name, key_id(name, _MLDSA65, keys.public.mldsa65), keys.sign_mldsa65(message))
    return f"{text}\n{by_ed25519}{by_mldsa65}"


def verify_checkpoint(raw: bytes | str, origin: str, public: PublicKeys) -> Checkpoint:
    """The checkpoint, if the log `origin` signed it with both its keys. Raises `Untrusted("checkpoint.*")`.

    Lines of unknown keys are ignored, as the specification demands: cosignatures of other witnesses are such lines.
    """
    note = parse_note(raw)
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise Untrusted("checkpoint.origin", "a checkpoint of another log", step="checkpoint", field="origin")
    message = note.text.encode()
    by_ed25519 = _only(note, origin, key_id(origin, _ED25519, public.ed25519))
    if not public.verify_ed25519(by_ed25519, message):
        raise Untrusted("checkpoint.ed25519", "the Ed25519 signature does not verify", step="checkpoint")
    by_mldsa65 = _only(note, origin, key_id(origin, _MLDSA65, public.mldsa65))
    if not public.verify_mldsa65(by_mldsa65, message):
        raise Untrusted("checkpoint.mldsa65", "the ML-DSA-65 signature does not verify", step="checkpoint")
    return checkpoint


def cosign(
    raw: bytes | str,
    log: tuple[str, PublicKeys],
    seen: tuple[int, bytes],
    proof: Sequence[bytes],
    witness: tuple[str, SigningKeys],
    now: datetime,
) -> tuple[Checkpoint, str]:
    """As a witness: the checkpoint and our cosignature line (with its newline).

    `log` is the log's origin and public keys, `seen` the size and root that we cosigned last ((0, EMPTY_ROOT) before
    the first), `witness` our name and keys. Raises `Untrusted` when the signature or the proof does not verify, and
    `Conflict("witness.stale")` when the checkpoint is older than what we saw.
    """
    origin, public = log
    name, keys = witness
    checkpoint = verify_checkpoint(raw, origin, public)
    size, root = seen
    if checkpoint.size < size:
        raise Conflict("witness.stale", "a larger checkpoint of this log was already cosigned", step="witness")
    if not verify_consistency(size, checkpoint.size, root, checkpoint.root, proof):
        # Either a bad proof or a log that rewrote its history: the caller keeps the note as evidence.
        raise Untrusted("witness.inconsistent", "the log does not extend what was seen of it", step="witness")
    timestamp = int(now.timestamp())
    signature = timestamp.to_bytes(8, "big") + keys.sign_ed25519(_cosigned(parse_note(raw).text, timestamp))
    return checkpoint, _line(check_origin(name), key_id(name, _COSIGNATURE, keys.public.ed25519), signature)


def add_line(note: str, line: str) -> str:
    """The note with one more signature line; of one key the first stays, as it says most about when.

    Raises `Conflict("note.full")` where nobody could read the note with it.
    """
    new = parse_signature(line.removesuffix("\n"))
    known = parse_note(note).signatures
    if any((s.name, s.key_id) == (new.name, new.key_id) for s in known):
        return note
    whole = note + line.removesuffix("\n") + "\n"
    if len(known) >= MAX_SIGNATURES or len(whole.encode()) > MAX_NOTE_BYTES:
        raise Conflict(
            "note.full", "this checkpoint has as many signatures as one may have", step="checkpoint", field="line",
            hint="a later checkpoint is laid before this witness again",
        )  # fmt: skip
    return whole


def verify_cosignature(raw: bytes | str, name: str, public: PublicKeys) -> Cosignature:
    """The cosignature of the witness `name` on this note. Raises `Untrusted`, `cosignature.missing` if there is none.

    When a witness cosigned twice, the earliest that verifies counts: it says most about when the log had this size.
    """
    note = parse_note(raw)
    wanted = cosigner_id(name, public)
    times = []
    for line in note.signatures:
        if line.name != name or line.key_id != wanted:
            continue
        timestamp = int.from_bytes(line.signature[:8], "big")
        if len(line.signature) != 72 or not public.verify_ed25519(line.signature[8:], _cosigned(note.text, timestamp)):
            raise Untrusted("cosignature.invalid", "a witness's cosignature does not verify", step="checkpoint")
        times.append(timestamp)
    if not times:
        raise Untrusted("cosignature.missing", "this witness has not cosigned", step="checkpoint")
    try:
        return Cosignature(name, datetime.fromtimestamp(min(times), UTC))
    except (ValueError, OverflowError, OSError) as exc:
        raise Untrusted("cosignature.invalid", "a cosignature outside of the calendar", step="checkpoint") from exc


NOTHING_SEEN = (0, EMPTY_ROOT)
"""What a witness has seen of a log before its first checkpoint."""


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def _line(name: str, identifier: bytes, signature: bytes) -> str:
    return f"— {name} {to_base64(identifier + signature)}\n"


def _only(note: Note, name: str, identifier: bytes) -> bytes:
    """The one signature of that key. Hazard: a second line of the same key would be a place to hide something."""
    found: list[NoteSignature] = [s for s in note.signatures if s.name == name and s.key_id == identifier]
    if len(found) != 1:
        raise Untrusted(
            "checkpoint.signatures", "a checkpoint carries each signature of its log once", step="checkpoint"
        )
    return found[0].signature
