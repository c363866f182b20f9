"""Unsigned entries for pure tests: what the fold takes, built by simulated members that see only what reached them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tansiq.dossiers.model import Entry, Kind, Legal, Part, PartRef, Presence, Statement
from tansiq.dossiers.rules import fold
from tansiq.dossiers.wire import dossier_id, entry_id, statement_to_bytes
from tansiq.terms import DossierId, Handling, NodeId, PartId

START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
RABAT = NodeId("ma-" + "r" * 20)
MADRID = NodeId("es-" + "m" * 20)
BERLIN = NodeId("de-" + "b" * 20)
LISBON = NodeId("pt-" + "l" * 20)
LEGAL = Legal("prevention", "example law", {"*": "example"}, "", "2027-05-02", "2029-11-02")


def make(statement: Statement) -> Entry:
    parts = tuple(Part(ref, Presence.WITHHELD, None) for ref in statement.parts)
    return Entry(entry_id(statement_to_bytes(statement)), statement, parts)


class Desk:
    """One member's view of one dossier: writes on top of what it has seen."""

    def __init__(self, node: NodeId, kind: Kind) -> None:
        self.node = node
        self.kind = kind
        self.seen: dict[str, Entry] = {}
        self.dossier = DossierId("")

    def open(
        self, to: tuple[NodeId, ...], facts: dict[str, Any] | None = None, at: datetime = START, nonce: str = "n"
    ) -> Entry:
        self.dossier = dossier_id(self.node, nonce)
        members = tuple(sorted({self.node, *to}))
        entry = make(
            Statement(
                self.dossier,
                self.kind.name,
                self.kind.opening.type,
                self.node,
                "o-1",
                0,
                at,
                (),
                to,
                Handling.parse([]),
                LEGAL,
                facts or {},
                (),
                members,
                nonce,
            )
        )
        self.seen[entry.id] = entry
        return entry

    def write(self, act: str, facts: dict[str, Any] | None = None, at: datetime | None = None, **change: Any) -> Entry:
        state = self.state()
        newest = max((e.statement for e in state.entries if e.id in state.heads), key=lambda s: s.clock)
        entry = make(
            replace(
                Statement(
                    self.dossier,
                    self.kind.name,
                    act,
                    self.node,
                    "o-1",
                    newest.clock + 1,
                    at or newest.at + timedelta(minutes=1),
                    tuple(sorted(state.heads)),
                    tuple(n for n in state.members if n != self.node),
                    Handling.parse([]),
                    LEGAL,
                    facts or {},
                    (),
                ),
                **change,
            )
        )
        self.seen[entry.id] = entry
        return entry

    def see(self, *entries: Entry) -> None:
        for entry in entries:
            self.dossier = entry.statement.dossier
            self.seen[entry.id] = entry

    def state(self):  # the fold's own type
        return fold(self.dossier, self.seen.values(), self.kind)


def part_ref(n: int) -> PartRef:
    return PartRef(PartId(f"p-{n:064x}"), "narrative", 10)
