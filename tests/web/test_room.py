"""The room of an operation: three panes, and the overlaps of plans that this officer may know of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tansiq.access.model import Acting
from tansiq.private import MeetingState
from tansiq.web import kindviews
from tansiq.web.i18n import tongue
from tansiq.web.render import subject_in
from tests.support.web import Town


@dataclass
class Reader:
    """A visit, as far as the room asks one."""

    node: Any
    name: str

    def acting(self, purpose: str = "", justification: str = "") -> Acting:
        officer = next(o for o in self.node.access.officers() if o.name == self.name)
        return self.node.access.acting(officer, purpose, justification)


@pytest.fixture
def room(town: Town):
    node = town.node("madrid")
    return node, node.dossiers.state(node.dossiers.find(town.dossier))


def met(town: Town, node, name: str, state) -> list[str]:
    return [m.id for m in kindviews.overlaps(Reader(node, name), state)]


def test_a_conflict_with_a_member_is_shown_to_who_may_read_the_plan(town: Town, room) -> None:
    node, state = room
    conflict = next(m for m in node.plans.meetings(Reader(node, "salma").acting()) if m.id == town.meeting)
    assert conflict.state is MeetingState.CONFLICT
    assert conflict.partner in state.members
    assert town.meeting in met(town, node, "salma", state)


def test_a_conflict_with_another_service_has_no_place_in_the_room(town: Town, room) -> None:
    node, state = room
    rabat = town.node("rabat").node_id
    without = replace(state, members=tuple(m for m in state.members if m != rabat))
    assert town.meeting not in met(town, node, "salma", without)


def test_who_may_not_read_the_plan_learns_nothing_of_it(town: Town, room) -> None:
    node, state = room
    readable = {p.id for p in node.plans.rows(Reader(node, "auditor").acting(), past=True)}
    shown = kindviews.overlaps(Reader(node, "auditor"), state)
    assert {m.plan for m in shown} <= readable


def test_a_subject_that_a_node_made_is_read_in_the_readers_language() -> None:
    stored = "Deconfliction m-6aacb050"
    assert subject_in(tongue("ar", "UTC"), stored) == "تفادي التعارض m-6aacb050"
    assert subject_in(tongue("de", "UTC"), stored) == "Abgleich m-6aacb050"
    assert subject_in(tongue("en", "UTC"), stored) == stored


@pytest.mark.parametrize("theirs", ["Deconfliction", "Deconfliction of two teams", "Re: Deconfliction m-6aacb050", ""])
def test_what_a_person_wrote_stays_as_it_was_written(theirs: str) -> None:
    assert subject_in(tongue("ar", "UTC"), theirs) == theirs
