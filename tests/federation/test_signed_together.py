"""One signature for an entry and the envelopes that are foreseen for it: what goes, is kept, and outlives a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from tansiq.cli.proofs import check
from tansiq.crypto import SealingPublic, peek, verify
from tansiq.demo import people
from tansiq.dossiers import desk, writing
from tansiq.dossiers.wire import MAX_MEMBERS, PAYLOAD_TYPE, check_members, parse_statement
from tansiq.errors import Invalid, Untrusted
from tansiq.exchange import wire
from tansiq.exchange.model import ItemState
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.federation import Crash
from tests.support.services import Federation, shared_view


def rest(node: Node, *others: Node) -> None:
    for other in others:
        node.exchange.rest(other.node_id)


def report(f: Federation, *to: str) -> str:
    return f.nodes["rabat"].dossiers.open("report", acts.report(), to, f.officers["rabat"])


def signed(node: Node, dossier: str, number: int = 0) -> bytes:
    return node.dossiers.signed(node.dossiers.state(dossier).entries[number].id)


def batches(posted: list[tuple[str, bytes]]) -> list[bool]:
    return [peek(raw).in_batch for _, raw in posted]


def ed25519_of(raw: bytes) -> bytes:
    """The last 64 bytes of the first signature: the same for all that was signed together."""
    from tansiq.crypto import from_base64

    return from_base64(peek(raw)._signatures[0].sig)[-64:]


def test_one_signature_covers_the_entry_and_the_envelopes_of_all_at_rest(federation: Federation) -> None:
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid, berlin)
    dossier = report(federation, "es", "de")
    federation.pump()
    assert batches(federation.posted) == [True, True]
    everything = [raw for _, raw in federation.posted] + [signed(n, dossier) for n in (rabat, madrid, berlin)]
    assert len({ed25519_of(raw) for raw in everything}) == 1
    assert signed(rabat, dossier) == signed(madrid, dossier) == signed(berlin, dossier)
    assert shared_view(rabat, dossier) == shared_view(madrid, dossier) == shared_view(berlin, dossier)
    body = verify(signed(berlin, dossier), PAYLOAD_TYPE, rabat.keys.signing.public, rabat.node_id, batches=True)
    assert body == peek(signed(rabat, dossier)).body
    assert {str(d.state) for d in rabat.exchange.deliveries()} == {"received"}


def test_a_clock_is_finer_than_what_is_written_down(federation: Federation) -> None:
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    federation.clock.pass_time(timedelta(microseconds=7))
    rest(rabat, madrid)
    report(federation, "es")
    federation.pump()
    assert batches(federation.posted) == [True]


def test_an_envelope_in_a_batch_bears_no_entry_and_no_partner_but_its_own(federation: Federation) -> None:
    """Neither the entry's id nor the other envelope stands in what one partner gets: only salted hashes do."""
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid, berlin)
    dossier = report(federation, "es", "de")
    federation.pump()
    (_, one), (_, two) = federation.posted
    entry = rabat.dossiers.state(dossier).entries[0].id
    for raw, other in ((one, two), (two, one)):
        assert entry.removeprefix("e-").encode() not in raw
        assert wire.parse_envelope(peek(other).body).id.encode() not in peek(raw).body


def test_who_is_not_at_rest_gets_the_same_entry_in_an_envelope_of_its_own(federation: Federation) -> None:
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid)
    dossier = report(federation, "es", "de")
    federation.pump()
    assert sorted(zip([n for n, _ in federation.posted], batches(federation.posted), strict=True)) == [
        ("berlin", False),
        ("madrid", True),
    ]
    assert signed(rabat, dossier) == signed(madrid, dossier) == signed(berlin, dossier)


def test_nobody_at_rest_and_nothing_is_in_a_batch(federation: Federation) -> None:
    dossier = report(federation, "es", "de")
    federation.pump()
    assert batches(federation.posted) == [False, False]
    assert not peek(signed(federation.nodes["berlin"], dossier)).in_batch


def test_what_is_too_large_to_be_foreseen_is_not_even_made(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is asked before: an entry for many partners at rest is not rendered for each of them for nothing."""
    made: list[int] = []
    real = writing.loose_delivery_to_bytes
    monkeypatch.setattr(writing, "loose_delivery_to_bytes", lambda *a: made.append(1) or real(*a))
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid, berlin)
    report(federation, "es", "de")
    federation.pump()
    assert (len(made), batches(federation.posted)) == (2, [True, True])
    made.clear()
    federation.posted.clear()
    # Withheld from Berlin, the long texts make the delivery to Madrid alone too large.
    long = [
        {"kind": "note", "lang": "en", "text": f"{n} " * 9_000, "withhold_from": [berlin.node_id]} for n in range(4)
    ]
    body = acts.report() | {"parts": [*acts.report().get("parts", ()), *long]}
    rest(rabat, madrid, berlin)
    dossier = rabat.dossiers.open("report", body, ("es", "de"), federation.officers["rabat"])
    federation.pump()
    assert len(made) == 1
    assert sorted(zip([n for n, _ in federation.posted], batches(federation.posted), strict=True)) == [
        ("berlin", True),
        ("madrid", False),
    ]
    assert signed(rabat, dossier) == signed(madrid, dossier) == signed(berlin, dossier)


def test_a_dossier_has_no_more_members_than_its_readers_take(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hundred and more at rest the batch would have no room for them; sixty-five are too many before that."""
    rabat = federation.nodes["rabat"]
    monkeypatch.setattr("tansiq.dossiers.wire.MAX_MEMBERS", 2)
    rest(rabat, federation.nodes["madrid"], federation.nodes["berlin"])
    for refused in (rabat.dossiers.open, rabat.dossiers.preview):
        with pytest.raises(Invalid) as caught:
            refused("report", acts.report(), ("es", "de"), federation.officers["rabat"])
        assert (caught.value.code, caught.value.step, caught.value.field) == (
            "statement.too_many_members",
            "name the members",
            "to",
        )
    assert rabat.dossiers.rows() == []
    dossier = report(federation, "es")
    federation.pump()
    with pytest.raises(Invalid) as caught:
        rabat.dossiers.admit(dossier, "de", federation.officers["rabat"])
    assert caught.value.code == "statement.too_many_members"
    assert len(rabat.dossiers.state(dossier).entries) == 1
    monkeypatch.setattr("tansiq.dossiers.wire.MAX_MEMBERS", 1)
    with pytest.raises(Untrusted) as unread:
        parse_statement(peek(signed(rabat, dossier)).body)
    assert (unread.value.code, unread.value.field) == ("statement.malformed", "members")


def test_sixty_four_members_are_written_and_read_and_one_more_is_neither() -> None:
    assert MAX_MEMBERS < 128, "what one batch signs at most, an entry and its envelopes"
    for count in (0, MAX_MEMBERS):
        check_members(count, "to")
    with pytest.raises(Invalid):
        check_members(MAX_MEMBERS + 1, "to")


def test_a_later_delivery_carries_the_proof_that_stands_alone(federation: Federation) -> None:
    """A newcomer, and who asks for it once more, get it without the envelope that it was signed with."""
    f = federation
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid)
    dossier = report(f, "es")
    f.pump()
    first = signed(rabat, dossier)
    rabat.dossiers.admit(dossier, "de", f.officers["rabat"])
    f.pump()
    assert signed(berlin, dossier) == first
    entry = rabat.dossiers.state(dossier).entries[0].id
    rabat.store.write(
        lambda tx: rabat.exchange.requeue(
            tx, to=madrid.node_id, kind="entry", ref=entry, expires_at=rabat.clock().replace(year=2099)
        )
    )
    f.pump()
    assert not batches(f.posted)[-1]
    assert signed(madrid, dossier) == first
    assert shared_view(madrid, dossier) == shared_view(rabat, dossier) == shared_view(berlin, dossier)


def test_a_third_party_checks_it_off_line(federation: Federation) -> None:
    f = federation
    rabat = f.nodes["rabat"]
    rest(rabat, f.nodes["madrid"])
    dossier = report(f, "es")
    f.pump()
    entry = rabat.dossiers.state(dossier).entries[0].id
    proof = rabat.prove(entry)
    assert check(msgspec.json.encode(proof))["entry"]["author"] == rabat.node_id
    assert [r["received"] for r in check(msgspec.json.encode(proof))["receipts"]] == [True]


def test_what_the_same_transaction_takes_back_is_not_what_was_foreseen(federation: Federation) -> None:
    """The envelope that was sealed beforehand has the part in it; it is dropped, and another formed without it."""
    f = federation
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    rest(rabat, madrid)

    def work(tx: Connection) -> tuple[str, Any]:
        made = rabat.dossiers.open_in(tx, "report", acts.report(), ["es"], f.officers["rabat"])
        entry = desk.load_state(rabat.dossiers._w, tx, made)[0].entries[0]
        part = next(p for p in entry.parts if p.content and p.content.get("entity", {}).get("schema") == "Person")
        desk.erase(rabat.dossiers._w, tx, entry.id, part.ref.id, "taken back", rabat.clock())
        return made, part.ref.id

    dossier, gone = rabat.store.write(work)
    f.pump()
    assert batches(f.posted) == [False]
    held = {p.ref.id: p.content for p in madrid.dossiers.state(dossier).entries[0].parts}
    assert held[gone] is None
    assert sum(content is not None for content in held.values()) == len(held) - 1
    assert signed(madrid, dossier) == signed(rabat, dossier)


def test_keys_that_are_not_pinned_any_more_were_foreseen_for_nothing(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this process had in mind was a card of before: the one that is pinned when the act is written counts."""
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid)
    pins = rabat.exchange._pins
    stale = pins.known(madrid.node_id)
    assert stale is not None
    monkeypatch.setattr(pins, "known", lambda _node: replace(stale, sealing=berlin.keys.sealing.public))
    dossier = report(federation, "es")
    federation.pump()
    assert batches(federation.posted) == [False]
    assert signed(madrid, dossier) == signed(rabat, dossier)


def test_a_partner_to_whose_key_nothing_can_be_sealed_keeps_nobody_waiting(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card may hold an X25519 key of small order: what is for that partner waits, what is for others goes."""
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid, berlin)
    keys = berlin.keys.sealing.public
    bad = replace(berlin.exchange._pins.own, sealing=SealingPublic(keys.mlkem768, bytes(32)))
    pins = rabat.exchange._pins
    known, pinned = pins.known, pins.find_pinned
    monkeypatch.setattr(pins, "known", lambda node: bad if node == berlin.node_id else known(node))
    monkeypatch.setattr(pins, "find_pinned", lambda tx, node: bad if node == berlin.node_id else pinned(tx, node))
    dossier = report(federation, "es", "de")
    federation.pump()
    assert madrid.dossiers.state(dossier).entries
    assert berlin.dossiers.rows() == []
    assert [d.state for d in rabat.exchange.deliveries(to=berlin.node_id)] == [ItemState.QUEUED]


def test_what_is_large_is_not_sealed_on_a_chance(federation: Federation) -> None:
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    rest(rabat, madrid)
    body = acts.report()
    body["parts"][1]["text"] = "x" * 70_000
    dossier = rabat.dossiers.open("report", body, ["es"], federation.officers["rabat"])
    federation.pump()
    assert batches(federation.posted) == [False]
    assert signed(madrid, dossier) == signed(rabat, dossier)


def test_two_acts_of_one_transaction_share_an_envelope_that_nobody_foresaw(federation: Federation) -> None:
    f = federation
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    rest(rabat, madrid)

    def work(tx: Connection) -> str:
        made = rabat.dossiers.open_in(tx, "report", acts.report(), ["es"], f.officers["rabat"])
        rabat.dossiers.append_in(tx, made, acts.note("report.note_added"), f.officers["rabat"])
        return made

    dossier = rabat.store.write(work)
    f.pump()
    assert batches(f.posted) == [False]
    for number in (0, 1):
        assert signed(madrid, dossier, number) == signed(rabat, dossier, number)


def test_a_dossier_that_moves_meanwhile_makes_the_act_anew(federation: Federation) -> None:
    """What was foreseen for the act as it was is in nobody's hands."""
    f = federation
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    dossier = report(f, "es")
    f.pump()
    rest(rabat, madrid)
    write = rabat.store.write
    moved: list[str] = []

    def first_another(work: Callable[[Connection], Any]) -> Any:
        if not moved:
            moved.append("")
            rabat.dossiers.append(dossier, acts.note("report.note_added", "first"), f.officers["rabat"])
        return write(work)

    rabat.store.write = first_another  # type: ignore[method-assign]
    rabat.dossiers.append(dossier, acts.note("report.note_added", "second"), f.officers["rabat"])
    rabat.store.write = write  # type: ignore[method-assign]
    f.pump()
    assert shared_view(rabat, dossier) == shared_view(madrid, dossier)
    assert [e.statement.clock for e in madrid.dossiers.state(dossier).entries] == [0, 1, 2]
    for number in range(3):
        assert signed(madrid, dossier, number) == signed(rabat, dossier, number)


def test_withheld_parts_are_not_in_what_is_foreseen(federation: Federation) -> None:
    f = federation
    rabat, madrid, berlin = (f.nodes[n] for n in ("rabat", "madrid", "berlin"))
    rest(rabat, madrid, berlin)
    body = acts.report()
    body["parts"][0]["withhold_from"] = ["de"]
    dossier = rabat.dossiers.open("report", body, ["es", "de"], f.officers["rabat"])
    f.pump()
    assert batches(f.posted) == [True, True]
    kept = {n.name: [p.content is None for p in n.dossiers.state(dossier).entries[0].parts] for n in (madrid, berlin)}
    assert not any(kept["madrid"])
    assert sum(kept["berlin"]) == 1


def test_by_hand_the_same_bytes(federation: Federation) -> None:
    f = federation
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    rest(rabat, madrid)
    dossier = report(f, "es")
    for _ in range(2):
        summary = madrid.exchange.import_file(rabat.exchange.export_file(madrid.node_id))
        assert summary.failures == ()
    assert signed(madrid, dossier) == signed(rabat, dossier)
    assert peek(signed(madrid, dossier)).in_batch


@pytest.mark.parametrize("who", ["rabat", "madrid"])
@pytest.mark.timeout(600)
def test_no_crash_loses_repeats_or_changes_anything(make_federation: Callable[..., Federation], who: str) -> None:
    """A power cut at each point that either side passes, with a courier at rest; the bytes are those of the commit."""

    def build(label: str) -> Federation:
        f = make_federation(f"{who}-{label}")
        f.add("rabat", "madrid")
        f.hold("madrid", people.MADRID_HOLDINGS[:1])
        for faults in f.faults.values():
            faults.passed.clear()
        return f

    def tell(f: Federation) -> None:
        for _ in range(3):
            try:
                if not f.nodes["rabat"].dossiers.rows():
                    rest(f.nodes["rabat"], f.nodes["madrid"])
                    report(f, "es")
                f.pump()
                f.pump()
            except Crash:
                f.crashes += 1
                for name in ("rabat", "madrid"):
                    if f.faults[name].crashed:
                        f.faults[name].crashed = False
                        f.restart(name)

    dry = build("dry")
    tell(dry)
    points = [p for p in dict.fromkeys(dry.faults[who].passed) if not p.startswith("settle")]
    assert set(points) >= ({"append.signed", "outbox.formed"} if who == "rabat" else {"inbox.opened", "inbox.filed"})
    for point in points:
        f = build(point)
        f.faults[who].crash_at(point)
        tell(f)
        assert f.crashes == 1, point
        rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
        (row,) = madrid.dossiers.rows()
        assert shared_view(rabat, row.id) == shared_view(madrid, row.id), point
        assert signed(rabat, row.id) == signed(madrid, row.id), point
        assert len({raw for name, raw in f.posted if name == "madrid"}) == 1, point
        assert batches(f.posted[:1]) == [True], point
        entry = rabat.dossiers.state(row.id).entries[0].id
        assert [x.verb for x in madrid.ledger.find(entry)].count(LogVerb.COLLECT) == 1, point
        assert [str(d.state) for d in rabat.exchange.deliveries()] == ["received"], point
        f.close()
