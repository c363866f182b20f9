"""The Merkle tree against the published values of the eight-leaf test tree of Certificate Transparency (RFC 6962)."""

from __future__ import annotations

import pytest

from tansiq.errors import Invalid
from tansiq.ledger import (
    EMPTY_ROOT,
    consistency,
    inclusion,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from tansiq.ledger.merkle import consistency_at, grow, inclusion_at, of_leaves

LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N01 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"  # the hash of leaf 1
N23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
N4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
N67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root(LEAVES[:size]).hex() == ROOTS[size]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert root([]) == EMPTY_ROOT


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [N01, N23, N47]),
        (5, 8, [N4, N67, ROOTS[4]]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [ROOTS[1], N23, N4]),
    ],
)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int, path: list[str]) -> None:
    proof = inclusion(LEAVES[:size], index)
    assert [step.hex() for step in proof] == path
    assert verify_inclusion(LEAVES[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (1, 1, []),
        (1, 8, [N01, N23, N47]),
        (6, 8, [N45, N67, ROOTS[4]]),
        (2, 5, [N23, N4]),
        (0, 5, []),
    ],
)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, path: list[str]) -> None:
    proof = consistency(LEAVES[:new], old)
    assert [step.hex() for step in proof] == path
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), proof)


def test_a_leaf_is_never_an_inner_node() -> None:
    """The second-preimage attack that the two prefixes stop."""
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != root(LEAVES[:2])


def test_a_shorter_path_does_not_prove_an_inner_node() -> None:
    """The true hash of two leaves, with the rest of the true path: it stands in the tree, but it is no leaf."""
    inner, rest = bytes.fromhex(ROOTS[2]), [bytes.fromhex(N23), bytes.fromhex(N47)]
    assert not verify_inclusion(inner, 0, 8, rest, bytes.fromhex(ROOTS[8]))
    assert not verify_inclusion(bytes.fromhex(ROOTS[8]), 0, 8, [], bytes.fromhex(ROOTS[8]))


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(Invalid):
        inclusion_at(of_leaves(LEAVES), index, size)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4)])
def test_there_is_no_proof_backwards(old: int, new: int) -> None:
    with pytest.raises(Invalid):
        consistency_at(of_leaves(LEAVES), old, new)


def test_peaks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Invalid):
        grow(3, [LEAVES[0]], LEAVES[1])


@pytest.mark.parametrize(
    ("old", "new", "old_root", "new_root", "path"),
    [
        (4, 4, ROOTS[4], ROOTS[5], []),
        (4, 4, ROOTS[4], ROOTS[4], [N45]),
        (0, 4, ROOTS[1], ROOTS[4], []),
        (0, 4, ROOTS[0], ROOTS[4], [N45]),
        (3, 8, ROOTS[3], ROOTS[8], []),
        (8, 4, ROOTS[8], ROOTS[4], []),
        (6, 8, ROOTS[6], ROOTS[8], [N45, N67]),
        (6, 8, ROOTS[6], ROOTS[8], [N45, N67, ROOTS[4], N01]),
        (6, 8, ROOTS[6], ROOTS[8], [N45, N67, ROOTS[4][:-2]]),
    ],
)
def test_a_wrong_consistency_proof_does_not_verify(
    old: int, new: int, old_root: str, new_root: str, path: list[str]
) -> None:
    steps = [bytes.fromhex(step) for step in path]
    assert not verify_consistency(old, new, bytes.fromhex(old_root), bytes.fromhex(new_root), steps)
