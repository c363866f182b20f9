"""`tansiq ledger settle`, after a real fork: a home is put back to an older copy and goes on from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.transcripts import run

WHY = ("--reason", "called Rabat: a disk failed and a copy was restored")


def said(*words: str, code: int = 0) -> dict:
    """The JSON answer of a command that must end so."""
    ended, out, err = run([*words, "--json"])
    assert ended == code, out + err
    return json.loads(out)


def act(home: str, times: int = 1) -> None:
    for _ in range(times):
        said("--home", home, "--purpose", "investigation", "--why", "case 7", "match", "Torben Westerhagen")


@pytest.fixture
def forked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """Madrid cosigned Rabat's log; Rabat was put back to a copy of before, and wrote other leaves since."""
    monkeypatch.chdir(tmp_path)
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    for name, country in (("rabat", "MA"), ("madrid", "ES")):
        said("--home", name, "node", "init", "--name", name.title(), "--country", country)
        said("--home", name, "officer", "add", "ana", "--role", "analyst")
        said("--home", name, "node", "card", "--out", f"{name}.card")
    said("--home", "madrid", "officer", "add", "omar", "--role", "supervisor")
    said("--home", "rabat", "peer", "add", "madrid.card")
    said("--home", "madrid", "peer", "add", "rabat.card")
    act("rabat", 2)
    shutil.copytree("rabat", "copy")
    act("rabat", 1)
    size = said("--home", "rabat", "ledger", "invite", "--out", "first.request")["size"]
    said("--home", "madrid", "ledger", "witness", "ma", "first.request", "--out", "first.line")
    shutil.rmtree("rabat")
    shutil.copytree("copy", "rabat")
    act("rabat", 2)
    said("--home", "rabat", "ledger", "verify")
    said("--home", "rabat", "ledger", "invite", "--seen", str(size), "--out", "again.request")
    found = said("--home", "madrid", "ledger", "witness", "ma", "again.request", "--out", "x", code=7)
    assert found["code"] == "witness.inconsistent"
    assert not Path("x").exists()
    return trouble()


def trouble() -> dict:
    """As `ledger witnesses` shows it, which ends with 7 while there is any."""
    ended, out, _ = run(["--home", "madrid", "ledger", "witnesses", "--json"])
    (one,) = json.loads(out)["witnesses"]
    assert ended == (7 if one["trouble"] else 0)
    return one


@pytest.mark.parametrize(
    ("officer", "peer", "more", "exit_code", "code", "field"),
    [
        ("ana", "ma", WHY, 3, "witness.role", "role"),
        ("omar", "ma", ("--reason", "short"), 2, "witness.reason", "reason"),
        ("omar", "ma", (), 2, "cli.usage.missing", "--reason"),
        ("omar", "ma", (*WHY, "--anew", ""), 5, "witness.head_moved", "anew"),
        ("omar", "ma", (*WHY, "--anew", "00" * 32), 5, "witness.head_moved", "anew"),
        ("omar", "fr", WHY, 4, "peer.unknown", ""),
    ],
)
def test_what_is_refused_names_its_field_and_changes_nothing(
    forked: dict, officer: str, peer: str, more: tuple[str, ...], exit_code: int, code: str, field: str
) -> None:
    assert forked["trouble"] == "rewritten"
    found = said("--home", "madrid", "--officer", officer, "ledger", "settle", peer, *more, code=exit_code)
    assert found["code"] == code
    assert not field or found["field"] == field
    assert trouble() == forked


def test_it_stays_distrusted_or_starts_anew_at_the_head_that_was_compared(forked: dict) -> None:
    omar = ("--home", "madrid", "--officer", "omar")
    assert forked["claimed"]["size"] == forked["seen_size"] + 1
    assert said(*omar, "ledger", "settle", "ma", *WHY)["trouble"] == "distrusted"
    assert trouble()["trouble"] == "distrusted"
    found = said("--home", "madrid", "ledger", "witness", "ma", "again.request", "--out", "x", code=3)
    assert found["code"] == "witness.distrusted"
    assert said(*omar, "ledger", "settle", "ma", *WHY, code=5)["code"] == "witness.settled"
    assert said(*omar, "ledger", "settle", "ma", *WHY, "--anew", forked["claimed"]["root"])["trouble"] == ""
    after = trouble()
    assert (after["trouble"], after["seen_size"]) == ("", forked["claimed"]["size"])
    # From there on it is cosigned as before.
    act("rabat")
    said("--home", "rabat", "ledger", "invite", "--seen", str(after["seen_size"]), "--out", "third.request")
    said("--home", "madrid", "ledger", "witness", "ma", "third.request", "--out", "third.line")
    assert said("--home", "madrid", "ledger", "verify")["ok"]
