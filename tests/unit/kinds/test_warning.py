"""Warnings: who acknowledged what, who owes what when, and what an update does to both."""

from datetime import timedelta

from tansiq.dossiers.rules import duties
from tansiq.kinds.warning import ACKNOWLEDGE, WARNING
from tansiq.kinds.warning.model import FEEDBACK
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

FLASH = {"precedence": "flash", "grade": "B2", "target": "crowd", "country": "ES"}


def opened(**facts):
    rabat = Desk(RABAT, WARNING)
    first = rabat.open((MADRID, BERLIN), {**FLASH, **facts})
    madrid = Desk(MADRID, WARNING)
    madrid.see(first)
    return rabat, madrid, first


def owed(desk, code):
    return [d for d in duties(desk.state(), WARNING) if d.code == code]


def test_each_addressee_owes_an_acknowledgement_by_precedence():
    rabat, _madrid, _first = opened()
    found = owed(rabat, "warning.acknowledge")
    assert {d.owner for d in found} == {MADRID, BERLIN}
    assert {d.due_at for d in found} == {START + ACKNOWLEDGE["flash"]}
    assert all(d.urgent for d in found)


def test_acknowledging_ends_the_duty_of_who_did():
    rabat, madrid, first = opened()
    rabat.see(madrid.write("warning.acknowledged", {"about": first.id}))
    assert {d.owner for d in owed(rabat, "warning.acknowledge")} == {BERLIN}
    # A second acknowledgement is no act any more, and is seen to be none.
    again = madrid.write("warning.acknowledged", {"about": first.id})
    assert again.id in madrid.state().voided()


def test_a_late_acknowledgement_goes_up_on_both_sides():
    rabat, _madrid, _first = opened()
    late = START + ACKNOWLEDGE["flash"]
    escalated = owed(rabat, "warning.escalate")
    assert {d.owner for d in escalated} == {MADRID, BERLIN}
    assert {(d.since, d.later) for d in escalated} == {(late, True)}
    assert {(d.owner, d.creditor) for d in owed(rabat, "warning.call")} == {(RABAT, MADRID), (RABAT, BERLIN)}


def test_an_update_is_acknowledged_again_and_replaces_the_old():
    rabat, madrid, first = opened()
    rabat.see(madrid.write("warning.acknowledged", {"about": first.id}))
    update = rabat.write("warning.updated", {"precedence": "priority", "grade": "A1"})
    assert {(d.owner, d.entry) for d in owed(rabat, "warning.acknowledge")} == {
        (MADRID, update.id),
        (BERLIN, update.id),
    }
    assert rabat.state().own.facts["grade"] == "A1"
    assert rabat.state().own.facts["country"] == "ES"
    stale = Desk(BERLIN, WARNING)
    stale.see(first, update)
    assert stale.write("warning.acknowledged", {"about": first.id}).id in stale.state().voided()


def test_stand_down_asks_for_feedback_and_the_outcome():
    rabat, madrid, _first = opened()
    down = rabat.write("warning.stood_down", {"reason": "threat_ended"})
    assert {d.owner for d in owed(rabat, "warning.feedback")} == {MADRID, BERLIN}
    assert [d.due_at for d in owed(rabat, "warning.record_outcome")] == [down.statement.at + FEEDBACK]
    assert not owed(rabat, "warning.escalate")
    madrid.see(down)
    rabat.see(madrid.write("warning.feedback_given", {"about": down.id, "outcome": "prevented", "used": True}))
    assert {d.owner for d in owed(rabat, "warning.feedback")} == {BERLIN}
    rabat.write("warning.outcome_recorded", {"outcome": "prevented"})
    state = rabat.state()
    assert (state.phase, state.own.outcome) == ("closed", "prevented")
    assert not owed(rabat, "warning.record_outcome")


def test_only_the_originator_updates_and_stands_down():
    _rabat, madrid, _first = opened()
    for act, facts in (("warning.updated", {}), ("warning.stood_down", {"reason": "unfounded"})):
        assert madrid.write(act, facts).id in madrid.state().voided()


def test_a_wrong_grade_or_window_opens_nothing():
    late, early = "2026-12-02T00:00:00.000Z", "2026-12-01T00:00:00.000Z"
    for wrong in ({"grade": "Z9"}, {"window_from": late, "window_until": early}, {"window_from": "soon"}):
        rabat, _madrid, _first = opened(**wrong)
        assert rabat.state().opener is None
        assert [m.code for m in rabat.state().marks] == ["illegal_act"]


def test_a_year_of_silence_raises_nothing():
    rabat, madrid, first = opened()
    far = START + timedelta(days=400)
    rabat.see(madrid.write("warning.acknowledged", {"about": first.id}, at=far))
    assert {d.owner for d in owed(rabat, "warning.acknowledge")} == {BERLIN}
