"""Every sentence with which a kind's rules refuse an act has words for its officer, and a place where it has one."""

import ast
import importlib
import inspect

import pytest

from tansiq.kinds import KINDS, face_of, fault_of, say_fault, words_of
from tansiq.kinds.words import LANGUAGES

REFUSING = ("check", "_fault", "_check_act", "_impossible")


def sentences(name: str) -> set[str]:
    """What the functions that refuse can say: their returned texts, with `{}` where they put something in."""
    tree = ast.parse(inspect.getsource(importlib.import_module(f"tansiq.kinds.{name}.rules")))
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.endswith(REFUSING):
            for given in ast.walk(node):
                if isinstance(given, ast.Return) and given.value is not None:
                    found |= said(given.value)
    return {s for s in found if " " in s}


def said(value: ast.expr) -> set[str]:
    match value:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr():
            return {"".join(v.value if isinstance(v, ast.Constant) else "{}" for v in value.values)}
        case ast.IfExp():
            return said(value.body) | said(value.orelse)
        case ast.BoolOp():
            return set().union(*map(said, value.values))
    return set()


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_sentence_that_refuses_has_words(name: str) -> None:
    there = sentences(name)
    assert [s for s in sorted(there) if not fault_of(name, s.replace("{}", "x"))[0]] == []
    for sentence in there:
        if say_fault(name, sentence, "en") == say_fault(name, sentence, "ar"):
            pytest.fail(f"the same in English and Arabic: {sentence}")


def test_the_search_for_sentences_finds_them() -> None:
    assert len(sentences("assessment")) > 10
    assert "the next number is {}" in sentences("operation")


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_fault_that_has_a_place_is_one(name: str) -> None:
    assert set(face_of(name).places) <= set(words_of(name)["fault"])


def test_what_a_rule_puts_in_is_said_in_the_readers_language() -> None:
    assert say_fault("committee", "not while plan_due", "fr") == "pas dans l’état\u00a0: plan d’action dû"
    assert say_fault("major_event", "the next number is 4", "ar").endswith("4")
    assert say_fault("warning", "something that no rule says", "ar") == "something that no rule says"


def test_what_is_put_in_cannot_break_the_words() -> None:
    for language in LANGUAGES:
        assert "{0}{missing}" in say_fault("major_event", "the next number is {0}{missing}", language)
