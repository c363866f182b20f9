"""Tag lists: what a holder ships, and how an asker looks a key up in it.

A list is `count` tags in ascending order (8 bytes each, big endian), then, if it is labelled, as many labels. Its
length is a public ceiling; what no record fills is chance. Nothing in it tells a record's tag from padding, or two
tags of one record from those of two: without the key a list is noise.

A key that several records share stands in the list once for each, under tags that follow from the key's output and a
number: two equal tags would tell how common a key is.
"""

from __future__ import annotations

import bisect
import hashlib
import hmac
import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tansiq.crypto import random_bytes
from tansiq.errors import Broken, Conflict, Refused, Untrusted
from tansiq.private.model import (
    BLOCK,
    CHECK_BYTES,
    LABEL_BYTES,
    RID_BYTES,
    TAG_BYTES,
    Chance,
    Delta,
    Descriptor,
)
from tansiq.private.wire import digest, list_bytes, require_payload

MAX_SHARED = 64
"""Records that may stand behind one key; more are listed as this many."""
_LEAST_PADDING = 2 * BLOCK


def ceiling(entries: int) -> int:
    """The public length for so many entries: the next step of a tenth, and room for two blocks of changes at least."""
    length = 4 * _LEAST_PADDING
    while length < entries + _LEAST_PADDING:
        length = length * 11 // 10
    return -(-length // BLOCK) * BLOCK


def tag_of(output: bytes, number: int = 0) -> bytes:
    """The tag of the `number`-th record behind a key: the output's first eight bytes, or eight that follow from it."""
    if number == 0:
        return output[:TAG_BYTES]
    return _follow(output, b"tag", number)[:TAG_BYTES]


def _follow(output: bytes, what: bytes, number: int) -> bytes:
    """Bytes that only who knows the whole output can make (HKDF-Expand, one block of SHA-512)."""
    return hmac.digest(output[TAG_BYTES:], b"tansiq/1 " + what + number.to_bytes(4, "big"), hashlib.sha512)


def seal_label(output: bytes, number: int, rid: bytes) -> bytes:
    """The opaque id and a check, sealed by the key's own output."""
    pad = _follow(output, b"label", number)
    return bytes(a ^ b for a, b in zip(rid + _check(pad, rid), pad, strict=False))


def open_label(output: bytes, number: int, label: bytes) -> bytes | None:
    """The opaque id; None when the check fails: the tag met by chance (once in 2^64 a look-up and entry)."""
    pad = _follow(output, b"label", number)
    plain = bytes(a ^ b for a, b in zip(label, pad, strict=False))
    rid = plain[:RID_BYTES]
    return rid if hmac.compare_digest(plain[RID_BYTES:], _check(pad, rid)) else None


def _check(pad: bytes, rid: bytes) -> bytes:
    return hmac.digest(pad[LABEL_BYTES:], rid, hashlib.sha256)[:CHECK_BYTES]


@dataclass(slots=True)
class HeldList:
    """The holder's own side of a list: which entries are real. `rids` by tag; padding is what has no rid."""

    tags: list[bytes] = field(default_factory=list, repr=False)
    labels: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    real: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    labelled: bool = True

    def to_bytes(self) -> bytes:
        """What is shipped."""
        return b"".join(self.tags) + (b"".join(self.labels[t] for t in self.tags) if self.labelled else b"")

    def rid(self, tag: bytes) -> bytes | None:
        return self.real.get(tag)

    @property
    def padding(self) -> int:
        return len(self.tags) - len(self.real)


def entries_of(outputs: Sequence[bytes], rids: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
    """tag -> (label, rid), for each key and each record behind it; the order of records decides their numbers."""
    if len(outputs) != len(rids):
        raise Broken("list.build", "not one record for each output", step="list")
    found: dict[bytes, tuple[bytes, bytes]] = {}
    behind: dict[bytes, int] = {}
    listed: set[tuple[bytes, bytes]] = set()
    for output, rid in zip(outputs, rids, strict=True):
        if (output, rid) in listed or behind.get(output, 0) >= MAX_SHARED:
            continue
        listed.add((output, rid))
        number = behind.get(output, 0)
        behind[output] = number + 1
        found[tag_of(output, number)] = (seal_label(output, number, rid), rid)
    return found


def build_list(
    outputs: Sequence[bytes], rids: Sequence[bytes], *, labelled: bool = True, random: Chance = random_bytes
) -> HeldList:
    """A list of these keys, padded to its ceiling. `rids` are random for (record, partner, epoch, group)."""
    real = entries_of(outputs, rids)
    labels = {tag: label for tag, (label, _) in real.items()}
    _pad(labels, ceiling(len(real)) - len(real), random)
    return HeldList(_sorted(labels), labels if labelled else {}, {t: rid for t, (_, rid) in real.items()}, labelled)


def _pad(labels: dict[bytes, bytes], count: int, random: Chance) -> list[bytes]:
    """Adds `count` tags of chance; gives them."""
    made: list[bytes] = []
    while len(made) < count:
        tag = random(TAG_BYTES)
        if tag not in labels:
            labels[tag] = random(LABEL_BYTES)
            made.append(tag)
    return made


def _sorted(tags: Iterable[bytes]) -> list[bytes]:
    """Ascending; numpy sorts a million in a tenth of the time."""
    raw = np.frombuffer(b"".join(tags), dtype=">u8").astype(np.uint64)
    raw.sort()
    flat = raw.astype(">u8").tobytes()
    return [flat[at : at + TAG_BYTES] for at in range(0, len(flat), TAG_BYTES)]


@dataclass(frozen=True, slots=True)
class Change:
    """A delta's content and the list after it."""

    after: HeldList
    added: bytes
    labels: bytes
    removed: bytes


def change_list(
    held: HeldList,
    add: dict[bytes, tuple[bytes, bytes]],
    remove: Iterable[bytes],
    random: Chance = random_bytes,
) -> Change:
    """Records in, records out, filled up with padding to whole blocks on both sides: as many tags go as come.

    Raises `Refused("list.full")` when the padding is used up: then a new epoch gets a new ceiling.
    """
    come = {
        tag: entry for tag, entry in add.items() if tag not in held.real or _relabelled(held, tag, entry)
    }  # a tag that stays under another label goes and comes in one change
    gone = sorted({tag for tag in remove if tag in held.real and tag not in add} | (come.keys() & held.real.keys()))
    size = max(1, -(-max(len(come), len(gone)) // BLOCK)) * BLOCK
    spare = [tag for tag in held.tags if tag not in held.real and tag not in come]
    if len(spare) < size - len(gone):
        raise Refused("list.full", "no padding is left in this list: rotate the epoch", step="list")
    order = np.frombuffer(random(8 * len(spare)), dtype=np.uint64).argsort()[: size - len(gone)]
    dropped = gone + [spare[int(at)] for at in order]
    # What goes is looked up before what comes is made, so that chance never adds what it removes.
    labels = {t: held.labels.get(t, b"") for t in held.tags}
    fresh = {tag: label for tag, (label, _) in come.items()}
    taken = {**labels, **fresh}
    for tag in _pad(taken, size - len(come), random):
        fresh[tag] = taken[tag]
    for tag in dropped:
        del labels[tag]
    labels |= fresh
    leaving = set(gone)
    real = {t: r for t, r in held.real.items() if t not in leaving} | {t: rid for t, (_, rid) in come.items()}
    after = HeldList(_sorted(labels), labels if held.labelled else {}, real, held.labelled)
    added = _sorted(fresh)
    shipped = b"".join(fresh[t] for t in added) if held.labelled else b""
    return Change(after, b"".join(added), shipped, b"".join(_sorted(dropped)))


def _relabelled(held: HeldList, tag: bytes, entry: tuple[bytes, bytes]) -> bool:
    return held.labelled and held.labels[tag] != entry[0]


class TagList:
    """The asker's side: a list in a mapped file, opened against its descriptor. Nothing of it is copied to memory."""

    def __init__(self, file: Path, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        size = list_bytes(descriptor.count, descriptor.labelled)
        with file.open("rb") as opened:
            if file.stat().st_size != size:
                raise Untrusted("private.length", "not as many bytes as were told", step="list", field="payload")
            self._raw = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self._tags = _Tags(self._raw, descriptor.count)

    def __enter__(self) -> TagList:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if isinstance(self._raw, mmap.mmap):
            self._raw.close()

    def verify(self) -> None:
        """Reads the whole file once against the signed digest; also that it is in order, or a search would miss."""
        view = memoryview(self._raw)
        try:
            if digest(view) != self.descriptor.digest:
                raise Untrusted("private.digest", "other bytes than were signed", step="list", field="payload")
        finally:
            view.release()
        require_ascending(bytes(self._raw[: self.descriptor.count * TAG_BYTES]))

    def find(self, output: bytes) -> tuple[bytes, ...] | None:
        """None: no hit. Else the opaque ids behind the key, none of them when the list has no labels."""
        rids: list[bytes] = []
        for number in range(MAX_SHARED):
            tag = tag_of(output, number)
            at = bisect.bisect_left(self._tags, tag)
            if at == len(self._tags) or self._tags[at] != tag:
                return tuple(rids) if number else None
            if not self.descriptor.labelled:
                return ()
            start = self.descriptor.count * TAG_BYTES + at * LABEL_BYTES
            rid = open_label(output, number, self._raw[start : start + LABEL_BYTES])
            if rid is None:  # padding met the tag by chance: no hit
                return tuple(rids) or None
            rids.append(rid)
        return tuple(rids)


class _Tags(Sequence[bytes]):
    """The tags of a mapped list, as a sequence that can be searched."""

    __slots__ = ("_count", "_raw")

    def __init__(self, raw: mmap.mmap | bytes, count: int) -> None:
        self._raw, self._count = raw, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int) -> bytes:  # type: ignore[override]  # a slice of tags is asked for nowhere
        return self._raw[at * TAG_BYTES : (at + 1) * TAG_BYTES]


def require_ascending(tags: bytes) -> None:
    """Each tag once, in order; else `Untrusted("list.order")`."""
    values = np.frombuffer(tags, dtype=">u8")
    if len(values) > 1 and not bool((values[1:] > values[:-1]).all()):
        raise Untrusted("list.order", "tags that are not in ascending order", step="list", field="payload")


def apply_delta(raw: bytes, descriptor: Descriptor, delta: Delta, sequence: int) -> tuple[bytes, Descriptor]:
    """The list after the delta, and the descriptor that goes with it. `sequence` is the last one applied.

    Raises `Conflict("delta.sequence")` when one is missing, `Untrusted("delta.*")` when it is not what was signed.
    """
    same = (delta.holder, delta.partner, delta.tier, delta.epoch)
    if same != (descriptor.holder, descriptor.partner, descriptor.tier, descriptor.epoch):
        raise Untrusted("delta.epoch", "a change of another list", step="delta", field="epoch")
    if delta.sequence != sequence + 1:
        raise Conflict("delta.sequence", "a change is missing before this one", step="delta", field="sequence")
    if delta.before != descriptor.digest or bool(delta.labels) != descriptor.labelled:
        raise Untrusted("delta.before", "a change of another state of the list", step="delta", field="before")
    require_payload(raw, descriptor.digest, list_bytes(descriptor.count, descriptor.labelled), "payload")
    after = _merged(raw, descriptor, delta)
    if digest(after) != delta.after or len(after) != len(raw):
        raise Untrusted("delta.after", "the change does not lead where its signer says", step="delta", field="after")
    return after, replace(descriptor, digest=delta.after)


def _merged(raw: bytes, descriptor: Descriptor, delta: Delta) -> bytes:
    size = descriptor.count * TAG_BYTES
    tags = np.frombuffer(raw[:size], dtype=">u8")
    added, removed = np.frombuffer(delta.added, dtype=">u8"), np.frombuffer(delta.removed, dtype=">u8")
    keep = ~np.isin(tags, removed)
    if int((~keep).sum()) != len(removed) or bool(np.isin(added, tags[keep]).any()):
        raise Untrusted("delta.tags", "a change that removes what is not there", step="delta", field="removed")
    merged = np.concatenate([tags[keep], added])
    order = np.argsort(merged, kind="stable")
    out = merged[order].astype(">u8").tobytes()  # numpy joins in the machine's own byte order
    if not descriptor.labelled:
        return out
    labels = np.frombuffer(raw[size:], dtype=np.uint8).reshape(-1, LABEL_BYTES)
    fresh = np.frombuffer(delta.labels, dtype=np.uint8).reshape(-1, LABEL_BYTES)
    return out + np.concatenate([labels[keep], fresh])[order].tobytes()


def new_rid(random: Chance = random_bytes) -> bytes:
    """The opaque id of one (record, partner, epoch, attribute group)."""
    return random(RID_BYTES)
