"""Every golden case of tests/vectors/crypto, good and bad, each bad one with the code of the rule that it breaks."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tansiq.crypto import (
    PublicKeys,
    SealingKeys,
    SealingPublic,
    SigningKeys,
    Vault,
    canonical,
    commit_part,
    fingerprint,
    from_base64,
    node_id,
    open_keyfile,
    open_sealed,
    pae,
    parse_canonical,
    peek,
    sha256,
    verify,
)
from tansiq.errors import TansiqError
from tansiq.terms import NodeId

VECTORS = Path(__file__).parents[2] / "vectors" / "crypto"


def load(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str, key: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in load(name)[key]]


def test_canonical_values_have_their_bytes() -> None:
    for case in load("canonical")["good"]:
        raw = bytes.fromhex(case["hex"])
        assert canonical(case["value"]) == raw
        assert parse_canonical(raw) == case["value"]


@pytest.mark.parametrize("case", cases("canonical", "bad"))
def test_what_is_not_canonical_is_refused(case: dict[str, str]) -> None:
    with pytest.raises(TansiqError) as failure:
        parse_canonical(case["raw"].encode())
    assert failure.value.code == case["code"]


def test_hashes_commitments_and_names() -> None:
    vectors = load("hashing")
    for case in vectors["sha256"]:
        assert sha256(case["domain"], *map(bytes.fromhex, case["parts"])).hex() == case["hex"]
    assert len({case["hex"] for case in vectors["sha256"]}) == len(vectors["sha256"])
    for case in vectors["parts"]:
        assert commit_part(case["kind"], bytes.fromhex(case["salt"]), bytes.fromhex(case["content"])) == case["id"]
    for case in vectors["nodes"]:
        keys = SigningKeys.from_bytes(bytes.fromhex(case["signing_seeds"]))
        assert keys.public == PublicKeys.from_wire(case["public"])
        assert node_id(case["country"], keys.public) == case["node"]
    seen = vectors["fingerprint"]
    sealing = SealingKeys.from_bytes(bytes.fromhex(seen["sealing_seeds"])).public
    assert sealing == SealingPublic.from_wire(seen["sealing_public"])
    signing = PublicKeys.from_wire(vectors["nodes"][0]["public"])
    assert fingerprint(signing, sealing) == seen["digits"]


def test_public_keys_round_trip() -> None:
    vectors = load("keys")
    for value in vectors["signing_good"]:
        assert PublicKeys.from_wire(value).to_wire() == value
    for value in vectors["sealing_good"]:
        assert SealingPublic.from_wire(value).to_wire() == value


@pytest.mark.parametrize("case", cases("keys", "signing_bad"))
def test_bad_signing_keys_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(TansiqError) as failure:
        PublicKeys.from_wire(case["value"])
    assert failure.value.code == case["code"]


@pytest.mark.parametrize("case", cases("keys", "sealing_bad"))
def test_bad_sealing_keys_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(TansiqError) as failure:
        SealingPublic.from_wire(case["value"])
    assert failure.value.code == case["code"]


def test_the_good_envelope_verifies() -> None:
    vectors = load("dsse")
    raw, kind, node = vectors["good"]["raw"].encode(), vectors["payload_type"], NodeId(vectors["node"])
    body = vectors["good"]["body"].encode()
    assert verify(raw, kind, PublicKeys.from_wire(vectors["public"]), node) == body
    assert tuple(peek(raw)) == (kind, body)
    assert peek(raw).claimed == node
    assert hashlib.sha256(pae(kind, body)).hexdigest() == vectors["good"]["pae_sha256"]


@pytest.mark.parametrize("case", cases("dsse", "bad"))
def test_a_bad_envelope_is_refused_for_its_rule(case: dict[str, Any]) -> None:
    vectors = load("dsse")
    public, node = PublicKeys.from_wire(vectors["public"]), NodeId(case.get("node", vectors["node"]))
    limit = case.get("max_bytes", 2**20)
    with pytest.raises(TansiqError) as failure:
        verify(case["raw"].encode(), vectors["payload_type"], public, node, limit)
    assert failure.value.code == case["code"]


def test_a_batch_has_its_root_and_each_of_its_documents_verifies() -> None:
    """Leaves, nodes and root are built here once more, from the words of the protocol alone."""
    vectors = load("batch")
    public, node = PublicKeys.from_wire(vectors["public"]), NodeId(vectors["node"])
    leaves = []
    for case in vectors["documents"]:
        parts = case["payload_type"].encode(), bytes.fromhex(case["salt"]), case["body"].encode()
        leaves.append(sha256("tansiq.batch.leaf.v1", *parts))
        assert leaves[-1].hex() == case["leaf"]

    def above(left: bytes, right: bytes) -> bytes:
        return sha256("tansiq.batch.node.v1", left, right)

    a, b, c, d = sorted([*leaves[1:], bytes.fromhex(vectors["fill"])])
    others = above(above(a, b), above(c, d))
    assert above(leaves[0], others).hex() == vectors["root"]
    assert vectors["documents"][0]["place"] == vectors["documents"][0]["salt"] + "00" + others.hex()
    assert vectors["signed"] == f'{{"root":"{vectors["root"]}","suite":"tansiq-1","v":1}}'
    message = pae(vectors["batch_type"], vectors["signed"].encode())
    for case, raw in zip(vectors["documents"], vectors["raws"], strict=True):
        assert verify(raw.encode(), case["payload_type"], public, node, batches=True) == case["body"].encode()
        first, second = (from_base64(line["sig"]) for line in json.loads(raw)["signatures"])
        assert first[:-64].hex() == case["place"]
        assert public.verify_ed25519(first[-64:], message)
        assert public.verify_mldsa65(second, message)
    kind = vectors["documents"][1]["payload_type"]
    batch = peek(vectors["raws"][1].encode()).verified_in(kind, public, node)[1]
    assert batch is not None
    assert batch.whole(vectors["loose"].encode()).decode() == vectors["raws"][0]


@pytest.mark.parametrize("case", cases("batch", "bad"))
def test_a_bad_batch_is_refused_for_its_rule(case: dict[str, Any]) -> None:
    vectors = load("batch")
    kind = vectors["documents"][1]["payload_type"]
    with pytest.raises(TansiqError) as failure:
        verify(
            case["raw"].encode(),
            kind,
            PublicKeys.from_wire(vectors["public"]),
            NodeId(vectors["node"]),
            batches=case.get("batches", True),
        )
    assert failure.value.code == case["code"]


def test_the_good_box_opens() -> None:
    case = load("seal")["good"]
    keys = SealingKeys.from_bytes(bytes.fromhex(case["seeds"]))
    assert open_sealed(bytes.fromhex(case["sealed"]), keys, bytes.fromhex(case["info"])) == bytes.fromhex(case["plain"])


@pytest.mark.parametrize("case", cases("seal", "bad"))
def test_a_bad_box_does_not_open(case: dict[str, Any]) -> None:
    keys = SealingKeys.from_bytes(bytes.fromhex(case["seeds"]))
    with pytest.raises(TansiqError) as failure:
        open_sealed(bytes.fromhex(case["sealed"]), keys, bytes.fromhex(case["info"]))
    assert failure.value.code == case["code"]


def test_the_vault_row_opens_and_the_index_key_is_the_same() -> None:
    case = load("seal")["vault"]
    vault = Vault(bytes.fromhex(case["key"]))
    assert vault.open(case["table"], case["row"], bytes.fromhex(case["sealed"])) == bytes.fromhex(case["plain"])
    assert vault.mac(case["mac"]["kind"], case["mac"]["value"]).hex() == case["mac"]["hex"]


def test_key_files_open() -> None:
    vectors = load("keyfile")
    by_key = open_keyfile(vectors["good"].encode(), kek=bytes.fromhex(vectors["kek"]))
    by_phrase = open_keyfile(vectors["good_passphrase"].encode(), vectors["passphrase"])
    assert by_key.node == by_phrase.node == vectors["node"] == node_id("MA", by_key.signing.public)
    assert by_key.vault_key == by_phrase.vault_key


@pytest.mark.parametrize("case", cases("keyfile", "bad"))
def test_a_bad_key_file_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(TansiqError) as failure:
        open_keyfile(case["raw"].encode(), load("keyfile")["passphrase"])
    assert failure.value.code == case["code"]
