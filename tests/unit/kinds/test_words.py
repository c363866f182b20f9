"""Every code that a new kind can show has a word in each language."""

import importlib
from typing import Any

import pytest
from msgspec import inspect as shape

from tansiq.dossiers.rules import duties as all_duties
from tansiq.kinds import words
from tansiq.web import labels
from tests.support.entries import MADRID, RABAT, Desk

NAMES = ("warning", "operation", "assessment", "major_event", "committee", "expertise")
SHOWN_ELSEWHERE = {
    "fact": labels.FACT,
    "value": {**labels.FACT_VALUE, **labels.CRIME_AREA, **labels.REFUSAL_GROUND},
    "part": labels.PART,
    "phase": labels.PHASE,
}


def literals(kind: Any) -> set[str]:
    match kind:
        case shape.UnionType():
            return set().union(*(literals(t) for t in kind.types))
        case shape.ListType():
            return literals(kind.item_type)
        case shape.DictType():
            return literals(kind.value_type)
        case shape.LiteralType():
            return {str(v) for v in kind.values}
    return set()


def codes(name: str) -> set[tuple[str, str]]:
    module = importlib.import_module(f"tansiq.kinds.{name}")
    kind, cycle = getattr(module, name.upper()), module.CYCLE
    found = {("kind", name)}
    for act in kind.acts:
        found |= {("act", act.type), ("do", act.type)}
        found |= {("part", p) for p in act.parts}
        found |= {("phase", p) for p in (*act.before, act.after) if p}
        for f in shape.type_info(act.facts).fields if act.facts else ():
            found.add(("fact", f.name))
            found |= {("value", v) for v in literals(f.type)}
    found |= {("item", s.sort) for s in cycle.steps}
    found |= {("state", w) for s in cycle.steps for w in (*s.before, s.after)}
    return found | {("duty", o.code) for o in cycle.owed}


@pytest.mark.parametrize("name", NAMES)
def test_each_code_has_its_word(name: str) -> None:
    missing = [
        f"{table} {code}"
        for table, code in sorted(codes(name))
        if code not in SHOWN_ELSEWHERE.get(table, {}) and not words.say(name, table, code, "ar")
    ]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_duties_of_an_opened_one_have_words(name: str) -> None:
    kind = getattr(importlib.import_module(f"tansiq.kinds.{name}"), name.upper())
    rabat = Desk(RABAT, kind)
    rabat.open((MADRID,), {})
    owed = {d.code for d in all_duties(rabat.state(), kind) if d.code.startswith(f"{name}.")}
    assert [c for c in owed if not words.say(name, "duty", c, "de")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_duty_that_its_rules_name_has_a_word(name: str) -> None:
    kind = getattr(importlib.import_module(f"tansiq.kinds.{name}"), name.upper())
    rules = importlib.import_module(f"tansiq.kinds.{name}.rules")
    acts = {a.type for a in kind.acts}
    with open(rules.__file__, encoding="utf-8") as file:
        spelled = {w for w in file.read().split('"') if w.startswith(f"{name}.") and w.replace(".", "_").isidentifier()}
    assert [c for c in sorted(spelled - acts) if not words.say(name, "duty", c, "fr")] == []


def test_an_unknown_kind_or_code_has_no_word() -> None:
    assert words.say("../etc", "act", "warning.issued", "en") == ""
    assert words.say("warning", "act", "nothing", "en") == ""


@pytest.mark.parametrize("name", NAMES)
def test_a_word_for_a_fact_of_one_act_names_a_fact_that_it_has(name: str) -> None:
    kind = getattr(importlib.import_module(f"tansiq.kinds.{name}"), name.upper())
    there = {f"{a.type}.{f.name}" for a in kind.acts if a.facts for f in shape.type_info(a.facts).fields}
    assert {c for c in words.of(name)["fact"] if c.startswith(f"{name}.")} <= there
