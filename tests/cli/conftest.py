"""The program sends its log to the error stream of its call, which a test takes away at its end: so does this."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Else whatever logs in a later test of the same process would write into a closed stream."""
    yield
    structlog.reset_defaults()
