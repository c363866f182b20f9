"""A copy of the rows is the database, on either kind; what is no whole copy, or would cover something, is refused."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, inspect, text

from tansiq.errors import Broken, Conflict, Invalid
from tansiq.store import Store, copy_in, copy_out, is_empty, migrations
from tests.support.postgres import PostgresServer

ROWS = 130


def fill(store: Store) -> None:
    """Texts, numbers, bytes, flags, fractions and nothing, in tables that name each other and in one that counts."""

    def work(tx: Connection) -> None:
        run = tx.execute
        for n in range(ROWS):
            run(
                text(
                    "insert into exchange_outbox (recipient, kind, ref, state, reason, attempts, envelope, position,"
                    " queued_at, sent_at, received_at, expires_at) values (:to, 'entry', :ref, 'queued', '', 0, null,"
                    " 0, '2026-11-22T08:00:00.000Z', null, null, '2027-11-22T08:00:00.000Z')"
                ),
                {"to": "ma-l2xp7ud54pwjfpxxuoqc", "ref": f"e-{n} محمد"},
            )
        run(text("insert into access_attempts values (:key, 3, 'a', 'b')"), {"key": bytes(range(256))})

    store.write(work)


def rows_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    store = Store.open(url)
    try:
        with store.read() as tx:
            return {
                name: sorted(
                    (
                        tuple(bytes(v) if isinstance(v, memoryview) else v for v in row)
                        for row in tx.execute(text(f"select * from {name}"))
                    ),
                    key=repr,
                )
                for name in inspect(tx).get_table_names()
            }
    finally:
        store.close()


def copied(store: Store) -> bytes:
    out = io.BytesIO()
    with store.read() as tx:
        copy_out(tx, out)
    return out.getvalue()


@pytest.fixture
def copy(store: Store) -> bytes:
    fill(store)
    return copied(store)


def test_what_is_put_back_is_what_was_there(copy: bytes, store_url: str, new_url: str) -> None:
    """Four ways: each kind of database into each."""
    assert is_empty(new_url)
    assert copy_in(new_url, io.BytesIO(copy)) == ROWS + 1
    assert not is_empty(new_url)
    assert rows_of(new_url) == rows_of(store_url)


def test_numbers_go_on_behind_those_that_came(copy: bytes, new_url: str) -> None:
    copy_in(new_url, io.BytesIO(copy))
    store = Store.open(new_url)
    try:
        insert = (
            "insert into exchange_outbox (recipient, kind, ref, state, reason, attempts, position, queued_at,"
            " expires_at) values ('x', 'entry', 'new', 'queued', '', 0, 0, 'a', 'b')"
        )
        store.write(lambda tx: tx.execute(text(insert)))
        with store.read() as tx:
            most = tx.execute(text("select max(id) from exchange_outbox")).scalar_one()
            assert tx.execute(text("select id from exchange_outbox where ref = 'new'")).scalar_one() == most
    finally:
        store.close()


def test_a_copy_is_one_moment_while_others_write(store: Store) -> None:
    fill(store)
    with store.read() as tx:
        tx.execute(text("select 1 from exchange_outbox limit 1")).all()
        store.write(lambda w: w.execute(text("delete from exchange_outbox")))
        out = io.BytesIO()
        assert copy_out(tx, out) == ROWS + 1


def test_nothing_is_put_over_what_is_there(copy: bytes, store_url: str) -> None:
    before = rows_of(store_url)
    with pytest.raises(Conflict) as caught:
        copy_in(store_url, io.BytesIO(copy))
    assert caught.value.code == "store.taken"
    assert rows_of(store_url) == before


def test_what_is_cut_off_or_changed_leaves_nothing(copy: bytes, new_url: str) -> None:
    head = int.from_bytes(copy[:4], "big")
    listed = msgspec.msgpack.decode(copy[4 : 4 + head])
    other = msgspec.msgpack.encode([listed[0], listed[1], listed[2][1:]])
    broken = {
        "nothing": b"",
        "a length alone": copy[:3],
        "no end": copy[: copy.rindex(msgspec.msgpack.encode([-1])[1:2]) - 10],
        "half of it": copy[: len(copy) // 2],
        "more behind its end": copy + copy[:200],
        "a table is missing": len(other).to_bytes(4, "big") + other + copy[4 + head :],
        "no message": b"\x00\x00\x00\x02\xc1\xc1",
        "a length beyond all": b"\xff\xff\xff\xff" + copy[4:],
    }
    for what, raw in broken.items():
        with pytest.raises(Invalid) as caught:
            copy_in(new_url, io.BytesIO(raw))
        assert caught.value.code == "store.copy", what
        assert is_empty(new_url), what
    assert copy_in(new_url, io.BytesIO(copy)) == ROWS + 1


def test_a_copy_by_a_newer_program_is_refused_by_name(copy: bytes, new_url: str) -> None:
    head = int.from_bytes(copy[:4], "big")
    _version, _revision, tables = msgspec.msgpack.decode(copy[4 : 4 + head])
    for listed, code in (([2, "0011", tables], "store.copy_version"), ([1, "9999", tables], "store.newer")):
        raw = msgspec.msgpack.encode(listed)
        with pytest.raises(Broken) as caught:
            copy_in(new_url, io.BytesIO(len(raw).to_bytes(4, "big") + raw + copy[4 + head :]))
        assert caught.value.code == code
        assert is_empty(new_url)


def test_a_copy_by_an_older_program_is_brought_up_to_date(tmp_path: Path, new_url: str) -> None:
    """The tables of then are made first, its rows put into them; opening the store changes them to today's."""
    from tansiq.store import engines

    old = f"sqlite:///{tmp_path / 'old.db'}"
    writes, reads = engines.open_engines(engines.parse_url(old))
    with writes.connect() as tx:
        engines.begin_alone(tx)
        migrations.upgrade(tx, "0001")
        tx.execute(text("insert into access_attempts values (:key, 1, 'a', 'b')"), {"key": b"k"})
        tx.commit()
    out = io.BytesIO()
    with reads.connect() as tx:
        assert copy_out(tx, out) == 1
    writes.dispose()
    reads.dispose()
    out.seek(0)
    assert copy_in(new_url, out) == 1
    store = Store.open(new_url)
    try:
        with store.read() as tx:
            assert migrations.revision_of(tx) == migrations.HEAD
            assert tx.execute(text("select failures from access_attempts")).scalar_one() == 1
    finally:
        store.close()


@pytest.mark.postgres
def test_a_database_that_does_not_answer_is_named(postgres_server: PostgresServer, copy: bytes) -> None:
    url = postgres_server.url("no_such_database")
    with pytest.raises(Broken) as looked:
        is_empty(url)
    with pytest.raises(Broken) as put:
        copy_in(url, io.BytesIO(copy))
    assert looked.value.code == put.value.code == "store.unavailable"
