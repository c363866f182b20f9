"""What an assessment's page is made from: what the fold says, and nothing of a judgement before it is revealed."""

from __future__ import annotations

from datetime import timedelta

from tansiq.kinds.assessment import ASSESSMENT, commitment
from tansiq.kinds.assessment.view import view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

DUE = START + timedelta(days=7)
SALT = "5a" * 32
TOLD = {
    RABAT: {
        "likelihood": {"H1": "very_likely", "H2": "very_unlikely"},
        "percent": {"H1": 85, "H2": 15},
        "confidence": "low",
        "cells": {"E1": {"H1": "C", "H2": "C"}, "E2": {"H1": "CC", "H2": "II"}},
    },
    MADRID: {
        "likelihood": {"H1": "unlikely", "H2": "likely"},
        "percent": {"H1": 40, "H2": 60},
        "confidence": "high",
        "cells": {"E2": {"H1": "N", "H2": "I"}},
    },
}


class Round:
    """Two services and what they wrote, each having seen all of it."""

    def __init__(self) -> None:
        self.desks = {n: Desk(n, ASSESSMENT) for n in (RABAT, MADRID)}
        self.first = self._share(
            self.desks[RABAT].open((MADRID,), {"form": "region", "regions": ["sahel"], "due": format_instant(DUE)})
        )

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        return self._share(self.desks[node].write(f"assessment.{act}", facts, at=at))

    def framed(self):
        for node, label in ((RABAT, "H1"), (MADRID, "H2")):
            self.write(node, "hypothesis_proposed", label=label)
        self.write(RABAT, "evidence_added", label="E1", grade="B2")
        self.write(MADRID, "evidence_added", label="E2", form="absence")
        self.write(RABAT, "judging_opened")

    def commit(self, node, told=None, round_=1):
        digest = commitment(self.first.statement.dossier, node, round_, SALT, told or TOLD[node])
        return self.write(node, "committed", digest=digest)

    def reveal(self, node, told=None):
        return self.write(node, "revealed", salt=SALT, **(told or TOLD[node]))

    @property
    def state(self):
        return self.desks[RABAT].state()

    def view(self, now=START):
        found = view(self.state, now)
        assert found is not None
        return found


def test_at_first_there_is_a_question_and_nothing_else() -> None:
    found = Round().view()
    assert (found.phase, found.round, found.due_at) == ("framing", 1, DUE)
    assert (found.hypotheses, found.columns, found.lines, found.proposal) == ((), (), (), None)
    assert [s.committed for s in found.seats] == [None, None]
    assert found.outcome is None


def test_before_it_is_revealed_a_judgement_is_known_to_exist_and_no_more() -> None:
    r = Round()
    r.framed()
    entry = r.commit(RABAT)
    found = r.view()
    seats = {s.node: s for s in found.seats}
    assert (seats[RABAT].committed, seats[RABAT].at) == (entry.id, entry.statement.at)
    assert seats[MADRID].committed is None
    assert found.running
    assert not found.columns
    assert not found.ranked
    assert all(not row.cells["H1"] and not row.telling for row in found.lines)
    assert "85" not in repr(found)


def test_who_did_not_judge_in_time_is_late_only_after_it() -> None:
    r = Round()
    r.framed()
    r.commit(RABAT)
    late = {s.node: s.late for s in r.view(DUE + timedelta(seconds=1)).seats}
    assert late == {RABAT: False, MADRID: True}
    assert not any(s.late for s in r.view(DUE).seats)


def test_judgements_stand_side_by_side_and_the_matrix_begins_with_what_tells_most_apart() -> None:
    r = Round()
    r.framed()
    for step in (r.commit, r.reveal):
        for node in (RABAT, MADRID):
            step(node)
    found = r.view()
    first, second = found.columns
    assert (first.who, first.estimates["H1"].word, first.estimates["H1"].percent) == (RABAT, "very_likely", 85)
    assert (second.estimates["H1"].low, second.estimates["H1"].high, second.confidence) == (20, 45, "high")
    assert [h.apart for h in found.hypotheses] == [(40, 85), (15, 60)]
    assert [row.label for row in found.lines] == ["E2", "E1"]
    assert found.lines[0].telling == ((RABAT, 4), (MADRID, 1))
    assert found.lines[0].cells["H2"] == ((RABAT, "II"), (MADRID, "I"))
    assert [(x.who, x.leaders) for x in found.ranked] == [(RABAT, {"H1"}), (MADRID, {"H1"})]
    assert [x.rests for x in found.lines] == [((RABAT, ("H1", "H2")), (MADRID, ("H1", "H2"))), ()]


def test_a_joint_judgement_stands_beside_the_others_and_dissent_beside_it() -> None:
    r = Round()
    r.framed()
    for step in (r.commit, r.reveal):
        for node in (RABAT, MADRID):
            step(node)
    told = {k: TOLD[RABAT][k] for k in ("likelihood", "percent", "confidence")}
    entry = r.write(RABAT, "joint_proposed", **told)
    assert r.view().proposal is not None
    assert (r.view().proposal.holds, r.view().proposal.answers[0][1]) == (False, "awaited")
    assert [c.who for c in r.view().columns] == [RABAT, MADRID, "joint"]
    against = r.write(MADRID, "joint_dissented", about=entry.id)
    found = r.view()
    assert found.proposal.answers == ((MADRID, "dissented", against.id),)
    assert not found.proposal.holds, "nobody but its author stands by it"
    assert [(n, s.entry) for n, s in found.dissents] == [(MADRID, against.id)]


def test_the_outcome_brings_each_score_and_a_new_round_keeps_the_last_one() -> None:
    r = Round()
    r.framed()
    for step in (r.commit, r.reveal):
        for node in (RABAT, MADRID):
            step(node)
    outcome = r.write(RABAT, "outcome_recorded", hypothesis="H1")
    found = r.view()
    assert [round(c.brier or 0, 6) for c in found.columns] == [0.0225, 0.36]
    assert (found.outcome, found.outcome_entry) == ("H1", outcome.id)
    assert [h.came_true for h in found.hypotheses] == [True, False]

    again = Round()
    again.framed()
    for step in (again.commit, again.reveal):
        for node in (RABAT, MADRID):
            step(node)
    again.write(RABAT, "reopened")
    found = again.view()
    assert (found.round, found.columns) == (2, ())
    assert [[c.who for c in told] for told in found.earlier] == [[RABAT, MADRID]]
    assert all(c.brier is None for c in found.earlier[0])


def test_an_indicator_is_late_when_its_check_is() -> None:
    r = Round()
    r.write(MADRID, "indicator_set", owner=MADRID, every_days=7)
    (watched,) = r.view().indicators
    assert (watched.late, watched.reading) == (False, "")
    (watched,) = r.view(START + timedelta(days=8)).indicators
    assert watched.late
    assert BERLIN not in repr(watched)
