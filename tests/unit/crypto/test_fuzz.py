"""Whatever bytes arrive, the parsers of `crypto` answer with a value or with one of the seven failures."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tansiq.crypto import (
    PublicKeys,
    SealingKeys,
    SealingPublic,
    SigningKeys,
    Unverified,
    Vault,
    canonical,
    certificate_sha256,
    from_base64,
    open_keyfile,
    open_sealed,
    parse_canonical,
    peek,
    require_suite,
    seal,
    to_base64,
    verify,
)
from tansiq.errors import TansiqError
from tansiq.terms import NodeId

VECTORS = Path(__file__).parents[2] / "vectors" / "crypto"
DSSE = json.loads((VECTORS / "dsse.json").read_text(encoding="utf-8"))
GOOD = DSSE["good"]["raw"].encode()
PUBLIC, NODE = PublicKeys.from_wire(DSSE["public"]), NodeId(DSSE["node"])
BATCH = json.loads((VECTORS / "batch.json").read_text(encoding="utf-8"))
IN_BATCH = BATCH["raws"][1].encode()
KEYFILE = json.loads((VECTORS / "keyfile.json").read_text(encoding="utf-8"))
SEALING = SealingKeys(b"s" * 64, b"x" * 32)
BOX = seal(b"plain", SEALING.public, b"info")
VAULT = Vault(b"v" * 32)
ROW = VAULT.seal("t", "r", b"plain")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, good: bytes) -> bytes:
    """Good bytes, cut, repeated, spliced or with some bytes changed."""
    raw = bytearray(good)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        to = draw(st.integers(at, min(len(raw), at + 40)))
        how = draw(st.sampled_from(["cut", "insert", "repeat", "flip"]))
        if how == "cut":
            del raw[at:to]
        elif how == "insert":
            raw[at:at] = draw(st.binary(max_size=8))
        elif how == "repeat":
            raw[at:at] = raw[at:to]
        elif at < len(raw):
            raw[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(raw)


@given(st.binary() | damaged(GOOD) | json_values.map(lambda v: json.dumps(v).encode()))
@example(b"[" * 100_000)
@example(b'{"payload":"","payloadType":"","signatures":' + b"[" * 5000)
def test_no_envelope_makes_verify_fail_otherwise(raw: bytes) -> None:
    if raw == GOOD:
        return
    with pytest.raises(TansiqError):
        verify(raw, DSSE["payload_type"], PUBLIC, NODE)
    with contextlib.suppress(TansiqError):
        assert isinstance(peek(raw), Unverified)


@given(damaged(IN_BATCH))
def test_no_damaged_place_or_signature_of_a_batch_makes_verify_fail_otherwise(raw: bytes) -> None:
    if raw == IN_BATCH:
        return
    with pytest.raises(TansiqError):
        verify(raw, BATCH["documents"][1]["payload_type"], PUBLIC, NODE, batches=True)


@given(
    st.lists(
        st.sampled_from(["", "ed25519", f"{NODE}#ed25519", f"{NODE}#mldsa65", "#", "a#b#c", "x\u0000"]), max_size=4
    )
)
def test_no_set_of_key_ids_makes_verify_fail_otherwise(names: list[str]) -> None:
    value = {"payload": "", "payloadType": DSSE["payload_type"], "signatures": [{"keyid": n, "sig": ""} for n in names]}
    with pytest.raises(TansiqError):
        verify(json.dumps(value, separators=(",", ":")).encode(), DSSE["payload_type"], PUBLIC, NODE)


@given(st.binary() | json_values.map(lambda v: json.dumps(v).encode()) | plain_values.map(canonical).flatmap(damaged))
def test_what_parses_as_canonical_is_canonical(raw: bytes) -> None:
    with contextlib.suppress(TansiqError):
        assert canonical(parse_canonical(raw)) == raw


@given(plain_values)
def test_canonical_bytes_parse_to_the_value_that_they_came_from(value: Any) -> None:
    assert parse_canonical(canonical(value)) == value
    assert json.loads(canonical(value)) == value


@given(json_values)
def test_canonical_refuses_or_writes_any_value(value: Any) -> None:
    with contextlib.suppress(TansiqError):
        assert json.loads(canonical(value)) == value


@given(json_values | st.text() | st.binary())
def test_base64_has_one_spelling(value: object) -> None:
    with contextlib.suppress(TansiqError):
        assert to_base64(from_base64(value)) == value


@given(st.binary())
def test_base64_round_trips(raw: bytes) -> None:
    assert from_base64(to_base64(raw)) == raw


@given(json_values | st.fixed_dictionaries({"ed25519": st.text(), "mldsa65": st.binary().map(to_base64)}))
def test_public_keys_from_anything(value: object) -> None:
    with pytest.raises(TansiqError):
        PublicKeys.from_wire(value)
    with pytest.raises(TansiqError):
        SealingPublic.from_wire(value)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_any_32_bytes_as_a_key_never_verify_and_never_raise(key: bytes, signature: bytes) -> None:
    public = PublicKeys(key, PUBLIC.mldsa65)
    assert public.verify_ed25519(signature, b"message") is False
    assert public.verify_mldsa65(signature, b"message") is False


@given(st.binary(min_size=1184, max_size=1184), st.binary(min_size=32, max_size=32))
def test_sealing_keys_of_the_right_length_are_keys_or_refused(mlkem768: bytes, x25519: bytes) -> None:
    with contextlib.suppress(TansiqError):
        public = SealingPublic.from_wire({"mlkem768": to_base64(mlkem768), "x25519": to_base64(x25519)})
        assert seal(b"", public, b"")


@given(st.binary() | damaged(BOX))
def test_no_box_opens_but_the_sealed_one(raw: bytes) -> None:
    if raw != BOX:
        with pytest.raises(TansiqError):
            open_sealed(raw, SEALING, b"info")


@given(st.binary() | damaged(ROW))
def test_no_row_opens_but_the_sealed_one(raw: bytes) -> None:
    if raw != ROW:
        with pytest.raises(TansiqError):
            VAULT.open("t", "r", raw)


@given(st.binary() | damaged(KEYFILE["good"].encode()) | json_values.map(lambda v: json.dumps(v).encode()))
def test_no_key_file_opens_but_the_sealed_one(raw: bytes) -> None:
    with contextlib.suppress(TansiqError):
        # White space and order are free here: the file is the operator's own, and its content is sealed.
        assert open_keyfile(raw, kek=bytes.fromhex(KEYFILE["kek"])).node == KEYFILE["node"]


@given(st.binary(max_size=120))
def test_key_bytes_from_anything(raw: bytes) -> None:
    for parse in (SigningKeys.from_bytes, SealingKeys.from_bytes):
        with contextlib.suppress(TansiqError):
            parse(raw)


@given(st.binary() | st.text() | st.binary().map(lambda b: b"-----BEGIN CERTIFICATE-----" + b))
def test_a_certificate_hash_of_anything(raw: bytes | str) -> None:
    with contextlib.suppress(TansiqError):
        assert len(certificate_sha256(raw)) == 64


@given(json_values)
def test_no_suite_but_ours(name: object) -> None:
    with pytest.raises(TansiqError) as failure:
        require_suite(name)
    assert len(failure.value.message) < 200


def test_the_clock_of_a_certificate_is_an_argument() -> None:
    from tansiq.crypto import make_tls_certificate

    assert make_tls_certificate("x" * 100, datetime(2026, 1, 1, tzinfo=UTC), ["a.example"])
