"""Every golden case of tests/vectors/dossiers: what rules D-2 to D-6 make of a dossier, in any order of arrival."""

from __future__ import annotations

import json
import runpy
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from tansiq import crypto
from tansiq.bank import entity_to_json, parse_entity
from tansiq.dossiers import fold
from tansiq.dossiers.rules import extend, folded
from tansiq.dossiers.wire import dossier_id, part_content
from tansiq.kinds import KINDS
from tansiq.terms import DossierId

VECTORS = Path(__file__).parents[2] / "vectors" / "dossiers"
BUILD = runpy.run_path(str(VECTORS / "build.py"))
FOUND: dict[str, Any] = json.loads((VECTORS / "fold.json").read_text(encoding="utf-8"))
REPORT = KINDS["report"]
CLAIMS: dict[str, Any] = json.loads((VECTORS / "claims.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FOUND["ids"], ids=lambda c: f"{c['opener'][:2]} {c['nonce']!r}")
def test_a_dossiers_id_follows_from_its_opener_and_nonce(case: dict[str, str]) -> None:
    assert dossier_id(case["opener"], case["nonce"]) == case["dossier"]


@pytest.mark.parametrize("case", FOUND["cases"], ids=lambda c: f"{c['rule']} {c['what']}")
def test_a_dossier_has_its_state_in_any_order(case: dict[str, Any]) -> None:
    dossier = DossierId(case["dossier"])
    for entries in permutations(BUILD["entries_of"](case)):
        assert BUILD["outcome"](fold(dossier, entries, REPORT)) == case["state"]
        going = folded(dossier, (), REPORT)
        for entry in entries:
            going = extend(going, entry, REPORT)
        assert BUILD["outcome"](going.state) == case["state"]


def test_every_rule_has_cases_that_keep_it_and_cases_that_break_it() -> None:
    for rule in ("D-2", "D-3", "D-4", "D-6"):
        broken = {any(void for _, _, void in c["state"]["marks"]) for c in FOUND["cases"] if c["rule"] == rule}
        assert broken == {True} | ({False} if rule != "D-6" else set())
    assert {len(c["state"]["marks"]) for c in FOUND["cases"] if c["rule"] == "D-5"} == {0, 2}


def test_the_file_is_what_the_build_writes() -> None:
    assert BUILD["fold_json"]() == FOUND


def test_a_part_whose_values_say_more_has_one_form_and_one_id() -> None:
    packed = part_content(CLAIMS["content"])
    assert packed.decode() == CLAIMS["canonical"]
    assert crypto.commit_part("entity", bytes.fromhex(CLAIMS["salt"]), packed) == CLAIMS["part"]
    entity = parse_entity(CLAIMS["content"]["entity"])
    assert entity_to_json(entity) == CLAIMS["content"]["entity"]
    assert sorted({"H0", *entity.handling()}) == CLAIMS["handling"]


@pytest.mark.parametrize(("day", "left"), CLAIMS["left"].items())
def test_values_are_left_until_their_day(day: str, left: list[str]) -> None:
    entity = parse_entity(CLAIMS["content"]["entity"]).without_due(day)
    assert [c.property for c in entity.claims] == left if entity else left == []


def test_the_file_of_claims_is_what_its_build_writes() -> None:
    assert runpy.run_path(str(VECTORS / "build_claims.py"))["claims_json"]() == CLAIMS
