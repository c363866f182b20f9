"""Laws of admission: whatever is put off, in whichever order it comes again, every member ends in the same state."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tansiq.dossiers.admission import OUTSIDERS, Admission
from tansiq.dossiers.model import Bounds, DossierState, Entry
from tansiq.dossiers.rules import fold, folded
from tansiq.dossiers.standing import Standing
from tansiq.kinds import KINDS
from tests.laws.test_fold_laws import histories
from tests.support.entries import BERLIN, LISBON, MADRID, RABAT, START, Desk

TIGHT = Bounds(entries=3, megabytes=1, dossier=2, waiting=1, outsider=1)
DAYS = 60
"""So long an item lives with its sender, unless it chose otherwise."""


class Member:
    """Takes in what it admits; what it puts off is offered again a day later."""

    def __init__(self, bounds: Bounds) -> None:
        self.now = START
        self.admission = Admission(lambda: self.now, bounds)
        self.there: Standing | None = None
        self.entries: list[Entry] = []
        self.put_off = 0

    def offer(self, entry: Entry) -> bool:
        kind, here = KINDS[entry.statement.kind], [*self.entries, entry]
        after = Standing(kind, folded(entry.statement.dossier, here, kind), len(here), entry.id)
        if self.admission.admit(self.there, after, entry, 100_000):
            self.put_off += 1
            return False
        self.there, self.entries = after, here
        return True

    def take(self, offered: list[Entry]) -> list[Entry]:
        """What it has not taken in after as many days as an item lives."""
        waiting = list({e.id: e for e in offered}.values())
        for _ in range(DAYS):
            waiting = [e for e in waiting if not self.offer(e)]
            self.now += timedelta(days=1)
        return waiting


def what_counts(state: DossierState) -> DossierState:
    """Without the entries that stand outside: they are for the eye, and change nothing."""
    outside = {m.entry for m in state.marks if m.code in OUTSIDERS}
    return replace(
        state,
        entries=tuple(e for e in state.entries if e.id not in outside),
        marks=tuple(m for m in state.marks if m.entry not in outside),
        missing=(),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories(), st.data())
def test_put_off_and_offered_again_in_any_order_the_state_is_that_of_all(
    history: tuple[str, list[Entry]], data: st.DataObject
) -> None:
    _, entries = history
    whole = fold(entries[0].statement.dossier, entries, KINDS[entries[0].statement.kind])
    outside = {m.entry for m in whole.marks if m.code in OUTSIDERS}
    member = Member(TIGHT)
    left = member.take(data.draw(st.permutations(entries)))
    assert {e.id for e in left} <= outside, "what counts is never kept away for good"
    assert member.there is not None
    assert what_counts(member.there.folded.state) == what_counts(whole)


def test_what_two_members_write_in_turns_comes_in_although_one_line_was_down() -> None:
    """Each of Madrid's entries follows one of Rabat's that is not here: few may wait, and none is lost."""
    kind = KINDS["report"]
    rabat, madrid = Desk(RABAT, kind), Desk(MADRID, kind)
    entries = [rabat.open((MADRID, BERLIN))]
    for n in range(12):
        writer, reader = (rabat, madrid) if n % 2 else (madrid, rabat)
        writer.see(*entries)
        entries.append(writer.write("report.note_added"))
        reader.see(*entries)
    of_madrid = [e for e in entries if e.statement.author == MADRID]
    of_rabat = [e for e in entries if e.statement.author == RABAT]
    member = Member(replace(TIGHT, entries=1_000, dossier=1_000, megabytes=1_000, waiting=3))
    waiting = [e for e in [*of_madrid[::-1], *of_rabat] if not member.offer(e)]
    assert member.put_off
    assert all(member.offer(e) for e in waiting), "once the line is up they follow at once"
    assert member.there is not None
    assert member.there.folded.state == fold(entries[0].statement.dossier, entries, kind)


def test_ten_thousand_entries_of_one_dossier_pass_at_once_and_nobody_is_told() -> None:
    kind = KINDS["report"]
    rabat = Desk(RABAT, kind)
    opening = rabat.open((MADRID,))
    there = Standing(kind, folded(opening.statement.dossier, [opening], kind), 1, opening.id)
    admission = Admission(lambda: START, Bounds())
    assert {admission.admit(there, there, opening, 100_000) for _ in range(10_000)} == {""}
    assert admission.notices() == []


def test_what_alone_is_more_than_a_day_takes_comes_when_a_day_is_left() -> None:
    kind = KINDS["report"]
    opening = Desk(RABAT, kind).open((MADRID,))
    there = Standing(kind, folded(opening.statement.dossier, [opening], kind), 1, opening.id)
    now = START
    admission = Admission(lambda: now, Bounds(megabytes=1))
    assert admission.admit(None, there, opening, 2_500_000) == ""
    assert admission.admit(there, there, opening, 100) == "later.megabytes"
    now += timedelta(days=1)
    assert admission.admit(there, there, opening, 2_500_000) == "later.megabytes"
    now += timedelta(hours=36)
    assert admission.admit(there, there, opening, 2_500_000) == ""


def test_what_a_member_names_is_taken_in_of_an_outsider_too() -> None:
    """Whether a parent is known tells what clock its child must bear: two members must not differ in that."""
    kind = KINDS["report"]
    rabat, madrid, lisbon = Desk(RABAT, kind), Desk(MADRID, kind), Desk(LISBON, kind)
    opening = rabat.open((MADRID,))
    for desk in (madrid, lisbon):
        desk.see(opening)
    strange = [lisbon.write("report.note_added", nonce=f"{n}") for n in range(3)]
    named = madrid.write("report.note_added", parents=tuple(sorted((opening.id, strange[-1].id))))
    member = Member(replace(TIGHT, entries=1_000, dossier=1_000, megabytes=1_000, waiting=1_000))
    waiting = [e for e in [opening, *strange] if not member.offer(e)]
    assert waiting == strange[1:]
    assert member.offer(named)
    assert member.take(waiting) == strange[1:-1]
    assert member.there is not None
    whole = fold(opening.statement.dossier, [opening, *strange, named], kind)
    assert what_counts(member.there.folded.state) == what_counts(whole)
