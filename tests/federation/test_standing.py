"""Folds in memory are believed only where the database bears them out: rollbacks, other processes, old snapshots."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection

from tansiq.crypto import peek
from tansiq.dossiers import desk, fold, rules, standing
from tansiq.dossiers.model import DossierState
from tansiq.dossiers.standing import Standings
from tansiq.dossiers.wire import entry_id, parse_statement
from tansiq.kinds import KINDS
from tansiq.node import Node
from tests.support import acts
from tests.support.services import Federation


@pytest.fixture
def pair(federation: Federation) -> Federation:
    """On both databases."""
    return federation


def opened(f: Federation, notes: int = 0) -> str:
    dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    for n in range(notes):
        f.nodes["rabat"].dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), f.officers["rabat"])
    return dossier


def afresh(node: Node, dossier: str) -> DossierState:
    """What the database alone says."""
    state = node.dossiers.state(dossier)
    return fold(state.id, state.entries, KINDS[state.kind])


def test_what_is_kept_is_what_the_database_says(pair: Federation) -> None:
    dossier = opened(pair, notes=3)
    pair.pump()
    for node in (pair.nodes["rabat"], pair.nodes["madrid"]):
        assert node.dossiers.state(dossier) == afresh(node, dossier)
        assert len(node.dossiers.state(dossier).entries) == 4


def test_what_is_remembered_of_signed_bytes_is_what_they_say(pair: Federation) -> None:
    """The author remembers what it made, the receiver what it verified; both would read the same out of the bytes."""
    dossier = opened(pair, notes=2)
    pair.pump()
    for node in (pair.nodes["rabat"], pair.nodes["madrid"]):
        for entry in node.dossiers.state(dossier).entries:
            signed = node.dossiers.signed(entry.id)
            assert parse_statement(peek(signed).body) == entry.statement
            assert entry_id(peek(signed).body) == entry.id


def test_a_work_that_fails_leaves_no_trace_in_memory(pair: Federation) -> None:
    rabat, by = pair.nodes["rabat"], pair.officers["rabat"]
    dossier = opened(pair)

    def fail(tx: Connection) -> None:
        rabat.dossiers.append_in(tx, dossier, acts.note("report.note_added", "never"), by)
        rabat.dossiers.append_in(tx, dossier, acts.note("report.note_added", "never"), by)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        rabat.store.write(fail)
    assert len(rabat.dossiers.state(dossier).entries) == 1
    rabat.dossiers.append(dossier, acts.note("report.note_added", "kept"), by)
    assert rabat.dossiers.state(dossier) == afresh(rabat, dossier)
    assert [e.statement.clock for e in rabat.dossiers.state(dossier).entries] == [0, 1]


def test_a_savepoint_rolled_back_inside_a_work_that_succeeds(pair: Federation) -> None:
    """As the inbox does with an item that is refused: what ran after the commit must not bring it back."""
    rabat, by = pair.nodes["rabat"], pair.officers["rabat"]
    dossier = opened(pair)

    def partly(tx: Connection) -> None:
        inner = tx.begin_nested()
        rabat.dossiers.append_in(tx, dossier, acts.note("report.note_added", "never"), by)
        inner.rollback()

    rabat.store.write(partly)
    assert len(rabat.dossiers.state(dossier).entries) == 1

    def both(tx: Connection) -> None:
        partly(tx)
        rabat.dossiers.append_in(tx, dossier, acts.note("report.note_added", "kept"), by)

    rabat.store.write(both)
    state = rabat.dossiers.state(dossier)
    assert state == afresh(rabat, dossier)
    assert len(state.entries) == 2


def test_what_another_process_wrote_is_added(pair: Federation) -> None:
    """Two nodes on one database are what a second process is."""
    first, by = pair.nodes["rabat"], pair.officers["rabat"]
    dossier = opened(pair)
    second = Node(first.settings, first.keys, pair.clock)
    try:
        for n in range(3):
            for node in (first, second):
                node.dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), by)
                assert first.dossiers.state(dossier) == second.dossiers.state(dossier) == afresh(first, dossier)
    finally:
        second.close()
    assert [e.statement.clock for e in first.dossiers.state(dossier).entries] == list(range(7))


def test_what_was_rolled_back_here_is_not_taken_for_what_another_process_wrote_there(pair: Federation) -> None:
    """Both were the second entry of the dossier; only one of them is in the database."""
    first, by = pair.nodes["rabat"], pair.officers["rabat"]
    dossier = opened(pair)

    def partly(tx: Connection) -> None:
        inner = tx.begin_nested()
        first.dossiers.append_in(tx, dossier, acts.note("report.note_added", "never"), by)
        inner.rollback()

    first.store.write(partly)
    second = Node(first.settings, first.keys, pair.clock)
    try:
        kept = second.dossiers.append(dossier, acts.note("report.note_added", "kept"), by)
    finally:
        second.close()
    assert first.dossiers.state(dossier).entries[-1].id == kept
    assert first.dossiers.append(dossier, acts.note("report.note_added", "next"), by)
    state = first.dossiers.state(dossier)
    assert state.entries[-1].statement.parents == (kept,)
    assert state == afresh(first, dossier)


def test_an_old_snapshot_shows_what_it_was(pair: Federation) -> None:
    rabat = pair.nodes["rabat"]
    dossier = opened(pair)
    with rabat.store.read() as tx:
        before = desk.load_state(rabat.dossiers._w, tx, dossier)[0]
        rabat.dossiers.append(dossier, acts.note("report.note_added"), pair.officers["rabat"])
        assert desk.load_state(rabat.dossiers._w, tx, dossier)[0] == before
    assert len(rabat.dossiers.state(dossier).entries) == 2


def test_officers_who_write_at_once_do_not_overwrite_each_other(pair: Federation) -> None:
    rabat, by = pair.nodes["rabat"], pair.officers["rabat"]
    dossier = opened(pair)

    def write(n: int) -> str:
        return rabat.dossiers.append(dossier, acts.note("report.note_added", f"note {n}"), by)

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(write, range(24)))
    state = rabat.dossiers.state(dossier)
    assert state == afresh(rabat, dossier)
    assert {e.id for e in state.entries[1:]} == made
    assert [e.statement.clock for e in state.entries] == list(range(25))
    assert state.marks == ()


def test_a_long_dossier_is_folded_once(pair: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    dossier = opened(pair)
    pair.pump()
    whole: list[Any] = []
    begin_anew = rules.folded
    for module in (rules, desk):
        monkeypatch.setattr(module, "folded", lambda *given: whole.append(given) or begin_anew(*given))
    for n in range(30):
        pair.nodes["rabat"].dossiers.append(dossier, acts.note("report.note_added", str(n)), pair.officers["rabat"])
    pair.pump()
    assert len(pair.nodes["madrid"].dossiers.state(dossier).entries) == 31
    assert whole == []


def test_what_is_kept_is_bounded(pair: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    rabat = pair.nodes["rabat"]
    small = Standings(rabat.store, most_dossiers=3, most_entries=6)
    object.__setattr__(rabat.dossiers._w, "standings", small)
    made = [opened(pair, notes=1) for _ in range(5)]
    assert list(small._kept) == made[-3:]
    long = opened(pair, notes=7)
    assert small._kept == {}, "a dossier that is too long alone is not kept"
    assert small._entries == 0
    assert rabat.dossiers.state(long) == afresh(rabat, long)
    assert standing.MOST_ENTRIES > 1000
