"""The audit log by time, verb, record and officer: what is asked for, and that pages leave nothing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, text

from tansiq.crypto import SigningKeys, Vault, node_id
from tansiq.errors import Invalid
from tansiq.ledger import Ledger, wanted
from tansiq.ledger import service as ledger_service
from tansiq.ledger.model import LeafView, Wanted
from tansiq.store import Store
from tansiq.terms import LogVerb

BEGIN = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
KEYS = SigningKeys(b"a" * 32, b"b" * 32)
INES, OMAR = "o-00000000000000aa", "o-00000000000000bb"


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store, KEYS, Vault(b"v" * 32), node_id("ES", KEYS.public), "tansiq.example/es")


def fill(store: Store, ledger: Ledger, hours: list[int]) -> None:
    """One leaf an hour; verbs, records and officers take turns of different length."""

    def work(tx: Connection) -> None:
        for n, hour in enumerate(hours):
            verb = (LogVerb.CONSULT, LogVerb.DISCLOSE, LogVerb.ERASE)[n % 3]
            content = {"officer": (INES, OMAR)[n % 2], "n": n}
            at = BEGIN + timedelta(hours=hour)
            ledger.append(tx, verb=verb, subject=f"e-{n % 5}", content=content, at=at)

    store.write(work)


def every(ledger: Ledger, asked: Wanted, limit: int) -> list[LeafView]:
    found: list[LeafView] = []
    before: int | None = None
    while True:
        page = ledger.select(asked, before, limit)
        assert len(page.leaves) <= limit
        found += page.leaves
        if page.older is None:
            return found
        assert before is None or page.older < before
        before = page.older


@pytest.mark.parametrize("limit", [1, 3, 50])
@pytest.mark.parametrize("since", ["", "2026-11-21", "2026-11-21T03:00:00.000Z"])
@pytest.mark.parametrize("until", ["", "2026-11-21", "2026-11-22T01:00:00.000Z"])
@pytest.mark.parametrize("verb", ["", "erase"])
@pytest.mark.parametrize("officer", ["", OMAR])
@pytest.mark.parametrize("subjects", [None, ["e-1", "e-4"]])
def test_pages_together_are_exactly_what_was_asked_for(
    sqlite_store: Store, limit: int, since: str, until: str, verb: str, officer: str, subjects: list[str] | None
) -> None:
    ledger = Ledger(sqlite_store, KEYS, Vault(b"v" * 32), node_id("ES", KEYS.public), "tansiq.example/es")
    fill(sqlite_store, ledger, list(range(30)))
    asked = wanted(since, until, verb, officer, subjects)

    def chosen(leaf: LeafView) -> bool:
        day = leaf.at.date().isoformat()
        at = leaf.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        after = (day >= since) if len(since) == 10 else at >= since
        before = not until or ((day <= until) if len(until) == 10 else at < until)
        of = not officer or bool(leaf.content and leaf.content["officer"] == officer)
        return (
            after and before and of and verb in ("", leaf.verb.value) and leaf.subject in (subjects or [leaf.subject])
        )

    assert every(ledger, asked, limit) == [x for x in ledger.page(None, 100) if chosen(x)]


def test_a_clock_that_was_put_back_hides_no_leaf(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, [0, 1, 30, 31, 2, 3, 32])
    found = every(ledger, wanted("2026-11-20", "2026-11-21"), 2)
    assert [x.index for x in found] == [5, 4, 1, 0]


def test_many_records_are_looked_for_in_groups(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, list(range(12)))
    crowd = [f"p-{n}" for n in range(900)]
    found = every(ledger, wanted(subjects=[*crowd, "e-0", "e-3"]), 2)
    assert [x.index for x in found] == [10, 8, 5, 3, 0]
    assert every(ledger, wanted(subjects=[]), 2) == []


def test_for_one_officer_only_so_many_are_opened_at_a_time(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(sqlite_store, KEYS, Vault(b"v" * 32), node_id("ES", KEYS.public), "tansiq.example/es")
    fill(sqlite_store, ledger, list(range(20)))
    monkeypatch.setattr(ledger_service, "MOST_SCANNED", 4)
    page = ledger.select(wanted(officer="o-00000000000000cc"), None, 50)
    assert (page.leaves, page.scanned, page.older) == ((), 4, 16)
    assert len(every(ledger, wanted(officer=INES), 50)) == 10


def test_an_erased_leaf_is_nobodys_and_is_found_by_its_time(store: Store, ledger: Ledger) -> None:
    fill(store, ledger, [0, 1])
    store.write(lambda tx: tx.execute(text("delete from ledger_contents where leaf_index = 1")))
    assert [x.index for x in every(ledger, wanted(officer=OMAR), 5)] == []
    assert next(iter(every(ledger, wanted("2026-11-20"), 5))).content is None


@pytest.mark.parametrize(
    ("words", "field", "code"),
    [
        ({"since": "yesterday"}, "since", "ledger.instant"),
        ({"since": "2026-11-31"}, "since", "ledger.instant"),
        ({"until": "9999-12-31"}, "until", "ledger.instant"),
        ({"until": "2026-11-22T08:00"}, "until", "ledger.instant"),
        ({"since": "2026-11-22", "until": "2026-11-21"}, "until", "ledger.range"),
        ({"verb": "read"}, "verb", "ledger.verb"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_field(words: dict[str, str], field: str, code: str) -> None:
    with pytest.raises(Invalid) as failure:
        wanted(**words)
    assert (failure.value.code, failure.value.field) == (code, field)
