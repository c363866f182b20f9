"""Every condition of every rule matters to a vector: take it out, and a vector's answer changes.

A condition that no vector needs is either wrong or untested; a lawyer who deletes it by mistake must see a test fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cedarpy
import pytest

from tansiq.policy import rules
from tests.unit.policy.test_vectors import GIVEN, gate, question, vectors


def weakened(node: Any) -> Iterator[Any]:
    """The same expression with one operand of an and/or, or one not, taken out."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("&&", "||"):
                yield value["left"]
                yield value["right"]
            elif key == "!":
                yield value["arg"]
            for other in weakened(value):
                yield {**node, key: other}


def mutants(cedar: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A rule with a condition weakened or gone, or with one action taken from its list."""
    conditions = cedar["conditions"]
    for at, condition in enumerate(conditions):
        rest = [c for n, c in enumerate(conditions) if n != at]
        yield f"condition {at} gone", {**cedar, "conditions": rest}
        for n, body in enumerate(weakened(condition["body"])):
            mutant = [*conditions[:at], {**condition, "body": body}, *conditions[at + 1 :]]
            yield f"condition {at} weakened {n}", {**cedar, "conditions": mutant}
    for entity in cedar["action"].get("entities", []):
        entities = [e for e in cedar["action"]["entities"] if e != entity]
        yield f"without {entity['id']}", {**cedar, "action": {**cedar["action"], "entities": entities}}


def every_rule() -> dict[str, dict[str, Any]]:
    return {ident: dict(rule.cedar) for ident, rule in gate("MA")._rules.items()}


MASKED = {
    # The shipped list of the CNDP is empty, so no question can stand on it.
    "ma.09-08.43": {"condition 0 weakened 0"},
    # led.11 forbids to the same people what this rule does not permit them: both stay, on purpose.
    "roles.decide": {"condition 0 gone"},
}
"""Mutants that no question can tell from the rule, and why."""


REQUESTS = [(row["expect"], {**GIVEN[row["given"]], **row["change"]}) for row in (p.values[0] for p in vectors())]


@pytest.mark.slow
@pytest.mark.parametrize("ident", sorted(every_rule()))
def test_each_condition_of_a_rule_changes_a_vector(ident: str) -> None:
    law = every_rule()
    alive = [
        name
        for name, mutant in mutants(law[ident])
        if not _noticed(ident, mutant) and name not in MASKED.get(ident, ())
    ]
    assert not alive, alive


def _noticed(ident: str, mutant: dict[str, Any]) -> bool:
    alone = {"templates": {}, "staticPolicies": {ident: mutant}, "templateLinks": []}
    handle = cedarpy.PolicySet.from_json_str(json.dumps(alone))
    for expect, fields in REQUESTS:
        here = gate(fields["country"])
        source = here._rules[ident].clause.source
        if rules._country_of(source) not in (None, here.country):
            continue
        answer = cedarpy.is_authorized(rules._request(question(fields), here._national), handle, here._entities)
        if answer.diagnostics.errors:
            return True
        speaks = bool(answer.diagnostics.reasons)
        forbids = here._rules[ident].forbids
        # What a permit says is heard only where nothing forbids.
        heard = forbids or expect["decision"] == "permit" or not expect["clauses"]
        if heard and speaks != (ident in expect["clauses"]):
            return True
    return False
