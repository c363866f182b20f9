"""The migrations' sum is what the capabilities' records declare, on both databases."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.exc import IntegrityError

from tansiq.errors import Broken, Conflict
from tansiq.store import Store, engines, migrations
from tests.support.tree import SRC

RECORDS = sorted(f"{path.parent.name}.{path.stem}" for path in SRC.glob("*/*records.py"))


def declared() -> MetaData:
    """The tables of every capability, without those that a test of another folder may have put beside them."""
    found = MetaData()
    for name in RECORDS:
        for value in vars(importlib.import_module(f"tansiq.{name}")).values():
            if isinstance(value, Table) and value.name not in found.tables:
                value.to_metadata(found)
    return found


@pytest.fixture
def tx(new_url: str) -> Iterator[Connection]:
    opened = Store.open(new_url)
    with opened.read() as connection:
        yield connection
    opened.close()


def test_the_migrated_tables_are_the_declared_ones(tx: Connection) -> None:
    wanted = declared()
    context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
    assert compare_metadata(context, wanted) == []
    for name, table in wanted.tables.items():  # what Alembic does not compare
        found = inspect(tx).get_pk_constraint(name)
        assert found["constrained_columns"] == [column.name for column in table.primary_key], name
        names = [check["name"] for check in inspect(tx).get_check_constraints(name)]
        assert len(names) == len([c for c in table.constraints if c.__visit_name__ == "check_constraint"]), name


def test_there_is_one_line_of_revisions_and_its_end_is_the_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def test_a_database_at_the_head_is_opened_as_it_is(store: Store, store_url: str) -> None:
    mark = "insert into access_attempts values (:key, 1, '', '')"
    store.write(lambda tx: tx.execute(text(mark), {"key": b"k"}))
    again = Store.open(store_url)
    with again.read() as tx:
        assert tx.execute(text("select count(*) from access_attempts")).scalar_one() == 1
    again.close()


def open_four_at_once(url: str) -> list[str | None]:
    """What each of them finds the tables at."""
    together = threading.Barrier(4)

    def open_it(_n: int) -> str | None:
        together.wait()
        opened = Store.open(url)
        with opened.read() as tx:
            found = migrations.revision_of(tx)
        opened.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(open_it, range(4)))


def test_a_new_database_opened_by_many_at_once_is_made_once(new_url: str) -> None:
    assert open_four_at_once(new_url) == [migrations.HEAD] * 4


def test_many_databases_are_made_at_once_in_one_process(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def open_it(number: int) -> str | None:
        together.wait()
        opened = Store.open(f"sqlite:///{tmp_path / str(number)}.db")
        with opened.read() as tx:
            found = migrations.revision_of(tx)
        opened.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_it, range(4))) == [migrations.HEAD] * 4


def test_a_database_of_a_newer_program_is_not_touched(store_url: str) -> None:
    opened = Store.open(store_url)
    opened.write(lambda tx: tx.execute(text("update alembic_version set version_num = '9999'")))
    opened.close()
    with pytest.raises(Broken) as caught:
        Store.open(store_url)
    assert caught.value.code == "store.newer"


def older(url: str, revision: str = "0009") -> Store:
    """The database of an older program, as that program has it open."""
    writes, reads = engines.open_engines(engines.parse_url(url))
    with writes.connect() as connection:
        engines.begin_alone(connection)
        migrations.upgrade(connection, revision)
        connection.commit()
    return Store(writes, reads)


def test_the_tables_are_not_changed_under_a_process_that_serves_them(new_url: str) -> None:
    first = older(new_url)
    assert first.alone.take()
    for _ in range(2):  # a second machine tries again and again
        with pytest.raises(Conflict) as caught:
            Store.open(new_url)
        assert (caught.value.code, caught.value.step, caught.value.field) == ("store.served", "migrate", "database")
        assert caught.value.exit_code == 5
        assert "stop the serving process" in caught.value.hint
    assert first.alone.take(), "who serves goes on"
    with first.read() as tx:
        assert migrations.revision_of(tx) == "0009"
    first.close()
    with Store.open(new_url).read() as tx:
        assert migrations.revision_of(tx) == migrations.HEAD


def test_a_database_at_the_head_is_opened_beside_who_serves_it_and_by_itself(store: Store, store_url: str) -> None:
    assert store.alone.take()
    for _ in range(2):
        Store.open(store_url).close()
    assert store.alone.take()


def test_an_older_database_is_opened_by_many_at_once(new_url: str) -> None:
    older(new_url).close()
    assert open_four_at_once(new_url) == [migrations.HEAD] * 4


def test_who_opened_it_before_a_newer_program_changed_it_does_not_serve(store: Store) -> None:
    """Between its opening and its turn, or while a fail-over had cut its lock."""
    assert store.alone.take()
    store.alone.give_back()
    store.write(lambda tx: tx.execute(text("update alembic_version set version_num = '9999'")))
    assert not store.alone.take()
    store.write(lambda tx: tx.execute(text(f"update alembic_version set version_num = '{migrations.HEAD}'")))
    assert store.alone.take(), "it did not keep the lock"


def test_entries_and_parts_of_the_first_release_are_carried_over(new_url: str) -> None:
    """0002: entries are numbered as they came, each dossier for itself; a part is its entry's."""
    writes, reads = engines.open_engines(engines.parse_url(new_url))
    with writes.connect() as connection:
        engines.begin_alone(connection)
        migrations.upgrade(connection, "0001")
        for dossier in ("d-1", "d-2"):
            connection.execute(
                text("insert into dossiers values (:id, 'report', 'ma-x', '2026', 'given', '2026', '', 0)"),
                {"id": dossier},
            )
        for entry, dossier, at in (("e-c", "d-1", "1"), ("e-a", "d-1", "2"), ("e-b", "d-1", "2"), ("e-d", "d-2", "9")):
            values = {"id": entry, "dossier": dossier, "at": at, "raw": b"signed"}
            connection.execute(
                text("insert into dossier_entries values (:id, :dossier, 'ma-x', 0, 'report.given', :at, :raw)"), values
            )
        for part, entry in (("p-1", "e-c"), ("p-2", "e-c"), ("p-3", "e-d")):
            values = {"id": part, "entry": entry, "sealed": entry.encode()}
            connection.execute(text("insert into dossier_parts values (:id, :entry, 'note', 'held', :sealed)"), values)
        connection.commit()
    writes.dispose()
    reads.dispose()

    opened = Store.open(new_url)
    with opened.read() as connection:
        rows = connection.execute(text("select dossier, number, id, raw from dossier_entries order by dossier, number"))
        assert [tuple(r) for r in rows] == [
            ("d-1", 1, "e-c", b"signed"), ("d-1", 2, "e-a", b"signed"), ("d-1", 3, "e-b", b"signed"),
            ("d-2", 1, "e-d", b"signed"),
        ]  # fmt: skip
        parts = connection.execute(text("select entry, id, presence, sealed from dossier_parts order by id"))
        assert [tuple(p) for p in parts] == [
            ("e-c", "p-1", "held", b"e-c"), ("e-c", "p-2", "held", b"e-c"), ("e-d", "p-3", "held", b"e-d"),
        ]  # fmt: skip

    def same_part(tx: Connection) -> None:
        tx.execute(text("insert into dossier_parts values ('p-1', 'e-a', 'note', 'withheld', null)"))

    opened.write(same_part)
    with pytest.raises(IntegrityError):
        opened.write(same_part)
    opened.close()


def test_matches_whose_record_had_gone_before_go_with_the_upgrade(new_url: str) -> None:
    """0012: from here on a match goes with the record that it shows; what waited for a sweep goes once."""
    record = "values ('b-1', 'own', :x, '', 'MA', 'Person', '', '', 1, :x, :x)"
    match = "values (:id, 'd', :id, 'p', :x, :record, '', 'ES', 'name', 0.5, :urgent, 'open', '', '', '', :x)"

    def fill(tx: Connection) -> None:
        tx.execute(text(f"insert into bank_records {record}"), {"x": b"x"})
        for of in ({"id": "m-1", "record": "b-1"}, {"id": "m-2", "record": "b-gone"}):
            tx.execute(text(f"insert into hit_matches {match}"), {"x": b"x", "urgent": False, **of})

    old = older(new_url, "0011")
    old.write(fill)
    old.close()
    opened = Store.open(new_url)
    with opened.read() as tx:
        assert list(tx.scalars(text("select id from hit_matches"))) == ["m-1"]
    opened.close()
