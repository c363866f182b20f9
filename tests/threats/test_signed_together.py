"""Threat: what one signature covers is taken apart, put together anew, or passed off as something else.

Every envelope here is properly sealed and bears signatures that some node really made: what is wrong is what they are
said to cover.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tansiq import crypto
from tansiq.crypto import Member, begin_batch, peek, to_base64
from tansiq.crypto.batch import places, root_body
from tansiq.crypto.wire import EnvelopeWire, Place, SignatureWire
from tansiq.dossiers.wire import PAYLOAD_TYPE, loose_delivery_to_bytes, statement_to_bytes
from tansiq.errors import TansiqError, Untrusted
from tansiq.exchange import wire
from tansiq.exchange.model import Item, ItemResult
from tansiq.kinds import KINDS
from tansiq.node import Node
from tansiq.terms import EntryId
from tests.support import acts
from tests.support.entries import Desk
from tests.support.services import Federation

FACTS = {"crime_areas": ["terrorism"], "grade": "B2", "scheme": "4x4"}


class Sent:
    """One entry of Rabat's as Rabat would send it, with everything open to whoever wants it otherwise."""

    def __init__(self, f: Federation, to: str = "madrid", author: str = "rabat", name: str = "x-1") -> None:
        self.f, self.author, self.to = f, f.nodes[author], f.nodes[to]
        desk = Desk(f.nodes["rabat"].node_id, KINDS["report"])
        members = tuple(f.nodes[n].node_id for n in ("madrid", "berlin"))
        self.entry = desk.open(members, FACTS, nonce=name)
        self.member = Member(PAYLOAD_TYPE, statement_to_bytes(self.entry.statement))
        self.envelope = Member(wire.ENVELOPE_TYPE, self.body(name))

    def body(self, name: str, loose: bytes | None = None) -> bytes:
        payload = loose_delivery_to_bytes(self.member.loose() if loose is None else loose, [])
        bound = wire.envelope_info(name, self.author.node_id, self.to.node_id, crypto.SUITE)
        sealed = crypto.seal(
            wire.render_items([Item("entry", self.entry.id, payload)]), self.to.keys.sealing.public, bound
        )
        now = self.author.clock()
        return wire.render_envelope(
            wire.SealedEnvelope(
                name, crypto.SUITE, self.author.node_id, self.to.node_id, now, now.replace(year=now.year + 1), sealed
            )
        )

    def signed(self) -> bytes:
        signing = begin_batch(self.member, [self.envelope], self.author.keys.signing, self.author.node_id)
        return signing.other(0)

    def alone(self) -> bytes:
        return crypto.sign(wire.ENVELOPE_TYPE, self.envelope.body, self.author.keys.signing, self.author.node_id)

    def receive(self, raw: bytes) -> ItemResult:
        """What the receipt says of the item."""
        receipt = wire.parse_receipt(peek(self.to.exchange.receive(raw)).body)
        return receipt.items[0]


@pytest.fixture
def sent(services: Federation) -> Sent:
    return Sent(services)


def refused(sent: Sent, raw: bytes) -> str:
    """The code by which an envelope is refused whole: nothing is written, no receipt is given."""
    with pytest.raises(Untrusted) as failure:
        sent.to.exchange.receive(raw)
    assert sent.to.dossiers.rows() == []
    return failure.value.code


def test_as_it_should_be_it_is_taken(sent: Sent) -> None:
    assert sent.receive(sent.signed()).received
    raw = sent.to.dossiers.signed(sent.entry.id)
    assert peek(raw).in_batch
    assert crypto.verify(raw, PAYLOAD_TYPE, sent.author.keys.signing.public, sent.author.node_id, batches=True)


def test_an_entry_without_signatures_in_an_envelope_of_its_own(sent: Sent) -> None:
    assert sent.receive(sent.alone()) == ItemResult(sent.entry.id, False, "batch.not_in", "entry")
    assert sent.to.dossiers.rows() == []


def test_an_envelope_that_was_signed_with_another_entry(sent: Sent, services: Federation) -> None:
    """The envelope is good, so that it has its receipt; the entry in it is refused there by name, and filed never."""
    other = Sent(services, name="x-2")
    assert other.entry.id != sent.entry.id
    signing = begin_batch(other.member, [sent.envelope], sent.author.keys.signing, sent.author.node_id)
    assert sent.receive(signing.other(0)) == ItemResult(sent.entry.id, False, "batch.not_in", "entry")
    assert sent.to.dossiers.rows() == []


def test_places_of_two_entries_changed_for_one_another(services: Federation) -> None:
    one, two = Sent(services, name="x-1"), Sent(services, name="x-2")
    raws = [msgspec.json.decode(s.signed()) for s in (one, two)]
    raws[0]["signatures"], raws[1]["signatures"] = raws[1]["signatures"], raws[0]["signatures"]
    for s, raw in zip((one, two), raws, strict=True):
        assert refused(s, msgspec.json.encode(raw)) == "dsse.ed25519"


def test_the_place_of_one_envelope_for_another(sent: Sent) -> None:
    """Two envelopes of one batch: neither's place holds for the other, and none for one that was not in it."""
    second, third = (Member(wire.ENVELOPE_TYPE, sent.body(name)) for name in ("x-2", "x-3"))
    keys, node = sent.author.keys.signing, sent.author.node_id
    signing = begin_batch(sent.member, [sent.envelope, second], keys, node)
    good = [msgspec.json.decode(signing.other(n)) for n in range(2)]
    for payload, by in ((second, good[0]), (sent.envelope, good[1]), (third, good[0]), (third, good[1])):
        raw = msgspec.json.encode(by | {"payload": to_base64(payload.body)})
        assert refused(sent, raw) == "dsse.ed25519"


@pytest.mark.parametrize(
    "change",
    [
        lambda place: Place(place.salt, place.index, place.path[:-1]),
        lambda place: Place(place.salt, place.index & 1, place.path[:1]),
        lambda place: Place(place.salt, place.index, (*place.path, bytes(32))),
        lambda place: Place(place.salt, place.index ^ 1, place.path),
        lambda place: Place(place.salt, 0, place.path),
        lambda place: Place(bytes(32), place.index, place.path),
        lambda place: Place(place.salt, place.index, place.path[::-1]),
        lambda place: Place(place.salt, place.index, (bytes(32), *place.path[1:])),
    ],
)
def test_a_leaf_removed_added_or_moved(sent: Sent, change: Callable[[Place], Place]) -> None:
    others = [sent.envelope, *(Member(wire.ENVELOPE_TYPE, sent.body(f"x-{n}")) for n in range(2, 5))]
    signing = begin_batch(sent.member, others, sent.author.keys.signing, sent.author.node_id)
    place = signing.others[0][1]
    assert change(place) != place
    raw = signing.render(sent.envelope, change(place))
    assert refused(sent, raw) in ("dsse.ed25519", "batch.place")


@pytest.mark.parametrize("count", [0, 9, 1000, 100_000])
def test_a_path_of_absurd_length_costs_no_hash(sent: Sent, count: int) -> None:
    value = msgspec.json.decode(sent.signed())
    value["signatures"][0]["sig"] = to_base64(bytes(32) + b"\x01" + bytes(32) * count + bytes(64))
    assert refused(sent, msgspec.json.encode(value)) == "batch.place"


def test_a_root_that_was_signed_for_another_purpose(sent: Sent) -> None:
    """Rabat's true signatures of the same root, as something else: of a card, of a receipt, of bytes."""
    keys, node = sent.author.keys.signing, sent.author.node_id
    root, _, (place,) = places(sent.member, [sent.envelope])
    for kind in (wire.CARD_TYPE, wire.RECEIPT_TYPE, wire.ENVELOPE_TYPE, PAYLOAD_TYPE, "application/octet-stream"):
        for body in (root, root_body(root)):
            lines = msgspec.json.decode(crypto.sign(kind, body, keys, node), type=EnvelopeWire).signatures
            first, second = (crypto.from_base64(line.sig) for line in lines)
            signatures = [
                SignatureWire(f"{node}#ed25519.batch", to_base64(place.to_bytes() + first)),
                SignatureWire(f"{node}#mldsa65.batch", to_base64(second)),
            ]
            raw = msgspec.json.encode(EnvelopeWire(to_base64(sent.envelope.body), wire.ENVELOPE_TYPE, signatures))
            assert refused(sent, raw) == "dsse.ed25519"


def test_a_partner_that_signs_anothers_entry_with_its_envelope(services: Federation) -> None:
    """Berlin has Rabat's entry and signs it, in Rabat's name or in its own, with an envelope of its own."""
    berlin = Sent(services, author="berlin")
    assert berlin.entry.statement.author == services.nodes["rabat"].node_id
    assert berlin.receive(berlin.signed()) == ItemResult(berlin.entry.id, False, "dsse.signer", "entry")
    keys, rabat = services.nodes["berlin"].keys.signing, services.nodes["rabat"].node_id
    signing = begin_batch(berlin.member, [berlin.envelope], keys, rabat)
    assert refused(berlin, signing.other(0)) == "dsse.ed25519"


def test_replayed_to_another_node_it_opens_nowhere(sent: Sent, services: Federation) -> None:
    raw = sent.signed()
    assert sent.receive(raw).received
    berlin = services.nodes["berlin"]
    with pytest.raises(Untrusted) as failure:
        berlin.exchange.receive(raw)
    assert failure.value.code == "envelope.wrong_recipient"
    # Again to the same node: the same receipt's body, and nothing twice.
    assert sent.receive(raw).received
    assert len(sent.to.dossiers.state(sent.entry.statement.dossier).entries) == 1


def test_one_statement_under_two_signatures_is_one_entry_and_no_second_story(services: Federation) -> None:
    """An entry's id is its statement's alone: who signs it twice, alone and in batches, has said one thing."""
    one = Sent(services, name="x-1")
    assert one.receive(one.signed()).received
    first = one.to.dossiers.signed(one.entry.id)
    again = begin_batch(
        Member(PAYLOAD_TYPE, one.member.body),
        [Member(wire.ENVELOPE_TYPE, b"")],
        one.author.keys.signing,
        one.author.node_id,
    ).whole()
    plain = crypto.sign(PAYLOAD_TYPE, one.member.body, one.author.keys.signing, one.author.node_id)
    for raw in (again, plain):
        assert raw != first
        item = Item("entry", one.entry.id, _delivery(raw))
        assert one.to.store.write(lambda tx, item=item: one.to.dossiers.file(tx, one.author.node_id, item)).received
    state = one.to.dossiers.state(one.entry.statement.dossier)
    assert [e.id for e in state.entries] == [EntryId(one.entry.id)]
    assert "equivocation" not in {m.code for m in state.marks}
    assert one.to.dossiers.signed(one.entry.id) == first


def _delivery(raw: bytes) -> bytes:
    return msgspec.json.encode({"v": 1, "entry": msgspec.Raw(raw), "parts": []})


@pytest.mark.parametrize("both", [True, False])
def test_an_entry_in_both_forms_or_in_none(sent: Sent, both: bool) -> None:
    payload = {"v": 1, "parts": []}
    if both:
        payload |= {"entry": msgspec.Raw(b"{}"), "loose": msgspec.Raw(sent.member.loose())}
    with pytest.raises(Untrusted) as failure:
        sent.to.store.write(
            lambda tx: sent.to.dossiers.file(
                tx, sent.author.node_id, Item("entry", sent.entry.id, msgspec.json.encode(payload))
            )
        )
    assert failure.value.code == "delivery.malformed"


def test_what_is_signed_by_itself_is_taken_in_no_batch(services: Federation) -> None:
    """Cards, receipts and polls: a batch hides nothing beside them, because they are in none."""
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"]
    rabat.dossiers.open("report", acts.report(), ["es"], services.officers["rabat"])
    services.pump()
    card = peek(rabat.exchange.card_bytes()).body
    for node, kind, body, take in (
        (rabat, wire.CARD_TYPE, card, madrid.exchange.add_peer),
        (madrid, wire.RECEIPT_TYPE, _receipt(madrid, services), rabat.exchange.take_receipt),
        (rabat, wire.POLL_TYPE, _poll(rabat, madrid), lambda raw: madrid.exchange.answer_poll(raw, 0.0)),
    ):
        other = Member("application/x", b"")
        for raw in (
            begin_batch(Member(kind, body), [other], node.keys.signing, node.node_id).whole(),
            begin_batch(other, [Member(kind, body)], node.keys.signing, node.node_id).other(0),
        ):
            with pytest.raises(TansiqError) as failure:
                take(raw)
            assert failure.value.code == "dsse.in_batch"


def _receipt(madrid: Node, services: Federation) -> bytes:
    return peek(madrid.exchange.receive(services.posted[0][1])).body


def _poll(rabat: Node, madrid: Node) -> bytes:
    return wire.render_poll(wire.Poll("q-1", rabat.node_id, madrid.node_id, rabat.clock()))
