"""Which of the two kernels runs, and the verbs of both. The tables are handed over at the first name compared."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from types import ModuleType
from typing import Protocol

from tansiq.errors import Invalid
from tansiq.matching import judge
from tansiq.matching import names as twin
from tansiq.matching.kernel import tables
from tansiq.matching.model import Explanation
from tansiq.matching.parts import parts, shown
from tansiq.matching.text import written

try:
    from tansiq.matching.kernel import _kernel

    _missing = "not there"
except ImportError as exc:
    _kernel = None  # type: ignore[assignment]
    _missing = str(exc) if exc.path else "not built: no C compiler when this was installed"


class Kernel(Protocol):
    """What both can do."""

    name: str

    def score(self, a: str, b: str, /) -> float: ...
    def explain(self, a: str, b: str, /) -> Explanation: ...
    def score_many(self, query: str, names: Sequence[str], /) -> list[float]: ...
    def centibits(self, a: str, b: str, /) -> int | None: ...
    def pack_name(self, name: str, /) -> bytes: ...


class Twin:
    """The same in Python: slower, and the meaning of what the other does."""

    name = "twin"
    score = staticmethod(twin.score)
    explain = staticmethod(twin.explain)

    def score_many(self, query: str, names: Sequence[str], /) -> list[float]:
        return [twin.score(query, name) for name in names]

    def centibits(self, a: str, b: str, /) -> int | None:
        x, y, _ = twin._sorted(a, b)
        return twin.centibits(x, y) if x and y else None

    def pack_name(self, name: str, /) -> bytes:
        return b"".join(map(tables.pack, parts(name)))


class Compiled:
    """The C kernel; ValueError when the tables are not such as it was built for."""

    name = "compiled"

    def __init__(self, module: ModuleType) -> None:
        if module.LAYOUT != tables.LAYOUT:
            raise ValueError("built from other sources")
        module.load(tables.tables())
        self.module = module
        self.score = module.score
        self.centibits = module.centibits
        self.pack_name = module.pack_name
        self._align = module.align
        self._many = module.score_many

    def score_many(self, query: str, names: Sequence[str], /) -> list[float]:
        found: list[float] = self._many(query, list(names))
        return found

    def explain(self, a: str, b: str, /) -> Explanation:
        found = self._align(a, b)
        if found is None:
            return Explanation(0.0, False, 0.0, ())
        turned, start, met, order, ends, here, there, told_of_all = found
        text_here, text_there = (written(b), written(a)) if turned else (written(a), written(b))
        judged = [] if order is None else [("different_position", order)]
        if ends is not None:
            judged.append(("ends_apart", ends))
        judged += [(how, points) for how, points in zip(judge.TOLD, told_of_all, strict=True) if points]
        told = [(*g[:7], twin.HOW[g[7]]) for g in met]
        x = [shown(text_here, span) for span in here]
        y = [shown(text_there, span) for span in there]
        return twin.explanation(start, told, judged, x, y, turned)


_running: Kernel | None = None
_loaded: Compiled | None = None
_why_not = ""
_choosing = Lock()


def _start() -> Kernel:
    global _running, _why_not
    with _choosing:
        if _running is None:
            try:
                _running, _why_not = _compiled(), ""
            except (ValueError, OverflowError) as exc:
                _running, _why_not = Twin(), str(exc)
        return _running


def _compiled() -> Compiled:
    global _loaded
    if _kernel is None:
        raise ValueError(_missing)
    if _loaded is None:
        _loaded = Compiled(_kernel)
    return _loaded


def use(name: str) -> str:
    """Runs the twin or the compiled kernel from here on; answers which one ran before."""
    global _running
    before = _start().name
    with _choosing:
        try:
            _running = _compiled() if name == "compiled" else Twin()
        except (ValueError, OverflowError) as exc:
            raise Invalid("names.kernel.missing", str(exc), step="matching", field="kernel") from exc
    return before


def reload() -> None:
    """Hands the tables over again: for a trainer that changed `edit.TABLES` in place."""
    global _running, _loaded
    with _choosing:
        _running = _loaded = None
        tables.version.cache_clear()


def kernel_in_use() -> tuple[str, str]:
    """(`compiled` or `twin`, why not compiled)."""
    return _start().name, _why_not


def module() -> ModuleType | None:
    """The compiled kernel itself, for the register of names; None where the twin runs."""
    running = _running or _start()
    return running.module if isinstance(running, Compiled) else None


def score(a: str, b: str) -> float:
    """How probable it is, on evidence of the names alone, that `a` and `b` name one person; 0.0 if not comparable."""
    return (_running or _start()).score(a, b)


def explain(a: str, b: str) -> Explanation:
    """The same score with its reasons: one row per meeting, and the points add up."""
    return (_running or _start()).explain(a, b)


def score_many(query: str, names: Sequence[str]) -> list[float]:
    """The scores of one name against each of many; other threads run meanwhile."""
    return (_running or _start()).score_many(query, names)


def centibits(a: str, b: str) -> int | None:
    """The whole evidence in centibits; None when the two cannot be compared."""
    return (_running or _start()).centibits(a, b)


def pack_name(name: str) -> bytes:
    """The word records of a name's parts, one after the other."""
    return (_running or _start()).pack_name(name)
