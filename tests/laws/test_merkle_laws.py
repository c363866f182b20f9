"""Laws of the Merkle tree: every proof verifies, and nothing else does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tansiq.ledger import EMPTY_ROOT, leaf_hash, node_hash, root, verify_consistency, verify_inclusion
from tansiq.ledger.merkle import consistency_at, grow, inclusion_at, of_leaves, root_at, root_of_peaks

SIZE = 150
LEAVES = [leaf_hash(bytes([n])) for n in range(SIZE)]
NODE = of_leaves(LEAVES)
sizes = st.integers(1, SIZE)


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH, word for word as RFC 9162 2.1.1 defines it."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def flipped(value: bytes, bit: int) -> bytes:
    raw = bytearray(value)
    raw[bit // 8 % len(raw)] ^= 1 << bit % 8
    return bytes(raw)


@given(st.integers(0, SIZE))
def test_every_way_to_the_root_gives_the_defined_one(size: int) -> None:
    expected = defined_root(LEAVES[:size])
    peaks: list[bytes] = []
    for index in range(size):
        peaks, _ = grow(index, peaks, LEAVES[index])
    assert root_of_peaks(peaks) == root_at(NODE, size) == root(LEAVES[:size]) == expected


@given(sizes)
def test_growing_completes_each_inner_node_once(size: int) -> None:
    peaks: list[bytes] = []
    stored: dict[tuple[int, int], bytes] = {}
    for index in range(size):
        peaks, completed = grow(index, peaks, LEAVES[index])
        for level, position, top in completed:
            assert (level, position) not in stored
            assert top == NODE(level, position)
            stored[level, position] = top
    assert len(stored) == size - size.bit_count()


@given(st.data())
def test_every_inclusion_proof_verifies_and_no_other_leaf_place_or_root_does(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    path, top = inclusion_at(NODE, index, size), root_at(NODE, size)
    assert len(path) <= (size - 1).bit_length()
    assert verify_inclusion(LEAVES[index], index, size, path, top)
    bit = data.draw(st.integers(0, 255))
    assert not verify_inclusion(flipped(LEAVES[index], bit), index, size, path, top)
    assert not verify_inclusion(LEAVES[index], index, size, path, flipped(top, bit))
    assert not verify_inclusion(LEAVES[index], index, size, [*path, top], top)
    other = data.draw(st.integers(-1, size))
    if other != index:
        assert not verify_inclusion(LEAVES[index], other, size, path, top)
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:at], flipped(path[at], bit), *path[at + 1 :]]
        assert not verify_inclusion(LEAVES[index], index, size, changed, top)
        assert not verify_inclusion(LEAVES[index], index, size, path[:at] + path[at + 1 :], top)


@given(st.data())
def test_every_consistency_proof_verifies_and_no_other_history_does(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(0, new))
    proof, before, after = consistency_at(NODE, old, new), root_at(NODE, old), root_at(NODE, new)
    assert verify_consistency(old, new, before, after, proof)
    bit = data.draw(st.integers(0, 255))
    assert not verify_consistency(old, new, flipped(before, bit), after, proof)
    if old:  # nothing at all is consistent with everything
        assert not verify_consistency(old, new, before, flipped(after, bit), proof)
    assert not verify_consistency(old, new, before, after, [*proof, after])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        assert not verify_consistency(old, new, before, after, changed)
        assert not verify_consistency(old, new, before, after, proof[:at] + proof[at + 1 :])


@given(st.data())
def test_a_rewritten_leaf_is_never_consistent_with_what_was_seen(data: st.DataObject) -> None:
    new = data.draw(sizes)
    old = data.draw(st.integers(1, new))
    at = data.draw(st.integers(0, old - 1))
    forged = [*LEAVES[:at], leaf_hash(b"forged"), *LEAVES[at + 1 : new]]
    node = of_leaves(forged)
    proof = consistency_at(node, old, new)
    assert not verify_consistency(old, new, root_at(NODE, old), root_at(node, new), proof)


@given(
    st.integers(-2, 2**64),
    st.integers(-2, 2**64),
    st.binary(max_size=33),
    st.binary(max_size=33),
    st.lists(st.binary(min_size=30, max_size=33) | st.just(bytes(32)), max_size=70),
)
def test_verifying_garbage_is_false_and_never_raises(
    one: int, two: int, leaf: bytes, top: bytes, path: list[bytes]
) -> None:
    assert verify_inclusion(leaf, one, two, path, top) in (True, False)
    assert verify_consistency(one, two, leaf, top, path) in (True, False)
