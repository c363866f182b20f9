"""Nouns of the bureau."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tansiq.terms import DossierId, EntryId, PartId


@dataclass(frozen=True, slots=True)
class Place:
    """A part that has the words asked for."""

    dossier: DossierId
    entry: EntryId
    part: PartId
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """One part that an officer is shown. `unread`: a restriction (H3) must be confirmed first; no text is told then."""

    dossier: DossierId
    entry: EntryId
    part: PartId
    kind: str
    snippet: str
    score: float
    unread: bool = False
    sort: str = ""
    """The dossier's kind."""
    act: str = ""
    """Of the entry that it stands in, with who wrote it and when."""
    author: str = ""
    at: datetime | None = None


class WatchKind(StrEnum):
    NAME = "name"
    NUMBER = "number"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing query of one officer."""

    id: str
    officer: str
    kind: WatchKind
    text: str
    purpose: str
    justification: str
    expires_on: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """Something met a standing query. Its officer has it on the list of duties until it was seen."""

    id: str
    watch: str
    officer: str
    met: str
    """The entry, or the record of the bank."""
    dossier: str
    """Empty for a holding of our own."""
    what: str
    """The words that met, as they stand there."""
    score: float
    at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Alert:
    """A notice as it stands on its officer's list of duties: what met, and the query that is the reason for it."""

    id: str
    officer: str
    watch: str
    kind: WatchKind
    looked_for: str
    why: str
    """The officer's own reason for the query."""
    met: str
    dossier: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A service's own note that two dossiers belong together."""

    id: str
    origin: DossierId
    target: DossierId
    why: str
    """A code of `LINK_REASONS`."""
    officer: str
    at: datetime

    def other(self, dossier: DossierId) -> DossierId:
        return self.target if dossier == self.origin else self.origin


LINK_REASONS = ("follows_from", "leads_to", "same_matter", "same_persons", "lesson", "hit")


@dataclass(frozen=True, slots=True)
class Template:
    """A body with places to fill in, for one kind of dossier."""

    id: str
    name: str
    kind: str
    body: Mapping[str, Any]
    places: tuple[str, ...]
