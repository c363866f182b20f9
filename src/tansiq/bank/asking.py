"""What the law gate is asked about things of this vocabulary: which kinds of persons, a minor, of whose. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tansiq.access.model import Acting
from tansiq.bank.model import Entity, Provenance
from tansiq.policy.model import Action, Question

ADULT_YEARS = 18
CIRCA_YEARS = 2
"""So much later a year that is not certain may be the true one. Proposal, no standard."""


def is_minor(person: Entity, today: date) -> bool:
    """Under 18 by any birth date that a claim gives; a bare year counts as its last day (the safer reading)."""
    for claim in person.claims:
        if claim.property != "birthDate":
            continue
        value = claim.value
        try:
            year = int(value[:4]) + (CIRCA_YEARS if claim.is_circa() else 0)
            born = date.fromisoformat(value) if len(value) == 10 else date(year, 12, 31)
            if (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) < ADULT_YEARS:
                return True
        except ValueError:
            continue
    return False


def question(
    action: Action,
    country: str,
    by: Acting,
    *,
    about: Iterable[Entity] = (),
    prov: Provenance | None = None,
    today: date,
) -> Question:
    """`country`: this node's, whose gate is asked. No id and no words of the case: so equal acts ask it only once.

    The strictest handling of any value in what it is about counts, as the law gate sees no single value.
    """
    things = list(about)
    persons = [e for e in things if e.schema == "Person"]
    handling = frozenset(prov.handling) if prov else frozenset()
    return Question(
        action=action,
        country=country,
        roles=frozenset(by.roles),
        originator=(prov.originator if prov else "") or country,
        kind=prov.source if prov else "",
        purpose=by.purpose,
        justification=by.justification,
        legal_basis=prov.legal_basis if prov else "",
        handling=handling.union(*(e.handling() for e in things)),
        person_roles=frozenset(p.role for p in persons if p.role),
        has_persons=bool(persons),
        has_minors=any(is_minor(p, today) for p in persons),
        erase_on=prov.erase_on if prov else "",
    )
