"""The inbox's handler of letters about plans: whose failure it is."""

from __future__ import annotations

from typing import Any

import pytest

from tansiq.errors import Broken, NotFound, TansiqError
from tansiq.exchange.model import Item
from tansiq.private.plan_letters import Letters
from tansiq.private.plan_wire import State, letter_bytes
from tansiq.terms import NodeId

ITEM = Item("plan", "l-1", letter_bytes(State(v=1, meeting="m-1", state="withdrawn")))
SENDER = NodeId("ma-" + "a" * 20)


def letters(monkeypatch: pytest.MonkeyPatch, failure: TansiqError) -> Letters:
    """Whose every letter meets this failure."""

    def fails(*_said: object) -> None:
        raise failure

    monkeypatch.setattr(Letters, "_on_word", fails)
    nobody: Any = None
    return Letters(nobody, nobody, nobody)


def test_a_letter_about_what_is_unknown_is_refused_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    there: Any = None
    made = letters(monkeypatch, NotFound("plan.meeting", "no such conflict")).file(there, SENDER, ITEM)
    assert (made.received, made.reason) == (False, "plan.meeting")


def test_a_failure_of_our_own_is_no_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused, it would be gone: a partner sends again what got no receipt, and never what was refused."""
    there: Any = None
    with pytest.raises(Broken):
        letters(monkeypatch, Broken("store.commit", "the disk is full")).file(there, SENDER, ITEM)
