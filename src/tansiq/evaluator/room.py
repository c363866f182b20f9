"""The key room: seeds, limits and the meter's book, and the one multiplication that they guard.

Order of effects of a batch: check, count, write the count to disk, multiply. A crash after the write costs the
partner its batch; a crash before it costs nothing. Nothing is ever multiplied that is not on disk as counted.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tansiq.crypto import OprfKey, Vault, blind_evaluate_proved, derive_oprf_key, random_bytes, require_element
from tansiq.errors import Conflict, Invalid, NotFound, Refused, TansiqError
from tansiq.evaluator.model import Charge, Counters, EpochState, KeyName, Limits, Quota, Tier
from tansiq.evaluator.rules import BATCH_SIZES, EPOCH_LIFE, advance, charge, forget_epoch, replayed
from tansiq.evaluator.wire import QuotaWire, SeedWire, StateWire, charge_line, parse_book, parse_state

ELEMENT = 32
_STATE, _BOOK = "seeds", "meter"
_COMPACT_AFTER = 50_000


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch: the day it began, the last day it is answered in (0: no end yet), and its seed."""

    state: EpochState
    began: int
    until: int
    seed: bytes

    def __repr__(self) -> str:  # a seed must never reach a log or a traceback
        return f"Epoch({self.state.value}, began={self.began})"


class KeyRoom:
    """Owns its folder: one process at a time. `today` gives the day's ordinal."""

    def __init__(self, home: Path, kek: bytes, today: Callable[[], int]) -> None:
        self._home, self._vault, self._today = home, Vault(kek), today
        self._lock = _locked(home)
        self._keys: dict[KeyName, OprfKey] = {}
        self.epochs: dict[int, Epoch] = {}
        self.limits = Limits()
        self.counters = Counters()
        try:
            charges = self._load()
        except TansiqError:
            os.close(self._lock)
            raise
        for past in charges:
            self.counters = replayed(self.counters, past)
        if len(charges) > _COMPACT_AFTER:
            self._compact(charges)
        self._book = os.open(home / _BOOK, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        os.close(self._book)
        os.close(self._lock)

    # --- epochs and partners ---

    def open_epoch(self, epoch: int, grace_until: int) -> None:
        """A new seed. Every epoch before it is answered until `grace_until`, and not set up again."""
        if epoch in self.epochs or any(old > epoch for old in self.epochs):
            raise Conflict("epoch.number", "an epoch's number goes up", step="evaluator", field="epoch")
        for number, old in self.epochs.items():
            if old.state is EpochState.CURRENT:
                self.epochs[number] = replace(old, state=EpochState.GRACE, until=grace_until)
        self.epochs[epoch] = Epoch(EpochState.CURRENT, self._day(), 0, random_bytes(32))
        self._save()

    def destroy_epoch(self, epoch: int) -> None:
        """Forgets the seed and every key of it. The epoch's number stays used up."""
        found = self._known(epoch)
        if EpochState.DESTROYED not in EPOCH_LIFE[found.state]:
            return
        self.epochs[epoch] = replace(found, state=EpochState.DESTROYED, seed=b"")
        self._keys = {name: key for name, key in self._keys.items() if name.epoch != epoch}
        self.counters = forget_epoch(self.counters, epoch)
        self._save()

    def revoke(self, partner: str) -> None:
        """No more evaluations and no more set-up for this partner, in any epoch."""
        self.limits = replace(self.limits, revoked=self.limits.revoked | {partner})
        self._keys = {name: key for name, key in self._keys.items() if name.partner != partner}
        self._save()

    def restore(self, partner: str) -> None:
        """Takes a revocation back; the caller opens a new epoch with it."""
        self.limits = replace(self.limits, revoked=self.limits.revoked - {partner})
        self._save()

    def set_quota(self, partner: str, tier: Tier, quota: Quota) -> None:
        self.limits = replace(self.limits, quotas={**self.limits.quotas, (partner, tier): quota})
        self._save()

    def set_ceiling(self, tier: Tier, per_day: int) -> None:
        self.limits = replace(self.limits, ceilings={**self.limits.ceilings, tier: per_day})
        self._save()

    # --- keys ---

    def key(self, name: KeyName, *, set_up: bool = False) -> OprfKey:
        """The key, if its epoch and its partner are served. Raises `Refused("meter.revoked" | "epoch.*")`."""
        if name.partner in self.limits.revoked:
            raise Refused("meter.revoked", "this partner's private checks are revoked", step="meter")
        epoch = self._known(name.epoch)
        over = epoch.state is EpochState.GRACE and self._day() > epoch.until
        if epoch.state is EpochState.DESTROYED or over:
            if over:
                self.destroy_epoch(name.epoch)
            raise Refused("epoch.ended", "this epoch is over", step="evaluator", field="epoch")
        if set_up and epoch.state is not EpochState.CURRENT:
            raise Refused("epoch.ended", "only the current epoch is set up", step="evaluator", field="epoch")
        if name not in self._keys:
            self._keys[name] = derive_oprf_key(epoch.seed, name.info)
        return self._keys[name]

    def evaluate(self, name: KeyName, sequence: int, elements: bytes) -> tuple[list[bytes], bytes, Charge]:
        """A partner's batch: counted, written down, then multiplied, with one proof for all of it."""
        if len(elements) % ELEMENT or len(elements) // ELEMENT not in BATCH_SIZES:
            raise Invalid("batch.size", "a batch has 64 or 256 elements", step="evaluator", field="elements")
        asked = [elements[at : at + ELEMENT] for at in range(0, len(elements), ELEMENT)]
        key = self.key(name)
        for element in asked:  # before anything is counted: a broken batch costs its sender nothing
            require_element(element, "elements")
        began = self._known(name.epoch).began
        after, counted = charge(self.limits, self.counters, name, sequence, len(asked), self._today(), began)
        os.write(self._book, charge_line(counted))
        os.fsync(self._book)
        self.counters = after
        evaluated, proof = blind_evaluate_proved(key, asked)
        return evaluated, proof, counted

    def _day(self) -> int:
        self.counters = advance(self.counters, self._today())
        return self.counters.day

    def _known(self, epoch: int) -> Epoch:
        found = self.epochs.get(epoch)
        if found is None:
            raise NotFound("epoch.unknown", "no such epoch", step="evaluator", field="epoch")
        return found

    # --- the folder ---

    def _load(self) -> list[Charge]:
        file = self._home / _STATE
        if file.exists():
            self._take(file)
        return self._read_book()

    def _take(self, file: Path) -> None:
        state = parse_state(self._vault.open("evaluator", _STATE, file.read_bytes()))
        self.epochs = {s.epoch: Epoch(EpochState(s.state), s.began, s.until, s.seed) for s in state.seeds}
        self.limits = Limits(
            {(q.partner, q.tier): Quota(q.per_day, q.burst, q.burst_days) for q in state.quotas},
            {Tier(name): n for name, n in state.ceilings.items()},
            frozenset(state.revoked),
        )

    def _save(self) -> None:
        state = StateWire(
            1,
            [SeedWire(n, e.state.value, e.began, e.until, e.seed) for n, e in self.epochs.items()],
            [QuotaWire(p, t, q.per_day, q.burst, q.burst_days) for (p, t), q in self.limits.quotas.items()],
            {tier.value: n for tier, n in self.limits.ceilings.items()},
            sorted(self.limits.revoked),
        )
        _replace(self._home / _STATE, self._vault.seal("evaluator", _STATE, msgspec.msgpack.encode(state)))

    def _read_book(self) -> list[Charge]:
        file = self._home / _BOOK
        if not file.exists():
            return []
        raw = file.read_bytes()
        charges = parse_book(raw)
        if not raw.endswith(b"\n") and raw:  # a torn write: cut it off, or the next line would grow onto it
            _replace(file, raw[: raw.rfind(b"\n") + 1])
        return charges

    def _compact(self, charges: list[Charge]) -> None:
        """Yesterday's charges matter only as the last number of their epoch and the burst they used."""
        kept: dict[tuple[KeyName, bool], Charge] = {}
        for past in charges:
            today = past.day == self.counters.day
            before = kept.get((past.name, today))
            count, burst = (before.count, before.from_burst) if before else (0, 0)
            kept[past.name, today] = replace(past, count=count + past.count, from_burst=burst + past.from_burst)
        live = {n for n, e in self.epochs.items() if e.state is not EpochState.DESTROYED}
        lines = [charge_line(c) for c in sorted(kept.values(), key=lambda c: c.day) if c.name.epoch in live]
        _replace(self._home / _BOOK, b"".join(lines))


def _locked(home: Path) -> int:
    """Hazard: two processes on one folder would each count to the quota. The lock ends with its process."""
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(lock)
        raise Conflict("evaluator.running", "another key process uses this folder", step="evaluator") from exc
    return lock


def _replace(file: Path, raw: bytes) -> None:
    """The whole new file or the whole old one, whatever happens in between."""
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)
        out.flush()
        os.fsync(descriptor)
    fresh.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
