"""Builds `keyspec.json`: the keys that this keyspec makes of invented people.

    python tests/vectors/matching/build_keyspec.py

Keys of two nodes meet only if both make the same ones. When this file changes, KEYSPEC must have changed with it.
"""

from __future__ import annotations

import json
from pathlib import Path

from tansiq.matching.keyspec import KeyClass, asked_keys, fingerprint, held_keys

PEOPLE = [
    {"names": ["Mohammed El Hammouchi"], "birth_dates": ["1987-03-14"]},
    {"names": ["محمد الحموشي"], "birth_dates": ["1987-03-14"]},
    {"names": ["عبد الرحمن بن علي"], "birth_dates": ["1990-07-02"], "birth_places": ["طنجة"], "fathers": ["علي"]},
    {"names": ["Çağrı Jovanović-Şahin"], "birth_dates": ["1979-11-30"]},
    {"names": ["Ксения Щербакова"], "birth_dates": ["1979-11-30"], "phones": ["+34612345678"]},
    {"names": ["Karim Tazi"], "birth_dates": ["1961-22-09"]},
    {"documents": [{"number": "AB123456", "country": "MA"}], "ibans": ["ES9121000418450200051332"]},
]

if __name__ == "__main__":
    cases = [
        {"person": p, "asked": [k.input.decode() for k in asked_keys(p, KeyClass)], "held": len(held_keys(p, KeyClass))}
        for p in PEOPLE
    ]
    found = {"fingerprint": fingerprint(), "cases": cases}
    Path(__file__).with_name("keyspec.json").write_text(
        json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
