"""One byte form for one value: the subset of RFC 8785 (JSON Canonicalization Scheme) that signing and hashing need.

ASCII keys, strings, integers within ±(2^53 - 1), booleans, null, lists and objects. Floats are refused: two languages
print them differently, and a signature over a number that prints differently is a signature over nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tansiq.errors import Invalid

MAX_DEPTH = 32
_MAX_INT = 2**53 - 1  # RFC 8785 3.2.2.3 / RFC 7493 2.2: beyond it a JSON number is not one number everywhere

_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Any, max_depth: int = MAX_DEPTH) -> bytes:
    """The canonical bytes of `value`. Raises `Invalid` with `canonical.*` on what the subset does not hold."""
    _check(value, max_depth)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as exc:  # a lone surrogate: no UTF-8 form exists
        raise Invalid("canonical.text", "text that is not valid Unicode", step="canonical") from exc


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return
    if isinstance(value, int):
        if not -_MAX_INT <= value <= _MAX_INT:
            raise Invalid("canonical.int", "an integer beyond 2^53 - 1", step="canonical")
    elif isinstance(value, dict | list | tuple):
        if depth == 0:
            raise Invalid("canonical.depth", "nested too deep", step="canonical")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str) or not key.isascii():
                    raise Invalid("canonical.key", "object keys are ASCII text", step="canonical")
            value = value.values()
        for item in value:
            if type(item) is not str:  # most are: not worth a call
                _check(item, depth - 1)
    elif isinstance(value, float):
        raise Invalid("canonical.float", "floating-point numbers are not signed", step="canonical")
    elif not isinstance(value, str):
        raise Invalid("canonical.type", f"no canonical form for {kind.__name__}", step="canonical")
