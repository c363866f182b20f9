"""The ledger's nouns: head, leaf, proofs, checkpoint, report, and what an offline bundle proves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from tansiq.crypto import PublicKeys
from tansiq.terms import LogVerb


class Head(NamedTuple):
    """How many leaves the log has, and the root over them."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is in the tree for ever. No personal data: the subject is an id, the content only a salted commitment."""

    at: str
    verb: LogVerb
    subject: str
    commitment: bytes


@dataclass(frozen=True, slots=True)
class LeafView:
    """One leaf as an officer may see it; `content` is None once erased, or where it is `hidden` from this officer."""

    index: int
    at: datetime
    verb: LogVerb
    subject: str
    content: Mapping[str, Any] | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leaves are asked for; what is left empty asks for all. `choosing.wanted` makes one out of words."""

    since: str = ""
    """An instant in the wire form: leaves of it and later. Two such texts order as their times do."""
    until: str = ""
    """Leaves from before this instant."""
    verb: LogVerb | None = None
    subjects: frozenset[str] | None = None
    """About one of these records; none of all where it is empty."""
    officer: str = ""


@dataclass(frozen=True, slots=True)
class LeafPage:
    """Leaves newest first. `older`: pass it as `before` for the next page; None at the end of the log.

    A page may hold few leaves, or none, and yet have an older one: for one officer only so many are looked through at
    a time.
    """

    leaves: tuple[LeafView, ...]
    older: int | None
    scanned: int = 0
    """How many leaves were opened to find those of one officer."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That the leaf stands at `index` of the tree of `size` leaves with `root`."""

    index: int
    size: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of `new` leaves only adds to the tree of `old` leaves."""

    old: int
    new: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head as its log signs it (C2SP tlog-checkpoint)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness saw this tree head, consistent with all it saw before, at `at`."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """One of the keys that a witness has had. `until`: when it put another in its place; None: it has it now."""

    public: PublicKeys
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a full recomputation found. `broken_at` is the leaf index at which it first breaks (None: all holds)."""

    size: int
    root: bytes
    checked: int
    erased: int
    checkpoints: int
    broken_at: int | None = None
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem

    def to_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "size": self.size,
            "root": self.root.hex(),
            "checked": self.checked,
            "erased": self.erased,
            "checkpoints": self.checkpoints,
            "broken_at": self.broken_at,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class Proven:
    """What a bundle proves to one who holds the log's public keys: this leaf was in this log when it had `size` leaves.

    `content` is there only when the log disclosed it; then it is proven too. `cosigned` bounds the time: the leaf was
    in the log no later than the earliest of them, on the word of that witness and not of the log.
    """

    origin: str
    index: int
    size: int
    root: bytes
    leaf: Leaf
    content: Mapping[str, Any] | None
    cosigned: tuple[Cosignature, ...]
    leaf_hash: bytes = b""

    def to_dict(self) -> dict[str, Any]:
        return {
            "origin": self.origin,
            "index": self.index,
            "size": self.size,
            "root": self.root.hex(),
            "at": self.leaf.at,
            "verb": str(self.leaf.verb),
            "subject": self.leaf.subject,
            "content": None if self.content is None else dict(self.content),
            "cosigned": [{"name": c.name, "at": c.at.isoformat()} for c in self.cosigned],
        }
