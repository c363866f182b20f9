"""Threat: a hostile or broken partner lays down entries without end. It must drown no node and hold up nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.exchange.model import ItemState
from tansiq.terms import DossierId, EntryId
from tests.support import acts
from tests.support.flood import Flooder
from tests.support.services import Federation

BOUNDS = {"take_entries": 60, "take_of_dossier": 30, "take_waiting": 8, "take_of_outsider": 5}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[tuple[Federation, DossierId]]:
    """Rabat's dossier with Madrid and Berlin; Lisbon is pinned by all and is no member."""
    f = Federation(tmp_path, lambda name: f"sqlite:///{tmp_path / name}.db", exchange=dict(BOUNDS))
    f.add("rabat", "madrid", "berlin", "lisbon")
    dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    yield f, dossier
    f.close()


def invented(n: int) -> tuple[EntryId, ...]:
    return (EntryId(f"e-{n:064x}"),)


def of(f: Federation, name: str, dossier: DossierId, author: str) -> int:
    who = f.nodes[author].node_id
    return sum(e.statement.author == who for e in f.nodes[name].dossiers.state(dossier).entries)


def test_of_invented_parents_few_wait_and_all_else_passes(town: tuple[Federation, DossierId]) -> None:
    f, dossier = town
    madrid = f.nodes["madrid"]
    flooder = Flooder(f, "berlin", dossier)
    results = [flooder.file(madrid, flooder.entry(n, parents=invented(n))) for n in range(20)]
    assert [r.received for r in results] == [True] * 8 + [False] * 12
    assert {r.reason for r in results[8:]} == {"later.waiting"}
    assert flooder.file(madrid, flooder.entry(100, clock=1)).received, "its own good entries are not held up by it"
    f.nodes["rabat"].dossiers.append(dossier, acts.note("report.note_added"), f.officers["rabat"])
    f.pump()
    assert of(f, "madrid", dossier, "rabat") == 2


def test_what_is_named_is_counted_and_not_who_names_it(town: tuple[Federation, DossierId]) -> None:
    """An entry may name hundreds, as parents and in its facts; each is sought again with every entry that comes."""
    f, dossier = town
    madrid, flooder = f.nodes["madrid"], Flooder(f, "berlin", dossier)
    five = tuple(e for n in range(5) for e in invented(n))
    assert flooder.file(madrid, flooder.entry(0, parents=five)).received
    assert flooder.file(madrid, flooder.entry(1, parents=five)).reason == "later.waiting"
    told = {"told": [f"e-{n:064x}" for n in range(4)]}
    assert flooder.file(madrid, flooder.entry(2, clock=1, facts=told)).reason == "later.waiting"
    assert flooder.file(madrid, flooder.entry(3, parents=five[:3])).received
    f.clock.pass_time(timedelta(days=1))
    hundreds = tuple(e for n in range(200) for e in invented(n))
    assert flooder.file(madrid, flooder.entry(4, parents=hundreds)).received, "alone, when a whole day is left"


def test_a_day_later_as_many_again_are_taken_in(town: tuple[Federation, DossierId]) -> None:
    f, dossier = town
    flooder = Flooder(f, "berlin", dossier)
    entries = [flooder.entry(n, parents=invented(n)) for n in range(20)]
    for _ in range(2):
        results = [flooder.file(f.nodes["madrid"], e) for e in entries]
    assert sum(r.received for r in results) == 8, "what is here already is nothing new"
    f.clock.pass_time(timedelta(days=1))
    results = [flooder.file(f.nodes["madrid"], e) for e in entries]
    assert sum(r.received for r in results) == 16


def test_an_outsider_with_invented_parents_fills_nothing(town: tuple[Federation, DossierId]) -> None:
    """Its parents are missing, so it might be a newcomer whose admission is on its way: few of its entries are kept."""
    f, dossier = town
    madrid, lisbon = f.nodes["madrid"], f.nodes["lisbon"]
    flooder = Flooder(f, "berlin", dossier)
    flooder.node = lisbon
    results = []
    for n in range(40):
        entry = flooder.entry(n, parents=invented(n), author=lisbon.node_id)
        results.append(flooder.file(madrid, entry))
        if n % 6 == 5:
            f.clock.pass_time(timedelta(days=1))
    assert sum(r.received for r in results) == 5
    assert {r.reason for r in results if not r.received} == {"later.outsider"}
    (notice,) = madrid.dossiers.put_off()
    assert (notice.partner, notice.why, notice.dossier) == (lisbon.node_id, "later.outsider", dossier)


def test_dossiers_that_nobody_has_opened_are_one_flow(town: tuple[Federation, DossierId]) -> None:
    f, dossier = town
    flooder = Flooder(f, "berlin", dossier)
    entries = [flooder.entry(n, dossier=DossierId(f"d-{n:032x}")) for n in range(20)]
    results = [flooder.file(f.nodes["madrid"], e) for e in entries]
    assert [r.received for r in results] == [True] * 8 + [False] * 12
    assert len(f.nodes["madrid"].dossiers.rows()) == 9


def test_a_partner_is_named_to_whoever_runs_the_node(town: tuple[Federation, DossierId]) -> None:
    f, dossier = town
    flooder = Flooder(f, "berlin", dossier)
    for n in range(35):
        flooder.file(f.nodes["madrid"], flooder.entry(n, clock=1))
    (notice,) = f.nodes["madrid"].dossiers.put_off()
    assert (notice.partner, notice.times, notice.why) == (f.nodes["berlin"].node_id, 5, "later.dossier")
    f.clock.pass_time(timedelta(days=2))
    assert f.nodes["madrid"].dossiers.put_off() == []


def states(f: Federation, name: str, to: str) -> list[str]:
    deliveries = f.nodes[name].exchange.deliveries(to=f.nodes[to].node_id)
    return [d.state for d in deliveries if d.kind == "entry"]


def test_an_honest_partner_that_writes_much_loses_nothing(town: tuple[Federation, DossierId]) -> None:
    """What was put off stays with its sender, goes again, and in the end every member has the same."""
    f, dossier = town
    f.away.add("madrid")
    for n in range(50):
        f.nodes["berlin"].dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), f.officers["berlin"])
    f.pump()
    f.away.clear()
    f.pump()
    assert of(f, "madrid", dossier, "berlin") == 30
    kept = [d for d in f.nodes["berlin"].exchange.deliveries(to=f.nodes["madrid"].node_id) if d.state == "queued"]
    assert {(d.reason, d.state) for d in kept} == {("later.dossier", ItemState.QUEUED)}
    posted = len(f.posted)
    f.pump()
    assert len(f.posted) == posted, "it is left alone for a while"
    for hours in (1, 6, 12, 12):
        f.clock.pass_time(timedelta(hours=hours))
        f.restart("berlin" if hours == 6 else "madrid" if hours == 1 else "rabat")
        f.pump(8)
    assert set(states(f, "berlin", "madrid")) == {"received"}
    first, *others = (f.nodes[n].dossiers.state(dossier) for n in ("berlin", "madrid", "rabat"))
    for other in others:
        assert {e.id for e in other.entries} == {e.id for e in first.entries}
        assert (other.phase, other.heads, other.marks, other.members) == (
            first.phase,
            first.heads,
            first.marks,
            first.members,
        )


def test_what_is_put_off_holds_up_nothing_behind_it(town: tuple[Federation, DossierId]) -> None:
    f, dossier = town
    rabat, by = f.nodes["rabat"], f.officers["rabat"]
    other = rabat.dossiers.open("report", acts.report(), ["es"], by)
    for n in range(40):
        rabat.dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), by)
    f.pump()
    assert of(f, "madrid", dossier, "rabat") == 30
    rabat.dossiers.append(other, acts.note("report.note_added", "urgent"), by)
    f.pump()
    assert of(f, "madrid", other, "rabat") == 2
