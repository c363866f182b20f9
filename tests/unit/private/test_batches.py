"""A question on its way and back: what is refused by name, and what the holder can see of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.crypto import SigningKeys, blind, derive_oprf_key, random_bytes, sign, verify
from tansiq.errors import Invalid, TansiqError, Untrusted
from tansiq.private import wire
from tansiq.private.batches import answer_batch, ask, case_reference, finish_batch, read_batch
from tansiq.private.model import AskedBatch, Descriptor, Opening
from tansiq.private.openings import check_opening, openings_of, sampled
from tests.support.private import ASKER, HOLDER, KEYSPEC, THIRD, evaluated, holding, outputs_of

INPUTS = [b"nd\x1fKRM TS 1987-03-%02d" % n for n in range(1, 29)]
SALT = bytes(16)
CASE = case_reference(SALT, "case-7")


@pytest.fixture
def descriptor(tmp_path: Path) -> Descriptor:
    return holding(tmp_path, INPUTS).descriptor


def asked_of(descriptor: Descriptor, inputs: list[bytes] = INPUTS, sequence: int = 1) -> AskedBatch:
    (batch,) = ask(inputs, descriptor, sequence=sequence, case=CASE, purpose="prevention")
    return batch


def test_a_batch_travels_signed_and_comes_back_proved(tmp_path: Path, descriptor: Descriptor) -> None:
    asker, holder = SigningKeys.generate(), SigningKeys.generate()
    batch = asked_of(descriptor)
    sent = wire.frame(sign(wire.BATCH_TYPE, wire.batch_body(batch.header), asker, ASKER), batch.elements)

    envelope, payload = wire.parse_frame(sent, 256 * 32)
    header, elements = wire.parse_batch(verify(envelope, wire.BATCH_TYPE, asker.public, ASKER), payload)
    read_batch(header, asker=ASKER, holder=HOLDER, tier="low", epochs=[1], keyspec=KEYSPEC)
    answer, made = answer_batch(header, elements, evaluated)
    back = wire.frame(sign(wire.ANSWER_TYPE, wire.answer_body(answer), holder, HOLDER), made)

    envelope, payload = wire.parse_frame(back, 256 * 32)
    read, made = wire.parse_answer(verify(envelope, wire.ANSWER_TYPE, holder.public, HOLDER), payload)
    outputs = finish_batch(batch, read, made, descriptor)
    assert outputs == outputs_of(INPUTS)
    assert len(elements) == len(made) == 64 * 32


def test_many_keys_make_batches_of_two_sizes_and_no_keys_make_one_of_padding(descriptor: Descriptor) -> None:
    sizes = {
        n: [b.header.count for b in ask([b"x%d" % k for k in range(n)], descriptor, sequence=1, case=CASE, purpose="p")]
        for n in (0, 1, 64, 65, 256, 300)
    }
    assert sizes == {0: [64], 1: [64], 64: [64], 65: [256], 256: [256], 300: [256, 64]}
    numbers = [
        b.header.sequence for b in ask([b"x%d" % k for k in range(600)], descriptor, sequence=9, case=CASE, purpose="p")
    ]
    assert numbers == [9, 10, 11]


def test_the_same_question_is_never_the_same_element(descriptor: Descriptor) -> None:
    seen = [b.element for _ in range(3) for b in asked_of(descriptor, INPUTS[:3]).blinded]
    assert len(set(seen)) == len(seen)


def test_the_holder_cannot_tell_two_questions_apart(descriptor: Descriptor) -> None:
    """Its transcripts of a held name, of an unheld one and of nothing differ in uniform elements and their digest."""
    shown = []
    for inputs in (INPUTS[:1], [b"nd\x1fSMN PTR 1990-01-02"], []):
        batch = asked_of(descriptor, inputs)
        answer, made = answer_batch(batch.header, batch.elements, evaluated)
        frame = wire.frame(wire.batch_body(batch.header), batch.elements)
        shown.append((len(frame), replace(batch.header, digest=""), len(made), len(answer.proof)))
    assert shown[0] == shown[1] == shown[2]
    # uniform: the bytes of many elements of one single question are as even as chance (top bit is always 0)
    raw = b"".join(blind(INPUTS[0]).element[:31] for _ in range(300))
    counts = [raw.count(bytes([value])) for value in range(256)]
    expected = len(raw) / 256
    # 255 degrees of freedom: mean 255, deviation 22.6; the lowest bit of an element is always 0, hence the second half
    chi = sum((c - expected) ** 2 / expected for c in counts)
    assert chi < 600


def test_what_is_not_for_this_holder_epoch_and_keyspec_is_refused_by_name(descriptor: Descriptor) -> None:
    header = asked_of(descriptor).header
    expected = {"asker": ASKER, "holder": HOLDER, "tier": "low", "epochs": [1, 2], "keyspec": KEYSPEC}
    read_batch(header, **expected)
    for change, code in (
        ({"asker": THIRD}, "batch.asker"),
        ({"holder": THIRD}, "batch.holder"),
        ({"tier": "high"}, "batch.tier"),
        ({"epochs": [2]}, "batch.epoch"),
        ({"keyspec": "2-" + "0" * 16}, "batch.keyspec"),
    ):
        with pytest.raises(TansiqError) as refused:
            read_batch(header, **{**expected, **change})
        assert refused.value.code == code


def test_an_answer_to_another_batch_of_another_epoch_or_by_another_key_is_refused(descriptor: Descriptor) -> None:
    batch, other = asked_of(descriptor), asked_of(descriptor, sequence=2)
    answer, made = answer_batch(batch.header, batch.elements, evaluated)
    wrong_key = derive_oprf_key(bytes(32), b"another")
    by_other, made_other = answer_batch(batch.header, batch.elements, lambda e: evaluated(e, wrong_key))
    for given_, raw, told, code in (
        (replace(answer, epoch=2), made, descriptor, "answer.epoch"),
        (answer, made, replace(descriptor, epoch=2), "answer.epoch"),
        (replace(answer, sequence=2), made, descriptor, "answer.batch"),
        (replace(answer, asked=other.header.digest), made, descriptor, "answer.batch"),
        (answer, made[:-32], descriptor, "answer.digest"),
        (answer, made[:-1] + bytes([made[-1] ^ 1]), descriptor, "answer.digest"),
        (by_other, made_other, descriptor, "oprf.proof"),
        (answer, made, replace(descriptor, public=wrong_key.public), "oprf.proof"),
    ):
        with pytest.raises(Untrusted) as refused:
            finish_batch(batch, given_, raw, told)
        assert refused.value.code == code


def test_every_element_opens_to_what_it_was_and_to_nothing_else(descriptor: Descriptor) -> None:
    batch = asked_of(descriptor)
    kept = openings_of(batch, "case-7", SALT)
    assert len(kept) == 64
    checked = [check_opening(o, batch.header, batch.elements) for o in kept]
    assert checked == [True] * len(INPUTS) + [False] * (64 - len(INPUTS))
    one = kept[0]
    assert wire.parse_opening(wire.opening_bytes(one)) == one
    for forged, code in (
        (replace(one, input=b"nd\x1fanother"), "opening.element"),
        (replace(one, input=b"pad\x1f" + bytes(16)), "opening.element"),
        (replace(one, blind=kept[1].blind), "opening.element"),
        (replace(one, blind=bytes(32)), "opening.element"),
        (replace(one, position=1), "opening.element"),
        (replace(one, position=64), "opening.batch"),
        (replace(one, batch="0" * 64), "opening.batch"),
        (replace(one, case="case-8"), "opening.case"),
    ):
        with pytest.raises(Untrusted) as refused:
            check_opening(forged, batch.header, batch.elements)
        assert refused.value.code == code
    with pytest.raises(Untrusted):
        check_opening(one, batch.header, bytes(len(batch.elements)))


def test_a_supervisors_sample_follows_from_its_chance_alone(descriptor: Descriptor) -> None:
    headers = [asked_of(descriptor, sequence=n).header for n in range(1, 31)]
    seed = random_bytes(32)
    chosen = sampled(headers, seed, 0.1)
    assert chosen == sampled(headers, seed, 0.1)
    assert 0.05 < len(chosen) / (64 * 30) < 0.15
    assert chosen != sampled(headers, bytes(32), 0.1)
    assert sampled(headers, seed, 0.0) == []
    assert len(sampled(headers, seed, 1.0)) == 64 * 30


def test_no_question_shows_in_a_repr(descriptor: Descriptor) -> None:
    batch = asked_of(descriptor)
    shown = repr(batch) + repr(openings_of(batch, "c", SALT)[0])
    assert "KRM" not in shown
    assert batch.blinded[0].blind.hex() not in shown


GOOD = wire.canonical({"x": 1})


@pytest.mark.parametrize(
    "parse",
    [
        lambda raw: wire.parse_frame(raw, 1000),
        wire.parse_descriptor,
        lambda raw: wire.parse_delta(raw, b""),
        lambda raw: wire.parse_batch(raw, b""),
        lambda raw: wire.parse_answer(raw, b""),
        wire.parse_opening,
    ],
)
@given(raw=st.binary(max_size=120) | st.sampled_from([GOOD, b"{}", b"TPM1\0\0\0\0", b"TPM1\xff\xff\xff\xff"]))
def test_whatever_arrives_is_read_or_refused(parse: object, raw: bytes) -> None:
    try:
        parse(raw)
    except Untrusted as refused:
        assert refused.code.startswith(("private.", "batch."))  # noqa: PT017


def test_fields_that_are_missing_unknown_or_of_another_form_are_named(descriptor: Descriptor) -> None:
    body = wire.descriptor_body(descriptor)
    assert wire.parse_descriptor(body) == descriptor
    fields = json.loads(body)
    for name in fields:
        without = {k: v for k, v in fields.items() if k != name}
        with pytest.raises(Untrusted) as refused:
            wire.parse_descriptor(wire.canonical(without))
        assert refused.value.field == name
        with pytest.raises(Untrusted):
            wire.parse_descriptor(wire.canonical({**fields, name: None}))
    with pytest.raises(Untrusted, match="does not know"):
        wire.parse_descriptor(wire.canonical({**fields, "extra": 1}))
    with pytest.raises(Untrusted, match="P256-SHA256") as refused:
        wire.parse_descriptor(wire.canonical({**fields, "suite": "P256-SHA256/1"}))
    assert refused.value.code == "private.suite"
    for name, value in (
        ("epoch", 0),
        ("epoch", True),
        ("count", -1),
        ("count", 10**12),
        ("digest", "zz"),
        ("holder", "x"),
    ):
        with pytest.raises(Untrusted) as refused:
            wire.parse_descriptor(wire.canonical({**fields, name: value}))
        assert refused.value.field == name
    header = wire.batch_body(asked_of(descriptor).header)
    with pytest.raises(Untrusted) as refused:
        wire.parse_batch(wire.canonical({**json.loads(header), "count": 65}), bytes(65 * 32))
    assert refused.value.code == "batch.size"
    with pytest.raises(Untrusted) as refused:
        wire.parse_opening(wire.opening_bytes(Opening(b"", b"", "", b"", "nothex", 0)))
    assert refused.value.code == "private.malformed"
    with pytest.raises(Untrusted) as refused:
        wire.parse_frame(wire.frame(b"{}", bytes(100)), 99)
    assert refused.value.code == "private.too_large"


def test_an_unknown_epoch_is_invalid_and_not_a_miss(descriptor: Descriptor) -> None:
    with pytest.raises(Invalid):
        read_batch(asked_of(descriptor).header, asker=ASKER, holder=HOLDER, tier="low", epochs=[], keyspec=KEYSPEC)
