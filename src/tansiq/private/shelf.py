"""Partners' lists as files that can be mapped: `<digest>.tags` in one folder, and no file that no living list names.

The database says which lists live; a file stands before the row that names it is committed, and goes after. Between
the two its name is in no row, so whoever writes a list holds the folder from the file to the commit, and whoever
sweeps holds it too. The hold is a file lock: it ends with its process, and what that left is swept at the next start.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
_LIST, _BESIDE = ".tags", ".new"


class Shelf:
    """The folder. Several threads and processes of one home may each have one."""

    def __init__(self, home: Path, fault: Callable[[str], None]) -> None:
        self._home, self._fault = home, fault
        home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, of: str) -> Path:
        return self._home / f"{of}{_LIST}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else writes or sweeps meanwhile; waits. Never inside a transaction: who holds it may wait for one."""
        handle = os.open(self._home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, pieces: Iterable[bytes], of: str) -> None:
        """The whole file or none, by who holds the folder: it is mapped by whoever looks something up."""
        beside = self._home / f"{of}{_BESIDE}"
        with beside.open("wb") as out:
            for piece in pieces:
                out.write(piece)
            self._fault("list.beside")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.path(of))
        # A row that is committed behind this must not come out of a power cut without its file.
        folder = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._fault("list.written")

    def sweep(self, living: Iterable[str]) -> int:
        """Removes all but these, by who holds the folder. How many files went."""
        kept = {self.path(of).name for of in living}
        gone = [p for p in self._home.iterdir() if p.suffix in (_LIST, _BESIDE) and p.name not in kept]
        for path in gone:
            path.unlink(missing_ok=True)
            self._fault("list.swept")
        return len(gone)
