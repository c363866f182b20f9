"""Threat: a clock that leaps ahead (a dead battery, false network time, a slip of the hand), and what a day erases.

Nothing that is erased comes back, so the sweep believes no day that only this clock knows of. A node that was really
off for months believes it again as soon as it has heard from a partner, or from who runs it.
"""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.bank import parse_entity
from tansiq.bank.model import Provenance
from tansiq.dossiers.model import Presence
from tansiq.ledger.known_time import BOUND
from tansiq.node import Node
from tansiq.terms import EntryId
from tests.support import acts
from tests.support.holdings import who_has
from tests.support.services import Federation
from tests.support.transcripts import run

YEARS = timedelta(days=4000)


def held(f: Federation, name: str, entry: EntryId) -> set[Presence]:
    return {p.presence for p in f.nodes[name].dossiers.entry(entry).parts}


@pytest.fixture
def shared(services: Federation) -> tuple[Federation, EntryId]:
    """A report that Madrid holds, on a node that sweeps every hour."""
    f = services
    dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    f.nodes["madrid"].sweep()
    return f, EntryId(f.nodes["rabat"].dossiers.state(dossier).entries[0].id)


def test_nothing_is_erased_on_the_word_of_a_clock_that_has_leapt(shared: tuple[Federation, EntryId]) -> None:
    f, entry = shared
    madrid = f.nodes["madrid"]
    f.clock.pass_time(YEARS)
    for _ in range(3):
        madrid.sweep()
        assert held(f, "madrid", entry) == {Presence.HELD}, "and no sweep makes the next one believe it"
    f.restart("madrid")
    f.nodes["madrid"].sweep()
    assert held(f, "madrid", entry) == {Presence.HELD}, "nor does a new start"
    doubt = f.nodes["madrid"].known_time.doubt()
    assert doubt is not None
    f.clock.pass_time(-YEARS)
    f.nodes["madrid"].sweep()
    assert f.nodes["madrid"].known_time.doubt() is None
    assert held(f, "madrid", entry) == {Presence.HELD}


def test_a_partners_word_of_the_right_time_does_not_vouch_for_the_wrong_one(services: Federation) -> None:
    f = services
    f.ahead["madrid"] = timedelta()
    f.restart("madrid")
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    madrid.sweep()
    f.ahead["madrid"] = YEARS
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    f.clock.pass_time(timedelta(hours=2))
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    madrid.sweep()
    assert madrid.known_time.doubt() is not None
    # One that always speaks of a far day would vouch for every leap: it vouches for none.
    madrid.known_time.hear(madrid.clock() + YEARS)
    assert madrid.known_time.doubt() is not None
    assert dossier


def test_a_partner_that_speaks_of_a_far_day_moves_nothing(shared: tuple[Federation, EntryId]) -> None:
    f, entry = shared
    madrid = f.nodes["madrid"]
    madrid.known_time.hear(f.clock() + YEARS)
    f.clock.pass_time(YEARS)
    madrid.sweep()
    assert held(f, "madrid", entry) == {Presence.HELD}


def test_a_node_that_was_really_off_goes_on_with_its_first_contact(shared: tuple[Federation, EntryId]) -> None:
    f, entry = shared
    f.clock.pass_time(YEARS)
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    madrid.sweep()
    assert held(f, "madrid", entry) == {Presence.HELD}
    f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    assert madrid.known_time.doubt() is None
    madrid.sweep()
    assert Presence.HELD not in held(f, "madrid", entry)
    f.restart("madrid")
    assert f.nodes["madrid"].known_time.doubt() is None, "it is written down"


def test_leaps_add_up_however_small_they_are(shared: tuple[Federation, EntryId]) -> None:
    """Each is believed by itself, and no sweep makes it the measure of the next one; nor does a new start."""
    f, entry = shared
    for n in range(800):
        f.clock.pass_time(timedelta(days=5))
        if n % 100 == 7:
            f.restart("madrid")
        f.nodes["madrid"].sweep()
        assert held(f, "madrid", entry) == {Presence.HELD}, n
    doubt = f.nodes["madrid"].known_time.doubt()
    assert doubt is not None
    assert doubt.now - doubt.since > YEARS - timedelta(days=10)


def test_a_machine_that_runs_by_itself_counts_what_has_passed(shared: tuple[Federation, EntryId]) -> None:
    """No partner speaks for eleven years: what the machine counts is no word of its clock."""
    f, entry = shared
    for n in range(400):
        f.run(timedelta(days=10))
        f.nodes["madrid"].sweep()
        if n % 40 == 7:
            f.restart("madrid")
            f.nodes["madrid"].sweep()  # as whatever serves does first
    assert f.nodes["madrid"].known_time.doubt() is None
    assert Presence.HELD not in held(f, "madrid", entry)


def test_days_off_are_no_leap_where_a_partner_is_heard_between(shared: tuple[Federation, EntryId]) -> None:
    f, _ = shared
    for _ in range(10):
        f.clock.pass_time(BOUND)
        f.restart("madrid")
        assert f.nodes["madrid"].known_time.doubt() is None
        f.nodes["madrid"].sweep()
        f.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
        f.pump()


def test_days_off_add_up_until_somebody_has_vouched(shared: tuple[Federation, EntryId]) -> None:
    """Nobody can tell them from leaps: a node that rests at times and hears from nobody is asked about in time."""
    f, _ = shared
    f.clock.pass_time(BOUND)
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    madrid.sweep()
    assert madrid.known_time.doubt() is None
    f.clock.pass_time(timedelta(hours=1))
    assert madrid.known_time.doubt() is not None
    madrid.confirm_clock()
    assert madrid.known_time.doubt() is None


def test_nothing_expires_on_the_word_of_a_clock_that_has_leapt(shared: tuple[Federation, EntryId]) -> None:
    """What waits for a partner goes once it is there, and what a partner sends is filed."""
    f, _ = shared
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    f.ahead["madrid"] = YEARS
    f.away.add("rabat")
    theirs = madrid.dossiers.open("request", acts.request(), ["ma"], f.officers["madrid+second"])
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    madrid.exchange.sweep()
    assert madrid.known_time.doubt() is not None
    assert {str(d.state) for d in madrid.exchange.deliveries()} == {"queued"}
    f.away.clear()
    f.run(timedelta(hours=1))
    ours = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    assert {str(d.state) for d in rabat.exchange.deliveries()} == {"received"}
    assert madrid.dossiers.state(ours).entries
    assert {str(d.state) for d in madrid.exchange.deliveries()} == {"received"}
    assert rabat.dossiers.state(theirs).entries


def test_what_is_over_by_a_believed_clock_expires_while_it_has_leapt(shared: tuple[Federation, EntryId]) -> None:
    f, _ = shared
    madrid, until = f.nodes["madrid"], f.clock() + timedelta(days=1)
    madrid.store.write(lambda tx: madrid.exchange.enqueue(
        tx, to=f.nodes["rabat"].node_id, kind="entry", ref="e-late", expires_at=until,
    ))  # fmt: skip
    f.run(timedelta(days=2))
    f.clock.pass_time(YEARS)
    madrid.exchange.sweep()
    assert [str(d.state) for d in madrid.exchange.deliveries("e-late")] == ["expired"]


def test_keys_and_logs_of_private_checks_wait_too(services: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    madrid, ticks = services.nodes["madrid"], []
    monkeypatch.setattr(madrid.private, "tick", lambda: ticks.append(madrid.clock()))
    madrid.sweep()
    madrid.tick()
    services.clock.pass_time(YEARS)
    madrid.tick()
    assert len(ticks) == 1
    madrid.confirm_clock()
    madrid.tick()
    assert len(ticks) == 2


def test_who_runs_the_node_says_that_the_clock_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANSIQ_DATABASE", raising=False)
    home = tmp_path / "madrid"
    Node.init(home, "Madrid", "ES").close()
    node = Node.open(home)
    past = node.clock() - YEARS
    claims = [{"property": "number", "value": "+34600000111", "erase_on": "2026-01-02"}]
    entity = parse_entity({"id": "t1", "schema": "Phone", "claims": claims}, "holding")
    node.store.write(lambda tx: node.bank.add(tx, entity, Provenance("own", "t1", originator="ES")))
    node.store.write(lambda tx: node.known_time.set(tx, past))
    node.sweep()
    assert who_has(node.bank, "+34600000111")
    node.close()

    def said(*argv: str) -> dict[str, object]:
        found: dict[str, object] = json.loads(run(["--home", str(home), *argv, "--json"])[1])
        return found

    assert said("clock")["believed"] is False
    checks = said("doctor")["checks"]
    assert isinstance(checks, list)
    assert {"name": "clock", "ok": False, "detail": "clock.leapt"} in checks
    assert said("clock", "--confirm")["believed"] is True
    assert said("doctor")["ok"] is True
    node = Node.open(home)
    try:
        node.sweep()
        assert not who_has(node.bank, "+34600000111")
        (leaf,) = node.ledger.find("node.clock")
        assert leaf.content is not None
        assert leaf.content["decision"] == "confirmed"
    finally:
        node.close()
