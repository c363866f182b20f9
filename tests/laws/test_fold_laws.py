"""Laws of the fold: order, repetition and delay do not matter, and no verified entry makes it raise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.dossiers import automatic, duties, fold
from tansiq.dossiers.frame import FRAME_ACTS
from tansiq.dossiers.model import Entry
from tansiq.dossiers.rules import extend, folded
from tansiq.kinds import KINDS
from tests.support.drawn import EXTREMES
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk, make, part_ref

NODES = (RABAT, MADRID, BERLIN, LISBON)
ENDS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999000, tzinfo=UTC))
"""Between them lies the instant of an entry that verifies."""


def _facts(draw: st.DrawFn, seen: list[str]) -> dict[str, Any]:
    about = draw(st.sampled_from([*seen, "e-" + "0" * 64]))
    return draw(
        st.sampled_from(
            [
                {},
                {"about": about},
                {"about": about, "to": "pt"},
                {"about": about, "part": part_ref(1).id, "reason": "other"},
                {"about": about, "outcome": "hit"},
                {"about": about, "codes": ["H2"]},
                {"asked": about, "answer": "granted"},
                {"recall": about, "part": part_ref(1).id},
                {"request": about},
                {"lane": RABAT},
                {"result": "provided"},
                {"grounds": ["security"]},
                {"until": "2026-11-05T08:00:00.000Z", "reason": "judicial_authorisation"},
                {"until": "9999-11-05T08:00:00.000Z", "reason": "judicial_authorisation"},
                {"until": draw(st.sampled_from(EXTREMES)), "reason": "judicial_authorisation"},
                {"about": about, "due": draw(st.sampled_from(EXTREMES))},
                {"urgency": "urgent"},
                {"outcome": "complete"},
                {"grounds": [["nested"]], "x": None},
            ]
        )
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[Entry]]:
    """What members (and a stranger) might write, each seeing only some of the rest; some of it hostile."""
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    desks = {n: Desk(n, kind) for n in NODES}
    facts = {"urgency": "urgent", "urgency_ground": "life_or_integrity"} if kind.name == "request" else {}
    plain = desks[RABAT].open((MADRID, BERLIN), facts)
    legal = replace(plain.statement.legal, review_on=draw(st.sampled_from(["2027-05-02", "0001-01-01", "9999-12-31"])))
    opening = make(replace(plain.statement, parts=(part_ref(1),), legal=legal))
    desks[RABAT].seen = {opening.id: opening}
    every = [opening]
    for desk in desks.values():
        desk.see(opening)
    acts = [a.type for a in kind.acts] + list(FRAME_ACTS)
    for _ in range(draw(st.integers(0, 10))):
        desk = desks[draw(st.sampled_from(NODES))]
        if draw(st.booleans()):
            desk.see(draw(st.sampled_from(every)))
        act = draw(st.sampled_from(acts))
        change: dict[str, Any] = {}
        if act == "dossier.members":
            change["members"] = tuple(draw(st.lists(st.sampled_from(NODES), unique=True)))
        if draw(st.integers(0, 9)) == 0:
            change["clock"] = draw(st.integers(0, 2**31 - 1))
        shift = timedelta(minutes=draw(st.integers(-300, 300)))
        at = draw(st.sampled_from((*[START + shift] * 9, *ENDS)))
        every.append(desk.write(act, _facts(draw, [e.id for e in every]), at, **change))
    return kind.name, every


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_and_repetition_do_not_change_the_state(
    history: tuple[str, list[Entry]], chance: Any, times: int
) -> None:
    kind, entries = KINDS[history[0]], history[1]
    dossier = entries[0].statement.dossier
    shuffled = entries * times
    chance.shuffle(shuffled)
    one, other = fold(dossier, entries, kind), fold(dossier, shuffled, kind)
    assert one == other
    assert duties(one, kind) == duties(other, kind)
    for node in NODES:
        assert automatic(one, kind, node) == automatic(other, kind, node)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.randoms(use_true_random=False), st.booleans())
def test_a_fold_that_goes_on_is_the_fold_of_all(history: tuple[str, list[Entry]], chance: Any, shuffle: bool) -> None:
    """Whatever order entries come in, and whatever else was tried on the same fold before."""
    kind, entries = KINDS[history[0]], list(history[1])
    dossier = entries[0].statement.dossier
    if shuffle:
        chance.shuffle(entries)
    going = folded(dossier, (), kind)
    for number, entry in enumerate(entries, 1):
        extend(going, chance.choice(entries), kind)
        going = extend(going, entry, kind)
        assert going.state == fold(dossier, entries[:number], kind)
        assert extend(going, entry, kind) is going


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.data())
def test_any_part_of_a_history_folds_and_what_is_void_changes_nothing(
    history: tuple[str, list[Entry]], data: st.DataObject
) -> None:
    kind, entries = KINDS[history[0]], history[1]
    some = data.draw(st.lists(st.sampled_from(entries), unique_by=lambda e: e.id))
    state = fold(entries[0].statement.dossier, some, kind)
    assert {e.id for e in state.entries} == {e.id for e in some}
    # What is void changes nothing, but an act that counts may speak about it: then it must be there.
    spoken_of = {str(v) for e in some if e.id not in state.voided() for v in e.statement.facts.values()}
    counted = [e for e in some if e.id not in state.voided() or e.id in spoken_of]
    again = fold(entries[0].statement.dossier, counted, kind)
    if again.missing == state.missing:
        assert (again.phase, again.members, again.own, again.permissions) == (
            state.phase,
            state.members,
            state.own,
            state.permissions,
        )
