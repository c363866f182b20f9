"""Laws of the fold: order, repetition and delay do not matter, and no verified entry makes it raise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.dossiers import ancestors, automatic, duties, fold
from tansiq.dossiers.frame import FRAME_ACTS
from tansiq.dossiers.model import DossierState, Entry
from tansiq.dossiers.parting import former
from tansiq.dossiers.rules import extend, folded
from tansiq.kinds import KINDS
from tansiq.terms import EntryId
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
        if draw(st.booleans()):
            change["parts"] = (part_ref(1),)
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


@st.composite
def partings(draw: st.DrawFn) -> list[Entry]:
    """Members that give, are removed, and take back and answer all the same, each on what has reached it."""
    kind = KINDS["report"]
    desks = {n: Desk(n, kind) for n in (RABAT, MADRID, BERLIN)}
    opening = desks[RABAT].open((MADRID, BERLIN), {"crime_areas": ["terrorism"], "grade": "B2", "scheme": "4x4"})
    desks[MADRID].see(opening)
    desks[BERLIN].see(opening)
    given = [desks[n].write("report.note_added", parts=(part_ref(1),)) for n in (MADRID, BERLIN)]
    every = [opening, *given]
    for _ in range(draw(st.integers(1, 10))):
        desk = desks[draw(st.sampled_from([RABAT, MADRID, BERLIN]))]
        desk.see(*draw(st.lists(st.sampled_from(every), max_size=3)))
        recalls = [e for e in every if e.statement.type == "dossier.recalled"]
        act = draw(st.sampled_from(["members", "recalled", "recalled", "erased", "note"]))
        facts: dict[str, Any] = {}
        change: dict[str, Any] = {"addressees": tuple(n for n in NODES if n != desk.node)}
        if act == "members":
            change["members"] = (RABAT, *draw(st.lists(st.sampled_from([MADRID, BERLIN]), unique=True)))
        elif act == "recalled":
            facts = {"about": draw(st.sampled_from(given)).id, "part": part_ref(1).id, "reason": "other"}
        elif act == "erased" and recalls:
            facts = {"recall": draw(st.sampled_from(recalls)).id, "part": part_ref(1).id}
        name = "report.note_added" if act == "note" else f"dossier.{act}"
        every.append(desk.write(name, facts, **change))
    return every


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(partings(), st.randoms(use_true_random=False))
def test_who_was_removed_takes_back_and_answers_whatever_comes_first(entries: list[Entry], chance: Any) -> None:
    kind, dossier = KINDS["report"], entries[0].statement.dossier
    chance.shuffle(entries)
    going = folded(dossier, (), kind)
    for number, entry in enumerate(entries, 1):
        going = extend(going, entry, kind)
        assert going.state == fold(dossier, entries[:number], kind)
    state = going.state
    gone, void = former(state), state.voided()
    counted = [e for e in state.entries if e.statement.author in gone and e.id not in void]
    late = [e for e in counted if not any(e.id in ancestors(m.id, {x.id: x for x in entries}) for m in _lists(state))]
    assert {e.statement.type for e in late} <= {"dossier.recalled", "dossier.erased"}
    for node in gone:
        by_it = {e.id for e in late if e.statement.author == node}
        own = [(r.about, r.part) for r in state.recalls if r.entry in by_it]
        assert len(own) == len(set(own)), "each part once"
        assert all(about.statement.author == node for a, _ in own if (about := state.entry(a)) is not None)
    # A removal undoes no recall of a part by its author, whichever of the two was written or came first.
    taken = {(r.about, r.part) for r in state.recalls}
    for e in entries:
        s = e.statement
        about = state.entry(EntryId(str(s.facts.get("about", ""))))
        if any(m.entry == e.id and m.code in ("clock_wrong", "equivocation") for m in state.marks):
            continue
        if s.type == "dossier.recalled" and about is not None and about.statement.author == s.author:
            assert (about.id, s.facts["part"]) in taken


def _lists(state: DossierState) -> list[Entry]:
    return [e for e in state.entries if e.statement.type == "dossier.members" and e.statement.author == state.opener]
