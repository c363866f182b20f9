"""A day on which much is due is erased in groups, each a transaction with its leaves; writers have their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tansiq.bank import service as bank
from tansiq.dossiers import records, settling
from tansiq.dossiers.model import Presence
from tansiq.ledger import verify_bundle
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.federation.test_purge_crash import begun
from tests.support import acts
from tests.support.federation import Crash
from tests.support.services import Federation

DAY = "2026-12-24"
UNTIL = timedelta(days=33)
"""From the clock's beginning to the day after."""


def phone(number: int, **more: str) -> dict[str, Any]:
    claim = {"property": "number", "value": f"+2126{number:08d}", "basis": "fact", "grade": "B2", **more}
    return {"kind": "entity", "entity": {"id": f"t{number}", "schema": "Phone", "claims": [claim]}}


def given(f: Federation, first: int, count: int, **more: str) -> str:
    """A report of so many phones, at Rabat and Madrid."""
    texts = [p for p in acts.report()["parts"] if p["kind"] == "narrative"]
    parts = [*texts, *(phone(n, **more) for n in range(first, first + count))]
    body = acts.report() | {"handling": {"codes": []}, "parts": parts}
    made = f.nodes["rabat"].dossiers.open("report", body, ["es"], f.officers["rabat"])
    f.pump()
    return made


def held(node: Node) -> int:
    with node.store.read() as tx:
        parts = records.PARTS
        query = select(parts.c.id).where(parts.c.kind == "entity", parts.c.presence == Presence.HELD.value)
        return len(tx.execute(query).all())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", [320, pytest.param(2000, marks=pytest.mark.slow)])
def test_a_days_erasures_keep_no_writer_waiting_longer_than_a_group(federation: Federation, count: int) -> None:
    madrid = federation.nodes["madrid"]
    for first in range(0, count, 400):
        given(federation, first, min(400, count), erase_on=DAY)
    assert held(madrid) == count
    federation.clock.pass_time(UNTIL)

    inner, groups = madrid.store.write, []

    def counted(work: Callable[[Connection], Any]) -> Any:
        began = time.monotonic()
        try:
            return inner(work)
        finally:
            if threading.current_thread() is sweeping:
                groups.append(time.monotonic() - began)

    sweeping = threading.Thread(target=madrid.sweep)
    passed: list[int] = []
    madrid.store.write = counted  # type: ignore[method-assign]
    sweeping.start()
    while sweeping.is_alive():
        asked = len(groups)
        passed.append(inner(lambda _tx, asked=asked: len(groups) - asked))
        time.sleep(0.002)
    sweeping.join()
    madrid.store.write = inner  # type: ignore[method-assign]

    assert held(madrid) == madrid.bank.count("dossier") == 0
    assert len(groups) > count / settling.GROUP
    assert len(passed) > len(groups) / 4, "writers have their turn between the groups"
    # The one that runs, and at the most one that began while the writer was on its way.
    assert max(passed) <= 2
    print(f"\n{count}: {len(groups)} groups, longest {max(groups):.3f} s of {sum(groups):.2f}; {len(passed)} writes")
    assert madrid.ledger.verify().broken_at is None


def test_a_crash_between_two_groups_leaves_the_rest_due_and_nothing_twice(federation: Federation) -> None:
    madrid = federation.nodes["madrid"]
    dossier = given(federation, 0, 40, erase_on=DAY)
    federation.clock.pass_time(UNTIL)
    federation.faults["madrid"].crash_at("claims.committed")
    with pytest.raises(Crash):
        madrid.sweep()
    assert held(madrid) == 40 - settling.GROUP
    federation.faults["madrid"].crashed = False
    federation.restart("madrid")
    madrid = federation.nodes["madrid"]
    assert len(madrid.bank.search_identifier("phone", "+212600000000")) in (0, 1)
    assert madrid.bank.count("dossier") == held(madrid), "what is left in the bank is what is left in the dossier"
    madrid.sweep()
    assert held(madrid) == madrid.bank.count("dossier") == 0
    entry = madrid.dossiers.state(dossier).entries[0]
    phones = [p.ref.id for p in entry.parts if p.ref.kind == "entity"]
    assert [[x.verb for x in madrid.ledger.find(p)].count(LogVerb.ERASE) for p in phones] == [1] * 40
    assert madrid.ledger.verify().broken_at is None


def test_what_is_erased_by_half_is_told_to_nobody(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partners are told, with the proof, that nothing is held any more: not before it is so."""
    monkeypatch.setattr(settling, "GROUP", 1)
    story = begun(make_federation, "major_event", "half")
    f, dossier = story.f, story.dossier
    f.faults["madrid"].crash_at("erase.committed")
    with pytest.raises(Crash):
        f.nodes["madrid"].sweep()
    f.faults["madrid"].crashed = False
    f.restart("madrid")
    madrid = f.nodes["madrid"]

    def presences() -> set[Presence]:
        return {p.presence for e in madrid.dossiers.state(dossier).entries for p in e.parts}

    def told() -> list[Any]:
        own = [e.statement for e in madrid.dossiers.state(dossier).entries if e.statement.author == madrid.node_id]
        return [s for s in own if s.type == "major_event.erased"]

    assert presences() == {Presence.HELD, Presence.ERASED}
    madrid.settle()
    assert told() == []
    madrid.sweep()
    madrid.settle()
    (said,) = told()
    parts = [p for e in madrid.dossiers.state(dossier).entries for p in e.parts]
    assert (presences(), said.facts["parts"]) == ({Presence.ERASED}, len(parts))
    leaves = [x for x in madrid.ledger.find(dossier) if x.verb is LogVerb.ERASE]
    assert said.facts["leaf"] == leaves[-1].index
    assert verify_bundle(str(said.facts["proof"]).encode(), f"tansiq/{madrid.node_id}", madrid.keys.signing.public)
    f.pump()
    assert f.nodes["rabat"].dossiers.state(dossier).marks == ()


@pytest.mark.parametrize("group", [16, 1])
def test_what_an_erasure_takes_along_is_counted_in_what_is_told(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    """A translation goes with its original, in an earlier group than its own turn."""
    monkeypatch.setattr(settling, "GROUP", group)
    story = begun(make_federation, "major_event", "counted")
    madrid, dossier = story.f.nodes["madrid"], story.dossier
    own = next(e for e in madrid.dossiers.state(dossier).entries if e.statement.author == madrid.node_id and e.parts)
    by = story.f.officers["madrid"]
    madrid.dossiers.translate(dossier, own.id, own.parts[0].ref.id, "Tranquilo.", "es", "officer", by)
    madrid.sweep()
    madrid.settle()
    entries = madrid.dossiers.state(dossier).entries
    gone = [p for e in entries for p in e.parts if p.presence is Presence.ERASED]
    told = [e.statement for e in entries if e.statement.type == "major_event.erased"]
    assert [s.facts["parts"] for s in told if s.author == madrid.node_id] == [len(gone)]


def test_what_is_ours_goes_in_groups_too(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holdings of our own, whole and single values: the bank's sweep ends where nothing is due."""
    monkeypatch.setattr(bank, "GROUP", 3)
    madrid = federation.nodes["madrid"]
    whole = [{"id": f"h{n}", "schema": "Phone", "claims": phone(n)["entity"]["claims"]} for n in range(7)]
    for n, entity in enumerate(whole):
        claims = [{**c, "erase_on": DAY} for c in entity["claims"]]
        kept = {"property": "notes", "value": "kept", "basis": "fact", "grade": "B2"}
        federation.hold("madrid", [{**entity, "claims": claims if n % 2 else [*claims, kept]}])
    assert madrid.bank.count() == 7
    federation.clock.pass_time(UNTIL)
    madrid.sweep()
    assert madrid.bank.count() == 4
    assert [madrid.bank.search_identifier("phone", f"+2126{n:08d}") for n in range(7)] == [[]] * 7
    size = madrid.ledger.head()[0]
    madrid.sweep()
    assert madrid.ledger.head()[0] == size
