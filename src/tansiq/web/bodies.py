"""The API's JSON bodies read: closed objects, texts, lists of texts. Each failure is `Invalid` with its field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tansiq.errors import Invalid

STEP = "read the body"


def read_object(
    value: Any, known: tuple[str, ...], needed: tuple[str, ...] = (), field: str = "body"
) -> Mapping[str, Any]:
    """A JSON object with no key that we do not know and none missing that is needed."""
    body = read_any_object(value, field)
    for key in body:
        if key not in known:
            raise Invalid("body.unknown_field", "Unknown field.", step=STEP, field=str(key)[:40])
    for key in needed:
        if key not in body:
            raise Invalid("body.missing", "This is missing.", step=STEP, field=key)
    return body


def read_any_object(value: Any, field: str = "body") -> Mapping[str, Any]:
    """A JSON object whose keys are read elsewhere."""
    if not isinstance(value, Mapping):
        raise Invalid("body.not_an_object", "A JSON object.", step=STEP, field=field)
    return value


def read_text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid("body.text", "A text.", step=STEP, field=field)
    return value


def read_texts(value: Any, field: str) -> list[str]:
    """A list of texts; it may be empty."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise Invalid("body.texts", "A list of texts.", step=STEP, field=field)
    return list(value)
