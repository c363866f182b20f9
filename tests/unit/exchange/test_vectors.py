"""Every golden case of tests/vectors/exchange, good and bad, each bad one with the rule that it breaks."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from tansiq.errors import Invalid, Untrusted

VECTORS = Path(__file__).parents[2] / "vectors" / "exchange"
BUILD = runpy.run_path(str(VECTORS / "build.py"))


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return found


BODIES = load("bodies.json")


@pytest.mark.parametrize("case", BODIES["good"], ids=lambda c: c["what"])
def test_a_good_body_parses(case: dict[str, str]) -> None:
    BUILD["PARSERS"][case["what"]](case["body"].encode())


@pytest.mark.parametrize("case", BODIES["bad"], ids=lambda c: f"{c['what']}: {c['name']}")
def test_a_bad_body_is_refused_with_its_code_and_field(case: dict[str, str]) -> None:
    with pytest.raises((Invalid, Untrusted)) as failure:
        BUILD["PARSERS"][case["what"]](case["body"].encode())
    assert (failure.value.code, failure.value.field) == (case["code"], case["field"])


def test_signed_documents_still_hold() -> None:
    BUILD["check"](load("documents.json"))


def test_the_files_are_what_the_build_writes() -> None:
    assert BUILD["bodies"]() == BODIES
