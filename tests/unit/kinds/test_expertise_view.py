"""What an offer's or a wish's page is made from: who uses it, how far each use is, what it changed, what is late."""

from __future__ import annotations

from datetime import timedelta

from tansiq.kinds.expertise import EXPERTISE
from tansiq.kinds.expertise.model import ANSWER, EFFECT
from tansiq.kinds.expertise.view import view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk


class Know:
    """Rabat opens towards Madrid and Berlin; each has seen all."""

    def __init__(self, stance="offer", **facts) -> None:
        self.desks = {n: Desk(n, EXPERTISE) for n in (RABAT, MADRID, BERLIN)}
        told = {"stance": stance, "form": "training", "topics": ["languages"], **facts}
        self._share(self.desks[RABAT].open((MADRID, BERLIN), told))

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        return self._share(self.desks[node].write(f"expertise.{act}", facts, at=at))

    def view(self, now=START):
        found = view(self.desks[RABAT].state(), now)
        assert found is not None
        return found


def test_what_nobody_took_up_says_so_and_what_is_not_said_is_missing() -> None:
    found = Know().view()
    assert (found.uses, found.changed, found.places, found.until, found.over) == ((), 0, 0, None, False)
    past = Know(until=format_instant(START + timedelta(days=1)))
    assert not past.view(START).over
    assert past.view(START + timedelta(days=2)).over


def test_a_use_goes_its_way_and_counts_when_it_changed_something() -> None:
    k = Know(places=12)
    use = k.write(MADRID, "taken_up", people=5).id
    (u,) = k.view().uses
    assert (u.stage, u.user, u.people, k.view().taken) == (0, MADRID, 5, 0)
    k.write(RABAT, "agreed", about=use, due=format_instant(START + timedelta(days=9)))
    assert (k.view().uses[0].stage, k.view().taken) == (1, 5)
    k.write(RABAT, "held", about=use, people=4)
    k.write(MADRID, "effect_told", about=use, effect="too_early", useful="partly")
    (u,) = k.view().uses
    assert (u.stage, u.effect) == (2, "too_early")
    k.write(MADRID, "effect_told", about=use, effect="none", useful="no")
    assert k.view().changed == 0, "told, and nothing changed"
    other = k.write(BERLIN, "taken_up").id
    k.write(RABAT, "declined", about=other)
    assert [(u.user, u.stage) for u in k.view().uses] == [(MADRID, 3), (BERLIN, -1)]


def test_of_a_wish_the_one_who_wished_is_its_user() -> None:
    k = Know(stance="wish")
    use = k.write(BERLIN, "taken_up").id
    k.write(RABAT, "agreed", about=use, due=format_instant(START + timedelta(days=9)))
    (u,) = k.view().uses
    assert (u.by, u.user) == (BERLIN, RABAT)


def test_what_is_late_stands_first() -> None:
    k = Know()
    k.write(BERLIN, "taken_up", at=START + timedelta(days=20))
    use = k.write(MADRID, "taken_up").id
    k.write(RABAT, "agreed", about=use, due=format_instant(START + timedelta(days=22)))
    found = k.view(START + timedelta(days=25)).uses
    assert [(u.user, u.late) for u in found] == [(MADRID, True), (BERLIN, False)]
    k.write(RABAT, "held", about=use)
    assert not any(u.late for u in k.view(START + timedelta(days=25)).uses)
    k.write(RABAT, "closed")
    late = k.view(START + ANSWER + EFFECT + timedelta(days=25)).uses
    assert [(u.user, u.late) for u in late] == [(MADRID, True), (BERLIN, False)], "nobody answers what is closed"
