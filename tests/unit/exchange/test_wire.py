"""The parsers of untrusted bytes: what they take renders to the same bytes; everything else is one of the seven."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tansiq.crypto import SUITE, canonical
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.exchange import wire
from tansiq.exchange.cards import card_for, sign_card, sign_rotation, verify_card_file
from tansiq.exchange.model import ExchangeSettings, Item, ItemResult, Receipt
from tansiq.terms import NodeId
from tests.support.federation import BEGIN, keys_of

MA, ES = NodeId("ma-aaaaaaaaaaaaaaaaaaaa"), NodeId("es-bbbbbbbbbbbbbbbbbbbb")
CHOSEN = ExchangeSettings(name="Service of Rabat", url="https://ma.example:8443", languages=("ar", "fr"))
CARD = card_for(keys_of("ma"), CHOSEN, 1, BEGIN)

instants = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1)).map(
    lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000, tzinfo=UTC)
)
ids = st.from_regex(r"\A[A-Za-z0-9._:-]{1,128}\Z")
codes = st.from_regex(r"\A[a-z0-9_.]{0,96}\Z")
kinds = st.from_regex(r"\A[a-z][a-z_]{0,31}\Z")
results = st.builds(ItemResult, ref=ids, received=st.booleans(), reason=codes, kind=kinds)
receipts = st.builds(
    Receipt,
    envelope=ids,
    envelope_sha256=st.from_regex(r"\A[0-9a-f]{64}\Z"),
    sender=st.just(MA),
    recipient=st.just(ES),
    received_at=instants,
    items=st.lists(results, min_size=1, max_size=4).map(tuple),
)
envelopes = st.builds(
    wire.SealedEnvelope,
    id=ids.map(lambda text: f"x-{text[:126]}"),
    suite=st.just(SUITE),
    sender=st.just(MA),
    recipient=st.just(ES),
    sent_at=instants,
    expires_at=instants,
    sealed=st.binary(max_size=200),
)
polls = st.builds(wire.Poll, id=ids, sender=st.just(MA), recipient=st.just(ES), at=instants)
items = st.lists(
    st.builds(Item, kind=st.sampled_from(["entry", "ask"]), ref=ids, payload=st.binary(max_size=100)),
    min_size=1,
    max_size=5,
    unique_by=lambda i: (i.kind, i.ref),
)


@given(receipts)
def test_a_receipt_reads_back_as_it_was_written(receipt: Receipt) -> None:
    assert wire.parse_receipt(wire.render_receipt(receipt)) == receipt


@given(envelopes)
def test_an_envelope_reads_back_as_it_was_written(envelope: wire.SealedEnvelope) -> None:
    assert wire.parse_envelope(wire.render_envelope(envelope)) == envelope


@given(polls)
def test_a_poll_reads_back_as_it_was_written(poll: wire.Poll) -> None:
    assert wire.parse_poll(wire.render_poll(poll)) == poll


@given(items)
def test_items_read_back_as_they_were_written(found: list[Item]) -> None:
    assert wire.parse_items(wire.render_items(found)) == found


def test_a_card_reads_back_as_it_was_written() -> None:
    assert wire.parse_card(wire.render_card(CARD)) == CARD


GOOD = {
    "card": (wire.parse_card, wire.render_card(CARD)),
    "rotation": (wire.parse_rotation, wire.render_rotation(b"card")),
    "card_file": (wire.parse_card_file, wire.render_card_file([b"one", b"two"])),
    "envelope": (
        wire.parse_envelope,
        wire.render_envelope(wire.SealedEnvelope("x-1", SUITE, MA, ES, BEGIN, BEGIN + timedelta(days=1), b"sealed")),
    ),
    "items": (wire.parse_items, wire.render_items([Item("entry", "e-1", b"content")])),
    "receipt": (
        wire.parse_receipt,
        wire.render_receipt(Receipt("x-1", "0" * 64, MA, ES, BEGIN, (ItemResult("e-1", True, kind="entry"),))),
    ),
    "poll": (wire.parse_poll, wire.render_poll(wire.Poll("q-1", MA, ES, BEGIN))),
    "poll_answer": (wire.parse_poll_answer, wire.render_poll_answer([b"envelope"])),
    "parcel": (wire.parse_parcel, wire.render_parcel(wire.ParcelHead(MA, ES, BEGIN), [b"envelope"], [b"receipt"])),
    "proof": (
        wire.parse_proof,
        wire.render_proof(wire.ReceiptProof("entry", "e-1", "x-1", "0" * 64, b"receipt", b"card", b"card")),
    ),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


def read(parse: Callable[[bytes], object], raw: bytes) -> tuple[object, TansiqError | None]:
    """The value or the refusal; any other exception fails the test."""
    try:
        return parse(raw), None
    except (Invalid, Untrusted) as exc:
        return None, exc


@pytest.mark.parametrize("name", GOOD)
@given(raw=st.binary(max_size=300) | json_values.map(lambda v: json.dumps(v).encode()))
@example(raw=b"")
@example(raw=b"null")
@example(raw=b"[" * 10_000)
@example(raw=b'{"a":' * 10_000)
@example(raw=b"\xff\xfe")
@example(raw=b'{"v":1e400}')
@example(raw=b'{"v":1,"v":1}')
def test_arbitrary_bytes_are_refused_with_a_step(name: str, raw: bytes) -> None:
    _, refusal = read(GOOD[name][0], raw)
    if refusal is None:
        assert name == "card_file", "a single link is taken as it is, and verified as a card later"
    else:
        assert refusal.code
        assert refusal.step


@pytest.mark.parametrize("name", GOOD)
@given(draw=st.data())
def test_changed_bytes_are_refused_or_mean_just_what_they_say(name: str, draw: st.DataObject) -> None:
    parse, raw = GOOD[name]
    at = draw.draw(st.integers(0, len(raw) - 1))
    new = draw.draw(st.binary(max_size=3))
    changed = raw[:at] + new + raw[at + draw.draw(st.integers(0, 4)) :]
    found, refusal = read(parse, changed)
    if refusal is not None:
        assert refusal.step
    elif changed != raw and name in ("card", "rotation", "envelope", "items", "receipt", "poll"):
        assert found != parse(raw), "two spellings of one value"


@pytest.mark.parametrize("name", GOOD)
@given(at=st.integers(0, 2**16))
def test_a_body_cut_short_is_never_read(name: str, at: int) -> None:
    parse, raw = GOOD[name]
    if name == "card_file":
        return
    if name == "parcel":
        raw = raw.split(b"\n")[0]
    cut = raw[: at % len(raw)]
    with pytest.raises((Invalid, Untrusted)):
        parse(cut)


@pytest.mark.parametrize("name", ["card", "rotation", "envelope", "items", "receipt", "poll"])
def test_every_unknown_field_and_every_missing_one_is_refused(name: str) -> None:
    parse, raw = GOOD[name]
    head, line_feed, behind = raw.partition(b"\n")
    body = json.loads(head)
    with pytest.raises(Invalid) as failure:
        parse(canonical({**body, "zz": 1}) + line_feed + behind)
    assert failure.value.code == f"{name}.unknown_field"
    for field in body:
        with pytest.raises(Invalid) as failure:
            parse(canonical({k: v for k, v in body.items() if k != field}) + line_feed + behind)
        assert (failure.value.code, failure.value.field) == (f"{name}.missing_field", field)


def test_no_message_quotes_what_the_partner_wrote() -> None:
    body = json.loads(GOOD["receipt"][1])
    for change in (
        {"Aïcha Testi": 1},
        {"received_at": "Aïcha Testi"},
        {"from": "Aïcha Testi"},
        {"items": ["Aïcha Testi"]},
    ):
        raw = canonical({**body, **change}) if "Aïcha Testi" not in change else json.dumps({**body, **change}).encode()
        with pytest.raises(TansiqError) as failure:
            wire.parse_receipt(raw)
        said = failure.value
        assert "Testi" not in f"{said} {said.detail} {said.field} {said.hint}"


def test_a_card_of_another_country_than_its_id_is_refused() -> None:
    body = json.loads(GOOD["card"][1])
    with pytest.raises(Invalid) as failure:
        wire.parse_card(canonical({**body, "country": "ES"}))
    assert failure.value.field == "country"


@pytest.mark.parametrize(
    "url", ["http://ma.example", "https://ma.example/x", "https://u@ma.example", "ftp://x", "https://"]
)
def test_a_card_with_another_address_than_plain_https_is_refused(url: str) -> None:
    body = json.loads(GOOD["card"][1])
    with pytest.raises(Invalid) as failure:
        wire.parse_card(canonical({**body, "url": url}))
    assert failure.value.field == "url"


def test_a_damaged_line_of_a_parcel_is_named_and_the_others_are_used() -> None:
    raw = wire.render_parcel(wire.ParcelHead(MA, ES, BEGIN), [b"one", b"two"], [b"r"])
    lines = raw.split(b"\n")
    lines[2] = lines[2][:-3]
    lines.insert(3, b'{"envelope":"AA==","receipt":"AA=="}')
    _, good, bad = wire.parse_parcel(b"\n".join(lines))
    assert [(n, what) for n, what, _ in good] == [(2, "receipt"), (5, "envelope")]
    assert [n for n, _ in bad] == [3, 4]


@given(raw=st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
def test_no_arbitrary_bytes_are_a_card(raw: bytes) -> None:
    with pytest.raises((Invalid, Untrusted)):
        verify_card_file(raw)


def test_a_chain_of_cards_reads_back() -> None:
    first, second = keys_of("ma"), keys_of("ma", 1)
    from dataclasses import replace

    renewed = replace(second, node=first.node)
    card = sign_card(CARD, first)
    rotation = sign_rotation(sign_card(card_for(renewed, CHOSEN, 2, BEGIN), renewed), first)
    found = verify_card_file(wire.render_card_file([card, rotation]))
    assert (found.card.version, found.keys_since) == (2, 2)
    assert found.signing == renewed.signing.public


def test_a_requests_head_says_what_the_door_needs() -> None:
    raw = b"POST /exchange/v1/poll?x=1 HTTP/1.1\r\nHost: es.example\r\nContent-Length: 12 \r\nConnection: Close"
    assert wire.parse_request_head(raw) == wire.RequestHead("POST", "/exchange/v1/poll", 12, keep=False, waits=False)
    raw = b"GET / HTTP/1.1\r\nexpect: 100-Continue"
    assert wire.parse_request_head(raw) == wire.RequestHead("GET", "/", 0, keep=True, waits=True)
    assert not wire.parse_request_head(b"HEAD / HTTP/1.0").keep


_HEAD_PIECES = st.sampled_from(
    [
        b"POST /exchange/v1/envelopes HTTP/1.1",
        b"\r\n",
        b"\n",
        b"\r",
        b":",
        b" ",
        b"Content-Length",
        b"12",
        b"\x00",
        b"\xff",
    ]
)


@given(st.binary(max_size=300) | st.lists(_HEAD_PIECES, max_size=30).map(b"".join))
@example(b"GET / HTTP/1.1" + b"\r\nx: y" * 65)
@example(b"GET /" + b"x" * wire.MAX_REQUEST_HEAD_BYTES + b" HTTP/1.1")
@example(b"POST / HTTP/1.1\r\ncontent-length: " + "\u0663".encode())
def test_any_bytes_are_a_requests_head_or_are_refused_by_name(raw: bytes) -> None:
    try:
        head = wire.parse_request_head(raw)
    except Invalid as exc:
        refused = exc
    else:
        assert head.length >= 0
        assert head.path.startswith("/")
        return
    assert refused.code.startswith("http.")
