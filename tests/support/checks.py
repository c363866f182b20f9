"""Private checks between whole nodes: whom a holder holds, whom an asker asks for. All people are invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.errors import TansiqError
from tansiq.private.model import CheckResult, Tier
from tests.support.services import Federation

BOTH_TIERS = (Tier.LOW, Tier.HIGH)
HAMMUSCHI = {
    "id": "h-1",
    "schema": "Person",
    "role": "SUSP",
    "claims": [
        {"property": "name", "value": "Karim Hammuschi"},
        {"property": "birthDate", "value": "1987-03-14"},
        {"property": "phone", "value": "+34612345678"},
        {"property": "passportNumber", "value": "XK4471902"},
    ],
}
HAMMUSCHI_IN_ARABIC = {"names": ["كريم حموشي"], "birth_dates": ["1987-03-14"]}
STRANGER = {"names": ["Tomás Ferreira Albuquerque"], "birth_dates": ["1979-11-02"]}


def person(name: str, born: str, ident: str = "h-2") -> dict[str, Any]:
    claims = [{"property": "name", "value": name}, {"property": "birthDate", "value": born}]
    return {"id": ident, "schema": "Person", "role": "SUSP", "claims": claims}


def supervisor(f: Federation, name: str) -> Acting:
    return replace(f.officers[name], roles=frozenset({Role.SUPERVISOR}))


def serve(f: Federation, holder: str, *askers: str, tiers: tuple[Tier, ...] = BOTH_TIERS) -> None:
    """Lists for these partners, made by the holder's own key process, and taken in."""
    for asker in askers:
        f.nodes[holder].private.publish(f.nodes[asker].node_id, tiers, supervisor(f, holder))
    f.pump()


def ask(f: Federation, asker: str, holder: str, wanted: dict[str, Any], case: str = "case 7") -> CheckResult:
    return f.nodes[asker].private.ask(f.nodes[holder].node_id, wanted, case, f.officers[asker])


def hits(result: CheckResult) -> set[str]:
    return {family.key_class for family in result.families if family.hit}


def leaves(f: Federation, name: str, prefix: str = "private.") -> list[dict[str, Any]]:
    """Contents of the ledger's leaves about private checks, oldest first, with their subjects."""
    found = [x for x in reversed(f.nodes[name].ledger.page(None, 1000)) if x.subject.startswith(prefix)]
    return [{"subject": x.subject, "verb": x.verb.value, **(x.content or {})} for x in found]


def code_of(work: Any) -> str:
    """The code with which `work` fails; empty when it does not."""
    try:
        work()
    except TansiqError as exc:
        return exc.code
    return ""
