"""A whole log in one file of lines, verified off-line with nothing but the log's public keys.

The first line says whose log it is, its size, its signed checkpoints and what was chosen to be opened; each further
line is a leaf. The reader recomputes the tree line by line: nothing is left out, added or changed unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tansiq.crypto import PublicKeys
from tansiq.errors import TansiqError, Untrusted
from tansiq.ledger.checkpoint import verify_checkpoint, verify_cosignature
from tansiq.ledger.choosing import is_chosen
from tansiq.ledger.leaves import commit_content, content_bytes, hash_leaf
from tansiq.ledger.merkle import grow, root_of_peaks
from tansiq.ledger.model import Checkpoint
from tansiq.ledger.wire import ArchiveHead, ArchiveLeaf, parse_archive_leaf

STEP = "archive"


@dataclass
class ArchiveReport:
    """What an archive proves. `chosen`: leaves of the period, verb and records that the head names."""

    origin: str
    size: int
    root: bytes = b""
    checkpoints: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    """Witness -> the largest size of this log that it cosigned."""
    verbs: Counter[str] = field(default_factory=Counter)
    first_at: str = ""
    last_at: str = ""
    opened: int = 0
    chosen: int = 0
    erased: int = 0
    """Of the chosen, those whose content the node says was erased; it cannot prove that."""
    held_back: int = 0
    """Of the chosen, those that are neither opened nor said to be erased."""


def verify_archive(
    head: ArchiveHead, lines: Iterable[bytes], keys: Sequence[PublicKeys], witnesses: Mapping[str, PublicKeys]
) -> tuple[ArchiveReport, Iterator[tuple[int, ArchiveLeaf]]]:
    """The report, and the leaves as they are verified: the report is whole, and holds, once they are read to the end.

    `keys`: those of the log, of today and from before rotations. Raises `Untrusted` at the first line that breaks.
    """
    notes = _checked_notes(head, keys)
    report = ArchiveReport(head.origin, head.size, checkpoints=len(notes))
    report.cosigned = _cosigned(head, notes, witnesses)
    return report, _verified(head, lines, notes, report)


def _checked_notes(head: ArchiveHead, keys: Sequence[PublicKeys]) -> dict[int, Checkpoint]:
    found: dict[int, Checkpoint] = {}
    for note in head.checkpoints:
        checkpoint = _of_the_log(note, head.origin, keys)
        if checkpoint.size in found or checkpoint.size > head.size:
            raise Untrusted(
                "archive.checkpoint", "a checkpoint twice, or of a larger log", step=STEP, field="checkpoints"
            )
        found[checkpoint.size] = checkpoint
    if head.size not in found:
        raise Untrusted("archive.unsigned", "no checkpoint signs all of it", step=STEP, field="checkpoints")
    return found


def _of_the_log(note: str, origin: str, keys: Sequence[PublicKeys]) -> Checkpoint:
    for public in keys[:-1]:
        try:
            return verify_checkpoint(note, origin, public)
        except TansiqError:
            continue
    return verify_checkpoint(note, origin, keys[-1])


def _cosigned(
    head: ArchiveHead, notes: Mapping[int, Checkpoint], witnesses: Mapping[str, PublicKeys]
) -> dict[str, int]:
    """Under how large a log each witness's word stands. A cosignature that does not verify is none."""
    found: dict[str, int] = {}
    for (size, _), note in zip(notes.items(), head.checkpoints, strict=True):
        for name, public in witnesses.items():
            try:
                verify_cosignature(note, name, public)
            except TansiqError as exc:
                if exc.code == "cosignature.missing":
                    continue
                raise
            found[name] = max(found.get(name, 0), size)
    return found


def _verified(
    head: ArchiveHead, lines: Iterable[bytes], notes: Mapping[int, Checkpoint], report: ArchiveReport
) -> Iterator[tuple[int, ArchiveLeaf]]:
    peaks: list[bytes] = []
    index = -1
    for index, line in enumerate(lines):
        if index >= head.size:
            raise Untrusted("archive.size", "more leaves than it says", step=STEP, field="size")
        one = parse_archive_leaf(line)
        peaks, _ = grow(index, peaks, hash_leaf(one.leaf))
        signed = notes.get(index + 1)
        if signed is not None and signed.root != root_of_peaks(peaks):
            raise Untrusted(
                "archive.tree", "not the leaves that its checkpoint signs", step=STEP, field=f"leaf {index}"
            )
        _check_opening(one, index)
        _count(head, one, report)
        yield index, one
    if index + 1 != head.size:
        raise Untrusted("archive.size", "fewer leaves than it says", step=STEP, field="size")
    report.root = root_of_peaks(peaks)


def _check_opening(one: ArchiveLeaf, index: int) -> None:
    if one.salt is None or one.content is None:
        return
    if commit_content(one.salt, content_bytes(one.content)) != one.leaf.commitment:
        raise Untrusted("archive.content", "not what the leaf commits to", step=STEP, field=f"leaf {index}")


def _count(head: ArchiveHead, one: ArchiveLeaf, report: ArchiveReport) -> None:
    leaf, opened = one.leaf, one.content is not None
    report.verbs[leaf.verb.value] += 1
    report.first_at, report.last_at = report.first_at or leaf.at, leaf.at
    report.opened += opened
    # Whose leaf it is stands in its content alone: of one officer's leaves nobody can say here which are missing.
    if head.chosen is None or not is_chosen(head.chosen, leaf, one.content):
        return
    report.chosen += 1
    report.erased += one.erased and not opened
    report.held_back += not (opened or one.erased)


def as_said(report: ArchiveReport) -> dict[str, Any]:
    """Plain values."""
    return {
        "origin": report.origin,
        "size": report.size,
        "root": report.root.hex(),
        "checkpoints": report.checkpoints,
        "verbs": dict(sorted(report.verbs.items())),
        "first_at": report.first_at,
        "last_at": report.last_at,
        "opened": report.opened,
        "chosen": report.chosen,
        "erased": report.erased,
        "held_back": report.held_back,
    }
