"""Operations: nothing before every party signed, measures by the pair's law, custody, results that all agreed to."""

from datetime import timedelta

import pytest

from tansiq.dossiers.rules import duties
from tansiq.kinds.operation import OPERATION, custody, possible, totals
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

LATER = format_instant(START + timedelta(days=90))
PERIOD = {"window_from": format_instant(START), "window_until": LATER}


class Parties:
    def __init__(self, opener, others, **facts):
        self.desks = {n: Desk(n, OPERATION) for n in (opener, *others)}
        self.opener = opener
        self.proposal = self.share(self.desks[opener].open(others, {**PERIOD, **facts}))

    def share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, facts, at=None, **change):
        return self.share(self.desks[node].write(f"operation.{act}", facts, at=at, **change))

    @property
    def state(self):
        return self.desks[self.opener].state()

    @property
    def own(self):
        return self.state.own

    def void(self, entry):
        return entry.id in self.state.voided()

    def owed(self, code):
        return [d for d in duties(self.state, OPERATION) if d.code == f"operation.{code}"]


def signed():
    team = Parties(MADRID, (BERLIN,), form="jit")
    team.write(BERLIN, "signed", {"about": team.proposal.id})
    return team


def test_nothing_opens_before_every_party_signed():
    team = Parties(MADRID, (RABAT,), form="joint_operation")
    assert {d.owner for d in team.owed("sign")} == {RABAT}
    for node in (MADRID, RABAT):
        assert team.void(team.write(node, "task_given", {"owner": MADRID}))
    team.write(RABAT, "signed", {"about": team.proposal.id})
    assert team.own.active
    assert not team.owed("sign")
    assert not team.void(team.write(RABAT, "task_given", {"owner": MADRID, "due": LATER}))
    assert [d.owner for d in team.owed("task")] == [MADRID]


def test_who_declined_is_asked_no_more_and_nothing_opens():
    team = Parties(MADRID, (RABAT,), form="joint_operation")
    team.write(RABAT, "declined", {"about": team.proposal.id})
    assert not team.owed("sign")
    assert team.void(team.write(MADRID, "decision_taken", {"number": 1}))


def test_a_team_has_a_limited_period_and_a_law():
    assert Parties(MADRID, (BERLIN,), form="jit", window_until="").state.opener is None
    assert Parties(MADRID, (RABAT,), form="jit").state.opener is None
    assert Parties(MADRID, (BERLIN,), form="jit").state.opener == MADRID


def test_an_amendment_holds_when_all_signed_it():
    team = signed()
    longer = format_instant(START + timedelta(days=180))
    change = team.write(MADRID, "amended", {"window_until": longer})
    assert team.own.facts["window_until"] == LATER
    assert {d.owner for d in team.owed("sign")} == {BERLIN}
    team.write(BERLIN, "signed", {"about": change.id})
    assert team.own.facts["window_until"] == longer


@pytest.mark.parametrize(
    ("pair", "measure", "there"),
    [
        (("ES", "DE"), "cross_border_surveillance", True),
        (("ES", "MA"), "cross_border_surveillance", False),
        (("ES", "MA"), "controlled_delivery", True),
        (("DE", "MA"), "joint_operation", False),
        (("ES", "DE", "MA"), "controlled_delivery", True),
        (("ES", "DE", "MA"), "jit", False),
        (("ES",), "jit", False),
    ],
)
def test_the_matrix_says_what_is_possible(pair, measure, there):
    assert (measure in possible(pair)) is there


def request(team, node=MADRID, **facts):
    return team.write(node, "measure_requested", {"measure": "cross_border_surveillance", **facts})


def test_what_the_pair_may_not_do_is_refused():
    pair = Parties(MADRID, (RABAT,), form="joint_operation")
    pair.write(RABAT, "signed", {"about": pair.proposal.id})
    assert pair.void(request(pair))
    assert not pair.void(request(pair, measure="controlled_delivery"))


def test_five_hours_from_the_crossing():
    team = signed()
    crossed = START + timedelta(hours=30)
    asked = request(team, urgency="urgent", crossing_at=format_instant(crossed))
    for code, owner in (("answer_measure", BERLIN), ("stop_surveillance", MADRID)):
        (duty,) = team.owed(code)
        assert (duty.owner, duty.due_at, duty.urgent) == (owner, crossed + timedelta(hours=5), True)
    team.write(BERLIN, "measure_authorised", {"about": asked.id, "conditions": True})
    assert not team.owed("stop_surveillance")
    assert [d.owner for d in team.owed("report_measure")] == [MADRID]
    assert team.void(team.write(BERLIN, "measure_reported", {"about": asked.id, "outcome": "carried_out"}))
    team.write(MADRID, "measure_reported", {"about": asked.id, "outcome": "carried_out"})
    assert not team.owed("report_measure")


def test_an_abort_reaches_all_and_is_acknowledged():
    team = signed()
    asked = request(team)
    team.write(BERLIN, "measure_authorised", {"about": asked.id})
    stop = team.write(BERLIN, "measure_aborted", {"about": asked.id})
    assert {d.owner for d in team.owed("acknowledge_abort")} == {MADRID}
    team.write(MADRID, "abort_acknowledged", {"about": stop.id})
    assert not team.owed("acknowledge_abort")
    assert team.void(team.write(BERLIN, "measure_aborted", {"about": asked.id}))


def test_what_ran_is_reported_however_it_ended():
    team = signed()
    ran, never = request(team), request(team)
    team.write(BERLIN, "measure_authorised", {"about": ran.id})
    for asked in (ran, never):
        team.write(BERLIN, "measure_aborted", {"about": asked.id})
    assert [(d.entry, d.due_at) for d in team.owed("report_measure")] == [
        (ran.id, team.own.items[f"{ran.id}/{BERLIN}"].since + timedelta(days=7))
    ]
    assert team.void(team.write(MADRID, "measure_reported", {"about": never.id, "outcome": "not_carried_out"}))
    team.write(MADRID, "measure_reported", {"about": ran.id, "outcome": "broken_off"})
    assert not team.owed("report_measure")
    assert team.void(team.write(MADRID, "measure_reported", {"about": ran.id, "outcome": "broken_off"}))


def test_a_leave_taken_back_is_reported_too():
    team = signed()
    asked = request(team)
    team.write(BERLIN, "measure_authorised", {"about": asked.id})
    team.write(BERLIN, "measure_refused", {"about": asked.id, "grounds": ["security"]})
    assert [d.owner for d in team.owed("report_measure")] == [MADRID]
    team.write(MADRID, "measure_reported", {"about": asked.id, "outcome": "handed_over"})
    assert not team.owed("report_measure")


def test_who_crossed_without_leave_reports():
    team = signed()
    asked = request(team, urgency="urgent", crossing_at=format_instant(START))
    assert not team.owed("report_measure")
    team.write(MADRID, "measure_aborted", {"about": asked.id})
    assert [d.owner for d in team.owed("report_measure")] == [MADRID]
    assert not team.void(team.write(MADRID, "measure_reported", {"about": asked.id, "outcome": "broken_off"}))


def test_a_refusal_carries_a_ground():
    team = signed()
    asked = request(team)
    assert team.void(team.write(BERLIN, "measure_refused", {"about": asked.id, "grounds": []}))
    assert not team.void(team.write(BERLIN, "measure_refused", {"about": asked.id, "grounds": ["security"]}))


def test_the_chain_of_custody_has_no_gap():
    team = signed()
    thing = team.write(MADRID, "exhibit_logged", {"form": "data", "digest": "a" * 64, "size": 10})
    assert team.void(team.write(BERLIN, "exhibit_touched", {"about": thing.id, "how": "opened"}))
    team.write(MADRID, "custody_given", {"about": thing.id, "owner": BERLIN})
    assert team.void(team.write(MADRID, "exhibit_touched", {"about": thing.id, "how": "copied"}))
    assert [d.owner for d in team.owed("take_custody")] == [BERLIN]
    team.write(BERLIN, "custody_taken", {"about": thing.id})
    team.write(BERLIN, "exhibit_touched", {"about": thing.id, "how": "examined"})
    chain = custody(team.own.items[thing.id])
    assert [(act.split(".")[1], who) for act, who, _at in chain] == [
        ("exhibit_logged", MADRID),
        ("custody_given", MADRID),
        ("custody_taken", BERLIN),
        ("exhibit_touched", BERLIN),
    ]


def test_reports_are_numbered_without_a_gap():
    team = signed()
    team.write(MADRID, "situation_reported", {"number": 1})
    assert team.void(team.write(MADRID, "situation_reported", {"number": 3}))
    assert not team.void(team.write(BERLIN, "situation_reported", {"number": 1}))
    assert not team.void(team.write(MADRID, "situation_reported", {"number": 2}))


def test_results_count_when_all_agree():
    team = signed()
    one = team.write(MADRID, "result_recorded", {"arrests": 3, "cells_dismantled": 1})
    team.write(MADRID, "result_recorded", {"arrests": 5})
    assert totals(team.own) == {}
    team.write(BERLIN, "result_agreed", {"about": one.id})
    assert totals(team.own) == {"arrests": 3, "cells_dismantled": 1}
    team.write(BERLIN, "result_disputed", {"about": one.id})
    assert totals(team.own) == {}


def test_closed_evaluated_erased():
    team = signed()
    end = team.write(MADRID, "closed", {"due": LATER, "outcome": "objective_reached"})
    assert {d.owner for d in team.owed("erase")} == {MADRID, BERLIN}
    assert {d.owner for d in team.owed("evaluate")} == {MADRID, BERLIN}
    for node in (MADRID, BERLIN):
        team.write(node, "evaluated", {"about": end.id, "worth": 5})
    proven = {"about": end.id, "parts": 4, "leaf": 9, "proof": "a-proof"}
    assert team.void(team.write(MADRID, "erased", {"about": end.id, "parts": 4}))
    assert team.void(team.write(MADRID, "erased", {**proven, "about": team.proposal.id}))
    for node in (MADRID, BERLIN):
        team.write(node, "erased", proven)
    assert team.void(team.write(BERLIN, "erased", proven))
    assert not [d for d in duties(team.state, OPERATION) if d.code.startswith("operation.")]


def test_who_never_signed_erases_too_and_evaluates_nothing():
    team = Parties(MADRID, (RABAT,), form="joint_operation")
    team.write(RABAT, "declined", {"about": team.proposal.id})
    assert OPERATION.erases(team.state) is None
    end = team.write(MADRID, "closed", {"due": LATER, "outcome": "not_reached"})
    assert {d.owner for d in team.owed("evaluate")} == {MADRID}
    assert {d.owner for d in team.owed("erase")} == {MADRID, RABAT}
    assert not team.void(team.write(RABAT, "erased", {"about": end.id, "parts": 1, "leaf": 9, "proof": "a-proof"}))


def test_a_conflict_opens_an_empty_one():
    room = Parties(MADRID, (RABAT,), form="coordination", window_from="", window_until="")
    assert room.own.active
    assert not room.owed("sign")
