"""Deconfliction between whole nodes: who finds out what, and who does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tansiq.access.model import Acting
from tansiq.errors import Conflict, Invalid, Refused
from tansiq.private import ESCALATIONS, MeetingState, plan_stage
from tests.conftest import BOTH
from tests.federation.conftest import database_urls
from tests.support.plans import agree, body, enter, met, supervisor
from tests.support.services import Federation


@pytest.fixture(params=BOTH)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Federation]:
    """Two that agreed, on either database."""
    with ExitStack() as stack:
        f = Federation(tmp_path, database_urls(request, request.param, tmp_path, stack))
        f.add("rabat", "madrid")
        agree(f, "rabat", "madrid")
        yield f
        f.close()


def conflicts(f: Federation, name: str) -> list:
    return [m for m in met(f, name) if m.state is MeetingState.CONFLICT]


def one_conflict(f: Federation, name: str):
    found = conflicts(f, name)
    assert len(found) == 1, [(m.state, m.kind) for m in met(f, name)]
    return found[0]


def test_the_same_place_and_time_is_found_by_both_who_get_contacts_and_class_and_a_room(federation: Federation) -> None:
    f = federation
    agree(f, "rabat", "madrid", "berlin")
    first = enter(f, "rabat")
    f.pump()
    assert {a.state for a in first.asked} == {"clear"}
    entered = enter(f, "madrid", north_m=350)
    assert {a.partner: a.state for a in entered.asked} == {
        f.nodes["rabat"].node_id: "met",
        f.nodes["berlin"].node_id: "clear",
    }
    f.pump(8)
    ours, theirs = one_conflict(f, "rabat"), one_conflict(f, "madrid")
    assert (ours.kind, theirs.kind) == ("space_time", "space_time")
    assert ours.contact.lead == "Lead of madrid, +000 madrid"
    assert theirs.contact.lead == "Lead of rabat, +000 rabat"
    assert met(f, "berlin") == []
    assert ours.dossier == theirs.dossier != ""
    for name in ("rabat", "madrid"):
        state = f.nodes[name].dossiers.state(ours.dossier)
        assert (state.kind, state.phase, len(state.entries)) == ("operation", "open", 1)
        assert state.first.statement.facts == {"form": "coordination"}
        text = json.dumps([p.content for p in state.first.parts], ensure_ascii=False)
        assert "Lead of rabat" in text
        assert "Lead of madrid" in text
        assert "2026-17" not in text
        assert "35.78" not in text
    f.pump(4)
    assert len(f.nodes["rabat"].dossiers.rows("operation")) == 1


def test_what_a_node_keeps_of_the_other_is_the_contacts_and_the_class(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    enter(two, "madrid", north_m=350)
    two.pump(8)
    for name in ("rabat", "madrid"):
        m = one_conflict(two, name)
        assert not {"type", "begins_ms", "area", "place"} & set(m.told)
    leaves = two.nodes["rabat"].ledger.page(limit=200)
    said = [leaf.content.get("decision") for leaf in leaves if leaf.subject.startswith("plan:") and leaf.content]
    assert {"entered", "no_conflict", "space_time", "partner_contactletter"} <= set(said)


def test_a_near_miss_shares_a_cell_and_the_exact_test_removes_it_on_both_sides(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    entered = enter(two, "madrid", north_m=1200)
    assert entered.asked[0].state == "met"
    two.pump(8)
    for name in ("rabat", "madrid"):
        assert [m.state for m in met(two, name)] == [MeetingState.APART]
        assert met(two, name)[0].contact is None
        assert two.nodes[name].dossiers.rows("operation") == []
        assert two.nodes[name].plans.duties(two.clock()) == ()


def test_another_day_or_another_town_meets_nothing_and_that_is_logged(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    other_day = enter(two, "madrid", hours=80)
    other_town = enter(two, "madrid", north_m=60_000)
    two.pump(4)
    assert [a.state for e in (other_day, other_town) for a in e.asked] == ["clear", "clear"]
    assert met(two, "madrid") == []
    assert met(two, "rabat") == []
    for e in (other_day, other_town):
        leaves = two.nodes["madrid"].ledger.find(f"plan:{e.event.id}")
        assert "no_conflict" in [leaf.content["decision"] for leaf in leaves]


def test_two_plans_entered_while_lists_are_on_their_way_still_meet(two: Federation) -> None:
    """Neither list held the other's plan when it was asked; the changed lists are looked up again, without asking."""
    a, b = enter(two, "rabat"), enter(two, "madrid")
    assert [x.state for e in (a, b) for x in e.asked] == ["clear", "clear"]
    batches = len(two.asked)
    two.pump(10)
    assert len(two.asked) == batches
    assert one_conflict(two, "rabat").dossier == one_conflict(two, "madrid").dossier != ""
    assert len(met(two, "rabat")) == len(met(two, "madrid")) == 1


def test_a_hidden_plan_tells_its_own_owner_alone_who_then_decides(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    sent = len(two.posted)
    entered = enter(two, "madrid", sensitivity="hidden")
    two.pump(6)
    (held,) = met(two, "madrid")
    assert held.state is MeetingState.HELD
    assert met(two, "rabat") == []
    assert [d.code for d in two.nodes["madrid"].plans.duties(two.clock())] == ["plan.decide_hidden"]
    other = Acting(two.officers["madrid"].officer, two.officers["madrid"].roles)
    stranger = supervisor(two, "madrid")
    assert two.nodes["madrid"].plans.rows(stranger)
    assert two.nodes["madrid"].plans.rows(other)
    # Whoever plans there later meets nothing: it is in no list.
    enter(two, "rabat", north_m=100)
    two.pump(6)
    assert conflicts(two, "rabat") == []
    assert sent <= len(two.posted)
    two.nodes["madrid"].plans.reveal(held.id, two.officers["madrid"])
    two.pump(8)
    assert one_conflict(two, "madrid").kind == "space_time"
    assert entered.event.id


def test_a_hidden_plan_kept_silent_stays_so(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    enter(two, "madrid", sensitivity="hidden")
    (held,) = met(two, "madrid")
    two.nodes["madrid"].plans.keep_silent(held.id, two.officers["madrid"])
    two.pump(6)
    assert [m.state for m in met(two, "madrid")] == [MeetingState.SILENT]
    assert met(two, "rabat") == []
    with pytest.raises(Conflict, match="decided"):
        two.nodes["madrid"].plans.reveal(held.id, two.officers["madrid"])


TARGET = {"phones": ["+212612345678"], "names": ["Karim Tazi"], "birth_dates": ["1987-03-14"]}


def test_the_same_target_in_two_towns_is_a_target_conflict_and_near_it_is_critical(two: Federation) -> None:
    enter(two, "rabat", targets=[TARGET])
    two.pump()
    enter(two, "madrid", north_m=60_000, targets=[{"phones": ["+212 612 345 678"]}])
    two.pump(8)
    assert one_conflict(two, "madrid").kind == one_conflict(two, "rabat").kind == "target"
    enter(two, "madrid", north_m=200, targets=[{"names": ["كريم التازي"], "birth_dates": ["1987-03-14"]}])
    two.pump(8)
    assert sorted(m.kind for m in conflicts(two, "rabat")) == ["critical", "target"]
    assert sorted(m.kind for m in conflicts(two, "madrid")) == ["critical", "target"]


def test_a_target_without_an_event_is_matched_for_180_days_unless_renewed(two: Federation) -> None:
    by = two.officers["rabat"]
    plan = {**body(two, "rabat"), "targets": [TARGET], "place": None, "type": ""}
    service = two.nodes["rabat"].plans
    event = service.add(service.draft(plan, by), by).event
    two.clock.pass_time(timedelta(days=170))
    service.renew(event.id, by)
    two.clock.pass_time(timedelta(days=20))
    assert service.listings()
    two.clock.pass_time(timedelta(days=161))
    assert service.listings() == []


def test_a_conflict_calls_the_duty_officers_then_the_commanders_and_expires_with_its_window(two: Federation) -> None:
    enter(two, "rabat", hours=1.5)
    two.pump()
    enter(two, "madrid", hours=1.5)
    two.pump(8)
    rabat, madrid = two.nodes["rabat"].plans, two.nodes["madrid"].plans

    def owed(service) -> list:
        return [(d.code, d.urgent) for d in service.duties(two.clock())]

    assert plan_stage(one_conflict(two, "rabat"), two.clock()).value == "officer"
    assert owed(rabat) == owed(madrid) == [("plan.acknowledge", True)]
    two.clock.pass_time(timedelta(seconds=61))
    assert plan_stage(one_conflict(two, "rabat"), two.clock()).value == "duty_officer"
    for service in (rabat, madrid):
        assert owed(service) == [("plan.unacknowledged", True), ("plan.acknowledge", True)]
        assert [d.code for d in service.duties(two.clock()) if d.code in ESCALATIONS] == ["plan.unacknowledged"]
    rabat.acknowledge(one_conflict(two, "rabat").id, two.officers["rabat"])
    two.pump(4)
    assert plan_stage(one_conflict(two, "rabat"), two.clock()).value == "duty_officer"
    assert set(one_conflict(two, "madrid").acknowledged) == {"theirs"}
    assert owed(rabat) == [("plan.unacknowledged", True), ("plan.resolve", True)]
    madrid.acknowledge(one_conflict(two, "madrid").id, two.officers["madrid"])
    two.pump(4)
    assert plan_stage(one_conflict(two, "rabat"), two.clock()).value == "officer"
    assert owed(rabat) == [("plan.resolve", True)]
    two.clock.pass_time(timedelta(minutes=60))
    for name in ("rabat", "madrid"):
        assert plan_stage(one_conflict(two, name), two.clock()).value == "commander"
        assert owed(two.nodes[name].plans) == [("plan.alarm", True)]
    rabat.resolve(one_conflict(two, "rabat").id, two.officers["rabat"])
    two.pump(4)
    assert owed(rabat) == owed(madrid) == [("plan.alarm", True)], "both commanders, until both services settled it"
    two.clock.pass_time(timedelta(hours=5))
    two.pump(4)
    assert [m.state for n in ("rabat", "madrid") for m in met(two, n)] == [MeetingState.EXPIRED] * 2
    assert owed(rabat) == owed(madrid) == []
    assert rabat.listings() == []


def room_of(f: Federation, name: str) -> Any:
    (meeting,) = met(f, name)
    return f.nodes[name].dossiers.state(meeting.dossier)


def test_an_unused_room_ends_with_the_window_and_nobody_owes_more_than_the_erasure(two: Federation) -> None:
    """Of a hidden plan too: after its window nothing of the two stays open."""
    enter(two, "rabat", hours=2, sensitivity="hidden")
    two.pump()
    enter(two, "madrid", hours=2)
    two.pump(8)
    rabat = two.nodes["rabat"].plans
    (held,) = met(two, "rabat")
    rabat.reveal(held.id, two.officers["rabat"])
    two.pump(8)
    for name in ("rabat", "madrid"):
        assert (room_of(two, name).phase, len(room_of(two, name).entries)) == ("open", 1)
    two.clock.pass_time(timedelta(hours=6))
    two.pump(4)
    assert {room_of(two, name).phase for name in ("rabat", "madrid")} == {"open"}, "the grace is not over yet"
    two.clock.pass_time(timedelta(minutes=31))
    two.pump(8)
    for name in ("rabat", "madrid"):
        state = room_of(two, name)
        assert (state.phase, len(state.entries)) == ("closed", 2)
        assert state.entries[-1].statement.facts["outcome"] == "not_reached"
        codes = {d.code for d in two.nodes[name].dossiers.duties(None) if d.dossier == state.id}
        assert codes == {"operation.erase", "dossier.review"}
    two.pump(4)
    assert len(room_of(two, "rabat").entries) == 2


def test_a_room_that_was_used_is_its_officers_to_close(two: Federation) -> None:
    enter(two, "rabat", hours=2)
    two.pump()
    enter(two, "madrid", hours=2)
    two.pump(8)
    note = {
        "type": "operation.situation_reported",
        "facts": {"number": 1},
        "parts": [{"kind": "situation", "lang": "en", "text": "Both wait."}],
    }
    two.nodes["rabat"].dossiers.append(room_of(two, "rabat").id, note, two.officers["rabat"])
    two.pump(4)
    two.clock.pass_time(timedelta(hours=8))
    two.pump(8)
    assert {room_of(two, name).phase for name in ("rabat", "madrid")} == {"open"}
    assert [m.state for n in ("rabat", "madrid") for m in met(two, n)] == [MeetingState.EXPIRED] * 2


def test_it_is_settled_when_both_say_so(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    enter(two, "madrid")
    two.pump(8)
    for name in ("rabat", "madrid"):
        two.nodes[name].plans.resolve(one_conflict(two, name).id, two.officers[name])
    two.pump(6)
    assert [m.state for n in ("rabat", "madrid") for m in met(two, n)] == [MeetingState.RESOLVED] * 2


def test_a_level_rises_when_both_agree_step_by_step_and_never_for_a_restricted_plan(two: Federation) -> None:
    enter(two, "rabat")
    two.pump()
    enter(two, "madrid", type="surveillance")
    two.pump(8)
    rabat, madrid = two.nodes["rabat"].plans, two.nodes["madrid"].plans
    with pytest.raises(Invalid):
        rabat.agree_level(one_conflict(two, "rabat").id, 4, two.officers["rabat"])
    rabat.agree_level(one_conflict(two, "rabat").id, 2, two.officers["rabat"])
    two.pump(4)
    assert "type" not in one_conflict(two, "madrid").told
    madrid.agree_level(one_conflict(two, "madrid").id, 2, two.officers["madrid"])
    two.pump(4)
    assert one_conflict(two, "madrid").told["type"] == "arrest"
    assert one_conflict(two, "rabat").told["type"] == "surveillance"
    assert "area" not in one_conflict(two, "rabat").told
    for name in ("rabat", "madrid"):
        two.nodes[name].plans.agree_level(one_conflict(two, name).id, 3, two.officers[name])
        two.pump(4)
    assert one_conflict(two, "rabat").told["area"] == [35.78, -5.81]
    assert "place" not in one_conflict(two, "rabat").told


def test_cancelling_tells_the_other_side_and_exempting_needs_a_supervisor_a_name_and_a_reason(two: Federation) -> None:
    first = enter(two, "rabat")
    two.pump()
    enter(two, "madrid")
    two.pump(8)
    rabat = two.nodes["rabat"].plans
    with pytest.raises(Refused, match="supervisor"):
        rabat.exempt(first.event.id, "Commander Alaoui", "a life is in danger", two.officers["rabat"])
    boss = supervisor(two, "rabat")
    for approver, reason in (("", "a life is in danger"), ("Commander Alaoui", "short")):
        with pytest.raises(Invalid):
            rabat.exempt(first.event.id, approver, reason, boss)
    rabat.exempt(first.event.id, "Commander Alaoui", "a life is in danger", boss)
    two.pump(6)
    assert rabat.listings() == []
    assert [m.state for m in met(two, "madrid")] == [MeetingState.EXPIRED]
    leaf = next(
        x for x in two.nodes["rabat"].ledger.find(f"plan:{first.event.id}") if x.content["decision"] == "exempted"
    )
    assert (leaf.content["approver"], leaf.content["reason"]) == ("Commander Alaoui", "a life is in danger")
    with pytest.raises(Conflict):
        rabat.cancel(first.event.id, boss)


def test_guessing_a_calendar_by_tokens_is_stopped_by_the_quota_and_seen_by_the_supervisor(make_federation) -> None:
    f = make_federation()
    f.chosen = {"madrid": {"quota_plan": 512, "burst_plan": 0}}
    f.add("rabat", "madrid")
    agree(f, "rabat", "madrid")
    enter(f, "madrid")
    f.pump()
    # Rabat walks a net over the town, four hours a step; it does not know where Madrid plans.
    asked = [enter(f, "rabat", north_m=2_000.0 * n, lasts=40).asked[0] for n in range(2, 9)]
    refused = [a for a in asked if a.state == "refused"]
    assert refused
    assert {a.code for a in refused} == {"meter.quota"}
    assert "private.alarm.quota_half" in {n.code for n in f.nodes["madrid"].private.notices()}
    uses = f.nodes["madrid"].private.asked_of_us()
    assert {(u.partner, u.tier, u.code) for u in uses} == {
        (f.nodes["rabat"].node_id, "plan", ""),
        (f.nodes["rabat"].node_id, "plan", "meter.quota"),
    }
    spent = next(m for m in f.nodes["madrid"].private.meters() if m.tier == "plan")
    assert spent.spent <= spent.per_day == 512


def test_exact_tests_are_few_so_nobody_walks_a_circle_round_a_place(two: Federation) -> None:
    enter(two, "madrid")
    two.pump()
    for n in range(12):
        enter(two, "rabat", north_m=900.0 + n)
    two.pump(8)
    tested = [m for m in met(two, "madrid") if m.tests]
    assert sum(len(m.tests) for m in tested) == 8
    leaves = two.nodes["madrid"].ledger.page(limit=400)
    assert "too_many_tests" in [leaf.content.get("decision") for leaf in leaves if leaf.content]


def test_a_test_of_two_plans_is_answered_for_both_or_for_none(two: Federation) -> None:
    """A refusal changes nothing: else what was refused had been answered in part, and the rest was asked again."""
    spent = enter(two, "madrid").event.id
    others = [enter(two, "madrid", north_m=1_200.0 + n).event.id for n in range(5)]
    two.pump()
    for n in range(9):
        enter(two, "rabat", north_m=-300.0 - n)
        two.pump(8)
    tests = {plan: sum(len(m.tests) for m in met(two, "madrid") if m.plan == plan) for plan in (spent, *others)}
    assert tests[spent] == 8
    wide = {**body(two, "rabat", north_m=600.0)["place"], "radius_m": 1_500.0}
    enter(two, "rabat", place=wide)
    two.pump(8)
    after = {plan: sum(len(m.tests) for m in met(two, "madrid") if m.plan == plan) for plan in (spent, *others)}
    assert after == tests
    assert "plan.too_many_tests" in [d.reason for d in two.nodes["rabat"].exchange.deliveries(limit=1000)]


def test_a_letter_that_comes_again_or_from_another_changes_nothing(federation: Federation) -> None:
    f = federation
    agree(f, "rabat", "madrid", "berlin")
    enter(f, "rabat")
    f.pump()
    enter(f, "madrid")
    f.pump(8)
    before = [(m.id, m.state, m.dossier, dict(m.acknowledged)) for n in ("rabat", "madrid") for m in met(f, n)]
    posted = list(f.posted)
    for name, raw in posted:
        f.nodes[name].exchange.receive(raw)
    f.pump(4)
    assert before == [(m.id, m.state, m.dossier, dict(m.acknowledged)) for n in ("rabat", "madrid") for m in met(f, n)]
