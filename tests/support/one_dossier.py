"""One dossier on whole nodes: acts in few words, duties by their code, and a partner that keeps no rule."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tansiq.access.model import Acting, Role
from tansiq.dossiers.model import DossierState, Duty, Kind, Mark, Part
from tansiq.dossiers.standing import Standings
from tansiq.node import Node
from tansiq.terms import EntryId, NodeId
from tests.support.services import NAMES, Federation, shared_view

TRANSFER = "binding_instrument_37a"


def text(kind: str, words: str, *hidden_from: str, lang: str = "en") -> dict[str, Any]:
    part: dict[str, Any] = {"kind": kind, "lang": lang, "text": words}
    return part | ({"withhold_from": list(hidden_from)} if hidden_from else {})


def person(name: str, role: str, **claims: str) -> dict[str, Any]:
    """An invented person, as fact, graded B2."""
    found = {"name": name, **claims}
    rows = [{"property": p, "value": v, "basis": "fact", "grade": "B2"} for p, v in found.items()]
    return {"kind": "entity", "entity": {"id": "p1", "schema": "Person", "role": role, "claims": rows}}


def ground(agreement: str | dict[str, str], erase_on: date, purpose: str = "prevention", **more: str) -> dict[str, Any]:
    """A legal ground of an example law, reviewed two months before the erasure."""
    return {
        "purpose": purpose,
        "legal_basis": "Example law, art. 12",
        "agreement": agreement,
        "review_on": (erase_on - timedelta(days=60)).isoformat(),
        "erase_on": erase_on.isoformat(),
        **more,
    }


@dataclass
class Scene:
    """One dossier on the nodes of a federation. `body` of an act: its legal ground, `second` for another officer."""

    f: Federation
    dossier: str = ""
    opener: str = ""

    def node(self, name: str) -> Node:
        return self.f.nodes[name]

    def id(self, name: str) -> NodeId:
        return self.node(name).node_id

    def open(self, name: str, kind: str, to: list[str], facts: dict[str, Any], *parts: Any, **body: Any) -> EntryId:
        """Its opening, sent; `second=True` where another officer confirms it."""
        by = self.f.officers[name + "+second" * bool(body.pop("second", False))]
        opening = {"facts": facts, "parts": list(parts), **body}
        self.dossier, self.opener = self.node(name).dossiers.open(kind, opening, to, by), name
        self.f.pump()
        return self.state(name).entries[0].id

    def act(self, name: str, act: str, *parts: Any, body: dict[str, Any] | None = None, **facts: Any) -> EntryId:
        """An act of the dossier's kind (with a dot: any), sent on."""
        more = dict(body or {})
        by = self.f.officers[name + "+second" * bool(more.pop("second", False))]
        full = act if "." in act else f"{self.state(name).kind}.{act}"
        written = {"type": full, "facts": facts, "parts": list(parts), **more}
        made = self.node(name).dossiers.append(self.dossier, written, by)
        self.f.pump()
        return made

    def state(self, name: str) -> DossierState:
        return self.node(name).dossiers.state(self.dossier)

    def parts(self, name: str) -> list[Part]:
        return [p for e in self.state(name).entries for p in e.parts]

    def owed(self, code: str, at: str = "rabat") -> dict[str, Duty]:
        """Who owes this now, as one node sees it: service -> its duty."""
        found = [d for d in self.node(at).dossiers.duties(dossier=self.dossier) if d.code == code]
        return {next(n for n in self.f.nodes if self.id(n) == d.owner): d for d in found}

    def open_duties(self, at: str) -> list[str]:
        """What anybody owes now, as one node sees it; the review of the whole dossier apart."""
        return [d.code for d in self.node(at).dossiers.duties(dossier=self.dossier) if d.code != "dossier.review"]

    def wait(self, **length: float) -> None:
        self.f.clock.pass_time(timedelta(**length))
        self.f.pump()

    def marks(self, at: str, entry: EntryId) -> list[Mark]:
        return [m for m in self.state(at).marks if m.entry == entry]

    def supervisor(self, name: str) -> Acting:
        second = self.f.officers[f"{name}+second"].second
        assert second is not None
        return Acting(second, frozenset((Role.SUPERVISOR,)), "investigation", "the dossier has ended")

    def members(self) -> list[str]:
        there = self.state(self.opener).members
        return [n for n in NAMES if n in self.f.nodes and self.id(n) in there]

    def agree(self) -> None:
        """Every member has the same dossier and says that the same is owed, and every ledger still verifies."""
        names = self.members()
        assert len({shared_view(self.node(n), self.dossier) for n in names}) == 1
        duties = {n: sorted(map(repr, self.node(n).dossiers.duties(dossier=self.dossier))) for n in names}
        assert len({tuple(d) for d in duties.values()}) == 1, duties
        for name in names:
            assert self.node(name).ledger.verify().broken_at is None

    @contextmanager
    def lawless(self, name: str) -> Iterator[None]:
        """A node whose owner took the life cycle out: it writes, signs and sends what ours would refuse."""
        wiring = self.node(name).dossiers._w
        kinds, kind = wiring.kinds, self.state(name).kind
        _swap(wiring, {**kinds, kind: _without_rules(kinds[kind])})
        try:
            yield
        finally:
            _swap(wiring, kinds)


def _without_rules(kind: Kind) -> Kind:
    acts = tuple(replace(a, by="member", before=()) for a in kind.acts)
    return replace(
        kind,
        acts=acts,
        check=lambda _state, _entry: "",
        step=lambda state, _entry: (state.phase, state.own),
        has_signed=lambda *_: True,
    )


def _swap(wiring: Any, kinds: Any) -> None:
    object.__setattr__(wiring, "kinds", kinds)
    object.__setattr__(wiring, "standings", Standings(wiring.store))
