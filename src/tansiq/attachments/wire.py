"""What crosses: an attachment's part, and a chunk of its file. Untrusted until it has been through here."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from tansiq.attachments.model import CHUNK, MAX_BYTES, MAX_NAME, PART, Attached, Chunk
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.terms.ids import parse_entry_id, parse_part_id

_MEDIA = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_SHA = re.compile(r"[0-9a-f]{64}")
_KEYS = {"kind", "text", "media", "sha256", "size", "chunks"}
_TEXTS = frozenset({"application/json", "application/xml", "application/x-ndjson"})
_ENDINGS = (".txt", ".csv", ".tsv", ".md", ".json", ".jsonl", ".xml", ".html", ".htm", ".srt", ".log")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
_NO_LETTER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
"""No letter has such a number. Hazard: of thousands of digits Python makes none, and the reading would break off."""
_ZEROS = re.compile(r"(&#[xX]?)0+(?=[0-9a-fA-F])")
_ID = 66
_HEAD = 1 + 2 * _ID + 4
_VERSION = b"\x01"


def check_name(name: str, field: str = "name") -> str:
    """A file's name as a person may see it: no path, no control or direction character that makes it look another."""
    found = unicodedata.normalize("NFC", name).strip()
    hidden = any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "‌‍" for c in found)
    if not found or len(found) > MAX_NAME or hidden or any(c in found for c in "/\\") or found in (".", ".."):
        message = f"1 to {MAX_NAME} characters, no slash, no hidden character"
        raise Invalid("attachment.name", message, step="take the file", field=field)
    return found


def check_media(media: str, field: str = "media") -> str:
    """A media type such as `application/pdf`; empty: unknown."""
    found = (media or "application/octet-stream").split(";")[0].strip().lower()
    if not _MEDIA.fullmatch(found):
        raise Invalid("attachment.media", "a type such as application/pdf", step="take the file", field=field)
    return found


def attached(content: Mapping[str, Any]) -> Attached:
    """What an attachment's part says, checked. Raises `Invalid` with the field."""
    step = "read the attachment"
    if content.get("kind") != PART or set(content) != _KEYS or not all(isinstance(v, str) for v in content.values()):
        raise Invalid("attachment.form", "not an attachment", step=step, field="parts")
    size = content["size"]
    if not (size.isascii() and size.isdigit() and len(size) < 10 and str(int(size)) == size and int(size) > 0):
        raise Invalid("attachment.size", "a number of bytes", step=step, field="size")
    if int(size) > MAX_BYTES:
        raise Invalid("attachment.too_large", f"over {MAX_BYTES} bytes", step=step, field="size")
    chunks = tuple(content["chunks"].split(" "))
    if len(chunks) != -(-int(size) // CHUNK) or not all(_SHA.fullmatch(c) for c in (*chunks, content["sha256"])):
        raise Invalid("attachment.digest", "SHA-256 of the file and of each chunk", step=step, field="chunks")
    name, media = check_name(content["text"], "text"), check_media(content["media"])
    if (name, media) != (content["text"], content["media"]):
        raise Invalid("attachment.name", "not in its plain form", step=step, field="text")
    return Attached(name, media, content["sha256"], int(size), chunks)


def holds_text(of: Attached) -> bool:
    """Whether its sender or its name says that it is plain text."""
    return of.media.startswith("text/") or of.media in _TEXTS or of.name.lower().endswith(_ENDINGS)


def text_of(raw: bytes) -> str | None:
    """The text of a file: UTF-8, or UTF-16 where it begins with its mark, with the letters that JSON and HTML write as
    numbers or names. None: not known how it is written."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return html.unescape(_NO_LETTER.sub("\ufffd", _ZEROS.sub(r"\1", _ESCAPED.sub(_letters, text))))


def _letters(escaped: re.Match[str]) -> str:
    """`\\u0645`, as programs write Arabic in JSON; letters beyond the first plane are pairs of them."""
    units = b"".join(bytes.fromhex(unit) for unit in escaped[0].split("\\u")[1:])
    return units.decode("utf-16-be", "replace")


def render_chunk(chunk: Chunk) -> bytes:
    return _VERSION + f"{chunk.entry}{chunk.part}".encode() + chunk.number.to_bytes(4, "big") + chunk.content


def parse_chunk(payload: bytes) -> Chunk:
    """Raises `Untrusted`."""
    step = "read the chunk"
    if not _HEAD < len(payload) <= _HEAD + CHUNK or payload[:1] != _VERSION:
        raise Untrusted("attachment.chunk_malformed", "not a chunk of a file", step=step)
    try:
        ids = payload[1 : 1 + 2 * _ID].decode("ascii")
        entry, part = parse_entry_id(ids[:_ID]), parse_part_id(ids[_ID:])
    except (UnicodeDecodeError, TansiqError):
        raise Untrusted("attachment.chunk_malformed", "not a chunk of a file", step=step, field="id") from None
    return Chunk(entry, part, int.from_bytes(payload[_HEAD - 4 : _HEAD], "big"), payload[_HEAD:])


def length_of(of: Attached, number: int) -> int:
    """How many bytes this chunk of the file has."""
    return min(CHUNK, of.size - number * CHUNK)
