"""Who is listed today meets yesterday's report: once, in steps, whatever crashes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tansiq.bank.model import Claim, Provenance
from tansiq.hits import standing as module
from tansiq.hits.model import MatchState
from tansiq.terms import LogVerb
from tests.support.holdings import ANALYST, by_name, entity, person
from tests.unit.hits.test_hits import D1, D2, E1, E2, Desk, entry_of, part_id

LISTED = person("Yasser Tazeghart", birthDate="1985-03-20")
OTHER = entity("Vehicle", registrationNumber="12345-A-6", country="MA")
REPORTED = person("ياسر تازغارت", birthDate="1985", role="SUSP")


@pytest.fixture
def desk(sqlite_url):
    opened = Desk(sqlite_url)
    yield opened
    opened.there.close()


def report(desk, *entities, ident=E1, dossier=D1, originator="MA", **more):
    """A partner's entry: filed, its entities in the bank, its examination done."""
    for number, one in enumerate(entities, 1):
        prov = {"reference": ident, "part": part_id(number), "dossier": dossier, "originator": originator}
        desk.there.keep(one, source="dossier", **prov)
    desk.arrive(entry_of(*entities, ident=ident, dossier=dossier), **more)
    found = desk.examine()
    everything(desk)
    return found


def everything(desk):
    """All steps; what they found."""
    found, more = [], True
    while more:
        matches, more = desk.hits.examine_holdings()
        found += matches
    return found


def reopened(desk):
    """A new process on the same database."""
    return desk.opened()


def test_who_is_listed_today_meets_yesterdays_report(desk):
    assert report(desk, REPORTED) == []
    record = desk.there.keep(LISTED, source="un", reference="QDi.1")
    (found,) = everything(desk)
    assert (found.entry, found.dossier, found.part) == (E1, D1, part_id(1))
    assert (found.incoming, found.holding.id, found.originator) == (REPORTED, record, "MA")
    assert (found.rule, found.state) == ("person", MatchState.OPEN)
    assert desk.hits.match(found.id) == found
    assert len(desk.hits.duties()) == 1
    (leaf,) = desk.there.ledger.find(module.SUBJECT)
    assert (leaf.verb, leaf.content["matches"], leaf.content["holdings"]) == (LogVerb.COMBINE, 1, 1)


def test_who_is_listed_today_does_not_meet_yesterdays_witness(desk):
    """Reg. (EU) 2016/794 art. 30(1): a machine does not compare the witness of a partner's report."""
    report(desk, person("ياسر تازغارت", birthDate="1985", role="WITN"))
    desk.there.keep(LISTED, source="un", reference="QDi.1")
    assert everything(desk) == []
    (leaf,) = desk.there.ledger.find(module.SUBJECT)
    assert (leaf.content["not_compared"], leaf.content["refused_by"]) == (1, ["persons.match"])


def test_it_is_found_once_whichever_came_first_and_however_often_one_looks(desk):
    report(desk, REPORTED)
    desk.there.keep(LISTED)
    assert len(everything(desk)) == 1
    assert everything(desk) == []
    desk.hits = reopened(desk)
    assert everything(desk) == []
    desk.arrive(desk.entries[E1])
    assert desk.examine() == []
    # The other way round: the entry meets the holding as it arrives.
    assert len(report(desk, OTHER, REPORTED, ident=E2, dossier=D2)) == 2
    assert everything(desk) == []


def test_a_decided_match_does_not_come_back_with_a_new_edition(desk):
    report(desk, REPORTED)
    record = desk.there.keep(LISTED)
    (found,) = everything(desk)
    desk.hits.decide(found.id, MatchState.NO_HIT, "another person", ANALYST)
    newer = person("Yasser Tazeghart", "Yasir Tazghart", birthDate="1985-03-20")
    bank = desk.there.bank
    desk.there.store.write(lambda tx: bank.replace_many(tx, {record: (newer, Provenance("own", "r"))}))
    assert everything(desk) == []


def test_a_new_edition_that_says_more_meets_what_the_old_one_did_not(desk):
    report(desk, entity("Phone", number="+212612345678"))
    record = desk.there.keep(person("Karim Sebti"))
    assert everything(desk) == []
    newer = person("Karim Sebti", phone="+212612345678")
    bank = desk.there.bank
    desk.there.store.write(lambda tx: bank.replace_many(tx, {record: (newer, Provenance("own", "r"))}))
    assert [m.rule for m in everything(desk)] == ["identifier"]


@pytest.mark.parametrize("step", ["before", "after"])
def test_a_crash_loses_and_repeats_nothing(desk, step, monkeypatch):
    class Crash(BaseException):
        pass

    report(desk, REPORTED)
    desk.there.keep(LISTED)
    whole = desk.there.store.write

    def cut(work):
        if step == "after":
            whole(work)
        raise Crash

    monkeypatch.setattr(desk.there.store, "write", cut)
    with pytest.raises(Crash):
        everything(desk)
    monkeypatch.undo()
    desk.hits = reopened(desk)
    assert len(everything(desk)) == (1 if step == "before" else 0)
    assert len(desk.hits.matches()) == 1


@pytest.mark.parametrize("which", ["holding", "brought"])
def test_what_is_erased_between_the_look_and_the_match_is_in_no_match(desk, monkeypatch, which):
    report(desk, REPORTED)
    bank = desk.there.bank
    brought = by_name(bank, "ياسر تازغارت")[0].record.id
    listed = desk.there.keep(LISTED, source="un", reference="QDi.1")
    looked, waiting = desk.hits._standing._near, [listed if which == "holding" else brought]

    def near(tx, holdings):
        found = looked(tx, holdings)
        if waiting:
            desk.there.store.write(lambda tx: bank.remove(tx, waiting.pop()))
        return found

    monkeypatch.setattr(desk.hits._standing, "_near", near)
    assert everything(desk) == []
    assert desk.hits.matches() == []


def test_a_value_of_ours_erased_before_it_is_compared_is_in_no_match(desk, monkeypatch):
    report(desk, person("ياسر تازغارت", birthDate="1985", phone="+212612345678", role="SUSP"))
    due = Claim("phone", "+212612345678", erase_on="2026-01-01")
    desk.there.keep(replace(LISTED, claims=(*LISTED.claims, due)), source="un", reference="QDi.1")
    bank = desk.there.bank
    inner, waiting = bank.new_holdings, [1]

    def new_holdings(after, limit):
        found = inner(after, limit)
        if waiting:
            waiting.pop()
            desk.there.store.write(lambda tx: bank.erase_due(tx, "2026-01-01"))
        return found

    monkeypatch.setattr(bank, "new_holdings", new_holdings)
    everything(desk)
    everything(desk)
    (match,) = desk.hits.matches()
    assert "612345678" not in str(match.explanation)


def test_steps_are_small_and_each_is_kept(desk, monkeypatch):
    monkeypatch.setattr(module, "STEP", 4)
    report(desk, entity("Phone", number="+212612345678"))
    for number in range(10):
        desk.there.keep(person(f"Karim Sebti {number}"), reference=f"r{number}")
    last = desk.there.keep(person("Nadia Ouazzani", phone="0612345678"), originator="MA", reference="last")
    assert desk.hits.examine_holdings() == ([], True)
    desk.hits = reopened(desk)
    (found,) = everything(desk)
    assert found.holding.id == last


def test_what_came_with_an_entry_is_no_holding_of_ours(desk):
    """Also where two services share our country: its own entry says that it came from a partner."""
    report(desk, REPORTED)
    first = report(desk, OTHER, LISTED, ident=E2, dossier=D2, originator="ES")
    assert len(first) == 1
    assert len(desk.hits.matches()) == 1


def test_our_own_report_meets_a_partners_but_not_in_one_dossier(desk):
    report(desk, REPORTED)
    ours = {"source": "dossier", "reference": "e-" + "9" * 64, "originator": "ES"}
    desk.there.keep(LISTED, **ours, part="p-1", dossier=D1)
    assert everything(desk) == []
    desk.there.keep(LISTED, **ours, part="p-2", dossier=D2)
    assert len(everything(desk)) == 1


def test_an_urgent_report_makes_an_urgent_match(desk):
    report(desk, REPORTED, urgent=True)
    desk.there.keep(LISTED)
    everything(desk)
    (duty,) = desk.hits.duties()
    assert duty.urgent


def test_where_nothing_was_received_nothing_is_written(desk, monkeypatch):
    for number in range(40):
        desk.there.keep(person(f"Karim Sebti {number}"), reference=f"r{number}")
    monkeypatch.setattr(desk.there.store, "write", lambda _work: pytest.fail("a write"))
    assert everything(desk) == []


def test_a_name_that_meets_a_whole_list_gives_a_handful(desk):
    report(desk, person("Yasser Tazeghart"))
    for number in range(20):
        desk.there.keep(person("Yasser Tazeghart"), reference=f"r{number}")
    assert 1 <= len(everything(desk)) <= 16
