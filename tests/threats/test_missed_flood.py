"""A partner that says many times that it came out of a backup: each time costs its reader all that was exchanged."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from tansiq.exchange.model import MISSED
from tansiq.terms import LogVerb
from tests.support import acts
from tests.support.services import Federation


def test_what_stands_in_an_envelope_many_times_is_done_once(services: Federation) -> None:
    f = services
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    theirs = acts.report()
    theirs["legal"] = theirs["legal"] | {"agreement": "ma-es-2019"}
    madrid.dossiers.open("report", theirs, ["ma"], f.officers["madrid"])
    f.pump(8)
    expires_at, before = f.clock() + timedelta(days=30), rabat.ledger.head().size

    def ask(tx: Connection) -> None:
        for number in range(64):
            ref = f"2020-01-01T00:00:00.{number:03d}Z"
            madrid.exchange.enqueue(tx, to=rabat.node_id, kind=MISSED, ref=ref, expires_at=expires_at)

    madrid.store.write(ask)
    f.posted.clear()
    assert madrid.exchange.deliver_once(rabat.node_id, f)
    assert len(f.posted) == 1, "one envelope"
    leaves = rabat.ledger.page(limit=rabat.ledger.head().size - before)
    assert [x.verb for x in leaves].count(LogVerb.DISCLOSE) == 1, "one entry of theirs goes back, once"
