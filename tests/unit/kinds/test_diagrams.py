"""Every state that the rules can give stands in the diagrams of the documents."""

import ast
import importlib
import inspect

import pytest

from tansiq.kinds import KINDS, cycle_of
from tests.support.diagrams import drawn


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_state_of_the_tables_is_drawn(name: str) -> None:
    cycle, acts = cycle_of(name), KINDS[name].acts
    phases = {w for a in acts for w in (*a.before, a.after) if w} | {m.after for m in (cycle.phases if cycle else ())}
    assert phases == drawn()[name, ""]
    for sort in {r.sort for r in (*cycle.steps, *cycle.moves)} if cycle else ():
        assert cycle.states(sort) == drawn()[name, sort], sort


@pytest.mark.parametrize("name", sorted(KINDS))
def test_no_rule_gives_a_state_that_no_table_has(name: str) -> None:
    """The rules' own words for states, wherever they stand: what they set, and what they look for."""
    known = {s for (kind, _sort), states in drawn().items() if kind == name for s in states}
    tree = ast.parse(inspect.getsource(importlib.import_module(f"tansiq.kinds.{name}.rules")))
    said = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            said |= {k.value.value for k in node.keywords if k.arg == "state" and isinstance(k.value, ast.Constant)}
        if (
            isinstance(node, ast.Compare)
            and isinstance(node.left, ast.Attribute)
            and node.left.attr in ("state", "phase")
        ):
            said |= {c.value for c in ast.walk(node) if isinstance(c, ast.Constant) and isinstance(c.value, str)}
    assert said <= known, said - known


def test_the_moves_of_the_rules_are_drawn() -> None:
    assert {"minuted", "cancelled"} <= drawn()["committee", "meeting"]
    assert {"superseded", "closed", "in_progress"} <= drawn()["committee", "recommendation"]
    assert {"aborted", "reported"} <= drawn()["operation", "measure"]
    assert "dropped" in drawn()["assessment", "joint"]
    assert "revealed" in drawn()["assessment", ""]
    assert "withdrawn" in drawn()["request", "lane"]
