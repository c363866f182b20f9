"""What callers make of the gate's answer: clauses for a leaf, a failure that an officer can act on. Pure."""

from __future__ import annotations

from tansiq.errors import Refused
from tansiq.policy.model import Decision, Permit, Question, Refusal
from tansiq.policy.rules import Gate


def clauses_of(decision: Decision) -> list[str]:
    """As a ledger leaf keeps them: the ids of the rules that decided, or the reason where no rule did."""
    named = [c.id for c in decision.clauses]
    return named or ([decision.reason] if isinstance(decision, Refusal) else [])


def refused(decision: Refusal, step: str, *, field: str = "", hint: str = "") -> Refused:
    """The clause is the message: an officer must see what forbids it. The part on whose account it is, else `field`, is
    the field; without either, what is missing."""
    named = "; ".join(f"{c.title} ({c.law})" for c in decision.clauses) or "nothing permits it"
    if decision.missing:
        named += f"; missing: {', '.join(decision.missing)}"
    if decision.parts:
        named += f"; on account of {', '.join(decision.parts)}{f' (for {field})' if field else ''}"
    return Refused(
        "policy.refused",
        named,
        clauses=tuple(c.id for c in decision.clauses),
        step=step,
        field=next(iter(decision.parts), "") or field or next(iter(decision.missing), ""),
        hint=hint or "ask with another purpose",
    )


def permitted(gate: Gate, question: Question, step: str, *, field: str = "", hint: str = "") -> Permit:
    """The gate's permit. Raises `Refused` naming clauses and field: what nothing permits is refused."""
    decision = gate.decide(question)
    if isinstance(decision, Refusal):
        raise refused(decision, step, field=field, hint=hint)
    return decision
