"""Threat: a partner passes on what another wrote, or alters what it was given. Originator control is structural."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec
import pytest

from tansiq import crypto
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, parse_delivery, statement_to_bytes
from tansiq.errors import Untrusted
from tansiq.exchange.model import Item
from tests.support import acts
from tests.support.services import Federation


def _report(f: Federation) -> str:
    dossier = f.nodes["rabat"].dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    return dossier


def test_a_partner_cannot_deliver_anothers_entry(services: Federation) -> None:
    f = services
    dossier = _report(f)
    f.add("lisbon")
    berlin, lisbon = f.nodes["berlin"], f.nodes["lisbon"]
    entry = berlin.dossiers.state(dossier).entries[0].id
    item = Item("entry", entry, delivery_to_bytes(berlin.dossiers.signed(entry), []))
    with pytest.raises(Untrusted) as refused:
        lisbon.store.write(lambda tx: lisbon.dossiers.file(tx, berlin.node_id, item))
    assert refused.value.code == "delivery.not_the_author"
    assert lisbon.dossiers.rows() == []


def test_an_entry_in_anothers_name_does_not_verify(services: Federation) -> None:
    f = services
    dossier = _report(f)
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    genuine = rabat.dossiers.state(dossier).entries[0].statement
    forged = statement_to_bytes(replace(genuine, nonce="x", at=genuine.at.replace(year=2027)))
    raw = crypto.sign(PAYLOAD_TYPE, forged, berlin.keys.signing, rabat.node_id)
    item = Item("entry", "e-" + "0" * 64, delivery_to_bytes(raw, []))
    with pytest.raises(Untrusted):
        madrid.store.write(lambda tx: madrid.dossiers.file(tx, rabat.node_id, item))


def test_a_part_that_was_changed_or_added_is_refused(services: Federation) -> None:
    f = services
    dossier = _report(f)
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    entry = rabat.dossiers.state(dossier).entries[0]
    with rabat.store.read() as tx:
        payload = rabat.dossiers.load(tx, entry.id, madrid.node_id)
        assert payload is not None
        body = json.loads(payload)
        body["parts"][1]["content"]["text"] = "another story"
        with pytest.raises(Untrusted) as changed:
            parse_delivery(msgspec.json.encode(body), lambda _node: rabat.keys.signing.public)
        assert changed.value.code == "delivery.commitment"
        body = json.loads(payload)
        body["parts"].append({"id": "p-" + "0" * 64, "salt": body["parts"][0]["salt"], "content": {}})
        with pytest.raises(Untrusted) as added:
            parse_delivery(msgspec.json.encode(body), lambda _node: rabat.keys.signing.public)
        assert added.value.code == "delivery.part_unknown"
