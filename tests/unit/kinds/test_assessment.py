"""Assessments: nobody sees another's judgement before its own; dissent is kept; scores come with the outcome."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.dossiers.model import Part, PartRef, Presence
from tansiq.dossiers.rules import duties
from tansiq.dossiers.wire import part_content
from tansiq.errors import Conflict, Invalid
from tansiq.kinds.assessment import (
    ASSESSMENT,
    LIKELIHOOD,
    brier,
    commit_body,
    commitment,
    diagnosticity,
    picture,
    rank,
    reveal_body,
    scores,
    sensitivity,
)
from tansiq.kinds.assessment.sealed import BLOCK
from tansiq.terms import PartId, format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

DUE = START + timedelta(days=7)
SALT = "5a" * 32
SURE = {
    "likelihood": {"H1": "very_likely", "H2": "very_unlikely"},
    "percent": {"H1": 85, "H2": 15},
    "confidence": "low",
}
UNSURE = {"likelihood": {"H1": "unlikely", "H2": "likely"}, "percent": {"H1": 40, "H2": 60}, "confidence": "high"}


class Services:
    def __init__(self):
        self.desks = {n: Desk(n, ASSESSMENT) for n in (RABAT, MADRID, BERLIN)}
        asked = {"form": "region", "regions": ["sahel"], "due": format_instant(DUE)}
        self.share(self.desks[RABAT].open((MADRID, BERLIN), asked))

    def share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, facts=None, at=None):
        return self.share(self.desks[node].write(f"assessment.{act}", facts or {}, at=at))

    @property
    def state(self):
        return self.desks[RABAT].state()

    def void(self, entry):
        return entry.id in self.state.voided()

    def owed(self, code):
        return {d.owner for d in duties(self.state, ASSESSMENT) if d.code == f"assessment.{code}"}

    def framed(self):
        for node, label in ((RABAT, "H1"), (MADRID, "H2")):
            self.write(node, "hypothesis_proposed", {"label": label})
        self.write(BERLIN, "evidence_added", {"label": "E1", "grade": "B2"})
        self.write(RABAT, "judging_opened")
        return self

    def commit(self, node, judgement, at=None):
        digest = commitment(self.state.id, node, self.state.own.round, SALT, judgement)
        return self.write(node, "committed", {"digest": digest}, at=at)

    def reveal(self, node, judgement, at=None):
        return self.write(node, "revealed", {"salt": SALT, **judgement}, at=at)


FRAMED = Services().framed().state


def judged():
    told = {RABAT: SURE, MADRID: SURE, BERLIN: UNSURE}
    services = Services().framed()
    for node, judgement in told.items():
        services.commit(node, judgement)
    for node, judgement in told.items():
        services.reveal(node, judgement)
    return services


def test_nobody_reveals_before_all_have_committed():
    services = Services().framed()
    assert services.owed("judge") == {RABAT, MADRID, BERLIN}
    services.commit(RABAT, SURE)
    assert services.void(services.reveal(RABAT, UNSURE))
    services.commit(MADRID, SURE)
    services.commit(BERLIN, UNSURE)
    assert not services.void(services.reveal(RABAT, SURE))
    assert services.state.phase == "judging"
    services.reveal(MADRID, SURE)
    services.reveal(BERLIN, UNSURE)
    assert services.state.phase == "revealed"
    assert all(t.blind for t in services.state.own.revealed.values())


def test_what_is_revealed_is_what_was_committed_to():
    services = Services().framed()
    for node in (RABAT, MADRID, BERLIN):
        services.commit(node, SURE)
    assert services.void(services.reveal(BERLIN, UNSURE))
    other_salt = services.write(BERLIN, "revealed", {"salt": "6b" * 32, **SURE})
    assert services.void(other_salt)


def test_a_commitment_cannot_be_taken_over_by_another():
    services = Services().framed()
    digest = commitment(services.state.id, RABAT, 1, SALT, SURE)
    for node in (RABAT, MADRID, BERLIN):
        services.write(node, "committed", {"digest": digest})
    assert not services.void(services.reveal(RABAT, SURE))
    assert services.void(services.reveal(MADRID, SURE))


def test_when_the_time_is_over_the_others_go_on():
    services = Services().framed()
    services.commit(RABAT, SURE)
    services.commit(MADRID, SURE)
    assert services.void(services.write(MADRID, "time_called", at=DUE))
    late = DUE + timedelta(hours=1)
    services.write(MADRID, "time_called", at=late)
    services.reveal(RABAT, SURE, at=late)
    assert services.void(services.commit(BERLIN, UNSURE, at=late + timedelta(hours=1)))
    services.reveal(MADRID, SURE, at=late + timedelta(hours=2))
    assert services.state.phase == "revealed"
    assert BERLIN not in services.state.own.revealed


def test_one_service_alone_cannot_say_that_the_time_is_over():
    """Its clock is ahead, or it lies: its own words, however many, end nobody's time, and all see that they do not."""
    services = Services().framed()
    services.commit(RABAT, SURE)
    late = DUE + timedelta(days=1)
    services.write(RABAT, "time_called", at=late)
    early = services.reveal(RABAT, SURE, at=late + timedelta(hours=1))
    (mark,) = [m for m in services.state.marks if m.entry == early.id]
    assert (mark.code, mark.void) == ("illegal_act", True)
    assert "another service" in mark.detail
    assert not services.void(services.commit(MADRID, SURE)), "the others go on judging"
    services.commit(BERLIN, UNSURE)
    services.reveal(MADRID, SURE)
    assert services.state.own.revealed[MADRID].blind is False, "and everybody sees that they could have read it"
    assert not services.void(services.reveal(RABAT, SURE, at=late + timedelta(hours=2))), (
        "its judgement counts in its time"
    )


def test_who_reveals_has_every_commitment_before_it():
    """A commitment that only sorts earlier is none that was known: its author stays blind."""
    services = Services().framed()
    services.commit(RABAT, SURE)
    services.commit(MADRID, SURE)
    digest = commitment(services.state.id, BERLIN, 1, SALT, UNSURE)
    aside = services.desks[BERLIN].write("assessment.committed", {"digest": digest})
    early = services.desks[RABAT].write("assessment.revealed", {"salt": SALT, **SURE}, at=DUE + timedelta(days=1))
    for desk in services.desks.values():
        desk.see(aside, early)
    assert early.id in services.state.voided()
    for node, told in ((RABAT, SURE), (BERLIN, UNSURE), (MADRID, SURE)):
        assert not services.void(services.reveal(node, told))
    assert services.state.own.revealed[BERLIN].blind


def test_the_end_of_the_time_is_said_by_each_who_said_nothing_since():
    services = Services().framed()
    assert services.owed("call_time") == set(), "nobody committed: there is nothing to reveal"
    services.commit(RABAT, SURE)
    duty = next(d for d in duties(services.state, ASSESSMENT) if d.code == "assessment.call_time")
    assert duty.since == DUE
    assert duty.later, "it is nobody's before the time is over"
    assert services.owed("call_time") == {MADRID, BERLIN}
    services.write(MADRID, "time_called", at=DUE + timedelta(hours=1))
    assert services.owed("call_time") == {BERLIN}


def test_a_commitment_that_the_first_revelation_had_not_seen_is_not_blind():
    services = Services().framed()
    services.commit(RABAT, SURE)
    services.commit(MADRID, SURE)
    late = DUE + timedelta(hours=1)
    berlin = services.desks[BERLIN]
    digest = commitment(services.state.id, BERLIN, 1, SALT, UNSURE)
    aside = berlin.write("assessment.committed", {"digest": digest}, at=late)
    # Madrid and Rabat go on without having seen it.
    called = services.desks[MADRID].write("assessment.time_called", {}, at=late)
    services.desks[RABAT].see(called)
    first = services.desks[RABAT].write("assessment.revealed", {"salt": SALT, **SURE}, at=late)
    for desk in services.desks.values():
        desk.see(aside, called, first)
    assert aside.id not in services.state.voided()
    services.reveal(MADRID, SURE, at=late + timedelta(hours=1))
    services.reveal(BERLIN, UNSURE, at=late + timedelta(hours=2))
    assert not services.state.own.revealed[BERLIN].blind
    assert services.state.own.revealed[MADRID].blind


def test_the_word_and_the_per_cent_agree_and_every_hypothesis_is_judged():
    for wrong in (
        {**SURE, "percent": {"H1": 30, "H2": 15}},
        {**SURE, "likelihood": {"H1": "very_likely"}},
        {**SURE, "cells": {"E9": {"H1": "C"}}},
        {**SURE, "cells": {"E1": {"H7": "C"}}},
    ):
        services = Services().framed()
        for node in (RABAT, MADRID, BERLIN):
            services.commit(node, wrong)
        assert services.void(services.reveal(RABAT, wrong))


def test_framing_closes_with_two_hypotheses_at_least():
    services = Services()
    services.write(RABAT, "hypothesis_proposed", {"label": "H1"})
    assert services.void(services.write(MADRID, "hypothesis_proposed", {"label": "H1"}))
    assert services.void(services.write(RABAT, "judging_opened"))


def test_dissent_stands_beside_the_joint_judgement():
    services = judged()
    joint = services.write(MADRID, "joint_proposed", SURE)
    assert services.owed("answer_joint") == {RABAT, BERLIN}
    services.write(RABAT, "joint_agreed", {"about": joint.id})
    services.write(BERLIN, "joint_dissented", {"about": joint.id})
    own = services.state.own
    assert (own.joint().agreed, own.joint().dissenting) == ((MADRID, RABAT), (BERLIN,))
    assert own.joint().judgement == SURE
    assert len(own.dissents) == 1
    services.write(BERLIN, "joint_agreed", {"about": joint.id})
    assert services.state.own.joint().dissenting == ()
    assert services.state.own.revealed[BERLIN].judgement["percent"] == UNSURE["percent"]


def test_a_joint_judgement_is_none_before_all_answered_or_when_nobody_agrees():
    services = judged()
    joint = services.write(MADRID, "joint_proposed", SURE)
    services.write(RABAT, "joint_dissented", {"about": joint.id})
    assert services.state.own.joint() is None
    services.write(BERLIN, "joint_dissented", {"about": joint.id})
    assert services.state.own.joint() is None


def test_the_outcome_scores_each_service_and_the_joint():
    services = judged()
    joint = services.write(MADRID, "joint_proposed", SURE)
    for node in (RABAT, BERLIN):
        services.write(node, "joint_agreed", {"about": joint.id})
    services.write(RABAT, "outcome_recorded", {"hypothesis": "H1"})
    found = scores(services.state.own)
    assert found[RABAT] == pytest.approx(0.0225)
    assert found[BERLIN] == pytest.approx(0.36)
    assert found["joint"] == found[MADRID]
    assert services.state.phase == "closed"


def test_a_new_round_begins_blind_again():
    services = judged()
    services.write(RABAT, "reopened")
    services.write(MADRID, "hypothesis_proposed", {"label": "H3"})
    services.write(RABAT, "judging_opened")
    assert services.state.own.round == 2
    assert services.owed("judge") == {RABAT, MADRID, BERLIN}
    (first,) = services.state.own.earlier
    assert {n: t.judgement["percent"] for n, t in first.items()}[BERLIN] == UNSURE["percent"]


def test_a_new_round_whose_time_is_over_is_not_opened():
    """Otherwise the first to commit could reveal at once, and nobody else would judge blind."""
    services = judged()
    services.write(RABAT, "reopened", at=DUE + timedelta(days=30))
    late = DUE + timedelta(days=31)
    assert services.void(services.write(RABAT, "judging_opened", at=late))
    past = format_instant(late - timedelta(days=1))
    assert services.void(services.write(RABAT, "judging_opened", {"due": past}, at=late))
    services.write(RABAT, "judging_opened", {"due": format_instant(late + timedelta(days=7))}, at=late)
    services.commit(RABAT, SURE, at=late + timedelta(hours=1))
    assert services.void(services.reveal(RABAT, SURE, at=late + timedelta(hours=2)))


def test_a_new_round_leaves_no_answer_owed_to_the_old_joint_judgement():
    services = judged()
    joint = services.write(MADRID, "joint_proposed", SURE)
    services.write(RABAT, "joint_agreed", {"about": joint.id})
    services.write(RABAT, "reopened")
    assert services.owed("answer_joint") == set()
    assert services.state.own.joint() is None
    assert services.state.own.items[f"{joint.id}/{RABAT}"].state == "agreed"


def test_who_committed_and_never_reveals_does_not_hold_up_the_others_for_ever():
    services = Services().framed()
    for node in (RABAT, MADRID, BERLIN):
        services.commit(node, SURE)
    for node in (RABAT, MADRID):
        services.reveal(node, SURE)
    assert services.state.phase == "judging"
    services.write(RABAT, "reopened")
    assert (services.state.phase, set(services.state.own.earlier[0])) == ("framing", {RABAT, MADRID})


def test_who_committed_after_reading_a_judgement_revealed_too_early_is_not_blind():
    services = Services().framed()
    services.commit(RABAT, SURE)
    services.commit(MADRID, SURE)
    assert services.void(services.reveal(RABAT, SURE))
    services.commit(BERLIN, SURE)
    for node in (RABAT, MADRID, BERLIN):
        services.reveal(node, SURE)
    assert {n: t.blind for n, t in services.state.own.revealed.items()} == {RABAT: True, MADRID: True, BERLIN: False}


def test_a_made_up_judgement_sent_too_early_takes_nobodys_blindness():
    services = Services().framed()
    services.commit(RABAT, SURE)
    for facts in ({"salt": "00" * 32, **UNSURE}, {"salt": {"a": [1]}, "percent": 7}):
        assert services.void(services.write(RABAT, "revealed", facts))
    for node in (MADRID, BERLIN):
        services.commit(node, SURE)
    for node in (RABAT, MADRID, BERLIN):
        services.reveal(node, SURE)
    assert all(t.blind for t in services.state.own.revealed.values())


def test_an_indicator_speaks_for_a_hypothesis_that_there_is():
    services = Services().framed()
    facts = {"owner": MADRID, "every_days": 10}
    assert services.void(services.write(RABAT, "indicator_set", {**facts, "hypothesis": "H9"}))
    assert not services.void(services.write(RABAT, "indicator_set", {**facts, "hypothesis": "H2"}))


JUDGEMENTS = st.builds(
    lambda words, confidence, cells: {
        "likelihood": {f"H{n}": word for n, word in enumerate(words, 1)},
        "percent": {f"H{n}": LIKELIHOOD[word][0] for n, word in enumerate(words, 1)},
        "confidence": confidence,
        "cells": {f"E{n}": {"H1": cell} for n, cell in enumerate(cells, 1)},
    },
    st.lists(st.sampled_from(sorted(LIKELIHOOD)), min_size=1, max_size=6),
    st.sampled_from(["low", "moderate", "high"]),
    st.lists(st.sampled_from(["CC", "C", "N", "I", "II"]), max_size=20),
)


@given(JUDGEMENTS)
def test_the_size_of_a_sealed_judgement_tells_nothing(judgement):
    asked = replace(
        FRAMED.own,
        hypotheses=dict.fromkeys(judgement["likelihood"], FRAMED.first.id),
        evidence=dict.fromkeys(judgement["cells"], (FRAMED.first.id, "B2", "4x4")),
    )
    (part,) = commit_body(replace(FRAMED, own=asked), RABAT, judgement, SALT)["parts"]
    ours, plain = ({"kind": part["kind"], "text": text} for text in (part["text"], ""))
    assert len(part_content(ours)) - len(part_content(plain)) + len('""') == BLOCK


def test_what_could_not_be_revealed_is_not_committed_to():
    for wrong, field in (
        ({**SURE, "percent": {**SURE["percent"], "H1": 3}}, "percent.H1"),
        ({**SURE, "likelihood": {"H1": "likely"}}, "likelihood.H2"),
        ({**SURE, "cells": {"E9": {"H1": "C"}}}, "cells"),
    ):
        with pytest.raises(Invalid) as failure:
            commit_body(FRAMED, RABAT, wrong, SALT)
        assert failure.value.field == field


@given(JUDGEMENTS, JUDGEMENTS, st.sampled_from([SALT, "00" * 32]))
def test_a_commitment_opens_to_no_other_judgement_service_round_or_dossier(one, other, salt):
    mine = commitment("d-1", RABAT, 1, SALT, one)
    same = one == other and salt == SALT
    assert (commitment("d-1", RABAT, 1, salt, other) == mine) is same
    for elsewhere in (("d-2", RABAT, 1), ("d-1", MADRID, 1), ("d-1", RABAT, 2)):
        assert commitment(*elsewhere, SALT, one) != mine


def test_an_indicator_is_checked_again_and_again():
    services = Services()
    watched = services.write(RABAT, "indicator_set", {"owner": MADRID, "every_days": 10})
    checked = services.write(MADRID, "indicator_checked", {"about": watched.id, "reading": "watch"})
    (duty,) = [d for d in duties(services.state, ASSESSMENT) if d.code == "assessment.check_indicator"]
    assert (duty.owner, duty.due_at) == (MADRID, checked.statement.at + timedelta(days=10))
    assert services.state.own.items[watched.id].facts["reading"] == "watch"


def test_the_picture_over_time():
    services = Services()
    asked = {"question": "digital_skills", "value": "medium", "trend": "up"}
    services.write(MADRID, "questionnaire_answered", asked)
    assert services.void(services.write(MADRID, "questionnaire_answered", {**asked, "question": "shoe_size"}))
    ((_at, about, question, who, value, trend),) = picture([services.state])
    assert (about, question, who, value, trend) == ("sahel", "digital_skills", MADRID, "medium", "up")


def test_the_matrix_prefers_the_least_inconsistent():
    cells = {
        "E1": {"H1": "I", "H2": "C"},
        "E2": {"H1": "C", "H2": "II"},
        "E3": {"H1": "CC", "H2": "CC"},
    }
    both = ("H1", "H2")
    assert rank(cells, both, {"E1": 1, "E2": 1}).order == ("H1", "H2")
    assert rank(cells, both, {"E1": 3, "E2": 1}).order == ("H2", "H1")
    assert diagnosticity(cells["E3"], both) == 0
    assert sensitivity(cells, both, {"E1": 1, "E2": 1}) == {"E2": frozenset({"H2"})}


@given(st.dictionaries(st.sampled_from(["H1", "H2", "H3"]), st.integers(0, 100), min_size=1))
def test_a_brier_score_is_between_perfect_and_wholly_wrong(percent):
    score = brier(percent, "H1")
    assert score is not None
    assert 0 <= score <= 1


def test_the_sealed_judgement_stays_and_is_read_back():
    services = Services().framed()
    state = services.state
    body = commit_body(state, RABAT, SURE, SALT)
    (part,) = body["parts"]
    assert part["kind"] in ASSESSMENT.act("assessment.committed").kept
    ref = PartRef(PartId("p-" + "1" * 64), part["kind"], len(part["text"]))
    entry = services.desks[RABAT].write(body["type"], body["facts"], parts=(ref,))
    mine = replace(entry, parts=(Part(ref, Presence.HELD, {"kind": part["kind"], "text": part["text"]}),))
    services.share(entry)
    services.desks[RABAT].see(mine)
    for node in (MADRID, BERLIN):
        services.commit(node, UNSURE)
    told = reveal_body(services.desks[RABAT].state(), RABAT)
    assert not services.void(services.write(RABAT, "revealed", told["facts"]))
    with pytest.raises(Conflict):
        reveal_body(services.desks[MADRID].state(), MADRID)


def test_a_judgement_off_the_scale_is_refused_by_field():
    services = Services().framed()
    with pytest.raises(Invalid) as failure:
        commit_body(services.state, RABAT, {**SURE, "confidence": "total"}, SALT)
    assert failure.value.field == "judgement"
