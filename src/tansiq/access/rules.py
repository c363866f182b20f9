"""Pure decisions of access: what a role may do, how long a guesser waits, when a session ends, what a name is.

Rules that this file keeps:

- default deny: a word that is not in the table is permitted to nobody;
- who runs the node (admin) sees no content, and who watches it (protection) sends nothing;
- every limit is a constant with its reason.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from tansiq.access.model import Acting, Role
from tansiq.errors import Invalid, Refused

SESSION_IDLE = timedelta(minutes=30)
SESSION_LONGEST = timedelta(hours=12)  # one shift; NIST SP 800-63B-4 AAL2 allows at most 24 h
SESSION_TOUCH = timedelta(minutes=1)
"""A session's last use is written down at most this often: reading pages must not be a stream of commits."""
TOKEN_DAYS = range(1, 367)
DRAFT_DAYS = 7
"""A four-eyes act that nobody confirmed in a week no longer says what its first officer wants."""

FREE_FAILURES = 3
LONGEST_BLOCK = timedelta(minutes=15)  # a cap, or anybody could lock an officer out for good
FORGET_FAILURES = timedelta(days=1)

PASSWORD_LENGTH = range(12, 257)
NAME_LENGTH = range(1, 121)
MOST_REASON = 2_000
"""Characters of a purpose or a justification: each act's stands in its leaf, and every leaf in one file."""
LANGUAGES = ("ar", "fr", "es", "de", "en")

_CONTENT = frozenset({"collect", "append", "send", "view", "search", "match", "decide", "check"})

ROLE_MAY: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.ANALYST: _CONTENT,
        Role.LIAISON: _CONTENT | {"forward", "export", "judicial_use"},
        Role.SUPERVISOR: _CONTENT | {"forward", "export", "judicial_use", "erase", "confirm"},
        # LED art. 34: monitors, advises, has access to the data and the logs; does not decide operations.
        Role.PROTECTION: frozenset({"view", "search", "export", "erase", "audit", "confirm"}),
        Role.ADMIN: frozenset({"administer", "audit"}),
    }
)
"""The words are the law gate's actions, and `confirm` (be the second officer) and `audit` (read the ledger)."""


def may(roles: Iterable[Role], word: str) -> bool:
    """Whether one of these roles may do this at all."""
    return any(word in ROLE_MAY.get(role, frozenset()) for role in roles)


def require(by: Acting, word: str) -> None:
    """Raises `Refused` when none of the acting officer's roles may do this."""
    if not may(by.roles, word):
        raise Refused("access.role", f"your roles do not include: {word}", step="check the role")


def check_reason(purpose: str, justification: str) -> None:
    """Raises `Invalid` where one is longer than what is kept of it."""
    for field, text in (("purpose", purpose), ("justification", justification)):
        if len(text) > MOST_REASON:
            raise Invalid(
                "access.reason_too_long", f"at most {MOST_REASON} characters", step="say who acts", field=field
            )


def block_for(failures: int) -> timedelta:
    """How long the next attempt waits after so many failures in a row: 1 s after the fourth, then doubled, capped."""
    if failures <= FREE_FAILURES:
        return timedelta(0)
    doublings = min(failures - FREE_FAILURES - 1, 20)  # beyond that the cap holds anyway
    return min(timedelta(seconds=2**doublings), LONGEST_BLOCK)


def session_end(created_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends if it is not used again."""
    return min(seen_at + SESSION_IDLE, created_at + SESSION_LONGEST)


def parse_name(name: str) -> str:
    """The name as it is shown: NFC, single spaces. Raises `Invalid`."""
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if len(shown) not in NAME_LENGTH or any(unicodedata.category(c)[0] == "C" for c in shown):
        raise Invalid("officer.name", "a name has 1 to 120 printable characters", step="add officer", field="name")
    return shown


def name_key(name: str) -> str:
    """The form in which two spellings of one sign-in name are equal."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def parse_password(password: str) -> bytes:
    """The password as it is hashed. Raises `Invalid`; never says what it was.

    NIST SP 800-63B-4 3.1.1.2: length counts, composition rules do not; NFKC before hashing.
    """
    if len(password) not in PASSWORD_LENGTH:
        raise Invalid("officer.password", "a password has 12 to 256 characters", step="set password", field="password")
    return password_bytes(password)


def password_bytes(password: str) -> bytes:
    """What is hashed of any password that was typed, however long."""
    return unicodedata.normalize("NFKC", password[: PASSWORD_LENGTH.stop]).encode("utf-8", "surrogatepass")


def parse_roles(roles: Iterable[str | Role]) -> frozenset[Role]:
    """At least one known role. Raises `Invalid`."""
    try:
        found = frozenset(Role(r) for r in roles)
    except ValueError as exc:
        raise Invalid("officer.role", f"roles are {', '.join(Role)}", step="set roles", field="roles") from exc
    if not found:
        raise Invalid("officer.role", "an officer has at least one role", step="set roles", field="roles")
    return found


def parse_language(language: str) -> str:
    """One of the pages' languages. Raises `Invalid`."""
    if language not in LANGUAGES:
        raise Invalid(
            "officer.language", f"languages are {', '.join(LANGUAGES)}", step="set language", field="language"
        )
    return language


def may_confirm(first: str, second: str, roles: Iterable[Role], needs: Role) -> None:
    """Four eyes are two officers, the second of whom holds the needed role. Raises `Refused`."""
    if first == second:
        raise Refused("access.same_officer", "four eyes need two officers", step="confirm")
    if needs not in roles:
        raise Refused("access.role", f"the second officer must be: {needs}", step="confirm")
