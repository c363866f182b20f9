"""The law gate against its vectors: questions with the answer, the clauses and the law that each stands on."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tansiq.policy import Action, Gate, Permit, Question, load_gate

VECTORS = Path(__file__).parents[2] / "vectors" / "policy"
GIVEN: dict[str, dict[str, Any]] = json.loads((VECTORS / "given.json").read_text("utf-8"))
SETS = ("roles", "handling", "persons", "risk", "crime_areas", "person_roles", "properties", "assurances")


@cache
def gate(country: str) -> Gate:
    return load_gate(country)


def question(fields: dict[str, Any]) -> Question:
    typed = {k: frozenset(v) if k in SETS else v for k, v in fields.items()}
    return Question(**{**typed, "action": Action(typed["action"])})


def vectors() -> list[Any]:
    found = []
    for path in sorted(VECTORS.glob("*.json")):
        if path.name != "given.json":
            rows = json.loads(path.read_text("utf-8"))
            found += [pytest.param(row, id=f"{path.stem}: {row['name']}") for row in rows]
    return found


def answer(row: dict[str, Any]) -> dict[str, Any]:
    fields = {**GIVEN[row["given"]], **row["change"]}
    decision = gate(fields["country"]).decide(question(fields))
    clauses = [c.id for c in decision.clauses]
    if isinstance(decision, Permit):
        return {"decision": "permit", "clauses": clauses, "obligations": sorted(decision.obligations)}
    return {"decision": "refuse", "reason": decision.reason, "clauses": clauses, "missing": list(decision.missing)}


@pytest.mark.parametrize("row", vectors())
def test_a_vector_gives_its_answer_and_its_clauses(row: dict[str, Any]) -> None:
    assert row["law"]
    assert answer(row) == row["expect"]


def test_every_shipped_clause_decides_a_vector() -> None:
    rows = [p.values[0] for p in vectors()]
    used = {clause for row in rows for clause in row["expect"]["clauses"]}
    assert {c.id for c in gate("MA").clauses()} <= used


def test_there_are_good_and_bad_vectors() -> None:
    answers = [p.values[0]["expect"]["decision"] for p in vectors()]
    assert answers.count("permit") >= 40
    assert answers.count("refuse") >= 60
