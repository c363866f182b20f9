"""The verbs of attachments: take a file in, bind it to its entry, send and file chunks, read, erase.

Crash state: a chunk is durable before the next is read, so what was taken or received is never lost; a file that was
taken in and came into no entry is dropped after a week. Binding, and queueing one item for each chunk and addressee,
stand in the transaction that writes the entry. A received chunk stands in the exchange's receiving transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tansiq import crypto
from tansiq.access.model import Acting
from tansiq.attachments import records, wire
from tansiq.attachments.model import CHUNK, MAX_BYTES, PART, Attached, Chunk, FileText, Holding
from tansiq.dossiers.model import DossierState, Entry, Part, Presence
from tansiq.errors import Invalid, NotFound, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.ledger import Ledger
from tansiq.store import Store
from tansiq.terms import DossierId, EntryId, LogVerb, NodeId, PartId

ITEM = "chunk"
KEPT = timedelta(days=7)
"""A staged file waits this long for its entry: a second officer may have to confirm it."""

MOST_FILES = 2_000
"""The newest, when texts are looked through."""
MAX_TEXT_BYTES, MOST_TEXT_BYTES = 2 * 1024 * 1024, 16 * 1024 * 1024
"""Of one file, and of all of them, when texts are looked through: some seconds."""

EntryOf = Callable[[Connection, EntryId], Entry | None]
Gives = Callable[[Connection, EntryId, PartId, NodeId], bool]
Queue = Callable[[Connection, NodeId, str, str, datetime], None]


class Upload:
    """A file being taken in. `add` what comes, then `end`; `drop` it where that fails."""

    def __init__(self, store: Store, vault: crypto.Vault, row: str, key: bytes, now: datetime) -> None:
        self._store = store
        self._vault = vault
        self._own = crypto.Vault(key)
        self.row = row
        self._whole = hashlib.sha256()
        self._rest = bytearray()
        self._size = 0
        self._chunks: list[str] = []
        store.write(lambda tx: records.insert_file(tx, vault, key, row, "taking", now))

    def add(self, piece: bytes) -> None:
        """Raises `Invalid` where the file has become too large."""
        self._size += len(piece)
        if self._size > MAX_BYTES:
            self.drop()
            raise Invalid("attachment.too_large", f"over {MAX_BYTES} bytes", step="take the file", field="file")
        self._whole.update(piece)
        self._rest += piece
        while len(self._rest) >= CHUNK:
            self._keep(bytes(self._rest[:CHUNK]))
            del self._rest[:CHUNK]

    def _keep(self, chunk: bytes) -> None:
        number = len(self._chunks)
        self._chunks.append(hashlib.sha256(chunk).hexdigest())
        self._store.write(lambda tx: records.put_chunk(tx, self.row, self._own, number, chunk))

    def end(self, name: str, media: str = "") -> Attached:
        """The file is here: what an act's part says of it. Raises `Invalid`."""
        try:
            name, media = self._checked(name, media)
        except Invalid:
            self.drop()
            raise
        if self._rest:
            self._keep(bytes(self._rest))
        found = Attached(name, media, self._whole.hexdigest(), self._size, tuple(self._chunks))
        blind = self._vault.mac("attachment", found.sha256)
        self._store.write(lambda tx: records.set_state(tx, self.row, "staged", blind))
        return found

    def _checked(self, name: str, media: str) -> tuple[str, str]:
        if not self._size:
            raise Invalid("attachment.empty", "the file is empty", step="take the file", field="file")
        return wire.check_name(name), wire.check_media(media)

    def drop(self) -> None:
        self._store.write(lambda tx: records.drop(tx, self.row))


class Attachments:
    """All files of one node."""

    def __init__(
        self,
        store: Store,
        vault: crypto.Vault,
        ledger: Ledger,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        *,
        own: NodeId,
        entry_of: EntryOf,
        gives: Gives,
        enqueue: Queue,
    ) -> None:
        self._store = store
        self._vault = vault
        self._ledger = ledger
        self._clock = clock
        self._random = random
        self._own = own
        self._entry_of = entry_of
        self._gives = gives
        self._enqueue = enqueue

    # --- taking in ---

    def begin(self) -> Upload:
        row = f"f-{self._random(16).hex()}"
        return Upload(self._store, self._vault, row, self._random(32), self._clock())

    def take(self, pieces: Iterable[bytes], name: str, media: str = "") -> Attached:
        """A whole file, piece by piece. Raises `Invalid`; nothing stays then."""
        upload = self.begin()
        try:
            for piece in pieces:
                for start in range(0, len(piece), CHUNK):
                    upload.add(piece[start : start + CHUNK])
        except TansiqError:
            raise
        except Exception:
            upload.drop()
            raise
        return upload.end(name, media)

    # --- going out ---

    def queue(self, tx: Connection, entry: EntryId, to: NodeId, expires_at: datetime) -> None:
        """An entry of ours has just been queued for `to`: so are the chunks of those files that it is given."""
        for part in self._parts(tx, entry):
            of = wire.attached(part.content or {})
            file = self._bound(tx, entry, part.ref.id, of)
            if self._gives(tx, entry, part.ref.id, to):
                for number in range(len(of.chunks)):
                    self._enqueue(tx, to, ITEM, f"{records.ref_of(file.entry, file.part)}:{number}", expires_at)

    def held_of(self, tx: Connection, entry: EntryId) -> list[str]:
        """The refs of all chunks that we hold of a partner's entry: to be given back to who lost them."""
        files = [records.find(tx, self._vault, entry, part.ref.id) for part in self._parts(tx, entry)]
        held = [file for file in files if file is not None and file.state == "held"]
        return [
            f"{records.ref_of(file.entry, file.part)}:{number}"
            for file in held
            for number in sorted(records.numbers(tx, file.id))
        ]

    def bind(self, tx: Connection, entry: EntryId) -> None:
        """The staged files of an entry that was just written are its own. Raises `Invalid` where one is missing."""
        for part in self._parts(tx, entry):
            self._bound(tx, entry, part.ref.id, wire.attached(part.content or {}))

    def _parts(self, tx: Connection, entry: EntryId) -> list[Part]:
        found = self._entry_of(tx, entry)
        return [p for p in found.parts if p.ref.kind == PART and p.content is not None] if found else []

    def _bound(self, tx: Connection, entry: EntryId, part: PartId, of: Attached) -> records.File:
        file = records.find(tx, self._vault, entry, part)
        if file is None:
            staged = records.find_staged(tx, self._vault, self._vault.mac("attachment", of.sha256))
            if staged is None or records.count(tx, staged.id) != len(of.chunks):
                raise Invalid(
                    "attachment.not_taken", "no such file was taken in", step="attach the file", field="parts"
                )
            records.bind(tx, staged.id, entry, part)
            file = records.find(tx, self._vault, entry, part)
        if file is None:
            raise NotFound("attachment.unknown", "no such file", step="attach the file")
        return file

    def load(self, tx: Connection, ref: str, to: NodeId) -> bytes | None:
        """The outbox's loader: one chunk for one node, or None where it may no longer go there."""
        name, _, number = ref.partition(":")
        file = records.find_ref(tx, self._vault, name)
        if file is None or not self._gives(tx, file.entry, file.part, to):
            return None
        content = records.get_chunk(tx, file, int(number))
        return None if content is None else wire.render_chunk(Chunk(file.entry, file.part, int(number), content))

    # --- coming in ---

    def file(self, tx: Connection, sender: NodeId, item: Item) -> ItemResult:
        """File one chunk of a partner's file, or of one of ours that it gives back. Idempotent; refuses by name what is
        not what its part committed to."""
        chunk = wire.parse_chunk(item.payload)
        if item.ref != f"{records.ref_of(chunk.entry, chunk.part)}:{chunk.number}":
            raise Untrusted("attachment.wrong_ref", "not the chunk that the envelope names", step="file the chunk")
        entry = self._entry_of(tx, chunk.entry)
        if entry is None:
            return ItemResult(item.ref, received=False, reason="attachment.entry_unknown")
        if entry.statement.author not in (sender, self._own):
            raise Untrusted("attachment.not_the_author", "only its author delivers a file", step="file the chunk")
        part = next((p for p in entry.parts if p.ref.id == chunk.part and p.ref.kind == PART), None)
        if part is None:
            raise Untrusted("attachment.not_in_entry", "the entry has no such file", step="file the chunk")
        if part.presence is not Presence.HELD:
            erased = part.presence is Presence.ERASED
            return ItemResult(item.ref, received=False, reason=f"attachment.{'erased' if erased else 'not_given'}")
        return self._keep(tx, item, entry, chunk, _checked(part, chunk))

    def _keep(self, tx: Connection, item: Item, entry: Entry, chunk: Chunk, of: Attached) -> ItemResult:
        file = records.find(tx, self._vault, chunk.entry, chunk.part)
        if file is None:
            row = f"f-{self._random(16).hex()}"
            at = (chunk.entry, chunk.part)
            records.insert_file(tx, self._vault, self._random(32), row, "coming", self._clock(), at=at)
            file = records.find(tx, self._vault, chunk.entry, chunk.part)
        if file is None or file.state == "broken":
            return ItemResult(item.ref, received=False, reason="attachment.digest")
        have = records.numbers(tx, file.id)
        if chunk.number not in have:
            records.put_chunk(tx, file.id, file.vault, chunk.number, chunk.content)
            if len(have) + 1 == len(of.chunks):
                return self._complete(tx, item, entry, file, of)
        return ItemResult(item.ref, received=True)

    def _complete(self, tx: Connection, item: Item, entry: Entry, file: records.File, of: Attached) -> ItemResult:
        """All of it is here. It counts as held when it is what its part names, and not before."""
        whole = hashlib.sha256()
        for content in records.contents(tx, file, len(of.chunks)):
            whole.update(content)
        right = whole.hexdigest() == of.sha256
        if right:
            records.set_state(tx, file.id, "held", self._vault.mac("attachment", of.sha256))
        else:
            records.drop_chunks(tx, file.id)
            records.set_state(tx, file.id, "broken")
        self._ledger.append(
            tx,
            verb=LogVerb.COLLECT,
            subject=file.part,
            content={
                "from": entry.statement.author,
                "entry": entry.id,
                "purpose": entry.statement.legal.purpose,
                "decision": "attachment held" if right else "attachment refused",
                "bytes": of.size,
            },
            at=self._clock(),
        )
        return ItemResult(item.ref, received=right, reason="" if right else "attachment.digest")

    # --- reading and erasing ---

    def holding(self, entry: EntryId, part: PartId) -> Holding:
        """How much of a file is here. Raises `NotFound` where the part is not held."""
        with self._store.read() as tx:
            of = self._attached(tx, entry, part)
            file = records.find(tx, self._vault, entry, part)
            have = 0 if file is None else records.count(tx, file.id)
        state = file.state if file else ""
        return Holding(of, have, state == "held", state == "broken")

    def _attached(self, tx: Connection, entry: EntryId, part: PartId) -> Attached:
        found = next((p for p in self._parts(tx, entry) if p.ref.id == part), None)
        if found is None:
            raise NotFound("attachment.unknown", "no such file here", step="read the file", field="part")
        return wire.attached(found.content or {})

    def read(self, entry: EntryId, part: PartId) -> Iterator[bytes]:
        """The file, a chunk at a time, each checked. Raises `NotFound` at once where it is not wholly here."""
        holding = self.holding(entry, part)
        if not holding.held:
            message = f"{holding.have} of {len(holding.attached.chunks)} pieces are here"
            raise NotFound("attachment.not_held", message, step="read the file", field="part")
        return self._chunks(entry, part, holding.attached)

    def _chunks(self, entry: EntryId, part: PartId, of: Attached) -> Iterator[bytes]:
        for number, digest in enumerate(of.chunks):
            # One read each: a slow reader must not hold a snapshot open for minutes.
            with self._store.read() as tx:
                file = records.find(tx, self._vault, entry, part)
                content = records.get_chunk(tx, file, number) if file else None
            if content is None:
                raise NotFound("attachment.erased", "the file was erased meanwhile", step="read the file", field="part")
            if hashlib.sha256(content).hexdigest() != digest:
                raise Untrusted("attachment.chunk_digest", "a stored chunk is another", step="read the file")
            yield content

    def texts(self) -> Iterator[FileText]:
        """The files that hold plain text, newest first: for who looks through everything. Logs nothing.

        Bounded: a text that is not read is there without it, and one without a place stands for files not looked at.
        """
        with self._store.read() as tx:
            places = records.held(tx, MOST_FILES + 1)
        left = MOST_TEXT_BYTES
        for entry, part in places[:MOST_FILES]:
            try:
                of = self.holding(entry, part).attached
                if not wire.holds_text(of):
                    continue
                is_read = of.size <= min(left, MAX_TEXT_BYTES)
                raw = b"".join(self._chunks(entry, part, of)) if is_read else None
            except NotFound:
                continue  # erased meanwhile
            except TansiqError:
                yield FileText(entry, part, "", None)
                continue
            left -= len(raw or b"")
            yield FileText(entry, part, of.name, None if raw is None else wire.text_of(raw))
        if len(places) > MOST_FILES:
            yield FileText(EntryId(""), PartId(""), "", None)

    def log_read(self, entry: EntryId, part: PartId, by: Acting) -> None:
        """LED art. 25: who read which file, and why."""
        content = {"officer": by.officer, "purpose": by.purpose, "justification": by.justification}
        content |= {"entry": entry, "decision": "attachment read"}

        def work(tx: Connection) -> None:
            self._ledger.append(tx, verb=LogVerb.CONSULT, subject=part, content=content, at=self._clock())

        self._store.write(work)

    def write(self, work: Callable[[Connection], EntryId]) -> EntryId:
        return self._store.write(work)

    def erase(self, tx: Connection, entry: EntryId, part: PartId) -> None:
        """With its part: chunks and key, in the same transaction."""
        file = records.find(tx, self._vault, entry, part)
        if file is not None:
            records.drop(tx, file.id)

    def sweep(self) -> int:
        """Drop what was taken in and came into no entry."""
        before = self._clock() - KEPT

        def work(tx: Connection) -> int:
            rows = records.left_behind(tx, before)
            for row in rows:
                records.drop(tx, row)
            return len(rows)

        return self._store.write(work)


def _checked(part: Part, chunk: Chunk) -> Attached:
    """The chunk is the one that the part names, at its place and in its length. Raises `Untrusted`."""
    step = "file the chunk"
    try:
        of = wire.attached(part.content or {})
    except Invalid as exc:
        raise Untrusted(exc.code, exc.message, step=step, field=exc.field) from None
    if chunk.number >= len(of.chunks) or len(chunk.content) != wire.length_of(of, chunk.number):
        raise Untrusted("attachment.chunk_length", "not a chunk of this file", step=step, field="number")
    if hashlib.sha256(chunk.content).hexdigest() != of.chunks[chunk.number]:
        raise Untrusted("attachment.chunk_digest", "the chunk is not the one committed to", step=step, field="content")
    return of


class Files:
    """What officers do with files: attach them to a dossier, read them."""

    def __init__(
        self,
        attachments: Attachments,
        append_in: Callable[[Connection, DossierId, object, Acting], EntryId],
        show: Callable[[DossierId, Acting], DossierState],
    ) -> None:
        self._attachments = attachments
        self._append_in = append_in
        self._show = show

    def attach(
        self,
        dossier: DossierId,
        files: Iterable[Attached],
        by: Acting,
        *,
        more: Mapping[str, Any] | None = None,
        withhold_from: Iterable[str] = (),
    ) -> EntryId:
        """An entry with these files, which were taken in before. `more`: `handling`, `to`, further parts.

        Permitted and logged as any entry; what was taken in is bound to it, and queued, in its transaction.
        """
        hidden = list(withhold_from)
        parts = [{**f.content(), **({"withhold_from": hidden} if hidden else {})} for f in files]
        body = {"type": "dossier.attached", **(more or {})}
        body["parts"] = [*parts, *body.get("parts", ())]

        def work(tx: Connection) -> EntryId:
            entry = self._append_in(tx, dossier, body, by)
            self._attachments.bind(tx, entry)
            return entry

        return self._attachments.write(work)

    def fetch(self, dossier: DossierId, entry: EntryId, part: PartId, by: Acting) -> tuple[Attached, Iterator[bytes]]:
        """A file and its content, a chunk at a time; asked and logged as the dossier is shown, with the part's id."""
        if all(e.id != entry for e in self._show(dossier, by).entries):
            raise NotFound("entry.unknown", "no such entry", step="read the file", field="entry")
        pieces = self._attachments.read(entry, part)
        of = self._attachments.holding(entry, part).attached
        self._attachments.log_read(entry, part, by)
        return of, pieces
