"""What was decided on a person's request: which grounds each decision needs, and under which clauses it stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tansiq.errors import Invalid
from tansiq.ledger.model import LeafView
from tansiq.oversight import Ground, Ruling, decide
from tansiq.oversight.deciding import Decision, check_follows, clauses, content, read
from tansiq.oversight.model import Right
from tansiq.terms import LogVerb

WHY = "an open investigation would be told to its subject"
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def made(right: Right = Right.ACCESS, ruling: str = "restricted", grounds: str = "b", reason: str = WHY) -> Decision:
    return decide(" 2026/12 ", right, ruling, grounds, reason, ["b-1", "b-1"])


@pytest.mark.parametrize(
    ("right", "ruling", "grounds", "under"),
    [
        (Right.ACCESS, "granted", "", ["LED art. 14"]),
        (Right.AUTHORITY, "granted", "", ["LED art. 17"]),
        (Right.ERASURE, "granted", "", ["LED art. 16"]),
        (Right.ACCESS, "restricted", "eb", ["LED art. 15(1)(b)", "LED art. 15(1)(e)", "LED art. 15(4)"]),
        (Right.ACCESS, "refused", "d", ["LED art. 15(1)(d)", "LED art. 15(4)"]),
        (Right.AUTHORITY, "refused", "a", ["LED art. 17", "LED art. 15(1)(a)", "LED art. 15(4)"]),
        (Right.ERASURE, "refused", "", ["LED art. 16(4)"]),
        (Right.RECTIFICATION, "refused", "c", ["LED art. 16(4)", "LED art. 16(4)(c)"]),
    ],
)
def test_each_decision_stands_under_its_clauses(right: Right, ruling: str, grounds: str, under: list[str]) -> None:
    decision = made(right, ruling, grounds)
    assert clauses(decision) == under
    leaf = LeafView(7, AT, LogVerb.CONSULT, "person.decision", {"officer": "o-1", **content(decision)})
    kept = read(leaf)
    assert kept is not None
    assert (kept.leaf, kept.at, kept.officer, kept.decision) == (7, AT, "o-1", decision)
    assert (decision.request, decision.items) == ("2026/12", ("b-1",))


@pytest.mark.parametrize(
    ("right", "ruling", "grounds", "reason", "field", "code"),
    [
        (Right.ACCESS, "restricted", "", WHY, "ground", "person.ground"),
        (Right.ACCESS, "refused", "", WHY, "ground", "person.ground"),
        (Right.AUTHORITY, "refused", "", WHY, "ground", "person.ground"),
        (Right.ACCESS, "refused", "f", WHY, "ground", "person.ground"),
        (Right.ACCESS, "refused", "B", WHY, "ground", "person.ground"),
        (Right.ACCESS, "granted", "b", "", "ground", "person.ground_granted"),
        (Right.ERASURE, "restricted", "b", WHY, "decision", "person.not_access"),
        (Right.ACCESS, "postponed", "b", WHY, "decision", "person.ruling"),
        (Right.ACCESS, "refused", "b", " because ", "reason", "person.reason"),
        (Right.ACCESS, "refused", "b", "\u200b" * 40, "reason", "person.reason"),
        (Right.ERASURE, "refused", "", "", "reason", "person.reason"),
        (Right.ACCESS, "granted", "", "x" * 2001, "reason", "person.reason"),
    ],
)
def test_a_restriction_without_its_ground_or_reason_is_not_kept(
    right: Right, ruling: str, grounds: str, reason: str, field: str, code: str
) -> None:
    with pytest.raises(Invalid) as failure:
        made(right, ruling, grounds, reason)
    assert (failure.value.field, failure.value.code) == (field, code)


@pytest.mark.parametrize("request_", ["", "   ", "\u200b", "x" * 101])
def test_a_decision_names_its_request(request_: str) -> None:
    with pytest.raises(Invalid) as failure:
        decide(request_, Right.ACCESS, "granted", [], "")
    assert failure.value.field == "request"


def test_what_is_granted_needs_no_reason_and_what_is_refused_is_followed_by_no_extract() -> None:
    granted = made(ruling="granted", grounds="", reason="")
    leaves = {
        ruling: LeafView(1, AT, LogVerb.CONSULT, "person.decision", {"officer": "o-1", **content(d)})
        for ruling, d in (("granted", granted), ("refused", made(ruling="refused")))
    }
    assert check_follows(read(leaves["granted"]), Right.ACCESS, ["b-1"]).decision.ruling is Ruling.GRANTED
    for kept, right, items, code in (
        (None, Right.ACCESS, ["b-1"], "person.decided"),
        (read(leaves["refused"]), Right.ACCESS, ["b-1"], "person.decided_refused"),
        (read(leaves["granted"]), Right.ERASURE, ["b-1"], "person.decided_right"),
        (read(leaves["granted"]), Right.ACCESS, ["b-1", "b-2"], "person.decided_items"),
    ):
        with pytest.raises(Invalid) as failure:
            check_follows(kept, right, items)
        assert failure.value.code == code


def test_another_leaf_and_one_whose_content_was_erased_are_no_decision() -> None:
    assert read(LeafView(1, AT, LogVerb.CONSULT, "person.decision", None)) is None
    assert read(LeafView(1, AT, LogVerb.CONSULT, "person.decision", {"officer": "o-1", "decision": "refusal"})) is None
    assert read(LeafView(1, AT, LogVerb.CONSULT, "person.find", {"officer": "o-1", **content(made())})) is None


def test_the_grounds_are_the_letters_of_the_directive() -> None:
    assert [g.value for g in Ground] == ["a", "b", "c", "d", "e"]
