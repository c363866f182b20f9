"""Texts that people write."""

from __future__ import annotations

import unicodedata


def is_said(text: str) -> bool:
    """Whether a reader sees anything: not spaces alone, nor what has no width, nor marks of direction."""
    return any(seen(text))


def seen(text: str) -> list[str]:
    """The characters that a reader sees."""
    return [c for c in text if unicodedata.category(c)[0] not in "CZ"]
