"""Instants in UTC with milliseconds, and calendar dates, in one wire form each."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from tansiq.errors import Invalid

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
"""The ends of the calendar. Anybody may write them: a sum of instants that were read goes through `later`."""
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")


def format_instant(at: datetime) -> str:
    """`2026-11-22T04:17:31.123Z`. Raises `ValueError` on a naive instant: a programmer's error, not input."""
    if at.tzinfo is None:
        raise ValueError("naive instant")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def later(at: datetime, length: timedelta) -> datetime:
    """The instant so much later, or earlier for a length below nothing; beyond the calendar, its end. Never raises."""
    try:
        return at + length
    except OverflowError:
        return LAST if length > timedelta() else FIRST


def parse_instant(text: str, field: str = "") -> datetime:
    """The one wire form only. Raises `Invalid`."""
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        raise Invalid("instant.malformed", "not an instant of the form 2026-11-22T04:17:31.123Z", field=field)
    try:
        return datetime.fromisoformat(text)
    except ValueError as exc:
        raise Invalid("instant.malformed", "no such instant", field=field) from exc


def parse_date(text: str, field: str = "") -> date:
    """`YYYY-MM-DD`. Raises `Invalid`."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise Invalid("date.malformed", "not a date of the form 2026-11-22", field=field)
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise Invalid("date.malformed", "no such date", field=field) from exc
