"""Partners cosign one another's logs by themselves; a log that is put back or rewritten is found out and shown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tansiq.access.model import Acting, Role
from tansiq.crypto import PublicKeys
from tansiq.errors import Conflict, Invalid, Refused, TansiqError
from tansiq.exchange.model import ItemState
from tansiq.ledger import DISTRUSTED, KNOWN_BACK, PUT_BACK, REWRITTEN, Standing, WitnessDuty, records, witnessing
from tansiq.ledger.wire import WitnessAnswer, parse_answer, render_answer
from tansiq.node import Node
from tansiq.oversight import verify_log
from tansiq.terms import LogVerb
from tests.support.federation import keys_of
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


def test_what_a_partner_cosigned_counts_for_an_oversight_body_after_the_partner_rotated_its_keys(
    make_federation: Callable[..., Federation],
) -> None:
    federation = make_federation()
    federation.add("rabat", "madrid")
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    note(rabat, "d-1")
    rabat.be_witnessed()
    federation.pump()
    officer, _ = rabat.access.add_officer("Vera", (Role.PROTECTION,), None)
    vera = Acting(officer.id, frozenset({Role.PROTECTION}), "investigation", "authority, ref. 7")
    before = verify_log(rabat.oversight.archive(vera, open_them=False))["cosigned"]
    federation.clock.pass_time(DAY)
    rabat.exchange.add_peer(madrid.exchange.rotate(replace(keys_of("ES", 1), node=madrid.node_id)))
    after = verify_log(rabat.oversight.archive(vera, open_them=False))
    assert [(c["witness"], c["size"]) for c in after["cosigned"]] == [(c["witness"], c["size"]) for c in before] != []
    assert after["replaced_keys"] == []


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
    kept = rabat.ledger.ours(rabat.witnesses.evidence(restored.nodes["madrid"].node_id))
    assert kept is not None, "what it signed itself is the proof"
    assert kept.size > rabat.ledger.head().size


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


WHY = "called Rabat: a disk failed and a copy was restored"


def chief(federation: Federation, name: str) -> Acting:
    node = federation.nodes[name]
    officer = next(o for o in node.access.officers() if Role.SUPERVISOR in o.roles)
    return Acting(officer.id, frozenset(officer.roles), "public_security", "audit")


def owed(federation: Federation, name: str) -> list[WitnessDuty]:
    node = federation.nodes[name]
    return node.witnesses.duties({p.card.node: p.pinned_at for p in node.exchange.peers()})


def a_day(federation: Federation, name: str = "rabat") -> None:
    note(federation.nodes[name], "d-and-a-day")
    federation.clock.pass_time(DAY)
    federation.nodes[name].be_witnessed()
    federation.pump(8)


@pytest.fixture
def rewritten(restored: Federation) -> Federation:
    """As `restored`, and Rabat told Madrid another story since."""
    seen = standing(restored, "madrid", "rabat").seen_size
    while restored.nodes["rabat"].ledger.head().size <= seen + 3:
        note(restored.nodes["rabat"], "d-another-story")
    a_day(restored)
    return restored


def test_a_rewritten_log_is_owed_once_and_its_note_is_in_our_log(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    (duty,) = owed(rewritten, "madrid")
    assert (duty.code, duty.partner, duty.urgent) == ("witness.rewritten", rabat.node_id, True)
    first = standing(rewritten, "madrid", "rabat")
    assert first.claimed is not None
    a_day(rewritten)
    assert owed(rewritten, "madrid") == [duty], "said again it is the same duty, due when it was"
    again = standing(rewritten, "madrid", "rabat")
    assert again.claimed is not None
    assert again.claimed.size > first.claimed.size, "what the officer is to compare is the newest"
    assert again.seen_size == first.seen_size
    (leaf,) = madrid.ledger.find(rabat.node_id)
    assert leaf.verb is LogVerb.COLLECT
    assert leaf.content is not None
    assert f"tansiq/{rabat.node_id}" in leaf.content["note"]


def head_of(federation: Federation) -> str:
    """The root of what Rabat laid before Madrid last."""
    claimed = standing(federation, "madrid", "rabat").claimed
    assert claimed is not None
    return claimed.root.hex()


def test_a_head_that_came_while_the_officer_was_calling_is_not_trusted(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    compared, before = head_of(rewritten), standing(rewritten, "madrid", "rabat").seen_size
    a_day(rewritten)
    with pytest.raises(Conflict) as caught:
        madrid.witnesses.settle(rabat.node_id, chief(rewritten, "madrid"), WHY, anew=compared)
    assert (caught.value.code, caught.value.field) == ("witness.head_moved", "anew")
    assert standing(rewritten, "madrid", "rabat").seen_size == before


def test_what_a_partner_says_of_our_log_takes_no_mark_off_its_own(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    madrid.witnesses.settle(rabat.node_id, chief(rewritten, "madrid"), WHY)
    note(madrid, "d-more")
    rewritten.clock.pass_time(DAY)
    madrid.be_witnessed()
    with madrid.store.read() as tx:
        size = int(str(witnessing._load(tx, rabat.node_id)["asked_ref"]).split("-")[1])
    lie = render_answer(WitnessAnswer(size=size, known=10**6))
    madrid.store.write(lambda tx: madrid.witnesses.file_cosignature(tx, rabat.node_id, lie))
    kept = standing(rewritten, "madrid", "rabat")
    assert (kept.trouble, kept.claimed is not None) == (DISTRUSTED, True)
    assert owed(rewritten, "madrid") == []


def test_an_officer_starts_a_log_anew_at_the_head_that_was_compared(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    before = standing(rewritten, "madrid", "rabat")
    by = chief(rewritten, "madrid")
    assert madrid.witnesses.settle(rabat.node_id, by, WHY, anew=head_of(rewritten)) == ""
    after = standing(rewritten, "madrid", "rabat")
    assert before.claimed is not None
    assert (after.trouble, after.seen_size) == ("", before.claimed.size)
    assert owed(rewritten, "madrid") == []
    leaf = madrid.ledger.find(rabat.node_id)[-1]
    assert leaf.verb is LogVerb.ALTER
    said = leaf.content or {}
    assert (said["officer"], said["justification"], said["decision"]) == (by.officer, WHY, "started_anew")
    assert (said["was_size"], said["size"], said["root"]) == (
        before.seen_size,
        before.claimed.size,
        before.claimed.root.hex(),
    )
    a_day(rewritten)
    grown = standing(rewritten, "madrid", "rabat")
    assert grown.seen_size > after.seen_size, "it grows from there, and is cosigned"
    assert standing(rewritten, "rabat", "madrid").cosigned_size == grown.seen_size
    assert madrid.ledger.verify().ok


def test_after_a_new_start_another_story_is_found_out_as_before(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    madrid.witnesses.settle(rabat.node_id, chief(rewritten, "madrid"), WHY, anew=head_of(rewritten))
    put_back(rewritten, lambda: tell_more(rewritten))
    seen = standing(rewritten, "madrid", "rabat").seen_size
    while rewritten.nodes["rabat"].ledger.head().size <= seen + 3:
        note(rewritten.nodes["rabat"], "d-a-third-story")
    a_day(rewritten)
    a_day(rewritten)
    assert standing(rewritten, "madrid", "rabat").trouble == REWRITTEN
    assert [d.code for d in owed(rewritten, "madrid")] == ["witness.rewritten"]


def test_a_log_that_stays_distrusted_is_not_cosigned_and_not_owed(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    by = chief(rewritten, "madrid")
    assert madrid.witnesses.settle(rabat.node_id, by, WHY) == DISTRUSTED
    assert owed(rewritten, "madrid") == []
    seen = standing(rewritten, "madrid", "rabat").seen_size
    a_day(rewritten)
    assert standing(rewritten, "madrid", "rabat").seen_size == seen
    assert owed(rewritten, "madrid") == []
    items = [d for d in rabat.exchange.deliveries(to=madrid.node_id) if d.state is ItemState.REFUSED]
    assert "witness.distrusted" in [d.reason for d in items]
    with pytest.raises(Refused) as caught:
        madrid.witnesses.witness(rabat.node_id, rabat.ledger.witness_request(0))
    assert caught.value.code == "witness.distrusted", "nor by hand"
    with pytest.raises(Conflict):
        madrid.witnesses.settle(rabat.node_id, by, WHY)
    assert madrid.witnesses.settle(rabat.node_id, by, WHY, anew=head_of(rewritten)) == ""


def test_who_was_put_back_says_why_and_is_not_asked_again(restored: Federation) -> None:
    a_day(restored)
    rabat, madrid = restored.nodes["rabat"], restored.nodes["madrid"]
    (duty,) = owed(restored, "rabat")
    assert (duty.code, duty.partner) == ("witness.put_back", madrid.node_id)
    by = chief(restored, "rabat")
    with pytest.raises(Conflict):
        rabat.witnesses.settle(madrid.node_id, by, WHY, anew="00" * 32)
    assert rabat.witnesses.settle(madrid.node_id, by, WHY) == KNOWN_BACK
    a_day(restored)
    assert owed(restored, "rabat") == []


def test_only_who_oversees_settles_and_says_why(rewritten: Federation) -> None:
    madrid, rabat = rewritten.nodes["madrid"], rewritten.nodes["rabat"]
    with pytest.raises(Refused) as refused:
        madrid.witnesses.settle(rabat.node_id, rewritten.officers["madrid"], WHY, anew=head_of(rewritten))
    assert refused.value.code == "witness.role"
    with pytest.raises(Invalid) as invalid:
        madrid.witnesses.settle(rabat.node_id, chief(rewritten, "madrid"), " short ", anew=head_of(rewritten))
    assert (invalid.value.code, invalid.value.field) == ("witness.reason", "reason")
    assert standing(rewritten, "madrid", "rabat").trouble == REWRITTEN
    assert len(madrid.ledger.find(rabat.node_id)) == 1


def test_a_contradiction_that_comes_by_hand_is_owed_too(restored: Federation) -> None:
    madrid, rabat = restored.nodes["madrid"], restored.nodes["rabat"]
    seen = standing(restored, "madrid", "rabat").seen_size
    while rabat.ledger.head().size <= seen + 3:
        note(rabat, "d-another-story")
    with pytest.raises(TansiqError, match=r"."):
        madrid.witnesses.witness(rabat.node_id, rabat.ledger.witness_request(seen))
    assert [d.code for d in owed(restored, "madrid")] == ["witness.rewritten"]


def test_a_partner_that_has_long_not_cosigned_is_owed_until_it_does(federation: Federation) -> None:
    rabat, berlin = federation.nodes["rabat"], federation.nodes["berlin"]
    federation.away.add("berlin")
    for _ in range(6):
        a_day(federation)
    assert owed(federation, "rabat") == [], "not before a week is over"
    a_day(federation)
    (duty,) = owed(federation, "rabat")
    assert (duty.code, duty.partner, duty.urgent) == ("witness.silent", berlin.node_id, False)
    assert duty.since <= rabat.clock() < duty.due_at
    federation.away.clear()
    a_day(federation)
    assert owed(federation, "rabat") == []


def test_who_asks_nobody_is_told_of_nobody(make_federation: Callable[..., Federation]) -> None:
    federation = make_federation(ledger={"witness_hours": 0})
    federation.add("rabat", "madrid")
    for _ in range(9):
        a_day(federation)
    assert owed(federation, "rabat") == []


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
    for answer in (
        WitnessAnswer(4, "— x y\n"), WitnessAnswer(4, known=3), WitnessAnswer(4), WitnessAnswer(4, "", 9, "a note"),
    ):  # fmt: skip
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
