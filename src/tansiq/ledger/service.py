"""The ledger of one node: append in the caller's transaction, prove, checkpoint, witness, erase, verify."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from tansiq.crypto import PublicKeys, SigningKeys, Vault, canonical, new_salt, parse_canonical, sign
from tansiq.errors import Broken, Conflict, Invalid, NotFound, TansiqError
from tansiq.ledger import merkle, records
from tansiq.ledger.archive import LinesDigest
from tansiq.ledger.audit import audit
from tansiq.ledger.bundle import make_bundle
from tansiq.ledger.checkpoint import (
    NOTHING_SEEN,
    add_line,
    check_origin,
    cosign,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from tansiq.ledger.choosing import is_chosen
from tansiq.ledger.leaves import commit_content, content_to_log, hash_leaf, make_leaf
from tansiq.ledger.model import (
    Checkpoint,
    ConsistencyProof,
    Cosignature,
    Head,
    InclusionProof,
    LeafPage,
    LeafView,
    Report,
    Wanted,
)
from tansiq.ledger.wire import (
    ARCHIVE_TYPE,
    MAX_ARCHIVE_HEAD,
    ArchiveHead,
    ArchiveLeaf,
    BundleWire,
    parse_checkpoint,
    parse_note,
    parse_request,
    render_archive_end,
    render_archive_head,
    render_archive_leaf,
    render_archive_note,
    render_request,
)
from tansiq.store import Store
from tansiq.terms import LogVerb, NodeId, parse_instant

_SALT = 32
_TABLE = "ledger_contents"
ARCHIVED = 500
"""So many leaves of an archive are read at a time."""
MOST_SCANNED = 2_000
"""So many leaves are opened at a time for those of one officer: some tens of milliseconds."""


class Ledger:
    """One instance per node. Holds no state of its own: what is committed in the store is the log."""

    def __init__(
        self,
        store: Store,
        keys: SigningKeys,
        vault: Vault,
        node: NodeId,
        origin: str,
        salt: Callable[[], bytes] = new_salt,
        former: tuple[PublicKeys, ...] = (),
    ) -> None:
        """`former` are the log's keys before a rotation: old checkpoints verify under them."""
        self._store = store
        self._keys = keys
        self._vault = vault
        self._salt = salt
        self._former = former
        self.node = node
        self.origin = check_origin(origin)

    def trust_former(self, keys: Iterable[PublicKeys]) -> None:
        """Keys that were ours before a rotation: the node knows them only once it has read its own card."""
        self._former = tuple(keys)

    # -- writing

    def append(self, tx: Connection, *, verb: LogVerb, subject: str, content: Mapping[str, Any], at: datetime) -> int:
        """Log one processing operation (LED art. 25(1)) inside the caller's transaction; its leaf index.

        The content (officer, purpose, justification, clauses, decision, recipient) is sealed and erasable; the tree
        holds its salted commitment. Rolled back with the transaction, without a trace.
        """
        return self.append_many(tx, [(verb, content)], subject=subject, at=at)

    def append_many(
        self, tx: Connection, given: Sequence[tuple[LogVerb, Mapping[str, Any]]], *, subject: str, at: datetime
    ) -> int:
        """As `append`, for several operations (verb, content) on one subject; the first leaf's index."""
        first, peaks = records.lock_head(tx)
        rows: list[records.LeafRow] = []
        completed: list[tuple[int, int, bytes]] = []
        for index, (verb, content) in enumerate(given, first):
            salt, body = self._salt(), content_to_log(content)
            leaf = make_leaf(verb, subject, salt, body, at)
            leaf_hash = hash_leaf(leaf)
            peaks, done = merkle.grow(index, peaks, leaf_hash)
            completed += done
            rows.append(records.LeafRow(index, leaf, leaf_hash, self._vault.seal(_TABLE, str(index), salt + body)))
        records.save_leaves(tx, rows, peaks, completed)
        return first

    def erase(self, tx: Connection, index: int, *, content: Mapping[str, Any], at: datetime) -> int:
        """Erase the content (and salt) of one leaf, and log that; the index of the leaf that says so.

        Every proof still verifies: the tree never held more than the commitment. Raises `NotFound`.
        """
        if records.load_leaf(tx, index) is None:
            raise NotFound("ledger.leaf_unknown", "there is no such leaf", step="ledger", field="index")
        records.delete_content(tx, index)
        return self.append(tx, verb=LogVerb.ERASE, subject=f"leaf:{index}", content=content, at=at)

    # -- heads and checkpoints

    def head(self) -> Head:
        """Size and root as committed."""
        with self._store.read() as tx:
            return self.head_in(tx)

    def head_in(self, tx: Connection) -> Head:
        """As `head`, as the caller's transaction sees it."""
        size, peaks = records.load_head(tx)
        return Head(size, merkle.root_of_peaks(peaks))

    def checkpoint(self) -> str:
        """The signed note of the committed head, with the cosignatures it has so far. Not to be called in a write.

        C2SP: a log must never sign what is inconsistent with what it signed before, so the last checkpoint is
        recomputed from the tree first; `Broken("ledger.fork")` if it is no longer its beginning.
        """
        with self._store.read() as tx:
            size, peaks = records.load_head(tx)
            note = records.load_checkpoint(tx, size)
            root = merkle.root_of_peaks(peaks)
            self._check_last(tx, size)
        if note is not None:
            return note
        signed = sign_checkpoint(Checkpoint(self.origin, size, root), self._keys)
        return self._store.write(lambda tx: records.save_checkpoint(tx, size, root, signed))

    def _check_last(self, tx: Connection, size: int) -> None:
        last = records.load_last_checkpoint(tx)
        if last is None:
            return
        if last[0] > size or last[1] != merkle.root_at(records.node_reader(tx), last[0]):
            raise Broken(
                "ledger.fork", "the log does not extend its last checkpoint", step="ledger", detail=str(last[0])
            )

    def add_cosignature(self, line: str, name: str, public: PublicKeys, size: int) -> Cosignature:
        """Keep a witness's cosignature line with the checkpoint of that size, once it verifies."""
        return self._store.write(lambda tx: self.add_cosignature_in(tx, line, name, public, size))

    def add_cosignature_in(self, tx: Connection, line: str, name: str, public: PublicKeys, size: int) -> Cosignature:
        """As `add_cosignature`, in the caller's transaction."""
        note = records.load_checkpoint(tx, size)
        if note is None:
            raise NotFound("ledger.checkpoint", "there is no checkpoint of that size", step="ledger", field="size")
        # Alone first: on a note that already has an older line of this witness, a bad new one must not pass.
        text = parse_note(note).text
        found = verify_cosignature(f"{text}\n{line.removesuffix(chr(10))}\n", name, public)
        records.replace_note(tx, size, add_line(note, line))
        return found

    # -- witnessing other logs

    def witness_request(self, old: int) -> bytes:
        """What to send to a witness that last cosigned our tree of `old` leaves (C2SP `add-checkpoint`)."""
        note = self.checkpoint()
        size = parse_checkpoint(parse_note(note).text).size
        return render_request(old, self.consistency(old, size).path, note)

    def witness(self, raw: bytes, log: tuple[str, PublicKeys], now: datetime) -> str:
        """Cosign another log's checkpoint after checking that it extends what we saw; our signature line.

        Atomic: what was seen and what is now seen change in one transaction, or two requests at once could roll a
        log back. `Conflict("witness.size")` names in `detail` the size we know when the request starts elsewhere.
        """
        return self._store.write(lambda tx: self.witness_in(tx, raw, log, now)[0])

    def witness_in(self, tx: Connection, raw: bytes, log: tuple[str, PublicKeys], now: datetime) -> tuple[str, int]:
        """As `witness`, in the caller's transaction; also the size that was cosigned."""
        old, proof, note = parse_request(raw)
        origin, _ = log
        seen = records.lock_witnessed(tx, origin) or NOTHING_SEEN
        if old != seen[0]:
            raise Conflict("witness.size", "another size was cosigned last", step="witness", detail=str(seen[0]))
        found, line = cosign(note, log, seen, proof, (self.origin, self._keys), now)
        records.save_witnessed(tx, origin, found.size, found.root, note)
        return line, found.size

    # -- proving

    def prove(self, index: int, size: int | None = None) -> InclusionProof:
        """That the leaf is in the tree of `size` leaves (the committed head, if not given)."""
        with self._store.read() as tx:
            return self._prove(tx, index, size)

    def _prove(self, tx: Connection, index: int, size: int | None) -> InclusionProof:
        known = records.load_head(tx)[0]
        size = known if size is None else size
        if not 0 <= index < size <= known:
            raise NotFound(
                "ledger.leaf_unknown", "there is no such leaf in a tree of that size", step="ledger", field="index"
            )
        node = records.node_reader(tx)
        path = tuple(merkle.inclusion_at(node, index, size))
        return InclusionProof(index, size, node(0, index), path, merkle.root_at(node, size))

    def consistency(self, old: int, new: int) -> ConsistencyProof:
        """That the tree of `new` leaves extends that of `old` leaves."""
        with self._store.read() as tx:
            return self.consistency_in(tx, old, new)

    def consistency_in(self, tx: Connection, old: int, new: int) -> ConsistencyProof:
        """As `consistency`, in the caller's transaction."""
        if not 0 <= old <= new <= records.load_head(tx)[0]:
            raise NotFound("ledger.size", "there are no trees of these sizes", step="ledger", field="size")
        return ConsistencyProof(old, new, tuple(merkle.consistency_at(records.node_reader(tx), old, new)))

    def bundle(self, index: int, *, disclose: bool = False) -> bytes:
        """One file that proves the leaf off-line; with `disclose`, its content too (`NotFound` if it was erased)."""
        note = self.checkpoint()
        size = parse_checkpoint(parse_note(note).text).size
        with self._store.read() as tx:
            proof = self._prove(tx, index, size)
            found = records.load_leaf(tx, index)
        if found is None:
            raise Broken("ledger.node", "a leaf of the ledger is missing", step="ledger", detail=str(index))
        leaf, sealed = found
        salt: bytes | None = None
        content: Mapping[str, Any] | None = None
        if disclose:
            if sealed is None:
                raise NotFound("ledger.erased", "the content of this leaf was erased", step="ledger", field="index")
            salt, content = self._open(index, sealed)
        return make_bundle(BundleWire(index, leaf, salt, content, proof.path, note))

    def archive(self, chosen: Wanted | None, card: str, witnesses: Sequence[str]) -> Iterator[bytes]:
        """The whole log up to a checkpoint that is signed now, line by line; `chosen` leaves with their content.

        The last line signs all of them: what was opened, erased and chosen is this log's word and no courier's.
        Read in groups of leaves, each in a snapshot of its own: what has a number never changes but by an erasure.
        """
        keys, note = self._keys, self.checkpoint()
        head = ArchiveHead(self.origin, parse_checkpoint(parse_note(note).text).size, chosen, card, tuple(witnesses))
        digest = LinesDigest()
        for line in self._archive_lines(head):
            digest.add(line)
            yield line + b"\n"
        yield sign(ARCHIVE_TYPE, render_archive_end(head, digest.value()), keys, self.node) + b"\n"

    def _archive_lines(self, head: ArchiveHead) -> Iterator[bytes]:
        first = canonical(render_archive_head(head))
        if len(first) > MAX_ARCHIVE_HEAD:
            raise Invalid("ledger.archive_head", "more is chosen than one file names", step="archive", field="record")
        yield first
        for start in range(0, head.size, ARCHIVED):
            end = min(start + ARCHIVED, head.size)
            with self._store.read() as tx:
                rows, notes = records.load_range(tx, start, end), records.load_notes(tx, start, end)
            for size, row in enumerate(rows, start + 1):
                yield canonical(render_archive_leaf(self._archived(row, head.chosen)))
                if size in notes:
                    yield render_archive_note(notes[size])

    def _archived(self, row: RowMapping, chosen: Wanted | None) -> ArchiveLeaf:
        leaf, sealed = records.leaf_of(row), row["sealed"]
        if chosen is None or sealed is None:
            return ArchiveLeaf(leaf, None, None, sealed is None)
        salt, content = self._open(row["leaf_index"], sealed)
        opened = is_chosen(chosen, leaf, content)
        return ArchiveLeaf(leaf, salt if opened else None, content if opened else None, False)

    # -- reading

    def find(self, subject: str) -> list[LeafView]:
        """Every leaf about one subject, oldest first."""
        with self._store.read() as tx:
            return [self._view(row) for row in records.load_by_subject(tx, subject)]

    def page(self, before: int | None = None, limit: int = 50) -> list[LeafView]:
        """Leaves newest first, below index `before`."""
        with self._store.read() as tx:
            return [self._view(row) for row in records.load_page(tx, before, limit)]

    def select(self, wanted: Wanted, before: int | None = None, limit: int = 50) -> LeafPage:
        """The leaves that are asked for, newest first, below index `before`."""
        with self._store.read() as tx:
            if wanted.officer:
                return self._select_of(tx, wanted, before, limit)
            rows = records.load_chosen(tx, wanted, before, limit + 1)
            older = int(rows[limit - 1]["leaf_index"]) if len(rows) > limit else None
            return LeafPage(tuple(self._view(row) for row in rows[:limit]), older)

    def _select_of(self, tx: Connection, wanted: Wanted, before: int | None, limit: int) -> LeafPage:
        """One officer's: opened one after the other, because nothing outside of the sealed content names officers."""
        found: list[LeafView] = []
        scanned = 0
        for scanned, row in enumerate(records.load_chosen(tx, wanted, before, MOST_SCANNED + 1), 1):
            if len(found) == limit or scanned > MOST_SCANNED:
                return LeafPage(tuple(found), int(row["leaf_index"]) + 1, scanned - 1)
            leaf = self._view(row)
            if leaf.content is not None and leaf.content.get("officer") == wanted.officer:
                found.append(leaf)
        return LeafPage(tuple(found), None, scanned)

    def verify(self, held: Iterable[str] = ()) -> Report:
        """Recompute the whole log; the report says at which leaf it breaks, if it does.

        `held` are checkpoints of this log that partners kept: they show if its end was cut off. Raises `Untrusted` when
        one of them was not signed by this log.
        """
        known = [(note, self._ours(note)) for note in held]
        with self._store.read() as tx:
            return audit(tx, self._is_committed, self._is_ours, [(c.size, c.root, note) for note, c in known])

    def ours(self, note: str) -> Checkpoint | None:
        """The checkpoint in a note, if this log signed it."""
        try:
            return self._ours(note)
        except TansiqError:
            return None

    def _ours(self, note: str) -> Checkpoint:
        """A checkpoint that this log signed, with its keys of today or with former ones."""
        for public in self._former:
            try:
                return verify_checkpoint(note, self.origin, public)
            except TansiqError:
                continue
        return verify_checkpoint(note, self.origin, self._keys.public)

    def _is_committed(self, index: int, commitment: bytes, sealed: bytes) -> bool:
        plain = self._vault.open(_TABLE, str(index), sealed)
        return commit_content(plain[:_SALT], plain[_SALT:]) == commitment

    def _is_ours(self, size: int, root: bytes, note: str) -> bool:
        try:
            found = self._ours(note)
        except TansiqError:
            return False
        return (found.size, found.root) == (size, root)

    def _view(self, row: RowMapping) -> LeafView:
        leaf = records.leaf_of(row)
        content = None if row["sealed"] is None else self._open(row["leaf_index"], row["sealed"])[1]
        return LeafView(row["leaf_index"], parse_instant(leaf.at, "at"), leaf.verb, leaf.subject, content)

    def _open(self, index: int, sealed: bytes) -> tuple[bytes, dict[str, Any]]:
        plain = self._vault.open(_TABLE, str(index), sealed)
        return plain[:_SALT], parse_canonical(plain[_SALT:], step="ledger")
