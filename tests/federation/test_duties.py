"""Duties on whole nodes: none is shown before it is owed; escalations are the duty officer's."""

from __future__ import annotations

from datetime import datetime, timedelta

from tansiq.access.model import Role
from tansiq.node import Node
from tansiq.web.pages.lists import in_order, owed

WARNING = {
    "subject": "Attack announced",
    "facts": {"precedence": "flash", "crime_areas": ["terrorism"], "grade": "B2", "target": "crowd"},
    "legal": {
        "purpose": "prevention",
        "legal_basis": "Act that created the file (example)",
        "agreement": {"ES": "ma-es-2019", "DE": "ma-de"},
        "review_on": "2027-05-22",
        "erase_on": "2029-11-22",
    },
    "parts": [{"kind": "threat", "text": "A crowd at the station is named.", "lang": "en"}],
}


def codes(node: Node) -> list[str]:
    return [d.code for d in node.dossiers.duties(node.node_id) if d.code != "dossier.review"]


def listed(node: Node, now: datetime, role: Role) -> list[str]:
    """Both sides as one list, as the API gives them."""
    found = owed(node, now, frozenset({role}), 100)
    assert (found.mine_all, found.theirs_all) == (len(found.mine), len(found.theirs))
    return [d.code for d, _ in in_order([*found.mine, *found.theirs], now, frozenset({role}))]


def test_an_escalation_is_owed_when_its_time_has_come(federation):
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    dossier = rabat.dossiers.open("warning", WARNING, ["es", "de"], federation.officers["rabat"])
    federation.pump()
    assert codes(madrid) == ["warning.acknowledge"]
    assert codes(rabat) == []
    assert madrid.dossiers.count_duties(madrid.node_id, timedelta(days=1)) == (2, 1)  # and the review, in half a year
    federation.clock.pass_time(timedelta(minutes=31))
    assert codes(madrid) == ["warning.acknowledge", "warning.escalate"]
    assert codes(rabat) == ["warning.call", "warning.call"]
    assert madrid.dossiers.count_duties(madrid.node_id, timedelta(0)) == (3, 1)
    about = madrid.dossiers.state(dossier).entries[0].id
    body = {"type": "warning.acknowledged", "facts": {"about": about}}
    madrid.dossiers.append(dossier, body, federation.officers["madrid"])
    federation.pump()
    assert codes(madrid) == []
    assert codes(rabat) == ["warning.call"]  # of Berlin, which has not answered
    assert [d.creditor for d in rabat.dossiers.duties(creditor=rabat.node_id)] == [rabat.node_id] * 2


def test_the_duty_officer_sees_what_goes_up_before_all_else(federation):
    rabat, madrid = federation.nodes["rabat"], federation.nodes["madrid"]
    rabat.dossiers.open("warning", WARNING, ["es"], federation.officers["rabat"])
    federation.pump()
    federation.clock.pass_time(timedelta(minutes=31))
    now = madrid.clock()
    seen = listed(madrid, now, Role.ANALYST)
    first = listed(madrid, now, Role.SUPERVISOR)
    assert sorted(seen) == sorted(first)
    assert seen[0] == "warning.acknowledge"
    assert first[:3] == ["warning.escalate", "warning.call", "warning.acknowledge"]  # Rabat is to telephone us
