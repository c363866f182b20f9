"""Committees: recommendations on their clocks, mutual closure, silence reported upward, minutes per language."""

from datetime import UTC, datetime, timedelta

from tansiq.dossiers.rules import duties
from tansiq.kinds.committee import COMMITTEE, divergent
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk


class Sides:
    """Three sides that see each other's entries at once."""

    def __init__(self, *others):
        self.desks = {n: Desk(n, COMMITTEE) for n in (RABAT, MADRID, BERLIN)}
        self.share(self.desks[RABAT].open((MADRID, BERLIN), {"form": "directors_meeting", "languages": ["ar", "es"]}))

    def share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, facts, at=None):
        return self.share(self.desks[node].write(f"committee.{act}", facts, at=at))

    @property
    def state(self):
        return self.desks[RABAT].state()

    def void(self, entry):
        return entry.id in self.state.voided()

    def owed(self, code):
        return [d for d in duties(self.state, COMMITTEE) if d.code == f"committee.{code}"]

    def item(self, entry):
        return self.state.own.items[entry.id]


def recommended(sides, **facts):
    made = sides.write(MADRID, "recommended", {"owner": RABAT, **facts}, at=START + timedelta(hours=1))
    agreed = sides.write(RABAT, "recommendation_agreed", {"about": made.id}, at=START + timedelta(hours=2))
    return made, agreed.statement.at


def test_the_ordinary_track():
    sides = Sides()
    made, at = recommended(sides)
    (plan,) = sides.owed("submit_plan")
    assert (plan.owner, plan.due_at) == (RABAT, at.replace(month=1, year=2027))
    sides.write(RABAT, "plan_submitted", {"about": made.id}, at=at + timedelta(days=30))
    assert {d.owner for d in sides.owed("review_plan")} == {MADRID, BERLIN}
    sides.write(BERLIN, "plan_accepted", {"about": made.id}, at=at + timedelta(days=40))
    (progress,) = sides.owed("report_progress")
    assert progress.due_at == datetime(2027, 6, 12, 10, 0, tzinfo=UTC)


def test_a_serious_deficiency_runs_faster_and_a_rejected_plan_comes_back():
    sides = Sides()
    made, at = recommended(sides, finding="serious_deficiency")
    (plan,) = sides.owed("submit_plan")
    assert plan.due_at == at.replace(month=12)
    sent = sides.write(RABAT, "plan_submitted", {"about": made.id}, at=at + timedelta(days=5))
    (review, _other) = sides.owed("review_plan")
    assert review.due_at == sent.statement.at + timedelta(days=14)
    back = sides.write(MADRID, "plan_rejected", {"about": made.id}, at=at + timedelta(days=6))
    (plan,) = sides.owed("submit_plan")
    assert plan.due_at == back.statement.at + timedelta(days=14)


def to_implemented(sides):
    made, at = recommended(sides)
    sides.write(RABAT, "plan_submitted", {"about": made.id})
    sides.write(MADRID, "plan_accepted", {"about": made.id})
    done = sides.write(RABAT, "implemented", {"about": made.id})
    return made, done, at


def test_closure_takes_every_side():
    sides = Sides()
    made, done, _at = to_implemented(sides)
    assert sides.item(made).state == "implemented"
    sides.write(MADRID, "closure_signed", {"about": done.id})
    assert sides.item(made).state == "implemented"
    assert {d.owner for d in sides.owed("sign_closure")} == {BERLIN}
    sides.write(BERLIN, "closure_signed", {"about": done.id})
    assert sides.item(made).state == "closed"


def test_one_side_that_withholds_reopens_it():
    sides = Sides()
    made, done, _at = to_implemented(sides)
    sides.write(MADRID, "closure_signed", {"about": done.id})
    held = sides.write(BERLIN, "closure_withheld", {"about": done.id})
    assert sides.item(made).state == "in_progress"
    (progress,) = sides.owed("report_progress")
    assert progress.due_at > held.statement.at
    again = sides.write(RABAT, "implemented", {"about": made.id})
    assert {d.owner for d in sides.owed("sign_closure")} == {MADRID, BERLIN}
    assert not sides.void(again)


def test_who_may_do_what():
    sides = Sides()
    made = sides.write(MADRID, "recommended", {"owner": RABAT})
    assert sides.void(sides.write(MADRID, "recommendation_agreed", {"about": made.id}))
    assert sides.void(sides.write(BERLIN, "recommendation_agreed", {"about": made.id}))
    sides.write(RABAT, "recommendation_agreed", {"about": made.id})
    assert sides.void(sides.write(MADRID, "plan_submitted", {"about": made.id}))
    sides.write(RABAT, "plan_submitted", {"about": made.id})
    assert sides.void(sides.write(RABAT, "plan_accepted", {"about": made.id}))
    assert sides.void(sides.write(RABAT, "implemented", {"about": made.id}))
    own = sides.write(RABAT, "recommended", {"owner": RABAT})
    assert sides.void(sides.write(RABAT, "recommendation_agreed", {"about": own.id}))
    assert not sides.void(sides.write(BERLIN, "recommendation_agreed", {"about": own.id}))
    assert sides.void(sides.write(RABAT, "recommended", {"owner": "pt-" + "x" * 20}))


def test_silence_is_reported_upward_only_when_it_is_silence():
    sides = Sides()
    made, at = recommended(sides)
    early = sides.write(MADRID, "silence_reported", {"about": made.id}, at=at + timedelta(days=10))
    assert sides.void(early)
    due = sides.owed("submit_plan")[0].due_at
    assert {(d.owner, d.since) for d in sides.owed("report_silence")} == {(MADRID, due), (BERLIN, due)}
    assert sides.void(sides.write(RABAT, "silence_reported", {"about": made.id}, at=due + timedelta(days=1)))
    told = sides.write(MADRID, "silence_reported", {"about": made.id}, at=due + timedelta(days=2))
    assert not sides.void(told)
    assert {d.owner for d in sides.owed("report_silence")} == {BERLIN}
    sides.write(RABAT, "plan_submitted", {"about": made.id}, at=due + timedelta(days=3))
    assert not sides.owed("report_silence")


def meeting(sides):
    called = sides.write(MADRID, "meeting_called", {"due": format_instant(START + timedelta(days=9)), "country": "ES"})
    assert [(d.owner, d.code) for d in sides.owed("hold_meeting")] == [(MADRID, "committee.hold_meeting")]
    sides.write(MADRID, "meeting_held", {"about": called.id, "attendance": {RABAT: 4, MADRID: 5}})
    return called


def test_minutes_are_approved_version_by_version():
    sides = Sides()
    called = meeting(sides)
    spanish = sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": "es", "digest": "a" * 64})
    arabic = sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": "ar", "digest": "b" * 64})
    assert sides.item(called).state == "minuted"
    for node in (RABAT, BERLIN):
        sides.write(node, "minutes_approved", {"about": spanish.id, "digest": "a" * 64})
    wrong = sides.write(RABAT, "minutes_approved", {"about": arabic.id, "digest": "a" * 64})
    assert sides.void(wrong)
    sides.write(RABAT, "minutes_contested", {"about": arabic.id, "digest": "b" * 64})
    assert divergent(sides.state.own) == {called.id: ("ar",)}


def test_minutes_need_a_meeting_that_was_held():
    sides = Sides()
    facts = {"meeting": "e-nothing", "language": "es", "digest": "a" * 64}
    assert sides.void(sides.write(MADRID, "minutes_written", facts))


def test_figures_are_about_another_side():
    sides = Sides()
    facts = {"window_from": "", "window_until": "", "figures": {"requests_sent": 4}}
    assert sides.void(sides.write(RABAT, "scorecard_given", {"member": RABAT, **facts}))
    given = sides.write(RABAT, "scorecard_given", {"member": MADRID, **facts})
    assert sides.state.own.scorecards == {(RABAT, MADRID): given.id}


def test_a_contested_version_is_written_again_by_who_wrote_it():
    sides = Sides()
    called = meeting(sides)
    first = sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": "es", "digest": "a" * 64})
    no = sides.write(RABAT, "minutes_contested", {"about": first.id, "digest": "a" * 64})
    (again,) = sides.owed("write_minutes")
    assert (again.owner, again.creditor, again.due_at) == (MADRID, RABAT, no.statement.at + timedelta(days=30))
    second = sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": "es", "digest": "b" * 64})
    assert sides.owed("write_minutes") == []
    assert {(d.owner, d.entry) for d in sides.owed("approve_minutes")} == {(RABAT, second.id), (BERLIN, second.id)}
    assert sides.void(sides.write(BERLIN, "minutes_approved", {"about": first.id, "digest": "a" * 64}))


def test_another_language_takes_no_versions_place():
    sides = Sides()
    called = meeting(sides)
    for language in ("es", "ar"):
        sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": language, "digest": "a" * 64})
    assert len(sides.owed("approve_minutes")) == 4


def test_who_changes_its_mind_about_a_contested_version_frees_its_writer():
    sides = Sides()
    called = meeting(sides)
    first = sides.write(MADRID, "minutes_written", {"meeting": called.id, "language": "es", "digest": "a" * 64})
    for answer in ("minutes_contested", "minutes_approved"):
        sides.write(RABAT, answer, {"about": first.id, "digest": "a" * 64})
    assert sides.owed("write_minutes") == []


def test_comments_take_two_weeks_and_end_in_agreement_or_contest():
    sides = Sides()
    made = sides.write(MADRID, "recommended", {"owner": RABAT})
    (agree,) = sides.owed("agree")
    assert (agree.owner, agree.due_at) == (RABAT, made.statement.at + timedelta(days=14))
    assert sides.void(sides.write(BERLIN, "recommendation_contested", {"about": made.id}))
    sides.write(RABAT, "recommendation_contested", {"about": made.id})
    assert sides.item(made).state == "contested"
    assert sides.owed("agree") == []
    sides.write(RABAT, "recommendation_agreed", {"about": made.id})
    assert {d.owner for d in sides.owed("submit_plan")} == {RABAT}


def test_a_contested_recommendation_may_be_replaced():
    sides = Sides()
    made = sides.write(MADRID, "recommended", {"owner": RABAT})
    sides.write(RABAT, "recommendation_contested", {"about": made.id})
    assert not sides.void(sides.write(MADRID, "recommendation_superseded", {"about": made.id}))


def test_to_what_a_side_proposes_for_itself_every_other_side_owes_an_answer():
    sides = Sides()
    made = sides.write(RABAT, "recommended", {"owner": RABAT})
    assert {d.owner for d in sides.owed("agree")} == {MADRID, BERLIN}
    sides.write(BERLIN, "recommendation_agreed", {"about": made.id})
    assert sides.owed("agree") == []


def test_a_serious_deficiency_is_visited_again_within_a_year():
    sides = Sides()
    made, at = recommended(sides, finding="serious_deficiency")
    assert {(d.owner, d.due_at) for d in sides.owed("revisit")} == {
        (n, at.replace(year=2027)) for n in (MADRID, BERLIN)
    }
    assert sides.void(sides.write(RABAT, "visited", {"about": made.id, "status": "partly"}))
    sides.write(BERLIN, "visited", {"about": made.id, "status": "partly"})
    assert sides.owed("revisit") == []
    ordinary, _at = recommended(sides)
    assert sides.owed("revisit") == []
    assert not sides.void(sides.write(MADRID, "visited", {"about": ordinary.id, "status": "implemented"}))


def test_nobody_signs_a_claim_that_was_withheld():
    sides = Sides()
    made, done, _at = to_implemented(sides)
    sides.write(MADRID, "closure_withheld", {"about": done.id})
    assert sides.owed("sign_closure") == []
    again = sides.write(RABAT, "implemented", {"about": made.id})
    assert {(d.owner, d.entry) for d in sides.owed("sign_closure")} == {(MADRID, again.id), (BERLIN, again.id)}
    assert sides.void(sides.write(BERLIN, "closure_signed", {"about": done.id}))
