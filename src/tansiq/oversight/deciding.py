"""What the controller decided on a person's request, and why (LED art. 15(4)). Pure.

A person who asks is given access, in full or in part, or is refused it. Where it is restricted or refused the factual
or legal reasons are documented for the supervisory authority, with the grounds of art. 15(1) that carry it. A refusal
to rectify or to erase is that of art. 16(4); its letters, where one is named, restrict what the person is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tansiq.errors import Invalid
from tansiq.ledger.model import LeafView
from tansiq.oversight.model import CLAUSE, Right
from tansiq.terms.texts import is_said, seen

STEP = "decide a request"
SUBJECT = "person.decision"
"""What the ledger calls it: nobody's name."""
MIN_REASON, MAX_REASON, MAX_REQUEST, MAX_ITEMS = 10, 2_000, 100, 1_000
_OF_ACCESS = frozenset({Right.ACCESS, Right.AUTHORITY})


class Ruling(StrEnum):
    """What was decided."""

    GRANTED = "granted"
    RESTRICTED = "restricted"
    """Given in part (LED art. 15(1))."""
    REFUSED = "refused"


class Ground(StrEnum):
    """The letters of LED art. 15(1); art. 16(4) has the same."""

    INQUIRIES = "a"
    OFFENCES = "b"
    PUBLIC_SECURITY = "c"
    NATIONAL_SECURITY = "d"
    OTHERS = "e"


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision, before it is kept."""

    request: str
    """By which the service's own books know the request: never a name."""
    right: Right
    ruling: Ruling
    grounds: tuple[Ground, ...]
    reason: str
    items: tuple[str, ...]
    """What of that which is held it is about, where that was said."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as the log keeps it."""

    leaf: int
    at: datetime
    officer: str
    decision: Decision


def decide(
    request: str, right: Right, ruling: str, grounds: Iterable[str], reason: str, items: Collection[str] = ()
) -> Decision:
    """Raises `Invalid` naming the field."""
    ref, said = request.strip(), reason.strip()
    if not is_said(ref) or len(ref) > MAX_REQUEST:
        raise Invalid(
            "person.request", f"the number of the request, 1 to {MAX_REQUEST} characters", step=STEP, field="request"
        )
    try:
        ruled = Ruling(ruling)
    except ValueError:
        raise Invalid("person.ruling", f"one of {', '.join(Ruling)}", step=STEP, field="decision") from None
    if ruled is Ruling.RESTRICTED and right not in _OF_ACCESS:
        raise Invalid("person.not_access", "access alone is given in part", step=STEP, field="decision")
    if len(items) > MAX_ITEMS or any(not 1 <= len(i) <= MAX_REQUEST for i in items):
        raise Invalid("person.many", f"{MAX_ITEMS} ids at most", step=STEP, field="items")
    letters = _letters(right, ruled, grounds)
    if (ruled is not Ruling.GRANTED and len(seen(said)) < MIN_REASON) or len(said) > MAX_REASON:
        raise Invalid(
            "person.reason", f"the factual or legal reasons, {MIN_REASON} to {MAX_REASON} characters", step=STEP,
            field="reason",
        )  # fmt: skip
    return Decision(ref, right, ruled, letters, said, tuple(dict.fromkeys(items)))


def _letters(right: Right, ruled: Ruling, grounds: Iterable[str]) -> tuple[Ground, ...]:
    try:
        letters = tuple(sorted({Ground(g) for g in grounds}))
    except ValueError:
        raise Invalid("person.ground", "letters of LED art. 15(1): a to e", step=STEP, field="ground") from None
    if ruled is Ruling.GRANTED and letters:
        raise Invalid("person.ground_granted", "what is granted has no ground", step=STEP, field="ground")
    if ruled is not Ruling.GRANTED and right in _OF_ACCESS and not letters:
        raise Invalid("person.ground", "name the ground: a letter of LED art. 15(1), a to e", step=STEP, field="ground")
    return letters


def clauses(decision: Decision) -> list[str]:
    """Under which it was decided and is kept."""
    if decision.ruling is Ruling.GRANTED:
        return [CLAUSE[decision.right]]
    if decision.right in _OF_ACCESS:
        asked = ["LED art. 17"] if decision.right is Right.AUTHORITY else []
        return [*asked, *(f"LED art. 15(1)({g})" for g in decision.grounds), "LED art. 15(4)"]
    return ["LED art. 16(4)", *(f"LED art. 16(4)({g})" for g in decision.grounds)]


def content(decision: Decision) -> dict[str, Any]:
    """What its leaf holds."""
    return {
        "request_number": decision.request,
        "right": decision.right.value,
        "decision": decision.ruling.value,
        "grounds": [g.value for g in decision.grounds],
        "reason": decision.reason,
        "items": list(decision.items),
        "clauses": clauses(decision),
    }


def read(leaf: LeafView) -> Kept | None:
    """The decision of a leaf; None where it is none, or its content was erased."""
    said = leaf.content
    if leaf.subject != SUBJECT or said is None or "request_number" not in said:
        return None
    decision = Decision(
        str(said["request_number"]), Right(said["right"]), Ruling(said["decision"]),
        tuple(Ground(g) for g in said["grounds"]), str(said["reason"]), tuple(said["items"]),
    )  # fmt: skip
    return Kept(leaf.index, leaf.at, str(said["officer"]), decision)


def check_follows(kept: Kept | None, right: Right, items: Collection[str]) -> Kept:
    """The decision that an extract of these items follows. Raises `Invalid`."""
    if kept is None:
        raise Invalid("person.decided", "there is no such decision", step=STEP, field="decided")
    if kept.decision.ruling is Ruling.REFUSED:
        raise Invalid("person.decided_refused", "that decision refuses it", step=STEP, field="decided")
    if kept.decision.right is not right:
        raise Invalid("person.decided_right", "that decision is about another right", step=STEP, field="decided")
    if kept.decision.items and not set(items) <= set(kept.decision.items):
        raise Invalid("person.decided_items", "that decision names other items", step=STEP, field="decided")
    return kept
