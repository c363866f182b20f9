"""Which entries of a dossier stand on its page, and how much of each. Pure.

How many entries a dossier has, and how long they are, its members decide: an entry of 3 MB is a valid one. What a page
weighs is the node's affair. So entries stand in pages, and what is long is shortened, in the order in which it is
read; each that is shortened says so and leads to the page on which it stands whole.

Rejected: to leave the whole text in a folded element. It is shorter to look at and weighs as much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from tansiq.dossiers.model import Entry, Part, Statement
from tansiq.web.views import EntryView

PAGE = 50
"""Entries of a page; the last one has from half as many to one and a half times as many."""
PAGE_LETTERS = 240_000
"""Letters of all entries of a page; what comes behind them is shown by its first words."""
ENTRY_LETTERS = 12_000
"""Letters of one entry: about four printed pages."""
LEAST_LETTERS = 800
"""What every entry is given, however much stands before it."""
ROW_LETTERS = 150
"""What a value, a link or a part weighs besides its letters."""
MOST_NAMED = 24
"""Entries that it follows, and addressees that it names."""
MOST_AGREEMENTS = 8
LONGEST_BESIDE = 4_000
"""Letters of a text that stands beside another."""
MOST_CAVEAT = 2_000
"""Letters of a restriction: it stands whole on the page that is confirmed before the dossier is read."""
MOST_CODE = 80
"""Letters of what should be a code."""
NEAR = 2
"""Pages before and after this one whose numbers are links."""


@dataclass(frozen=True)
class Leaf:
    """One page of a dossier's entries. Pages count from 1, the oldest entries first."""

    number: int
    pages: int
    first: int
    """The place of its first entry in the dossier, from 1."""
    entries: tuple[Entry, ...]
    total: int

    @property
    def last(self) -> int:
        return self.first + len(self.entries) - 1

    @property
    def near(self) -> tuple[int, ...]:
        return tuple(n for n in range(self.number - NEAR, self.number + NEAR + 1) if 1 <= n <= self.pages)

    def holds(self, entry: str) -> bool:
        return any(e.id == entry for e in self.entries)


def leaf(entries: Sequence[Entry], asked: int | None = None, named: str = "") -> Leaf:
    """The page that an entry stands on; else the one that was asked for; else the newest.

    A number beyond the last page, from an address that was kept, is the last: an empty page would say that nothing is
    there.
    """
    pages = max(1, (len(entries) + PAGE // 2) // PAGE)
    place = next((n for n, e in enumerate(entries) if e.id == named), None) if named else None
    if place is not None:
        number = min(place // PAGE + 1, pages)
    else:
        number = pages if asked is None else min(max(asked, 1), pages)
    start = (number - 1) * PAGE
    end = len(entries) if number == pages else start + PAGE
    return Leaf(number, pages, start + 1, tuple(entries[start:end]), len(entries))


@dataclass(frozen=True)
class Excerpt(EntryView):
    """An entry with as much of it as fits; `cut`: it does not all stand here."""

    said: Statement
    """What is shown of its statement: nothing is verified by it."""
    cut: bool


def excerpts(found: Iterable[EntryView], whole: str = "") -> list[Excerpt]:
    """The entries of a page, in its order; `whole` stands there uncut."""
    left, made = PAGE_LETTERS, []
    for view in found:
        if view.entry.id == whole:
            made.append(uncut(view))
            continue
        room = _Room(max(LEAST_LETTERS, min(ENTRY_LETTERS, left)))
        made.append(_shortened(view, room))
        left -= room.used
    return made


def uncut(view: EntryView) -> Excerpt:
    return _excerpt(view, view.parts, view.entry.statement)


def _excerpt(view: EntryView, parts: tuple[Part, ...], said: Statement) -> Excerpt:
    own = {f.name: getattr(view, f.name) for f in fields(EntryView)} | {"parts": parts}
    return Excerpt(**own, said=said, cut=parts != view.parts or said != view.entry.statement)


def beginning(content: Mapping[str, Any], letters: int = LONGEST_BESIDE) -> Mapping[str, Any]:
    """A text by its beginning."""
    return {**content, "text": _Room(letters).text(str(content.get("text", "")))}


class _Room:
    """How many letters may still be shown."""

    def __init__(self, letters: int) -> None:
        self.left = letters
        self.used = 0

    def take(self, letters: int) -> bool:
        """Whether so many fit; only then they are taken."""
        if letters > self.left:
            return False
        self.left -= letters
        self.used += letters
        return True

    def text(self, text: str, most: int = ENTRY_LETTERS) -> str:
        """As much of a text as fits, up to a space where one is near the end."""
        if len(text) <= most and self.take(len(text)):
            return text
        first = text[: min(self.left, most)]
        at = first.rfind(" ", max(0, len(first) - 80))
        first = first[:at] if at > 0 else first
        self.take(len(first))
        return f"{first} …"


def _shortened(view: EntryView, room: _Room) -> Excerpt:
    said = _said(view.entry.statement, room)
    parts: list[Part] = []
    for part in view.parts:
        if not room.take(ROW_LETTERS):
            break
        parts.append(_part(part, room))
    return _excerpt(view, tuple(parts), said)


def _said(s: Statement, room: _Room) -> Statement:
    """Facts that do not fit are left out, texts and lists end early; what may be done with it comes first."""
    handling = replace(s.handling, text=room.text(s.handling.text, MOST_CAVEAT))
    legal = replace(
        s.legal,
        legal_basis=room.text(s.legal.legal_basis),
        transfer_basis=s.legal.transfer_basis[:MOST_CODE],
        agreements={c: a[:MOST_CODE] for c, a in list(s.legal.agreements.items())[:MOST_AGREEMENTS]},
    )
    return replace(
        s,
        legal=legal,
        handling=handling,
        facts={name: value for name, value in s.facts.items() if room.take(_weight(name, value))},
        parents=s.parents[:MOST_NAMED],
        addressees=s.addressees[:MOST_NAMED],
    )


def _weight(name: str, value: object) -> int:
    """Of a fact. A table of many small values weighs more than its letters."""
    return ROW_LETTERS + len(name) + _grown(value)


def _grown(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    text = json.dumps(value, ensure_ascii=False)
    return len(text) + ROW_LETTERS * (text.count(",") + 1 if isinstance(value, Mapping | list | tuple) else 0)


def _part(part: Part, room: _Room) -> Part:
    """The part as far as it fits: a text by its beginning, a record by its first values."""
    content = part.content
    if content is None:
        return part
    if part.ref.kind != "entity":
        return replace(part, content={**content, "text": room.text(content["text"])}) if "text" in content else part
    entity, shown = content["entity"], []
    for claim in entity["claims"]:
        if not room.take(ROW_LETTERS + sum(map(len, claim.values()))):
            break
        shown.append(claim)
    return replace(part, content={**content, "entity": {**entity, "claims": shown}})
