"""No network between two nodes: the same envelopes and receipts, carried by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tansiq.errors import Invalid, Untrusted
from tansiq.exchange.model import ParcelSummary
from tansiq.store import Store
from tests.support.federation import Federation, FederationNode

Pair = tuple[Federation, FederationNode, FederationNode]


@pytest.fixture
def pair(store: Store, tmp_path: Path):
    other = Store.open(f"sqlite:///{tmp_path / 'es.db'}")
    federation = Federation()
    yield federation, federation.add("ma", store, url=""), federation.add("es", other, url="")
    other.close()


def carry(sender: FederationNode, to: FederationNode) -> ParcelSummary:
    return to.exchange.import_file(sender.exchange.export_file(to.node))


def test_items_go_and_receipts_come_back_by_hand(pair: Pair) -> None:
    _, ma, es = pair
    ma.send(es, *(f"e-{n:03d}" for n in range(130)))
    es.send(ma, "e-back")
    out = carry(ma, es)
    assert (out.envelopes, out.repeated, out.receipts, out.failures) == (3, 0, 0, ())
    assert set(ma.states().values()) == {"sent"}
    back = carry(es, ma)
    assert (back.envelopes, back.receipts) == (1, 3)
    assert set(ma.states().values()) == {"received"}
    assert carry(ma, es).receipts == 1
    assert es.states() == {"e-back": "received"}
    assert len(es.filed()) == 130
    assert ma.filed() == ["e-back"]


def test_a_parcel_read_twice_is_harmless(pair: Pair) -> None:
    _, ma, es = pair
    ma.send(es, "e-1")
    parcel = ma.exchange.export_file(es.node)
    es.exchange.import_file(parcel)
    again = es.exchange.import_file(parcel)
    assert (again.envelopes, again.repeated) == (1, 1)
    assert es.filed() == ["e-1"]
    back = es.exchange.export_file(ma.node)
    ma.exchange.import_file(back)
    ma.exchange.import_file(back)
    assert ma.states() == {"e-1": "received"}


def test_a_lost_parcel_is_made_good_by_the_next(pair: Pair) -> None:
    _, ma, es = pair
    ma.send(es, "e-1")
    ma.exchange.export_file(es.node)
    ma.send(es, "e-2")
    assert carry(ma, es).envelopes == 2
    es.exchange.export_file(ma.node)
    carry(es, ma)
    assert ma.states() == {"e-1": "received", "e-2": "received"}


def test_a_receipt_is_owed_until_the_partner_has_it(pair: Pair) -> None:
    _, ma, es = pair
    ma.send(es, "e-1")
    carry(ma, es)
    assert carry(es, ma).receipts == 1
    assert carry(es, ma).receipts == 1
    carry(ma, es)
    assert carry(es, ma).receipts == 0


def test_what_is_whole_in_a_damaged_parcel_is_used_and_the_rest_is_named(pair: Pair) -> None:
    _, ma, es = pair
    ma.send(es, *(f"e-{n:03d}" for n in range(130)))
    lines = ma.exchange.export_file(es.node).split(b"\n")
    middle = bytearray(lines[2])
    middle[len(middle) // 2] ^= 1
    lines[2] = bytes(middle)
    summary = es.exchange.import_file(b"\n".join(lines)[:-200])
    assert summary.envelopes == 1
    assert [line for line, _ in summary.failures] == [3, 4]
    assert carry(ma, es).repeated == 1
    carry(es, ma)
    assert set(ma.states().values()) == {"received"}
    assert len(es.filed()) == 130


def test_a_parcel_for_another_node_is_refused(pair: Pair, tmp_path: Path) -> None:
    federation, ma, es = pair
    store = Store.open(f"sqlite:///{tmp_path / 'de.db'}")
    de = federation.add("de", store)
    ma.send(es, "e-1")
    with pytest.raises(Invalid) as failure:
        de.exchange.import_file(ma.exchange.export_file(es.node))
    assert failure.value.code == "parcel.wrong_recipient"
    store.close()


def test_a_first_line_that_names_another_maker_is_not_believed(pair: Pair) -> None:
    """It is not signed: what stands behind it is taken in, and the lie is named."""
    _, ma, es = pair
    ma.send(es, "e-1")
    head, line, _ = (parcel := ma.exchange.export_file(es.node)).split(b"\n")
    other = head.replace(ma.node.encode(), b"de-" + b"a" * 20)
    assert other != head
    false = es.exchange.import_file(b"\n".join([other, line, b""]))
    assert (false.sender, false.failures) == (None, ((2, "parcel.other_author"),))
    assert es.filed() == ["e-1"]
    assert es.exchange.import_file(head + b"\n").sender is None, "a head alone proves nothing"
    assert es.exchange.import_file(parcel).sender == ma.node
    assert ma.exchange.import_file(es.exchange.export_file(ma.node)).sender == es.node, "a receipt proves it too"


def test_an_unknown_partner_gets_no_parcel(pair: Pair, tmp_path: Path) -> None:
    federation, ma, _ = pair
    store = Store.open(f"sqlite:///{tmp_path / 'pt.db'}")
    pt = federation.add("pt", store, pin=False)
    with pytest.raises(Untrusted):
        ma.exchange.export_file(pt.node)
    store.close()


def test_a_parcel_left_lying_for_a_month_arrives_or_expires_as_the_sender_set(pair: Pair) -> None:
    federation, ma, es = pair
    ma.send(es, "e-long", days=60)
    first = ma.exchange.export_file(es.node)
    federation.clock.pass_time(timedelta(hours=1))
    ma.send(es, "e-short", days=1)
    second = ma.exchange.export_file(es.node)
    federation.clock.pass_time(timedelta(days=30))
    es.exchange.import_file(first)
    es.exchange.import_file(second)
    assert es.filed() == ["e-long"]
    carry(es, ma)
    assert ma.states() == {"e-long": "received", "e-short": "refused"}
    assert ma.exchange.deliveries("e-short")[0].reason == "expired"
