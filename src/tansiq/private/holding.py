"""What stands in one of our lists, and what must change in it when the bank does. Pure.

A key may be several records'. They stand in the list in a fixed order (`lists.py`: the number makes the tag), so a
record that goes moves those behind it: a key that changes at all is laid anew as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from tansiq.private.lists import MAX_SHARED, HeldList, entries_of, new_rid
from tansiq.private.model import LABEL_BYTES, TAG_BYTES, Chance, Listing

Mark = Callable[[bytes], bytes]
"""A keyed hash of an input: the node keeps no input of its list, only that it was there."""


@dataclass(slots=True)
class Held:
    """One list as we know it: its bytes, which record each opaque id means, which opaque ids stand behind a key."""

    held: HeldList
    meanings: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    """rid -> (record, group)."""
    keys: dict[bytes, list[tuple[bytes, bytes]]] = field(default_factory=dict)
    """mark of the input -> (rid, tag), in the order of their numbers."""


class _Packed(msgspec.Struct, array_like=True):
    tags: bytes
    labels: bytes
    labelled: bool
    meanings: list[tuple[bytes, str, str]]
    keys: list[tuple[bytes, list[tuple[bytes, bytes]]]]


_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(held: Held) -> bytes:
    """For the vault."""
    inner = held.held
    labels = b"".join(inner.labels[t] for t in inner.tags) if inner.labelled else b""
    meanings = [(rid, record, group) for rid, (record, group) in held.meanings.items()]
    return msgspec.msgpack.encode(
        _Packed(b"".join(inner.tags), labels, inner.labelled, meanings, list(held.keys.items()))
    )


def unpack(raw: bytes) -> Held:
    """Our own bytes, out of the vault."""
    read = _decoder.decode(raw)
    tags = [read.tags[at : at + TAG_BYTES] for at in range(0, len(read.tags), TAG_BYTES)]
    labels = {
        tag: read.labels[at * LABEL_BYTES : (at + 1) * LABEL_BYTES] for at, tag in enumerate(tags) if read.labelled
    }
    keys = {mark: [(rid, tag) for rid, tag in behind] for mark, behind in read.keys}
    real = {tag: rid for behind in keys.values() for rid, tag in behind}
    return Held(HeldList(tags, labels, real, read.labelled), {r: (a, b) for r, a, b in read.meanings}, keys)


@dataclass(frozen=True, slots=True)
class Step:
    """What a change needs: keys whose outputs are wanted, with the opaque ids behind each; tags that go."""

    inputs: tuple[bytes, ...] = field(repr=False)
    behind: tuple[tuple[bytes, tuple[bytes, ...]], ...] = field(repr=False)
    """(mark, rids) for each of `inputs`."""
    gone: tuple[bytes, ...] = ()
    """Marks behind which nothing stands any more."""
    meanings: Mapping[bytes, tuple[str, str]] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not self.inputs and not self.gone


def plan(held: Held | None, wanted: Iterable[Listing], mark: Mark, random: Chance) -> Step:
    """Between what stands in the list and what should."""
    known = {} if held is None else {of: rid for rid, of in held.meanings.items()}
    before = {} if held is None else {m: tuple(rid for rid, _ in behind) for m, behind in held.keys.items()}
    meanings: dict[bytes, tuple[str, str]] = {}
    after: dict[bytes, tuple[bytes, list[bytes]]] = {}
    for listing in wanted:
        of = (listing.record, listing.group)
        rid = known.get(of)
        if rid is None:
            rid = known[of] = new_rid(random)
        meanings[rid] = of
        behind = after.setdefault(mark(listing.input), (listing.input, []))[1]
        if rid not in behind and len(behind) < MAX_SHARED:
            behind.append(rid)
    changed = [(m, given) for m, given in after.items() if before.get(m) != tuple(given[1])]
    return Step(
        tuple(given[0] for _, given in changed),
        tuple((m, tuple(given[1])) for m, given in changed),
        tuple(m for m in before if m not in after),
        meanings,
    )


def laid(step: Step, outputs: Sequence[bytes]) -> dict[bytes, list[tuple[bytes, bytes, bytes]]]:
    """mark -> (tag, label, rid) of each record behind it, in order."""
    found: dict[bytes, list[tuple[bytes, bytes, bytes]]] = {}
    for (mark, rids), output in zip(step.behind, outputs, strict=True):
        made = entries_of([output] * len(rids), rids)
        found[mark] = [(tag, label, rid) for tag, (label, rid) in made.items()]
    return found
