"""The program sends its log to the error stream of its call, which a test takes away at its end: so does this."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tansiq.cli.main import call


@pytest.fixture(autouse=True)
def log_of_its_own() -> Iterator[None]:
    """Else whatever logs in a later test of the same process would write into a closed stream."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rabat's node, made by its command in the folder that the test stands in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TANSIQ_DATABASE", raising=False)
    assert call(["--home", "rabat", "node", "init", "--name", "Rabat", "--country", "MA", "--port", "0"]) == 0
    return tmp_path / "rabat"
