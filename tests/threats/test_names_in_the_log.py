"""Threat: a partner calls its envelope as we call an entry, a dossier or an act, and so stands in our log under it.

The leaf of an envelope that came in bears the envelope's id, which its sender chose. Under an entry's id it would say
that we collected that entry then, and would go out with every proof about it.
"""

from __future__ import annotations

import pytest

from tansiq import crypto
from tansiq.errors import Untrusted
from tansiq.exchange import wire
from tansiq.exchange.model import Item
from tansiq.node import Node
from tests.support import acts
from tests.support.services import Federation


def named(sender: Node, to: Node, name: str) -> bytes:
    """A good envelope with nothing but this name."""
    now = sender.clock()
    bound = wire.envelope_info(name, sender.node_id, to.node_id, crypto.SUITE)
    sealed = crypto.seal(wire.render_items([Item("ask", "e-1", b"e-1")]), to.keys.sealing.public, bound)
    until = now.replace(year=now.year + 1)
    body = wire.render_envelope(wire.SealedEnvelope(name, crypto.SUITE, sender.node_id, to.node_id, now, until, sealed))
    return crypto.sign(wire.ENVELOPE_TYPE, body, sender.keys.signing, sender.node_id)


@pytest.mark.parametrize("what", ["entry", "dossier", "part", "person.decision", "node.restored", "node", "leaf:0"])
def test_an_envelope_bears_no_name_of_our_things(services: Federation, what: str) -> None:
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"]
    dossier = rabat.dossiers.open("report", acts.report(), ["berlin"], services.officers["rabat"])
    services.pump()
    entry = rabat.dossiers.state(dossier).entries[0]
    of = {"entry": entry.id, "dossier": dossier, "part": entry.parts[0].ref.id, "node": rabat.node_id}
    name = of.get(what, what)
    before = rabat.ledger.find(name)
    with pytest.raises(Untrusted) as failure:
        rabat.exchange.receive(named(madrid, rabat, name))
    assert (failure.value.code, failure.value.field) == ("envelope.malformed", "id")
    assert rabat.ledger.find(name) == before
    assert rabat.exchange.receive(named(madrid, rabat, "x-1"))
