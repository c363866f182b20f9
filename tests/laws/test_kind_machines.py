"""Every kind's life cycle, walked by 2 to 4 members in any order: the same entries give the same state and duties."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tansiq.dossiers.model import Window
from tansiq.dossiers.rules import automatic, duties, fold
from tansiq.kinds import KINDS, face_of, scorecard
from tansiq.terms import FIRST, LAST
from tests.support.diagrams import outside_the_diagram
from tests.support.drawn import act_facts
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk

NODES = (RABAT, MADRID, BERLIN, LISBON)
WITHOUT_VIEW = ("report", "request")


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_members_agree(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    desks = [Desk(n, kind) for n in NODES[: data.draw(st.integers(2, 4))]]
    first = _open(desks, kind, data)
    for desk in desks[1:]:
        desk.see(first)
    for hour in range(data.draw(st.integers(3, 18))):
        _turn(desks, kind, data, hour)
    everything = [e for d in desks for e in d.seen.values()]
    states = []
    for _again in range(3):
        everything = data.draw(st.permutations(everything))
        states.append(fold(first.statement.dossier, everything, kind))
    assert states[0] == states[1] == states[2]
    owed = [duties(s, kind) for s in states]
    assert owed[0] == owed[1] == owed[2]
    members = set(states[0].members)
    for duty in owed[0]:
        assert duty.owner in members
        assert duty.code.count(".") >= 1
    _both_sides_count_alike(states[0], KINDS, desks)
    _whatever_is_asked_of_it_is_answered(states[0], kind)
    assert outside_the_diagram(states[0]) == set()
    voided = states[0].voided()
    for entry in everything:
        rule = kind.act(entry.statement.type)
        assert rule is not None
        if rule.by == "opener" and entry.statement.author != states[0].opener:
            assert entry.id in voided


def _whatever_is_asked_of_it_is_answered(state, kind):
    """Whatever instants members wrote, at the ends of the calendar too: nothing raises, at any time it is asked."""
    face = face_of(kind.name)
    assert kind.ends_on(state.first.statement.facts) is not None
    kind.erases(state)
    face.summary(state)
    for now in (START - timedelta(days=900), START + timedelta(hours=12), START + timedelta(days=9000)):
        assert face.view(state, now) is not None or kind.name in WITHOUT_VIEW or state.own is None
    for member in state.members:
        assert automatic(state, kind, member) is not None
    for begins, ends in ((FIRST, LAST), (LAST, LAST)):
        scorecard.count([state], KINDS, Window(RABAT, MADRID, begins, ends))


def _both_sides_count_alike(state, kinds, desks):
    """Two sides that hold the same entries have the same figures: the one's `out` is the other's `in`."""
    end = START + timedelta(days=900)
    for one, other in ((desks[0], desks[1]), (desks[-1], desks[0])):
        ours = scorecard.count([state], kinds, Window(one.node, other.node, START - timedelta(days=90), end))
        theirs = scorecard.count([state], kinds, Window(other.node, one.node, START - timedelta(days=90), end))
        assert not [line for line in scorecard.beside(ours, theirs) if line.differs]


def _open(desks, kind, data):
    opener = desks[0]
    others = tuple(d.node for d in desks[1:])
    # Facts of an opening may name members: who takes part is known before it is written.
    empty = replace(fold(opener.dossier, [], kind), members=tuple(d.node for d in desks))
    for _attempt in range(20):
        facts = data.draw(act_facts(kind.opening, empty))
        opener.seen.clear()
        entry = opener.open(others, facts)
        if opener.state().opener is not None:
            break
    assume(opener.state().opener is not None)  # or a kind whose openings were all void would pass unwalked
    return entry


def _turn(desks, kind, data, hour):
    desk = data.draw(st.sampled_from(desks))
    if data.draw(st.booleans()):
        other = data.draw(st.sampled_from(desks))
        known = sorted(other.seen.values(), key=lambda e: e.id)
        desk.see(*data.draw(st.lists(st.sampled_from(known), max_size=len(known))))
    state = desk.state()
    if not state.heads:
        return
    legal = [a for a in kind.acts[1:] if not a.before or state.phase in a.before]
    rule = data.draw(st.sampled_from(legal or list(kind.acts[1:])))
    facts = data.draw(act_facts(rule, state))
    desk.write(rule.type, facts, at=START + timedelta(hours=hour + 1))
