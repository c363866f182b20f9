"""A rotation that is cut off is finished by the next start; keys that are not ours are never signed for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tansiq import crypto
from tansiq.errors import Broken, TansiqError
from tansiq.exchange import Exchange, verify_card_file
from tansiq.node import NEXT, Node
from tansiq.serving import serve
from tests.support.transcripts import run


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "rabat"
    Node.init(folder, "Rabat", "MA").close()
    return folder


class CutOff(Exception):
    """The power fails."""


def test_a_cut_before_the_new_card_is_kept_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (home / "node.keys").read_bytes()

    def fail(_self: Exchange, _new: crypto.NodeKeys) -> bytes:
        raise CutOff

    with monkeypatch.context() as cut:
        cut.setattr(Exchange, "rotate", fail)
        with pytest.raises(CutOff):
            Node.rotate(home)
    assert (home / "node.keys").read_bytes() == before
    node = Node.open(home)
    assert node.exchange.card().version == 1
    node.close()
    assert verify_card_file(Node.rotate(home)).card.version == 2


def test_a_cut_between_the_card_and_the_key_file_is_finished_by_the_next_start(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Exchange.rotate

    def then_fail(self: Exchange, new: crypto.NodeKeys) -> bytes:
        real(self, new)
        raise CutOff

    with monkeypatch.context() as cut:
        cut.setattr(Exchange, "rotate", then_fail)
        with pytest.raises(CutOff):
            Node.rotate(home)
    assert (home / "node.keys").with_suffix(NEXT).exists()
    for _ in range(2):
        node = Node.open(home)
        assert (node.exchange.card().version, len(node.exchange.former)) == (2, 1)
        assert node.ledger.verify().ok
        node.close()
        assert not (home / "node.keys").with_suffix(NEXT).exists()


def test_the_keys_of_another_node_are_still_called_broken(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Node.init(other, "Other", "MA").close()
    for name in ("node.keys", "node.kek"):
        (home / name).write_bytes((other / name).read_bytes())
    with pytest.raises(Broken) as failure:
        Node.open(home)
    assert failure.value.code == "card.keys_changed"


def test_an_entry_that_no_key_of_ours_signed_gets_no_good_signature(home: Path) -> None:
    node = Node.open(home)
    stranger = crypto.NodeKeys.generate("MA", now=node.clock())
    node.close()
    Node.rotate(home)
    node = Node.open(home)
    try:
        forged = crypto.sign("application/vnd.tansiq.entry.v1+json", b"{}", stranger.signing, node.node_id)
        assert node.exchange.under_present_keys(forged) == forged
        with pytest.raises(TansiqError):
            crypto.verify(forged, "application/vnd.tansiq.entry.v1+json", node.keys.signing.public, node.node_id)
    finally:
        node.close()


def test_an_entry_that_former_keys_signed_in_a_batch_goes_under_the_present_ones(home: Path) -> None:
    """The same statement; what it was signed with is not signed anew."""
    kind = "application/vnd.tansiq.entry.v1+json"
    node = Node.open(home)
    batch = [crypto.Member(kind, b'{"v":1}'), crypto.Member("application/vnd.tansiq.envelope.v1", b"x")]
    raw = crypto.begin_batch(batch[0], batch[1:], node.keys.signing, node.node_id).whole()
    assert node.exchange.under_present_keys(raw) == raw
    node.close()
    Node.rotate(home)
    node = Node.open(home)
    try:
        again = node.exchange.under_present_keys(raw)
        assert not crypto.peek(again).in_batch
        assert crypto.verify(again, kind, node.keys.signing.public, node.node_id) == b'{"v":1}'
        assert node.exchange.under_present_keys(again) == again
    finally:
        node.close()


def test_the_database_of_the_environment_is_kept_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later command in another shell must not open an empty database beside the real one."""
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    monkeypatch.setenv("TANSIQ_DATABASE", url)
    assert run(["--home", "rabat", "node", "init", "--name", "Rabat", "--country", "MA"])[0] == 0
    monkeypatch.delenv("TANSIQ_DATABASE")
    assert url in (tmp_path / "rabat" / "tansiq.toml").read_text("utf-8")
    assert run(["--home", "rabat", "officer", "add", "yasmine", "--role", "analyst"])[0] == 0
    assert sorted(p.name for p in tmp_path.glob("**/*.db")) == ["elsewhere.db"]
    taken = ["--home", "madrid", "node", "init", "--name", "Madrid", "--country", "ES", "--database", url]
    code, _, err = run(taken)
    assert code == 5
    assert "node.database_taken" in err
    assert not (tmp_path / "madrid" / "tansiq.toml").exists(), "init may be said again"


def test_who_was_opened_before_a_rotation_does_not_serve_under_the_former_keys(home: Path) -> None:
    opened = Node.open(home)
    Node.rotate(home)
    with pytest.raises(Broken) as caught:
        serve(opened, 0)
    assert caught.value.code == "card.keys_changed"
    opened.close()


def test_the_chosen_database_is_made_and_not_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TANSIQ_DATABASE", f"sqlite:///{tmp_path / 'another.db'}")
    url = f"sqlite:///{tmp_path / 'chosen.db'}"
    code, _, err = run(["--home", "r", "node", "init", "--name", "R", "--country", "MA", "--database", url])
    assert code == 0, err
    assert [p.name for p in tmp_path.glob("*.db")] == ["chosen.db"]


def test_a_password_in_the_address_is_never_written_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = "postgresql://me:very-secret@127.0.0.1:1/nowhere"
    code, out, err = run(["--home", "r", "node", "init", "--name", "R", "--country", "MA", "--database", url])
    assert code == 2
    assert "node.database_password" in err
    assert "very-secret" not in out + err
    monkeypatch.setenv("TANSIQ_DATABASE", url)
    assert run(["--home", "r", "node", "init", "--name", "R", "--country", "MA"])[0] != 0
    for file in (Path(p) for p, _d, names in os.walk(tmp_path) for _ in names):
        assert "very-secret" not in " ".join(f.read_text("utf-8", "replace") for f in file.iterdir() if f.is_file())
