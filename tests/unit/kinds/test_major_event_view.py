"""What a match-day page is made from: matches by day, each side's risk and papers, checklists, what is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tansiq.kinds.major_event import CHECKLIST, MAJOR_EVENT
from tansiq.kinds.major_event.model import KEPT_AT_MOST
from tansiq.kinds.major_event.view import view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, LEGAL, MADRID, RABAT, START, Desk, make

KICKOFF = START + timedelta(days=30)
ENDS = START + timedelta(days=40)
SHORT = replace(LEGAL, erase_on=(ENDS + timedelta(days=300)).date().isoformat())


class Cup:
    """Rabat hosts, Madrid and Berlin visit; each has seen all."""

    def __init__(self) -> None:
        self.desks = {n: Desk(n, MAJOR_EVENT) for n in (RABAT, MADRID, BERLIN)}
        facts = {
            "form": "match",
            "window_from": format_instant(START),
            "window_until": format_instant(ENDS),
            "hosts": [RABAT],
        }
        first = self.desks[RABAT].open((MADRID, BERLIN), facts)
        self.desks[RABAT].seen.clear()
        self._share(make(replace(first.statement, legal=SHORT)))

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        entry = self._share(self.desks[node].write(f"major_event.{act}", facts, at=at, legal=SHORT))
        assert entry.id not in self.desks[RABAT].state().voided()
        return entry

    def match(self, kickoff=KICKOFF, visitors=(MADRID, BERLIN), **facts):
        told = {"home": "ESP", "away": "GER", "kickoff": format_instant(kickoff), "host": RABAT}
        return self.write(RABAT, "match_fixed", visitors=list(visitors), **told, **facts)

    def view(self, now=START):
        found = view(self.desks[RABAT].state(), now)
        assert found is not None
        return found


def test_at_first_there_is_its_end_and_nothing_else() -> None:
    found = Cup().view()
    assert found.dies_at == ENDS + KEPT_AT_MOST
    assert (found.matches, found.venues, found.log, found.erased, found.late) == ((), (), (), (), 0)


def test_matches_stand_by_their_day_and_a_crowd_beyond_what_is_safe_is_seen() -> None:
    c = Cup()
    venue = c.write(RABAT, "venue_described", owner=RABAT, entry=500, holding=600, exit=400, emergency=700)
    second = c.match(KICKOFF + timedelta(days=2), venue=venue.id, expected=400)
    first = c.match(venue=venue.id, expected=401)
    found = c.view()
    assert [m.item.key for m in found.matches] == [first.id, second.id]
    assert [(m.safe, m.crowded) for m in found.matches] == [(400, True), (400, False)]
    blank = Cup()
    blank.match(expected=9)
    (m,) = blank.view().matches
    assert (m.venue, m.safe, m.crowded) == (None, None, False)


def test_each_side_has_its_own_level_and_a_difference_is_told() -> None:
    c = Cup()
    match = c.match()
    judged = c.write(MADRID, "risk_assessed", match=match.id, level=3)
    (m,) = c.view().matches
    assert [(s.node, s.hosts, s.level) for s in m.sides] == [
        (RABAT, True, None),
        (MADRID, False, 3),
        (BERLIN, False, None),
    ]
    assert m.sides[1].assessed == judged.id
    assert not m.apart
    c.write(RABAT, "risk_assessed", match=match.id, level=2)
    assert c.view().matches[0].apart


def test_papers_before_and_after_the_match_are_late_by_their_own_clocks() -> None:
    c = Cup()
    match = c.match()
    c.write(MADRID, "team_dossier_sent", about=match.id, risk=60)
    soon = KICKOFF - timedelta(days=13)
    host, madrid, berlin = c.view(soon).matches[0].sides
    assert host.dossier is None
    assert [(s.dossier.state, s.dossier_late) for s in (madrid, berlin)] == [("sent", False), ("draft", True)]
    assert c.view(soon).late == 1
    told = c.write(BERLIN, "post_match_reported", at=KICKOFF + timedelta(hours=5), about=match.id)
    after = KICKOFF + timedelta(days=9)
    host, madrid, berlin = c.view(after).matches[0].sides
    assert [(s.reported, s.report_late) for s in (host, madrid, berlin)] == [
        (None, True),
        (None, True),
        (told.id, False),
    ]
    assert not c.view(KICKOFF + timedelta(days=1)).matches[0].sides[0].report_late


def test_a_checklist_counts_what_is_in_place_what_is_late_and_what_nobody_set() -> None:
    c = Cup()
    venue = c.write(RABAT, "venue_described", owner=RABAT)
    safety = [m.code for m in CHECKLIST.values() if m.pillar == "safety"]
    due = format_instant(START + timedelta(days=5))
    done, late, free = (c.write(RABAT, "measure_set", venue=venue.id, code=x, owner=RABAT, due=due) for x in safety[:3])
    c.write(RABAT, "measure_done", about=done.id)
    c.write(MADRID, "measure_not_applicable", about=free.id)
    (v,) = c.view(START + timedelta(days=6)).venues
    first, second, _third = v.pillars
    assert (first.pillar, first.lines, first.done, first.not_applicable, first.to_do, first.late) == (
        "safety", len(safety), 1, 1, 1, 1,
    )  # fmt: skip
    assert first.unset == len(safety) - 3
    assert (second.done, second.unset) == (0, second.lines)
    assert next((i.key, x) for i, x in v.measures) == (late.id, True)
    assert (v.safe, v.capacities[0]) == (None, ("entry", 0))


def test_the_log_is_newest_first_and_what_is_open_stands_apart() -> None:
    c = Cup()
    logged = c.write(MADRID, "logged")
    asked = c.write(RABAT, "information_asked", owner=BERLIN, due=format_instant(START + timedelta(hours=1)))
    hurt = c.write(RABAT, "incident_reported", form="fire", severity=2)
    gone = c.write(RABAT, "incident_reported", form="drone", severity=1)
    c.write(RABAT, "incident_resolved", about=gone.id)
    found = c.view(START + timedelta(hours=2))
    assert [x.entry for x in found.log] == [gone.id, hurt.id, asked.id, logged.id]
    assert [(x.entry, x.late) for x in found.open] == [(asked.id, True), (hurt.id, False)]
    c.write(BERLIN, "information_given", about=asked.id)
    assert [x.entry for x in c.view().open] == [hurt.id]


def test_a_delegation_says_what_it_asks_for_and_the_end_says_who_erased() -> None:
    c = Cup()
    c.write(MADRID, "delegation_declared", owner=RABAT, spotters=6, arms=True)
    (d,) = c.view(START + timedelta(days=9)).delegations
    assert (d.people, d.asks, d.late) == ((("spotters", 6),), ("arms",), True)
    c.write(RABAT, "closed", at=ENDS)
    c.write(MADRID, "erased", parts=2, leaf=1, proof="x")
    found = c.view(ENDS + timedelta(days=1))
    assert dict(found.erased) == {RABAT: False, MADRID: True, BERLIN: False}
    assert not found.delegations[0].late
