"""Threat: a clock that stood ahead for a moment and is right again.

What ran under the wrong clock must not keep the node from what is due under the right one: no erasure waits for an
hour of a year that has not come.
"""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from tansiq import serving
from tansiq.serving import Workers
from tests.support.services import Federation

YEARS = timedelta(days=4000)


@pytest.mark.parametrize("loop", ["sweep", "private.tick"])
def test_what_is_due_is_done_again_once_the_clock_is_right(
    services: Federation, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    rabat = services.nodes["rabat"]
    done = threading.Semaphore(0)
    monkeypatch.setattr(serving, "ROUND_S", 0.05)
    monkeypatch.setattr(serving, "SWEEP_S", 0.1)
    if loop == "sweep":
        monkeypatch.setattr(rabat, "sweep", done.release)
    else:
        monkeypatch.setattr(rabat.private, "tick", done.release)
    services.clock.pass_time(YEARS)
    workers = Workers(rabat)
    workers.start()
    try:
        assert done.acquire(timeout=10), "under the wrong clock"
        services.clock.pass_time(-YEARS)
        for _ in range(2):
            assert done.acquire(timeout=10), "and under the right one"
    finally:
        rabat.stop()
        workers.join()
