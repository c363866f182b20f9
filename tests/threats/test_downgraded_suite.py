"""Somebody offers an older, weaker or unknown set of algorithms."""

from __future__ import annotations

import json

import pytest

from tansiq.errors import Untrusted
from tests.support.exchange_bytes import envelope


@pytest.mark.parametrize("suite", ["tansiq-0", "tansiq-2", "null", "aes128"])
def test_an_unknown_suite_is_refused_by_name(trio, suite: str) -> None:
    _, ma, es, _ = trio
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(envelope(ma, es, suite=suite, bound={"suite": suite}))
    assert failure.value.code == "suite.unknown"
    assert suite in failure.value.message
    assert es.filed() == []


@pytest.mark.parametrize("kept", [0, 1])
def test_an_envelope_without_one_of_its_two_signatures_is_refused(trio, kept: int) -> None:
    _, ma, es, _ = trio
    whole = json.loads(envelope(ma, es))
    whole["signatures"] = [whole["signatures"][kept]]
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(json.dumps(whole, separators=(",", ":")).encode())
    assert failure.value.code == "dsse.signatures"
    assert es.filed() == []


def test_the_classical_signature_alone_is_not_enough(trio) -> None:
    """Ed25519 is broken tomorrow: the forger still lacks ML-DSA-65."""
    _, ma, es, _ = trio
    one, other = json.loads(envelope(ma, es, id="x-1")), json.loads(envelope(ma, es, id="x-2", bound={"id": "x-2"}))
    one["signatures"][1] = other["signatures"][1]
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(json.dumps(one, separators=(",", ":")).encode())
    assert failure.value.code == "dsse.mldsa65"
