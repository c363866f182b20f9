"""A ninth kind is one folder and one line: the frame, the pages' forms and the docs take it unknown."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from tansiq.dossiers.model import ActRule, Entry, Kind
from tansiq.dossiers.rules import duties
from tansiq.kinds import KINDS
from tansiq.kinds.items import Cycle, Owed, Step, after
from tansiq.web.actforms import fact_fields
from tests.support.entries import MADRID, RABAT, START, Desk

SRC = Path(__file__).parents[2] / "src" / "tansiq"


class Lent(msgspec.Struct, forbid_unknown_fields=True):
    """`toolbox.lent`."""

    tools: Annotated[int, msgspec.Meta(ge=1)]


class About(msgspec.Struct, forbid_unknown_fields=True):
    about: str


CYCLE = Cycle(
    (
        Step("toolbox.lent", "loan", "each", "any", (), "out", after(timedelta(days=7))),
        Step("toolbox.returned", "loan", "", "owner", ("out",), "back"),
    ),
    (Owed("loan", ("out",), "toolbox.return", ""),),
)
TOOLBOX = Kind(
    "toolbox",
    (
        ActRule("toolbox.lent", "opener", (), "open", "", frozenset({"note"}), Lent),
        ActRule("toolbox.returned", "addressee", ("open",), "", "", frozenset(), About),
    ),
    begin=lambda opening: CYCLE.step({}, opening),
    check=lambda state, entry: CYCLE.check(state, state.own, entry) if state.own is not None else "",
    step=lambda state, entry: (state.phase, CYCLE.step(state.own, entry)),
    duties=lambda state: CYCLE.duties(state, state.own or {}),
    automatic=lambda _state, _me: (),
)


def test_a_new_kind_folds_owes_and_has_a_form() -> None:
    rabat, madrid = Desk(RABAT, TOOLBOX), Desk(MADRID, TOOLBOX)
    first: Entry = rabat.open((MADRID,), {"tools": 3})
    madrid.see(first)
    owed = [d for d in duties(madrid.state(), TOOLBOX) if d.code.startswith("toolbox.")]
    assert [(d.code, d.owner, d.due_at) for d in owed] == [("toolbox.return", MADRID, START + timedelta(days=7))]
    madrid.write("toolbox.returned", {"about": first.id})
    assert not [d for d in duties(madrid.state(), TOOLBOX) if d.code.startswith("toolbox.")]
    assert [f.name for f in fact_fields(TOOLBOX.opening, {})] == ["tools"]


def test_no_kind_is_known_by_name_outside_its_folder() -> None:
    """No comparison with a kind's name anywhere outside `kinds/` (the demo tells a story, and names what it opens)."""
    found = []
    for path in SRC.rglob("*.py"):
        inside = path.relative_to(SRC).parts[0]
        if inside in ("kinds", "demo"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                words = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
                found += [f"{path.relative_to(SRC)}:{node.lineno} {w}" for w in words if w in KINDS]
    assert found == []
