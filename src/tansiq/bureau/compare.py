"""All standing queries at once against one thing that came: names, numbers, words. Pure.

The queries are the register and what came is the question, so the cost of an entry follows its own words and hardly the
number of queries: names are looked up in one `NameIndex`, words and numbers in one table by their first token.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tansiq.bureau.model import Watch, WatchKind
from tansiq.bureau.search import texts_of
from tansiq.matching import NameIndex, read_words

NAME_FLOOR = 0.75
"""A near name: an officer reads the notice and decides; a machine makes no hit."""
NEAR = 16
"""How many near queries one name is told of."""
SPREAD = 2
"""Words that may stand between those of a name in a running text."""
MAX_NAMES = 200
TAIL = 8
NAMES = ("name", "alias", "weakAlias", "previousName")
_PLAIN = re.compile(r"[^0-9a-z]")


@dataclass(frozen=True, slots=True)
class Met:
    """A standing query and the words that met it."""

    watch: str
    what: str
    score: float


def plain_number(text: str) -> str:
    return _PLAIN.sub("", text.casefold())


class Compared:
    """The standing queries of this moment, made ready."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self._names = NameIndex()
        self._owner: list[str] = []
        self._numbers: defaultdict[str, list[str]] = defaultdict(list)
        self._first: defaultdict[str, list[tuple[str, tuple[frozenset[str], ...], bool]]] = defaultdict(list)
        named: list[str] = []
        for watch in watches:
            if watch.kind is WatchKind.NUMBER:
                self._number(watch)
                continue
            if watch.kind is WatchKind.NAME:
                named.append(watch.text)
                self._owner.append(watch.id)
            self._words(watch)
        if named:
            self._names.build(named)

    def _number(self, watch: Watch) -> None:
        number = plain_number(watch.text)
        self._numbers[number].append(watch.id)
        if number.isdigit() and len(number) >= TAIL:
            self._numbers[f"~{number[-TAIL:]}"].append(watch.id)

    def _words(self, watch: Watch) -> None:
        words = tuple(frozenset(t for t in (w.spelled, w.sound) if t) for w in read_words(watch.text))
        for token in words[0] if words else ():
            self._first[token].append((watch.id, words, watch.kind is WatchKind.NAME))

    def meet(self, content: Mapping[str, Any]) -> list[Met]:
        """Every query that this part or record meets, once, with its best meeting."""
        best: dict[str, Met] = {}
        for met in (*self._near_names(content), *self._same_numbers(content), *self._same_words(content)):
            if met.watch not in best or best[met.watch].score < met.score:
                best[met.watch] = met
        return list(best.values())

    def _claims(self, content: Mapping[str, Any]) -> list[tuple[str, str]]:
        entity = content.get("entity")
        claims = entity.get("claims", ()) if isinstance(entity, Mapping) else ()
        if not isinstance(claims, list | tuple):  # a draft is as its officer left it
            return []
        return [(str(c.get("property", "")), str(c.get("value", ""))) for c in claims if isinstance(c, Mapping)]

    def _near_names(self, content: Mapping[str, Any]) -> list[Met]:
        if not self._owner:
            return []
        found = []
        for prop, value in self._claims(content)[:MAX_NAMES]:
            if prop in NAMES:
                for at, score in self._names.search(value, NEAR):
                    if score >= NAME_FLOOR:
                        found.append(Met(self._owner[at], value, round(score, 3)))
        return found

    def _same_numbers(self, content: Mapping[str, Any]) -> list[Met]:
        if not self._numbers:
            return []
        asked: dict[str, str] = {}
        for _prop, value in self._claims(content):
            asked.setdefault(plain_number(value), value)
        for text in texts_of(content):
            for piece in text.split():
                asked.setdefault(plain_number(piece), piece)
            for word in read_words(text):
                if word.spelled.startswith("#"):
                    asked.setdefault(word.spelled[1:], text[word.begin : word.end])
        found = []
        for number, value in asked.items():
            tail = f"~{number[-TAIL:]}" if number.isdigit() and len(number) >= TAIL else ""
            found += [Met(w, value, 1.0) for w in self._numbers.get(number, ())]
            found += [Met(w, value, 0.9) for w in self._numbers.get(tail, ())] if tail else []
        return found

    def _same_words(self, content: Mapping[str, Any]) -> list[Met]:
        if not self._first:
            return []
        found = []
        for text in texts_of(content):
            words = list(read_words(text))
            places: defaultdict[str, list[int]] = defaultdict(list)
            for at, word in enumerate(words):
                for token in {t for t in (word.spelled, word.sound) if t}:
                    places[token].append(at)
            candidates = {c for token in places.keys() & self._first.keys() for c in self._first[token]}
            for watch, wanted, together in candidates:
                ends = _stand(wanted, places, together=together)
                if ends is not None:
                    found.append(Met(watch, text[words[ends[0]].begin : words[ends[1]].end][:200], 0.7))
        return found


def _stand(
    wanted: tuple[frozenset[str], ...], places: Mapping[str, list[int]], *, together: bool
) -> tuple[int, int] | None:
    """Where the words stand: a name's beside one another, others anywhere in the text; None where one is missing."""
    at = [sorted({p for token in tokens for p in places.get(token, ())}) for tokens in wanted]
    if not all(at):
        return None
    if not together:
        return at[0][0], at[0][0]
    reach = len(wanted) + SPREAD
    for first in at[0]:
        near = [[p for p in row if abs(p - first) < reach] for row in at]
        if all(near):
            chosen = [row[0] for row in near]
            return min(first, *chosen), max(first, *chosen)
    return None
