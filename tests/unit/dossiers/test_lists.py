"""Lists of dossiers and duties, a page at a time: all of it once, in its order, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from tansiq.dossiers import records
from tansiq.dossiers.model import Duty
from tansiq.dossiers.records import Asked, Head
from tansiq.store import Store
from tansiq.terms import DossierId, NodeId, format_instant

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ME, OTHER, THIRD = (NodeId(f"{c}-" + c[0] * 20) for c in ("ma", "es", "de"))
CODES = ("request.answer", "warning.acknowledge", "warning.escalate")


def dossier(number: int) -> DossierId:
    return DossierId(f"d-{number:032x}")


@pytest.fixture
def filled(store: Store) -> Store:
    """Sixty dossiers of few instants; duties that are owed, stopped, or still to come; some days of erasure."""
    chance = random.Random(7)  # noqa: S311 # a test's drawn data

    def work(tx):
        for n in range(60):
            at, kind = NOW - timedelta(minutes=n // 7), "report" if n % 4 else "request"
            erase_on = ("", "2026-11-01", "2026-11-21", "2029-01-01")[n % 4]
            records.insert_dossier(tx, Head(dossier(n), kind, OTHER, at, "open", at, erase_on, unsettled=False))
            found = []
            for _ in range(4):
                owner, creditor = chance.choice([(ME, OTHER), (OTHER, ME), (OTHER, THIRD)])
                since = NOW + timedelta(hours=chance.randint(-9, 3))
                due = NOW + timedelta(hours=chance.randint(-3, 3)) if chance.random() < 0.7 else None
                found.append(Duty(dossier(n), owner, chance.choice(CODES), due, since, "clause", creditor=creditor))
            records.insert_duties(tx, dossier(n), found)

    store.write(work)
    return store


def urgency(d: Duty) -> tuple[bool, datetime]:
    return d.due_at is None, d.due_at or d.since


@pytest.mark.parametrize("kind", ["", "request"])
@pytest.mark.parametrize("limit", [1, 5, 7, 100])
def test_the_list_of_dossiers_loses_none_of_one_instant(filled: Store, kind: str, limit: int) -> None:
    with filled.read() as tx:
        found, at, last = [], "", ""
        while rows := records.load_rows(tx, kind, at, last, limit):
            assert len(rows) <= limit
            found += [(r.updated_at, r.id) for r in rows]
            at, last = found[-1]
        there = tx.execute(text("select updated_at, id, kind from dossiers")).all()
    assert found == sorted(((r.updated_at, r.id) for r in there if not kind or r.kind == kind), reverse=True)


def test_of_an_instant_alone_the_list_goes_on_behind_it(filled: Store) -> None:
    with filled.read() as tx:
        rows = records.load_rows(tx, "", format_instant(NOW), "", 100)
    assert len(rows) == 53, "as programs of before asked"


@pytest.mark.parametrize("whose", [{"owner": ME}, {"creditor": ME}, {}])
def test_so_many_duties_are_the_first_of_all(filled: Store, whose: dict[str, NodeId]) -> None:
    with filled.read() as tx:
        every = records.load_duties(tx, Asked(**whose), None, NOW)
        assert every
        assert all(d.since <= NOW for d in every), "what is not owed yet is not listed"
        assert [urgency(d) for d in every] == sorted(map(urgency, every)), "what is stopped comes last"
        for limit in (1, 3, 10, 1000):
            assert records.load_duties(tx, Asked(**whose), limit, NOW) == every[:limit]
            some = records.load_duties(tx, Asked(**whose, codes=frozenset(CODES[1:])), limit, NOW)
            rest = records.load_duties(tx, Asked(**whose, without=frozenset(CODES[1:])), limit, NOW)
            assert some == [d for d in every if d.code in CODES[1:]][:limit]
            assert rest == [d for d in every if d.code == CODES[0]][:limit]
        count, late, newest = records.count_duties(tx, Asked(**whose), NOW, NOW)
    assert (count, newest) == (len(every), format_instant(max(d.since for d in every)))
    assert late == sum(d.due_at is not None and d.due_at < NOW for d in every)


def test_what_is_past_its_day_is_found_by_the_day(filled: Store) -> None:
    with filled.read() as tx:
        due = records.load_past_erasure(tx, "2026-11-21")
        left = records.load_unerased(tx, "2026-11-21")
    assert due == [dossier(n) for n in (*range(1, 60, 4), *range(2, 60, 4))], "the oldest day first"
    assert left == [(dossier(n), "2026-11-01") for n in range(1, 60, 4)]


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("select id from dossiers where erase_on <> '' and erase_on < '2026-11-22'", "ix_dossiers_erase_on"),
        ("select id from dossiers order by updated_at desc, id desc limit 100", "ix_dossiers_newest"),
        ("select id from dossier_duties where creditor = 'x' order by due_at limit 9", "ix_duties_creditor_due_since"),
        ("select id from hit_matches where state = 'open' order by found_at desc limit 9", "hit_matches_state_newest"),
        ("select id from hit_matches where urgent and state = 'open' order by found_at, id", "hit_matches_urgent"),
        ("select id from bank_records where erase_on > '' and erase_on < '2026-11-22'", "bank_records_erase_on"),
    ],
)
def test_lists_are_read_by_an_index(sqlite_store: Store, query: str, index: str) -> None:
    query = query.replace("select id from dossier_duties", "select dossier from dossier_duties")
    with sqlite_store.read() as tx:
        plan = " ".join(r.detail for r in tx.execute(text("explain query plan " + query)))
    assert index in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (Asked(ME), "ix_duties_owner_due_since"),
        (Asked(creditor=ME), "ix_duties_creditor_due_since"),
        (Asked(ME, dossier(7)), "sqlite_autoindex_dossier_duties_1"),
        (Asked(ME, codes=frozenset(CODES[2:])), "ix_duties_code_since"),
        (Asked(creditor=ME, codes=frozenset(CODES[2:])), "ix_duties_code_since"),
    ],
)
def test_duties_are_read_by_what_few_of_them_have(sqlite_store: Store, asked: Asked, index: str) -> None:
    said: list[str] = []
    with sqlite_store.read() as tx:

        @event.listens_for(tx, "before_cursor_execute")
        def note(_tx, cursor, statement, values, *_more):
            if "dossier_duties" in statement and not statement.startswith("EXPLAIN"):
                plan = cursor.connection.execute("EXPLAIN QUERY PLAN " + statement, values)
                said.extend(row[3] for row in plan)

        records.load_duties(tx, asked, 10, NOW)
    assert index in said[0], said


def test_of_one_dossier_are_read_its_own(filled: Store) -> None:
    with filled.read() as tx:
        every = records.load_duties(tx, Asked(ME), None, NOW)
        for number in (1, 7, 30):
            own = records.load_duties(tx, Asked(ME, dossier(number)), None, NOW)
            assert own == [d for d in every if d.dossier == dossier(number)]
