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
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
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
    said("--home", madrid, "ledger", "prove", entry, "--out", str(folder / "received"))
    return json.loads(proof.read_text(encoding="utf-8")) | {"folder": str(folder)}


@pytest.fixture(scope="module")
def bundle(made: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in made.items() if name != "folder"}


@pytest.fixture(scope="module")
def received(made: dict[str, Any]) -> dict[str, Any]:
    """The proof of Madrid, which did not write it, that Rabat did, and of when Madrid logged it."""
    return json.loads((Path(made["folder"]) / "received").read_text(encoding="utf-8"))


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


def test_who_received_an_entry_proves_who_wrote_it(
    bundle: dict[str, Any], received: dict[str, Any], tmp_path: Path
) -> None:
    code, found = verify(received, tmp_path)
    assert code == 0, found
    _, own = verify(bundle, tmp_path)
    assert found["entry"] == own["entry"]
    assert found["entry"]["author"] == own["node"] != found["node"]
    assert found["entry"]["fingerprint"] == own["fingerprint"] != found["fingerprint"]


def test_an_author_with_new_keys_is_still_the_author(
    made: dict[str, Any], received: dict[str, Any], tmp_path: Path
) -> None:
    folder = Path(made["folder"])
    said("--home", str(folder / "rabat"), "node", "rotate", "--out", str(folder / "rabat.new"))
    said("--home", str(folder / "madrid"), "peer", "add", str(folder / "rabat.new"))
    said("--home", str(folder / "madrid"), "ledger", "prove", received["subject"], "--out", str(folder / "later"))
    code, later = verify(json.loads((folder / "later").read_text(encoding="utf-8")), tmp_path)
    assert code == 0, later
    _, before = verify(received, tmp_path)
    assert later["entry"]["author"] == before["entry"]["author"]
    assert later["entry"]["fingerprint"] != before["entry"]["fingerprint"]


@pytest.mark.parametrize("author", ["", "its own card"])
def test_without_its_authors_card_an_entry_proves_nothing(
    author: str, received: dict[str, Any], tmp_path: Path
) -> None:
    code, found = verify(received | {"author": author and received["card"]}, tmp_path)
    assert (code, found["code"]) == (7, "proof.author")


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
