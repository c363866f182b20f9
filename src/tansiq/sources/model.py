"""Nouns of sources: a row that a file gave, and a row that it did not give, by name."""

from __future__ import annotations

from dataclasses import dataclass

from tansiq.bank.model import Entity, Provenance


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One entity of a file with where it comes from."""

    entity: Entity
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Reject:
    """What could not be taken over, so that counts in equal counts out. Holds no value of the file's content."""

    where: str
    """Which record: its position in the file, e.g. `individual 12` or `line 7`."""
    code: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did. `read == added + changed + unchanged + len(rejects)`."""

    source: str
    read: int
    added: int
    changed: int
    unchanged: int
    removed: int
    rejects: tuple[Reject, ...]
    added_references: tuple[str, ...] = ()
    changed_references: tuple[str, ...] = ()
    removed_references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PressDraft:
    """A press text as the draft of a report: the officer reads it, completes it, and only then records it."""

    lang: str
    title: str
    narrative: str
    persons: tuple[str, ...]
    """Names as they are written in the text: proposals, nothing more."""
