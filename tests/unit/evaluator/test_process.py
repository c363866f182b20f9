"""The key process itself: started for real, asked through its pipe, killed, started again."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.crypto import blind, evaluate, finalize_verified, random_bytes
from tansiq.crypto.oprf import derive_key
from tansiq.errors import Broken, Conflict, Invalid, NotFound, Refused, TansiqError, Untrusted
from tansiq.evaluator import EvaluatorClient, start_evaluator, wire
from tansiq.evaluator.model import AlarmKind, KeyName, Quota, Tier
from tansiq.evaluator.process import evaluate_all, serve
from tansiq.evaluator.room import KeyRoom
from tansiq.terms import NodeId

B, A = NodeId("es-" + "b" * 20), NodeId("ma-" + "a" * 20)
LOW = KeyName(B, A, Tier.LOW, 1)
KEK = bytes(range(32))
DAY = 740_000


def batch(size: int = 64) -> tuple[list, bytes]:
    asked = [blind(b"phone\x1f%d" % n) for n in range(size)]
    return asked, b"".join(b.element for b in asked)


@pytest.fixture
def room(tmp_path: Path):
    made = KeyRoom(tmp_path, KEK, lambda: DAY)
    made.open_epoch(1, 0)
    yield made
    with contextlib.suppress(OSError):  # closed by the test
        made.close()


def test_a_batch_through_the_pipe_gives_what_the_holder_set_up(tmp_path: Path) -> None:
    client = start_evaluator(tmp_path / "keys", KEK)
    try:
        client.open_epoch(1, 0)
        public = client.public_key(LOW)
        asked, elements = batch()
        raw, proof, left, alarms = client.evaluate(LOW, 1, elements)
        outputs = finalize_verified(asked, [raw[i : i + 32] for i in range(0, len(raw), 32)], proof, public)
        assert client.set_up(LOW, [b.input for b in asked]) == outputs
        assert left > 0
        assert alarms == ()
        meter = client.meter()
        assert [(s.partner, s.spent) for s in meter.spent] == [(A, 64)]
        with pytest.raises(Refused) as refused:
            client.evaluate(LOW, 1, elements)
        assert refused.value.code == "batch.replayed"
        with pytest.raises(Untrusted) as broken:
            client.evaluate(LOW, 2, bytes(32) + elements[32:])
        assert broken.value.code == "oprf.identity"
        assert client.meter().spent[0].spent == 64
    finally:
        client.close()
    assert client.process is not None
    assert client.process.returncode == 0


def test_a_killed_process_forgets_no_count_and_keeps_its_keys(tmp_path: Path) -> None:
    home = tmp_path / "keys"
    client = start_evaluator(home, KEK)
    client.open_epoch(1, 0)
    client.set_quota(A, Tier.LOW, Quota(128, 0))
    public = client.public_key(LOW)
    _, elements = batch()
    assert [a.kind for a in client.evaluate(LOW, 1, elements)[3]] == [AlarmKind.QUOTA_HALF]
    assert client.process is not None
    client.process.kill()
    client.process.wait()
    with pytest.raises(Broken, match="key process"):
        client.public_key(LOW)

    again = start_evaluator(home, KEK)
    try:
        assert again.public_key(LOW) == public
        with pytest.raises(Refused) as refused:
            again.evaluate(LOW, 1, elements)
        assert refused.value.code == "batch.replayed"
        assert [a.kind for a in again.evaluate(LOW, 2, elements)[3]] == [AlarmKind.QUOTA_SPENT]
        with pytest.raises(Refused) as refused:
            again.evaluate(LOW, 3, elements)
        assert refused.value.code == "meter.quota"
    finally:
        again.close()


def test_the_process_imports_no_store_no_network_and_no_holding() -> None:
    program = (
        "import sys, tansiq.evaluator.process\n"
        "bad = {'tansiq.store', 'tansiq.matching', 'tansiq.policy', 'tansiq.bank', 'tansiq.exchange', 'tansiq.web',"
        " 'tansiq.private', 'sqlite3', 'sqlalchemy', 'psycopg', 'httpx', 'starlette', 'ssl', 'numpy'}\n"
        "print(sorted(bad & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_seeds_rest_sealed_and_another_key_does_not_open_them(tmp_path: Path, room: KeyRoom) -> None:
    seed = room.epochs[1].seed
    assert seed not in b"".join(f.read_bytes() for f in tmp_path.iterdir())
    assert all(f.stat().st_mode & 0o077 == 0 for f in tmp_path.iterdir())
    assert seed.hex() not in repr(room.epochs[1])
    room.close()
    with pytest.raises(Broken, match="does not open"):
        KeyRoom(tmp_path, bytes(32), lambda: DAY)


def test_rotation_grace_and_destruction(tmp_path: Path) -> None:
    day = [DAY]
    room = KeyRoom(tmp_path, KEK, lambda: day[0])
    room.open_epoch(1, 0)
    first = room.key(LOW).public
    room.open_epoch(2, DAY + 7)
    assert room.key(KeyName(B, A, Tier.LOW, 2)).public != first
    assert room.key(LOW).public == first
    with pytest.raises(Refused) as refused:
        room.key(LOW, set_up=True)
    assert refused.value.code == "epoch.ended"
    day[0] = DAY + 8
    _, elements = batch()
    with pytest.raises(Refused, match="over"):
        room.evaluate(LOW, 1, elements)
    assert room.epochs[1].seed == b""
    room.close()
    again = KeyRoom(tmp_path, KEK, lambda: day[0])
    with pytest.raises(Refused, match="over"):
        again.key(LOW)
    for number in (1, 2):
        with pytest.raises(Conflict, match="goes up"):
            again.open_epoch(number, 0)
    with pytest.raises(NotFound):
        again.key(KeyName(B, A, Tier.LOW, 9))
    again.close()


def test_revocation_is_one_step_and_survives_a_restart(tmp_path: Path, room: KeyRoom) -> None:
    _, elements = batch()
    room.evaluate(LOW, 1, elements)
    room.revoke(A)
    with pytest.raises(Refused, match="revoked"):
        room.evaluate(LOW, 2, elements)
    room.close()
    again = KeyRoom(tmp_path, KEK, lambda: DAY)
    with pytest.raises(Refused) as refused:
        again.evaluate(LOW, 2, elements)
    assert refused.value.code == "meter.revoked"
    with pytest.raises(Refused):
        again.key(LOW, set_up=True)
    again.restore(A)
    again.evaluate(LOW, 2, elements)
    again.close()


def test_every_partner_tier_and_epoch_has_a_key_of_its_own(room: KeyRoom) -> None:
    names = [KeyName(B, p, t, 1) for p in (A, NodeId("fr-" + "c" * 20)) for t in Tier]
    assert len({room.key(n).public for n in names}) == len(names)


def test_a_batch_of_another_size_is_refused(room: KeyRoom) -> None:
    _, elements = batch()
    for wrong in (b"", elements[:-32], elements[:-1], elements + elements):
        with pytest.raises(Invalid) as refused:
            room.evaluate(LOW, 1, wrong)
        assert refused.value.code == "batch.size"


def test_a_torn_line_is_dropped_and_a_changed_book_stops_the_process(tmp_path: Path, room: KeyRoom) -> None:
    _, elements = batch()
    room.evaluate(LOW, 1, elements)
    room.close()
    book = tmp_path / "meter"
    whole = book.read_bytes()
    book.write_bytes(whole + b'{"d":740000,"e":1,"h"')
    again = KeyRoom(tmp_path, KEK, lambda: DAY)
    again.evaluate(LOW, 2, elements)
    again.close()
    third = KeyRoom(tmp_path, KEK, lambda: DAY)
    assert third.counters.spent[A, Tier.LOW] == 128
    third.close()
    book.write_bytes(b"{}\n" + whole)
    with pytest.raises(Broken, match="damaged"):
        KeyRoom(tmp_path, KEK, lambda: DAY)


def test_a_compacted_book_counts_the_same(tmp_path: Path, room: KeyRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    _, elements = batch()
    for sequence in range(1, 6):
        room.evaluate(LOW, sequence, elements)
    room.close()
    monkeypatch.setattr("tansiq.evaluator.room._COMPACT_AFTER", 2)
    KeyRoom(tmp_path, KEK, lambda: DAY).close()
    assert len((tmp_path / "meter").read_bytes().splitlines()) == 1
    again = KeyRoom(tmp_path, KEK, lambda: DAY)
    assert again.counters == room.counters
    again.close()


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path, room: KeyRoom) -> None:
    """Two would each count to the quota."""
    with pytest.raises(Conflict) as refused:
        start_evaluator(tmp_path, KEK)
    assert refused.value.code == "evaluator.running"


def test_a_worker_that_ends_early_is_a_failure_and_never_zeros() -> None:
    """What it did not write would be sixty-four zeros a key: tags that match one another."""
    inputs = [str(n).encode() for n in range(2400)]
    inputs[2399] = bytes(2**16)  # longer than the RFC allows: the worker that has it stops there
    with pytest.raises(Broken, match="before its part was done"):
        evaluate_all(derive_key(bytes(32), b"pool"), inputs)


def test_a_pool_gives_what_one_process_gives() -> None:
    key = derive_key(bytes(32), b"pool")
    inputs = [b"%d" % n for n in range(2_100)]
    assert evaluate_all(key, inputs) == b"".join(evaluate(key, x) for x in inputs)


def talk(tmp_path: Path, raw: bytes) -> list[wire.Answer]:
    sink = io.BytesIO()
    serve(io.BytesIO(raw), sink, tmp_path, lambda: DAY)
    out, answers = sink.getvalue(), []
    while out:
        length = wire.parse_length(out[:4])
        answers.append(wire.parse_answer(out[4 : 4 + length]))
        out = out[4 + length :]
    return answers


def test_nothing_is_answered_before_the_key_and_a_second_key_is_refused(tmp_path: Path) -> None:
    answers = talk(
        tmp_path,
        b"".join(
            map(wire.encode, (wire.ReadMeter(), wire.Unlock(KEK), wire.Unlock(KEK), wire.Stop(), wire.ReadMeter()))
        ),
    )
    assert [getattr(a, "code", "") for a in answers] == ["evaluator.locked", "", "evaluator.unlocked"]


@given(st.binary(max_size=200))
def test_whatever_comes_through_the_pipe_is_answered_or_refused(raw: bytes) -> None:
    for parse in (wire.parse_request, wire.parse_answer, wire.parse_state, wire.parse_book):
        with contextlib.suppress(TansiqError):
            parse(raw)


def test_counts_out_of_range_and_frames_too_long_are_refused() -> None:
    for message in (
        wire.OpenEpoch(-1, 0),
        wire.SetQuota(A, Tier.LOW, -5, 0, 0),
        wire.SetQuota(A, Tier.LOW, 2**50, 0, 0),
    ):
        with pytest.raises(Invalid, match="range"):
            wire.parse_request(wire.encode(message)[4:])
    with pytest.raises(Invalid, match="too many"):
        wire.parse_request(wire.encode(wire.SetUp(B, A, Tier.LOW, 1, [b""] * (wire.MAX_INPUTS + 1)))[4:])
    for head in (b"", bytes(4), b"\xff" * 4):
        with pytest.raises(Invalid, match="length"):
            wire.parse_length(head)
    with pytest.raises(Invalid, match="holds"):
        wire.encode(wire.Evaluate(B, A, Tier.LOW, 1, 1, bytes(wire.MAX_FRAME)))


def test_a_client_whose_process_lies_says_broken() -> None:
    for answer, code in (
        (wire.Done(), "evaluator.malformed"),
        (wire.Failed("Nonsense", "x.y", "said", "", ""), "x.y"),
    ):
        client = EvaluatorClient(io.BytesIO(wire.encode(answer)), io.BytesIO())
        with pytest.raises(Broken) as failed:
            client.public_key(LOW)
        assert failed.value.code == code
    short = EvaluatorClient(io.BytesIO(wire.encode(wire.Outputs(random_bytes(64)))), io.BytesIO())
    with pytest.raises(Broken, match="each input"):
        short.set_up(LOW, [b"a", b"b"])
