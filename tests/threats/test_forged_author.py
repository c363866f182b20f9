"""Threat: someone signs in another node's name. What he gains: nothing, without both of that node's keys."""

from __future__ import annotations

import json

import pytest

from tansiq.crypto import SigningKeys, node_id, peek, sign, verify
from tansiq.errors import Untrusted

TYPE = "application/vnd.tansiq.statement.v1+json"
RABAT, MALLORY = SigningKeys(b"r" * 32, b"R" * 32), SigningKeys(b"m" * 32, b"M" * 32)
NODE = node_id("MA", RABAT.public)


def refused(raw: bytes) -> str:
    with pytest.raises(Untrusted) as failure:
        verify(raw, TYPE, RABAT.public, NODE)
    return failure.value.code


def test_a_body_signed_by_someone_else_is_not_the_nodes() -> None:
    raw = sign(TYPE, b"{}", MALLORY, NODE)
    assert peek(raw).claimed == NODE  # that is the claim ...
    assert refused(raw) == "dsse.ed25519"  # ... and it does not hold


def test_one_broken_algorithm_is_not_enough() -> None:
    """An attacker who can forge Ed25519 alone (a quantum computer) or ML-DSA-65 alone (a broken lattice)."""
    true, forged = (json.loads(sign(TYPE, b"{}", keys, NODE)) for keys in (RABAT, MALLORY))
    for first, second, code in ((true, forged, "dsse.mldsa65"), (forged, true, "dsse.ed25519")):
        mixed = {**true, "signatures": [first["signatures"][0], second["signatures"][1]]}
        assert refused(json.dumps(mixed, separators=(",", ":")).encode()) == code


def test_a_nodes_name_cannot_be_taken_by_other_keys() -> None:
    """A node's id is the hash of its first signing keys: a card with other keys under it gives itself away."""
    assert node_id("MA", MALLORY.public) != NODE
    own = sign(TYPE, b"{}", MALLORY, node_id("MA", MALLORY.public))
    assert refused(own) == "dsse.signer"


def test_a_true_signature_does_not_move_to_another_body_or_kind() -> None:
    true, other = (json.loads(sign(TYPE, body, RABAT, NODE)) for body in (b"{}", b"[]"))
    assert refused(json.dumps({**true, "payload": other["payload"]}, separators=(",", ":")).encode()) == "dsse.ed25519"
    card = sign("application/vnd.tansiq.card.v1+json", b"{}", RABAT, NODE)
    assert refused(card) == "dsse.payload_type"
    relabelled = {**json.loads(card), "payloadType": TYPE}
    assert refused(json.dumps(relabelled, separators=(",", ":")).encode()) == "dsse.ed25519"
