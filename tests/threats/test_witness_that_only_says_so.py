"""Threat: a witness says that it knows our log, and signs nothing.

An answer without a cosignature names the size at which the witness wants to begin. It is an unsigned word: taken for a
cosignature, it would let a partner (or who has taken it over) spare us the sight of a log that nobody vouches for.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tansiq.errors import NotFound
from tansiq.exchange.model import ItemState
from tansiq.ledger.wire import WitnessAnswer, render_answer
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support.services import Federation


def note(node: Node, subject: str) -> None:
    node.store.write(
        lambda tx: node.ledger.append(tx, verb=LogVerb.CONSULT, subject=subject, content={"n": 1}, at=node.clock())
    )


def questions(f: Federation) -> list[str]:
    """What Rabat has laid before Madrid, oldest first."""
    madrid = f.nodes["madrid"].node_id
    found = f.nodes["rabat"].exchange.deliveries(to=madrid)
    return [d.ref for d in reversed(found) if d.kind == "checkpoint"]


def answered(f: Federation, known: int) -> None:
    """Madrid's unsigned word to the newest question."""
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"].node_id
    size = int(questions(f)[-1].split("-")[1])
    rabat.store.write(
        lambda tx: rabat.witnesses.file_cosignature(tx, madrid, render_answer(WitnessAnswer(size, known=known)))
    )


@pytest.fixture
def asked(services: Federation) -> Federation:
    """Rabat has asked Madrid, which answers as it likes."""
    services.away |= {"madrid", "berlin"}
    for n in range(5):
        note(services.nodes["rabat"], f"d-{n}")
    services.nodes["rabat"].be_witnessed()
    return services


def test_a_size_that_is_only_said_is_no_cosignature(asked: Federation) -> None:
    rabat, madrid = asked.nodes["rabat"], asked.nodes["madrid"].node_id
    size = int(questions(asked)[-1].split("-")[1])
    answered(asked, size)
    [found] = rabat.witnesses.standings([madrid])
    assert (found.cosigned_size, found.cosigned_at) == (0, None)
    asked.clock.pass_time(timedelta(days=8))
    since = {p.card.node: p.pinned_at for p in rabat.exchange.peers()}
    assert madrid in [d.partner for d in rabat.witnesses.duties(since) if d.code == "witness.silent"]


def test_who_names_another_size_each_time_keeps_nobody_busy(asked: Federation) -> None:
    for known in (1, 2, 1, 2, 3):
        answered(asked, known)
    size = questions(asked)[0].split("-")[1]
    assert questions(asked) == [f"w-{size}-0", f"w-{size}-1"]


def test_that_we_were_put_back_is_believed_of_our_own_signature_alone(asked: Federation) -> None:
    """Else a partner that cosigns nothing would be owed nothing, from the day on which an officer settled its lie."""
    rabat, madrid = asked.nodes["rabat"], asked.nodes["madrid"]
    size = int(questions(asked)[-1].split("-")[1])
    answered(asked, 10**6)
    theirs = madrid.ledger.checkpoint()
    ours = rabat.ledger.checkpoint()
    grown = ours.replace(f"\n{rabat.ledger.head().size}\n", f"\n{10**6}\n", 1)
    assert grown != ours
    for note in (theirs, ours, grown, "no note"):
        answer = render_answer(WitnessAnswer(size, known=10**6, note=note))
        rabat.store.write(lambda tx, a=answer: rabat.witnesses.file_cosignature(tx, madrid.node_id, a))
        assert rabat.witnesses.standings([madrid.node_id])[0].trouble == ""
    asked.clock.pass_time(timedelta(days=8))
    since = {p.card.node: p.pinned_at for p in rabat.exchange.peers()}
    assert madrid.node_id in [d.partner for d in rabat.witnesses.duties(since) if d.code == "witness.silent"]


def test_a_true_cosignature_whose_answer_was_lost_is_asked_for_once_more(asked: Federation) -> None:
    """Madrid has cosigned this very size, and Rabat never heard of it."""
    rabat, madrid = asked.nodes["rabat"], asked.nodes["madrid"]
    log = (f"tansiq/{rabat.node_id}", rabat.keys.signing.public)
    madrid.ledger.witness(rabat.ledger.witness_request(0), log, madrid.clock())
    asked.away.clear()
    asked.pump(8)
    size = int(questions(asked)[0].split("-")[1])
    [found] = rabat.witnesses.standings([madrid.node_id])
    assert (found.cosigned_size, found.cosigned_at is not None) == (size, True)
    assert all(
        d.state is ItemState.RECEIVED for d in rabat.exchange.deliveries(to=madrid.node_id) if d.kind == "checkpoint"
    )


def test_an_answer_to_no_question_changes_nothing(services: Federation) -> None:
    """Else it would say that our log was put back, and call an officer to the telephone."""
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"].node_id
    with pytest.raises(NotFound):
        rabat.store.write(
            lambda tx: rabat.witnesses.file_cosignature(tx, madrid, render_answer(WitnessAnswer(0, known=2**40)))
        )
    assert rabat.witnesses.standings([madrid])[0].trouble == ""


@pytest.mark.parametrize("ref", ["w", "w-1", "z" * 128, f"w-{'9' * 100}-0", "w-1-0-0"])
def test_a_question_whose_answer_could_not_be_named_gets_none(services: Federation, ref: str) -> None:
    """An item's reference has 128 characters: a longer one could not be sent, nor anything behind it."""
    rabat, madrid = services.nodes["rabat"], services.nodes["madrid"]
    note(rabat, "d-1")
    asked = rabat.ledger.witness_request(0)
    assert madrid.store.write(lambda tx: madrid.witnesses.file_checkpoint(tx, rabat.node_id, ref, asked)) != ""
    assert [d for d in madrid.exchange.deliveries(to=rabat.node_id) if d.kind == "cosignature"] == []


def test_a_clock_that_was_put_back_does_not_silence_us(services: Federation) -> None:
    """Asked under a clock that stood years ahead, a partner is asked again by the right one."""
    services.away |= {"madrid", "berlin"}
    rabat = services.nodes["rabat"]
    note(rabat, "d-1")
    services.clock.pass_time(timedelta(days=4000))
    assert rabat.be_witnessed()
    services.clock.pass_time(-timedelta(days=4000))
    note(rabat, "d-2")
    assert rabat.be_witnessed()
    assert rabat.be_witnessed() == []
