"""Texts of the policy set to values: rules, agreements, lists, titles. The only parser of what an operator puts in.

Strict, because a rule that is silently not applied is worse than a node that does not start: an annotation that we do
not know, a rule without its clause, two rules of one id, a word that the schema does not have: each is refused here.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cedarpy

from tansiq.errors import Invalid
from tansiq.policy.model import Agreement, Clause
from tansiq.terms import parse_date

_ANNOTATIONS = frozenset({"id", "law", "title", "obligation", "missing"})
_AGREEMENT_ANNOTATIONS = frozenset({"agreement", "parties", "name", "in_force_since"})
_CLOCKS = ("urgent_direct", "urgent_indirect", "other")
_CLOCK_ANNOTATIONS = frozenset(f"clock_{name}" for name in _CLOCKS)
_ACTS = ("automatic", "protective", "procedural")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DURATION = re.compile(r"P(?=.)(\d{1,3}D)?(T\d{1,3}H)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy file: its clause, and Cedar's own form of it."""

    clause: Clause
    forbids: bool
    obligation: str
    """Not empty: the rule permits nothing, it says what a permitted act owes."""
    missing: tuple[str, ...]
    cedar: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lists:
    """`lists.toml`: what the rules call Group, Acts and Whitelist."""

    groups: Mapping[str, tuple[str, ...]]
    acts: Mapping[str, tuple[str, ...]]
    """From the narrowest group to the widest: a member of one is a member of those after it."""
    whitelist: tuple[str, ...]
    """`<role>:<property>`, Reg. (EU) 2016/794 Annex II.B."""


def parse_rules(source: str, text: str, schema: str) -> tuple[tuple[Rule, ...], tuple[Agreement, ...]]:
    """The rules of one file in file order, and the agreements that they announce. Raises `Invalid`."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
        checked = cedarpy.validate_policies(text, schema)
    except ValueError as exc:
        raise _wrong("policy.unreadable", "not a readable policy file", source) from exc
    if parsed["templates"]:
        raise _wrong("policy.template", "templates are not used here", source)
    if not checked.validation_passed:
        raise _wrong("policy.schema", f"a rule does not fit the schema: {checked.errors[0].error}", source)
    rules: list[Rule] = []
    agreements: list[Agreement] = []
    static = parsed["staticPolicies"]
    for key in sorted(static, key=lambda k: int(k.removeprefix("policy"))):
        rule, agreement = _parse_rule(static[key], source)
        rules.append(rule)
        agreements += [agreement] if agreement else []
    return tuple(rules), tuple(agreements)


def _parse_rule(cedar: Mapping[str, Any], source: str) -> tuple[Rule, Agreement | None]:
    notes: dict[str, str] = {k: v or "" for k, v in cedar.get("annotations", {}).items()}
    ident = notes.get("id", "")
    if not _ID.fullmatch(ident):
        raise _wrong("policy.no_id", "a rule has no @id, or not one of the form word.word", source)
    # A mistyped @obligation would turn "what is owed" into a permit: the list of annotations is closed.
    known = _ANNOTATIONS | (_AGREEMENT_ANNOTATIONS | _CLOCK_ANNOTATIONS if "agreement" in notes else frozenset())
    if unknown := sorted(set(notes) - known):
        raise _wrong("policy.annotation", f"{ident}: unknown annotation @{unknown[0]}", source)
    for name in ("law", "title"):
        if not notes.get(name):
            raise _wrong("policy.no_clause", f"{ident}: no @{name}", source)
    forbids = cedar["effect"] == "forbid"
    obligation = notes.get("obligation", "")
    missing = tuple(notes.get("missing", "").split())
    if "obligation" in notes and (forbids or not _WORD.fullmatch(obligation)):
        raise _wrong("policy.obligation", f"{ident}: @obligation is one word, on a permit", source)
    if "missing" in notes and not forbids:
        raise _wrong("policy.missing", f"{ident}: @missing stands on a forbid", source)
    clause = Clause(ident, notes["law"], notes["title"], source)
    agreement = _parse_agreement(notes, f"{source}: {ident}") if "agreement" in notes else None
    if agreement and (forbids or obligation):
        raise _wrong("policy.agreement", f"{ident}: @agreement stands on the rule that permits", source)
    return Rule(clause, forbids, obligation, missing, cedar), agreement


def _parse_agreement(notes: Mapping[str, str], field: str) -> Agreement:
    parties = tuple(notes.get("parties", "").split())
    if len(set(parties)) < 2 or not all(_COUNTRY.fullmatch(p) for p in parties):
        raise _wrong("policy.parties", "@parties names two countries or more, such as MA ES", field)
    if not _ID.fullmatch(notes["agreement"]) or not notes.get("name"):
        raise _wrong("policy.agreement", "an agreement has an id and a @name", field)
    since = notes.get("in_force_since", "")
    parse_date(since, f"{field}: in_force_since")
    clocks = {name: notes[f"clock_{name}"] for name in _CLOCKS if f"clock_{name}" in notes}
    if not all(_DURATION.fullmatch(value) for value in clocks.values()):
        raise _wrong("policy.clock", "a clock is a duration such as PT8H or P3D", field)
    return Agreement(notes["agreement"], tuple(sorted(set(parties))), notes["name"], since, clocks)


def parse_lists(text: str, source: str = "lists.toml") -> Lists:
    """Raises `Invalid`. A missing list is an error, never an empty list: an empty `led_area` would open gates."""
    found = _toml(text, source)
    try:
        groups = {name: _words(codes) for name, codes in found["groups"].items()}
        data = {letter: _words(names) for letter, names in found["annex_ii_b"]["data"].items()}
        whitelist = sorted(
            {f"{role}:{p}" for role, letters in found["annex_ii_b"]["roles"].items() for x in letters for p in data[x]}
        )
        acts = {name: _words(found["acts"][name]) for name in _ACTS}
        led_area = groups["led_area"]
    except (KeyError, AttributeError, TypeError) as exc:
        raise _wrong("policy.lists", "a list is missing or is not a list of words", source) from exc
    every = [act for name in _ACTS for act in acts[name]]
    if len(every) != len(set(every)):
        raise _wrong("policy.lists", "an act stands in one list, once", source)
    if not led_area or not all(_COUNTRY.fullmatch(c) for codes in groups.values() for c in codes):
        raise _wrong("policy.lists", "groups hold countries such as ES, and led_area is not empty", source)
    return Lists(groups, acts, tuple(whitelist))


def parse_titles(text: str, source: str = "titles.toml") -> dict[str, dict[str, str]]:
    """Clause id -> language -> title. Raises `Invalid`."""
    found = _toml(text, source)
    for ident, titles in found.items():
        if not isinstance(titles, dict) or not all(isinstance(t, str) and t for t in titles.values()):
            raise _wrong("policy.titles", f"{ident}: titles are texts by language", source)
    return found


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        raise TypeError
    return tuple(value)


def _toml(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise _wrong("policy.unreadable", "not a readable TOML file", source) from exc


def _wrong(code: str, message: str, field: str) -> Invalid:
    return Invalid(code, message, step="load policies", field=field)
