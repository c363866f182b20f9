"""Builds `claims.json`: a part whose values say more of themselves (D-18), and what is left of it as their days come.

python tests/vectors/dossiers/build_claims.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tansiq import crypto
from tansiq.bank import entity_to_json, parse_entity
from tansiq.bank.model import Entity
from tansiq.dossiers.wire import part_content

HERE = Path(__file__).parent
SALT = bytes(range(32))
DAYS = ("2027-01-31", "2027-02-01", "2027-06-01", "2029-11-22")


def _claim(prop: str, value: str, **more: str) -> dict[str, str]:
    return {"property": prop, "value": value, "basis": "fact", "grade": "B2", **more}


ENTITY = {
    "id": "p1",
    "schema": "Person",
    "role": "SUSP",
    "claims": [
        _claim("name", "Yasser Tazeghart"),
        _claim("birthDate", "1985", precision="circa", handling="H1"),
        _claim("birthPlace", "Casablanca-Settat, Morocco", precision="region", erase_on="2027-06-01"),
        _claim("phone", "+212600000087", handling="H1 H2", legal_basis="Act (example), art. 9", erase_on="2027-02-01"),
    ],
}


def left_on(entity: Entity, day: str) -> list[str]:
    """Properties that are left when this day has come."""
    left = entity.without_due(day)
    return [c.property for c in left.claims] if left else []


def claims_json() -> dict[str, Any]:
    content = {"kind": "entity", "entity": entity_to_json(parse_entity(ENTITY))}
    packed = part_content(content)
    entity = parse_entity(content["entity"])
    return {
        "about": "D-18: the content of one part, its canonical bytes and id under a salt; what is left of it each day.",
        "content": content,
        "canonical": packed.decode(),
        "salt": SALT.hex(),
        "part": crypto.commit_part("entity", SALT, packed),
        "handling": sorted({"H0", *entity.handling()}),
        "left": {day: left_on(entity, day) for day in DAYS},
    }


if __name__ == "__main__":
    text = json.dumps(claims_json(), ensure_ascii=False, indent=1) + "\n"
    (HERE / "claims.json").write_text(text, encoding="utf-8")
