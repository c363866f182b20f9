"""Partners cosign one another's logs by themselves; a log that is put back or rewritten is found out and shown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tansiq.crypto import PublicKeys
from tansiq.errors import TansiqError
from tansiq.exchange.model import ItemState
from tansiq.ledger import PUT_BACK, REWRITTEN, Standing, records
from tansiq.ledger.wire import WitnessAnswer, parse_answer, render_answer
from tansiq.node import Node
from tansiq.terms import LogVerb
from tests.support.services import Federation

DAY = timedelta(hours=25)


def note(node: Node, subject: str) -> None:
    """Something happens that the log must tell of."""
    node.store.write(
        lambda tx: node.ledger.append(tx, verb=LogVerb.CONSULT, subject=subject, content={"n": 1}, at=node.clock())
    )


def log_of(node: Node) -> tuple[str, PublicKeys]:
    return f"tansiq/{node.node_id}", node.keys.signing.public


def standing(federation: Federation, of: str, partner: str) -> Standing:
    (found,) = federation.nodes[of].witnesses.standings([federation.nodes[partner].node_id])
    return found


def test_every_partner_cosigns_once_a_day_what_extends_what_it_saw(federation: Federation) -> None:
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    note(rabat, "d-1")
    federation.away.add("berlin")
    assert set(rabat.be_witnessed()) == {madrid.node_id, berlin.node_id}
    assert rabat.be_witnessed() == [], "not again on the same day"
    federation.pump()
    first = standing(federation, "rabat", "madrid").cosigned_size
    assert first > 0
    assert standing(federation, "madrid", "rabat").seen_size == first
    assert standing(federation, "rabat", "berlin").cosigned_size == 0
    note(rabat, "d-2")
    federation.clock.pass_time(DAY)
    federation.away.clear()
    rabat.be_witnessed()
    federation.pump()
    for name in ("madrid", "berlin"):
        found = standing(federation, "rabat", name)
        assert found.cosigned_size > first, "Berlin had been away: it cosigned the newest head, not the one before"
        assert (found.trouble, found.cosigned_at is not None) == ("", True)
    size = standing(federation, "rabat", "madrid").cosigned_size
    with rabat.store.read() as tx:
        lines = (records.load_checkpoint(tx, size) or "").splitlines()
    assert sum(line.startswith(f"— tansiq/{n.node_id} ") for n in (madrid, berlin) for line in lines) == 2
    assert rabat.ledger.verify().ok


def test_what_a_witness_has_cosigned_is_not_laid_before_it_again(make_federation: Callable[..., Federation]) -> None:
    federation = make_federation()
    federation.add("rabat", "madrid")
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    note(rabat, "d-1")
    size = rabat.ledger.head().size
    line = madrid.ledger.witness(rabat.ledger.witness_request(0), log_of(rabat), madrid.clock())
    rabat.be_witnessed()
    rabat.store.write(
        lambda tx: rabat.witnesses.file_cosignature(tx, madrid.node_id, render_answer(WitnessAnswer(size, line)))
    )
    federation.clock.pass_time(DAY)
    assert rabat.ledger.head().size == size
    assert rabat.be_witnessed() == []


def test_who_lost_its_witness_rows_is_told_where_to_begin(make_federation: Callable[..., Federation]) -> None:
    """Madrid has cosigned further than Rabat remembers (its answer was lost): it names the size, and Rabat goes on."""
    federation = make_federation()
    federation.add("rabat", "madrid")
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    note(rabat, "d-1")
    size = rabat.ledger.head().size
    madrid.ledger.witness(rabat.ledger.witness_request(0), log_of(rabat), madrid.clock())
    note(rabat, "d-2")
    assert rabat.be_witnessed() == [madrid.node_id]
    federation.pump(8)
    found = standing(federation, "rabat", "madrid")
    assert found.cosigned_size > size
    assert found.trouble == ""


def put_back(federation: Federation, tell: Callable[[], Any]) -> None:
    """Restore Rabat's database as it stood before `tell`."""
    home = federation.folder / "rabat"
    federation.restart("rabat")
    federation.nodes["rabat"].close()
    kept = home / "kept.db"
    shutil.copyfile(home / "tansiq.db", kept)
    federation._open("rabat")
    tell()
    federation.nodes["rabat"].close()
    shutil.copyfile(kept, home / "tansiq.db")
    federation._open("rabat")


def tell_more(federation: Federation) -> None:
    rabat = federation.nodes["rabat"]
    for n in range(8):
        note(rabat, f"d-later-{n}")
    federation.clock.pass_time(DAY)
    rabat.be_witnessed()
    federation.pump(8)


@pytest.fixture
def restored(make_federation: Callable[..., Federation]) -> Federation:
    """Rabat's log was cosigned by Madrid, grew, was cosigned again, and is back at its first state."""
    federation = make_federation()
    federation.add("rabat", "madrid")
    note(federation.nodes["rabat"], "d-1")
    federation.nodes["rabat"].be_witnessed()
    federation.pump(8)
    put_back(federation, lambda: tell_more(federation))
    return federation


def test_a_node_put_back_to_an_older_state_is_told_so(restored: Federation) -> None:
    rabat = restored.nodes["rabat"]
    note(rabat, "d-other")
    restored.clock.pass_time(DAY)
    rabat.be_witnessed()
    restored.pump(8)
    assert standing(restored, "rabat", "madrid").trouble == PUT_BACK


def test_a_rewritten_log_is_never_cosigned_and_its_note_is_kept(restored: Federation) -> None:
    """Rabat grows past what Madrid saw, with another story: it can't prove that it extends it."""
    rabat, madrid = restored.nodes["rabat"], restored.nodes["madrid"]
    seen = standing(restored, "madrid", "rabat").seen_size
    while rabat.ledger.head().size <= seen + 3:
        note(rabat, "d-another-story")
    restored.clock.pass_time(DAY)
    rabat.be_witnessed()
    restored.pump(8)
    found = standing(restored, "madrid", "rabat")
    assert found.trouble == REWRITTEN
    assert found.seen_size == seen, "what was cosigned stands"
    assert f"tansiq/{rabat.node_id}" in madrid.witnesses.evidence(rabat.node_id)
    items = [d for d in rabat.exchange.deliveries(to=madrid.node_id) if d.state is ItemState.REFUSED]
    assert [d.reason for d in items] == ["witness.inconsistent"]


def test_nobody_is_asked_where_the_operator_wants_none(make_federation: Callable[..., Federation]) -> None:
    federation = make_federation(ledger={"witness_hours": 0})
    federation.add("rabat", "madrid")
    note(federation.nodes["rabat"], "d-1")
    assert federation.nodes["rabat"].be_witnessed() == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b'{"known":0,"line":"","size":-1,"v":1}',
        b'{"known":3,"line":"x","size":1,"v":1}',
        b'{"known":true,"line":"","size":1,"v":1}',
        b'{"known":0,"line":7,"size":1,"v":1}',
        b'{"known":0,"line":"","more":1,"size":1,"v":1}',
    ],
)
def test_an_answer_that_is_none_is_refused_by_name(raw: bytes) -> None:
    with pytest.raises(TansiqError, match=r"witness|canonical"):
        parse_answer(raw)


def test_an_answer_reads_back() -> None:
    for answer in (WitnessAnswer(4, "— x y\n"), WitnessAnswer(4, known=3), WitnessAnswer(4)):
        assert parse_answer(render_answer(answer)) == answer


def test_an_answer_of_another_size_or_key_changes_nothing(federation: Federation) -> None:
    rabat, madrid, berlin = (federation.nodes[n] for n in ("rabat", "madrid", "berlin"))
    note(rabat, "d-1")
    rabat.be_witnessed()
    size = rabat.ledger.head().size
    line = berlin.ledger.witness(rabat.ledger.witness_request(0), log_of(rabat), berlin.clock())
    for answer in (WitnessAnswer(size + 1, line), WitnessAnswer(size, line)):
        with pytest.raises(TansiqError):
            rabat.store.write(
                lambda tx, a=answer: rabat.witnesses.file_cosignature(tx, madrid.node_id, render_answer(a))
            )
    assert standing(federation, "rabat", "madrid").cosigned_size == 0
