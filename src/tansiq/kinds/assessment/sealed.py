"""How a service keeps its judgement to itself until all have committed: as a part that never leaves its node.

The commitment travels; the judgement and its salt stay on the author's own node, in the part of its own entry, sealed
in the store like any part. To reveal is to read that part back. Nothing else remembers the salt.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from tansiq.dossiers.model import DossierState, Entry
from tansiq.errors import Conflict, Invalid
from tansiq.kinds.assessment.model import Judgement, Revealed, commitment
from tansiq.kinds.assessment.rules import scale_fault
from tansiq.terms import NodeId

PART = "sealed_judgement"
BLOCK = 4096
"""A part's size stands in its entry, for all to see: every judgement fills whole blocks, lest its length tell it."""


def commit_body(state: DossierState, me: NodeId, judgement: Judgement, salt: str) -> dict[str, Any]:
    """The body of `assessment.committed`. `salt`: 64 hex digits of chance. Raises `Invalid` naming the field.

    What every service would refuse when it is revealed is refused here, while nobody is bound by it.
    """
    try:
        told = msgspec.to_builtins(msgspec.convert({**judgement, "salt": salt}, Revealed))
    except msgspec.ValidationError as exc:
        raise Invalid("judgement.malformed", "likelihood, percent, confidence and cells", field="judgement") from exc
    # Said now: a judgement that could not be revealed would hold up its own author for ever.
    where, why = scale_fault(state.own, told)
    if why:
        raise Invalid("judgement.scale", why, step="judge", field=where)
    text = _filled(json.dumps({**told, "round": state.own.round}, sort_keys=True))
    return {
        "type": "assessment.committed",
        "facts": {"digest": commitment(state.id, me, state.own.round, salt, told)},
        "parts": [{"kind": PART, "text": text}],
    }


def _filled(text: str) -> str:
    """Blanks behind the text, so that it fills whole blocks as it is written into its part (quotes count double)."""
    return text + " " * (-len(json.dumps(text)) % BLOCK)


def reveal_body(state: DossierState, me: NodeId) -> dict[str, Any]:
    """The body of `assessment.revealed`, from our own commitment of this round. Raises `Conflict` without one."""
    mine = state.own.committed.get(me)
    entry: Entry | None = state.entry(mine[1]) if mine else None
    part = next((p for p in entry.parts if p.ref.kind == PART and p.content), None) if entry else None
    if part is None or part.content is None:
        raise Conflict("judgement.none", "this service committed to no judgement in this round", step="reveal")
    told = json.loads(str(part.content["text"]))
    told.pop("round", None)
    return {"type": "assessment.revealed", "facts": told}
