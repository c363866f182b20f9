"""A partner addresses, or seals, to somebody else than the node that it hands the envelope to."""

from __future__ import annotations

import pytest

from tansiq.errors import Untrusted
from tests.support.exchange_bytes import envelope


def test_an_envelope_that_names_another_node_is_refused(trio) -> None:
    _, ma, es, de = trio
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(envelope(ma, es, to=de.node))
    assert (failure.value.code, failure.value.field) == ("envelope.wrong_recipient", "to")
    assert es.filed() == []


def test_an_envelope_sealed_to_another_nodes_keys_does_not_open(trio) -> None:
    _, ma, es, de = trio
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(envelope(ma, de, to=es.node, bound={"to": es.node}))
    assert failure.value.code == "seal.open"
    assert es.filed() == []


def test_a_sender_that_signs_in_anothers_name_is_refused(trio) -> None:
    _, ma, es, de = trio
    with pytest.raises(Untrusted) as failure:
        es.exchange.receive(envelope(de, es, **{"from": ma.node}))
    assert (failure.value.code, failure.value.field) == ("envelope.author", "from")


def test_a_node_does_not_pin_or_send_to_itself(trio) -> None:
    _, ma, _, _ = trio
    from tansiq.errors import Invalid

    with pytest.raises(Invalid):
        ma.exchange.add_peer(ma.exchange.card_bytes())
    with pytest.raises(Invalid):
        ma.send(ma, "e-1")
