"""The scorecard: each side counts for itself, and the two sets of figures stand side by side."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tansiq.dossiers.model import Figure, Window
from tansiq.kinds import KINDS, scorecard
from tansiq.kinds.request import REQUEST
from tansiq.kinds.scorecard import NO_CASE, beside, mirrored, summed
from tansiq.kinds.warning import ACKNOWLEDGE, WARNING
from tests.support.entries import BERLIN, MADRID, RABAT, START, Desk, part_ref

YEAR = timedelta(days=365)


def asked(hours, urgent=False, **changes):
    """A request of Madrid to Rabat, answered after so many hours; its state at both."""
    madrid, rabat = Desk(MADRID, REQUEST), Desk(RABAT, REQUEST)
    facts = {
        "crime_areas": ["terrorism"],
        **({"urgency": "urgent", "urgency_ground": "loss_of_relevance"} if urgent else {}),
    }
    rabat.see(madrid.open((RABAT,), facts, nonce=f"n{hours}"))
    got = rabat.write("request.received", {"request": next(iter(rabat.seen))})
    answer = rabat.write(
        "request.answered", {"result": "provided"}, at=got.statement.at + timedelta(hours=hours), parts=(part_ref(1),)
    )
    madrid.see(got, answer)
    return madrid.state(), rabat.state()


def count(states, me, other, begins=START - YEAR, ends=START + YEAR):
    return scorecard.count(states, KINDS, Window(me, other, begins, ends))


def test_requests_by_clock_and_time():
    pairs = [asked(3, urgent=True), asked(9, urgent=True), asked(50)]
    figures = count([m for m, _r in pairs], MADRID, RABAT)
    assert figures["requests.out"] == 3
    assert figures["requests.out.urgent_share"] == 667
    assert figures["requests.out.answered_in_time"] == 2
    assert figures["requests.out.answered_in_time_share"] == 667
    assert figures["requests.out.answer_time.median"] == 9 * 3600
    assert figures["requests.out.answer_time.p80"] == 50 * 3600
    assert figures["requests.out.area.terrorism"] == 3
    assert figures["requests.in.answered_in_time_share"] == NO_CASE


def test_both_sides_count_the_same():
    pairs = [asked(3, urgent=True), asked(50)]
    ours = count([m for m, _r in pairs], MADRID, RABAT)
    theirs = count([r for _m, r in pairs], RABAT, MADRID)
    lines = beside(ours, theirs)
    assert lines
    assert not [line.name for line in lines if line.differs]
    assert theirs["requests.in"] == 2


def test_a_difference_is_shown_and_silence_is_no_nought():
    pairs = [asked(3), asked(50)]
    ours = count([m for m, _r in pairs], MADRID, RABAT)
    theirs = count([pairs[0][1]], RABAT, MADRID)
    lines = {line.name: line for line in beside(ours, theirs)}
    assert (lines["requests.out"].ours, lines["requests.out"].theirs) == (2, 1)
    assert lines["requests.out"].differs
    assert {line.theirs for line in beside(ours, None)} == {None}
    assert not any(line.differs for line in beside(ours, None))


def test_others_and_other_times_are_not_counted():
    pair = asked(3)
    assert count([pair[0]], MADRID, BERLIN).get("requests.out", 0) == 0
    assert count([pair[0]], MADRID, RABAT, begins=START + YEAR, ends=START + 2 * YEAR).get("requests.out", 0) == 0


def test_what_is_counted_elsewhere_joins_in():
    more = [Figure("hits.in"), Figure("hits.in"), Figure("hits.in.confirmed")]
    window = Window(MADRID, RABAT, START, START + YEAR)
    figures = scorecard.count([], KINDS, window, more)
    assert figures["hits.in.confirmed_share"] == 500


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_the_eightieth_percentile_covers_eighty_per_cent(times):
    figures = summed(Figure("requests.out.answer_time", t, "seconds") for t in times)
    p80 = figures["requests.out.answer_time.p80"]
    assert sum(t <= p80 for t in times) >= 0.8 * len(times)
    assert p80 in times
    assert figures["requests.out.answer_time.median"] <= p80


@given(st.text(alphabet="abc.outin", max_size=30))
def test_to_mirror_twice_changes_nothing(name):
    assert mirrored(mirrored(name)) == name


def test_a_warning_counts_as_acknowledged_in_time_up_to_its_clock():
    states = []
    for late in (timedelta(0), timedelta(milliseconds=1)):
        rabat, madrid = Desk(RABAT, WARNING), Desk(MADRID, WARNING)
        facts = {"precedence": "flash", "grade": "B2", "target": "crowd", "country": "ES"}
        first = rabat.open((MADRID,), facts, nonce=f"n{late}")
        madrid.see(first)
        rabat.see(madrid.write("warning.acknowledged", {"about": first.id}, at=START + ACKNOWLEDGE["flash"] + late))
        states.append(rabat.state())
    figures = count(states, RABAT, MADRID)
    assert (figures["warnings.out.addressed"], figures["warnings.out.acknowledged_in_time"]) == (2, 1)
    assert figures["warnings.out.acknowledged_in_time_share"] == 500
