"""Laws of a batch: each document of it verifies alone, and nothing that was not signed in it does."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.crypto import (
    BATCH_TYPE,
    Batch,
    Member,
    SigningKeys,
    begin_batch,
    from_base64,
    node_id,
    pae,
    peek,
    sign,
    to_base64,
    verify,
)
from tansiq.crypto.batch import MOST, climb, node_hash, places, root_body
from tansiq.crypto.wire import MAX_BATCH_DEPTH, EnvelopeWire, Place, SignatureWire, parse_loose, parse_place
from tansiq.errors import Invalid, Untrusted

KEYS, OTHER = SigningKeys(b"b" * 32, b"B" * 32), SigningKeys(b"o" * 32, b"O" * 32)
NODE = node_id("MA", KEYS.public)
MAIN, ENVELOPE = "application/x-main", "application/x-other"

bodies = st.lists(st.binary(max_size=40), min_size=1, max_size=9)


def members(main: bytes, others: list[bytes]) -> tuple[Member, list[Member]]:
    return Member(MAIN, main), [Member(ENVELOPE, body) for body in others]


def signed(main: bytes, others: list[bytes]) -> tuple[bytes, list[bytes]]:
    signing = begin_batch(*members(main, others), KEYS, NODE)
    return signing.whole(), [signing.other(n) for n in range(len(others))]


def batch_of(raw: bytes) -> Batch:
    found = peek(raw).verified_in(ENVELOPE, KEYS.public, NODE)[1]
    assert found is not None
    return found


def enveloped(payload_type: str, body: bytes, place: Place, message: bytes, keys: SigningKeys = KEYS) -> bytes:
    """What somebody who has keys can write, whatever the signatures are of."""
    first, second = keys.sign_ed25519(message), keys.sign_mldsa65(message)
    signatures = [
        SignatureWire(f"{NODE}#ed25519.batch", to_base64(place.to_bytes() + first)),
        SignatureWire(f"{NODE}#mldsa65.batch", to_base64(second)),
    ]
    return msgspec.json.encode(EnvelopeWire(to_base64(body), payload_type, signatures))


@given(st.binary(max_size=40), bodies)
def test_every_document_verifies_alone_and_each_envelope_completes_the_main_one(
    main: bytes, others: list[bytes]
) -> None:
    member, rest = members(main, others)
    signing = begin_batch(member, rest, KEYS, NODE)
    assert verify(signing.whole(), MAIN, KEYS.public, NODE, batches=True) == main
    for n, other in enumerate(others):
        raw = signing.other(n)
        assert verify(raw, ENVELOPE, KEYS.public, NODE, batches=True) == other
        assert batch_of(raw).whole(member.loose()) == signing.whole()
        for loose in (Member(MAIN, main).loose(), Member(MAIN, main + b"x", member.salt).loose(), rest[n].loose()):
            with pytest.raises(Untrusted) as refused:
                batch_of(raw).whole(loose)
            assert refused.value.code == "batch.not_in"


@given(st.integers(1, 40))
def test_a_place_says_how_many_others_there_are_to_the_next_power_of_two_only(count: int) -> None:
    main, others = members(b"m", [b"%d" % n for n in range(count)])
    root, of_main, of_others = places(main, others)
    depth = (count - 1).bit_length()
    assert (of_main.index, len(of_main.path)) == (0, 1)
    assert {len(place.path) for place in of_others} == {depth + 1}
    assert len({place.index for place in of_others}) == count
    for member, place in [(main, of_main), *zip(others, of_others, strict=True)]:
        assert climb(member.leaf, place.index, place.path) == root
        assert parse_place(place.to_bytes()) == place
    # Where they stand follows from hashes with salts that nobody else knows, not from the order in which they came.
    order = sorted(range(count), key=lambda n: of_others[n].index)
    assert order == sorted(range(count), key=lambda n: others[n].leaf)


@given(bodies, st.data())
def test_no_flipped_bit_and_no_other_length_verifies(others: list[bytes], data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from(signed(b"main", others)[1]))
    value = msgspec.json.decode(raw)
    field = data.draw(st.sampled_from(["payload", "0", "1"]))
    owner, key = (value, field) if field == "payload" else (value["signatures"][int(field)], "sig")
    bare = bytearray(from_base64(owner[key]))
    how = data.draw(st.sampled_from(["flip", "cut", "more", "deeper"]))
    at = data.draw(st.integers(0, len(bare)))
    if how == "flip" and at < len(bare):
        bare[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut" and at < len(bare):
        del bare[at : at + data.draw(st.sampled_from([1, 32]))]
    else:
        bare[at:at] = bytes(data.draw(st.sampled_from([1, 32, 32 * MAX_BATCH_DEPTH, 32 * 4096])))
    owner[key] = to_base64(bytes(bare))
    with pytest.raises(Untrusted):
        verify(msgspec.json.encode(value), ENVELOPE, KEYS.public, NODE, batches=True)


@given(bodies)
def test_types_are_not_mixed_up(others: list[bytes]) -> None:
    whole, raws = signed(b"main", others)
    for raw, kind, wrong in [(whole, MAIN, ENVELOPE), *((raw, ENVELOPE, MAIN) for raw in raws)]:
        with pytest.raises(Untrusted):
            verify(raw, wrong, KEYS.public, NODE, batches=True)
        value = msgspec.json.decode(raw)
        value["payloadType"] = wrong
        with pytest.raises(Untrusted) as renamed:
            verify(msgspec.json.encode(value), wrong, KEYS.public, NODE, batches=True)
        assert renamed.value.code == "dsse.ed25519"
        with pytest.raises(Untrusted) as alone:
            verify(raw, kind, KEYS.public, NODE)
        assert alone.value.code == "dsse.in_batch"


def test_a_node_is_no_leaf_and_a_leaf_no_node() -> None:
    """Second preimages: what stands inside the tree, passed off as a document or as a shorter tree."""
    main, others = members(b"main", [b"1", b"2", b"3"])
    root, _, of_others = places(main, others)
    message = pae(BATCH_TYPE, root_body(root))
    place = of_others[0]
    above = climb(others[0].leaf, place.index, place.path[:1])
    left, right = others[0].leaf, place.path[0]
    if place.index & 1:
        left, right = right, left
    assert node_hash(left, right) == above
    for body, salt in ((left + right, place.salt), (above, place.salt), (right, left), (left, right)):
        short = Place(salt, place.index >> 1, place.path[1:])
        with pytest.raises(Untrusted):
            verify(enveloped(ENVELOPE, body, short, message), ENVELOPE, KEYS.public, NODE, batches=True)
    with pytest.raises(Untrusted):
        verify(enveloped(ENVELOPE, others[0].body, place, message, OTHER), ENVELOPE, KEYS.public, NODE, batches=True)
    assert (
        verify(enveloped(ENVELOPE, others[0].body, place, message), ENVELOPE, KEYS.public, NODE, batches=True) == b"1"
    )


def test_a_root_is_nothing_else_and_nothing_else_is_a_root() -> None:
    main, others = members(b"main", [b"1"])
    root, _, (place,) = places(main, others)
    for message in (root, root_body(root), pae(MAIN, root_body(root)), pae(BATCH_TYPE, root)):
        with pytest.raises(Untrusted):
            verify(enveloped(ENVELOPE, b"1", place, message), ENVELOPE, KEYS.public, NODE, batches=True)
    with pytest.raises(Invalid):
        sign(BATCH_TYPE, root_body(root), KEYS, NODE)
    with pytest.raises(Invalid):
        begin_batch(Member(BATCH_TYPE, b""), others, KEYS, NODE)
    with pytest.raises(Invalid):
        begin_batch(main, [Member(BATCH_TYPE, b"")], KEYS, NODE)
    raw = begin_batch(main, others, KEYS, NODE).whole()
    with pytest.raises(Untrusted):
        verify(raw, BATCH_TYPE, KEYS.public, NODE, batches=True)


def test_half_a_batch_is_none() -> None:
    """One signature of a batch and one of the document itself, in either order."""
    raw, alone = signed(b"main", [b"1"])[1][0], sign(ENVELOPE, b"1", KEYS, NODE)
    both = msgspec.json.decode(raw)["signatures"], msgspec.json.decode(alone)["signatures"]
    for first, second in (both, both[::-1]):
        value = msgspec.json.decode(raw) | {"signatures": [first[0], second[1]]}
        with pytest.raises(Untrusted) as refused:
            verify(msgspec.json.encode(value), ENVELOPE, KEYS.public, NODE, batches=True)
        assert refused.value.code == "dsse.signatures"


def test_what_one_key_vouched_for_is_verified_anew_by_another() -> None:
    main, others = members(b"main", [b"1"])
    signing = begin_batch(main, others, KEYS, NODE)
    known = batch_of(signing.other(0))
    claim = peek(known.whole(main.loose()))
    assert claim.verified(MAIN, KEYS.public, NODE, batches=True, known=known) == b"main"
    with pytest.raises(Untrusted):
        claim.verified(MAIN, OTHER.public, NODE, batches=True, known=known)
    second = begin_batch(main, [Member(ENVELOPE, b"2")], KEYS, NODE)
    forged = msgspec.json.decode(second.whole())
    forged["signatures"][1]["sig"] = to_base64(bytes(3309))
    with pytest.raises(Untrusted) as refused:
        peek(msgspec.json.encode(forged)).verified(MAIN, KEYS.public, NODE, batches=True, known=known)
    assert refused.value.code == "dsse.mldsa65"


@pytest.mark.parametrize("count", [0, MOST])
def test_a_batch_has_others_and_not_too_many(count: int) -> None:
    with pytest.raises(Invalid):
        places(Member(MAIN, b""), [Member(ENVELOPE, b"%d" % n) for n in range(count)])


def test_what_stands_at_the_left_completes_nothing() -> None:
    """Only what was signed at the right carried anything: no place inverts a tree."""
    main, others = members(b"main", [b"1"])
    raw = begin_batch(main, others, KEYS, NODE).whole()
    assert peek(raw).verified_in(MAIN, KEYS.public, NODE) == (b"main", None)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_readers_of_a_batch_fail_otherwise(raw: bytes) -> None:
    for read in (parse_place, parse_loose):
        with contextlib.suppress(Untrusted):
            read(raw)


@given(st.binary(max_size=60), st.sampled_from(["text/plain", MAIN]))
def test_a_loose_document_comes_back_and_no_other_spelling_of_it(body: bytes, kind: str) -> None:
    member = Member(kind, body)
    loose = member.loose()
    assert parse_loose(loose) == (kind, body, member.salt)
    value = msgspec.json.decode(loose)
    for bad in (
        loose + b" ",
        msgspec.json.encode(dict(reversed(value.items()))),
        msgspec.json.encode(value | {"x": 1}),
        msgspec.json.encode(value | {"salt": ""}),
        msgspec.json.encode(value | {"payload": "="}),
        b"[" * 5000,
    ):
        with pytest.raises(Untrusted):
            parse_loose(bad)
