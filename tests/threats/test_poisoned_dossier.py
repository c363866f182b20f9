"""Threat: a stranger or a partner writes into a dossier so that it cannot be read, settled or kept any more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from tansiq import crypto
from tansiq.bank.records import ids_of_part as bank_of
from tansiq.dossiers import records
from tansiq.dossiers.asking import ASK_OTHERS, MOST_ASKED
from tansiq.dossiers.model import Entry, Presence
from tansiq.dossiers.settling import ASK_AFTER
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, entry_id, has_form, statement_to_bytes
from tansiq.errors import Invalid, Refused, TansiqError, Untrusted
from tansiq.exchange.model import Item, ItemResult
from tansiq.node import Node
from tansiq.terms import PartId
from tests.support import acts
from tests.support.services import Federation


def send(
    author: Node, to: Node, entry: Entry, parts: list[tuple[PartId, bytes, Any]] | None = None
) -> ItemResult | TansiqError:
    raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(entry.statement), author.keys.signing, author.node_id)
    item = Item("entry", entry.id, delivery_to_bytes(raw, parts or []))
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


def test_a_copied_part_stands_beside_the_true_one_and_outlives_its_recall(services: Federation) -> None:
    """Berlin, quicker than Rabat, writes Rabat's parts into an entry of its own. Rabat's entry must be filed all the
    same, and Rabat's recall reaches Rabat's entry alone: what Berlin says, Berlin answers for."""
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    other = berlin.dossiers.open(
        "report",
        acts.report() | {"legal": acts.report()["legal"] | {"agreement": "es-de"}},
        ["es"],
        f.officers["berlin"],
    )
    f.pump()
    f.away.add("madrid")
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    f.away.clear()
    genuine, model = rabat.dossiers.state(dossier).first, berlin.dossiers.state(other).first
    with berlin.store.read() as tx:
        known = records.load_parts(tx, berlin.vault, genuine.id)
    statement = replace(
        model.statement, type="report.note_added", members=None, nonce="", facts={}, clock=1, parents=(model.id,),
        parts=tuple(p for p in genuine.statement.parts if p.id in {k[0] for k in known}),
    )  # fmt: skip
    copy = Entry(entry_id(statement_to_bytes(statement)), statement)
    result = send(berlin, madrid, copy, known)
    assert isinstance(result, ItemResult)
    assert result.received
    f.pump()
    assert all(p.content for p in madrid.dossiers.state(dossier).first.parts)

    def held(reference: str) -> list[str]:
        with madrid.store.read() as tx:
            made = [i for p in genuine.statement.parts for i in bank_of(tx, madrid.vault, "dossier", reference, p.id)]
        return [r.entity.schema for r in madrid.bank.get_many(made)]

    before = held(genuine.id)
    assert before
    assert held(copy.id) == before
    part = next(p.ref.id for p in genuine.parts if p.ref.kind == "entity")
    recall = acts.note("dossier.recalled", about=genuine.id, part=part, reason="inaccurate")
    rabat.dossiers.append(dossier, recall, f.officers["rabat"])
    f.pump()
    presence = {p.ref.id: p.presence for p in madrid.dossiers.state(dossier).first.parts}
    assert presence[part] is Presence.ERASED
    assert {p.ref.id: p.presence for p in madrid.dossiers.entry(copy.id).parts}[part] is Presence.HELD
    assert len(held(genuine.id)) == len(before) - 1
    assert held(copy.id) == before
    assert rabat.dossiers.state(dossier).recalls[0].erased[madrid.node_id]["proof"]


def test_invented_parents_make_us_ask_their_author_and_few_others(services: Federation, dossier: str) -> None:
    """Madrid names 200 entries that nobody wrote. Rabat asks Madrid for a few of them, others later, nobody twice."""
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    first = rabat.dossiers.state(dossier).first

    def asked() -> dict[str, int]:
        found = rabat.exchange.deliveries(limit=10_000)
        return {n: sum(d.kind == "ask" and d.to == f.nodes[n].node_id for d in found) for n in ("madrid", "berlin")}

    def name(start: int) -> None:
        invented = tuple(f"e-{n:064x}" for n in range(start, start + 200))
        s = replace(
            first.statement, author=madrid.node_id, type="report.note_added", members=None, nonce="", facts={},
            parts=(), clock=1 + start // 1000, parents=(first.id, *invented),
        )  # fmt: skip
        result = send(madrid, rabat, Entry(entry_id(statement_to_bytes(s)), s))
        assert isinstance(result, ItemResult)
        assert result.received

    name(0)
    f.away |= {"madrid", "berlin"}
    f.clock.pass_time(ASK_AFTER)
    rabat.settle()
    assert asked() == {"madrid": MOST_ASKED, "berlin": 0}
    name(1000)
    f.clock.pass_time(ASK_OTHERS)
    for _ in range(3):
        rabat.settle()
    assert asked() == {"madrid": MOST_ASKED, "berlin": MOST_ASKED}
    assert rabat.dossiers.settle() == 0, "nothing is left to wait for"
    assert berlin.dossiers.rows()


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
    f.restart("rabat")  # what it has folded already it does not read again
    rabat = f.nodes["rabat"]
    rabat.dossiers.settle()
    codes = {d.code for d in rabat.dossiers.duties(rabat.node_id)}
    assert "request.answer" in codes, "the other request was not receipted"
    # The list needs no entry to say what a dossier is called: its subject is a part, sealed by itself.
    assert [bool(r.subject) for r in rabat.dossiers.rows()] == [True, True]
    with pytest.raises(Untrusted, match="dsse"):
        rabat.dossiers.state(stuck)


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


@pytest.mark.parametrize("word", ["a" * 61, "report.given\x00", "report.\u202egiven", "Report", "", "\u0430ct"])
def test_an_act_whose_type_is_no_word_is_refused_by_every_database(services: Federation, word: str) -> None:
    """PostgreSQL takes no such column, SQLite does: two honest members would never agree on what they hold."""
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"]
    made = rabat.dossiers.open("report", acts.report(), ["es"], services.officers["rabat"])
    model = rabat.dossiers.state(made).entries[0].statement
    for change in ({"type": word}, {"parts": (replace(model.parts[0], kind=word),)}):
        statement = replace(model, **change)
        refused = send(rabat, madrid, Entry(entry_id(statement_to_bytes(statement)), statement))
        assert isinstance(refused, TansiqError)
        assert (refused.code, refused.field) == ("statement.malformed", "type" if "type" in change else "parts.kind")
    assert madrid.dossiers.rows() == []
