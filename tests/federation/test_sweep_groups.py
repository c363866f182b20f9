"""A day on which much is due is erased in groups, each a transaction with its leaves; writers have their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tansiq.bank import records as bank_records
from tansiq.bank import service as bank
from tansiq.dossiers import records, settling
from tansiq.dossiers.model import Presence
from tansiq.errors import Broken, Refused
from tansiq.ledger import verify_bundle
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.federation.test_purge_crash import begun
from tests.support import acts
from tests.support.federation import Crash
from tests.support.holdings import by_name, who_has
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
    assert len(who_has(madrid.bank, "+212600000000")) in (0, 1)
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
    assert [who_has(madrid.bank, f"+2126{n:08d}") for n in range(7)] == [[]] * 7
    size = madrid.ledger.head()[0]
    madrid.sweep()
    assert madrid.ledger.head()[0] == size


def _held_parts(node: Node, dossier: str) -> list[tuple[str, str]]:
    with node.store.read() as tx:
        return [(e, p) for e, p in records.load_held(tx, dossier)]


KEPT = Refused("policy.refused", "kept as evidence", step="erase", clauses=("example.keep",))


def _refusing(kept: str, failure: Exception = KEPT) -> Callable[..., None]:
    """What a capability above says in the transaction of an erasure: this one is kept."""

    def hook(_tx: Connection, _entry: str, part: str, _gone: list[str]) -> None:
        if part == kept:
            raise failure

    return hook


@pytest.mark.parametrize(
    ("failure", "code"), [(KEPT, "policy.refused"), (OverflowError("Samira"), "unforeseen.OverflowError")]
)
def test_a_part_that_may_not_be_erased_holds_no_other_up(
    make_federation: Callable[..., Federation],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: Exception,
    code: str,
) -> None:
    """Neither the parts of its own dossier nor other dossiers, nor values, nor the bank; and it is told."""
    monkeypatch.setattr(settling, "GROUP", 4)
    f = make_federation()
    f.add("rabat", "madrid")
    first = given(f, 0, 9)
    second = given(f, 100, 3)
    values = given(f, 200, 3, erase_on=DAY)
    madrid = f.nodes["madrid"]
    every = _held_parts(madrid, first)
    kept = every[5]
    hook = _refusing(kept[1], failure)
    madrid.dossiers._w.after_erase.append(hook)
    days = [madrid.dossiers.state(d).first.statement.legal.erase_on for d in (first, second, values)]
    f.clock.at = f.clock.at.replace(year=int(max(days)[:4]) + 1)
    assert madrid.oversight.duties() != [], "nobody swept on the days that are over"
    for _ in range(2):
        madrid.sweep()
        assert _held_parts(madrid, first) == [kept]
        (duty,) = madrid.oversight.duties()
        assert (duty.dossier, duty.why, duty.parts, duty.clause) == (first, code, 1, "LED arts 5, 16")
        assert (duty.since.date().isoformat(), duty.due_at > duty.since) == (days[0], True)
        assert _held_parts(madrid, second) == _held_parts(madrid, values) == []
        assert madrid.refused_erasures() == {kept[0]: code}
        assert madrid.unforeseen() == (failure is not KEPT)
        assert not [x for x in madrid.ledger.find(kept[1]) if x.verb is LogVerb.ERASE], "told as erased, and held"
    madrid.dossiers._w.after_erase.remove(hook)
    madrid.sweep()
    assert (_held_parts(madrid, first), madrid.refused_erasures(), madrid.unforeseen()) == ([], {}, 0)
    assert madrid.oversight.duties() == []
    said = "".join(capfd.readouterr())
    assert code in said
    assert "Samira" not in said
    assert madrid.ledger.verify().broken_at is None


def test_a_record_that_cannot_be_read_holds_no_other_up(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over before it is opened: else the one behind it would be called the one that fails."""
    monkeypatch.setattr(bank, "GROUP", 4)
    f = make_federation()
    f.add("madrid")
    madrid = f.nodes["madrid"]
    phone_ = {"property": "number", "value": "+34600000111", "erase_on": DAY}
    f.hold("madrid", [{"id": f"t{n}", "schema": "Phone", "claims": [phone_]} for n in range(10)])
    first = sorted(r.id for r in who_has(madrid.bank, "+34600000111"))[0]
    unpack = bank_records._unpack

    def failing(row: Any, vault: Any) -> Any:
        if row.id == first:
            raise ValueError("not a date of any calendar")
        return unpack(row, vault)

    monkeypatch.setattr(bank_records, "_unpack", failing)
    f.clock.pass_time(UNTIL)
    madrid.sweep()
    assert (madrid.refused_erasures(), madrid.unforeseen()) == ({first: "unforeseen.ValueError"}, 1)
    assert madrid.bank.count() == 1


def test_a_place_that_fails_keeps_no_other_from_its_sweep_and_is_counted(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    f = make_federation()
    f.add("madrid")
    madrid, swept = f.nodes["madrid"], list[str]()

    def failing(failure: Exception) -> Callable[[], int]:
        def sweep() -> int:
            raise failure

        return sweep

    monkeypatch.setattr(madrid.bank, "sweep", lambda: swept.append("bank"))
    monkeypatch.setattr(madrid.dossiers, "sweep", failing(ValueError("Karim")))
    madrid.sweep()
    assert (swept, madrid.unforeseen()) == (["bank"], 1)
    monkeypatch.setattr(madrid.dossiers, "sweep", failing(Broken("store.commit", "ours", step="write")))
    with pytest.raises(Broken):
        madrid.sweep()
    assert (swept, madrid.unforeseen()) == (["bank"], 1), "what is broken stops the writing, and is counted"
    monkeypatch.undo()
    madrid.sweep()
    assert madrid.unforeseen() == 0


def test_a_record_that_may_not_be_reduced_holds_no_other_up(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank, "GROUP", 4)
    f = make_federation()
    f.add("madrid")
    madrid = f.nodes["madrid"]
    claims = [{"property": "name", "value": "Ana Belmonte"}, {"property": "phone", "value": "+34600000111"}]
    f.hold("madrid", [
        {"id": f"a{n}", "schema": "Person", "role": "CONT", "claims": [claims[0], {**claims[1], "erase_on": DAY}]}
        for n in range(10)
    ])  # fmt: skip
    records_ = sorted(c.record.id for c in by_name(madrid.bank, "Ana Belmonte", 20))
    kept = records_[6]

    def listener(_tx: Connection, gone: list[Any]) -> None:
        if kept in {r.id for r in gone}:
            raise Refused("policy.refused", "kept", step="erase")

    madrid.bank.on_reduced.append(listener)
    f.clock.pass_time(UNTIL)
    madrid.sweep()
    assert madrid.refused_erasures() == {kept: "policy.refused"}
    (duty,) = madrid.oversight.duties()
    assert (duty.record, duty.dossier, duty.why) == (kept, "", "policy.refused")
    assert duty.since.date().isoformat() == DAY
    madrid.bank.refused.clear()
    (same,) = madrid.oversight.duties()
    assert (same.record, same.since, same.why) == (kept, duty.since, ""), "another process of the node says the same"
    left = {r.id for r in who_has(madrid.bank, "+34600000111")}
    assert left == {kept}
    madrid.bank.on_reduced.remove(listener)
    madrid.sweep()
    assert (madrid.refused_erasures(), who_has(madrid.bank, "+34600000111")) == ({}, [])
    assert madrid.oversight.duties() == []


def test_on_the_day_itself_only_what_was_tried_is_a_duty(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between midnight and the hourly sweep nothing is late; what the sweep could not erase is told at once."""
    f = make_federation()
    f.add("rabat", "madrid")
    values = given(f, 0, 2, erase_on=DAY)
    madrid = f.nodes["madrid"]
    f.clock.at = f.clock.at.replace(month=12, day=24)
    assert madrid.oversight.duties() == []
    kept = next(h for h in _held_parts(madrid, values) if h[1] in {p for _, p in _due(madrid)})
    madrid.dossiers._w.after_erase.append(_refusing(kept[1]))
    madrid.sweep()
    (duty,) = madrid.oversight.duties()
    assert (duty.dossier, duty.parts, duty.why, duty.since.date().isoformat()) == (values, 1, "policy.refused", DAY)
    madrid.dossiers._w.after_erase.pop()
    madrid.sweep()
    assert madrid.oversight.duties() == []


def _due(node: Node) -> list[tuple[str, str]]:
    with node.store.read() as tx:
        return list(records.load_due_claims(tx, DAY))


@pytest.mark.parametrize("passage", [1, 2])
def test_a_purge_goes_in_groups_and_a_crash_between_two_loses_and_repeats_nothing(
    make_federation: Callable[..., Federation], monkeypatch: pytest.MonkeyPatch, passage: int
) -> None:
    monkeypatch.setattr(settling, "GROUP", 1)
    story = begun(make_federation, "operation", f"purge-{passage}")
    f, dossier = story.f, story.dossier
    before = len(_held_parts(f.nodes["madrid"], dossier))
    assert before >= 3
    f.faults["madrid"].crash_at("erase.committed", passage)
    with pytest.raises(Crash):
        story.erase("madrid")
    f.faults["madrid"].crashed = False
    f.restart("madrid")
    madrid = f.nodes["madrid"]
    assert len(_held_parts(madrid, dossier)) == before - passage
    madrid.settle()
    entries = madrid.dossiers.state(dossier).entries
    assert not [e for e in entries if e.statement.type == "operation.erased"], "told before it is so"
    assert madrid.ledger.verify().broken_at is None
    story.erase("madrid")
    assert _held_parts(madrid, dossier) == []
    story.erase("madrid")
    madrid.settle()
    (said,) = [e.statement for e in madrid.dossiers.state(dossier).entries if e.statement.type == "operation.erased"]
    assert said.facts["parts"] == before
    for _entry, part in _all_parts(madrid, dossier):
        assert [x.verb for x in madrid.ledger.find(part)].count(LogVerb.ERASE) == 1
    leaves = [x for x in madrid.ledger.find(dossier) if x.verb is LogVerb.ERASE]
    assert said.facts["leaf"] == leaves[-1].index
    f.pump()
    assert f.nodes["rabat"].dossiers.state(dossier).marks == ()


def _all_parts(node: Node, dossier: str) -> list[tuple[str, str]]:
    return [(e.id, p.ref.id) for e in node.dossiers.state(dossier).entries for p in e.parts]
