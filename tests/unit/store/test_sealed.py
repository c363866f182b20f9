"""Tables of which one column is sealed: what was put comes back, and only in the row that it was put into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, select, update

from tansiq.crypto import Vault
from tansiq.errors import TansiqError
from tansiq.store import Sealed, Store, rows

VAULT = Vault(bytes(32))
TABLE = Table(
    "sealed_test",
    MetaData(),
    Column("who", String(16), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
KEPT = Sealed(TABLE)


@pytest.fixture
def there(store: Store) -> Iterator[Store]:
    store.write(lambda tx: TABLE.create(tx))
    yield store
    store.write(lambda tx: TABLE.drop(tx))


def test_what_was_put_comes_back_in_order_and_a_second_put_replaces_it(there: Store) -> None:
    def work(tx) -> None:
        KEPT.put(tx, VAULT, {"word": "first"}, who="a", number=1, state="new")
        KEPT.put(tx, VAULT, ["second", b"\0"], who="a", number=2, state="new")
        KEPT.put(tx, VAULT, {"word": "again"}, who="a", number=1, state="old")
        assert not KEPT.add(tx, VAULT, None, who="a", number=1, state="third")
        assert KEPT.add(tx, VAULT, None, who="b", number=1, state="third")
        assert KEPT.change(tx, VAULT, 7, {"who": "b", "number": 1}) == 1
        assert KEPT.change(tx, VAULT, 7, {"who": "c", "number": 1}) == 0

    there.write(work)
    with there.read() as tx:
        found = KEPT.load(tx, VAULT, by=(TABLE.c.who, TABLE.c.number.desc()))
        assert [(r["state"], inner) for r, inner in found] == [
            ("new", ["second", b"\0"]),
            ("old", {"word": "again"}),
            ("third", 7),
        ]
        assert [inner for _, inner in KEPT.load(tx, VAULT, TABLE.c.number > 1, who="a")] == [["second", b"\0"]]
        assert len(KEPT.load(tx, VAULT, by=(TABLE.c.who,), limit=1)) == 1
        assert KEPT.open(VAULT, tx.execute(select(TABLE).where(TABLE.c.who == "b")).one()) == 7
        assert all(b"again" not in bytes(r["sealed"]) for r in rows(tx, TABLE))


def test_what_was_sealed_for_one_row_or_table_opens_in_no_other(there: Store) -> None:
    other = Sealed(Table("sealed_other", MetaData(), *(c._copy() for c in TABLE.columns)))

    def work(tx) -> None:
        KEPT.put(tx, VAULT, "mine", who="a", number=1, state="")
        KEPT.put(tx, VAULT, "yours", who="b", number=1, state="")
        moved = select(TABLE.c.sealed).where(TABLE.c.who == "a").scalar_subquery()
        tx.execute(update(TABLE).where(TABLE.c.who == "b").values(sealed=moved))

    there.write(work)
    with there.read() as tx:
        a, b = rows(tx, TABLE, by=(TABLE.c.who,))
    assert KEPT.open(VAULT, a) == "mine"
    for attempt in (lambda: KEPT.open(VAULT, b), lambda: other.open(VAULT, a), lambda: KEPT.open(Vault(b"1" * 32), a)):
        with pytest.raises(TansiqError):
            attempt()
