"""Threat: a stranger or a partner writes into a dossier so that it cannot be read, settled or kept any more."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from tansiq import crypto
from tansiq.dossiers.model import Entry
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, entry_id, has_form, statement_to_bytes
from tansiq.errors import Invalid, Refused, TansiqError
from tansiq.exchange.model import Item, ItemResult
from tansiq.node import Node
from tests.support import acts
from tests.support.services import Federation


def send(author: Node, to: Node, entry: Entry) -> ItemResult | TansiqError:
    raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(entry.statement), author.keys.signing, author.node_id)
    item = Item("entry", entry.id, delivery_to_bytes(raw, []))
    try:
        return to.store.write(lambda tx: to.dossiers.file(tx, author.node_id, item))
    except TansiqError as exc:
        return exc


def forged(f: Federation, dossier: str, **change: object) -> Entry:
    """An entry of Berlin's, which is no member, into Rabat's dossier."""
    model = f.nodes["rabat"].dossiers.state(dossier).entries[0].statement
    base = replace(
        model, author=f.nodes["berlin"].node_id, type="report.note_added", members=None, nonce="", parts=(), facts={}
    )
    statement = replace(base, **change)
    return Entry(entry_id(statement_to_bytes(statement)), statement)


@pytest.fixture
def dossier(services: Federation) -> str:
    made = services.nodes["rabat"].dossiers.open("report", acts.report(), ["es"], services.officers["rabat"])
    services.pump()
    return made


def test_a_strangers_clock_and_parents_do_not_become_ours(services: Federation, dossier: str) -> None:
    f = services
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    for n in range(3):
        send(berlin, rabat, forged(f, dossier, clock=2**31 - 1 - n, parents=(f"e-{n:064x}",)))
    entry = rabat.dossiers.append(dossier, acts.note("report.note_added"), f.officers["rabat"])
    state = rabat.dossiers.state(dossier)
    written = next(e for e in state.entries if e.id == entry)
    assert written.statement.clock == 1
    assert written.statement.parents == (state.first.id,)
    assert rabat.dossiers.rows()
    rabat.settle()


def test_a_strangers_opening_neither_erases_nor_rules(services: Federation, dossier: str) -> None:
    f = services
    rabat, berlin = f.nodes["rabat"], f.nodes["berlin"]
    legal = replace(rabat.dossiers.state(dossier).first.statement.legal, review_on="", erase_on="2000-01-01")
    result = send(
        berlin, rabat, forged(f, dossier, type="report.given", members=(berlin.node_id,), nonce="x", legal=legal)
    )
    assert isinstance(result, ItemResult)
    assert (result.received, result.reason) == (False, "second_opening")
    assert rabat.dossiers.sweep() == 0
    assert rabat.dossiers.state(dossier).first.statement.author == rabat.node_id


def test_an_entry_of_another_kind_changes_no_duty(services: Federation) -> None:
    f = services
    madrid, berlin = f.nodes["madrid"], f.nodes["berlin"]
    dossier = madrid.dossiers.open("request", acts.request(), ["ma"], f.officers["madrid+second"])
    f.pump()
    before = madrid.dossiers.duties(dossier=dossier)
    model = madrid.dossiers.state(dossier).first
    statement = replace(
        model.statement, author=berlin.node_id, kind="report", type="report.note_added", members=None, nonce="",
        parts=(), facts={}, clock=1, parents=(model.id,),
    )  # fmt: skip
    send(berlin, madrid, Entry(entry_id(statement_to_bytes(statement)), statement))
    assert madrid.dossiers.duties(dossier=dossier) == before
    assert "request.answer" in {d.code for d in before}


def test_parts_without_the_form_of_their_kind_are_refused() -> None:
    assert has_form("subject", {"kind": "subject", "text": "x"})
    assert not has_form("subject", {"kind": "subject"})
    assert not has_form("entity", {"kind": "entity", "entity": "x"})
    assert not has_form("entity", {"kind": "entity", "entity": {"schema": "Person", "claims": [{"value": 1}]}})
    assert not has_form("note", {"kind": "narrative", "text": "x"})


def test_what_is_withheld_from_no_recipient_is_not_forgotten_but_refused(services: Federation) -> None:
    body = acts.report((services.nodes["berlin"].node_id,))
    with pytest.raises(Invalid, match="not a recipient"):
        services.nodes["rabat"].dossiers.open("report", body, ["es"], services.officers["rabat"])


def test_our_own_act_is_never_larger_than_we_can_read(services: Federation) -> None:
    body = acts.report()
    body["parts"] = [{"kind": "note", "lang": "en", "text": str(n)} for n in range(600)]
    with pytest.raises(Invalid):
        services.nodes["rabat"].dossiers.open("report", body, ["es"], services.officers["rabat"])
    assert services.nodes["rabat"].dossiers.rows() == []


def test_a_part_id_is_not_taken_twice(services: Federation, dossier: str) -> None:
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    other = berlin.dossiers.open(
        "report",
        acts.report() | {"legal": acts.report()["legal"] | {"agreement": "es-de"}},
        ["es"],
        f.officers["berlin"],
    )
    f.pump()
    genuine = rabat.dossiers.state(dossier).first
    model = berlin.dossiers.state(other).first
    statement = replace(
        model.statement, type="report.note_added", members=None, nonce="", facts={}, clock=1, parents=(model.id,),
        parts=genuine.statement.parts[:1],
    )  # fmt: skip
    refused = send(berlin, madrid, Entry(entry_id(statement_to_bytes(statement)), statement))
    assert getattr(refused, "code", "") == "delivery.part_taken"
    assert all(p.content for p in madrid.dossiers.state(dossier).first.parts)


def test_one_dossier_that_cannot_be_settled_stops_no_other(services: Federation) -> None:
    f = services
    madrid, rabat = f.nodes["madrid"], f.nodes["rabat"]
    for _ in range(2):
        madrid.dossiers.open("request", acts.request(), ["ma"], f.officers["madrid+second"])
    while madrid.exchange.deliver_once(rabat.node_id, f):
        pass
    stuck = rabat.dossiers.rows()[0].id

    def spoil(tx: Connection) -> None:
        tx.execute(
            text("update dossier_entries set raw = :raw where dossier = :dossier"), {"raw": b"{", "dossier": stuck}
        )

    rabat.store.write(spoil)
    rabat.dossiers.settle()
    codes = {d.code for d in rabat.dossiers.duties(rabat.node_id)}
    assert "request.answer" in codes, "the other request was not receipted"
    assert {r.id: bool(r.subject) for r in rabat.dossiers.rows()}[stuck] is False
    assert len(rabat.dossiers.rows()) == 2


def test_consent_for_one_entry_says_nothing_of_another(services: Federation) -> None:
    f = services
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es"], f.officers["rabat"])
    f.pump()
    note = madrid.dossiers.append(dossier, acts.note("report.note_added"), f.officers["madrid"])
    f.pump()
    asked = rabat.dossiers.append(
        dossier, acts.note("dossier.permission_requested", about=note, to="pt"), f.officers["rabat"]
    )
    f.pump()
    grant = acts.note("dossier.permission_answered", asked=asked, answer="granted")
    madrid.dossiers.append(dossier, grant, f.officers["madrid"])
    f.pump()
    opening = madrid.dossiers.state(dossier).first.id
    with pytest.raises(Refused) as refused:
        madrid.dossiers.forward(dossier, opening, "pt", f.officers["madrid"])
    assert "handling.h2" in refused.value.clauses
