"""The request's clock and life cycle (Dir. (EU) 2023/977 arts 4-6)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tansiq.dossiers import automatic, duties
from tansiq.dossiers.model import Duty
from tansiq.kinds import KINDS
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

REQUEST = KINDS["request"]
URGENT = {"urgency": "urgent", "urgency_ground": "life_or_integrity", "accessibility": "direct"}


def asked(facts: dict[str, object] | None = None) -> tuple[Desk, Desk]:
    madrid, rabat = Desk(MADRID, REQUEST), Desk(RABAT, REQUEST)
    rabat.see(madrid.open((RABAT,), facts or URGENT))
    (act,) = automatic(rabat.state(), REQUEST, RABAT)
    madrid.see(rabat.write(act.type, dict(act.facts), START + timedelta(minutes=30)))
    return madrid, rabat


def owed(desk: Desk, code: str) -> Duty:
    return next(d for d in duties(desk.state(), REQUEST) if d.code == code)


@pytest.mark.parametrize(
    ("facts", "length"),
    [
        (URGENT, timedelta(hours=8)),
        ({**URGENT, "accessibility": "indirect"}, timedelta(days=3)),
        ({"urgency": "normal"}, timedelta(days=7)),
    ],
)
def test_the_clock_of_article_5_runs_from_receipt(facts: dict[str, object], length: timedelta) -> None:
    madrid, _ = asked(facts)
    duty = owed(madrid, "request.answer")
    assert (duty.owner, duty.due_at) == (RABAT, START + timedelta(minutes=30) + length)


def test_before_receipt_no_clock_runs() -> None:
    madrid = Desk(MADRID, REQUEST)
    madrid.open((RABAT,), URGENT)
    assert [d.code for d in duties(madrid.state(), REQUEST) if d.code.startswith("request.")] == []


def test_a_clarification_stops_the_clock_and_gives_back_what_was_left() -> None:
    madrid, rabat = asked()
    madrid.see(rabat.write("request.clarification_asked", at=START + timedelta(hours=2)))
    stopped = owed(madrid, "request.answer")
    assert (stopped.due_at, stopped.paused) == (None, "clarification")
    assert owed(madrid, "request.clarify").owner == MADRID
    madrid.write("request.clarification_given", {"lane": RABAT}, START + timedelta(hours=20))
    assert owed(madrid, "request.answer").due_at == START + timedelta(hours=26, minutes=30)


def test_an_answer_ends_the_lane_and_the_request() -> None:
    madrid, rabat = asked()
    madrid.see(rabat.write("request.answered", {"result": "provided"}))
    assert madrid.state().phase == "closed"
    assert all(not d.code.startswith("request.") for d in duties(madrid.state(), REQUEST))


def test_a_late_answer_says_how_late() -> None:
    madrid, rabat = asked()
    madrid.see(rabat.write("request.answered", {"result": "provided"}, START + timedelta(hours=10)))
    assert madrid.state().own.lanes[RABAT].late_by == timedelta(hours=1, minutes=30)


def test_each_addressee_has_a_clock_of_its_own() -> None:
    madrid, rabat, berlin = Desk(MADRID, REQUEST), Desk(RABAT, REQUEST), Desk(BERLIN, REQUEST)
    opening = madrid.open((RABAT, BERLIN), URGENT)
    rabat.see(opening)
    berlin.see(opening)
    (act,) = automatic(rabat.state(), REQUEST, RABAT)
    madrid.see(rabat.write(act.type, dict(act.facts)))
    madrid.see(rabat.write("request.answered", {}))
    assert madrid.state().phase == "open"
    assert madrid.state().own.lanes[BERLIN].state == "sent"


@pytest.mark.parametrize(
    ("act", "facts", "why"),
    [
        ("request.refused", {"grounds": []}, "illegal_act"),
        ("request.refused", {"grounds": ["because"]}, "facts_wrong"),
        ("request.delay_announced", {"until": "soon", "reason": "judicial_authorisation"}, "illegal_act"),
        (
            "request.delay_announced",
            {"until": format_instant(START + timedelta(days=2)), "reason": "holiday"},
            "facts_wrong",
        ),
        ("request.withdrawn", {}, "not_the_opener"),
        ("request.clarification_given", {"lane": RABAT}, "not_the_opener"),
        ("request.received", {"request": "e-1"}, "illegal_act"),
    ],
)
def test_what_the_law_does_not_allow_stays_visible_without_effect(act: str, facts: dict[str, object], why: str) -> None:
    _, rabat = asked()
    before = rabat.state().own
    entry = rabat.write(act, facts)
    assert [m.code for m in rabat.state().marks if m.entry == entry.id] == [why]
    assert rabat.state().own == before


def test_a_judicial_delay_moves_the_clock() -> None:
    madrid, rabat = asked()
    until = START + timedelta(days=2)
    madrid.see(
        rabat.write("request.delay_announced", {"until": format_instant(until), "reason": "judicial_authorisation"})
    )
    assert owed(madrid, "request.answer").due_at == until


@pytest.mark.parametrize("facts", [{"urgency": "urgent"}, {"urgency": "normal", "urgency_ground": "life_or_integrity"}])
def test_only_an_urgent_request_carries_a_ground_and_always_does(facts: dict[str, object]) -> None:
    madrid = Desk(MADRID, REQUEST)
    madrid.open((RABAT,), facts)
    assert [m.code for m in madrid.state().marks] == ["illegal_act"]


def test_a_refusal_keeps_its_grounds() -> None:
    madrid, rabat = asked()
    madrid.see(rabat.write("request.refused", {"grounds": ["f2_investigation_or_safety"]}))
    lane = madrid.state().own.lanes[RABAT]
    assert (lane.state, lane.grounds) == ("refused", ("f2_investigation_or_safety",))


def test_a_withdrawn_request_binds_nobody() -> None:
    madrid, _ = asked()
    madrid.write("request.withdrawn")
    assert madrid.state().phase == "closed"
    assert madrid.state().own.lanes[RABAT].due_at is None
