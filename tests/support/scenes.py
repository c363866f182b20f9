"""Scenes: one dossier on whole nodes, with what a story needs to say in one line each. Invented people only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from tansiq.dossiers.model import DossierState, Duty
from tansiq.dossiers.standing import Standings
from tansiq.errors import TansiqError
from tansiq.kinds import KINDS
from tansiq.node import Node
from tansiq.terms import EntryId, NodeId
from tests.support.diagrams import outside_the_diagram
from tests.support.services import Federation, shared_view

LEGAL = {
    "purpose": "prevention",
    "legal_basis": "Act on the joint service (example), art. 4",
    "agreement": {"ES": "ma-es-2019", "DE": "ma-de"},
    "transfer_basis": "binding_instrument_37a",
    "review_on": "2028-05-22",
    "erase_on": "2030-11-22",
}
FROM_MADRID = {**LEGAL, "agreement": {"MA": "ma-es-2019", "DE": "eu-2023-977"}}
FROM_BERLIN = {**LEGAL, "agreement": {"MA": "ma-de", "ES": "eu-2023-977"}}


def part(kind: str, text: str, lang: str = "en", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "lang": lang, "text": text, **more}


@dataclass
class Scene:
    """A dossier that several services share."""

    f: Federation
    dossier: str
    carried: list[tuple[str, NodeId, dict[str, Any]]] = field(default_factory=list)
    """(who sent, to whom, the delivery before it was sealed): what is inside the envelopes."""

    @classmethod
    def open(
        cls, f: Federation, name: str, kind: str, body: dict[str, Any], to: tuple[str, ...] = ("ma", "es", "de")
    ) -> Scene:
        others = [t for t in to if t.upper() != f.nodes[name].country]
        scene = cls(f, "")
        scene.listen()
        scene.dossier = f.nodes[name].dossiers.open(kind, body, others, f.officers[name])
        f.pump()
        return scene

    def listen(self) -> None:
        """Hear what each node puts into its envelopes."""
        for name, node in self.f.nodes.items():
            load = node.dossiers.load

            def heard(tx: Any, ref: str, to: NodeId, name: str = name, load: Any = load) -> bytes | None:
                payload = load(tx, ref, to)
                if payload is not None:
                    self.carried.append((name, to, json.loads(payload)))
                return payload

            node.dossiers.load = heard  # type: ignore[method-assign]

    def node(self, name: str) -> Node:
        return self.f.nodes[name]

    def id(self, name: str) -> NodeId:
        return self.f.nodes[name].node_id

    def state(self, name: str = "rabat") -> DossierState:
        return self.node(name).dossiers.state(self.dossier)

    @property
    def now(self) -> datetime:
        return self.f.clock()

    def act(self, name: str, act: str, *parts: dict[str, Any], pump: bool = True, **facts: Any) -> EntryId:
        """An officer's act, delivered to all."""
        body: dict[str, Any] = {"type": act, "facts": facts, "parts": list(parts)}
        entry = self.node(name).dossiers.append(self.dossier, body, self.f.officers[name])
        if pump:
            self.f.pump()
        return entry

    def write(self, name: str, body: dict[str, Any]) -> EntryId:
        entry = self.node(name).dossiers.append(self.dossier, body, self.f.officers[name])
        self.f.pump()
        return entry

    def refused(self, name: str, act: str, *parts: dict[str, Any], **facts: Any) -> str:
        """What the node tells an officer who may not do this now; nothing is written."""
        before = len(self.state(name).entries)
        with pytest.raises(TansiqError) as failure:
            self.act(name, act, *parts, **facts)
        assert len(self.state(name).entries) == before
        return f"{failure.value.code}: {failure.value.message}"

    def later(self, **by: float) -> None:
        self.f.clock.pass_time(timedelta(**by))
        self.f.pump()

    def at(self, when: datetime) -> None:
        """Let the time pass until then."""
        assert when >= self.now
        self.f.clock.pass_time(when - self.now)
        self.f.pump()

    def owed(self, code: str = "") -> dict[str, list[Duty]]:
        """What each service owes now, as each node says of all; all nodes say the same."""
        kind = self.state().kind
        seen = []
        for node in self.f.nodes.values():
            if node.node_id in self.state().members:
                found = [d for d in node.dossiers.duties(dossier=self.dossier) if d.code.startswith(f"{kind}.{code}")]
                seen.append(sorted(found, key=repr))
        assert all(found == seen[0] for found in seen)
        return {name: mine for name in self.f.nodes if (mine := [d for d in seen[0] if d.owner == self.id(name)])}

    def who(self, code: str) -> set[str]:
        return set(self.owed(code))

    def due(self, name: str, code: str) -> datetime:
        (duty,) = self.owed(code)[name]
        assert duty.due_at is not None
        return duty.due_at

    @contextmanager
    def lawless(self, name: str) -> Iterator[None]:
        """This node's own rules of the kind forbid nothing, as those of a hostile service."""
        wiring = self.node(name).dossiers._w
        kind = KINDS[self.state().kind]
        lax = replace(kind, check=lambda _state, _entry: "")
        self._rules(wiring, {**KINDS, kind.name: lax})
        try:
            yield
        finally:
            self._rules(wiring, KINDS)

    def _rules(self, wiring: Any, kinds: Any) -> None:
        object.__setattr__(wiring, "kinds", kinds)
        object.__setattr__(wiring, "standings", Standings(wiring.store))

    def holds(self) -> None:
        """What must be true of any story at its end: one shared view, and ledgers that verify."""
        nodes = [n for n in self.f.nodes.values() if n.node_id in self.state().members]
        assert len({shared_view(n, self.dossier) for n in nodes}) == 1
        assert outside_the_diagram(self.state()) == set(), "a state that the documents do not show"
        for node in nodes:
            report = node.ledger.verify()
            assert (report.broken_at, report.checked) == (None, report.size)
