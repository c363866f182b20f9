"""What part of the log is asked for, out of the words of a command, a query or a form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tansiq.errors import Invalid
from tansiq.ledger.model import Leaf, Wanted
from tansiq.terms import LogVerb, format_instant, parse_instant
from tansiq.terms.instants import parse_date

STEP = "choose leaves"


def wanted(
    since: str = "", until: str = "", verb: str = "", officer: str = "", subjects: Iterable[str] | None = None
) -> Wanted:
    """`since` and `until` are days (`2026-11-22`, UTC; both are included) or instants (`until` is not included).

    Raises `Invalid` with the field.
    """
    begin, end = _instant(since, "since", last=False), _instant(until, "until", last=True)
    if begin and end and end <= begin:
        raise Invalid("ledger.range", "it ends before it begins", step=STEP, field="until")
    return Wanted(begin, end, _verb(verb), None if subjects is None else frozenset(subjects), officer.strip())


def is_chosen(asked: Wanted, leaf: Leaf, content: Mapping[str, Any] | None) -> bool:
    """Whether a leaf is among what is asked for, as `Ledger.select` finds it."""
    return (
        (not asked.since or leaf.at >= asked.since)
        and (not asked.until or leaf.at < asked.until)
        and asked.verb in (None, leaf.verb)
        and (asked.subjects is None or leaf.subject in asked.subjects)
        and (not asked.officer or (content is not None and content.get("officer") == asked.officer))
    )


def _verb(text: str) -> LogVerb | None:
    if not text.strip():
        return None
    try:
        return LogVerb(text.strip())
    except ValueError:
        raise Invalid("ledger.verb", f"one of {', '.join(LogVerb)}", step=STEP, field="verb") from None


def _instant(text: str, field: str, *, last: bool) -> str:
    text = text.strip()
    if not text:
        return ""
    try:
        if "T" in text:
            return format_instant(parse_instant(text, field))
        day = parse_date(text, field)
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return format_instant(midnight + timedelta(days=1) if last else midnight)
    except (Invalid, OverflowError):
        raise Invalid(
            "ledger.instant", "a day (2026-11-22) or an instant (2026-11-22T08:00:00.000Z)", step=STEP, field=field
        ) from None
