"""The loop of the key process: one request, one answer, until the pipe closes. It owns its clock and nothing else.

What it must never import is held by a test: no store, no exchange, no web, no database driver, no matching.
"""

from __future__ import annotations

import mmap
import multiprocessing
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from tansiq.crypto import OprfKey, evaluate
from tansiq.errors import Broken, Invalid, TansiqError
from tansiq.evaluator import wire
from tansiq.evaluator.model import KeyName, Quota
from tansiq.evaluator.room import KeyRoom
from tansiq.terms.ids import parse_node_id

POOL = 2
_WORTH_A_POOL = 2_000
_CHUNK = 500
_OUTPUT = 64


def main(home: Path) -> None:
    """Serves standard input and output. A key must not reach a core file, and a stray print not the pipe."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe, sys.stdout = sys.stdout.buffer, sys.stderr
    serve(sys.stdin.buffer, pipe, home, lambda: datetime.now(UTC).toordinal())


def serve(source: BinaryIO, sink: BinaryIO, home: Path, today: Callable[[], int]) -> None:
    """Answers until the pipe closes or `Stop` comes."""
    room: KeyRoom | None = None
    try:
        while (request := _read(source)) is not None:
            answer: wire.Answer
            try:
                parsed = wire.parse_request(request)
                if isinstance(parsed, wire.Stop):
                    return
                if isinstance(parsed, wire.Unlock):
                    if room is not None:
                        raise Invalid("evaluator.unlocked", "already unlocked", step="evaluator")
                    room, answer = KeyRoom(home, parsed.kek, today), wire.Done()
                elif room is None:
                    raise Invalid("evaluator.locked", "locked: the first message unlocks", step="evaluator")
                else:
                    answer = _answer(room, parsed)
            except TansiqError as failed:
                answer = wire.Failed(type(failed).__name__, failed.code, failed.message, failed.step, failed.field)
            sink.write(wire.encode(answer))
            sink.flush()
    finally:
        if room is not None:
            room.close()


def _read(source: BinaryIO) -> bytes | None:
    """The next message, None when the pipe is closed. A wrong length ends the process: what follows means nothing."""
    head = source.read(wire.LENGTH_BYTES)
    if not head:
        return None
    length = wire.parse_length(head)
    raw = source.read(length)
    return raw if len(raw) == length else None


def _answer(room: KeyRoom, asked: wire.Request) -> wire.Answer:
    """One request to one verb of the room."""
    match asked:
        case wire.Evaluate():
            evaluated, proof, counted = room.evaluate(_name(asked), asked.sequence, asked.elements)
            alarms = [wire.alarm_wire(a) for a in counted.alarms]
            return wire.Evaluated(b"".join(evaluated), proof, counted.left, alarms)
        case wire.SetUp():
            return wire.Outputs(evaluate_all(room.key(_name(asked), set_up=True), asked.inputs))
        case wire.PublicKey():
            return wire.Key(room.key(_name(asked)).public)
        case wire.ReadMeter():
            return _meter(room)
        case _:
            _order(room, asked)
            return wire.Done()


def _order(room: KeyRoom, asked: wire.Request) -> None:
    match asked:
        case wire.OpenEpoch():
            room.open_epoch(asked.epoch, asked.grace_until)
        case wire.DestroyEpoch():
            room.destroy_epoch(asked.epoch)
        case wire.Revoke():
            room.revoke(asked.partner)
        case wire.Restore():
            room.restore(asked.partner)
        case wire.SetQuota():
            room.set_quota(asked.partner, asked.tier, Quota(asked.per_day, asked.burst, asked.burst_days))
        case wire.SetCeiling():
            room.set_ceiling(asked.tier, asked.per_day)
        case _:
            raise Broken("evaluator.request", "a request without an answer", step="evaluator")


def _name(asked: wire.Evaluate | wire.SetUp | wire.PublicKey) -> KeyName:
    return KeyName(
        parse_node_id(asked.holder, "holder"), parse_node_id(asked.partner, "partner"), asked.tier, asked.epoch
    )


def _meter(room: KeyRoom) -> wire.Meter:
    counters, limits = room.counters, room.limits
    spent = [
        wire.SpentWire(partner, tier, count, limits.quota(partner, tier).per_day)
        for (partner, tier), count in sorted(counters.spent.items())
    ]
    epochs = [wire.EpochWire(n, e.state.value, e.began, e.until) for n, e in sorted(room.epochs.items())]
    return wire.Meter(counters.day, spent, epochs, sorted(limits.revoked))


def _share(key: OprfKey, inputs: list[bytes], out: mmap.mmap, mine: range) -> None:
    """A forked worker's part: the key was in its memory when it began, and only outputs leave it."""
    for begin in mine:
        part = b"".join([evaluate(key, message) for message in inputs[begin : begin + _CHUNK]])
        out[begin * _OUTPUT : begin * _OUTPUT + len(part)] = part


def evaluate_all(key: OprfKey, inputs: list[bytes], workers: int = POOL) -> bytes:
    """64 bytes for each input. Many are shared among `workers` processes forked for this call, which end with it."""
    if len(inputs) < _WORTH_A_POOL or workers < 2:
        return b"".join([evaluate(key, message) for message in inputs])
    fork = multiprocessing.get_context("fork")
    with mmap.mmap(-1, _OUTPUT * len(inputs)) as out:
        shares = [range(at * _CHUNK, len(inputs), workers * _CHUNK) for at in range(workers)]
        running = [fork.Process(target=_share, args=(key, inputs, out, share)) for share in shares]
        for one in running:
            one.start()
        for one in running:
            one.join()
        if any(one.exitcode for one in running):  # killed, or out of memory: zeros are no outputs
            raise Broken("evaluator.workers", "a worker ended before its part was done", step="evaluator")
        return bytes(out)
