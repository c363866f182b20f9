"""Whether the proof in an act of erasure proves it. Pure.

Not part of the fold: which keys a node has of another is its own affair, and a state must be the same on every member.
So the act counts as it is, and whoever reads the dossier is told where its proof does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from tansiq.crypto import PublicKeys
from tansiq.dossiers.model import DossierState, Entry, Kind, Mark
from tansiq.errors import TansiqError
from tansiq.ledger import verify_bundle
from tansiq.ledger.model import Proven
from tansiq.terms import LogVerb, NodeId

PROOF_WRONG = "proof_wrong"
RECALLED = "dossier.erased"
REMEMBERED = 1024


def marks_of(state: DossierState, kind: Kind, keys: Callable[[NodeId], tuple[PublicKeys, ...]]) -> tuple[Mark, ...]:
    """A mark for each act that counts as an erasure and does not prove it. `keys`: those that a node's log signs with
    now, or signed with."""
    void = state.voided()
    acts = [e for e in state.entries if e.id not in void and _subject(state, kind, e)]
    found = ((e, _fault(state, kind, e, keys(e.statement.author))) for e in acts)
    return tuple(Mark(e.id, PROOF_WRONG, void=False, detail=fault) for e, fault in found if fault)


def _subject(state: DossierState, kind: Kind, entry: Entry) -> str:
    """What the leaf of this erasure is about; empty for an act that proves none."""
    s = entry.statement
    if s.type == RECALLED:
        return str(s.facts.get("part", "")) if s.facts.get("held", True) else ""
    return str(state.id) if s.type == kind.erased_act else ""


def _fault(state: DossierState, kind: Kind, entry: Entry, keys: tuple[PublicKeys, ...]) -> str:
    facts, author = entry.statement.facts, entry.statement.author
    proven, fault = _proven(str(facts.get("proof", "")), author, keys)
    if proven is None:
        return fault
    if proven.leaf.verb is not LogVerb.ERASE or proven.leaf.subject != _subject(state, kind, entry):
        return "proof.other_leaf"
    hash_told = facts.get("leaf_hash", proven.leaf_hash.hex())
    return "" if (facts.get("leaf"), hash_told) == (proven.index, proven.leaf_hash.hex()) else "proof.other_leaf"


@lru_cache(maxsize=REMEMBERED)
def _proven(proof: str, author: NodeId, keys: tuple[PublicKeys, ...]) -> tuple[Proven | None, str]:
    """What the proof proves of its author's log, by any of these keys, or why it proves nothing."""
    fault = "proof.no_keys"
    for public in keys:
        try:
            return verify_bundle(proof.encode(), f"tansiq/{author}", public), ""
        except (TansiqError, UnicodeEncodeError) as exc:
            fault = getattr(exc, "code", "proof.malformed")
    return None, fault
