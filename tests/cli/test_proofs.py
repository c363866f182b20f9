"""`tansiq ledger verify FILE`: what a third party accepts, and what it does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_beside_a_running_node import REPORT
from tests.support.transcripts import run


def said(*words: str) -> dict[str, Any]:
    code, out, err = run([*words, "--json"])
    assert code == 0, out + err
    return json.loads(out)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The proof that Madrid received a report of Rabat's; the envelopes went by hand."""
    folder = tmp_path_factory.mktemp("proofs")
    for name, country in (("rabat", "MA"), ("madrid", "ES")):
        said("--home", str(folder / name), "node", "init", "--name", name, "--country", country)
        said("--home", str(folder / name), "officer", "add", "officer", "--role", "analyst", "--role", "liaison")
        said("--home", str(folder / name), "node", "card", "--out", str(folder / f"{name}.card"))
    rabat, madrid = str(folder / "rabat"), str(folder / "madrid")
    said("--home", rabat, "peer", "add", str(folder / "madrid.card"))
    said("--home", madrid, "peer", "add", str(folder / "rabat.card"))
    body, file, proof = folder / "body", str(folder / "parcel"), folder / "proof"
    body.write_text(json.dumps(REPORT), encoding="utf-8")
    who = ("--home", rabat, "--purpose", "prevention", "--why", "case 12")
    entry = said(*who, "dossier", "open", "report", str(body), "--to", "es", "--no-send")["entry"]
    said(*who, "courier", "export", "es", file)
    said("--home", madrid, "courier", "import", file)
    said("--home", madrid, "--why", "case 12", "courier", "export", "ma", file)
    said("--home", rabat, "courier", "import", file)
    said("--home", rabat, "ledger", "prove", entry, "--out", str(proof))
    return json.loads(proof.read_text(encoding="utf-8"))


def verify(bundle: object, folder: Path) -> tuple[int, dict[str, Any]]:
    file = folder / "proof.json"
    file.write_text(json.dumps(bundle), encoding="utf-8")
    code, out, _ = run(["ledger", "verify", str(file), "--json"])
    return code, json.loads(out)


def test_a_true_proof_says_who_wrote_what_and_who_received_it_when(bundle: dict[str, Any], tmp_path: Path) -> None:
    code, found = verify(bundle, tmp_path)
    assert code == 0, found
    assert found["entry"]["type"] == "report.given"
    assert [r["received"] for r in found["receipts"]] == [True]
    assert {leaf["verb"] for leaf in found["leaves"]} >= {"disclose"}


OTHER = "e-" + "0" * 64
CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "another subject": lambda b: b.update(subject=OTHER),
    "another index": lambda b: b["leaves"][0].update(index=b["leaves"][0]["index"] + 1),
    "another card": lambda b: b.update(card=b["card"].replace("a", "b", 1)),
    "a changed entry": lambda b: b.update(entry="A" + b["entry"][1:]),
    "a changed receipt": lambda b: b["receipts"][0].update(envelope_sha256="0" * 64),
    "a receipt for something else": lambda b: b["receipts"][0].update(ref=OTHER),
    "an unknown field": lambda b: b.update(sauce=1),
    "no card": lambda b: b.update(card=""),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_a_changed_proof_proves_nothing(name: str, bundle: dict[str, Any], tmp_path: Path) -> None:
    changed = copy.deepcopy(bundle)
    CHANGES[name](changed)
    code, found = verify(changed, tmp_path)
    assert code in (2, 7), found
    assert found["code"] != "broken.unexpected"
