"""One serving process a database, whichever machine it runs on.

Commands beside it are fine: writes are serial across processes, and what other processes changed is seen. But two
processes that serve would each count partners' quotas, poll and post to every partner, and keep forms that the other
does not know. So the second is refused at its start.

SQLite: a lock on a file beside the database. PostgreSQL: an advisory lock of a session that does nothing else, so that
it holds for two machines too. Both go with the process, also when it is killed.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from tansiq.errors import Broken
from tansiq.store.engines import open_lock_engine
from tansiq.store.migrations import revision_of

# Any fixed number that is not the writers'; advisory locks are counted per database.
_SERVING_LOCK = 0x7461_6E73_6972

ANSWER_S = 8.0
"""How long the session that holds the lock may take to answer. A proxy that keeps a line open and passes no bytes lets
no timeout of the line itself run out."""


class Alone:
    """The right to serve one database. Not shared between threads."""

    def __init__(self, url: URL, reads: Engine) -> None:
        is_file = url.get_backend_name() == "sqlite"
        # By whichever link it was reached: one database, one lock.
        self._path = Path(f"{Path(str(url.database)).resolve()}.serving") if is_file else None
        self._url = url
        self._reads = reads
        self._file: int | None = None
        self._session: Connection | None = None
        self._line: Any = None
        self.revision: str | None = None
        """Where the tables stood when they were opened; None where nobody said so."""
        self._is_checked = False

    def take(self) -> bool:
        """False while another process has it. Who has it already has it still.

        False too where a newer program has changed the tables since they were opened: it could while nobody had it.
        """
        if not self._take():
            return False
        if self._is_checked or self.revision is None:
            return True
        # Not by a pooled connection where there is a session: the line under that may be the silent one.
        with nullcontext(self._session) if self._session is not None else self._reads.connect() as connection:
            self._is_checked = revision_of(connection) == self.revision
        if not self._is_checked:
            self.give_back()
        return self._is_checked

    def _take(self) -> bool:
        if self._path is not None:
            try:
                return self._is_file_there(self._path) or self._take_file(self._path)
            except OSError as exc:
                raise Broken(
                    "store.serving",
                    "the lock file beside the database cannot be used",
                    step="serve",
                    field="database",
                    detail=type(exc).__name__,
                ) from exc
        return self._is_session_alive() or self._take_session()

    def give_back(self) -> None:
        self._is_checked = False
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._session is not None:
            with suppress(SQLAlchemyError):  # a session that was cut has let go already
                self._session.execute(text("select pg_advisory_unlock(:key)"), {"key": _SERVING_LOCK})
            self._session.close()
            self._session = None

    def _is_file_there(self, path: Path) -> bool:
        """Ours, and still the one that others would find: who removed it made room for a second lock."""
        if self._file is None:
            return False
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._file), path.stat()):
                return True
        self.give_back()
        return False

    def _take_file(self, path: Path) -> bool:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._file = handle
        return True

    def _is_session_alive(self) -> bool:
        if self._session is None:
            return False
        if _answers(self._session):
            return True
        # A fail-over has cut it, and with it the lock; or its line passes no bytes, which nobody can tell from that.
        self._cut()
        return False

    def _cut(self) -> None:
        """End the line from our side: nothing waits for an answer over it any more, and the server hears of it."""
        if self._session is not None:
            # Where the driver has closed it already it says so: its number may be another's by now.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self._line.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)
            with suppress(SQLAlchemyError):
                self._session.invalidate()
            self._session.close()
        self._session = None
        self._is_checked = False

    def _take_session(self) -> bool:
        session = open_lock_engine(self._url).connect()
        for name, seconds in (("idle", 5), ("interval", 5), ("count", 3)):
            # The server too must learn in time that our machine is gone, and let the next one in.
            session.execute(text(f"set tcp_keepalives_{name} = {seconds}"))
        if session.execute(text("select pg_try_advisory_lock(:key)"), {"key": _SERVING_LOCK}).scalar():
            self._session = session
            self._line = session.connection.dbapi_connection
            return True
        session.close()
        return False


def _answers(session: Connection) -> bool:
    """Within `ANSWER_S`. Asked from a thread of its own, which `_cut` releases: the driver waits for ever."""
    answered: list[bool] = []

    def ask() -> None:
        with suppress(SQLAlchemyError):
            session.execute(text("select 1"))
            answered.append(True)

    asking = threading.Thread(target=ask, name="alone-ask", daemon=True)
    asking.start()
    asking.join(ANSWER_S)
    return bool(answered)
