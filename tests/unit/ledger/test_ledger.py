"""The ledger in its store: append, prove, checkpoint, witness, erase, verify. On both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import Connection, text

from tansiq.crypto import SigningKeys, Vault, node_id
from tansiq.errors import Broken, Conflict, Invalid, NotFound, Untrusted
from tansiq.ledger import (
    EMPTY_ROOT,
    Ledger,
    root,
    verify_bundle,
    verify_checkpoint,
    verify_consistency,
    verify_cosignature,
    verify_inclusion,
)
from tansiq.store import Store
from tansiq.terms import LogVerb

NOW = datetime(2026, 11, 22, 4, 17, 31, 123000, UTC)
KEYS, OTHER = SigningKeys(b"a" * 32, b"b" * 32), SigningKeys(b"c" * 32, b"d" * 32)
ORIGIN, OTHER_ORIGIN = "tansiq.example/ma", "tansiq.example/es"
CONTENT = {"officer": "o-0123456789abcdef", "purpose": "prevention", "clauses": ["LED art. 8"], "decision": "permit"}


def make(store: Store, keys: SigningKeys = KEYS, origin: str = ORIGIN) -> Ledger:
    return Ledger(store, keys, Vault(b"v" * 32), node_id("MA", keys.public), origin)


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return make(store)


@pytest.fixture
def lite(sqlite_store: Store) -> Ledger:
    """A ledger on SQLite alone, for what does not depend on the database."""
    return make(sqlite_store)


def fill(store: Store, ledger: Ledger, count: int) -> list[int]:
    def work(tx: Connection) -> list[int]:
        return [
            ledger.append(tx, verb=LogVerb.CONSULT, subject=f"e-{n % 3}", content={**CONTENT, "n": n}, at=NOW)
            for n in range(count)
        ]

    return store.write(work)


def change(store: Store, statement: str, **values: object) -> None:
    """What one who can write to the database, but has no keys, could do."""
    store.write(lambda tx: tx.execute(text(statement), values))


def test_an_empty_log_verifies(lite: Ledger) -> None:
    assert lite.head() == (0, EMPTY_ROOT)
    assert lite.verify().ok
    assert verify_checkpoint(lite.checkpoint(), ORIGIN, KEYS.public).size == 0
    assert lite.page() == []


def test_leaves_are_numbered_found_and_proven(store: Store, ledger: Ledger) -> None:
    assert fill(store, ledger, 5) == [0, 1, 2, 3, 4]
    assert fill(store, ledger, 4) == [5, 6, 7, 8]
    size, top = ledger.head()
    assert size == 9
    proofs = [ledger.prove(n) for n in range(9)]
    assert root([p.leaf_hash for p in proofs]) == top
    for proof in proofs:
        assert verify_inclusion(proof.leaf_hash, proof.index, 9, proof.path, top)
    for old in range(10):
        earlier = root([p.leaf_hash for p in proofs[:old]])
        assert verify_consistency(old, 9, earlier, top, ledger.consistency(old, 9).path)
    early = ledger.prove(2, 3)
    assert verify_inclusion(early.leaf_hash, 2, 3, early.path, early.root)
    report = ledger.verify()
    assert (report.ok, report.size, report.root, report.checked, report.erased) == (True, 9, top, 9, 0)


def test_an_officer_sees_what_was_logged(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 5)
    found = ledger.find("e-1")
    assert [leaf.index for leaf in found] == [1, 4]
    assert found[0].content == {**CONTENT, "n": 1}
    assert (found[0].at, found[0].verb, found[0].subject) == (NOW, LogVerb.CONSULT, "e-1")
    assert [leaf.index for leaf in ledger.page(limit=2)] == [4, 3]
    assert [leaf.index for leaf in ledger.page(before=3, limit=2)] == [2, 1]
    assert ledger.find("nothing") == []


@pytest.mark.parametrize("before", range(5))
@pytest.mark.parametrize("together", range(6))
def test_leaves_of_one_act_stand_as_if_appended_one_by_one(sqlite_store: Store, before: int, together: int) -> None:
    salts = iter(bytes([n]) * 32 for n in range(100))
    ledger = Ledger(sqlite_store, KEYS, Vault(b"v" * 32), node_id("MA", KEYS.public), ORIGIN, lambda: next(salts))
    fill(sqlite_store, ledger, before)
    given = [(verb, {**CONTENT, "n": n}) for n, verb in enumerate([LogVerb.COLLECT, *[LogVerb.DISCLOSE] * 5])][
        :together
    ]
    first = sqlite_store.write(lambda tx: ledger.append_many(tx, given, subject="e-9", at=NOW))
    assert first == before
    found = ledger.find("e-9")
    assert [(leaf.index, leaf.verb, leaf.content) for leaf in found] == [
        (before + n, verb, content) for n, (verb, content) in enumerate(given)
    ]
    fill(sqlite_store, ledger, 2)
    report = ledger.verify()
    assert (report.ok, report.size) == (True, before + together + 2)
    assert report.root == root([ledger.prove(n).leaf_hash for n in range(report.size)])


def test_a_rolled_back_act_leaves_no_trace(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 3)
    before = ledger.head()

    def work(tx: Connection) -> None:
        for n in range(4):
            ledger.append(tx, verb=LogVerb.ERASE, subject=f"x-{n}", content=CONTENT, at=NOW)
        raise NotFound("test", "rolled back")

    with pytest.raises(NotFound):
        store.write(work)
    assert ledger.head() == before
    assert ledger.find("x-0") == []
    assert fill(store, ledger, 2) == [3, 4]
    assert ledger.verify().ok


def test_many_writers_make_one_log(store: Store, ledger: Ledger) -> None:
    threads = [Thread(target=fill, args=(store, ledger, 5)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.head().size == 40
    assert ledger.verify().ok


def test_the_store_holds_nothing_of_the_content_in_clear(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 1)
    with store.read() as tx:
        sealed = bytes(tx.execute(text("select sealed from ledger_contents")).scalar_one())
    assert b"officer" not in sealed
    assert b"prevention" not in sealed


@pytest.mark.parametrize("subject", ["", "Jane Roe", "نص", "a\nb", "x" * 201, "-x"])
def test_a_subject_is_an_id_and_never_free_text(subject: str, sqlite_store: Store, lite: Ledger) -> None:
    with pytest.raises(Invalid) as failure:
        sqlite_store.write(lambda tx: lite.append(tx, verb=LogVerb.CONSULT, subject=subject, content=CONTENT, at=NOW))
    assert failure.value.code == "ledger.subject"
    assert "Roe" not in str(failure.value)
    assert lite.head().size == 0


@pytest.mark.parametrize("origin", ["", "has space/x", "a+b", "cosignature/v1", "Upper/x", "x\n", "DSSEv1"])
def test_an_origin_is_a_plain_name(origin: str, sqlite_store: Store) -> None:
    with pytest.raises(Invalid):
        make(sqlite_store, origin=origin)


def test_erasing_content_leaves_every_proof_valid(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 6)
    proof, note, disclosed = ledger.prove(2), ledger.checkpoint(), ledger.bundle(2, disclose=True)
    logged = store.write(lambda tx: ledger.erase(tx, 2, content={"officer": "o-1"}, at=NOW))
    assert logged == 6
    leaf = ledger.find("leaf:2")[0]
    assert (leaf.verb, leaf.index) == (LogVerb.ERASE, 6)
    assert ledger.page(before=3, limit=1)[0].content is None
    assert ledger.prove(2, 6) == proof
    assert verify_checkpoint(note, ORIGIN, KEYS.public).root == proof.root
    report = ledger.verify()
    assert (report.ok, report.erased, report.checkpoints) == (True, 1, 1)
    proven = verify_bundle(ledger.bundle(2), ORIGIN, KEYS.public)
    assert (proven.index, proven.content) == (2, None)
    assert verify_bundle(disclosed, ORIGIN, KEYS.public).content == {**CONTENT, "n": 2}
    with pytest.raises(NotFound) as failure:
        ledger.bundle(2, disclose=True)
    assert failure.value.code == "ledger.erased"


def test_what_is_not_there_is_not_found(sqlite_store: Store, lite: Ledger) -> None:
    fill(sqlite_store, lite, 3)
    acts: list[Callable[[], object]] = [
        lambda: lite.prove(3),
        lambda: lite.prove(-1),
        lambda: lite.prove(1, 4),
        lambda: lite.consistency(2, 4),
        lambda: lite.consistency(3, 2),
        lambda: lite.bundle(9),
        lambda: sqlite_store.write(lambda tx: lite.erase(tx, 7, content=CONTENT, at=NOW)),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert lite.head().size == 3


# -- checkpoints and witnesses


def test_a_checkpoint_is_signed_once_and_kept(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 3)
    note = ledger.checkpoint()
    assert ledger.checkpoint() == note
    seen = verify_checkpoint(note, ORIGIN, KEYS.public)
    assert (seen.origin, seen.size, seen.root) == (ORIGIN, *ledger.head())
    with pytest.raises(Untrusted):
        verify_checkpoint(note, ORIGIN, OTHER.public)


def test_a_log_never_signs_a_fork(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 4)
    ledger.checkpoint()
    fill(store, ledger, 4)
    change(store, "update ledger_nodes set hash = :h where level = 2 and node_index = 0", h=b"x" * 32)
    with pytest.raises(Broken) as failure:
        ledger.checkpoint()
    assert failure.value.code == "ledger.fork"


def test_a_partner_witnesses_and_its_word_is_kept(store: Store, tmp_path) -> None:
    log = make(store)
    there = Store.open(f"sqlite:///{tmp_path / 'witness.db'}")
    witness = make(there, OTHER, OTHER_ORIGIN)
    fill(store, log, 3)
    line = witness.witness(log.witness_request(0), (ORIGIN, KEYS.public), NOW)
    log.add_cosignature(line, OTHER_ORIGIN, OTHER.public, 3)
    assert verify_cosignature(log.checkpoint(), OTHER_ORIGIN, OTHER.public).at == NOW.replace(microsecond=0)
    assert log.verify().ok

    proven = verify_bundle(
        log.bundle(1), ORIGIN, KEYS.public, {OTHER_ORIGIN: OTHER.public, "tansiq.example/de": KEYS.public}
    )
    assert [c.name for c in proven.cosigned] == [OTHER_ORIGIN]

    fill(store, log, 5)
    with pytest.raises(Conflict) as stale:
        witness.witness(log.witness_request(0), (ORIGIN, KEYS.public), NOW)
    assert (stale.value.code, stale.value.detail) == ("witness.size", "3")
    witness.witness(log.witness_request(3), (ORIGIN, KEYS.public), NOW + timedelta(hours=1))
    again = witness.witness(log.witness_request(8), (ORIGIN, KEYS.public), NOW + timedelta(hours=2))
    log.add_cosignature(again, OTHER_ORIGIN, OTHER.public, 8)
    log.add_cosignature(again, OTHER_ORIGIN, OTHER.public, 8)
    assert log.checkpoint().count(OTHER_ORIGIN) == 1
    there.close()


def test_a_witness_does_not_follow_a_rewritten_log(store: Store, sqlite_store: Store, tmp_path) -> None:
    there = Store.open(f"sqlite:///{tmp_path / 'witness.db'}")
    witness = make(there, OTHER, OTHER_ORIGIN)
    honest = make(store)
    fill(store, honest, 3)
    witness.witness(honest.witness_request(0), (ORIGIN, KEYS.public), NOW)
    second = Store.open(f"sqlite:///{tmp_path / 'rewritten.db'}")
    rewritten = make(second)
    fill(second, rewritten, 6)
    with pytest.raises(Untrusted) as failure:
        witness.witness(rewritten.witness_request(3), (ORIGIN, KEYS.public), NOW)
    assert failure.value.code == "witness.inconsistent"
    fill(store, honest, 1)
    assert witness.witness(honest.witness_request(3), (ORIGIN, KEYS.public), NOW)
    there.close()
    second.close()


def test_a_false_cosignature_is_not_kept(store: Store, ledger: Ledger, tmp_path) -> None:
    fill(store, ledger, 2)
    there = Store.open(f"sqlite:///{tmp_path / 'witness.db'}")
    witness = make(there, OTHER, OTHER_ORIGIN)
    line = witness.witness(ledger.witness_request(0), (ORIGIN, KEYS.public), NOW)
    there.close()
    fill(store, ledger, 2)
    note = ledger.checkpoint()
    for bad in (line, "x", f"— {OTHER_ORIGIN} AAAA\n", line.replace("es", "de"), line + line):
        with pytest.raises(Untrusted):
            ledger.add_cosignature(bad, OTHER_ORIGIN, OTHER.public, 4)
    assert ledger.checkpoint() == note
    with pytest.raises(NotFound):
        ledger.add_cosignature(line, OTHER_ORIGIN, OTHER.public, 99)


# -- what verify finds


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("update ledger_leaves set verb = 'erase' where leaf_index = 4", 4),
        ("update ledger_leaves set subject = 'e-9' where leaf_index = 4", 4),
        ("update ledger_leaves set at = '2020-01-01T00:00:00.000Z' where leaf_index = 4", 4),
        ("update ledger_leaves set verb = 'look' where leaf_index = 4", 4),
        ("update ledger_leaves set leaf_hash = commitment where leaf_index = 4", 4),
        ("update ledger_leaves set commitment = leaf_hash where leaf_index = 4", 4),
        ("delete from ledger_leaves where leaf_index = 4", 4),
        ("delete from ledger_leaves where leaf_index = 10", 10),
        ("update ledger_leaves set leaf_index = 11 where leaf_index = 4", 4),
        ("update ledger_nodes set hash = (select hash from ledger_nodes where level = 1 and node_index = 0)", 3),
        ("delete from ledger_nodes where level = 3", 7),
        ("update ledger_contents set sealed = (select sealed from ledger_contents where leaf_index = 1) "
         "where leaf_index = 4", 4),
        ("update ledger_head set size = 10", 10),
        ("update ledger_head set size = 12", 11),
        ("delete from ledger_head", 0),
        ("insert into ledger_nodes values (9, 0, x'00')", 11),
        ("update ledger_head set peaks = (select leaf_hash from ledger_leaves where leaf_index = 1)", 11),
        ("update ledger_checkpoints set note = 'x'", 11),
        ("update ledger_checkpoints set root = (select leaf_hash from ledger_leaves where leaf_index = 1)", 11),
        ("update ledger_checkpoints set size = 12", 11),
        ("update ledger_checkpoints set size = 7", 7),
    ],
)  # fmt: skip
def test_verify_says_where_the_log_was_changed(
    statement: str, broken_at: int, sqlite_store: Store, lite: Ledger
) -> None:
    fill(sqlite_store, lite, 11)
    lite.checkpoint()
    assert lite.verify().ok
    change(sqlite_store, statement)
    report = lite.verify()
    assert not report.ok
    assert report.problem
    assert report.broken_at == broken_at
    assert report.to_dict()["ok"] is False


def test_a_log_without_its_head_takes_no_more_leaves(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, 2)
    change(store, "delete from ledger_head")
    with pytest.raises(Broken) as failure:
        fill(store, ledger, 1)
    assert failure.value.code == "ledger.head"


def test_verify_finds_a_cut_off_end_with_a_checkpoint_that_a_partner_holds(
    sqlite_store: Store, lite: Ledger, tmp_path
) -> None:
    fill(sqlite_store, lite, 9)
    held = lite.checkpoint()
    assert lite.verify([held]).ok
    # One with write access takes away the last leaf so well that the log is whole again ...
    shorter = Store.open(f"sqlite:///{tmp_path / 'cut.db'}")
    with sqlite_store.read() as tx:
        leaves = tx.execute(text("select * from ledger_leaves where leaf_index < 8")).mappings().all()
        contents = tx.execute(text("select * from ledger_contents where leaf_index < 8")).mappings().all()
        nodes = tx.execute(text("select * from ledger_nodes")).mappings().all()
        peak = tx.execute(text("select hash from ledger_nodes where level = 3")).scalar_one()
    for table, rows in (("ledger_leaves", leaves), ("ledger_contents", contents), ("ledger_nodes", nodes)):
        for row in rows:
            names = ", ".join(f":{name}" for name in row)
            change(shorter, f"insert into {table} ({', '.join(row)}) values ({names})", **dict(row))
    change(shorter, "insert into ledger_head values (1, 8, :peak)", peak=peak)
    cut = make(shorter)
    assert cut.verify().ok
    # ... but not for the partner.
    report = cut.verify([held])
    assert (report.ok, report.broken_at) == (False, 8)
    with pytest.raises(Untrusted):
        cut.verify([held.replace("\n9\n", "\n8\n")])
    shorter.close()


def test_verify_reads_a_log_longer_than_one_chunk(
    monkeypatch: pytest.MonkeyPatch, sqlite_store: Store, lite: Ledger
) -> None:
    monkeypatch.setattr("tansiq.ledger.audit._CHUNK", 8)
    for count in (3, 5, 8, 1, 20):
        fill(sqlite_store, lite, count)
        lite.checkpoint()
    report = lite.verify()
    assert (report.ok, report.checked, report.checkpoints) == (True, 37, 5)
    change(sqlite_store, "update ledger_nodes set hash = :h where level = 5", h=b"x" * 32)
    assert lite.verify().broken_at == 31


def test_old_checkpoints_hold_after_the_keys_were_rotated(sqlite_store: Store, lite: Ledger) -> None:
    fill(sqlite_store, lite, 2)
    lite.checkpoint()
    rotated = Ledger(sqlite_store, OTHER, Vault(b"v" * 32), lite.node, ORIGIN, former=(KEYS.public,))
    fill(sqlite_store, rotated, 2)
    assert verify_checkpoint(rotated.checkpoint(), ORIGIN, OTHER.public).size == 4
    assert rotated.verify().ok
    assert not make(sqlite_store, OTHER).verify().ok
