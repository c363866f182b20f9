"""Commands beside a running node of the same home, and against a partner's running node, over TLS on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.transcripts import run

REPORT = {
    "facts": {"crime_areas": ["terrorism"], "grade": "B2", "scheme": "4x4"},
    "handling": {"codes": ["H2"]},
    "legal": {
        "purpose": "prevention",
        "legal_basis": "Law 43-20, art. 12",
        "agreement": "ma-es-2019",
        "review_on": "2027-05-22",
        "erase_on": "2029-11-22",
    },
    "parts": [
        {"kind": "narrative", "lang": "en", "text": "Seen at the port."},
        {
            "kind": "entity",
            "entity": {
                "id": "p1",
                "schema": "Person",
                "role": "SUSP",
                "claims": [{"property": "name", "value": "يونس البرنوصي", "grade": "B2", "basis": "fact"}],
            },
        },
    ],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def said(*words: str) -> dict:
    """The JSON answer of a command that must succeed."""
    code, out, err = run([*words, "--json"])
    assert code == 0, out + err
    return json.loads(out)


@pytest.fixture
def madrid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """A running node: its home and the address of its partners' door."""
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)
    home, pages, door = str(tmp_path / "madrid"), free_port(), free_port()
    url = f"https://127.0.0.1:{door}"
    said("--home", home, "node", "init", "--name", "Madrid", "--country", "ES", "--url", url, "--port", str(pages),
         "--exchange-port", str(door))  # fmt: skip
    said("--home", home, "officer", "add", "ines", "--role", "liaison")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tansiq", "--home", home, "serve"],
            stdout=log,
            stderr=log,
            env={k: v for k, v in os.environ.items() if not k.startswith("TANSIQ_")},
        )
        try:
            wait_for(door, process)
            yield home, url
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) in (0, 130)


def wait_for(port: int, process: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "the node ended at once"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the node did not open its door")


def test_a_command_sends_to_a_running_partner_and_its_officers_see_it(madrid: tuple[str, str], tmp_path: Path) -> None:
    home, url = madrid
    rabat = str(tmp_path / "rabat")
    said("--home", rabat, "node", "init", "--name", "Rabat", "--country", "MA")
    said("--home", rabat, "officer", "add", "yasmine", "--role", "analyst", "--role", "liaison")
    card = tmp_path / "rabat.card"
    print_of_rabat = said("--home", rabat, "node", "card", "--out", str(card))["fingerprint"]

    pinned = said("--home", rabat, "peer", "add", url)
    assert pinned["url"] == url
    said("--home", home, "peer", "add", str(card), "--fingerprint", print_of_rabat)  # beside the running node

    body = tmp_path / "report.json"
    body.write_text(json.dumps(REPORT), encoding="utf-8")
    who = ("--home", rabat, "--purpose", "prevention", "--why", "case 12")
    opened = said(*who, "dossier", "open", "report", str(body), "--to", "es")
    assert (opened["sent"], opened["waiting"]) == (1, 0)

    there = said("--home", home, "dossier", "list")["dossiers"]
    assert [d["id"] for d in there] == [opened["dossier"]]
    states = [d["state"] for d in said("--home", rabat, "courier", "status")["deliveries"]]
    assert states == ["received"]
    assert said("--home", home, "ledger", "verify")["ok"]


def test_a_partner_that_is_away_is_no_failure(tmp_path: Path) -> None:
    rabat, madrid = str(tmp_path / "rabat"), str(tmp_path / "madrid")
    said(
        "--home",
        madrid,
        "node",
        "init",
        "--name",
        "Madrid",
        "--country",
        "ES",
        "--url",
        f"https://127.0.0.1:{free_port()}",
    )
    said("--home", rabat, "node", "init", "--name", "Rabat", "--country", "MA")
    said("--home", rabat, "officer", "add", "yasmine", "--role", "analyst", "--role", "liaison")
    card = tmp_path / "madrid.card"
    said("--home", madrid, "node", "card", "--out", str(card))
    said("--home", rabat, "peer", "add", str(card))
    body = tmp_path / "report.json"
    body.write_text(json.dumps(REPORT), encoding="utf-8")
    who = ("--home", rabat, "--purpose", "prevention", "--why", "case 12")
    opened = said(*who, "dossier", "open", "report", str(body), "--to", "es")
    assert (opened["sent"], opened["waiting"]) == (0, 1)


def test_a_url_that_does_not_answer_is_peer_unavailable(tmp_path: Path) -> None:
    rabat = str(tmp_path / "rabat")
    said("--home", rabat, "node", "init", "--name", "Rabat", "--country", "MA")
    code, out, _ = run(["--home", rabat, "peer", "add", f"https://127.0.0.1:{free_port()}", "--json"])
    assert code == 6
    assert json.loads(out)["retry_after_s"] > 0
