"""Bodies of acts about invented people, as an officer would write them."""

from __future__ import annotations

from typing import Any

from tansiq.demo import people


def report(withhold_source_from: tuple[str, ...] = ()) -> dict[str, Any]:
    return people.report_body(list(withhold_source_from))


def request(about: str = "") -> dict[str, Any]:
    return people.request_body(about)


def note(act: str, text: str = "a note", **facts: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"type": act, "parts": [{"kind": "note", "lang": "en", "text": text}]}
    return body | ({"facts": facts} if facts else {})
