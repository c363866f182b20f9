"""What passes through the evaluator's pipe, and what it keeps: length-prefixed MessagePack, strict, bounded.

Both ends are one service's own, but a broken node must not be able to make the key process misbehave, so its bytes
are read like a stranger's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tansiq.errors import Broken, Invalid
from tansiq.evaluator.model import Alarm, Charge, KeyName, Tier
from tansiq.terms import NodeId

MAX_FRAME = 64 * 1024 * 1024
LENGTH_BYTES = 4
MAX_INPUTS = 200_000
_MAX_COUNT = 2**40


class _Message(msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="do"):
    """One message."""


class Unlock(_Message, tag="unlock", frozen=True):
    """First of all: the key under which the seeds rest."""

    kek: bytes


class OpenEpoch(_Message, tag="open_epoch", frozen=True):
    """A new epoch; the one before it goes into grace until `grace_until` (a day's ordinal)."""

    epoch: int
    grace_until: int


class DestroyEpoch(_Message, tag="destroy_epoch", frozen=True):
    epoch: int


class Revoke(_Message, tag="revoke", frozen=True):
    partner: str


class Restore(_Message, tag="restore", frozen=True):
    partner: str


class SetQuota(_Message, tag="set_quota", frozen=True):
    partner: str
    tier: Tier
    per_day: int
    burst: int
    burst_days: int


class SetCeiling(_Message, tag="set_ceiling", frozen=True):
    tier: Tier
    per_day: int


class PublicKey(_Message, tag="public_key", frozen=True):
    holder: str
    partner: str
    tier: Tier
    epoch: int


class SetUp(_Message, tag="set_up", frozen=True):
    """The holder's own keys, evaluated without a quota: they are its own holding."""

    holder: str
    partner: str
    tier: Tier
    epoch: int
    inputs: list[bytes]


class Evaluate(_Message, tag="evaluate", frozen=True):
    """A partner's batch: 32 bytes an element."""

    holder: str
    partner: str
    tier: Tier
    epoch: int
    sequence: int
    elements: bytes


class ReadMeter(_Message, tag="read_meter", frozen=True):
    pass


class Stop(_Message, tag="stop", frozen=True):
    pass


Request = (
    Unlock
    | OpenEpoch
    | DestroyEpoch
    | Revoke
    | Restore
    | SetQuota
    | SetCeiling
    | PublicKey
    | SetUp
    | Evaluate
    | ReadMeter
    | Stop
)


class Done(_Message, tag="done", frozen=True):
    pass


class Key(_Message, tag="key", frozen=True):
    public: bytes


class Outputs(_Message, tag="outputs", frozen=True):
    """64 bytes for each input, in order."""

    outputs: bytes


class AlarmWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    kind: str
    partner: str
    tier: str
    count: int
    of: int


class Evaluated(_Message, tag="evaluated", frozen=True):
    elements: bytes
    proof: bytes
    left: int
    alarms: list[AlarmWire]


class SpentWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    partner: str
    tier: Tier
    spent: int
    per_day: int


class EpochWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    epoch: int
    state: str
    began: int
    until: int


class Meter(_Message, tag="meter", frozen=True):
    day: int
    spent: list[SpentWire]
    epochs: list[EpochWire]
    revoked: list[str]


class Failed(_Message, tag="failed", frozen=True):
    kind: str
    code: str
    message: str
    step: str
    field: str


Answer = Done | Key | Outputs | Evaluated | Meter | Failed


class SeedWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    epoch: int
    state: str
    began: int
    until: int
    seed: bytes


class QuotaWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    partner: str
    tier: Tier
    per_day: int
    burst: int
    burst_days: int


class StateWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What rests in the sealed file."""

    v: int
    seeds: list[SeedWire]
    quotas: list[QuotaWire]
    ceilings: dict[str, int]
    revoked: list[str]


class LineWire(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One line of the meter's book."""

    d: int
    e: int
    h: str
    p: str
    t: Tier
    s: int
    n: int
    b: int


_FAILURES = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)
_requests: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Answer)
_states = msgspec.msgpack.Decoder(StateWire)
_lines = msgspec.json.Decoder(LineWire)


def encode(message: _Message) -> bytes:
    """The frame of a message. Raises `Invalid("evaluator.too_large")`."""
    raw = msgspec.msgpack.encode(message)
    if len(raw) > MAX_FRAME:
        raise Invalid("evaluator.too_large", "more than one message holds", step="evaluator")
    return len(raw).to_bytes(LENGTH_BYTES, "big") + raw


def parse_length(raw: bytes) -> int:
    """How many bytes follow. Raises `Invalid("evaluator.malformed")`."""
    length = int.from_bytes(raw, "big")
    if len(raw) != LENGTH_BYTES or not 0 < length <= MAX_FRAME:
        raise Invalid("evaluator.malformed", "not a message's length", step="evaluator")
    return length


def parse_request(raw: bytes) -> Request:
    """What the node asks. Raises `Invalid("evaluator.malformed")`."""
    try:
        message: Request = _requests.decode(raw)
    except _FAILURES as exc:
        raise Invalid("evaluator.malformed", "not a request to the evaluator", step="evaluator") from exc
    for name in ("epoch", "sequence", "per_day", "burst", "burst_days", "grace_until"):
        if not 0 <= getattr(message, name, 0) <= _MAX_COUNT:
            raise Invalid("evaluator.malformed", "a count out of range", step="evaluator", field=name)
    if isinstance(message, SetUp) and len(message.inputs) > MAX_INPUTS:
        raise Invalid("evaluator.too_large", "too many inputs in one message", step="evaluator", field="inputs")
    return message


def parse_answer(raw: bytes) -> Answer:
    """What the evaluator answers. Raises `Broken("evaluator.malformed")`: it is our own process."""
    try:
        answer: Answer = _answers.decode(raw)
    except _FAILURES as exc:
        raise Broken("evaluator.malformed", "not an answer of the evaluator", step="evaluator") from exc
    return answer


def parse_state(raw: bytes) -> StateWire:
    """What the sealed file held."""
    try:
        state = _states.decode(raw)
    except _FAILURES as exc:
        raise Broken("evaluator.state", "the evaluator's kept state is damaged", step="evaluator") from exc
    if state.v != 1:
        raise Broken("evaluator.state", "the evaluator's kept state is of another version", step="evaluator")
    return state


def charge_line(charge: Charge) -> bytes:
    """One line of the meter's book."""
    name = charge.name
    line = LineWire(
        charge.day, name.epoch, name.holder, name.partner, name.tier, charge.sequence, charge.count, charge.from_burst
    )
    return msgspec.json.encode(line) + b"\n"


def parse_book(raw: bytes) -> list[Charge]:
    """The charges of the book. A last line that was cut off was never evaluated; any other damage is `Broken`."""
    found = []
    lines = raw.split(b"\n")
    for line in lines[:-1]:  # what stands behind the last newline is a torn write
        try:
            read = _lines.decode(line)
        except _FAILURES as exc:
            raise Broken("meter.book", "the meter's book is damaged", step="meter") from exc
        name = KeyName(NodeId(read.h), NodeId(read.p), read.t, read.e)
        found.append(Charge(name, read.s, read.n, read.b, read.d, 0))
    return found


def alarm_wire(alarm: Alarm) -> AlarmWire:
    return AlarmWire(alarm.kind.value, alarm.partner, alarm.tier, alarm.count, alarm.of)
