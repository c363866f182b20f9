"""A home that its command made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tansiq.cli.main import call


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rabat's node, made by its command in the folder that the test stands in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TANSIQ_DATABASE", raising=False)
    assert call(["--home", "rabat", "node", "init", "--name", "Rabat", "--country", "MA", "--port", "0"]) == 0
    return tmp_path / "rabat"
