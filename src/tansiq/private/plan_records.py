"""The tables of plans, and values to rows. Plain columns hold codes, node ids and instants; the rest is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Index, LargeBinary, String, Table, Text, or_

from tansiq.access.model import Role
from tansiq.crypto import Vault
from tansiq.private import records
from tansiq.private.model import Plan
from tansiq.private.plan_wire import pack, unpack
from tansiq.private.plans import Contact, Exemption, Meeting, MeetingState, PlannedEvent, Sensitivity, expires_at
from tansiq.store import Sealed, metadata
from tansiq.terms import NodeId, OfficerId, format_instant, parse_instant

NODE, AT, ID = String(32), String(24), String(48)

plans = Table(
    "plan_plans",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sensitivity", String(16), nullable=False),
    Column("expires_at", AT, nullable=False),
    # Set when it left matching before its time: cancelled or exempted.
    Column("left_at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_plan_plans_expires_at", "expires_at"),
)

meetings = Table(
    "plan_meetings",
    metadata,
    Column("id", ID, primary_key=True),
    Column("plan", ID, nullable=False),
    Column("partner", NODE, nullable=False),
    # Their name for their plan towards us; empty until they told it.
    Column("theirs", String(24), nullable=False),
    # The name that both sides give to it; empty until both names are known.
    Column("shared", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("dossier", Text, nullable=False),
    Column("expires_at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_plan_meetings_plan", "plan"),
    Index("ix_plan_meetings_shared", "shared"),
    Index("ix_plan_meetings_state", "state"),
)

letters = Table(
    "plan_letters",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("partner", NODE, nullable=False),
    Column("at", AT, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_plan_letters_at", "at"),
)
"""What goes to a partner about a plan, until the outbox has taken it."""

asked = Table(
    "plan_asked",
    metadata,
    Column("plan", ID, primary_key=True),
    Column("partner", NODE, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("code", Text, nullable=False),
    Column("at", AT, nullable=False),
    # Groups of the tokens in the order in which they were asked, and the check that asked them.
    Column("sealed", LargeBinary, nullable=False),
)
"""Whom a plan asked: `waiting`, `asked`, `answered`, `refused`."""


listed = Table(
    "plan_listed",
    metadata,
    Column("partner", NODE, primary_key=True),
    Column("mark", String(64), nullable=False),
    Column("at", AT, nullable=False),
)
"""What our list for a partner holds: a mark that changes with it."""


_plans, _meetings, _asked = (Sealed(table, pack, unpack) for table in (plans, meetings, asked))
_letters = Sealed(letters, bytes, bytes)


def save_listed(tx: Connection, partner: NodeId, mark: str, at: datetime) -> None:
    records.put(tx, listed, partner=partner, mark=mark, at=format_instant(at))


def load_listed(tx: Connection) -> dict[str, str]:
    return {r["partner"]: r["mark"] for r in records.rows(tx, listed)}


def save_plan(tx: Connection, vault: Vault, event: PlannedEvent) -> None:
    left = event.cancelled_at or (event.exemption.at if event.exemption else None)
    inner = {
        "type": event.type,
        "place": asdict(event.place) if event.place else None,
        "contact": asdict(event.contact),
        "targets": [dict(t) for t in event.targets],
        "case": event.case,
        "officer": event.officer,
        "roles": sorted(event.roles),
        "purpose": event.purpose,
        "justification": event.justification,
        "legal_basis": event.legal_basis,
        "transfer_basis": event.transfer_basis,
        "created_at": format_instant(event.created_at),
        "targets_until": _text(event.targets_until),
        "cancelled_at": _text(event.cancelled_at),
        "exemption": _exemption(event.exemption),
    }
    _plans.put(
        tx,
        vault,
        inner,
        id=event.id,
        sensitivity=event.sensitivity.value,
        expires_at=format_instant(expires_at(event)),
        left_at=_text(left),
    )


def _exemption(found: Exemption | None) -> dict[str, str] | None:
    if found is None:
        return None
    return {"approver": found.approver, "reason": found.reason, "by": found.by, "at": format_instant(found.at)}


def _text(at: datetime | None) -> str:
    return format_instant(at) if at else ""


def _at(text: str) -> datetime | None:
    return parse_instant(text) if text else None


def _plan(row: Mapping[str, Any], inner: Any) -> PlannedEvent:
    place, gone = inner["place"], inner["exemption"]
    return PlannedEvent(
        id=row["id"],
        type=inner["type"],
        place=Plan(**place) if place else None,
        contact=Contact(**inner["contact"]),
        sensitivity=Sensitivity(row["sensitivity"]),
        targets=tuple(inner["targets"]),
        case=inner["case"],
        officer=OfficerId(inner["officer"]),
        roles=frozenset(Role(r) for r in inner["roles"]),
        purpose=inner["purpose"],
        justification=inner["justification"],
        legal_basis=inner["legal_basis"],
        transfer_basis=inner["transfer_basis"],
        created_at=parse_instant(inner["created_at"]),
        targets_until=_at(inner["targets_until"]),
        cancelled_at=_at(inner["cancelled_at"]),
        exemption=Exemption(gone["approver"], gone["reason"], OfficerId(gone["by"]), parse_instant(gone["at"]))
        if gone
        else None,
    )


def load_plans(
    tx: Connection, vault: Vault, *, matched_at: datetime | None = None, limit: int = 0
) -> list[PlannedEvent]:
    """All of them, or those that may still be matched at that time."""
    c = plans.c
    where = [c.expires_at > format_instant(matched_at), c.left_at == ""] if matched_at else []
    return [_plan(*r) for r in _plans.load(tx, vault, *where, by=(c.expires_at.desc(), c.id), limit=limit)]


def load_plan(tx: Connection, vault: Vault, ident: str) -> PlannedEvent | None:
    return next((_plan(*r) for r in _plans.load(tx, vault, id=ident)), None)


def remove_plans(tx: Connection, before: datetime) -> list[str]:
    """Plans that expired before that time, and what hangs on them."""
    gone = [r["id"] for r in records.rows(tx, plans, plans.c.expires_at < format_instant(before))]
    for ident in gone:
        records.remove(tx, plans, id=ident)
        records.remove(tx, meetings, plan=ident)
        records.remove(tx, asked, plan=ident)
    records.remove(tx, letters, letters.c.at < format_instant(before))
    return gone


def save_meeting(tx: Connection, vault: Vault, meeting: Meeting, shared: str) -> None:
    inner = {
        "found_at": format_instant(meeting.found_at),
        "begins_at": _text(meeting.begins_at),
        "rids": list(meeting.rids),
        "kind": meeting.kind,
        "by_target": meeting.by_target,
        "by_place": meeting.by_place,
        "contact": asdict(meeting.contact) if meeting.contact else None,
        "acknowledged": dict(meeting.acknowledged),
        "resolved": dict(meeting.resolved),
        "levels": dict(meeting.levels),
        "told": dict(meeting.told),
        "tests": list(meeting.tests),
    }
    _meetings.put(
        tx,
        vault,
        inner,
        id=meeting.id,
        plan=meeting.plan,
        partner=meeting.partner,
        theirs=meeting.theirs,
        shared=shared,
        state=meeting.state.value,
        dossier=meeting.dossier,
        expires_at=format_instant(meeting.expires_at),
    )


def _meeting(row: Mapping[str, Any], inner: Any) -> Meeting:
    contact = inner["contact"]
    return Meeting(
        id=row["id"],
        plan=row["plan"],
        partner=NodeId(row["partner"]),
        state=MeetingState(row["state"]),
        found_at=parse_instant(inner["found_at"]),
        begins_at=_at(inner["begins_at"]),
        expires_at=parse_instant(row["expires_at"]),
        rids=tuple(inner["rids"]),
        theirs=row["theirs"],
        kind=inner["kind"],
        by_target=inner["by_target"],
        by_place=inner["by_place"],
        contact=Contact(**contact) if contact else None,
        acknowledged=inner["acknowledged"],
        resolved=inner["resolved"],
        levels=inner["levels"],
        told=inner["told"],
        dossier=row["dossier"],
        tests=tuple(inner["tests"]),
    )


def load_meetings(tx: Connection, vault: Vault, *where: Any, **equal: Any) -> list[Meeting]:
    by = (meetings.c.expires_at, meetings.c.id)
    return [_meeting(*r) for r in _meetings.load(tx, vault, *where, by=by, **equal)]


def load_live(tx: Connection, vault: Vault, states: frozenset[MeetingState]) -> list[Meeting]:
    return load_meetings(tx, vault, or_(*(meetings.c.state == s.value for s in sorted(states))))


def load_over(tx: Connection, vault: Vault, after: datetime, now: datetime) -> list[Meeting]:
    """With a room, and their window over, not longer ago than `after`."""
    c = meetings.c
    window = (c.expires_at <= format_instant(now), c.expires_at > format_instant(after))
    ended = c.state.in_([MeetingState.RESOLVED.value, MeetingState.EXPIRED.value])
    return load_meetings(tx, vault, ended, c.dossier != "", *window)


def find_meeting(tx: Connection, vault: Vault, **equal: Any) -> Meeting | None:
    return next(iter(load_meetings(tx, vault, **equal)), None)


def remove_meeting(tx: Connection, ident: str) -> None:
    records.remove(tx, meetings, id=ident)


def save_letter(tx: Connection, vault: Vault, ident: str, partner: NodeId, raw: bytes, at: datetime) -> None:
    _letters.put(tx, vault, raw, id=ident, partner=partner, at=format_instant(at))


def load_letter(tx: Connection, vault: Vault, ident: str, partner: NodeId) -> bytes | None:
    return next((raw for _, raw in _letters.load(tx, vault, id=ident, partner=partner)), None)


def save_asked(
    tx: Connection, vault: Vault, plan: str, partner: NodeId, state: str, code: str, at: datetime, inner: Any
) -> None:
    _asked.put(tx, vault, inner, plan=plan, partner=partner, state=state, code=code, at=format_instant(at))


def load_asked(tx: Connection, vault: Vault, **equal: Any) -> list[dict[str, Any]]:
    found = _asked.load(tx, vault, by=(asked.c.plan, asked.c.partner), **equal)
    return [r | {"inner": inner} for r, inner in found]
