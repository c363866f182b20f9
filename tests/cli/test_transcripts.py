"""Every transcript beside this file, played in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.transcripts import play

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(p.name for p in HERE.glob("*.txt")))
def test_a_transcript_is_what_the_program_does(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    play((HERE / name).read_text(encoding="utf-8"), tmp_path)
