"""Search over dossiers: an index of words in memory, made from the store and following it.

No index at rest: words that lie in a database beside their parts, even as keyed marks, tell by their frequencies what a
text is about, and they must be erased with each part (ADR 13). Reading 100,000 parts takes seconds, once per process: a
serving node does it beside its work (`read_beside`), and says of each search how far it had come.
"""

from __future__ import annotations

import threading
import time
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from heapq import heappush, heappushpop, merge
from typing import Any

from tansiq.bureau.model import Place
from tansiq.errors import Invalid
from tansiq.matching import read_tokens, read_words
from tansiq.terms import DossierId, EntryId, PartId, format_instant, parse_instant

MAX_PARTS = 300_000
"""About 1 GB of memory at 150 words a part; the oldest are let go beyond it, and answers say so."""
MAX_QUERY = 12
OVERLAP = timedelta(minutes=5)
"""Another process may commit what it began before what was seen: that far back is looked again."""
SPELLED, SOUNDS = 1.0, 0.6
SNIPPET = 160
SLICE = 64
"""Dossiers that are read while the lock is held: some 20 ms. A search waits no longer for the next slice."""

Key = tuple[EntryId, PartId]
Changed = Callable[[str, str, int], Sequence[tuple[DossierId, str, Hashable]]]
"""(since, last, so many) -> dossiers that changed, with the instant and a mark that no two contents of theirs have in
common; the oldest change first, with `last` from behind that dossier of the very instant."""
Contents = Callable[
    [Mapping[DossierId, Mapping[Key, int]]],
    Mapping[DossierId, tuple[dict[Key, int], list[tuple[EntryId, PartId, Mapping[str, Any]]]]],
]
"""dossier -> what is known of its parts -> (its parts with their sizes, the contents that are new, or now smaller)."""


def texts_of(content: Mapping[str, Any]) -> Iterator[str]:
    """What a person may look for in a part."""
    if content.get("kind") == "entity":
        entity = content.get("entity")
        claims = entity.get("claims", ()) if isinstance(entity, Mapping) else ()
        yield from (str(c.get("value", "")) for c in claims if isinstance(c, Mapping))
        return
    yield from (str(content[k]) for k in ("title", "text") if content.get(k))


class Search:
    """Thread-safe. Follows commits, its own process's and others'."""

    def __init__(self, changed: Changed, contents: Contents, most: int = MAX_PARTS) -> None:
        self._changed = changed
        self._contents = contents
        self._most = most
        self._lock = threading.Lock()
        self._parts: dict[int, tuple[DossierId, EntryId, PartId]] = {}
        self._number: dict[DossierId, dict[Key, int]] = {}
        self._size: dict[DossierId, dict[Key, int]] = {}
        self._at: dict[DossierId, tuple[str, Hashable]] = {}
        self._met: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        self._last = ""
        self._place = ("", "")
        """How far a reading has come that is not at its end: instant and dossier."""
        self._is_beside = False
        """Whether a thread reads what is there already; searches do not wait for it."""
        self._next = 0
        self.complete = True
        """False once more parts are held than the index may hold."""

    def refresh(self) -> int:
        """Read what has come since, to its end. Returns how many parts were read."""
        count, more = 0, True
        while more:
            fresh, more = self._slice()
            count += fresh
        return count

    def read_beside(self, rest: Callable[[float], bool]) -> None:
        """Read what is held already, beside other work: between two slices `rest(seconds)` as long as the one took.

        Where that says False the reading ends as it is. What comes later is read by whoever searches, and is little.
        """
        self._is_beside = True
        try:
            more = True
            while more:
                began = time.monotonic()
                _, more = self._slice()
                if not rest(time.monotonic() - began):
                    return
        finally:
            self._is_beside = False

    def searched(self) -> int | None:
        """How many dossiers have been read while not all have been; else None."""
        return len(self._at) if self._is_beside else None

    def _slice(self) -> tuple[int, bool]:
        """The next dossiers: how many parts were read, and whether there are more dossiers."""
        with self._lock:
            since, last = self._place if self._place[1] else (self._since(), "")
            changed = self._changed(since, last, SLICE)
            stale = [dossier for dossier, *mark in changed if self._at.get(dossier) != tuple(mark)]
            count = self._read(stale) if stale else 0
            for dossier, at, mark in changed:
                self._last = max(self._last, at)
                self._at[dossier] = (at, mark)
            more = len(changed) == SLICE
            self._place = (changed[-1][1], changed[-1][0]) if more else ("", "")
            self._let_go()
            return count, more

    def _since(self) -> str:
        return format_instant(parse_instant(self._last) - OVERLAP) if self._last else ""

    def _read(self, dossiers: Sequence[DossierId]) -> int:
        found = self._contents({d: self._size.get(d, {}) for d in dossiers})
        return sum(self._take_in(dossier, *found[dossier]) for dossier in dossiers)

    def _take_in(
        self, dossier: DossierId, held: dict[Key, int], fresh: list[tuple[EntryId, PartId, Mapping[str, Any]]]
    ) -> int:
        known = self._number.setdefault(dossier, {})
        before = self._size.get(dossier, {})
        # What was erased; and that of which single values were, whose words are read anew.
        for key in [k for k in known if held.get(k) != before.get(k)]:
            self._parts.pop(known.pop(key), None)
        self._size[dossier] = held
        for entry, part, content in fresh:
            number = known[(entry, part)] = self._next
            self._next += 1
            self._parts[number] = (dossier, entry, part)
            for token in {t for text in texts_of(content) for t in read_tokens(text)}:
                self._met[token].append(number)
        return len(fresh)

    def _let_go(self) -> None:
        while len(self._parts) > self._most:
            self.complete = False
            number = next(iter(self._parts))
            dossier, entry, part = self._parts.pop(number)
            # The key stays known, so that it is not read again; only its words are found no more.
            self._number[dossier][(entry, part)] = number

    def forget(self, dossier: DossierId, entry: EntryId, part: PartId) -> None:
        """At once, when it was erased."""
        with self._lock:
            number = self._number.get(dossier, {}).pop((entry, part), None)
            self._size.get(dossier, {}).pop((entry, part), None)
            # What is left of it is read with the next refresh, whatever the dossier's mark says.
            self._at.pop(dossier, None)
            if number is not None:
                self._parts.pop(number, None)

    def find(self, text: str, limit: int, *, whole: bool = True) -> list[Place]:
        """Parts that have every word asked for, spelled so or sounding so; best first, the newest first among equals.

        While another thread reads what is held, who does not want the `whole` is answered from what it has read
        (`searched`). Raises `Invalid` where nothing can be looked for.
        """
        asked = query_words(text)
        if whole or not self._is_beside:
            self.refresh()
        with self._lock:
            return [Place(*self._parts[n], score) for score, n in self._best(asked, limit)]

    def _best(self, asked: list[tuple[str, str]], limit: int) -> list[tuple[float, int]]:
        """The best of them, by the word that stands in the fewest parts; from the newest back, until none that is
        older could be among them."""
        met = [
            (self._met.get(spelled, _NONE), self._met.get(sound, _NONE) if sound else _NONE) for spelled, sound in asked
        ]
        most = sum(SPELLED if spelled else SOUNDS for spelled, _ in met) / len(met)
        best: list[tuple[float, int]] = []
        last = -1
        rarest = min(met, key=lambda pair: len(pair[0]) + len(pair[1]))
        for n in merge(reversed(rarest[0]), reversed(rarest[1]), reverse=True):
            if n == last or n not in self._parts:
                continue
            last = n
            scores = [SPELLED if _has(pair[0], n) else SOUNDS if _has(pair[1], n) else 0.0 for pair in met]
            if not all(scores):
                continue
            (heappush if len(best) < limit else heappushpop)(best, (sum(scores) / len(scores), n))
            if len(best) == limit and best[0][0] >= most:
                break
        return sorted(best, reverse=True)


_NONE: array[int] = array("I")


def _has(numbers: array[int], n: int) -> bool:
    """They stand in their order: each part was read after those before it."""
    at = bisect_left(numbers, n)
    return at < len(numbers) and numbers[at] == n


def query_words(text: str) -> list[tuple[str, str]]:
    """The words of a question, each once. Raises `Invalid`."""
    if not 2 <= len(text.strip()) <= 200:
        raise Invalid("search.length", "write 2 to 200 characters", step="read the search", field="words")
    found = list(dict.fromkeys((w.spelled, w.sound) for w in read_words(text)))[:MAX_QUERY]
    if not found:
        raise Invalid("search.words", "nothing that can be looked for", step="read the search", field="words")
    return found


def snippet(content: Mapping[str, Any], asked: Iterable[tuple[str, str]]) -> str:
    """The place in a part where the first of the words stands, with what is around it; empty where it is gone."""
    wanted = {t for pair in asked for t in pair if t}
    for text in texts_of(content):
        for word in read_words(text):
            if wanted & {word.spelled, word.sound}:
                begin = max(0, word.begin - SNIPPET // 3)
                end = begin + SNIPPET
                return ("…" if begin else "") + text[begin:end].strip() + ("…" if len(text) > end else "")
    return ""
