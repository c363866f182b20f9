"""Nouns of attachments, and what a part of this kind says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tansiq.terms import EntryId, PartId

PART = "attachment"
CHUNK = 512 * 1024
"""Bytes of a chunk: two copies of it are all that one step holds."""
MAX_BYTES = 50 * 1024 * 1024
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Attached:
    """What an attachment's part says of its file. Its name may be personal data: it stands in the part alone."""

    name: str
    media: str
    sha256: str
    size: int
    chunks: tuple[str, ...]
    """SHA-256 of each chunk, hex, in their order."""

    def content(self) -> Mapping[str, Any]:
        """The part, as an act's body holds it."""
        return {
            "kind": PART,
            "text": self.name,
            "media": self.media,
            "sha256": self.sha256,
            "size": str(self.size),
            "chunks": " ".join(self.chunks),
        }


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a file on its way to one node."""

    entry: EntryId
    part: PartId
    number: int
    content: bytes


@dataclass(frozen=True, slots=True)
class FileText:
    """A file that holds plain text, and that text."""

    entry: EntryId
    part: PartId
    name: str
    text: str | None
    """None where it is longer than is read, or in letters of an encoding that it does not tell."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of a file is here."""

    attached: Attached
    have: int
    held: bool
    """All of it, and its SHA-256 was found right."""
    broken: bool = False
    """All chunks came and were what was committed to, yet together they are not the file that the part names."""
