"""The node's side of the pipe: starts the key process and asks it. One request at a time, from any thread."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TypeVar

from tansiq import errors
from tansiq.errors import Broken, TansiqError
from tansiq.evaluator import wire
from tansiq.evaluator.model import Alarm, AlarmKind, KeyName, Quota, Tier

OUTPUT = 64
_KINDS: dict[str, type[TansiqError]] = {
    kind.__name__: kind
    for kind in (errors.Invalid, errors.Refused, errors.NotFound, errors.Conflict, errors.Untrusted, errors.Broken)
}
_SET_UP_CHUNK = 50_000


class EvaluatorClient:
    """Speaks with one key process. Every verb raises what the process raised, by the same code."""

    def __init__(self, source: IO[bytes], sink: IO[bytes], process: subprocess.Popen[bytes] | None = None) -> None:
        self._source, self._sink, self.process = source, sink, process
        self._lock = threading.Lock()

    def close(self) -> None:
        """Ends the process: it stops when its pipe closes."""
        with self._lock:
            self._sink.close()
            if self.process is not None:
                self.process.wait(timeout=10)
            self._source.close()

    def open_epoch(self, epoch: int, grace_until: int) -> None:
        self._order(wire.OpenEpoch(epoch, grace_until))

    def destroy_epoch(self, epoch: int) -> None:
        self._order(wire.DestroyEpoch(epoch))

    def revoke(self, partner: str) -> None:
        self._order(wire.Revoke(partner))

    def restore(self, partner: str) -> None:
        self._order(wire.Restore(partner))

    def set_quota(self, partner: str, tier: Tier, quota: Quota) -> None:
        self._order(wire.SetQuota(partner, tier, quota.per_day, quota.burst, quota.burst_days))

    def set_ceiling(self, tier: Tier, per_day: int) -> None:
        self._order(wire.SetCeiling(tier, per_day))

    def public_key(self, name: KeyName) -> bytes:
        answer = self._ask(wire.PublicKey(name.holder, name.partner, name.tier, name.epoch))
        return _as(answer, wire.Key).public

    def set_up(self, name: KeyName, inputs: Sequence[bytes]) -> list[bytes]:
        """F(key, input) of the holder's own inputs, 64 bytes each."""
        found: list[bytes] = []
        for at in range(0, len(inputs), _SET_UP_CHUNK):
            part = list(inputs[at : at + _SET_UP_CHUNK])
            answer = self._ask(wire.SetUp(name.holder, name.partner, name.tier, name.epoch, part))
            raw = _as(answer, wire.Outputs).outputs
            if len(raw) != OUTPUT * len(part):
                raise Broken("evaluator.malformed", "not one output for each input", step="evaluator")
            found.extend(raw[i : i + OUTPUT] for i in range(0, len(raw), OUTPUT))
        return found

    def evaluate(self, name: KeyName, sequence: int, elements: bytes) -> tuple[bytes, bytes, int, tuple[Alarm, ...]]:
        """(evaluated elements, proof, what is left of the quota, alarms). Raises `Refused("meter.*" | "batch.*")`."""
        asked = wire.Evaluate(name.holder, name.partner, name.tier, name.epoch, sequence, elements)
        answer = _as(self._ask(asked), wire.Evaluated)
        alarms = tuple(Alarm(AlarmKind(a.kind), a.partner, a.tier, a.count, a.of) for a in answer.alarms)
        return answer.elements, answer.proof, answer.left, alarms

    def meter(self) -> wire.Meter:
        """What was spent today, the epochs, and who is revoked."""
        return _as(self._ask(wire.ReadMeter()), wire.Meter)

    def unlock(self, kek: bytes) -> None:
        self._order(wire.Unlock(kek))

    def _order(self, request: wire.Request) -> None:
        _as(self._ask(request), wire.Done)

    def _ask(self, request: wire.Request) -> wire.Answer:
        with self._lock:
            try:
                self._sink.write(wire.encode(request))
                self._sink.flush()
                head = self._source.read(wire.LENGTH_BYTES)
                raw = self._source.read(wire.parse_length(head)) if head else b""
            except (OSError, ValueError) as exc:
                raise Broken("evaluator.gone", "the key process does not answer", step="evaluator") from exc
        if not raw:
            raise Broken("evaluator.gone", "the key process ended", step="evaluator")
        answer = wire.parse_answer(raw)
        if isinstance(answer, wire.Failed):
            kind = _KINDS.get(answer.kind, Broken)
            raise kind(answer.code, answer.message, step=answer.step, field=answer.field)
        return answer


T = TypeVar("T")


def _as(answer: wire.Answer, kind: type[T]) -> T:
    if not isinstance(answer, kind):
        raise Broken("evaluator.malformed", "another answer than asked for", step="evaluator")
    return answer


def start_evaluator(home: Path, kek: bytes) -> EvaluatorClient:
    """Starts the key process on its own folder and unlocks it. `kek` is 32 bytes of the node's key file."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603  our own module and a path, no shell
        [sys.executable, "-m", "tansiq.evaluator", str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=True,
        start_new_session=True,  # a Ctrl-C for the node is not one for the keys: they stop when the pipe closes
    )
    if process.stdin is None or process.stdout is None:
        raise Broken("evaluator.gone", "the key process has no pipe", step="evaluator")
    client = EvaluatorClient(process.stdout, process.stdin, process)
    try:
        client.unlock(kek)
    except TansiqError:
        client.close()
        raise
    return client
