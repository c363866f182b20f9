"""Marks of a browser in which an officer has signed in before: its failed attempts are counted apart from strangers'.

Whoever reaches the sign-in page can make a name wait (`rules.block_for`), and one attempt in each quarter of an hour
would keep an officer out while a legal clock runs. A mark signs nobody in and says no name: it only chooses the counter
(OWASP Authentication Cheat Sheet, device cookies). The node keeps nothing of it; a keyed hash binds it to name, number
and day.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

NUMBER_BYTES = 12
LASTS = timedelta(days=90)
MOST = 5
"""Officers who share one browser; the sixth takes the place of who signed in longest ago."""

_DAY_BYTES = 4
_MAC_BYTES = 16
_LENGTH = (NUMBER_BYTES + _DAY_BYTES + _MAC_BYTES) * 4 // 3 + 1
_BETWEEN = "."

Mac = Callable[[bytes], bytes]


def number_of(marks: str, name: bytes, now: datetime, mac: Mac) -> bytes | None:
    """The browser's number, where one of its marks is this officer's and not too old. `name` is the officer's key."""
    for mark in _each(marks):
        number = _open(mark, name, now, mac)
        if number is not None:
            return number
    return None


def renewed(marks: str, name: bytes, now: datetime, mac: Mac, new_number: bytes) -> str:
    """The marks after this officer has signed in: the own one first and from today, under the number that it had."""
    number = number_of(marks, name, now, mac) or new_number
    others = [m for m in _each(marks) if _open(m, name, now, mac) is None]
    return _BETWEEN.join([_made(number, name, _day(now), mac), *others][:MOST])


def _each(marks: str) -> list[str]:
    return [m for m in marks.split(_BETWEEN, MOST)[:MOST] if len(m) == _LENGTH]


def _open(mark: str, name: bytes, now: datetime, mac: Mac) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
    except (binascii.Error, ValueError):
        return None
    number, day = raw[:NUMBER_BYTES], int.from_bytes(raw[NUMBER_BYTES:-_MAC_BYTES])
    if not hmac.compare_digest(mark.encode(), _made(number, name, day, mac).encode()):
        return None
    return number if 0 <= _day(now) - day <= LASTS.days else None


def _made(number: bytes, name: bytes, day: int, mac: Mac) -> str:
    told = number + day.to_bytes(_DAY_BYTES)
    return base64.urlsafe_b64encode(told + mac(told + name)[:_MAC_BYTES]).decode().rstrip("=")


def _day(now: datetime) -> int:
    return now.toordinal()
