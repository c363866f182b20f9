"""One double signature for several documents: over the root of a Merkle tree whose leaves are their salted hashes.

A tree has the main document at the left of its root; at its right stands the tree of the others, as many leaves as a
power of two, in the order of their hashes, filled up with chance. So the main document's place never says how many
others there were, and another's place says it to the next power of two and nothing else: what stands beside it is a
hash with a salt that it does not know.

Hazards: a leaf and an inner node have domains of their own, and a leaf holds its payload type, so that neither a node
nor a document of another type passes for it; what is signed is a document of a type of its own, so that a root is
nothing else and nothing else is a root.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tansiq.crypto.chance import RandomBytes, random_bytes
from tansiq.crypto.hashing import new_salt, sha256
from tansiq.crypto.jcs import canonical
from tansiq.crypto.suites import SUITE
from tansiq.crypto.wire import MAX_BATCH_DEPTH, Place, to_base64
from tansiq.errors import Invalid

BATCH_TYPE = "application/vnd.tansiq.batch.v1+json"
MOST = 1 + 2 ** (MAX_BATCH_DEPTH - 1)
"""Documents of one batch."""
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Member:
    """A document that is to be signed in a batch. What must not depend on its signature may hold `loose`."""

    payload_type: str
    body: bytes
    salt: bytes = field(default_factory=new_salt)

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.payload_type, self.salt, self.body)

    def loose(self) -> bytes:
        """The document without signature and place, as JSON: `Batch.whole` of one that it was signed with completes
        it."""
        return b'{"payload":"%b","payloadType":"%b","salt":"%b"}' % tuple(
            text.encode() for text in (to_base64(self.body), self.payload_type, to_base64(self.salt))
        )


def leaf_hash(payload_type: str, salt: bytes, body: bytes) -> bytes:
    return sha256("tansiq.batch.leaf.v1", payload_type.encode(), salt, body)


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256("tansiq.batch.node.v1", left, right)


def climb(leaf: bytes, index: int, path: Sequence[bytes]) -> bytes:
    """The root above a leaf. Bit n of `index` says whether what is met on level n stands at the right."""
    top = leaf
    for sibling in path:
        top = node_hash(sibling, top) if index & 1 else node_hash(top, sibling)
        index >>= 1
    return top


def root_body(root: bytes) -> bytes:
    """What is signed for all of them."""
    return canonical({"v": 1, "suite": SUITE, "root": root.hex()})


def places(
    main: Member, others: Sequence[Member], random: RandomBytes = random_bytes
) -> tuple[bytes, Place, list[Place]]:
    """The root, the place of the main document, and those of the others."""
    if not 1 <= len(others) < MOST:
        raise Invalid("batch.size", f"a batch has 2 to {MOST} documents", step="sign")
    depth = (len(others) - 1).bit_length()
    leaves = [other.leaf for other in others]
    level = sorted([*leaves, *(random(_HASH_BYTES) for _ in range(2**depth - len(others)))])
    at = [level.index(leaf) for leaf in leaves]
    paths: list[list[bytes]] = [[] for _ in others]
    for height in range(depth):
        for path, index in zip(paths, at, strict=True):
            path.append(level[index >> height ^ 1])
        level = [node_hash(*level[n : n + 2]) for n in range(0, len(level), 2)]
    found = [
        Place(other.salt, index | 1 << depth, (*path, main.leaf))
        for other, index, path in zip(others, at, paths, strict=True)
    ]
    return node_hash(main.leaf, level[0]), Place(main.salt, 0, (level[0],)), found


@dataclass(slots=True)
class Signing:
    """A batch that is being signed."""

    render: Callable[[Member, Place], bytes]
    """Waits for the signatures."""
    main: tuple[Member, Place]
    others: list[tuple[Member, Place]]

    def whole(self) -> bytes:
        """The main document's envelope."""
        return self.render(*self.main)

    def other(self, number: int) -> bytes:
        """That of the others' in the order in which they were given."""
        return self.render(*self.others[number])
