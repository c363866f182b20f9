"""The golden extract of tests/vectors/oversight: what another implementation must read, and must refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tansiq.errors import TansiqError
from tansiq.oversight import verify_extract

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/oversight/extract.json").read_text(encoding="utf-8"))


def test_the_extract_says_what_its_service_signed() -> None:
    said = verify_extract(json.dumps(VECTORS["file"]).encode())
    assert (said["extract"], said["fingerprint"]) == (VECTORS["body"], VECTORS["fingerprint"])
    assert said["leaf"]["size"] == 1


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["bad"]])
def test_a_bad_extract_is_refused_for_its_rule(case: dict[str, Any]) -> None:
    assert case["code"]
    with pytest.raises(TansiqError) as failure:
        verify_extract(json.dumps(case["file"]).encode())
    assert failure.value.code == case["code"]
