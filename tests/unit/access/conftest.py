"""An `Access` on a clock that the test turns, with passwords that cost nothing."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from tansiq.access import Access, PasswordCost
from tansiq.crypto import Vault
from tansiq.store import Store

CHEAP = PasswordCost(passes=1, memory_kib=8, lanes=1)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def vault() -> Vault:
    return Vault(b"v" * 32)


@pytest.fixture
def access(sqlite_store: Store, vault: Vault, clock: Clock) -> Access:
    return Access(sqlite_store, vault, clock, random.Random(7).randbytes, CHEAP)  # noqa: S311  repeats on purpose
