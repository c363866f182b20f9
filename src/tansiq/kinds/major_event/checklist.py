"""The venue checklist: measures as data, in our own words, after the standard's pillars and responsible bodies."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

PILLARS = ("safety", "security", "service")
BODIES = ("stadium_owner", "organiser", "national_association", "confederation", "public_authorities", "other")
"""Columns of Rec(2008)1's checklist; the confederation stands where its text names one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the checklist. `text`: language -> what must be in place."""

    code: str
    pillar: str
    body: str
    text: Mapping[str, str]


def read(text: str) -> dict[str, Measure]:
    """The measures of a `checklist.toml`, by code. Raises `ValueError`: the file is ours."""
    found: dict[str, Measure] = {}
    for row in tomllib.loads(text)["measures"]:
        m = Measure(row["code"], row["pillar"], row["body"], {k: row[k] for k in ("ar", "fr", "es", "de", "en")})
        if m.code in found or m.pillar not in PILLARS or m.body not in BODIES:
            raise ValueError(f"checklist: {m.code}")
        found[m.code] = m
    return found


CHECKLIST = read((files("tansiq.kinds.major_event") / "checklist.toml").read_text(encoding="utf-8"))
