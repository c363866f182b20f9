"""A whole log in one file: what an oversight body accepts without a node, and what it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tansiq.crypto import SigningKeys, Vault, canonical, node_id, sign, verify
from tansiq.errors import Conflict, Invalid, TansiqError, Untrusted
from tansiq.ledger import (
    ARCHIVE_TYPE,
    MAX_ARCHIVE_HEAD,
    NOTHING_SEEN,
    Ledger,
    archive_lines,
    as_said,
    cosign,
    parse_archive_head,
    verify_archive,
    verify_bundle,
    verify_cosignature,
    wanted,
)
from tansiq.ledger.archive import LinesDigest
from tansiq.ledger.leaves import CONTENT_DEPTH, MAX_CONTENT_BYTES
from tansiq.ledger.model import Wanted, WitnessKey
from tansiq.ledger.wire import MAX_SIGNATURES, render_archive_end
from tansiq.store import Store
from tansiq.terms import LogVerb

BEGIN = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
KEYS, OLD, WITNESS = (SigningKeys(bytes([n]) * 32, bytes([n + 1]) * 32) for n in (1, 3, 5))
ORIGIN, SEEN = "tansiq.example/es", "tansiq.example/ma"
NODE = node_id("ES", KEYS.public)
COUNT = 11


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, KEYS, Vault(b"v" * 32), node_id("ES", KEYS.public), ORIGIN)


def fill(store: Store, ledger: Ledger, count: int = COUNT, start: int = 0) -> None:
    def work(tx: Connection) -> None:
        for n in range(start, start + count):
            verb = (LogVerb.CONSULT, LogVerb.DISCLOSE)[n % 2]
            content = {"officer": f"o-{n % 3}", "justification": f"why {n}"}
            ledger.append(tx, verb=verb, subject=f"e-{n % 4}", content=content, at=BEGIN + timedelta(hours=n))

    store.write(work)


def written(ledger: Ledger, chosen: Wanted | None = None) -> list[bytes]:
    return list(ledger.archive(chosen, "", []))


ONLY = (WitnessKey(WITNESS.public),)


def read(lines: list[bytes], keys: Sequence[WitnessKey] = ONLY) -> dict[str, Any]:
    head = parse_archive_head(lines[0].rstrip(b"\n"))
    report, leaves = verify_archive(
        head, (x.rstrip(b"\n") for x in lines[1:]), NODE, (OLD.public, KEYS.public), {SEEN: keys}
    )
    for _ in leaves:
        pass
    return as_said(report) | {"cosigned": report.cosigned, "replaced": report.replaced}


@pytest.mark.parametrize("count", [1, 2, 3, 8, 11])
def test_the_whole_log_verifies_and_has_the_root_of_the_log(store: Store, ledger: Ledger, count: int) -> None:
    fill(store, ledger, count)
    found = read(written(ledger))
    assert (found["size"], found["root"], found["opened"]) == (count, ledger.head().root.hex(), 0)


def test_only_what_was_chosen_is_opened_and_what_is_missing_of_it_is_told(store: Store, ledger: Ledger) -> None:
    fill(store, ledger)
    asked = wanted("2026-11-21", "2026-11-21", "disclose")
    store.write(lambda tx: tx.execute(text("delete from ledger_contents where leaf_index = 5")))
    lines = written(ledger, asked)
    found = read(lines)
    assert (found["chosen"], found["opened"], found["erased"], found["held_back"]) == (4, 3, 1, 0)
    assert b"why 4" not in b"".join(lines)
    assert b"why 7" in b"".join(lines)
    found = read(signed_again([lines[0], *(closed(x) if b"why 7" in x else x for x in lines[1:])]))
    assert (found["opened"], found["held_back"]) == (2, 1)


def closed(line: bytes, **more: object) -> bytes:
    return canonical(json.loads(line) | {"disclosed": None} | more) + b"\n"


def signed_again(lines: list[bytes], keys: SigningKeys = KEYS) -> list[bytes]:
    """As the log itself would have written these lines."""
    body, digest = [x.rstrip(b"\n") for x in lines[:-1]], LinesDigest()
    for line in body:
        digest.add(line)
    said = render_archive_end(parse_archive_head(body[0]), digest.value())
    return [*lines[:-1], sign(ARCHIVE_TYPE, said, keys, NODE) + b"\n"]


def _narrowed(lines: list[bytes]) -> list[bytes]:
    head = json.loads(lines[0])
    head["opened"]["since"] = "2999-01-01T00:00:00.000Z"
    return [canonical(head) + b"\n", *(closed(x) if b"disclosed" in x else x for x in lines[1:])]


CARRIED: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a content closed": lambda x: [*x[:2], closed(x[2]), *x[3:]],
    "a content called erased": lambda x: [*x[:2], closed(x[2], erased=True), *x[3:]],
    "the choice narrowed and all closed": _narrowed,
    "the choice left out": lambda x: [canonical(json.loads(x[0]) | {"opened": None}) + b"\n", *x[1:]],
    "a checkpoint of before left out": lambda x: [*x[:4], *x[5:]],
    "its cosignature left out": lambda x: [
        *x[:4],
        re.sub(rb"\xe2\x80\x94 tansiq.example/ma [^\\]*\\n", b"", x[4]),
        *x[5:],
    ],
    "a card left out": lambda x: [canonical(json.loads(x[0]) | {"witnesses": []}) + b"\n", *x[1:]],
    "signed by another": lambda x: signed_again(x, WITNESS),
    "signed with the keys of before": lambda x: signed_again(x, OLD),
    "signed as another thing": lambda x: [
        *x[:-1],
        sign("tansiq.person.v1", verify(x[-1].rstrip(), ARCHIVE_TYPE, KEYS.public, NODE), KEYS, NODE),
    ],
    "not signed": lambda x: x[:-1],
    "signed twice": lambda x: [*x, x[-1]],
}


@pytest.mark.parametrize("way", CARRIED)
def test_who_carries_the_file_takes_nothing_out_of_it_unseen(store: Store, ledger: Ledger, way: str) -> None:
    """Each of these leaves the tree as it was: the log's signature over all lines alone shows it."""
    fill(store, ledger, 3)
    ledger.checkpoint()
    other = Ledger(store, WITNESS, Vault(b"w" * 32), node_id("MA", WITNESS.public), SEEN)
    line = other.witness(ledger.witness_request(0), (ORIGIN, KEYS.public), BEGIN)
    ledger.add_cosignature(line, SEEN, WITNESS.public, 3)
    fill(store, ledger, 3, start=3)
    lines = list(ledger.archive(Wanted(), "", ["a card"]))
    assert (read(lines)["opened"], read(lines)["cosigned"]) == (6, {SEEN: 3})
    changed = CARRIED[way](lines)
    assert changed != lines
    with pytest.raises(Untrusted) as failure:
        read(changed)
    assert failure.value.code in ("archive.lines", "archive.size") or failure.value.code.startswith("dsse.")


@pytest.mark.parametrize("head", [0, MAX_ARCHIVE_HEAD])
def test_a_line_that_does_not_end_is_not_read_to_its_end(store: Store, ledger: Ledger, head: int) -> None:
    """A sparse file costs its sender nothing, and would cost the reader all its memory."""
    fill(store, ledger, 2)
    first = b"" if head else written(ledger)[0]
    asked = 0

    class Endless(BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            nonlocal asked
            assert size
            assert size > 0
            asked = max(asked, size)
            return super().readline(size) or b"\0" * size

    with pytest.raises(Untrusted) as failure:
        list(archive_lines(Endless(first)))
    assert (failure.value.code, failure.value.field) == ("archive.malformed", "line")
    assert 0 < asked <= MAX_ARCHIVE_HEAD + 2


def test_the_lines_of_a_true_file_are_read_as_they_were_written(store: Store, ledger: Ledger) -> None:
    fill(store, ledger)
    lines = written(ledger, Wanted())
    assert list(archive_lines(BytesIO(b"".join(lines)))) == lines


def test_what_is_logged_always_verifies(store: Store, ledger: Ledger) -> None:
    """The largest and the deepest content that is taken stands in a bundle and in the archive; more is not logged."""

    def log(content: dict[str, Any]) -> int:
        return store.write(lambda tx: ledger.append(tx, verb=LogVerb.CONSULT, subject="e-1", content=content, at=BEGIN))

    def deep(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(levels):
            value = {"a": value}
        return value

    room = MAX_CONTENT_BYTES - len(canonical({"why": ""}))
    for content in ({"why": "x" * room}, deep(CONTENT_DEPTH - 1)):
        leaf = log(content)
        assert verify_bundle(ledger.bundle(leaf, disclose=True), ORIGIN, KEYS.public).content == content
    size = ledger.head().size
    for content in ({"why": "x" * (room + 1)}, {"why": "س" * (room // 2 + 1)}, deep(CONTENT_DEPTH)):
        with pytest.raises(Invalid):
            log(content)
    assert ledger.head().size == size
    assert read(written(ledger, Wanted()))["opened"] == size


def test_every_checkpoint_of_before_is_in_it_with_who_cosigned(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 3)
    note = ledger.checkpoint()
    other = Ledger(store, WITNESS, Vault(b"w" * 32), node_id("MA", WITNESS.public), SEEN)
    line = other.witness(ledger.witness_request(0), (ORIGIN, KEYS.public), BEGIN)
    ledger.add_cosignature(line, SEEN, WITNESS.public, 3)
    fill(store, ledger, 4, start=3)
    found = read(written(ledger))
    assert (found["checkpoints"], found["cosigned"]) == (2, {SEEN: 3})
    assert note.startswith(ORIGIN)


NEWER = SigningKeys(b"g" * 32, b"h" * 32)


def cosign_by(ledger: Ledger, keys: SigningKeys, at: datetime) -> None:
    """A line of the witness on the newest checkpoint, whatever it has seen before."""
    note, size = ledger.checkpoint(), ledger.head().size
    _, line = cosign(note, (ORIGIN, KEYS.public), NOTHING_SEEN, [], (SEEN, keys), at)
    ledger.add_cosignature(line, SEEN, keys.public, size)


def test_what_a_witness_cosigned_with_a_key_of_before_counts_after_its_rotation(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 3)
    cosign_by(ledger, WITNESS, BEGIN + timedelta(hours=3))
    rotated = [WitnessKey(WITNESS.public, BEGIN + timedelta(hours=4)), WitnessKey(NEWER.public)]
    assert read(written(ledger), rotated)["cosigned"] == {SEEN: 3}
    fill(store, ledger, 4, start=3)
    cosign_by(ledger, NEWER, BEGIN + timedelta(hours=8))
    found = read(written(ledger), rotated)
    assert (found["cosigned"], found["replaced"]) == ({SEEN: 7}, {})


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        (timedelta(hours=4), timedelta(hours=6)),  # it says so itself
        (timedelta(hours=4), timedelta(hours=3)),  # dated back: the last leaf, of hour 6, was not there
    ],
)
def test_a_key_that_was_replaced_cosigns_nothing_later(
    store: Store, ledger: Ledger, replaced: timedelta, said: timedelta
) -> None:
    fill(store, ledger, 3)
    cosign_by(ledger, WITNESS, BEGIN + timedelta(hours=3))
    fill(store, ledger, 4, start=3)
    cosign_by(ledger, WITNESS, BEGIN + said)
    found = read(written(ledger), [WitnessKey(WITNESS.public, BEGIN + replaced), WitnessKey(NEWER.public)])
    assert (found["cosigned"], found["replaced"]) == ({SEEN: 3}, {SEEN: 7})


def test_behind_a_newer_key_of_its_witness_an_older_one_counts_for_nothing(store: Store, ledger: Ledger) -> None:
    """No clock is asked: what the newer key has cosigned came after the rotation."""
    fill(store, ledger, 3)
    cosign_by(ledger, NEWER, BEGIN + timedelta(hours=3))
    fill(store, ledger, 4, start=3)
    cosign_by(ledger, WITNESS, BEGIN + timedelta(hours=3))
    found = read(written(ledger), [WitnessKey(WITNESS.public, BEGIN + timedelta(days=9)), WitnessKey(NEWER.public)])
    assert (found["cosigned"], found["replaced"]) == ({SEEN: 3}, {SEEN: 7})


def test_a_log_with_as_many_witnesses_as_a_note_holds_is_written_and_read(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 3)
    note = ledger.checkpoint()
    most, names = MAX_SIGNATURES - 2, [f"tansiq.example/w{n}" for n in range(MAX_SIGNATURES)]
    assert most >= 60
    for name in names[:most]:
        _, line = cosign(note, (ORIGIN, KEYS.public), NOTHING_SEEN, [], (name, WITNESS), BEGIN)
        ledger.add_cosignature(line, name, WITNESS.public, 3)
        ledger.add_cosignature(line, name, WITNESS.public, 3)
    _, line = cosign(note, (ORIGIN, KEYS.public), NOTHING_SEEN, [], (names[most], WITNESS), BEGIN)
    with pytest.raises(Conflict) as failure:
        ledger.add_cosignature(line, names[most], WITNESS.public, 3)
    assert failure.value.code == "note.full"
    head, rest = parse_archive_head((lines := written(ledger))[0].rstrip(b"\n")), (x.rstrip(b"\n") for x in lines[1:])
    report, leaves = verify_archive(head, rest, NODE, (KEYS.public,), dict.fromkeys(names, ONLY))
    assert len(list(leaves)) == 3
    assert report.cosigned == dict.fromkeys(names[:most], 3)
    assert ledger.verify().ok


def test_of_one_key_the_first_line_stays(store: Store, ledger: Ledger) -> None:
    """A witness that is asked again says it again: that must not fill the note."""
    fill(store, ledger, 3)
    for hour in range(MAX_SIGNATURES):
        cosign_by(ledger, WITNESS, BEGIN + timedelta(hours=hour))
    note = ledger.checkpoint()
    assert note.count(f"— {SEEN} ") == 1
    assert verify_cosignature(note, SEEN, WITNESS.public).at == BEGIN


def test_groups_of_leaves_and_one_that_comes_meanwhile(
    store: Store, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tansiq.ledger.service.ARCHIVED", 4)
    fill(store, ledger)
    lines = []
    for n, line in enumerate(ledger.archive(None, "", [])):
        lines.append(line)
        if n == 5:
            fill(store, ledger, 3, start=COUNT)
    assert read(lines)["size"] == COUNT


def _without(n: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda lines: lines[:n] + lines[n + 1 :]


def _changed(n: int, **more: object) -> Callable[[list[bytes]], list[bytes]]:
    def work(lines: list[bytes]) -> list[bytes]:
        value = json.loads(lines[n])
        return [*lines[:n], canonical(value | more) + b"\n", *lines[n + 1 :]]

    return work


def _opening(lines: list[bytes]) -> list[bytes]:
    value = json.loads(lines[3])
    value["disclosed"]["content"]["justification"] = "another"
    return [*lines[:3], canonical(value) + b"\n", *lines[4:]]


BROKEN: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "a leaf left out": _without(4),
    "the last left out": _without(COUNT),
    "two changed places": lambda x: [*x[:3], x[4], x[3], *x[5:]],
    "one more": lambda x: [*x, x[-1]],
    "another verb": _changed(2, verb="erase"),
    "another subject": _changed(2, subject="e-9"),
    "another time": _changed(2, at="2026-11-20T22:00:00.001Z"),
    "another opening": _opening,
    "a smaller size": _changed(0, size=COUNT - 1),
    "a larger size": _changed(0, size=COUNT + 1),
    "another origin": _changed(0, origin="tansiq.example/de"),
    "no checkpoint": lambda x: signed_again([*x[:-2], x[-1]]),
    "a checkpoint that is none": lambda x: [*x[:-2], canonical({"checkpoint": "x"}) + b"\n", x[-1]],
    "a checkpoint that is no text": lambda x: [*x[:-2], canonical({"checkpoint": 1}) + b"\n", x[-1]],
    "a checkpoint in the wrong place": lambda x: [*x[:-3], x[-2], x[-3], x[-1]],
    "a checkpoint twice": lambda x: [*x[:-1], x[-2], x[-1]],
    "opened and erased": _changed(1, erased=True),
    "another type": _changed(0, type="tansiq.ledger.log.v2"),
    "another suite": _changed(0, suite="x"),
    "a wrong choice": _changed(0, opened={"since": ""}),
    "a wrong verb chosen": _changed(
        0, opened={"since": "", "until": "", "verb": "look", "officer": "", "subjects": None}
    ),
    "cards that are none": _changed(0, witnesses=[1]),
    "a field too many": _changed(1, more=1),
    "erased by a text": _changed(1, erased="no"),
    "an opening without salt": _changed(1, disclosed={"content": {}}),
    "not canonical": lambda x: [x[0], b" " + x[1], *x[2:]],
    "not JSON": lambda x: [x[0], b"{\n", *x[2:]],
    "nothing at all": lambda _: [b""],
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_changed_does_not_verify(sqlite_store: Store, name: str) -> None:
    ledger = Ledger(sqlite_store, KEYS, Vault(b"v" * 32), node_id("ES", KEYS.public), ORIGIN)
    fill(sqlite_store, ledger)
    lines = written(ledger, Wanted())
    assert read(lines)["opened"] == COUNT
    with pytest.raises(TansiqError) as failure:
        read(BROKEN[name](lines))
    assert isinstance(failure.value, Untrusted) or failure.value.code == "suite.unknown"


def test_a_log_of_other_keys_is_not_this_log(store: Store) -> None:
    other = Ledger(store, WITNESS, Vault(b"v" * 32), node_id("ES", WITNESS.public), ORIGIN)
    fill(store, other)
    with pytest.raises(Untrusted):
        read(written(other))
