"""Budgets bound the tail: a function of 70 lines, a module of 800, a door's docstring of 30."""

from __future__ import annotations

import ast

import pytest

from tests.support.tree import SRC, functions, modules

FUNCTION, MODULE, DOOR = 70, 800, 30


def test_no_function_is_longer_than_its_budget() -> None:
    bad = [
        f"{m.name}:{node.lineno} {name} has {size} lines"
        for m in modules()
        for name, node in functions(m)
        if (size := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION
    ]
    assert not bad, "\n".join(bad)


def test_no_module_is_longer_than_its_budget() -> None:
    bad = [f"{m.name} has {n} lines" for m in modules() if (n := m.source.count("\n")) > MODULE]
    assert not bad, "\n".join(bad)


def test_every_module_says_what_it_is_for() -> None:
    bad = [m.name for m in modules() if m.source.strip() and not ast.get_docstring(m.tree)]
    assert not bad, f"no docstring: {bad}"


CAPABILITIES = sorted(p.name for p in SRC.iterdir() if p.is_dir() and any(p.glob("*.py")))


@pytest.mark.parametrize("name", CAPABILITIES)
def test_a_door_says_what_the_capability_promises_in_few_lines(name: str) -> None:
    module = next((m for m in modules() if m.name == f"{name}/__init__.py"), None)
    assert module, f"{name} has no __init__.py"
    said = ast.get_docstring(module.tree) or ""
    assert said, f"{name}/__init__.py says nothing"
    assert len(said.splitlines()) <= DOOR, f"{name}/__init__.py says too much"
