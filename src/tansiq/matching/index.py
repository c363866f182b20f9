"""A register of names that finds the nearest ones: words first, then the names that hold them, then those in full.

`register.py` keeps the arrays, `kernel/search.c` searches them, `lookup.py` does so in Python where the kernel is not
compiled (both give the same answer), `shelf.py` is the file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np

from tansiq.errors import Invalid
from tansiq.matching import kernel
from tansiq.matching.kernel import door
from tansiq.matching.lookup import Plain, bare
from tansiq.matching.parts import Part, parts
from tansiq.matching.register import NAMES, PARTS, RECORD, WORDS, Array, Register
from tansiq.matching.shelf import broken, other_version, read, write

_AT_ONCE = 65536
_U1, _U4, _U8 = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.uint64)
_KINDS: dict[str, np.dtype[Any]] = {
    "texts": _U1,
    "ends": _U8,
    "gone": _U4,
    "words": RECORD,
    "starts": _U4,
    "holders": _U4,
    "first": _U4,
    "held": _U4,
    "sizes": _U1,
}


class _Texts:
    """The names as they were given: those of the file where it lies, later ones in memory."""

    def __init__(self, spelled: Array, ends: Array) -> None:
        self._spelled, self._ends = spelled, ends
        self._later: list[str] = []
        self.gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._ends) - 1 + len(self._later)

    def extend(self, names: list[str]) -> None:
        self._later.extend(names)

    def are_sound(self) -> bool:
        """Whether each text lies within the others: what is read from a file is looked at before it is used."""
        ends = self._ends.astype(np.int64)
        return bool(len(ends) and ends[0] == 0 and ends[-1] == len(self._spelled) and (np.diff(ends) >= 0).all())

    def forget(self, x: int) -> None:
        self.gone.add(x)
        if x >= len(self._ends) - 1:
            self._later[x - len(self._ends) + 1] = ""

    def get(self, x: int) -> str:
        """Empty when it is gone. Raises `Invalid` where the file holds no text."""
        if x in self.gone:
            return ""
        later = x - len(self._ends) + 1
        if later >= 0:
            return self._later[later]
        spelled = bytes(self._spelled[int(self._ends[x]) : int(self._ends[x + 1])])
        try:
            return spelled.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as exc:
            raise broken("the name index is damaged") from exc

    def packed(self) -> tuple[Array, Array]:
        """(spelled, ends) without what is gone."""
        encoded = [self.get(x).encode("utf-8", "surrogatepass") for x in range(len(self))]
        ends = np.zeros(len(encoded) + 1, dtype=np.uint64)
        np.cumsum([len(e) for e in encoded], out=ends[1:])
        return np.frombuffer(b"".join(encoded), dtype=np.uint8), ends


class NameIndex:
    """Thread-safe. Positions are given out in order and never reused; a removed name is never found again.

    `search` finds by nearness: what the parts that met say for the name, less a fixed price for each part that met
    nothing. The first ten of those found are put in order by nearness and score together, those behind by nearness;
    what a smaller `k` finds is the beginning of what a greater one finds. The number with each position is exactly
    `score(query, name)`. It is not the order alone, because it weighs in how two names came to be compared, which in a
    register is the same for all.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        """Owns all below; a search of the compiled kernel holds it only while it takes the arrays of now."""
        self._clear()

    def _clear(self) -> None:
        self._register = Register()
        self._texts = _Texts(np.zeros(0, dtype=np.uint8), np.zeros(1, dtype=np.uint64))
        self._shelf: tuple[Any, Any, int, list[Array]] | None = None
        """(kernel, the arrays of now, bytes a search works in, such bytes that no search is using)."""
        self._plain: Plain | None = None

    def __len__(self) -> int:
        return len(self._texts) - len(self._texts.gone)

    def build(self, names: Iterable[str]) -> None:
        """Replaces what was held."""
        with self._lock:
            self._clear()
            self.add_many(names)
            self._register.arrange()

    def add(self, name: str) -> int:
        """Adds one name and gives its position."""
        return self.add_many((name,))[0]

    def add_many(self, names: Iterable[str]) -> range:
        """Adds names and gives their positions."""
        given = list(names)
        with self._lock:
            begin = len(self._texts)
            module = door.module()
            if module is None:
                self._add_plain(given)
            else:
                self._plain = None
                if self._register.add(given, module):
                    self._shelf = None
            self._texts.extend(given)
            return range(begin, begin + len(given))

    def _add_plain(self, names: list[str]) -> None:
        plain = self._twin()
        self._register.add(names, None)
        self._shelf = None
        for name in names:
            for p in map(bare, parts(name)):
                word = self._register.ids()[kernel.pack(p)]
                if word == len(plain.words):
                    plain.add_word(p)
        self._show(plain)

    def remove(self, index: int) -> None:
        """Forgets the name at this position; a second time is no error."""
        with self._lock:
            if not 0 <= index < len(self._texts):
                raise Invalid("names.index.position", "no such position", step="matching", field="index")
            writeable = self._register.sizes.flags.writeable
            self._register.remove(index)
            self._texts.forget(index)
            if not writeable:
                self._shelf = None
            if self._plain is not None:
                self._show(self._plain)

    def settle(self) -> None:
        """Puts later names in order when there are many, which otherwise the next search does."""
        with self._lock:
            if self._register.tail():
                self._register.arrange()
                self._shelf = self._plain = None

    def search(self, query: str, k: int = 10) -> list[tuple[int, float]]:
        """The k nearest (position, score), likeliest first; names that cannot be compared are not found."""
        if k < 1:
            return []
        module = door.module()
        if module is None:
            with self._lock:
                return self._twin().search(query, k)
        shelf, size, spare = self._take_shelf(module)
        try:
            space = spare.pop()
        except IndexError:
            space = np.zeros(size, dtype=np.uint8)
        found: list[tuple[int, float]] = module.search_names(shelf, query, k, space)
        spare.append(space)
        return found

    def _take_shelf(self, module: Any) -> tuple[Any, int, list[Array]]:
        with self._lock:
            self.settle()
            if self._shelf is None or self._shelf[0] is not module:
                register = self._register
                shelf = module.shelve(*register.arrays(), register.listed)
                self._shelf = module, shelf, module.space_for(len(register.words), len(register.sizes)), []
            return self._shelf[1:]

    def _twin(self) -> Plain:
        if self._plain is None:
            self._plain = self._read_again()
        return self._plain

    def _read_again(self) -> Plain:
        """The words as parts: the names are read once more."""
        register = self._register
        register.arrange()
        self._shelf = None
        ids, seen = register.ids(), set[Part]()
        found: dict[int, Part] = {}
        for x in np.flatnonzero(register.sizes[: register.names]):
            if len(found) == len(ids):
                break
            for p in map(bare, parts(self._texts.get(int(x)))):
                if p not in seen:
                    seen.add(p)
                    found[ids[kernel.pack(p)]] = p
        plain = Plain()
        for word in range(len(ids)):
            plain.add_word(found[word])
        self._show(plain)
        return plain

    def _show(self, plain: Plain) -> None:
        register = self._register
        names, parts_ = register.names, int(register.counts[PARTS])
        plain.look_at(register.first[: names + 1], register.held[:parts_], register.sizes[:names])

    def save(self, path: str | PathLike[str]) -> None:
        """Writes one file, in whose place the old one stands until the new one is whole."""
        with self._lock:
            self._register.arrange()
            self._shelf = self._plain = None
            register = self._register
            texts, ends = self._texts.packed()
            names = ("words", "starts", "holders", "first", "held", "sizes")
            arrays = {"texts": texts, "ends": ends, "gone": np.array(sorted(self._texts.gone), dtype=np.uint32)}
            facts = {"tables": kernel.version().hex(), "names": register.names}
            write(path, facts, arrays | {name: getattr(register, name) for name in names})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> NameIndex:
        """Maps what `save` wrote; `Invalid` when the file is damaged, or of another version or other tables."""
        facts, arrays = read(path, _KINDS)
        if facts.get("tables") != kernel.version().hex():
            raise other_version("a name index made with other tables")
        index = cls()
        index._texts = _Texts(arrays["texts"], arrays["ends"])
        index._texts.gone = set(arrays["gone"].tolist())
        register = index._register
        for name in ("words", "starts", "holders", "first", "held"):
            setattr(register, name, arrays[name])
        register.sizes = arrays["sizes"].copy()
        register.counts[[NAMES, WORDS, PARTS]] = len(register.sizes), len(register.words), len(register.held)
        register.listed = register.names
        module = door.module()
        is_sound = register.sound() and index._texts.are_sound() and len(index._texts) == register.names
        if not is_sound or (module is not None and not register.are_words_sound(module)):
            raise broken("the name index contradicts itself")
        register.grow_tree()
        return index
