"""Waiting for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

EVERY_S = 0.02


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether it comes to hold within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(EVERY_S)
    return False
