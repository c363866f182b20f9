"""A member, or one that was removed, whose node writes what no officer would: many entries, as long as they may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from tansiq import crypto
from tansiq.dossiers.model import Entry, PartRef
from tansiq.dossiers.wire import PAYLOAD_TYPE, delivery_to_bytes, part_content, statement_to_bytes
from tansiq.exchange.model import Item, ItemResult
from tansiq.kinds import KINDS
from tansiq.node import Node
from tansiq.terms import DossierId, Handling, HandlingCode, PartId
from tests.support.entries import LEGAL, Desk, make
from tests.support.services import Federation

SALT = bytes(32)
Contents = dict[PartId, dict[str, Any]]


class Flooder:
    """`name`'s node, writing into one dossier whatever it likes."""

    def __init__(self, f: Federation, name: str, dossier: DossierId) -> None:
        self.node: Node = f.nodes[name]
        state = self.node.dossiers.state(dossier)
        self.desk = Desk(self.node.node_id, KINDS[state.kind])
        self.desk.see(*state.entries)
        self.newest = max((e.statement for e in state.entries), key=lambda s: s.clock)
        self.template = self.desk.write("report.note_added")

    def entry(self, n: int, **change: Any) -> Entry:
        """The n-th of a chain that follows nothing but itself; nothing is folded for it."""
        s = self.template.statement
        return make(replace(s, **{"clock": s.clock + n, "nonce": f"n{n}", **change}))

    def longest(self, n: int, letters: int = 60_000, word: str = "never so many words ") -> tuple[Entry, Contents]:
        """Each of its texts as long as a statement takes, and a part of so many letters."""
        content = {"kind": "note", "lang": "en", "text": f"{n} " + word * (letters // len(word))}
        packed = part_content(content)
        part = PartId(crypto.commit_part("note", SALT, packed))
        invented = tuple(f"e-{n:032x}{k:032x}" for k in range(255))
        handling = Handling.parse([HandlingCode.H3], "do not tell anybody " * 1200)
        entry = self.entry(
            n,
            parents=tuple(sorted((*self.template.statement.parents, *invented))),
            handling=handling,
            legal=replace(LEGAL, legal_basis="an example law of an invented country " * 52),
            facts={f"f{k}": "x" * 500 for k in range(20)},
            parts=(PartRef(part, "note", len(packed)),),
        )
        return entry, {part: content}

    def item(self, entry: Entry, contents: Contents | None = None) -> Item:
        raw = crypto.sign(PAYLOAD_TYPE, statement_to_bytes(entry.statement), self.node.keys.signing, self.node.node_id)
        parts = [(p, SALT, msgspec.Raw(crypto.canonical(c))) for p, c in (contents or {}).items()]
        return Item("entry", entry.id, delivery_to_bytes(raw, parts))

    def file(self, at: Node, entry: Entry, contents: Contents | None = None) -> ItemResult:
        item = self.item(entry, contents)
        return at.store.write(lambda tx: at.dossiers.file(tx, self.node.node_id, item))
