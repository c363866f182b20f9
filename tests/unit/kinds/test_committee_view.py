"""What a committee's page is made from: the late ones first, who signed and who has not, the meeting that is next."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

from tansiq.kinds.committee import COMMITTEE
from tansiq.kinds.committee.view import view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk


class Sides:
    """Three sides, each having seen all."""

    def __init__(self) -> None:
        self.desks = {n: Desk(n, COMMITTEE) for n in (RABAT, MADRID, BERLIN)}
        self._share(self.desks[RABAT].open((MADRID, BERLIN), {"form": "joint_committee"}))

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        return self._share(self.desks[node].write(f"committee.{act}", facts, at=at))

    def recommend(self, owner, at=None, **facts):
        about = self.write(RABAT if owner != RABAT else MADRID, "recommended", at=at, owner=owner, **facts).id
        self.write(owner, "recommendation_agreed", about=about)
        return about

    def carry_out(self, owner, other, about):
        self.write(owner, "plan_submitted", about=about)
        self.write(other, "plan_accepted", about=about)
        return self.write(owner, "implemented", about=about).id

    def view(self, now=START):
        found = view(self.desks[RABAT].state(), now)
        assert found is not None
        return found


def test_a_new_committee_has_nothing_and_no_meeting() -> None:
    found = Sides().view()
    assert (found.recommendations, found.meetings, found.upcoming, found.figures) == ((), (), None, ())
    assert (found.late, found.running, found.to_sign, found.closed) == (0, 0, 0, 0)


def test_the_latest_of_all_stands_first_and_what_has_ended_last() -> None:
    s = Sides()
    done = s.recommend(MADRID)
    claim = s.carry_out(MADRID, RABAT, done)
    for node in (RABAT, BERLIN):
        s.write(node, "closure_signed", about=claim)
    running = s.recommend(BERLIN)
    grave = s.recommend(MADRID, finding="serious_deficiency")
    now = START + timedelta(days=50)
    assert [r.item.key for r in s.view(now).recommendations] == [grave, running, done]
    first = s.view(now).recommendations[0]
    assert first.late
    assert first.late_by == now - first.item.due_at
    assert timedelta(days=18) < first.late_by < timedelta(days=22), "a month from the second of November"
    assert (s.view(now).late, s.view(now).running, s.view(now).closed) == (1, 2, 1)
    much_later = START + timedelta(days=80)
    assert [r.late for r in s.view(much_later).recommendations] == [True, True, False]


def test_a_day_by_which_it_should_be_carried_out_makes_it_late_too() -> None:
    s = Sides()
    about = s.recommend(MADRID, until=format_instant(START + timedelta(days=10)))
    (r,) = s.view(START + timedelta(days=12)).recommendations
    assert (r.item.key, r.late_by) == (about, timedelta(days=2))
    s.carry_out(MADRID, RABAT, about)
    (r,) = s.view(START + timedelta(days=12)).recommendations
    assert not r.late, "it was carried out"


def test_who_signed_the_closure_and_who_has_not() -> None:
    s = Sides()
    about = s.recommend(MADRID)
    claim = s.carry_out(MADRID, RABAT, about)
    signed = s.write(RABAT, "closure_signed", about=claim)
    (r,) = s.view().recommendations
    assert {x.node: (x.state, x.entry) for x in r.signatures} == {
        RABAT: ("signed", signed.id),
        BERLIN: ("awaited", None),
    }
    assert not any(x.late for x in r.signatures)
    (r,) = s.view(START + timedelta(days=60)).recommendations
    assert [x.node for x in r.signatures if x.late] == [BERLIN]
    assert r.late
    s.write(BERLIN, "closure_withheld", about=claim)
    (r,) = s.view().recommendations
    assert (r.item.state, r.stage, r.percent) == ("in_progress", 3, 100)


def test_plans_progress_visits_and_silence_stand_with_their_authors() -> None:
    s = Sides()
    about = s.recommend(MADRID, finding="serious_deficiency")
    s.write(BERLIN, "silence_reported", about=about, at=START + timedelta(days=40))
    (r,) = s.view(START + timedelta(days=40)).recommendations
    assert r.silence == (BERLIN,)
    s.write(MADRID, "plan_submitted", about=about)
    s.write(RABAT, "plan_rejected", about=about)
    s.write(MADRID, "plan_submitted", about=about)
    (r,) = s.view(START + timedelta(days=40)).recommendations
    assert [(p.answer, p.by) for p in r.plans] == [("rejected", RABAT), ("", None)]
    assert r.silence == ()
    s.write(RABAT, "plan_accepted", about=about)
    told = s.write(MADRID, "progress_reported", about=about, status="partly", percent=40)
    seen = s.write(BERLIN, "visited", about=about, status="not_implemented")
    (r,) = s.view().recommendations
    assert [(p.entry, p.by, p.percent, p.visited) for p in r.progress] == [
        (told.id, MADRID, 40, False),
        (seen.id, BERLIN, None, True),
    ]
    assert r.percent == 40


def test_the_next_meeting_is_the_first_that_is_called_and_versions_tell_who_approved() -> None:
    s = Sides()
    later = s.write(RABAT, "meeting_called", due=format_instant(START + timedelta(days=20)))
    sooner = s.write(MADRID, "meeting_called", due=format_instant(START + timedelta(days=5)))
    found = s.view()
    assert found.upcoming is not None
    assert found.upcoming.item.key == sooner.id
    assert [m.item.key for m in found.meetings] == [later.id]
    s.write(MADRID, "meeting_held", about=sooner.id, attendance={RABAT: 2})
    text = {lang: s.write(MADRID, "minutes_written", meeting=sooner.id, language=lang, digest=lang * 32).id
            for lang in ("ae", "fa")}  # fmt: skip
    for node in (RABAT, BERLIN):
        s.write(node, "minutes_approved", about=text["fa"], digest="fa" * 32)
    found = s.view()
    assert found.upcoming.item.key == later.id
    (held,) = found.meetings
    assert held.attendance == {RABAT: 2}
    assert held.diverging == ("ae",)
    assert [[i.state for i in v.answers] for v in held.versions] == [["awaited"] * 2, ["approved"] * 2]


def steps(work: Callable[[], Any]) -> int:
    """How many operations of the interpreter this takes in the view and in what it calls: no clock says it so well."""
    counted = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal counted
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 looks for it here, and at no frame that is called
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


def many(count: int) -> Callable[[], Any]:
    """A committee with so many recommendations on their way, so many meetings and their minutes."""
    s = Sides()
    for n in range(count):
        about = s.recommend(MADRID)
        if n % 2:
            s.carry_out(MADRID, RABAT, about)
        meeting = s.write(RABAT, "meeting_called", due=format_instant(START + timedelta(days=n + 1))).id
        s.write(RABAT, "meeting_held", about=meeting, attendance={RABAT: 2})
        for language in ("fr", "es"):
            s.write(RABAT, "minutes_written", meeting=meeting, language=language, digest="0" * 64, authentic=True)
    state, now = s.desks[RABAT].state(), START + timedelta(days=40)
    found = view(state, now)
    assert found is not None
    assert (len(found.recommendations), len(found.meetings) + 1) == (count, count + (found.upcoming is None))
    return lambda: view(state, now)


def test_twice_as_many_recommendations_and_meetings_cost_twice_as_much() -> None:
    few, twice = steps(many(15)), steps(many(30))
    assert few > 1000
    assert twice < 2.2 * few, f"{few} steps, then {twice}"
