"""Threat: a member says that it erased what was recalled, and its proof proves something else. Readers are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from tansiq.crypto import NodeKeys, PublicKeys, canonical
from tansiq.dossiers.erasures import PROOF_WRONG, marks_of
from tansiq.kinds import KINDS
from tansiq.node import Node
from tansiq.terms import DossierId, LogVerb, NodeId
from tests.support import acts
from tests.support.services import Federation

Forge = Callable[[Node, Node, int], bytes]
"""(The liar, a partner, the true leaf) -> what it says is the proof."""


def another_leaf(liar: Node, _other: Node, leaf: int) -> bytes:
    return liar.ledger.bundle(leaf - 1)


def another_log(_liar: Node, other: Node, _leaf: int) -> bytes:
    return other.ledger.bundle(0)


def renamed(liar: Node, _other: Node, leaf: int) -> bytes:
    """Another leaf, said to be about the part."""
    true, bundle = (msgspec.json.decode(liar.ledger.bundle(n)) for n in (leaf, leaf - 1))
    bundle["leaf"]["subject"] = true["leaf"]["subject"]
    return canonical(bundle)


def unsigned(liar: Node, _other: Node, leaf: int) -> bytes:
    bundle = msgspec.json.decode(liar.ledger.bundle(leaf))
    bundle["checkpoint"] = bundle["checkpoint"].partition("\n\n")[0] + "\n\n"
    return canonical(bundle)


def nothing(_liar: Node, _other: Node, _leaf: int) -> bytes:
    return b""


def garbage(_liar: Node, _other: Node, _leaf: int) -> bytes:
    return b'{"type":"tansiq.ledger.proof.v1"'


def recalled(f: Federation) -> tuple[DossierId, Callable[[str], set[str]]]:
    """A report whose narrative Rabat recalls; how the marks of unproven erasures look on a node, by author."""
    rabat = f.nodes["rabat"]
    dossier = rabat.dossiers.open("report", acts.report(), ["es", "de"], f.officers["rabat"])
    f.pump()
    opening = rabat.dossiers.state(dossier).first
    part = next(p.ref.id for p in opening.parts if p.ref.kind == "narrative")
    facts = {"about": opening.id, "part": part, "reason": "inaccurate"}
    rabat.dossiers.append(dossier, {"type": "dossier.recalled", "facts": facts}, f.officers["rabat"])

    def unproven(name: str) -> set[str]:
        state = f.nodes[name].dossiers.state(dossier)
        return {e.statement.author for m in state.marks if m.code == PROOF_WRONG and (e := state.entry(m.entry))}

    return dossier, unproven


@pytest.mark.parametrize("forge", [another_leaf, another_log, renamed, unsigned, nothing, garbage])
def test_a_false_proof_of_erasure_is_shown_to_all_members(
    services: Federation, monkeypatch: pytest.MonkeyPatch, forge: Forge
) -> None:
    f = services
    rabat, madrid, berlin = f.nodes["rabat"], f.nodes["madrid"], f.nodes["berlin"]
    dossier, unproven = recalled(f)
    f.away.add("madrid")
    f.pump()
    genuine = madrid.ledger.bundle
    f.away.clear()

    def lie(index: int) -> bytes:
        with monkeypatch.context() as honest:
            honest.setattr(madrid.ledger, "bundle", genuine)
            return forge(madrid, berlin, index)

    monkeypatch.setattr(madrid.ledger, "bundle", lie)
    f.pump()
    for name in ("rabat", "madrid", "berlin"):
        assert unproven(name) == {madrid.node_id}
    # Marked, not dropped: the act counts, every member has the same state, and Berlin's true word stands beside it.
    (recall,) = rabat.dossiers.state(dossier).recalls
    assert set(recall.erased) == {madrid.node_id, berlin.node_id}
    assert not rabat.dossiers.state(dossier).voided()


def test_a_true_proof_has_no_mark_also_after_its_author_rotated_its_keys(services: Federation) -> None:
    f = services
    dossier, unproven = recalled(f)
    f.pump()
    rabat, madrid = f.nodes["rabat"], f.nodes["madrid"]
    assert len(rabat.dossiers.state(dossier).recalls[0].erased) == 2
    assert unproven("rabat") == unproven("madrid") == unproven("berlin") == set()
    new = NodeKeys.generate("ES", now=f.clock(), hosts=["madrid.example"])
    madrid.exchange.rotate(replace(new, node=madrid.node_id))
    rabat.exchange.add_peer(madrid.exchange.card_bytes())
    assert unproven("rabat") == unproven("madrid") == set()


def test_a_removed_partners_proof_is_checked_still(services: Federation) -> None:
    f = services
    _dossier, unproven = recalled(f)
    f.pump()
    rabat = f.nodes["rabat"]
    rabat.exchange.remove_peer(f.nodes["madrid"].node_id)
    assert unproven("rabat") == set()


def test_a_leaf_of_another_verb_or_place_proves_no_erasure(services: Federation) -> None:
    """A consultation can stand under any id that somebody looked at: the verb counts, and what the facts say of it."""
    f = services
    madrid = f.nodes["madrid"]
    dossier, _unproven = recalled(f)
    f.pump()
    state = f.nodes["rabat"].dossiers.state(dossier)
    (recall,) = state.recalls
    madrid.store.write(
        lambda tx: madrid.ledger.append(tx, verb=LogVerb.CONSULT, subject=recall.part, content={}, at=madrid.clock())
    )
    act = next(e for e in state.entries if e.statement.author == madrid.node_id)

    def keys_of(node: NodeId) -> tuple[PublicKeys, ...]:
        return tuple(n.keys.signing.public for n in f.nodes.values() if n.node_id == node)

    def faults(index: int, **change: object) -> list[str]:
        told = {"leaf": index, "leaf_hash": madrid.ledger.prove(index).leaf_hash.hex()}
        facts = {**act.statement.facts, **told, "proof": madrid.ledger.bundle(index).decode(), **change}
        changed = replace(act, statement=replace(act.statement, facts=facts))
        seen = replace(state, entries=tuple(changed if e.id == act.id else e for e in state.entries))
        return [m.detail for m in marks_of(seen, KINDS["report"], keys_of)]

    erased, consulted = (leaf.index for leaf in madrid.ledger.find(recall.part))
    assert faults(erased) == []
    assert faults(consulted) == ["proof.other_leaf"]
    assert faults(erased, leaf=erased + 1) == ["proof.other_leaf"]
    assert faults(erased, leaf_hash="0" * 64) == ["proof.other_leaf"]
    assert faults(consulted, held=False) == []
