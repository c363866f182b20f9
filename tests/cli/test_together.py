"""Examples, figures, judgements and meetings by command: what a script sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tansiq.kinds import KINDS
from tests.support.transcripts import run


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, str]:
    """Rabat and Madrid, pinned to each other; nothing is sent: the envelopes stay queued."""
    found = {}
    for name, country in (("rabat", "MA"), ("madrid", "ES")):
        found[name] = str(tmp_path / name)
        assert run(["--home", found[name], "node", "init", "--name", name.title(), "--country", country])[0] == 0
        assert run(["--home", found[name], "officer", "add", "salma", "--role", "liaison", "--role", "analyst"])[0] == 0
        assert run(["--home", found[name], "node", "card", "--out", f"{found[name]}.card"])[0] == 0
    assert run(["--home", found["rabat"], "peer", "add", f"{found['madrid']}.card", "--json"])[0] == 0
    return found


def rabat(homes: dict[str, str], *words: str) -> tuple[int, dict[str, object]]:
    why = ["--purpose", "public_security", "--why", "case 7 of the desk"]
    code, out, _ = run(["--home", homes["rabat"], *why, *words, "--json"])
    return code, json.loads(out)


def opened(homes: dict[str, str], kind: str, folder: Path) -> str:
    file = folder / f"{kind}.json"
    file.write_text(run(["dossier", "example", kind])[1], encoding="utf-8")
    code, said = rabat(homes, "dossier", "open", kind, str(file), "--to", "es", "--no-send")
    assert code == 0, said
    return str(said["dossier"])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_example_of_each_kind_opens_a_dossier(homes: dict[str, str], tmp_path: Path, kind: str) -> None:
    assert opened(homes, kind, tmp_path).startswith("d-")


def test_a_kind_without_an_example_is_named() -> None:
    code, out, _ = run(["dossier", "example", "rumour", "--json"])
    assert (code, json.loads(out)["field"]) == (2, "KIND")


def test_figures_are_counted_and_given(homes: dict[str, str], tmp_path: Path) -> None:
    opened(homes, "warning", tmp_path)
    committee = opened(homes, "committee", tmp_path)
    code, card = rabat(homes, "scorecard", "--with", "es")
    assert code == 0
    assert card["figures"]["warnings.out"] == 1
    assert card["told"] is None
    code, given = rabat(homes, "scorecard", "--with", "es", "--from", "2026-01-01", "--send", committee)
    assert code == 0
    assert str(given["entry"]).startswith("e-")
    code, said = rabat(homes, "scorecard", "--with", "es", "--from", "yesterday")
    assert (code, said["field"]) == (2, "--from")


def test_a_judgement_is_committed_and_kept_back(homes: dict[str, str], tmp_path: Path) -> None:
    dossier = opened(homes, "assessment", tmp_path)
    for label in ("H1", "H2"):
        body = {"type": "assessment.hypothesis_proposed", "facts": {"label": label}}
        file = tmp_path / "body.json"
        file.write_text(json.dumps({**body, "parts": [{"kind": "hypothesis", "text": f"It is {label}."}]}))
        assert rabat(homes, "dossier", "append", dossier, str(file), "--no-send")[0] == 0
    file.write_text(json.dumps({"type": "assessment.judging_opened"}))
    assert rabat(homes, "dossier", "append", dossier, str(file), "--no-send")[0] == 0
    told = {"likelihood": {"H1": "likely", "H2": "unlikely"}, "percent": {"H1": 70, "H2": 30}, "confidence": "low"}
    file.write_text(json.dumps(told))
    code, said = rabat(homes, "assessment", "judge", dossier, str(file), "--no-send")
    assert code == 0, said
    code, said = rabat(homes, "assessment", "reveal", dossier, "--no-send")
    assert (code, said["title"]) == (2, "Invalid"), "Madrid has not committed and the time is not over"
    code, said = rabat(homes, "dossier", "items", dossier)
    assert code == 0
    assert "committed_by" in [x["head"] for x in said["summary"]]


def test_nothing_meets_where_there_is_one_offer(homes: dict[str, str], tmp_path: Path) -> None:
    opened(homes, "expertise", tmp_path)
    assert rabat(homes, "expertise", "matches") == (0, {"matches": []})
