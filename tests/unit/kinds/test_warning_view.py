"""What a warning's page is made from: as it stands after all updates, who has read that, what each did."""

from __future__ import annotations

from datetime import timedelta

from tansiq.kinds.warning import ACKNOWLEDGE, WARNING
from tansiq.kinds.warning.model import FEEDBACK
from tansiq.kinds.warning.view import view
from tansiq.terms import format_instant
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk

OPENS, ENDS = START + timedelta(hours=6), START + timedelta(hours=9)
WINDOW = {"window_from": format_instant(OPENS), "window_until": format_instant(ENDS)}


class Told:
    """Rabat warns Madrid and Berlin; each has seen all."""

    def __init__(self, **facts) -> None:
        self.desks = {n: Desk(n, WARNING) for n in (RABAT, MADRID, BERLIN)}
        self.first = self._share(self.desks[RABAT].open((MADRID, BERLIN), facts)).id

    def _share(self, entry):
        for desk in self.desks.values():
            desk.see(entry)
        return entry

    def write(self, node, act, at=None, **facts):
        return self._share(self.desks[node].write(f"warning.{act}", facts, at=at))

    def view(self, now=START):
        found = view(self.desks[RABAT].state(), now)
        assert found is not None
        return found


def test_what_is_not_known_is_missing() -> None:
    found = Told().view()
    assert (found.stands, found.window, found.place.presence, found.grade, found.country) == (
        "",
        (None, None),
        "",
        "",
        "",
    )
    assert (found.precedence, found.updates, found.outcome, found.stood_down) == ("routine", (), "", None)
    assert [m for _n, m in found.measures] == [(), (), ()]


def test_now_lies_before_within_or_after_the_window() -> None:
    w = Told(**WINDOW)
    stands = [w.view(at).stands for at in (START, OPENS, ENDS, ENDS + timedelta(seconds=1))]
    assert stands == ["before", "within", "within", "after"]
    assert Told(window_until=format_instant(ENDS)).view().stands == "within"


def test_who_has_not_read_it_is_late_after_the_time_that_its_precedence_gives() -> None:
    w = Told(precedence="flash")
    read = w.write(MADRID, "acknowledged", about=w.first)
    over = START + ACKNOWLEDGE["flash"] + timedelta(seconds=1)
    found = {r.item.owner: r for r in w.view(over).readers}
    assert (found[MADRID].read_at, found[MADRID].late) == (read.statement.at, False)
    assert (found[BERLIN].read_at, found[BERLIN].late) == (None, True)
    assert w.view(over).waiting == 1
    w.write(BERLIN, "acknowledged", at=over, about=w.first)
    assert {r.item.owner: r.late for r in w.view(over).readers} == {MADRID: False, BERLIN: True}, "it was read late"


def test_an_update_is_read_anew_and_says_what_it_changed() -> None:
    w = Told(precedence="routine", **WINDOW)
    w.write(MADRID, "acknowledged", about=w.first)
    change = w.write(RABAT, "updated", precedence="flash", window_until=format_instant(ENDS + timedelta(hours=1)))
    found = w.view()
    assert found.newest == change.id
    assert found.precedence == "flash"
    assert found.window == (OPENS, ENDS + timedelta(hours=1))
    assert {r.item.owner: r.read_at for r in found.readers} == {MADRID: None, BERLIN: None}
    assert [(u.entry, u.changed[0]) for u in found.updates] == [(change.id, ("precedence", "flash"))]
    assert found.updated_at == change.statement.at


def test_measures_stand_with_who_took_them_the_newest_first() -> None:
    w = Told()
    first = w.write(MADRID, "measure_taken", measure="patrol", state="running")
    second = w.write(MADRID, "measure_taken", measure="search", state="done")
    found = dict(w.view().measures)
    assert [(m.entry, m.measure, m.state) for m in found[MADRID]] == [
        (second.id, "search", "done"),
        (first.id, "patrol", "running"),
    ]
    assert found[BERLIN] == ()


def test_once_it_is_stood_down_it_is_still_to_be_read_and_answers_are_awaited() -> None:
    w = Told(precedence="flash")
    down = w.write(RABAT, "stood_down", reason="unfounded")
    w.write(MADRID, "feedback_given", about=down.id, outcome="false", used=False)
    later = START + FEEDBACK + timedelta(days=2)
    found = w.view(later)
    assert [r.late for r in found.readers] == [True, True], "as the duty is still owed"
    assert (found.reason, found.stood_down) == ("unfounded", down.id)
    answers = {a.item.owner: (a.outcome, a.used, a.late) for a in found.answers}
    assert answers == {MADRID: ("false", False, False), BERLIN: ("", None, True)}
    end = w.write(RABAT, "outcome_recorded", outcome="false")
    assert (w.view(later).outcome, w.view(later).outcome_entry) == ("false", end.id)
