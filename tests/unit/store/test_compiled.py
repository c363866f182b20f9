"""`Compiled` says to the database what SQLAlchemy's own execution says, and gives back what that gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from tansiq.store import Compiled, Store, run_plain

tables = MetaData()
things = Table(
    "things",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", String(40), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=True),
    Column("urgent", Boolean, nullable=False),
    Column("score", Float, nullable=False),
)
INSERT = insert(things)
SOME = select(things).where(things.c.id.in_(bindparam("ids", expanding=True)), things.c.urgent == bindparam("only"))
SOME = SOME.order_by(things.c.id).limit(bindparam("most"))
FIXED = select(things.c.name).where(things.c.id == 1, things.c.urgent.is_(True))
BUMP = update(things).where(things.c.id == bindparam("of")).values(score=things.c.score + bindparam("by"), urgent=True)
LISTED = select(things.c.id).where(
    things.c.name.in_(["n1", "n4", "n9"]), things.c.id.in_(bindparam("ids", expanding=True))
)
COUNT = select(func.count(), func.max(things.c.score).label("top")).select_from(things)
DROP = delete(things).where(things.c.name == bindparam("gone"))


def thing(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"n{number}", "sealed": b"\0\xff", "urgent": number % 2 == 0, "score": 0.5, **more}


@pytest.fixture
def store(store: Store) -> Store:
    store.write(tables.create_all)
    store.write(lambda tx: tx.execute(INSERT, [thing(n) for n in range(1, 6)]))
    return store


def core(store: Store, statement: Any, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    with store.read() as tx:
        return [tuple(r) for r in tx.execute(statement, params)]


def test_rows_are_those_of_sqlalchemy_by_name_and_by_place(store: Store) -> None:
    for params in (
        {"ids": [1, 2, 3, 4], "only": True, "most": 9},
        {"ids": [5, 3, 1], "only": False, "most": 2},
        {"ids": [], "only": True, "most": 9},
    ):
        with store.read() as tx:
            rows = Compiled(SOME).all(tx, params)
        assert [tuple(r) for r in rows] == core(store, SOME, params)
        assert all((r.name, r.sealed, type(r.urgent)) == (f"n{r.id}", b"\0\xff", bool) for r in rows)
    with store.read() as tx:
        assert Compiled(FIXED).scalar(tx) is None
        assert Compiled(LISTED).scalars(tx, {"ids": [1, 2, 3]}) == [1]
        assert Compiled(LISTED).scalars(tx, {"ids": [4, 2, 1, 5, 9]}) == [1, 4]
        assert tuple(Compiled(COUNT).first(tx)) == (5, 0.5)
        assert Compiled(COUNT).first(tx).top == 0.5
        assert Compiled(select(things.c.id).order_by(things.c.id)).scalars(tx) == [1, 2, 3, 4, 5]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.integers(0, 9), max_size=9), st.booleans(), st.integers(0, 4))
def test_lists_of_any_length_find_the_same(store: Store, ids: list[int], only: bool, most: int) -> None:
    params = {"ids": ids, "only": only, "most": most}
    with store.read() as tx:
        assert [tuple(r) for r in _SOME.all(tx, params)] == [tuple(r) for r in tx.execute(SOME, params)]


_SOME = Compiled(SOME)


def test_writes_are_those_of_sqlalchemy(store: Store) -> None:
    put, bump = Compiled(INSERT), Compiled(BUMP)

    def work(tx: Any) -> tuple[int, int, int, Any]:
        put.run(tx, thing(6, sealed=None))
        put.many(tx, [thing(n, score=n / 7) for n in (7, 8)])
        put.many(tx, [])
        told = Compiled(BUMP.returning(things.c.score, things.c.urgent)).first(tx, {"of": 2, "by": 2.0})
        return bump.run(tx, {"of": 1, "by": 0.25}), bump.run(tx, {"of": 99, "by": 1.0}), _drop(tx, "n3"), tuple(told)

    assert store.write(work) == (1, 0, 1, (2.5, True))
    found = {row[0]: row for row in core(store, select(things), {})}
    assert sorted(found) == [1, 2, 4, 5, 6, 7, 8]
    assert found[6] == (6, "n6", None, True, 0.5)
    assert found[7] == (7, "n7", b"\0\xff", False, 1.0)
    assert found[1] == (1, "n1", b"\0\xff", True, 0.75)


def _drop(tx: Any, name: str) -> int:
    return Compiled(DROP).run(tx, {"gone": name})


def test_a_failure_is_sqlalchemys_own_and_shows_no_value(store: Store) -> None:
    secret = "a name that must not be shown"
    with pytest.raises(IntegrityError) as caught:
        store.write(lambda tx: Compiled(INSERT).many(tx, [thing(20, name=secret), thing(20, name="b")]))
    assert secret not in str(caught.value)
    with pytest.raises(KeyError):
        store.write(lambda tx: Compiled(BUMP).run(tx, {"of": 1}))
    assert len(core(store, select(things), {})) == 5


def test_a_read_that_begins_with_it_is_one_snapshot(store: Store) -> None:
    names = Compiled(select(things.c.name).order_by(things.c.id))
    with store.read() as tx:
        before = names.scalars(tx)
        store.write(lambda tx: Compiled(INSERT).run(tx, thing(9)))
        assert names.scalars(tx) == before
        assert tx.in_transaction()
    with store.read() as tx:
        assert names.scalars(tx) == [*before, "n9"]


def test_a_savepoint_takes_back_what_it_covers(store: Store) -> None:
    def work(tx: Any) -> None:
        run_plain(tx, "savepoint here")
        Compiled(INSERT).run(tx, thing(10))
        run_plain(tx, "rollback to savepoint here")
        run_plain(tx, "release savepoint here")

    store.write(work)
    assert len(core(store, select(things), {})) == 5


def test_a_statement_is_put_together_once_for_each_form(store: Store) -> None:

    some = Compiled(SOME)
    with store.read() as tx:
        for n in range(1, 9):
            some.all(tx, {"ids": list(range(n)), "only": True, "most": 3})
    assert len(some._forms) == 4  # lists of 1, 2, 4 and 8
