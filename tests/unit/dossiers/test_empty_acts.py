"""An act that says nothing is refused where it is written, by step and field; what moves a dossier says enough."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tansiq.dossiers import FRAME_ACTS, parse_body
from tansiq.dossiers.drafting import make_draft
from tansiq.dossiers.model import ActRule, Legal
from tansiq.errors import Invalid
from tansiq.kinds import KINDS
from tansiq.terms import NodeId

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "dossiers" / "empty.json").read_text("utf-8")
)
ACTS: dict[str, ActRule] = FRAME_ACTS | {a.type: a for kind in KINDS.values() for a in kind.acts}
LEGAL = Legal("investigation", "example law, art. 3", {"*": "example"}, "", "2027-05-22", "2029-11-22")


def draft(act: str, body: dict[str, Any]) -> object:
    rule = ACTS[act]
    return make_draft(parse_body(body), rule, addressees=(), inherited=LEGAL, resolve=NodeId)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r["name"])
def test_a_vector_gives_its_answer(row: dict[str, Any]) -> None:
    if row["expect"] == "drafted":
        assert draft(row["act"], row["body"])
        return
    with pytest.raises(Invalid) as failure:
        draft(row["act"], row["body"])
    found = {"code": failure.value.code, "step": failure.value.step, "field": failure.value.field}
    assert found == row["expect"]


def _takes_no_facts(rule: ActRule) -> bool:
    if rule.facts is None:
        return True
    try:
        msgspec.convert({}, rule.facts)
    except msgspec.ValidationError:
        return False
    return True


EMPTY = sorted(a.type for a in ACTS.values() if _takes_no_facts(a))


@pytest.mark.parametrize("act", EMPTY)
def test_of_every_act_that_could_be_sent_empty_a_vector_says_what_it_is_then(act: str) -> None:
    """A new act without facts of its own has to say whether it speaks by itself."""
    assert [r for r in ROWS if r["act"] == act and r["body"] == {}], "no vector"


def test_what_never_leaves_is_said_by_name_and_no_position_can_shift_it() -> None:
    """`bare` once stood before `kept`: what was meant as sealed parts was read as a flag, and the parts left."""
    row = ("example.said", "member", (), "", "", frozenset({"note"}), None)
    for more in ((frozenset({"note"}),), (True,)):
        with pytest.raises(TypeError):
            ActRule(*row, *more)
    assert [a.kept for a in ACTS.values() if a.type == "assessment.committed"] == [frozenset({"sealed_judgement"})]
