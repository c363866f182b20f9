"""The full recomputation of the log: from the stored leaves up to every node, the head and every checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping

from tansiq.errors import Broken, TansiqError
from tansiq.ledger import records
from tansiq.ledger.leaves import hash_leaf
from tansiq.ledger.merkle import grow, root_of_peaks
from tansiq.ledger.model import Report

_CHUNK = 2048

CheckContent = Callable[[int, bytes, bytes], bool]
"""(leaf index, commitment, sealed) -> whether the content is what the leaf commits to."""
CheckNote = Callable[[int, bytes, str], bool]
"""(size, root, note) -> whether the note is this log's checkpoint of that tree."""


class _Break(Exception):
    """Where and why the log breaks; never leaves this module."""

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(problem)
        self.index = index
        self.problem = problem


@dataclass
class _Progress:
    size: int = 0
    peaks: list[bytes] = field(default_factory=list)
    erased: int = 0
    checkpoints: int = 0


def audit(
    tx: Connection, check_content: CheckContent, check_note: CheckNote, held: Sequence[tuple[int, bytes, str]] = ()
) -> Report:
    """Recompute everything in one snapshot. Never raises for a broken log: the report says where it breaks.

    `held` are checkpoints (size, root, note) of this log that someone else kept. Hazard: who can write to the store can
    also cut the log's end off together with its checkpoints; only a checkpoint held elsewhere shows that.
    """
    done = _Progress()
    broken_at: int | None = None
    problem = ""
    try:
        _recompute(tx, done, check_content, check_note, held)
    except _Break as exc:
        broken_at, problem = exc.index, exc.problem
    except Broken as exc:
        broken_at, problem = done.size, exc.message
    return Report(done.size, root_of_peaks(done.peaks), done.size, done.erased, done.checkpoints, broken_at, problem)


def _recompute(
    tx: Connection,
    done: _Progress,
    check_content: CheckContent,
    check_note: CheckNote,
    held: Sequence[tuple[int, bytes, str]],
) -> None:
    size, peaks = records.load_stored_head(tx)
    notes = sorted([*records.load_checkpoints(tx), *held])
    _notes(done, notes, check_note)
    while done.size < size:
        _chunk(tx, done, min(done.size + _CHUNK, size), check_content, notes, check_note)
    _counts(tx, size)
    if b"".join(done.peaks) != peaks:
        raise _Break(size, "the head is not the root of the leaves")
    if done.checkpoints != len(notes):
        raise _Break(size, "a checkpoint is larger than the log")


def _counts(tx: Connection, size: int) -> None:
    """Nothing may stand beyond the head: what is in the tree was looked at, leaf by leaf."""
    leaf_count, node_count = records.load_counts(tx)
    if leaf_count != size:
        raise _Break(size, "there are leaves beyond the head")
    if node_count != size - size.bit_count():
        raise _Break(size, "there are nodes beyond the head")


def _chunk(
    tx: Connection,
    done: _Progress,
    end: int,
    check_content: CheckContent,
    notes: list[tuple[int, bytes, str]],
    check_note: CheckNote,
) -> None:
    start = done.size
    # The nodes that become complete with a leaf from `start` to before `end`.
    stored = {
        level: records.load_nodes(tx, level, start >> level, end >> level) for level in range(1, end.bit_length())
    }
    rows = records.load_range(tx, start, end)
    for row in rows:
        index = done.size
        if row["leaf_index"] != index:
            raise _Break(index, "a leaf is missing")
        _leaf(row, index, done, check_content)
        done.peaks, completed = grow(index, done.peaks, bytes(row["leaf_hash"]))
        for level, position, top in completed:
            if stored[level].get(position) != top:
                raise _Break(index, "a stored node is not the hash of its leaves")
        done.size = index + 1
        _notes(done, notes, check_note)
    if done.size != end:
        raise _Break(done.size, "a leaf is missing")


def _leaf(row: RowMapping, index: int, done: _Progress, check_content: CheckContent) -> None:
    leaf = records.leaf_of(row)
    if hash_leaf(leaf) != bytes(row["leaf_hash"]):
        raise _Break(index, "a leaf was changed")
    if row["sealed"] is None:
        done.erased += 1
        return
    try:
        same = check_content(index, leaf.commitment, row["sealed"])
    except TansiqError:
        same = False
    if not same:
        raise _Break(index, "a content is not the one that its leaf commits to")


def _notes(done: _Progress, notes: list[tuple[int, bytes, str]], check_note: CheckNote) -> None:
    """The checkpoints of the size that was just reached, if there are any."""
    while done.checkpoints < len(notes) and notes[done.checkpoints][0] == done.size:
        size, root, note = notes[done.checkpoints]
        if root != root_of_peaks(done.peaks):
            raise _Break(size, "the log is not the one that its checkpoint signed")
        if not check_note(size, root, note):
            raise _Break(size, "a stored checkpoint does not verify")
        done.checkpoints += 1
