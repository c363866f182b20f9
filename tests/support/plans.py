"""Plans of invented operations, and services that have agreed to deconflict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.private.model import Tier
from tansiq.terms import format_instant
from tests.support.services import NAMES, Federation

TANGIER = (35.7846, -5.8127)
BASIS = "Code of criminal procedure (example); judicial inquiry"


def supervisor(f: Federation, name: str) -> Acting:
    node = f.nodes[name]
    found = next(o for o in node.access.officers() if Role.SUPERVISOR in o.roles)
    return node.access.acting(found, "investigation", "oversight of deconfliction")


def agree(f: Federation, *names: str) -> None:
    """Each serves each other's plans tier; lists are shipped."""
    for name in names:
        for other in names:
            if other != name:
                f.nodes[name].private.publish(f.nodes[other].node_id, [Tier.PLAN], supervisor(f, name))
    f.pump(6)


def body(
    f: Federation, name: str, *, north_m: float = 0.0, hours: float = 24, lasts: float = 4, **more: Any
) -> dict[str, Any]:
    """An arrest in Tangier, so many metres north of the middle and so many hours from now."""
    begins = f.clock() + timedelta(hours=hours)
    place = {
        "latitude": TANGIER[0] + north_m / 111_195.0,
        "longitude": TANGIER[1],
        "radius_m": 300.0,
        "begins_at": format_instant(begins),
        "ends_at": format_instant(begins + timedelta(hours=lasts)),
    }
    return {
        "type": "arrest",
        "place": place,
        "lead": f"Lead of {name}, +000 {name}",
        "backup": f"Desk of {name}",
        "case": f"{name}-2026-17",
        "legal_basis": BASIS,
        "transfer_basis": "binding_instrument_37a",
        **more,
    }


def enter(f: Federation, name: str, by: Acting | None = None, **more: Any):
    """Enter a plan; what the officer is told at once."""
    node, by = f.nodes[name], by or f.officers[name]
    return node.plans.add(node.plans.draft(body(f, name, **more), by), by)


def met(f: Federation, name: str, plan: str = "") -> list[Any]:
    return f.nodes[name].plans.meetings(supervisor(f, name), plan)


__all__ = ["BASIS", "NAMES", "TANGIER", "agree", "body", "enter", "met", "supervisor"]
