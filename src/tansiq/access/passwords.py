"""Argon2id, one hash at a time per core: a flood of sign-ins must not take the node's memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """RFC 9106 section 4, second recommended option: 3 passes over 64 MiB."""

    passes: int = 3
    memory_kib: int = 65536
    lanes: int = 4


class Passwords:
    """Hashes and checks passwords; an absent hash costs the same time as a wrong password."""

    def __init__(self, cost: PasswordCost, random_bytes: Callable[[int], bytes]) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes, type=Type.ID
        )
        self._random_bytes = random_bytes
        self._slots = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))

    def hash(self, password: bytes) -> str:
        with self._slots:
            return str(self._hasher.hash(password, salt=self._random_bytes(SALT_BYTES)))

    def matches(self, stored: str | None, password: bytes) -> bool:
        """Whether this is the password. With nothing stored: False, after the same work."""
        if stored is None:
            self.hash(password)
            return False
        with self._slots:
            try:
                return bool(self._hasher.verify(stored, password))
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return bool(self._hasher.check_needs_rehash(stored))
