"""A file that the settings name and that is not there is called by its key, with what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.node import Node
from tansiq.terms import NodeId
from tests.support.transcripts import run


@pytest.mark.parametrize(
    ("table", "lines", "command", "exit_code", "code", "key"),
    [
        ("keys", 'passphrase_file = "none"', "doctor", 3, "keyfile.passphrase_file", "[keys] passphrase_file"),
        ("keys", 'file = "other.keys"', "doctor", 4, "node.no_keys", "[keys] file"),
        ("policy", 'directory = "none"', "doctor", 2, "policy.no_folder", "[policy] directory"),
        ("web", 'tls_certificate = "c.pem"\ntls_key = "k.pem"', "serve", 2, "web.tls", "[web] tls_certificate"),
    ],
)
def test_a_missing_file_is_named(
    home: Path, table: str, lines: str, command: str, exit_code: int, code: str, key: str
) -> None:
    settings = home / "tansiq.toml"
    settings.write_text(settings.read_text("utf-8").replace(f"[{table}]\n", f"[{table}]\n{lines}\n"), "utf-8")
    found, out, _ = run(["--home", "rabat", command, "--json"])
    said = json.loads(out)
    assert (found, said["code"]) == (exit_code, code)
    assert said["field"].endswith(key)


def test_what_is_no_card_is_told_where_a_card_comes_from(home: Path) -> None:
    (home.parent / "own.csv").write_text("reference,name\n")
    found, _, err = run(["--home", "rabat", "peer", "add", "own.csv"])
    assert found == 7
    assert "FILE|URL: this is no good node card" in err
    assert "tansiq node card --out" in err


def test_who_has_no_card_here_is_named_with_what_waits(home: Path) -> None:
    node, stranger = Node.open(home), NodeId("pt-" + "d" * 20)
    until = node.clock() + timedelta(days=30)
    node.store.write(lambda tx: node.exchange.enqueue(tx, to=stranger, kind="entry", ref="e-1", expires_at=until))
    node.close()
    found, out, _ = run(["--home", "rabat", "courier", "status", "--json"])
    said = json.loads(out)
    assert (found, said["without_card"]) == (0, {stranger: 1})
    assert [d["reason"] for d in said["deliveries"]] == ["peer.no_card"]
    _, out, _ = run(["--home", "rabat", "courier", "status"])
    assert f"1 for {stranger}: its node card is not pinned here" in " ".join(out.split())
