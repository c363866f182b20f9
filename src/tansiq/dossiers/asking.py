"""Whom to ask for entries that others name and we lack, and how often. Memory of this process; no database.

Hazard: parents are named by whoever writes. An author that invents them must not make us busy, nor make us bother the
other members: so it is asked itself first, the others later, and only for a few at a time.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from tansiq.dossiers.model import DossierState
from tansiq.dossiers.rules import OUTSIDE
from tansiq.terms import DossierId, EntryId, NodeId

MOST_ASKED = 8
"""Missing entries that one author's naming makes us ask for in one dossier, until they come or `ASK_AGAIN` is over."""
ASK_OTHERS = timedelta(minutes=5)
"""Its author may lack it as we do: whoever else may have written it is asked after this time."""
ASK_AGAIN = timedelta(hours=6)
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Asked:
    """One missing entry: when its naming author was asked, and whether the other members were too."""

    since: datetime
    others: bool


Slots = dict[NodeId, dict[EntryId, Asked]]
"""By naming author."""


@dataclass(frozen=True, slots=True)
class Due:
    """(Node to ask, missing entry) now, and whether there is more to ask for later."""

    asks: tuple[tuple[NodeId, EntryId], ...]
    later: bool
    slots: Slots


class Asking:
    """What was asked for. Written by who writes alone; a reader sees one state or the next."""

    def __init__(self) -> None:
        self._asked: OrderedDict[DossierId, Slots] = OrderedDict()

    def due(self, state: DossierState, me: NodeId, now: datetime) -> Due:
        """What to ask for now. Remembers nothing: the asking may still be rolled back."""
        before, after = self._asked.get(state.id, {}), Slots()
        asks: list[tuple[NodeId, EntryId]] = []
        for author, missing in _named_by(state).items():
            others = [n for n in state.members if n not in (author, me)]
            there = author in state.members
            slots = {e: a for e, a in before.get(author, {}).items() if e in missing and now - a.since < ASK_AGAIN}
            for entry in missing:
                asked = slots.get(entry)
                if asked is None and len(slots) < MOST_ASKED:
                    slots[entry] = Asked(now, others=not there)
                    asks += [(n, entry) for n in ([author] if there else others)]
                elif asked is not None and not asked.others and now - asked.since >= ASK_OTHERS:
                    slots[entry] = Asked(asked.since, others=True)
                    asks += [(n, entry) for n in others]
            after[author] = slots
        later = any(not a.others for slots in after.values() for a in slots.values())
        return Due(tuple(asks), later, after)

    def note(self, dossier: DossierId, due: Due) -> None:
        """The asking is committed."""
        self._asked[dossier] = due.slots
        self._asked.move_to_end(dossier)
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)


def _named_by(state: DossierState) -> dict[NodeId, list[EntryId]]:
    """Missing entries by whose entries name them. What stands outside names nothing: nobody builds upon it."""
    outside = {m.entry for m in state.marks if m.code in OUTSIDE}
    wanted = set(state.missing)
    found: dict[NodeId, dict[EntryId, None]] = defaultdict(dict)
    for entry in state.entries if wanted else ():
        if entry.id not in outside:
            found[entry.statement.author].update((p, None) for p in entry.statement.parents if p in wanted)
    return {author: list(entries) for author, entries in found.items() if entries}
