"""What an operation's room is made from: signatures, tasks with the late ones first, the log, and what counts."""

from __future__ import annotations

from datetime import timedelta

from tansiq.kinds.operation import OPERATION
from tansiq.kinds.operation.view import MOST_LINES, view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, START, Desk


class Room:
    """Madrid and Berlin; each has seen all."""

    def __init__(self, form="joint_operation") -> None:
        self.desks = {n: Desk(n, OPERATION) for n in (MADRID, BERLIN)}
        until = format_instant(START + timedelta(days=30))
        self.proposal = self._share(
            self.desks[MADRID].open((BERLIN,), {"form": form, "window_until": until, "states": ["ES", "DE"]})
        ).id

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        return self._share(self.desks[node].write(f"operation.{act}", facts, at=at))

    def signed(self):
        self.write(BERLIN, "signed", about=self.proposal)
        return self

    def view(self, now=START):
        found = view(self.desks[MADRID].state(), now)
        assert found is not None
        return found


def test_before_all_have_signed_it_says_who_has_not() -> None:
    r = Room()
    found = r.view()
    assert (found.signs, found.active) == (True, False)
    assert {p.node: (p.leads, p.signed) for p in found.parties} == {
        MADRID: (True, r.proposal),
        BERLIN: (False, None),
    }
    signed = r.write(BERLIN, "signed", about=r.proposal)
    assert next(p.signed for p in r.view().parties if p.node == BERLIN) == signed.id
    assert r.view().active


def test_its_form_rests_on_a_clause_and_coordination_needs_none() -> None:
    assert [(a, b, bool(clauses)) for a, b, clauses in Room().view().law] == [("DE", "ES", True)]
    assert Room("coordination").view().law == ()
    assert "joint_operation" not in Room().view().allowed
    assert "joint_operation" in Room("coordination").view().allowed


def test_the_late_task_stands_first_and_counts_against_who_owes_it() -> None:
    r = Room().signed()
    later = r.write(MADRID, "task_given", owner=BERLIN, due=format_instant(START + timedelta(days=9)))
    soon = r.write(MADRID, "task_given", owner=BERLIN, due=format_instant(START + timedelta(days=1)), urgency="urgent")
    free = r.write(BERLIN, "task_given", owner=MADRID)
    done = r.write(BERLIN, "task_given", owner=MADRID)
    r.write(MADRID, "task_done", about=done.id)
    found = r.view(START + timedelta(days=2))
    assert [t.item.key for t in found.tasks] == [soon.id, later.id, free.id, done.id]
    assert [(t.late, t.urgent) for t in found.tasks] == [(True, True), (False, False), (False, False), (False, False)]
    assert {p.node: (p.owes, p.late) for p in found.parties} == {MADRID: (1, 0), BERLIN: (2, 1)}
    r.write(MADRID, "closed", due=format_instant(START + timedelta(days=40)), outcome="broken_off")
    assert not any(t.late for t in r.view(START + timedelta(days=2)).tasks), "nothing is owed any more"


def test_the_log_is_newest_first_and_says_what_it_leaves_out() -> None:
    r = Room().signed()
    first = r.write(MADRID, "situation_reported", number=1)
    decided = r.write(BERLIN, "decision_taken", number=1)
    assert [(x.entry, x.decision, x.number) for x in r.view().log] == [(decided.id, True, 1), (first.id, False, 1)]
    for n in range(2, MOST_LINES + 3):
        r.write(MADRID, "situation_reported", number=n)
    found = r.view()
    assert (len(found.log), found.left_out) == (MOST_LINES, 3)
    assert found.log[0].number == MOST_LINES + 2


def test_a_result_counts_once_all_have_agreed() -> None:
    r = Room().signed()
    good = r.write(MADRID, "result_recorded", arrests=2, seizures=11)
    bad = r.write(BERLIN, "result_recorded", arrests=5)
    assert r.view().totals == ()
    r.write(BERLIN, "result_agreed", about=good.id)
    r.write(MADRID, "result_disputed", about=bad.id)
    found = r.view()
    assert found.totals == (("arrests", 2), ("seizures", 11))
    assert [(x.entry, x.counted, x.answers[0].state) for x in found.results] == [
        (bad.id, False, "disputed"),
        (good.id, True, "agreed"),
    ]


def test_a_measure_that_no_state_answered_in_time_is_late_and_its_abort_stands_with_it() -> None:
    r = Room().signed()
    asked = r.write(
        MADRID, "measure_requested", measure="controlled_delivery", due=format_instant(START + timedelta(hours=9))
    )
    (m,) = r.view().measures
    assert (m.entry, m.late, [i.state for i in m.lanes]) == (asked.id, False, ["asked"])
    assert r.view(START + timedelta(hours=10)).measures[0].late
    r.write(BERLIN, "measure_authorised", about=asked.id)
    r.write(BERLIN, "measure_aborted", about=asked.id)
    (m,) = r.view(START + timedelta(hours=10)).measures
    assert [i.state for i in m.lanes] == ["aborted"]
    assert [(i.owner, i.state) for i in m.aborts] == [(MADRID, "awaited")]


def test_after_its_end_it_says_who_erased() -> None:
    r = Room().signed()
    ends = START + timedelta(days=40)
    end = r.write(MADRID, "closed", due=format_instant(ends), outcome="objective_reached")
    r.write(BERLIN, "erased", about=end.id, parts=3, leaf=1, proof="x")
    found = r.view()
    assert (found.closed, found.erase_by, found.outcome) == (end.id, ends, "objective_reached")
    assert dict(found.erased) == {MADRID: False, BERLIN: True}
