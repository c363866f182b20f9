"""Tag lists: what is in them is found, what is not is not, and their length and changes say nothing."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tansiq.crypto import random_bytes
from tansiq.errors import Conflict, Refused, Untrusted
from tansiq.private.lists import (
    HeldList,
    TagList,
    apply_delta,
    build_list,
    ceiling,
    change_list,
    entries_of,
    open_label,
    seal_label,
    tag_of,
)
from tansiq.private.model import BLOCK, Delta, Descriptor
from tansiq.private.wire import delta_body, digest, parse_delta
from tests.support.private import ASKER, HOLDER, describe, holding, outputs_of, rid

INPUTS = [b"phone\x1f+2126000%05d" % n for n in range(40)]
OUTSIDE = [b"phone\x1f+3460000%05d" % n for n in range(40)]


@pytest.mark.parametrize("labelled", [True, False])
def test_every_key_that_is_held_is_found_and_no_other(tmp_path: Path, labelled: bool) -> None:
    made = holding(tmp_path, INPUTS, labelled=labelled)
    tags = made.opened()
    tags.verify()
    found = [tags.find(output) for output in outputs_of(INPUTS + OUTSIDE)]
    assert found == [((rid(n),) if labelled else ()) for n in range(40)] + [None] * len(OUTSIDE)
    tags.close()
    assert made.file.stat().st_size == made.descriptor.count * (24 if labelled else 8)


def test_a_list_without_its_key_finds_nothing(tmp_path: Path) -> None:
    """An asker that guesses inputs against the list alone, by any hash it likes, meets nothing."""
    made = holding(tmp_path, INPUTS)
    tags = made.opened()
    for guess in INPUTS:
        for function in (hashlib.sha256, hashlib.sha512):
            assert tags.find((function(guess).digest() * 2)[:64]) is None
    other_key = [random_bytes(64) for _ in INPUTS]
    assert [tags.find(output) for output in other_key] == [None] * len(INPUTS)
    tags.close()


def test_records_that_share_a_key_stand_behind_tags_that_do_not_show_it(tmp_path: Path) -> None:
    output = outputs_of(INPUTS[:1])[0]
    held = build_list([output] * 3, [rid(1), rid(2), rid(3)])
    assert len(set(held.tags)) == len(held.tags)
    raw = held.to_bytes()
    (tmp_path / "l").write_bytes(raw)
    tags = TagList(tmp_path / "l", describe(raw, len(held.tags)))
    assert tags.find(output) == (rid(1), rid(2), rid(3))
    tags.close()


def test_the_length_is_a_ceiling_and_padding_looks_like_the_rest() -> None:
    assert len({ceiling(n) for n in range(1500)}) == 1
    assert all(ceiling(n) >= n + 2 * BLOCK for n in (0, 1, 5000, 10**6))
    assert ceiling(10**6) < 1.25 * 10**6
    held = build_list(outputs_of(INPUTS), [rid(n) for n in range(40)])
    assert held.tags == sorted(held.tags)
    assert len(held.tags) == ceiling(40)
    assert held.padding == len(held.tags) - 40
    bits = Counter(byte for tag in held.tags for byte in tag)
    assert max(bits.values()) < 3 * 8 * len(held.tags) / 256


def test_labels_open_with_their_own_output_alone() -> None:
    one, other = outputs_of(INPUTS[:2])
    label = seal_label(one, 0, rid(7))
    assert open_label(one, 0, label) == rid(7)
    assert open_label(one, 1, label) is None
    assert open_label(other, 0, label) is None
    assert open_label(one, 0, label[:-1] + bytes([label[-1] ^ 1])) is None
    assert rid(7) not in label


def test_a_list_that_is_not_what_was_signed_is_refused(tmp_path: Path) -> None:
    made = holding(tmp_path, INPUTS)
    raw = made.file.read_bytes()
    for changed, code in ((raw[:-1], "private.length"), (raw[:-1] + b"\0", "private.digest")):
        made.file.write_bytes(changed)
        with pytest.raises(Untrusted) as refused:
            made.opened().verify()
        assert refused.value.code == code
    swapped = raw[8:16] + raw[:8] + raw[16:]
    made.file.write_bytes(swapped)
    tags = TagList(made.file, replace(made.descriptor, digest=digest(swapped)))
    with pytest.raises(Untrusted, match="ascending"):
        tags.verify()


def signed_delta(held: HeldList, descriptor: Descriptor, change: object, sequence: int) -> Delta:
    after = change.after.to_bytes()
    made = Delta(
        HOLDER, ASKER, "low", 1, sequence, descriptor.digest, digest(after), change.added, change.labels, change.removed
    )
    body, payload = delta_body(made)
    assert parse_delta(body, payload) == made
    return made


@pytest.mark.parametrize("labelled", [True, False])
def test_a_delta_brings_records_in_and_out_and_keeps_the_length(tmp_path: Path, labelled: bool) -> None:
    made = holding(tmp_path, INPUTS, labelled=labelled)
    come = entries_of(outputs_of(OUTSIDE[:3]), [rid(100 + n) for n in range(3)])
    change = change_list(made.held, come, [tag_of(o) for o in outputs_of(INPUTS[:5])])
    assert len(change.added) == len(change.removed) == 8 * BLOCK
    delta = signed_delta(made.held, made.descriptor, change, 1)
    raw, descriptor = apply_delta(made.file.read_bytes(), made.descriptor, delta, 0)
    assert raw == change.after.to_bytes()
    made.file.write_bytes(raw)
    tags = TagList(made.file, descriptor)
    tags.verify()
    found = [tags.find(output) is not None for output in outputs_of(INPUTS + OUTSIDE)]
    assert [at for at, there in enumerate(found) if there] == [*range(5, 40), 40, 41, 42]
    tags.close()
    # one in, none out, nothing at all: all the same size
    assert {
        len(change_list(made.held, c, r).added) for c, r in (({}, []), (come, []), ({}, change.after.tags[:0]))
    } == {8 * BLOCK}


def test_deltas_are_applied_in_order_and_only_to_what_they_were_made_for(tmp_path: Path) -> None:
    made = holding(tmp_path, INPUTS)
    raw = made.file.read_bytes()
    change = change_list(made.held, {}, [])
    delta = signed_delta(made.held, made.descriptor, change, 1)
    with pytest.raises(Conflict) as missing:
        apply_delta(raw, made.descriptor, replace(delta, sequence=3), 1)
    assert missing.value.code == "delta.sequence"
    for wrong, code in (
        (replace(delta, epoch=2), "delta.epoch"),
        (replace(delta, before="0" * 64), "delta.before"),
        (replace(delta, labels=b""), "delta.before"),
        (replace(delta, after="0" * 64), "delta.after"),
        (replace(delta, removed=delta.added), "delta.tags"),
        (replace(delta, added=delta.removed[:-8] + raw[:8]), "delta.tags"),
    ):
        with pytest.raises(Untrusted) as refused:
            apply_delta(raw, made.descriptor, wrong, 0)
        assert refused.value.code in {code, "delta.after"}
    with pytest.raises(Untrusted, match="signed"):
        apply_delta(raw[:-1] + bytes([raw[-1] ^ 1]), made.descriptor, delta, 0)


def test_a_list_whose_padding_is_used_up_asks_for_a_new_epoch(tmp_path: Path) -> None:
    made = holding(tmp_path, INPUTS)
    held = made.held
    for step in range(held.padding // BLOCK):
        come = entries_of([random_bytes(64) for _ in range(BLOCK)], [rid(step * BLOCK + n) for n in range(BLOCK)])
        held = change_list(held, come, []).after
    assert held.padding < BLOCK
    with pytest.raises(Refused) as refused:
        change_list(held, {}, [])
    assert refused.value.code == "list.full"


def test_a_shared_key_whose_first_record_goes_is_relabelled_in_one_delta(tmp_path: Path) -> None:
    output = outputs_of(INPUTS[:1])[0]
    held = build_list([output] * 2, [rid(1), rid(2)])
    raw = held.to_bytes()
    descriptor = describe(raw, len(held.tags))
    change = change_list(held, entries_of([output], [rid(2)]), [tag_of(output, 1)])
    delta = signed_delta(held, descriptor, change, 1)
    after, descriptor = apply_delta(raw, descriptor, delta, 0)
    (tmp_path / "l").write_bytes(after)
    tags = TagList(tmp_path / "l", descriptor)
    assert tags.find(output) == (rid(2),)
    tags.close()
