"""Real nodes with pages on them: Rabat has sent a report, Madrid holds a match and asks, and officers can sign in."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tansiq.access.model import Role
from tansiq.demo import people
from tansiq.node import Node
from tansiq.private.model import Tier
from tansiq.web import create_app
from tests.support.plans import agree, enter, supervisor
from tests.support.services import Federation

with warnings.catch_warnings():
    # The test client would rather have another HTTP library than the one that is in the lock.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PASSWORD = "eleven-lemons-on-a-quay"
WHY = {"tansiq-purpose": "investigation", "tansiq-justification": "case 7"}
HIDDEN = re.compile(r'name="csrf" value="([^"]*)"')


@dataclass
class Town:
    """Three services; `dossier` is Rabat's report, `request` Madrid's urgent question to Rabat, `match` Madrid's.

    Madrid's `plan` is in conflict with one of Rabat's (`meeting`); `check` is Madrid's private check at Berlin: a hit.
    """

    federation: Federation
    dossier: str = ""
    request: str = ""
    match: str = ""
    plan: str = ""
    meeting: str = ""
    check: str = ""

    def node(self, name: str) -> Node:
        return self.federation.nodes[name]

    def app(self, name: str):
        return create_app(self.node(name))


def two_services(folder: Path, **exchange: Any) -> Federation:
    """Rabat and Madrid, each with Salma, who may do what an analyst and a liaison officer may.

    `exchange`: settings of that table, else as they are given.
    """
    made = Federation(folder, lambda name: f"sqlite:///{folder / name / 'tansiq.db'}", exchange=exchange)
    made.add("rabat", "madrid")
    for node in made.nodes.values():
        node.access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
    return made


def make_town(folder: Path) -> Town:
    f = Federation(folder, lambda name: f"sqlite:///{folder / name}.db")
    f.add("rabat", "madrid", "berlin")
    town = Town(f)
    for name, node in f.nodes.items():
        node.access.add_officer("salma", (Role.LIAISON, Role.ANALYST), PASSWORD, "en")
        node.access.add_officer("omar", (Role.SUPERVISOR,), PASSWORD, "en")
        node.access.add_officer("auditor", (Role.PROTECTION,), PASSWORD, "en")
        assert name
    f.hold("madrid", people.MADRID_HOLDINGS)
    f.hold("berlin", people.BERLIN_HOLDINGS)
    hidden = [f.nodes["berlin"].node_id]
    town.dossier = f.nodes["rabat"].dossiers.open(
        "report", people.report_body(hidden), ["es", "de"], f.officers["rabat"]
    )
    f.pump()
    entry = f.nodes["madrid"].dossiers.state(town.dossier).entries[0].id
    town.request = f.nodes["madrid"].dossiers.open(
        "request", people.request_body(entry), ["ma"], f.officers["madrid+second"]
    )
    f.pump()
    town.match = next(m.id for m in f.nodes["madrid"].hits.matches() if m.incoming.schema == "Person")
    _deconflict(town)
    _check_privately(town)
    return town


def _deconflict(town: Town) -> None:
    f = town.federation
    agree(f, "rabat", "madrid")
    enter(f, "rabat")
    f.pump()
    salma = next(o for o in town.node("madrid").access.officers() if o.name == "salma")
    by = town.node("madrid").access.acting(salma, "investigation", "case 7 of the desk")
    town.plan = enter(f, "madrid", by, north_m=350, type="surveillance").event.id
    enter(f, "madrid", by, north_m=9_000, hours=30)
    f.pump(8)
    town.meeting = next(m.id for m in town.node("madrid").plans.meetings(by, town.plan))


def _check_privately(town: Town) -> None:
    f = town.federation
    berlin, madrid = town.node("berlin"), town.node("madrid")
    f.hold("berlin", [people.MADRID_HOLDINGS[1]])
    berlin.private.publish(madrid.node_id, [Tier.LOW, Tier.HIGH], supervisor(f, "berlin"))
    madrid.private.publish(berlin.node_id, [Tier.LOW], supervisor(f, "madrid"))
    f.pump(6)
    salma = next(o for o in madrid.access.officers() if o.name == "salma")
    by = madrid.access.acting(salma, "investigation", "case 7 of the desk")
    town.check = madrid.private.ask("de", people.MADRID_HOLDINGS[1], "M-2026-7", by).id
    f.pump()


class Browser:
    """A signed-in officer's browser: keeps cookies, brings each form's token."""

    def __init__(self, app: object, language: str = "en") -> None:
        self.client = TestClient(app, base_url="http://node.example", follow_redirects=True)  # type: ignore[arg-type]
        self.speak(language)
        self.csrf = ""

    def speak(self, language: str) -> None:
        self.client.cookies.set("tq_language", language, domain="node.example")

    def sign_in(self, name: str = "salma", password: str = PASSWORD):
        answer = self.post("/sign-in", {"name": name, "password": password}, source="/sign-in")
        self.csrf = self._token(self.client.get("/").text)
        return answer

    def get(self, path: str):
        return self.client.get(path)

    def post(self, path: str, values: dict[str, object], *, source: str = ""):
        token = self._token(self.client.get(source).text) if source else self.csrf
        return self.client.post(path, data={"csrf": token, **values})

    def say_why(self, record: str, target: str = "/") -> None:
        values = {"record": record, "next": target, "purpose": "investigation", "justification": "case 7 of the desk"}
        assert self.post("/purpose", values).status_code < 400

    @staticmethod
    def _token(text: str) -> str:
        found = HIDDEN.search(text)
        return found[1] if found else ""


__all__ = ["PASSWORD", "Browser", "Town", "make_town"]


def program_of(town: Town, officer: str = "salma") -> Browser:
    """A program with an officer's bearer token at Madrid, which says why it asks."""
    node = town.node("madrid")
    found = next(o for o in node.access.officers() if o.name == officer)
    browser = Browser(town.app("madrid"))
    token = node.access.new_token(found.id, "test", 1)
    browser.client.headers.update({"authorization": f"Bearer {token}", **WHY})
    return browser
