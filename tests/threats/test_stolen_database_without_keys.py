"""Threat: someone carries the database away, without the key file. He learns how much there is, not what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tansiq.crypto import KdfCost, NodeKeys, SigningKeys, Vault, node_id, open_keyfile, seal_keyfile
from tansiq.errors import Broken, Refused
from tansiq.ledger import Ledger
from tansiq.store import Store
from tansiq.terms import LogVerb

KEY, GUESS = b"k" * 32, b"g" * 32
NAME, PHONE = "Yasmine Exemple", "+212600000001"
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def test_a_row_does_not_open_and_does_not_show_its_content() -> None:
    sealed = Vault(KEY).seal("bank_records", "r-1", NAME.encode())
    assert NAME.encode() not in sealed
    assert NAME.split()[0].encode() not in sealed
    with pytest.raises(Broken):
        Vault(GUESS).open("bank_records", "r-1", sealed)


def test_equal_contents_do_not_show_as_equal() -> None:
    vault = Vault(KEY)
    assert len({vault.seal("bank_records", "r-1", NAME.encode()) for _ in range(20)}) == 20


def test_a_guess_cannot_be_tried_on_an_index_key() -> None:
    """Hazard: there are few phone numbers. A plain hash of one is found by hashing them all."""
    stored = Vault(KEY).mac("phone", PHONE)
    assert stored != Vault(GUESS).mac("phone", PHONE)
    assert len(stored) == 32


def test_rows_cannot_be_swapped_by_one_who_can_also_write() -> None:
    vault = Vault(KEY)
    sealed = vault.seal("bank_records", "r-1", NAME.encode())
    for table, row in (("bank_records", "r-2"), ("ledger_contents", "r-1")):
        with pytest.raises(Broken):
            vault.open(table, row, sealed)


def test_the_key_file_beside_it_does_not_open_without_its_passphrase() -> None:
    keys = NodeKeys.generate("MA", now=NOW)
    raw = seal_keyfile(keys, "correct horse", cost=KdfCost(64, 1, 1))
    for secret in (keys.vault_key, keys.signing.to_bytes(), keys.sealing.to_bytes(), b"PRIVATE KEY"):
        assert secret not in raw
    with pytest.raises(Refused):
        open_keyfile(raw, "battery staple")


def test_the_files_of_a_store_do_not_hold_what_the_ledger_logged(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'tansiq.db'}")
    keys = SigningKeys(b"a" * 32, b"b" * 32)
    ledger = Ledger(store, keys, Vault(KEY), node_id("MA", keys.public), "tansiq.example/ma")
    content = {"justification": NAME, "phone": PHONE}
    store.write(lambda tx: ledger.append(tx, verb=LogVerb.CONSULT, subject="e-1", content=content, at=NOW))
    assert ledger.find("e-1")[0].content == content
    store.close()
    carried = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"e-1" in carried
    assert NAME.encode() not in carried
    assert PHONE.encode() not in carried
