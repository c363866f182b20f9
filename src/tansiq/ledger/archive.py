"""A whole log in one file of lines, verified off-line with nothing but the log's public keys.

The first line says whose log it is, its size and what was chosen to be opened; then each line is a leaf, or the signed
checkpoint of the leaves up to there; the last line signs all the others. The reader recomputes the tree line by line:
nothing is left out, added or changed unseen, and who carries the file can neither close a content nor call it erased.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tansiq.crypto import PublicKeys, canonical, framed, verify
from tansiq.errors import TansiqError, Untrusted
from tansiq.ledger.checkpoint import cosigner_id, verify_checkpoint, verify_cosignature
from tansiq.ledger.choosing import is_chosen
from tansiq.ledger.leaves import commit_content, content_bytes, hash_leaf
from tansiq.ledger.merkle import grow, root_of_peaks
from tansiq.ledger.model import Checkpoint, WitnessKey
from tansiq.ledger.wire import (
    ARCHIVE_TYPE,
    MAX_BUNDLE_BYTES,
    ArchiveHead,
    ArchiveLeaf,
    parse_archive_leaf,
    parse_archive_note,
    parse_note,
    render_archive_end,
    render_archive_head,
)
from tansiq.terms import NodeId, later, parse_instant

STEP = "archive"
CLOCKS_APART = timedelta(hours=1)
"""How far the log's clock may be from a witness's: a leaf is dated by the one, a rotation by the other."""


@dataclass
class ArchiveReport:
    """What an archive proves. `chosen`: leaves of the period, verb and records that the head names."""

    origin: str
    size: int
    root: bytes = b""
    checkpoints: int = 0
    cosigned: dict[str, int] = field(default_factory=dict)
    """Witness -> the largest size of this log that it cosigned."""
    replaced: dict[str, int] = field(default_factory=dict)
    """Witness -> the largest size that was cosigned by a key which it had replaced before: that counts for nothing."""
    verbs: Counter[str] = field(default_factory=Counter)
    first_at: str = ""
    last_at: str = ""
    opened: int = 0
    chosen: int = 0
    erased: int = 0
    """Of the chosen, those whose content the node says was erased; it cannot prove that."""
    held_back: int = 0
    """Of the chosen, those that are neither opened nor said to be erased."""


class LinesDigest:
    """`H(ARCHIVE_TYPE, line...)` of lines that come one after the other: they are longer than memory together."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256(framed(ARCHIVE_TYPE.encode()))

    def add(self, line: bytes) -> None:
        """`line` without its line end."""
        self._hash.update(framed(line))

    def value(self) -> bytes:
        return self._hash.digest()


def verify_archive(
    head: ArchiveHead,
    lines: Iterable[bytes],
    node: NodeId,
    keys: Sequence[PublicKeys],
    witnesses: Mapping[str, Sequence[WitnessKey]],
) -> tuple[ArchiveReport, Iterator[tuple[int, ArchiveLeaf]]]:
    """The report, and the leaves as they are verified: the report is whole, and holds, once they are read to the end.

    `keys`: those of the log, from before rotations and, last, of today; `witnesses`: of each the same, with the time at
    which it left a key behind. Raises `Untrusted` at the first line that
    breaks; the last line, by which the log signs all the others, is read with the last leaf.
    """
    reading = _Reading(head, node, keys, witnesses)
    return reading.report, reading.read(lines)


class _Reading:
    """One archive, read line by line: leaves, behind some of them the checkpoint of that size, and the signature."""

    def __init__(
        self, head: ArchiveHead, node: NodeId, keys: Sequence[PublicKeys], witnesses: Mapping[str, Sequence[WitnessKey]]
    ) -> None:
        self._head = head
        self._node = node
        self._keys = keys
        self._witnesses = witnesses
        self._reached: dict[str, int] = {}
        """Witness -> its newest key that has cosigned so far, by its place."""
        self._peaks: list[bytes] = []
        self._count = 0
        self._signed = 0
        """How many leaves the last checkpoint covers."""
        self._digest = LinesDigest()
        self.report = ArchiveReport(head.origin, head.size)

    def read(self, lines: Iterable[bytes]) -> Iterator[tuple[int, ArchiveLeaf]]:
        self._digest.add(canonical(render_archive_head(self._head)))
        rest = iter(lines)
        for line in rest:
            note = parse_archive_note(line)
            if note is not None:
                self._note(note)
            elif self._count < self._head.size:
                yield self._count, self._leaf(line)
                self._count += 1
            else:
                self._end(line)
                break
            self._digest.add(line)
        else:
            raise Untrusted("archive.size", "it breaks off before its end", step=STEP, field="size")
        if next(rest, None) is not None:
            raise Untrusted("archive.size", "more lines than it says", step=STEP, field="size")
        self.report.root = root_of_peaks(self._peaks)

    def _leaf(self, line: bytes) -> ArchiveLeaf:
        one = parse_archive_leaf(line)
        self._peaks, _ = grow(self._count, self._peaks, hash_leaf(one.leaf))
        _check_opening(one, self._count)
        _tally(self._head, one, self.report)
        return one

    def _note(self, note: str) -> None:
        checkpoint = self._of_the_log(note)
        if checkpoint.size != self._count or self._signed == self._count:
            raise Untrusted(
                "archive.checkpoint", "a checkpoint of another size, or twice", step=STEP, field="checkpoint"
            )
        if checkpoint.root != root_of_peaks(self._peaks):
            raise Untrusted(
                "archive.tree", "not the leaves that its checkpoint signs", step=STEP, field=f"leaf {self._count - 1}"
            )
        self._signed = self._count
        self.report.checkpoints += 1
        # By the names on its few lines, not by the cards: a file may bring ten thousand of those.
        lines = {(s.name, s.key_id) for s in parse_note(note).signatures}
        for name in {name for name, _ in lines} & self._witnesses.keys():
            ids = [cosigner_id(name, key.public) for key in self._witnesses[name]]
            self._cosigned(note, name, [place for place, one in enumerate(ids) if (name, one) in lines])

    def _cosigned(self, note: str, name: str, places: Sequence[int]) -> None:
        """Count what a witness cosigned with its keys of these places, newest first.

        Hazard: a key that was replaced may be in other hands by now, and the time in a cosignature is its signer's
        word. So it counts where that word, the log's last leaf and the witness's own later keys all leave room for it.
        """
        for place in reversed(places):
            key = self._witnesses[name][place]
            at = verify_cosignature(note, name, key.public).at
            if place >= self._reached.get(name, 0) and self._held(key, at):
                self.report.cosigned[name], self._reached[name] = self._count, place
                return
            self.report.replaced[name] = self._count

    def _held(self, key: WitnessKey, at: datetime) -> bool:
        if key.until is None:
            return True
        last = parse_instant(self.report.last_at, "at") if self.report.last_at else at
        return at <= key.until and last <= later(key.until, CLOCKS_APART)

    def _of_the_log(self, note: str) -> Checkpoint:
        for public in self._keys[:-1]:
            try:
                return verify_checkpoint(note, self._head.origin, public)
            except TansiqError:
                continue
        return verify_checkpoint(note, self._head.origin, self._keys[-1])

    def _end(self, line: bytes) -> None:
        """What was chosen, opened and called erased is the log's own word: it signs every line, the head too."""
        if self._signed != self._head.size:
            raise Untrusted("archive.unsigned", "no checkpoint signs all of it", step=STEP, field="checkpoint")
        said = verify(line, ARCHIVE_TYPE, self._keys[-1], self._node, MAX_BUNDLE_BYTES)
        if said != render_archive_end(self._head, self._digest.value()):
            raise Untrusted("archive.lines", "not the lines that the log signed", step=STEP, field="lines")


def _check_opening(one: ArchiveLeaf, index: int) -> None:
    if one.salt is None or one.content is None:
        return
    if commit_content(one.salt, content_bytes(one.content)) != one.leaf.commitment:
        raise Untrusted("archive.content", "not what the leaf commits to", step=STEP, field=f"leaf {index}")


def _tally(head: ArchiveHead, one: ArchiveLeaf, report: ArchiveReport) -> None:
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
