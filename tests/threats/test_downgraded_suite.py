"""Threat: a partner, or one in between, offers weaker cryptography: refused by name; nothing is negotiated."""

from __future__ import annotations

import json

import pytest

from tansiq.crypto import SUITE, SigningKeys, node_id, require_suite, sign, verify
from tansiq.errors import Untrusted

TYPE = "application/vnd.tansiq.envelope.v1+json"
KEYS = SigningKeys(b"r" * 32, b"R" * 32)
NODE = node_id("MA", KEYS.public)


@pytest.mark.parametrize("name", ["tansiq-0", "tansiq-1-classic", "none", "", None, 1, ["tansiq-1"]])
def test_an_unknown_suite_is_refused_by_name(name: object) -> None:
    with pytest.raises(Untrusted) as failure:
        require_suite(name)
    assert failure.value.code == "suite.unknown"
    if isinstance(name, str):
        assert repr(name) in failure.value.message


def test_our_suite_is_the_only_one() -> None:
    assert require_suite(SUITE) == SUITE


@pytest.mark.parametrize(
    ("keep", "code"),
    [([0], "dsse.signatures"), ([1], "dsse.signatures"), ([], "dsse.signatures"), ([0, 0], "dsse.signatures")],
)
def test_a_signature_cannot_be_stripped(keep: list[int], code: str) -> None:
    value = json.loads(sign(TYPE, b"{}", KEYS, NODE))
    value["signatures"] = [value["signatures"][n] for n in keep]
    with pytest.raises(Untrusted) as failure:
        verify(json.dumps(value, separators=(",", ":")).encode(), TYPE, KEYS.public, NODE)
    assert failure.value.code == code


@pytest.mark.parametrize("algorithm", ["none", "ed448", "mldsa44", "ED25519", "rsa"])
def test_another_algorithm_is_refused_by_name(algorithm: str) -> None:
    value = json.loads(sign(TYPE, b"{}", KEYS, NODE))
    value["signatures"][1]["keyid"] = f"{NODE}#{algorithm}"
    with pytest.raises(Untrusted) as failure:
        verify(json.dumps(value, separators=(",", ":")).encode(), TYPE, KEYS.public, NODE)
    assert failure.value.code == "suite.unknown"
    assert algorithm in failure.value.message
