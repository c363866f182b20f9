"""An officer's desk: what was typed when the session had ended, and what was already done when a form comes twice.

Nothing here reaches a disk. A form that comes after its session's end is kept for its officer alone, and only where
its token is that of a session that we opened: what another site posts is never kept. A restart of the node empties
the desk; sessions outlive it, so what is lost then is a form of an officer who had gone.
It is not kept in the store, sealed either: each backup of those hours would hold it as long as itself, and it is
somebody's data that no officer has yet decided to record.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.responses import Response

from tansiq.web.security import new_token
from tansiq.web.visit import Form

KEPT_FOR = timedelta(hours=12)
"""A shift: as long as a session can last at all."""
MOST_SEATS = 4_096
MOST_KEPT = 64
"""Forms of at most a megabyte each: what the desk can hold is bounded."""
MOST_DONE = 4_096
NOT_KEPT = ("csrf", "once", "do", "more")
"""Of the session and of the press of a button; the rest is what the officer chose and wrote."""


@dataclass(frozen=True)
class KeptForm:
    """What was posted where, and by whom."""

    officer: str
    path: str
    pairs: tuple[tuple[str, str], ...]
    until: datetime


@dataclass
class _Done:
    """One form on its way: the second press waits for the first, and goes where it went."""

    until: datetime
    lock: threading.Lock = field(default_factory=threading.Lock)
    target: str = ""


class Desk:
    """Forms of this process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seats: dict[str, tuple[str, datetime]] = {}
        self._kept: dict[str, KeptForm] = {}
        self._done: dict[str, _Done] = {}

    def seat(self, csrf: str, officer: str, now: datetime) -> None:
        """A session's form token belongs to this officer."""
        with self._lock:
            self._seats.pop(csrf, None)
            self._seats[csrf] = (officer, now + KEPT_FOR)
            while len(self._seats) > MOST_SEATS:
                self._seats.pop(next(iter(self._seats)))

    def leave(self, csrf: str) -> None:
        """Signed out on purpose: a form of that session is kept for nobody."""
        with self._lock:
            self._seats.pop(csrf, None)

    def keep(self, path: str, form: Form, now: datetime) -> str:
        """Keep what was typed; the mark under which it is found again, or nothing where the form is not ours."""
        with self._lock:
            officer, until = self._seats.get(form.get("csrf"), ("", now))
            if until <= now:
                return ""
            for mark in [m for m, k in self._kept.items() if k.until <= now]:
                del self._kept[mark]
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            pairs = tuple((n, v) for n, v in form.pairs() if n not in NOT_KEPT)
            mark = new_token()
            self._kept[mark] = KeptForm(officer, path, pairs, now + KEPT_FOR)
            return mark

    def find(self, mark: str, officer: str, now: datetime) -> KeptForm | None:
        """What this officer had typed; another officer's is not found."""
        with self._lock:
            found = self._kept.get(mark)
        return found if found and found.officer == officer and found.until > now else None

    def once(self, path: str, form: Form, now: datetime, act: Callable[[], Response]) -> Response:
        """Do what a form asks for, once: the same form again is sent where the first was, and does nothing.

        Only an act that ended in another page counts; a form that was shown again may be posted again. A form whose
        text was changed is another form.
        """
        if not form.get("once"):
            return act()
        told = "\0".join((path, *(f"{n}\0{v}" for n, v in form.pairs())))
        key = hashlib.sha256(told.encode()).hexdigest()
        with self._lock:
            for old in [k for k, d in self._done.items() if d.until <= now][:MOST_DONE]:
                del self._done[old]
            while len(self._done) >= MOST_DONE:
                self._done.pop(next(iter(self._done)))
            done = self._done.setdefault(key, _Done(now + KEPT_FOR))
        with done.lock:
            if done.target:
                return Response(status_code=303, headers={"location": done.target})
            response = act()
            if response.status_code == 303:
                done.target = response.headers.get("location", "")
            return response
