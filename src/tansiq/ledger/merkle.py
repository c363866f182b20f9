"""The Merkle tree of RFC 9162 (the same as RFC 6962's): pure functions over leaf hashes.

Everything is said in complete subtrees: `node(level, index)` is the hash of the 2^level leaves from index * 2^level on.
Once complete, a subtree never changes, so a store that keeps them gives every root and proof in O(log n) reads.

Hazard (second preimage): a leaf and an inner node are hashed with different first bytes, so that nobody can pass an
inner node off as a leaf.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from tansiq.errors import Invalid

Node = Callable[[int, int], bytes]
"""(level, index) -> the hash of that complete subtree; level 0 is the leaf hashes."""

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()  # RFC 9162 2.1.1: the root of no leaves


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def of_leaves(leaf_hashes: Sequence[bytes]) -> Node:
    """A `Node` over a list of leaf hashes, for small trees and for tests."""
    levels: list[list[bytes]] = [list(leaf_hashes)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def grow(size: int, peaks: Sequence[bytes], leaf: bytes) -> tuple[list[bytes], list[tuple[int, int, bytes]]]:
    """Append one leaf hash to a tree given by its size and peaks (the complete subtrees, largest first).

    Returns the new peaks and the inner nodes (level, index, hash) that this leaf completed.
    """
    if len(peaks) != size.bit_count():
        raise Invalid("merkle.peaks", "the peaks do not fit the tree size", step="merkle")
    rest = list(peaks)
    completed = []
    level, top = 0, leaf
    while size >> level & 1:
        top = node_hash(rest.pop(), top)
        level += 1
        completed.append((level, size >> level, top))
    return [*rest, top], completed


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root of a tree given by its peaks, largest first."""
    if not peaks:
        return EMPTY_ROOT
    top = peaks[-1]
    for peak in reversed(peaks[:-1]):
        top = node_hash(peak, top)
    return top


def root_at(node: Node, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return EMPTY_ROOT if size == 0 else _span(node, 0, size)


def inclusion_at(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]), RFC 9162 2.1.3.1."""
    if not 0 <= index < size:
        raise Invalid("merkle.index", "no such leaf in a tree of that size", step="merkle", field="index")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_span(node, middle, end))
            end = middle
        else:
            path.append(_span(node, start, middle))
            start = middle
    return path[::-1]


def consistency_at(node: Node, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]), RFC 9162 2.1.4.1; empty when the trees are equal or the old one is empty."""
    if not 0 <= old <= new:
        raise Invalid("merkle.sizes", "the old tree is larger than the new one", step="merkle", field="size")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end = 0, new
    whole = True  # whether the old tree is a complete subtree that the verifier already knows
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_span(node, middle, end))
            end = middle
        else:
            proof.append(_span(node, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_span(node, start, end))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2. False on anything that does not verify; never raises."""
    if not 0 <= index < size or not _hashes(leaf, root, *path):
        return False
    position, last, top = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            top = node_hash(sibling, top)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            top = node_hash(top, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and top == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2. False on anything that does not verify; never raises."""
    if not 0 <= old <= new or not _hashes(old_root, new_root, *proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    steps = list(proof)
    if old & (old - 1) == 0:  # a complete old tree: its root is the first step, and is not sent
        steps.insert(0, old_root)
    if not steps:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_top = new_top = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old_top, new_top = node_hash(sibling, old_top), node_hash(sibling, new_top)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_top = node_hash(new_top, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old_top == old_root and new_top == new_root


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """MTH over a list of leaf hashes."""
    return root_at(of_leaves(leaf_hashes), len(leaf_hashes))


def inclusion(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of one leaf in a list of leaf hashes."""
    return inclusion_at(of_leaves(leaf_hashes), index, len(leaf_hashes))


def consistency(leaf_hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The consistency proof from the first `old` leaves to all of a list of leaf hashes."""
    return consistency_at(of_leaves(leaf_hashes), old, len(leaf_hashes))


def _split(count: int) -> int:
    """The largest power of two smaller than `count` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def _span(node: Node, start: int, end: int) -> bytes:
    """MTH(D[start:end]) for the spans that RFC 9162's recursion meets: their left parts are complete subtrees."""
    tops = []
    while True:
        count = end - start
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            top = node(level, start >> level)
            break
        width = _split(count)
        level = width.bit_length() - 1
        tops.append(node(level, start >> level))
        start += width
    for left in reversed(tops):
        top = node_hash(left, top)
    return top


def _hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
