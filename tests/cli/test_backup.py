"""`tansiq backup` and `tansiq restore`: what is restored is what was there, and nothing is put over anything."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tansiq.cli.main import call
from tansiq.errors import Refused
from tansiq.node import Node
from tests.support.transcripts import run

PASSPHRASE = "a long sentence that nobody guesses\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("TANSIQ_HOME", "TANSIQ_DATABASE"):
        monkeypatch.delenv(variable, raising=False)


def make(home: str = "rabat", *options: str) -> None:
    assert call(["--home", home, "node", "init", "--name", "Rabat", "--country", "MA", *options]) == 0
    assert call(["--home", home, *options, "officer", "add", "yasmine", "--role", "analyst"]) == 0
    assert call(["--home", home, *options, "--purpose", "investigation", "match", "Younes"]) == 0


def said(argv: list[str]) -> dict[str, object]:
    code, out, err = run([*argv, "--json"])
    assert code == 0, out + err
    found: dict[str, object] = json.loads(out)
    return found


def refused(argv: list[str]) -> tuple[int, str]:
    code, out, _ = run([*argv, "--json"])
    found = json.loads(out)
    assert found["step"], found
    assert found["field"], found
    return code, found["code"]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A node with rules of its own in its home folder, and its backup."""
    make()
    rules = tmp_path / "rabat" / "law" / "agreements"
    rules.mkdir(parents=True)
    (rules / "ma-xx.cedar").write_text("// nothing\n")
    settings = tmp_path / "rabat" / "tansiq.toml"
    settings.write_text(settings.read_text("utf-8").replace('#directory = ""', 'directory = "law"'), "utf-8")
    said(["--home", "rabat", "backup", "b"])
    return tmp_path / "b"


def test_what_is_restored_stands_at_the_same_leaf_and_says_so(backup: Path, tmp_path: Path) -> None:
    before = said(["--home", "rabat", "ledger", "verify"])
    shutil.move("rabat", "lost")
    done = said(["--home", "rabat", "restore", "b"])
    assert (done["leaves"], done["root"]) == (before["size"], before["root"])
    after = said(["--home", "rabat", "ledger", "verify"])
    assert (after["ok"], after["size"]) == (True, int(str(before["size"])) + 1)
    assert said(["--home", "rabat", "doctor"])["ok"] is True
    cards = [said(["--home", home, "node", "card"])["fingerprint"] for home in ("rabat", "lost")]
    assert cards[0] == cards[1]
    assert (tmp_path / "rabat/law/agreements/ma-xx.cedar").exists()
    for folder in (tmp_path / "rabat", backup):
        for path in (folder, *(p for p in folder.rglob("*") if p.is_file())):
            assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_put_over_a_node_that_is_there(backup: Path, tmp_path: Path) -> None:
    whole = (tmp_path / "rabat" / "tansiq.toml").read_bytes()
    assert refused(["--home", "rabat", "restore", "b"]) == (5, "backup.home_taken")
    assert (tmp_path / "rabat" / "tansiq.toml").read_bytes() == whole
    taken = f"sqlite:///{tmp_path / 'rabat' / 'tansiq.db'}"
    assert refused(["--home", "new", "restore", "b", "--database", taken]) == (5, "backup.database_taken")
    assert not (tmp_path / "new").exists()
    assert said(["--home", "rabat", "ledger", "verify"])["ok"] is True


def test_a_backup_goes_into_a_new_folder_outside_of_the_home(backup: Path) -> None:
    assert refused(["--home", "rabat", "backup", "b"]) == (5, "backup.taken")
    assert refused(["--home", "rabat", "backup", "rabat/b"]) == (2, "backup.inside")
    Path("file").write_text("")
    assert refused(["--home", "rabat", "backup", "file"]) == (2, "backup.folder")


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda b: flip(b / "database"), (7, "backup.changed")),
        (lambda b: (b / "database").write_bytes((b / "database").read_bytes()[:-1]), (7, "backup.changed")),
        (lambda b: (b / "database").unlink(), (7, "backup.missing")),
        (lambda b: (b / "home/tansiq.toml").write_text("[node]"), (7, "backup.changed")),
        (lambda b: flip(b / "home/law/agreements/ma-xx.cedar"), (7, "backup.changed")),
        (lambda b: (b / "backup.json").unlink(), (4, "backup.none")),
        (lambda b: (b / "backup.json").write_bytes(b"{}"), (7, "dsse.malformed")),
        (lambda b: (b / "keys/node.keys").unlink(), (4, "backup.keys")),
        (lambda b: (b / "keys/node.kek").unlink(), (3, "keyfile.passphrase")),
        (lambda b: flip(b / "keys/node.kek"), (3, "keyfile.passphrase")),
    ],
)
def test_what_was_changed_is_named_and_leaves_nothing(
    backup: Path, tmp_path: Path, spoil: Callable[[Path], object], expected: tuple[int, str]
) -> None:
    spoil(backup)
    assert refused(["--home", "new", "restore", "b"])[0] == expected[0]
    assert refused(["--home", "new", "restore", "b"]) == expected
    assert not (tmp_path / "new").exists()


def test_another_nodes_keys_open_no_backup(backup: Path, tmp_path: Path) -> None:
    """Who changes a list and signs it with keys of his own is another node."""
    make("other")
    for name in ("node.keys", "node.kek"):
        shutil.copy(tmp_path / "other" / name, backup / "keys" / name)
    assert refused(["--home", "new", "restore", "b"])[0] == 7
    assert not (tmp_path / "new").exists()


def test_keys_that_are_kept_apart_and_a_passphrase(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(PASSPHRASE)
    (tmp_path / "wrong").write_text("another\n")
    make("rabat", "--passphrase-file", "pw")
    said(["--home", "rabat", "--passphrase-file", "pw", "backup", "b"])
    assert sorted(p.name for p in (tmp_path / "b" / "keys").iterdir()) == ["node.keys"]
    shutil.move("b/keys", "safe")
    assert refused(["--home", "new", "--passphrase-file", "pw", "restore", "b"]) == (4, "backup.keys")
    with_keys = ["--home", "new", "restore", "b", "--keys", "safe"]
    assert refused(with_keys) == (3, "keyfile.passphrase")
    assert refused(["--passphrase-file", "wrong", *with_keys])[0] == 3
    assert not (tmp_path / "new").exists()
    said(["--passphrase-file", "pw", *with_keys])
    assert said(["--home", "new", "--passphrase-file", "pw", "doctor"])["ok"] is True


def test_another_database_is_kept_in_the_settings(backup: Path, tmp_path: Path, new_url: str) -> None:
    said(["--home", "new", "restore", "b", "--database", new_url])
    assert not (tmp_path / "new" / "tansiq.db").exists()
    node = Node.open(tmp_path / "new")
    assert node.settings.database.url == new_url
    assert node.ledger.verify().ok
    node.close()
    said(["--home", "new", "backup", "b2"])
    said(["--home", "newer", "restore", "b2", "--database", "sqlite"])
    assert (tmp_path / "newer" / "tansiq.db").exists()
    assert "[database]" in (tmp_path / "newer" / "tansiq.toml").read_text("utf-8")


def test_an_address_that_would_not_count_or_holds_a_password_is_refused(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ["--home", "new", "restore", "b", "--database", "postgresql://rabat:pw@db.example/x"]
    assert refused(secret) == (2, "node.database_password")
    monkeypatch.setenv("TANSIQ_DATABASE", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    assert refused(["--home", "new", "restore", "b", "--database", "sqlite"]) == (2, "backup.two_databases")
    said(["--home", "new", "restore", "b"])
    assert (tmp_path / "elsewhere.db").exists()


def test_a_ledger_that_was_changed_before_the_backup_is_told_and_not_served(backup: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "rabat" / "tansiq.db") as raw:
        raw.execute("update ledger_leaves set leaf_hash = zeroblob(32) where leaf_index = 0")
    raw.close()
    said(["--home", "rabat", "backup", "b2"])
    assert refused(["--home", "new", "restore", "b2"]) == (8, "backup.ledger")


def test_files_outside_of_the_home_are_named(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    settings = tmp_path / "rabat" / "tansiq.toml"
    settings.write_text(settings.read_text("utf-8").replace('"law"', f'"{tmp_path / "outside"}"'), "utf-8")
    assert said(["--home", "rabat", "backup", "b2"])["elsewhere"] == ["[policy] directory"]


def test_one_command_says_who_waits_and_one_confirms(tmp_path: Path) -> None:
    """At three in the morning: what was ended is named, what has to be issued anew too, and nothing acts by itself."""
    make()
    other = ["--home", "madrid", "node", "init", "--name", "Madrid", "--country", "ES"]
    assert call(other) == 0
    assert call(["--home", "madrid", "node", "card", "--out", "madrid.card"]) == 0
    said(["--home", "rabat", "peer", "add", "madrid.card"])
    made = said(["--home", "rabat", "token", "new", "yasmine", "--label", "case system"])
    said(["--home", "rabat", "backup", "b"])
    done = said(["--home", "new", "restore", "b"])
    ended, waits = done["ended"], done["to_confirm"]
    assert isinstance(ended, dict)
    assert isinstance(waits, dict)
    assert [(t["name"], t["label"]) for t in ended["tokens"]] == [("yasmine", "case system")]
    assert (len(waits["officers"]), len(waits["peers"])) == (1, 1)
    node = Node.open(tmp_path / "new")
    try:
        with pytest.raises(Refused):
            node.access.by_token(str(made["token"]))
    finally:
        node.close()
    acts = ["--home", "new", "--officer", "yasmine", "--purpose", "investigation", "match", "Younes"]
    code, out, _ = run([*acts, "--json"])
    assert (code, json.loads(out)["code"], json.loads(out)["hint"]) == (3, "access.officer_held", "tansiq restored")
    there = said(["--home", "new", "restored"])
    assert there["as_of"] == done["at"]
    assert [p["country"] for p in there["waiting"]["peers"]] == ["ES"]  # type: ignore[index]
    assert refused(["--home", "new", "restored", "nobody"]) == (4, "restored.unknown")
    assert refused(["--home", "new", "restored", "es", "--all"]) == (2, "restored.both")
    left = said(["--home", "new", "restored", "es"])["waiting"]
    assert isinstance(left, dict)
    assert (len(left["peers"]), len(left["officers"])) == (0, 1)
    left = said(["--home", "new", "restored", "--all"])["waiting"]
    assert left == {"officers": [], "peers": []}
    said(acts)
    assert said(["--home", "new", "ledger", "verify"])["ok"] is True
