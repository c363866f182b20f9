"""Bodies to begin with: what `tansiq dossier example` writes. All people in them are invented."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tansiq.errors import Invalid
from tansiq.kinds import KINDS, example_of

REVIEW, ERASE = timedelta(days=180), timedelta(days=3 * 365)


def body_of(kind: str, today: date | None = None) -> dict[str, Any]:
    """The body of a kind's opening act. Raises `Invalid` on a kind without an example."""
    day = today or datetime.now(UTC).date()
    made = _WRITTEN.get(kind)
    return made(day) if made else _of_kind(kind, day)


def _of_kind(kind: str, today: date) -> dict[str, Any]:
    """What the kind itself brings, under a legal ground to be filled in."""
    found = example_of(kind, datetime(today.year, today.month, today.day, 8, tzinfo=UTC))
    if found is None:
        known = [k for k in KINDS if k in _WRITTEN or example_of(k, datetime.now(UTC))]
        raise Invalid("cli.example", f"one of {', '.join(known)}", step="write an example", field="KIND")
    legal = _legal(today)
    if days := found.pop("erase_days", 0):
        legal["erase_on"] = (today + timedelta(days=days)).isoformat()
    return found | {"legal": legal}


def _legal(today: date) -> dict[str, Any]:
    return {
        "purpose": "investigation",
        "legal_basis": "name the article that lets you send it",
        "agreement": "ma-es-2019",
        "transfer_basis": "binding_instrument_37a",
        "review_on": (today + REVIEW).isoformat(),
        "erase_on": (today + ERASE).isoformat(),
    }


def _report(today: date) -> dict[str, Any]:
    known = {"basis": "fact", "grade": "B2", "as_of": today.isoformat()}
    return {
        "subject": "One line; it is a part and can be withheld",
        "facts": {"crime_areas": ["motor_vehicle_crime"], "grade": "B2", "language": "en"},
        "handling": {"codes": ["H1"]},
        "legal": _legal(today),
        "parts": [
            {"kind": "narrative", "lang": "en", "text": "What happened, in the language it was written in."},
            {
                "kind": "entity",
                "entity": {
                    "id": "p1",
                    "schema": "Person",
                    "role": "SUSP",
                    "claims": [
                        {"property": "name", "value": "يونس البرنوصي", "lang": "ar", **known},
                        {"property": "birthDate", "value": "1985", **known},
                    ],
                },
            },
            {
                "kind": "entity",
                "entity": {
                    "id": "ph1",
                    "schema": "Phone",
                    "claims": [{"property": "number", "value": "+212600000001", **known}],
                },
            },
            {"kind": "link", "from": "p1", "to": "ph1", "type": "uses", "basis": "fact", "grade": "B2"},
        ],
    }


def _request(today: date) -> dict[str, Any]:
    return {
        "subject": "Who used this number",
        "facts": {"urgency": "normal", "accessibility": "direct", "crime_areas": ["motor_vehicle_crime"]},
        "handling": {"codes": ["H1"]},
        "legal": _legal(today),
        "parts": [
            {"kind": "question", "lang": "en", "text": "What is asked, as precisely as the case allows."},
            {"kind": "facts", "lang": "en", "text": "The offence, the facts, the purpose."},
            {"kind": "availability", "lang": "en", "text": "Why they may hold it."},
            {"kind": "link_reason", "lang": "en", "text": "How the purpose and the persons hang together."},
        ],
    }


_WRITTEN = {"report": _report, "request": _request}
"""Examples with invented people, whose dates count from today; the other kinds bring theirs as data."""
