"""A holder and an asker of private checks, without nodes: the evaluator's room, a list, a descriptor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tansiq.crypto import blind_evaluate_proved, derive_oprf_key, evaluate
from tansiq.private.lists import HeldList, TagList, build_list
from tansiq.private.model import Descriptor
from tansiq.private.wire import digest
from tansiq.terms import NodeId

HOLDER, ASKER, THIRD = (NodeId(f"{cc}-" + letter * 20) for cc, letter in (("es", "b"), ("ma", "a"), ("fr", "c")))
KEYSPEC = "1-" + "0" * 16
DAY = 740_000


@dataclass
class Holding:
    """What one holder lists for one partner, with the key that a real holder keeps in the evaluator."""

    descriptor: Descriptor
    held: HeldList
    file: Path

    def opened(self) -> TagList:
        return TagList(self.file, self.descriptor)


KEY = derive_oprf_key(bytes(range(32)), b"test")


def outputs_of(inputs: Sequence[bytes]) -> list[bytes]:
    return [evaluate(KEY, message) for message in inputs]


def rid(number: int) -> bytes:
    return number.to_bytes(12, "big")


def describe(
    raw: bytes, count: int, *, labelled: bool = True, public: bytes = KEY.public, epoch: int = 1
) -> Descriptor:
    return Descriptor(
        HOLDER,
        ASKER,
        "low",
        epoch,
        KEYSPEC,
        ("nd", "nh"),
        public,
        count,
        labelled,
        digest(raw),
        "2026-11-01",
        "2027-01-30",
    )


def holding(folder: Path, inputs: Sequence[bytes], *, labelled: bool = True) -> Holding:
    """A list in a file: record n behind input n."""
    held = build_list(outputs_of(inputs), [rid(n) for n in range(len(inputs))], labelled=labelled)
    raw = held.to_bytes()
    file = folder / "list"
    file.write_bytes(raw)
    return Holding(describe(raw, len(held.tags), labelled=labelled), held, file)


def evaluated(elements: bytes, key: object = KEY) -> tuple[bytes, bytes]:
    """What the evaluator does with a batch, uncounted."""
    parts = [elements[at : at + 32] for at in range(0, len(elements), 32)]
    made, proof = blind_evaluate_proved(key, parts)
    return b"".join(made), proof
