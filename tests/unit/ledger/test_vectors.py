"""The golden log of tests/vectors/ledger: a checkpoint, a cosignature, a proof bundle, and their bad variants."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tansiq.crypto import PublicKeys, SigningKeys
from tansiq.errors import Conflict, TansiqError, Untrusted
from tansiq.ledger import (
    NOTHING_SEEN,
    add_line,
    as_said,
    cosign,
    inclusion,
    parse_archive_head,
    root,
    verify_archive,
    verify_bundle,
    verify_checkpoint,
    verify_cosignature,
    verify_inclusion,
)
from tansiq.ledger.checkpoint import key_id
from tansiq.ledger.leaves import commit_content, content_bytes
from tansiq.ledger.model import WitnessKey
from tansiq.ledger.wire import parse_note, parse_request, render_request

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/ledger/proofs.json").read_text(encoding="utf-8"))
ARCHIVE = json.loads((Path(__file__).parents[2] / "vectors/ledger/archive.json").read_text(encoding="utf-8"))
ORIGIN, WITNESS = VECTORS["origin"], VECTORS["witness"]
LOG, WITNESS_KEYS = PublicKeys.from_wire(VECTORS["public"]), PublicKeys.from_wire(VECTORS["witness_public"])


def cases(key: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in VECTORS[key]]


def test_the_log_is_what_its_leaves_say() -> None:
    hashes = [bytes.fromhex(h) for h in VECTORS["leaf_hashes"]]
    assert root(hashes).hex() == VECTORS["root"]
    for index, leaf in enumerate(hashes):
        assert verify_inclusion(leaf, index, len(hashes), inclusion(hashes, index), root(hashes))
    for salt, content, commitment in zip(VECTORS["salts"], VECTORS["contents"], VECTORS["commitments"], strict=True):
        assert commit_content(bytes.fromhex(salt), content_bytes(content)).hex() == commitment


def test_the_checkpoint_verifies_with_or_without_cosignatures() -> None:
    for note in (VECTORS["checkpoint"], VECTORS["checkpoint"] + VECTORS["cosignature"]):
        seen = verify_checkpoint(note, ORIGIN, LOG)
        assert (seen.origin, seen.size, seen.root.hex()) == (ORIGIN, 7, VECTORS["root"])


def test_the_cosignature_is_that_of_the_witness() -> None:
    note = VECTORS["checkpoint"] + VECTORS["cosignature"]
    assert verify_cosignature(note, WITNESS, WITNESS_KEYS).at == datetime(2026, 11, 22, 4, 17, 31, tzinfo=UTC)
    for name, keys in ((WITNESS, LOG), ("tansiq.example/de", WITNESS_KEYS)):
        with pytest.raises(Untrusted) as failure:
            verify_cosignature(note, name, keys)
        assert failure.value.code == "cosignature.missing"
    # The right key id on another note: the witness never said that.
    other = note.replace("\n7\n", "\n6\n", 1)
    with pytest.raises(Untrusted) as failure:
        verify_cosignature(other, WITNESS, WITNESS_KEYS)
    assert failure.value.code == "cosignature.invalid"


@pytest.mark.parametrize("case", cases("bad_checkpoints"))
def test_a_bad_checkpoint_is_refused_for_its_rule(case: dict[str, str]) -> None:
    with pytest.raises(TansiqError) as failure:
        verify_checkpoint(case["raw"], ORIGIN, LOG)
    assert failure.value.code == case["code"]


def test_the_bundle_proves_its_leaf_to_one_with_nothing_but_keys() -> None:
    proven = verify_bundle(VECTORS["bundle"].encode(), ORIGIN, LOG, {WITNESS: WITNESS_KEYS})
    assert (proven.index, proven.size, proven.leaf.subject) == (5, 7, "e-5")
    assert proven.content == VECTORS["contents"][5]
    assert [c.name for c in proven.cosigned] == [WITNESS]
    assert proven.to_dict()["subject"] == "e-5"
    assert verify_bundle(json.loads(VECTORS["bundle"]), ORIGIN, LOG, {WITNESS: WITNESS_KEYS}) == proven
    hidden = verify_bundle(VECTORS["bundle_hidden"].encode(), ORIGIN, LOG)
    assert (hidden.content, hidden.cosigned) == (None, ())
    assert hidden.leaf == proven.leaf


@pytest.mark.parametrize("case", cases("bad_bundles"))
def test_a_bad_bundle_is_refused_for_its_rule(case: dict[str, str]) -> None:
    with pytest.raises(TansiqError) as failure:
        verify_bundle(case["raw"].encode(), ORIGIN, LOG)
    assert failure.value.code == case["code"]


def test_a_bundle_with_a_false_cosignature_is_refused_by_one_who_knows_the_witness() -> None:
    value = json.loads(VECTORS["bundle"])
    name, line = VECTORS["cosignature"].rsplit(" ", 1)
    value["checkpoint"] = VECTORS["checkpoint"] + f"{name} {line[:8]}{'A' if line[8] != 'A' else 'B'}{line[9:]}"
    raw = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    raw = raw.replace(b"\\u2014", "—".encode())
    assert verify_bundle(raw, ORIGIN, LOG).cosigned == ()
    with pytest.raises(Untrusted):
        verify_bundle(raw, ORIGIN, LOG, {WITNESS: WITNESS_KEYS})


def test_key_ids_are_those_of_the_specification() -> None:
    """The published verifier key of Go's checksum database: name, key id, base64(type || key)."""
    name, identifier, encoded = ["sum.golang.org", "033de0ae", "Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"]
    raw = base64.b64decode(encoded)
    assert key_id(name, raw[:1], raw[1:]).hex() == identifier
    assert key_id(name, b"\x04", raw[1:]).hex() != identifier


def test_signed_notes_of_others_parse() -> None:
    """The example note of the specification."""
    note = parse_note(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQ"
        "waqP3ZekRwNtIc=\n"
    )
    assert note.text.endswith("sera.\n")
    assert note.signatures[0].name == "quasimodo.example/salvatore"
    assert len(note.signatures[0].signature) == 64


def test_a_published_checkpoint_and_its_cosignature_parse() -> None:
    """The example of tlog-cosignature."""
    note = parse_note(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zy"
        "WE+xeMcTOAYQ8=\n"
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo"
        "0xUe+mbIUBkBIfZ+qnA==\n"
    )
    assert [s.name for s in note.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert int.from_bytes(note.signatures[1].signature[:8], "big") == 1679315147


def test_a_witness_request_round_trips() -> None:
    path = (b"a" * 32, b"b" * 32)
    assert parse_request(render_request(3, path, VECTORS["checkpoint"])) == (3, path, VECTORS["checkpoint"])
    assert parse_request(render_request(0, (), VECTORS["checkpoint"])) == (0, (), VECTORS["checkpoint"])


@pytest.mark.parametrize(
    "raw", [b"", b"old 1", b"old 01\n\nx", b"new 1\n\nx", b"old 1\nAAAA\n\nx", b"\xff", b"old x\n\n"]
)
def test_a_bad_witness_request_is_refused(raw: bytes) -> None:
    with pytest.raises(Untrusted):
        parse_request(raw)


def test_a_witness_refuses_an_older_checkpoint_and_another_log() -> None:
    me = (WITNESS, SigningKeys(b"x" * 32, b"y" * 32))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with pytest.raises(Conflict):
        cosign(VECTORS["checkpoint"], (ORIGIN, LOG), (8, bytes(32)), [], me, now)
    with pytest.raises(Untrusted):
        cosign(VECTORS["checkpoint"], ("tansiq.example/de", LOG), NOTHING_SEEN, [], me, now)
    with pytest.raises(Untrusted):
        cosign(VECTORS["checkpoint"], (ORIGIN, LOG), (7, bytes(32)), [], me, now)
    seen, line = cosign(VECTORS["checkpoint"], (ORIGIN, LOG), NOTHING_SEEN, [], me, now)
    assert seen.size == 7
    assert add_line(add_line(VECTORS["checkpoint"], line), line).count(WITNESS) == 1


def read_archive(lines: list[str]) -> dict[str, Any]:
    head = parse_archive_head(lines[0].encode())
    keys, witness = PublicKeys.from_wire(ARCHIVE["public"]), PublicKeys.from_wire(ARCHIVE["witness_public"])
    rest = (line.encode() for line in lines[1:])
    report, leaves = verify_archive(head, rest, ARCHIVE["node"], [keys], {ARCHIVE["witness"]: [WitnessKey(witness)]})
    for _ in leaves:
        pass
    return as_said(report) | {"cosigned": report.cosigned}


def test_the_log_in_one_file_proves_what_it_says() -> None:
    said = read_archive(ARCHIVE["lines"])
    assert {name: said[name] for name in ARCHIVE["proves"]} == ARCHIVE["proves"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in ARCHIVE["bad"]])
def test_a_bad_log_in_one_file_is_refused_for_its_rule(case: dict[str, Any]) -> None:
    lines = [ARCHIVE["lines"][x] if isinstance(x, int) else x for x in case["lines"]]
    with pytest.raises(TansiqError) as failure:
        read_archive(lines)
    assert failure.value.code == case["code"]
