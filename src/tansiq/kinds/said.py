"""What entries say in words, and small readings of facts: for the views that kinds give of themselves. Pure.

A view is made from the fold and from `now`. It names the entry of every value, so that the page can lead there, and
tells what is withheld, what is erased and what nobody said apart from one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tansiq.dossiers.model import DossierState, Entry, Presence
from tansiq.errors import TansiqError
from tansiq.terms import EntryId, NodeId, parse_instant


@dataclass(frozen=True, slots=True)
class Said:
    """The words of one part of an entry, as this node has them."""

    entry: EntryId
    text: str = ""
    lang: str = ""
    presence: str = ""
    """held, withheld or erased; empty: its author wrote no such part."""


class Reading:
    """A state of which much is read: its entries by id, and its acts by what they name, each gone through once.

    Hazard: a view that looks through all entries for each of its items costs the square of what a partner writes.
    """

    def __init__(self, state: DossierState) -> None:
        void = state.voided()
        self._entries = {e.id: e for e in reversed(state.entries)}
        self._naming: dict[tuple[str, str, str], list[tuple[int, Entry]]] = {}
        for place, e in enumerate(state.entries):
            for field in ("about", "meeting"):
                named = e.statement.facts.get(field)
                if isinstance(named, str) and e.id not in void:
                    self._naming.setdefault((field, e.statement.type, named), []).append((place, e))

    def said(self, entry: EntryId, *kinds: str) -> Said:
        """As the function `said`."""
        return _words(self._entries.get(entry), entry, kinds)

    def naming(self, what: str, *types: str, field: str = "about") -> list[Entry]:
        """The entries of these acts that count and name it in that field of their facts, in the dossier's order."""
        found = [pair for t in types for pair in self._naming.get((field, t, what), ())]
        return [e for _place, e in sorted(found, key=lambda pair: pair[0])]


def said(state: DossierState, entry: EntryId, *kinds: str) -> Said:
    """The first part of these kinds that the entry has; what is held goes before what is not."""
    return _words(state.entry(entry), entry, kinds)


def _words(found: Entry | None, entry: EntryId, kinds: tuple[str, ...]) -> Said:
    parts = [p for kind in kinds for p in (found.parts if found else ()) if p.ref.kind == kind]
    for part in parts:
        if part.content is not None and part.content.get("text"):
            return Said(entry, str(part.content["text"]), str(part.content.get("lang", "")), str(Presence.HELD))
    absent = next((p for p in parts if p.content is None), None)
    return Said(entry, presence=str(absent.presence) if absent else "")


def acts(state: DossierState, *types: str) -> Iterator[Entry]:
    """The entries of these acts that count, in the dossier's order."""
    void = state.voided()
    return (e for e in state.entries if e.statement.type in types and e.id not in void)


def newest(state: DossierState, act: str, author: NodeId | None = None) -> Entry | None:
    """The last entry of an act that counts; of one author where one is named."""
    found = [e for e in acts(state, act) if author is None or e.statement.author == author]
    return found[-1] if found else None


def instant(facts: Mapping[str, Any], name: str) -> datetime | None:
    """The instant that a fact tells; None where it tells none."""
    try:
        return parse_instant(str(facts.get(name) or ""))
    except TansiqError:
        return None


def is_late(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and now > due_at
