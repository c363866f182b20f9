"""Major events: dossiers before a match, reports after it, two sides' risk, and the death of the event's data."""

from dataclasses import replace
from datetime import timedelta

from tansiq.dossiers.rules import duties
from tansiq.kinds.major_event import CHECKLIST, MAJOR_EVENT, disagreements, safe_capacity
from tansiq.kinds.major_event.rules import working_days_later
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, LEGAL, LISBON, MADRID, RABAT, START, Desk, make

KICKOFF = START + timedelta(days=60)
ENDS = START + timedelta(days=90)
PROVEN = {"parts": 7, "leaf": 3, "proof": "a-proof"}
SHORT = replace(LEGAL, erase_on=(ENDS + timedelta(days=300)).date().isoformat())


class Centre:
    """Rabat hosts; Madrid and Berlin visit; Lisbon looks on."""

    def __init__(self, form="match", legal=SHORT):
        self.desks = {n: Desk(n, MAJOR_EVENT) for n in (RABAT, MADRID, BERLIN, LISBON)}
        facts = {
            "form": form,
            "window_from": format_instant(START + timedelta(days=58)),
            "window_until": format_instant(ENDS),
            "hosts": [RABAT],
        }
        rabat = self.desks[RABAT]
        first = rabat.open((MADRID, BERLIN, LISBON), facts)
        rabat.seen.clear()

        self.share(make(replace(first.statement, legal=legal)))
        self.legal = legal

    def share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, facts=None, at=None, **change):
        change = {"legal": self.legal, **change}
        return self.share(self.desks[node].write(f"major_event.{act}", facts or {}, at=at, **change))

    def match(self):
        facts = {"home": "ESP", "away": "GER", "kickoff": format_instant(KICKOFF), "host": RABAT}
        return self.write(RABAT, "match_fixed", {**facts, "visitors": [MADRID, BERLIN]})

    @property
    def state(self):
        return self.desks[RABAT].state()

    def void(self, entry):
        return entry.id in self.state.voided()

    def owed(self, code):
        return {(d.owner, d.due_at) for d in duties(self.state, MAJOR_EVENT) if d.code == f"major_event.{code}"}


def test_each_visitor_owes_a_dossier_two_weeks_before():
    centre = Centre()
    match = centre.match()
    due = KICKOFF - timedelta(days=14)
    assert centre.owed("send_team_dossier") == {(MADRID, due), (BERLIN, due)}
    assert centre.void(centre.write(LISBON, "team_dossier_sent", {"about": match.id}))
    centre.write(MADRID, "team_dossier_sent", {"about": match.id, "risk": 40, "non_risk": 2500})
    assert centre.owed("send_team_dossier") == {(BERLIN, due)}
    assert centre.owed("finalise_team_dossier") == {(MADRID, KICKOFF)}
    centre.write(MADRID, "team_dossier_updated", {"about": match.id, "risk": 60})
    centre.write(MADRID, "team_dossier_finalised", {"about": match.id, "risk": 55})
    assert not centre.owed("finalise_team_dossier")
    item = centre.state.own.items[f"{match.id}/{MADRID}"]
    assert (item.state, item.facts["risk"], item.facts["non_risk"]) == ("final", 55, 2500)


def test_a_tournament_asks_eight_weeks_before():
    centre = Centre(form="tournament")
    centre.match()
    early = START + timedelta(days=58) - timedelta(days=56)
    assert (MADRID, early) in centre.owed("send_team_dossier")


def test_both_sides_report_within_five_working_days():
    centre = Centre()
    match = centre.match()
    due = working_days_later(KICKOFF, 5)
    assert centre.owed("report_after_match") == {(n, due) for n in (RABAT, MADRID, BERLIN)}
    waiting = [d for d in duties(centre.state, MAJOR_EVENT) if d.code == "major_event.report_after_match"]
    assert {(d.since, d.later) for d in waiting} == {(KICKOFF, True)}
    report = {"about": match.id, "attendance": 61000, "incidents": 2}
    assert centre.void(centre.write(MADRID, "post_match_reported", report, at=KICKOFF - timedelta(hours=1)))
    assert centre.void(centre.write(LISBON, "post_match_reported", report, at=KICKOFF + timedelta(hours=3)))
    for node in (RABAT, MADRID, BERLIN):
        centre.write(node, "post_match_reported", report, at=KICKOFF + timedelta(hours=4))
    assert not centre.owed("report_after_match")
    assert centre.state.own.items[match.id].state == "reported"
    assert centre.state.own.items[f"{match.id}/{BERLIN}"].state == "post_match"


def test_five_working_days_leap_the_weekend():
    friday = START + timedelta(days=(4 - START.weekday()) % 7)
    assert working_days_later(friday, 5) == friday + timedelta(days=7)


def test_host_and_visitor_see_the_risk_each_for_itself():
    centre = Centre()
    match = centre.match()
    centre.write(RABAT, "risk_assessed", {"match": match.id, "level": 2})
    centre.write(MADRID, "risk_assessed", {"match": match.id, "level": 2})
    assert disagreements(centre.state.own) == {}
    centre.write(MADRID, "risk_assessed", {"match": match.id, "level": 4})
    assert disagreements(centre.state.own) == {match.id: {RABAT: 2, MADRID: 4}}
    assert centre.void(centre.write(LISBON, "risk_assessed", {"match": match.id, "level": 1}))


def test_the_safe_capacity_is_the_lowest():
    centre = Centre()
    four = {"entry": 60000, "holding": 65000, "exit": 58000, "emergency": 70000}
    venue = centre.write(RABAT, "venue_described", {"owner": RABAT, **four})
    assert safe_capacity(centre.state.own.items[venue.id]) == 58000
    unknown = centre.write(RABAT, "venue_described", {"owner": RABAT, **four, "exit": 0})
    assert safe_capacity(centre.state.own.items[unknown.id]) is None


def test_the_checklist_covers_the_three_pillars_in_five_languages():
    assert len(CHECKLIST) >= 70
    for pillar in ("safety", "security", "service"):
        assert sum(m.pillar == pillar for m in CHECKLIST.values()) >= 15
    for m in CHECKLIST.values():
        assert set(m.text) == {"ar", "fr", "es", "de", "en"}
        assert len(set(m.text.values())) == 5


def test_measures_are_of_the_checklist():
    centre = Centre()
    venue = centre.write(RABAT, "venue_described", {"owner": RABAT})
    code = next(iter(CHECKLIST))
    facts = {"venue": venue.id, "code": code, "owner": RABAT, "due": format_instant(KICKOFF)}
    assert centre.void(centre.write(RABAT, "measure_set", {**facts, "code": "service.moon"}))
    measure = centre.write(RABAT, "measure_set", facts)
    assert centre.owed("measure") == {(RABAT, KICKOFF)}
    centre.write(RABAT, "measure_done", {"about": measure.id})
    assert not centre.owed("measure")


def test_a_host_answers_a_delegation():
    centre = Centre()
    assert centre.void(centre.write(MADRID, "delegation_declared", {"owner": BERLIN, "spotters": 4}))
    declared = centre.write(MADRID, "delegation_declared", {"owner": RABAT, "spotters": 4, "uniform": True})
    assert {n for n, _due in centre.owed("answer_delegation")} == {RABAT}
    centre.write(RABAT, "delegation_conditioned", {"about": declared.id})
    assert centre.state.own.items[declared.id].state == "accepted_with_conditions"


def test_the_match_day():
    centre = Centre()
    asked = centre.write(RABAT, "information_asked", {"owner": BERLIN, "urgency": "urgent"})
    (duty,) = [d for d in duties(centre.state, MAJOR_EVENT) if d.code == "major_event.give_information"]
    assert duty.urgent
    centre.write(BERLIN, "information_given", {"about": asked.id})
    centre.write(RABAT, "situation_reported", {"number": 1})
    assert centre.void(centre.write(RABAT, "situation_reported", {"number": 1}))
    incident = centre.write(RABAT, "incident_reported", {"form": "pyrotechnics", "severity": 2})
    centre.write(RABAT, "incident_resolved", {"about": incident.id})
    assert centre.state.own.items[incident.id].state == "resolved"
    lesson = centre.write(MADRID, "lesson_drawn")
    centre.write(RABAT, "lesson_taken_up", {"about": lesson.id, "committee": "d-1"})
    assert centre.state.own.items[lesson.id].facts["committee"] == "d-1"


def test_nothing_outlives_the_event_by_more_than_a_year():
    long = replace(LEGAL, erase_on=(ENDS + timedelta(days=366)).date().isoformat())
    assert Centre(legal=long).state.opener is None
    centre = Centre()
    assert centre.void(centre.write(MADRID, "logged", legal=long))
    assert not centre.void(centre.write(MADRID, "logged"))


def test_after_the_end_every_member_owes_the_erasure():
    centre = Centre()
    centre.write(RABAT, "closed")
    dies = ENDS + timedelta(days=365)
    assert centre.owed("erase") == {(n, dies) for n in (RABAT, MADRID, BERLIN, LISBON)}
    assert centre.void(centre.write(MADRID, "erased", {"parts": 7}))
    centre.write(MADRID, "erased", PROVEN)
    assert MADRID not in {n for n, _due in centre.owed("erase")}
    assert centre.void(centre.write(MADRID, "erased", PROVEN))


def test_an_event_that_nobody_closed_dies_all_the_same():
    centre = Centre()
    dies = ENDS + timedelta(days=365)
    owed = MAJOR_EVENT.erases(centre.state)
    assert (owed.by, owed.ready) == (dies, False)
    assert centre.void(centre.write(BERLIN, "erased", PROVEN))
    assert not centre.void(centre.write(BERLIN, "erased", PROVEN, at=dies))
    assert MAJOR_EVENT.erases(centre.state).told == {BERLIN}


def test_a_match_has_two_sides_that_are_members():
    centre = Centre()
    facts = {"home": "ESP", "away": "GER", "kickoff": format_instant(KICKOFF), "host": RABAT}
    assert centre.void(centre.write(RABAT, "match_fixed", {**facts, "visitors": [RABAT]}))
    assert centre.void(centre.write(RABAT, "match_fixed", {**facts, "visitors": ["fr-" + "x" * 20]}))
    assert centre.void(centre.write(RABAT, "match_fixed", {**facts, "kickoff": "tomorrow", "visitors": [MADRID]}))
