"""The dossiers' parsers of untrusted bytes: whatever comes, a value or one of the seven failures."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq import crypto
from tansiq.dossiers.wire import (
    MAX_DEPTH,
    PAYLOAD_TYPE,
    body_legal,
    delivery_to_bytes,
    loose_delivery_to_bytes,
    parse_body,
    parse_delivery,
    parse_statement,
    part_content,
    statement_to_bytes,
)
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.kinds import KINDS
from tests.support.entries import Desk
from tests.support.federation import keys_of

KEYS = keys_of("MA")
STATEMENT = statement_to_bytes(Desk(KEYS.node, KINDS["report"]).open((), {"crime_areas": ["terrorism"]}).statement)
DELIVERY = delivery_to_bytes(crypto.sign(PAYLOAD_TYPE, STATEMENT, KEYS.signing, KEYS.node), [])
MEMBER, ENVELOPE = crypto.Member(PAYLOAD_TYPE, STATEMENT), crypto.Member("application/x", b"envelope")
SIGNING = crypto.begin_batch(MEMBER, [ENVELOPE], KEYS.signing, KEYS.node)
BATCH = crypto.peek(SIGNING.other(0)).verified_in("application/x", KEYS.signing.public, KEYS.node)[1]
LOOSE = loose_delivery_to_bytes(MEMBER.loose(), [])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def _keyring(_node: object) -> crypto.PublicKeys:
    return KEYS.signing.public


def test_a_statement_comes_back_as_it_was() -> None:
    assert statement_to_bytes(parse_statement(STATEMENT)) == STATEMENT
    raw, entry, parts = parse_delivery(DELIVERY, _keyring)
    assert (entry.statement, parts) == (parse_statement(STATEMENT), {})
    assert raw


def test_a_loose_entry_is_kept_as_a_signed_one() -> None:
    raw, entry, parts = parse_delivery(LOOSE, _keyring, BATCH)
    assert (raw, entry.statement, parts) == (SIGNING.whole(), parse_statement(STATEMENT), {})
    assert parse_delivery(delivery_to_bytes(raw, []), _keyring)[:2] == (raw, entry)
    with pytest.raises(Untrusted) as refused:
        parse_delivery(LOOSE, _keyring)
    assert refused.value.code == "batch.not_in"


@given(st.integers(0, len(LOOSE) - 1), st.integers(0, 7))
def test_no_flipped_bit_of_a_loose_entry_passes(at: int, bit: int) -> None:
    flipped = LOOSE[:at] + bytes([LOOSE[at] ^ (1 << bit)]) + LOOSE[at + 1 :]
    with pytest.raises(TansiqError):
        parse_delivery(flipped, _keyring, BATCH)


@given(st.binary(max_size=400))
def test_no_bytes_break_the_parsers(raw: bytes) -> None:
    for parse in (parse_statement, lambda b: parse_delivery(b, _keyring)):
        with pytest.raises(TansiqError):
            parse(raw)


@given(st.data())
def test_a_changed_statement_is_refused_or_another_statement(data: st.DataObject) -> None:
    body = json.loads(STATEMENT)
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(JSON)
    try:
        found = parse_statement(json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode())
    except Untrusted:
        return
    assert parse_statement(statement_to_bytes(found)) == found


@given(st.integers(0, len(DELIVERY) - 1), st.integers(0, 7))
def test_no_flipped_bit_passes(at: int, bit: int) -> None:
    flipped = DELIVERY[:at] + bytes([DELIVERY[at] ^ (1 << bit)]) + DELIVERY[at + 1 :]
    try:
        _raw, entry, _parts = parse_delivery(flipped, _keyring)
    except TansiqError:
        return
    assert entry.statement == parse_statement(STATEMENT)


@given(JSON)
def test_no_body_breaks_the_reader(value: Any) -> None:
    try:
        parse_body(value)
    except Invalid:
        return


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "statement.version"),
        ({"suite": "tansiq-0"}, "suite.unknown"),
        ({"extra": 1}, "statement.malformed"),
        ({"clock": -1}, "statement.malformed"),
        ({"clock": 2**40}, "statement.malformed"),
        ({"at": "0001-01-01T00:00:00.000Z"}, "statement.malformed"),
        ({"facts": {"x": 1.5}}, "statement.malformed"),
        ({"parents": ["e-1"]}, "statement.malformed"),
        ({"handling": {"codes": ["H9"], "text": ""}}, "statement.malformed"),
        ({"handling": {"codes": ["H3"], "text": ""}}, "statement.malformed"),
    ],
)
def test_bad_statements_are_refused_by_name(change: dict[str, Any], code: str) -> None:
    body = json.loads(STATEMENT) | change
    with pytest.raises(Untrusted) as refused:
        parse_statement(json.dumps(body, separators=(",", ":"), sort_keys=True).encode())
    assert refused.value.code == code
    assert refused.value.step == "read statement"


def test_depth_is_bounded_without_recursion() -> None:
    deep: Any = "x"
    for _ in range(MAX_DEPTH + 5):
        deep = [deep]
    body = json.loads(STATEMENT) | {"facts": {"x": deep}}
    with pytest.raises(Untrusted):
        parse_statement(json.dumps(body, separators=(",", ":"), sort_keys=True).encode())
    with pytest.raises(Invalid):
        parse_body({"facts": {"x": deep}})


@pytest.mark.parametrize("content", [{"x": 1.5}, {"text": "a", "more": [{"x": [1, 2.0]}]}, {"x": float("nan")}])
def test_a_number_with_a_point_is_no_content_of_a_part(content: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        part_content(content)
    assert refused.value.code == "part.float"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"facst": {}}, "facst"),
        ({"legal": {"purpose": "prevention"}}, "legal_basis"),
        ({"parts": "x"}, "parts"),
    ],
)
def test_a_bad_body_names_its_field_and_quotes_nothing(body: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_body(body)
    assert field in refused.value.field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("transfer_basis", "Zoubida Qanarita"),
        ("agreement", "about Zoubida"),
        ("agreement", {"ES": "زبيدة"}),
        ("agreement", {"Zoubida Qanarita": "ma-es-2019"}),
    ],
)
def test_a_ground_that_is_signed_for_ever_holds_no_words_where_there_is_a_code(field: str, value: object) -> None:
    """Whatever stands in a statement lies in clear at every member, and no erasure reaches it."""
    good = {"purpose": "prevention", "legal_basis": "art. 4", "agreement": {"ES": "ma-es-2019", "DE": ""}}
    assert body_legal(parse_body({"legal": good | {"transfer_basis": "binding_instrument_37a"}})) is not None
    with pytest.raises(Invalid) as refused:
        body_legal(parse_body({"legal": good | {field: value}}))
    assert refused.value.field == f"legal.{field}"
