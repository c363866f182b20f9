"""Bodies to begin with: the opening act of a kind as an officer would write it. Data beside the rules; no people in it.

`<kind>/example.json` holds a body without its legal ground. `"@+30"` stands for the instant 30 days from now;
`erase_days` says how long it is kept, where the kind limits that.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from tansiq.terms import format_instant

MARK = "@+"


def example_of(kind: str, now: datetime) -> dict[str, Any] | None:
    """The example with its instants counted from now; None where the kind has none."""
    file = files("tansiq.kinds") / kind / "example.json" if kind.isidentifier() else None
    if file is None or not file.is_file():
        return None
    found: dict[str, Any] = _dated(json.loads(file.read_text(encoding="utf-8")), now)
    return found


def _dated(value: Any, now: datetime) -> Any:
    if isinstance(value, dict):
        return {k: _dated(v, now) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(v, now) for v in value]
    if isinstance(value, str) and value.startswith(MARK):
        return format_instant(now + timedelta(days=int(value.removeprefix(MARK))))
    return value
