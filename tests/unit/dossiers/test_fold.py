"""The fold's rules D-1 to D-7, each with a story of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tansiq.dossiers import automatic, duties, fold
from tansiq.dossiers.rules import extend, folded
from tansiq.dossiers.wire import dossier_id
from tansiq.kinds import KINDS
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk, make, part_ref

REPORT = KINDS["report"]


def given() -> tuple[Desk, Desk, Desk]:
    rabat, madrid, berlin = (Desk(n, REPORT) for n in (RABAT, MADRID, BERLIN))
    opening = rabat.open((MADRID, BERLIN))
    madrid.see(opening)
    berlin.see(opening)
    return rabat, madrid, berlin


def codes(desk: Desk) -> list[str]:
    return [m.code for m in desk.state().marks if m.void]


def test_an_opening_gives_members_and_phase() -> None:
    state = given()[0].state()
    assert (state.opener, state.phase, set(state.members)) == (RABAT, "given", {RABAT, MADRID, BERLIN})


def test_nobody_opens_under_anothers_dossier_id() -> None:
    rabat, _, _ = given()
    opening = next(iter(rabat.seen.values()))
    forged = make(replace(opening.statement, author=BERLIN))
    alone = fold(rabat.dossier, [forged], REPORT)
    assert alone.opener is None
    both = fold(rabat.dossier, [forged, opening], REPORT)
    assert both.opener == RABAT
    assert both.voided() == {forged.id}


def test_only_the_opener_writes_member_lists() -> None:
    _, madrid, _ = given()
    madrid.write("dossier.members", members=(MADRID,))
    assert codes(madrid) == ["not_the_opener"]
    assert BERLIN in madrid.state().members


def test_a_stranger_does_not_count() -> None:
    rabat, _, _ = given()
    stranger = Desk(LISBON, REPORT)
    stranger.see(*rabat.seen.values())
    stranger.write("report.note_added")
    assert codes(stranger) == ["not_a_member"]


def test_a_removed_member_cannot_write_behind_the_removals_back() -> None:
    rabat, _madrid, berlin = given()
    late = berlin.write("report.note_added")
    removal = rabat.write("dossier.members", members=(RABAT, MADRID))
    rabat.see(late)
    assert codes(rabat) == ["after_removal"]
    assert removal.id not in rabat.state().voided()


def test_what_the_removal_had_seen_still_counts() -> None:
    rabat, _madrid, berlin = given()
    rabat.see(berlin.write("report.note_added"))
    rabat.write("dossier.members", members=(RABAT, MADRID))
    assert codes(rabat) == []


def test_an_empty_member_list_means_nobody() -> None:
    rabat, _, _ = given()
    rabat.write("dossier.members", members=())
    assert rabat.state().members == ()


def test_a_clock_neither_races_nor_turns_back() -> None:
    rabat, madrid, _ = given()
    madrid.write("report.note_added", clock=900)
    assert codes(madrid) == ["clock_wrong"]
    rabat.write("report.note_added", clock=0)
    assert codes(rabat) == ["clock_wrong"]


def test_two_entries_under_one_clock_are_both_marked() -> None:
    _, madrid, _ = given()
    first = madrid.write("report.note_added")
    madrid.seen.pop(first.id)
    second = madrid.write("report.note_added", at=START + timedelta(hours=2))
    madrid.see(first)
    marked = {m.entry for m in madrid.state().marks if m.code == "equivocation"}
    assert marked == {first.id, second.id}
    assert len(madrid.state().voided()) == 1


def test_an_unknown_parent_is_named_and_the_entry_marked() -> None:
    rabat, madrid, berlin = given()
    unseen = madrid.write("report.note_added")
    rabat.see(unseen)
    child = rabat.write("report.note_added")
    berlin.see(child)
    assert berlin.state().missing == (unseen.id,)
    assert [m.code for m in berlin.state().marks] == ["parents_missing"]


def test_an_act_of_another_kind_or_none_is_visible_and_void() -> None:
    _, madrid, _ = given()
    madrid.write("request.answered")
    madrid.write("report.invented")
    assert codes(madrid) == ["unknown_type", "unknown_type"]
    assert len(madrid.state().entries) == 3


def test_facts_of_the_wrong_form_are_void_and_name_the_field() -> None:
    rabat, _, _ = given()
    rabat.write("report.closed", {"outcome": "exploded"})
    assert [(m.code, m.detail) for m in rabat.state().marks] == [("facts_wrong", "facts.outcome")]


def test_a_closed_report_takes_no_notes() -> None:
    rabat, madrid, _ = given()
    madrid.see(rabat.write("report.closed", {"outcome": "complete"}))
    madrid.write("report.note_added")
    assert codes(madrid) == ["illegal_act"]


def test_recall_makes_each_holder_owe_an_erasure_and_its_proof_settles_it() -> None:
    rabat, madrid, _berlin = Desk(RABAT, REPORT), Desk(MADRID, REPORT), Desk(BERLIN, REPORT)
    opening = rabat.open((MADRID, BERLIN))
    with_part = make(replace(opening.statement, parts=(part_ref(1),)))
    rabat.seen = {with_part.id: with_part}
    recall = rabat.write("dossier.recalled", {"about": with_part.id, "part": part_ref(1).id, "reason": "inaccurate"})
    madrid.see(with_part, recall)
    owed = [d for d in duties(madrid.state(), REPORT) if d.code == "dossier.erase"]
    assert {d.owner for d in owed} == {MADRID, BERLIN}
    (act,) = automatic(madrid.state(), REPORT, MADRID)
    madrid.write(act.type, {**act.facts, "held": True})
    owed = [d for d in duties(madrid.state(), REPORT) if d.code == "dossier.erase"]
    assert {d.owner for d in owed} == {BERLIN}
    assert automatic(madrid.state(), REPORT, MADRID) == ()


def test_only_the_author_recalls() -> None:
    rabat, madrid, _ = given()
    opening = next(iter(rabat.seen.values()))
    madrid.write("dossier.recalled", {"about": opening.id, "part": part_ref(1).id, "reason": "other"})
    assert codes(madrid) == ["illegal_act"]


def test_permission_is_asked_of_the_originator_who_alone_answers() -> None:
    rabat, madrid, berlin = given()
    opening = next(iter(rabat.seen.values()))
    asked = berlin.write("dossier.permission_requested", {"about": opening.id, "to": "pt"})
    rabat.see(asked)
    madrid.see(asked)
    owed = [d for d in duties(rabat.state(), REPORT) if d.code == "dossier.permission.answer"]
    assert [d.owner for d in owed] == [RABAT]
    madrid.write("dossier.permission_answered", {"asked": asked.id, "answer": "granted"})
    assert codes(madrid) == ["illegal_act"]
    rabat.write("dossier.permission_answered", {"asked": asked.id, "answer": "granted_with_conditions"})
    assert rabat.state().permissions[0].answer == "granted_with_conditions"


def test_a_restriction_only_tightens_and_is_acknowledged() -> None:
    rabat, madrid, _ = given()
    opening = next(iter(rabat.seen.values()))
    act = rabat.write("dossier.restricted", {"about": opening.id, "codes": ["H2"]})
    madrid.see(act)
    assert [d.owner for d in duties(madrid.state(), REPORT) if "restriction" in d.code] == [MADRID, BERLIN]
    madrid.write("dossier.restriction_acknowledged", {"about": act.id})
    assert madrid.state().restrictions[0].acknowledged == (MADRID,)


def test_a_dossier_id_belongs_to_its_opener() -> None:
    assert dossier_id(RABAT, "n") != dossier_id(MADRID, "n")


def test_an_act_that_waited_counts_when_what_it_speaks_about_comes_last() -> None:
    """The fold goes on for what comes last in order, but not past those who waited for it."""
    rabat, madrid = Desk(RABAT, REPORT), Desk(MADRID, REPORT)
    opening = rabat.open((MADRID,))
    madrid.see(opening)
    first, second = rabat.write("report.note_added"), rabat.write("report.note_added")
    reply = madrid.write("dossier.feedback", {"about": second.id, "outcome": "used"})
    going = folded(rabat.dossier, (), REPORT)
    for entry in (opening, first, reply):
        going = extend(going, entry, REPORT)
    assert [m.code for m in going.state.marks] == ["reference_missing"]
    going = extend(going, second, REPORT)
    assert going.state.entries[-1] == second
    assert going.state.marks == ()
    assert going.state == fold(rabat.dossier, (opening, first, second, reply), REPORT)
