"""Taking a list over: counts add up, a newer edition replaces the old one, a damaged one changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tansiq.access.model import Role
from tansiq.bank.model import Provenance
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.sources import import_into, read
from tansiq.sources.model import Reject, SourceRow
from tansiq.terms import LogVerb
from tests.support.holdings import ANALYST, Holdings, by_name, person
from tests.unit.sources.test_lists import UN


def take(there, rows, **more):
    return import_into(there.bank, there.store, there.ledger, rows, ANALYST, **more)


def rows(*numbers, source="un", year="1985"):
    return [
        SourceRow(person(f"Yasser Tazeghart {n}", birthDate=year), Provenance(source, f"EXi.{n:03}", originator="UN"))
        for n in numbers
    ]


def test_what_went_in_is_what_came_out_plus_named_rejects(there):
    report = take(there, read(UN, "un"))
    assert (report.read, report.added, report.changed, report.unchanged, report.removed) == (4, 2, 0, 0, 0)
    assert len(report.rejects) == 2
    assert report.read == report.added + report.changed + report.unchanged + len(report.rejects)
    assert there.bank.count("un") == 2


def test_the_same_edition_again_changes_nothing(there):
    take(there, read(UN, "un"))
    report = take(there, read(UN, "un"))
    assert (report.added, report.changed, report.unchanged, report.removed) == (0, 0, 2, 0)


def test_a_new_edition_adds_changes_and_removes_per_reference(there):
    take(there, rows(1, 2, 3))
    by_reference = {c.record.provenance.reference: c.record.id for c in by_name(there.bank, "Yasser Tazeghart")}
    report = take(there, rows(1) + rows(2, year="1986") + rows(4))
    assert (report.added_references, report.changed_references, report.removed_references) == (
        ("EXi.004",),
        ("EXi.002",),
        ("EXi.003",),
    )
    assert report.unchanged == 1
    assert there.bank.get(by_reference["EXi.002"]).entity.values("birthDate") == ("1986",)
    assert there.bank.count("un") == 3


def test_another_source_is_not_touched_and_tables_only_add(there):
    take(there, rows(1, 2, source="csv"))
    take(there, rows(1))
    report = take(there, rows(3, source="csv"))
    assert report.removed == 0
    assert there.bank.count("csv") == 3
    assert there.bank.count("un") == 1


def test_a_reference_that_stands_twice_is_named(there):
    report = take(there, rows(1) + rows(1, year="1990"))
    assert report.added == 1
    assert report.rejects == (Reject("row 2", "source.reference_twice", "reference"),)


def test_batches_of_500_each_with_its_leaf(there):
    seen = []
    take(there, rows(*range(1, 621)), progress=seen.append)
    assert seen == [500, 620]
    leaves = there.ledger.find("source:un")
    assert [leaf.verb for leaf in leaves] == [LogVerb.COLLECT] * 2
    assert sum(leaf.content["added"] for leaf in leaves) == 620
    assert {leaf.content["officer"] for leaf in leaves} == {ANALYST.officer}


def test_a_list_that_would_lose_half_of_itself_is_not_believed(there):
    take(there, rows(*range(1, 101)))
    with pytest.raises(Conflict) as caught:
        take(there, rows(1, 2, 3))
    assert caught.value.code == "source.shrinks"
    assert there.bank.count() == 100
    assert take(there, rows(1, 2, 3), may_shrink=True).removed == 97
    assert there.bank.count() == 3


def test_a_file_that_breaks_off_changes_nothing(there):
    with pytest.raises(Invalid):
        take(there, read(UN[: len(UN) * 3 // 4], "un"))
    assert there.bank.count() == 0
    assert there.ledger.find("source:un") == []


def test_a_crash_between_two_batches_is_completed_by_the_same_import(there):
    class Crash(BaseException):
        pass

    def crash(_done):
        raise Crash

    with pytest.raises(Crash):
        take(there, rows(*range(1, 621)), progress=crash)
    assert there.bank.count() == 500
    report = take(there, rows(*range(1, 621)))
    assert (report.added, report.unchanged) == (120, 500)
    assert there.bank.count() == 620


def test_rows_of_two_sources_are_refused_together(there):
    with pytest.raises(Invalid):
        take(there, rows(1) + rows(2, source="csv"))


def test_both_databases_take_editions_over(store_url):
    opened = Holdings(store_url, country="DE")
    try:
        take(opened, rows(1, 2, 3))
        report = take(opened, rows(1) + rows(2, year="1986"))
        assert (report.added, report.changed, report.unchanged, report.removed) == (0, 1, 1, 1)
    finally:
        opened.close()


def test_what_changed_is_held_since_its_first_edition(there):
    take(there, rows(1))
    before = by_name(there.bank, "Yasser Tazeghart")[0].record
    there.clock.pass_time(timedelta(days=30))
    take(there, rows(1, year="1986"))
    after = there.bank.get(before.id)
    assert after.entity != before.entity
    assert after.created_at == before.created_at


def test_nothing_but_rejects_removes_nothing(there):
    take(there, rows(1))
    report = take(there, [Reject("individual 1", "source.name_missing")])
    assert (report.read, report.removed) == (1, 0)
    assert there.bank.count() == 1


def test_the_law_gate_is_asked_once_for_a_list_and_its_clause_stands_in_every_leaf(there, monkeypatch):
    asked = []
    permitted = there.bank.permitted
    monkeypatch.setattr(there.bank, "permitted", lambda *a, **k: asked.append(a[0]) or permitted(*a, **k))
    take(there, rows(*range(1, 701)))
    take(there, rows(*range(1, 700)))
    assert asked == ["collect", "collect", "erase"]
    leaves = there.ledger.find("source:un")
    assert [(leaf.verb, leaf.content["clauses"]) for leaf in leaves] == [
        (LogVerb.COLLECT, ["roles.record"]),
        (LogVerb.COLLECT, ["roles.record"]),
        (LogVerb.ERASE, ["roles.machine"]),
    ]


def test_an_import_that_nothing_permits_changes_nothing(there):
    admin = replace(ANALYST, roles=frozenset({Role.ADMIN}))
    with pytest.raises(Refused) as caught:
        import_into(there.bank, there.store, there.ledger, rows(1), admin)
    assert (caught.value.step, caught.value.field) == ("import", "role")
    assert there.bank.count() == 0
    assert there.ledger.find("source:un") == []
