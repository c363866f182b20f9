"""The arrays of a register of names: distinct words, the words of each name, the names that hold each word.

Rules this module keeps:
- a word stands once, as the record that the kernel compares (`kernel/words.h`), without how it was written in one name;
- `arrange` puts the words in an order in which neighbours begin alike, lists the names of each word, and lets go of
  what removed names left behind; words and names that come later stand behind and are looked at one by one;
- positions of names are given out in order and never reused; all arrays grow by being replaced, so a search that runs
  in another thread keeps the ones it began with.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tansiq.matching import kernel
from tansiq.matching.parts import MAX_PARTS

Array = npt.NDArray[Any]

WORD = np.dtype(
    {
        "names": ["start", "gap", "group", "script", "n", "length", "worn", "particle", "units", "letters"],
        "formats": ["(2,24)i2", "(2,22)i2", "u2", "u1", "u1", "u1", "u1", "u1", "(22,)u1", "(40,)u1"],
        "offsets": [0, 96, 188, 190, 191, 192, 195, 196, 220, 242],
        "itemsize": 288,
    }
)
"""What is read here of a word record."""
RECORD = np.dtype((np.void, WORD.itemsize))
"""A whole one: numpy copies the named fields of `WORD` only."""
_TITLE = 2

NODE = np.dtype(
    [
        ("unit", "u1"),
        ("flags", "u1"),
        ("ends", "u2"),
        ("gap", "i2", 2),
        ("start", "i2", 2),
        ("word", "u4"),
        ("child", "u4"),
        ("children", "u2"),
        ("spare", "u2", 5),
        ("below", "u8"),
    ]
)
"""`node` in search.c."""
_OPEN = 2

NAMES, WORDS, PARTS = range(3)
"""Places in `counts`."""

TAIL_NAMES, TAIL_WORDS, SHARE = 2048, 128, 32
"""So many names or words that came later are looked at one by one; of a large register, one in SHARE."""


def _room(held: Array, rows: int) -> Array:
    """The same array with room for at least so many rows."""
    if len(held) >= rows:
        return held
    out = np.zeros((max(rows, 2 * len(held)), *held.shape[1:]), dtype=held.dtype)
    out[: len(held)] = held
    return out


def _size_of_slots(words: int) -> int:
    size = 64
    while size < 2 * words + 4 * MAX_PARTS:
        size *= 2
    return size


class Register:
    """The arrays. Not thread-safe: its owner holds a lock, and hands a search the arrays of now."""

    def __init__(self) -> None:
        self.words: Array = np.zeros(64, dtype=RECORD)
        self.first: Array = np.zeros(65, dtype=np.uint32)
        """Words of name x: held[first[x] : first[x + 1]]."""
        self.held: Array = np.zeros(256, dtype=np.uint32)
        self.sizes: Array = np.zeros(64, dtype=np.uint8)
        """Parts of a name; 0: removed, or nothing to compare."""
        self.counts: Array = np.zeros(3, dtype=np.int64)
        self.listed = 0
        self._slots: Array | None = None
        self._ids: dict[bytes, int] | None = None
        self._unarranged()

    def _unarranged(self) -> None:
        self.nodes: Array = np.zeros(0, dtype=NODE)
        self.akin: Array = np.zeros(0, dtype=np.uint32)
        self.starts: Array = np.zeros(1, dtype=np.uint32)
        self.holders: Array = np.zeros(0, dtype=np.uint32)

    @property
    def _arranged(self) -> int:
        return len(self.starts) - 1

    @property
    def names(self) -> int:
        return int(self.counts[NAMES])

    def arrays(self) -> tuple[Array, ...]:
        """In the order of `shelve`."""
        return (
            self.words,
            self.nodes,
            self.akin,
            self.starts,
            self.holders,
            self.first,
            self.held,
            self.sizes,
            self.counts,
        )

    # ---- names in

    def add(self, names: list[str], compiled: Any) -> bool:
        """Reads the names into the arrays. Whether an array was replaced."""
        before = self.words, self.first, self.held, self.sizes
        self._own()
        done = 0
        while done < len(names):
            self._make_room(len(names) - done)
            if compiled is not None:
                done += self._read(names, done, compiled)
            else:
                self._read_plain(names[done])
                done += 1
        return any(x is not y for x, y in zip(before, (self.words, self.first, self.held, self.sizes), strict=True))

    def _own(self) -> None:
        """What is mapped from a file is copied before it is written to."""
        for name in ("words", "first", "held", "sizes", "counts"):
            held = getattr(self, name)
            if not held.flags.writeable:
                setattr(self, name, held.copy())

    def _make_room(self, more: int) -> None:
        more = min(more, max(64, self.names))
        words, names, parts = int(self.counts[WORDS]), self.names, int(self.counts[PARTS])
        before = self.words, self.first, self.held, self.sizes
        self.words = _room(self.words, words + MAX_PARTS)
        self.held = _room(self.held, parts + 3 * more + MAX_PARTS)
        self.sizes = _room(self.sizes, names + more + 1)
        # As many places as there are sizes, and the last one's end: the kernel takes no shelf that could outgrow one.
        self.first = _room(self.first, len(self.sizes) + 1)
        if any(x is not y for x, y in zip(before, (self.words, self.first, self.held, self.sizes), strict=True)):
            # a search that runs counts by the array it began with, and that must not count what its others lack
            self.counts = self.counts.copy()

    def _read(self, names: list[str], done: int, compiled: Any) -> int:
        words = int(self.counts[WORDS])
        if self._slots is None or len(self._slots) < 2 * (words + MAX_PARTS):
            self._slots = np.zeros(_size_of_slots(2 * words), dtype=np.uint32)
            compiled.place_words(self.words, self._slots, words)
        read: int = compiled.read_names(
            names, done, self.words, self._slots, self.first, self.held, self.sizes, self.counts
        )
        return read

    def _read_plain(self, name: str) -> None:
        packed = np.frombuffer(kernel.pack_name(name), dtype=RECORD).copy()
        packed.view(WORD)["worn"] &= _TITLE
        packed.view(WORD)["particle"] = 0
        ids = self.ids()
        names, words, parts = map(int, self.counts)
        for record in packed:
            word = ids.setdefault(record.tobytes(), words)
            if word == words:
                self.words[words] = record
                words += 1
            self.held[parts] = word
            parts += 1
        self.sizes[names] = len(packed)
        self.first[names + 1] = parts
        self.counts[:] = names + 1, words, parts

    def ids(self) -> dict[bytes, int]:
        """Word record -> its number."""
        if self._ids is None:
            self._ids = {self.words[w].tobytes(): w for w in range(int(self.counts[WORDS]))}
        return self._ids

    def grow_tree(self) -> None:
        """What follows from the words in order."""
        self.nodes = _tree(self.words.view(WORD))
        self.akin = np.flatnonzero(self.words.view(WORD)["group"]).astype(np.uint32)

    def sound(self) -> bool:
        """Whether no array points outside another: what is read from a file is looked at before it is used."""
        names, words, parts = map(int, self.counts)
        first, starts = self.first.astype(np.int64), self.starts.astype(np.int64)
        return bool(
            len(first) == names + 1
            and len(starts) == words + 1
            and first[0] == starts[0] == 0
            and first[-1] == parts
            and starts[-1] == len(self.holders)
            and (np.diff(starts) >= 0).all()
            and (np.diff(first) == self.sizes).all()
            and self.held.max(initial=0) < max(words, 1)
            and self.holders.max(initial=0) < max(names, 1)
            and (self.sizes <= MAX_PARTS).all()
            and self._are_words_alike()
        )

    def _are_words_alike(self) -> bool:
        """What is read here of a record keeps within its bounds."""
        words = self.words.view(WORD)
        units, letters = (words[name].shape[1] for name in ("units", "letters"))
        of = ((words["n"], 1, units), (words["length"], 1, letters), (words["script"], 0, 1))
        return all(((least <= values) & (values <= most)).all() for values, least, most in of)

    def are_words_sound(self, compiled: Any) -> bool:
        """Whether the kernel may read each record as it lies: it asks none of them again."""
        words = int(self.counts[WORDS])
        self._slots = np.zeros(_size_of_slots(2 * words), dtype=np.uint32)
        return bool(compiled.place_words(self.words, self._slots, words))

    def remove(self, position: int) -> None:
        self._own()
        self.sizes[position] = 0

    # ---- in order

    def tail(self) -> bool:
        """Whether so much came later that putting it in order is worth its price."""
        names, words = self.names - self.listed, int(self.counts[WORDS]) - self._arranged
        return names > max(TAIL_NAMES, self.listed // SHARE) or words > max(TAIL_WORDS, self._arranged // SHARE)

    def arrange(self) -> None:
        """All words and names in order; words that only removed names held are gone."""
        names, words, _ = map(int, self.counts)
        sizes = self.sizes[:names].astype(np.int64)
        first = self.first[: names + 1].astype(np.int64)
        lengths = np.diff(first)
        alive = np.repeat(sizes > 0, lengths)
        held = self.held[: first[-1]][alive]
        used = np.zeros(words, dtype=bool)
        used[held] = True
        kept = np.flatnonzero(used)
        records = self.words[kept]
        order = _order(records.view(WORD))
        number = np.zeros(words, dtype=np.uint32)
        number[kept[order]] = np.arange(len(kept), dtype=np.uint32)
        self.words, self.held = records[order], number[held]
        self.first = np.concatenate([[0], np.cumsum(np.where(sizes > 0, lengths, 0))]).astype(np.uint32)
        self.sizes = self.sizes[:names].copy()
        self.counts = np.array([names, len(kept), len(held)], dtype=np.int64)
        self._slots = self._ids = None
        self.grow_tree()
        by_word = np.argsort(self.held, kind="stable")
        self.holders = np.repeat(np.arange(names, dtype=np.uint32), np.diff(self.first))[by_word]
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(self.held, minlength=len(kept)))]).astype(np.uint32)
        self.listed = names


def _jumps(words: Array) -> Array:
    """How many units the word may begin with that can be left out at once: where `start` is not the sum of gaps."""
    start, gap = words["start"].astype(np.int32), words["gap"].astype(np.int32)
    steps = start[:, :, 1:23] - start[:, :, :22] - gap
    at = np.arange(1, 23)
    inside = at[None, :] <= words["n"][:, None]
    jumps: Array = (((steps != 0).any(axis=1) & inside) * at).max(axis=1, initial=0).astype(np.uint8)
    return jumps


def _family(words: Array) -> Array:
    """What must be equal before two words may share rows: one letter or more, script, what may be left out."""
    jumps = _jumps(words)
    out = np.zeros((len(words), 7), dtype=np.uint8)
    out[:, 0], out[:, 1], out[:, 2] = words["length"] > 1, words["script"], jumps
    for other in (0, 1):
        price = np.take_along_axis(words["start"][:, other], jumps[:, None].astype(np.int64), axis=1)[:, 0]
        out[:, 3 + 2 * other], out[:, 4 + 2 * other] = price >> 8, price & 255
    return out


def _order(words: Array) -> Array:
    """An order in which words that begin alike are neighbours."""
    key = np.zeros((len(words), 7 + 22 + 40), dtype=np.uint8)
    key[:, :7] = _family(words)
    key[:, 7:29] = np.where(np.arange(22)[None, :] < words["n"][:, None], words["units"] + 1, 0)
    key[:, 29:] = words["letters"]
    order: Array = np.argsort(key.view(f"S{key.shape[1]}")[:, 0], kind="stable")
    return order


def _shared(words: Array) -> Array:
    """How many units, prices included, each word has in common with the one before."""
    shared = np.zeros(len(words), dtype=np.int64)
    a, b = words[:-1], words[1:]
    same = a["units"] == b["units"]
    same &= (a["gap"] == b["gap"]).all(axis=1)
    same &= (a["start"][:, :, 1:23] == b["start"][:, :, 1:23]).all(axis=1)
    same &= np.arange(22)[None, :] < np.minimum(a["n"], b["n"])[:, None]
    family = _family(words)
    shared[1:] = np.where((family[1:] == family[:-1]).all(axis=1), np.cumprod(same, axis=1).sum(axis=1), 0)
    return shared


def _tree(words: Array) -> Array:
    """The ordered words of two letters or more as a tree, level by level (`node` in search.c)."""
    lone = int((words["length"] == 1).sum())
    words = words[lone:]
    if not len(words):
        return np.zeros(0, dtype=NODE)
    shared, n = _shared(words), words["n"].astype(np.int64)
    own = n - shared  # 0 for a word whose units are those of the one before
    last = np.cumsum(own)
    of = np.repeat(np.arange(len(words)), own)
    at = np.arange(len(of)) - np.repeat(last - own, own) + shared[of]
    nodes = np.zeros(len(of) + 1, dtype=NODE)
    below = nodes[1:]
    below["unit"] = words["units"][of, at]
    below["flags"] = words["script"][of] + _OPEN * (at + 1 < _jumps(words)[of])
    below["gap"], below["start"] = words["gap"][of, :, at], words["start"][of, :, at + 1]
    below["word"] = lone + of
    below["ends"] = np.bincount(last - 1, minlength=len(of))
    return _levels(nodes, np.concatenate([[0], at + 1]))


def _levels(nodes: Array, depth: Array) -> Array:
    """Nodes in the order of their words, brought into the order of their depth, so that siblings are neighbours."""
    order = np.argsort(depth, kind="stable")
    place = np.argsort(order)
    parent = np.zeros(len(nodes), dtype=np.int64)
    own = np.left_shift(np.uint64(1), (nodes["unit"] & 63).astype(np.uint64))
    for d in range(int(depth.max()), 0, -1):
        here, above = np.flatnonzero(depth == d), np.flatnonzero(depth == d - 1)
        parent[here] = above[np.searchsorted(above, here) - 1]
        np.bitwise_or.at(nodes["below"], parent[here], nodes["below"][here] | own[here])
    nodes["children"] = np.bincount(parent[1:], minlength=len(nodes))
    nodes["child"][parent[1:][::-1]] = place[1:][::-1]  # the first child is written last
    ordered: Array = nodes[order]
    return ordered
