"""The verbs of access: officers, sign-in, sessions, API tokens, four eyes. Each is one transaction, sign-in two."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import Connection, Row

from tansiq.access import known_browser, records, rules
from tansiq.access.four_eyes import FourEyes
from tansiq.access.model import Acting, ApiToken, Draft, Ended, Officer, Role, Session
from tansiq.access.passwords import PasswordCost, Passwords
from tansiq.crypto import Vault, canonical, sha256
from tansiq.errors import Conflict, Invalid, NotFound, Refused
from tansiq.store import Store
from tansiq.terms import OfficerId, format_instant, parse_instant

TOKEN_BYTES = 32
TOTP_BYTES = 20  # RFC 4226 section 4, R6: 160 bits
TOTP_WINDOW = 1  # RFC 6238 section 5.2: one step for the way and for clocks apart

_OFFICERS = "access_officers"
_TOKENS = "access_tokens"
_CODE = re.compile(r"[0-9]{6}")
_NO_SECRET = "A" * 32
"""Stands in for the secret of an officer who has none, so that the same work is done."""


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What is sealed in an officer's row."""

    name: str
    password: str | None
    totp: str | None

    def to_bytes(self) -> bytes:
        return canonical({"name": self.name, "password": self.password, "totp": self.totp})


class Access:
    """Who acts on this node. One instance per node; safe to share between threads."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        clock: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        cost: PasswordCost | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._random_bytes = random_bytes
        self._passwords = Passwords(cost or PasswordCost(), random_bytes)
        self._four_eyes = FourEyes(store, vault, clock, random_bytes)

    # Officers

    def add_officer(
        self,
        name: str,
        roles: Iterable[str | Role],
        password: str | None,
        language: str = "en",
        *,
        totp: bool = False,
    ) -> tuple[Officer, str | None]:
        """A new officer, and with `totp` the secret of the one-time codes, which is shown only now.

        Without a password the officer cannot sign in: acts on this machine alone. Raises `Invalid`; `Conflict` when
        the name is taken.
        """
        secrets = _Secrets(
            name=rules.parse_name(name),
            password=None if password is None else self._passwords.hash(rules.parse_password(password)),
            totp=self._new_totp_secret() if totp else None,
        )
        officer = OfficerId(f"o-{self._random_bytes(8).hex()}")
        values: dict[str, Any] = {
            "id": officer,
            "name_key": self._name_key(secrets.name),
            "sealed": self._vault.seal(_OFFICERS, officer, secrets.to_bytes()),
            "roles": ",".join(sorted(rules.parse_roles(roles))),
            "active": True,
            "language": rules.parse_language(language),
            "totp_step": 0,
            "created_at": format_instant(self._clock()),
        }

        def work(tx: Connection) -> Row[Any]:
            if records.officer_by_name(tx, values["name_key"]) is not None:
                raise Conflict("officer.name_taken", "an officer has this name", step="add officer", field="name")
            records.add_officer(tx, values)
            return self._row(tx, officer)

        return self._officer(self._store.write(work)), secrets.totp

    def officers(self) -> list[Officer]:
        """All officers, the inactive too, oldest first."""
        with self._store.read() as tx:
            rows = records.all_officers(tx)
        return [self._officer(row) for row in rows]

    def officer(self, officer: OfficerId | str) -> Officer:
        """Raises `NotFound`."""
        with self._store.read() as tx:
            return self._officer(self._row(tx, officer))

    def change_officer(
        self,
        officer: OfficerId | str,
        *,
        roles: Iterable[str | Role] | None = None,
        language: str | None = None,
        active: bool | None = None,
    ) -> Officer:
        """Change roles, language or whether the officer may act; who may not loses sessions and tokens at once."""
        values: dict[str, Any] = {}
        if roles is not None:
            values["roles"] = ",".join(sorted(rules.parse_roles(roles)))
        if language is not None:
            values["language"] = rules.parse_language(language)
        if active is not None:
            values["active"] = active

        def work(tx: Connection) -> Row[Any]:
            self._row(tx, officer)
            if values:
                records.change_officer(tx, officer, values)
            if active is False:
                records.end_sessions_of(tx, officer)
                records.end_tokens_of(tx, officer)
            return self._row(tx, officer)

        return self._officer(self._store.write(work))

    def set_password(self, officer: OfficerId | str, password: str | None) -> None:
        """A new password, or none; ends the officer's sessions."""
        hashed = None if password is None else self._passwords.hash(rules.parse_password(password))
        self._store.write(lambda tx: self._reseal(tx, officer, lambda old: replace(old, password=hashed)))

    def set_totp(self, officer: OfficerId | str, *, wanted: bool) -> str | None:
        """A new secret for one-time codes, shown only now; or none. Ends the officer's sessions."""
        secret = self._new_totp_secret() if wanted else None
        self._store.write(lambda tx: self._reseal(tx, officer, lambda old: replace(old, totp=secret)))
        return secret

    # Signing in

    def sign_in(self, name: str, password: str, totp_code: str | None = None, marks: str = "") -> tuple[str, Session]:
        """The session's token, for the browser alone, and the session. `marks` are what `marks_of_browser` made.

        Raises `Refused` with one message for every reason, so that nobody learns who is an officer here; and with
        `access.throttled` after too many attempts under this name: in this browser where the officer is known to it,
        else in all that are not.
        """
        named = self._name_key(name)
        number = known_browser.number_of(marks, named, self._clock(), self._mark_mac)
        key = named if number is None else self._vault.mac("access.attempts", named + number)
        found = self._store.write(lambda tx: self._count_attempt(tx, key, named))
        stored = self._secrets(found).password if found is not None and records.may_act(found) else None
        matches = self._passwords.matches(stored, rules.password_bytes(password))
        token = self._new_secret()
        code = totp_code or ""
        officer = found.id if found is not None and matches else None
        session = self._store.write(lambda tx: self._finish_sign_in(tx, key, officer, code, token))
        if session is None:
            raise Refused("access.sign_in", "name, password or one-time code is not right", step="sign in")
        if stored is not None and self._passwords.is_outdated(stored):
            hashed = self._passwords.hash(rules.password_bytes(password))
            self._store.write(
                lambda tx: self._reseal(tx, session.officer.id, lambda old: replace(old, password=hashed), end=False)
            )
        return token, session

    def marks_of_browser(self, marks: str, name: str) -> str:
        """What a browser keeps once this officer has signed in there, so that strangers' guesses do not lock it out.

        It proves nothing but that, and it names nobody.
        """
        number = self._random_bytes(known_browser.NUMBER_BYTES)
        return known_browser.renewed(marks, self._name_key(name), self._clock(), self._mark_mac, number)

    def session(self, token: str) -> Session:
        """The session behind a browser's token; being asked for keeps it alive. Raises `Refused`."""
        now = self._clock()
        hashed = _token_hash("session", token)
        with self._store.read() as tx:
            found = records.session_by_hash(tx, hashed)
            officer = records.officer_by_id(tx, found.officer) if found is not None else None
        if found is None or officer is None or not records.may_act(officer):
            raise Refused("access.session", "sign in first", step="find the session")
        created_at, seen_at = parse_instant(found.created_at), parse_instant(found.seen_at)
        if now >= rules.session_end(created_at, seen_at):
            raise Refused("access.session", "the session has ended: sign in again", step="find the session")
        if now - seen_at >= rules.SESSION_TOUCH:
            self._store.write(lambda tx: records.touch_session(tx, hashed, format_instant(now)))
            seen_at = now
        return Session(self._officer(officer), self._csrf(token), rules.session_end(created_at, seen_at))

    def sign_out(self, token: str) -> None:
        """End the session; a token that is none is no failure."""
        hashed = _token_hash("session", token)
        self._store.write(lambda tx: records.end_session(tx, hashed))

    # After a restore

    def hold(self, tx: Connection, as_of: datetime) -> Ended:
        """This database came out of a backup of this instant: what was ended since lives again in it.

        Sessions, API tokens and drafts end for good. Officers act again, signed in or not, once each is confirmed.
        """
        officers = {row.id: self._officer(row) for row in records.all_officers(tx)}
        tokens = [self._token(row) for row in records.all_tokens(tx)]
        records.end_tokens(tx)
        records.hold_officers(tx, format_instant(as_of))
        now = format_instant(self._clock())
        return Ended(
            records.end_sessions(tx),
            self._four_eyes.end_all(tx, now),
            tuple((officers[t.officer], t) for t in tokens),
            tuple(o for o in officers.values() if o.active),
        )

    def confirm_officer(self, tx: Connection, officer: OfficerId) -> bool:
        """An administrator knows that this officer may act. False where nothing of this one waits."""
        return records.confirm_officer(tx, officer)

    # API tokens

    def new_token(self, officer: OfficerId | str, label: str, days: int) -> str:
        """A bearer token `tq_...` for a program that acts for this officer, shown only now. Raises `Invalid`."""
        if days not in rules.TOKEN_DAYS:
            raise Invalid("token.days", "a token lives 1 to 366 days", step="new token", field="days")
        shown = rules.parse_name(label)
        text = f"tq_{self._new_secret()}"
        token = f"t-{self._random_bytes(8).hex()}"
        now = self._clock()
        values = {
            "id": token,
            "token_hash": _token_hash("token", text),
            "officer": officer,
            "label": self._vault.seal(_TOKENS, token, shown.encode()),
            "created_at": format_instant(now),
            "expires_at": format_instant(now + timedelta(days=days)),
        }

        def work(tx: Connection) -> None:
            self._active(self._row(tx, officer))
            records.add_token(tx, values)

        self._store.write(work)
        return text

    def by_token(self, token: str) -> Officer:
        """The officer for whom a program acts. Raises `Refused`."""
        with self._store.read() as tx:
            found = records.token_by_hash(tx, _token_hash("token", token))
            officer = records.officer_by_id(tx, found.officer) if found is not None else None
        if (
            found is None
            or officer is None
            or not records.may_act(officer)
            or self._clock() >= parse_instant(found.expires_at)
        ):
            raise Refused("access.token", "the token is unknown or has ended", step="authenticate")
        return self._officer(officer)

    def tokens(self, officer: OfficerId | str) -> list[ApiToken]:
        """The officer's tokens, without the tokens themselves."""
        with self._store.read() as tx:
            rows = records.tokens_of(tx, officer)
        return [self._token(row) for row in rows]

    def end_token(self, token_id: str) -> None:
        """Raises `NotFound`."""
        if not self._store.write(lambda tx: records.end_token(tx, token_id)):
            raise NotFound("token.unknown", "no such token", step="end token")

    # Acting

    def acting(self, officer: Officer | OfficerId | str, purpose: str = "", justification: str = "") -> Acting:
        """This officer acts, with the roles held now, not at a session's start.

        Raises `Refused` when inactive, `Invalid` where purpose or justification are longer than a reason is.
        """
        rules.check_reason(purpose, justification)
        found = self.officer(officer.id if isinstance(officer, Officer) else officer)
        if not found.active:
            raise Refused("access.officer_inactive", "the officer is not active", step="act")
        if found.as_of is not None:
            raise _held("act")
        return Acting(found.id, found.roles, purpose, justification)

    # Four eyes

    def propose(self, act: str, body: bytes, by: Acting, needs: str, ref: str = "") -> str:
        """Lay an act down for a second officer with the role `needs`; the draft's id."""
        return self._store.write(lambda tx: self._four_eyes.propose(tx, act, body, by, needs, ref))

    def pending(self) -> list[Draft]:
        """What waits for a second officer, oldest first."""
        return self._four_eyes.pending()

    def draft(self, draft: str) -> Draft:
        """One draft, whatever its state. Raises `NotFound`."""
        return self._four_eyes.draft(draft)

    def confirm(self, draft: str, by: Acting) -> tuple[bytes, Officer]:
        """Confirm as the second officer; the body and the first officer. An act that must not be lost: `confirm_in`."""
        settled, _ = self._store.write(lambda tx: self._four_eyes.confirm(tx, draft, by))
        return settled.body, self.officer(settled.first)

    def confirm_in(self, tx: Connection, draft: str, by: Acting) -> tuple[Draft, Acting]:
        """As `confirm`, in the transaction that also does the act; the `Acting` names both officers."""
        return self._four_eyes.confirm(tx, draft, by)

    def reject(self, draft: str, by: Acting) -> Draft:
        """End the draft: its first officer withdraws it, or one who could have confirmed it refuses."""
        return self._store.write(lambda tx: self._four_eyes.reject(tx, draft, by))

    # Inside

    def _count_attempt(self, tx: Connection, key: bytes, named: bytes) -> Row[Any] | None:
        """Count the attempt under `key` before it is tried; the officer of this name, if there is one."""
        now = self._clock()
        records.forget_attempts(tx, format_instant(now - rules.FORGET_FAILURES))
        before = records.attempts_of(tx, key)
        if before is not None and now < parse_instant(before.blocked_until):
            wait = parse_instant(before.blocked_until) - now
            raise Refused(
                "access.throttled",
                "too many attempts: wait before the next one",
                step="sign in",
                hint=f"wait {int(wait.total_seconds()) + 1} s",
            )
        failures = (before.failures if before is not None else 0) + 1
        self._put_attempts(tx, key, failures, now + rules.block_for(failures))
        return records.officer_by_name(tx, named)

    def _finish_sign_in(self, tx: Connection, key: bytes, officer: str | None, code: str, token: str) -> Session | None:
        """The session, or None; both write, so that a wrong code cannot be told from a wrong password by its time."""
        now = self._clock()
        row = records.officer_by_id(tx, officer or "")
        secret = self._secrets(row).totp if row is not None else None
        step = _step_of(secret or _NO_SECRET, code, now)
        if row is None or not records.may_act(row) or (secret is not None and not _spend(tx, row.id, step)):
            before = records.attempts_of(tx, key)
            failures = before.failures if before is not None else 1
            self._put_attempts(tx, key, failures, now + rules.block_for(failures))
            return None
        self._put_attempts(tx, key, 0, now)
        records.end_old_sessions(tx, format_instant(now - rules.SESSION_IDLE))
        at = format_instant(now)
        values = {"token_hash": _token_hash("session", token), "officer": row.id, "created_at": at, "seen_at": at}
        records.add_session(tx, values)
        return Session(self._officer(row), self._csrf(token), rules.session_end(now, now))

    def _put_attempts(self, tx: Connection, key: bytes, failures: int, blocked_until: datetime) -> None:
        values = {
            "failures": failures,
            "blocked_until": format_instant(blocked_until),
            "last_at": format_instant(self._clock()),
        }
        records.put_attempts(tx, key, values)

    def _reseal(
        self, tx: Connection, officer: str, change: Callable[[_Secrets], _Secrets], *, end: bool = True
    ) -> None:
        secrets = change(self._secrets(self._row(tx, officer)))
        records.change_officer(tx, officer, {"sealed": self._vault.seal(_OFFICERS, officer, secrets.to_bytes())})
        if end:
            records.end_sessions_of(tx, officer)

    def _row(self, tx: Connection, officer: str) -> Row[Any]:
        row = records.officer_by_id(tx, officer)
        if row is None:
            raise NotFound("officer.unknown", "no such officer", step="load officer")
        return row

    def _active(self, row: Row[Any]) -> None:
        if not row.active:
            raise Refused("access.officer_inactive", "the officer is not active", step="load officer")
        if row.as_of is not None:
            raise _held("load officer")

    def _secrets(self, row: Row[Any]) -> _Secrets:
        return _Secrets(**json.loads(self._vault.open(_OFFICERS, row.id, row.sealed)))

    def _officer(self, row: Row[Any]) -> Officer:
        secrets = self._secrets(row)
        return Officer(
            id=OfficerId(row.id),
            name=secrets.name,
            roles=rules.parse_roles(row.roles.split(",")),
            active=row.active,
            language=row.language,
            has_totp=secrets.totp is not None,
            created_at=parse_instant(row.created_at),
            as_of=parse_instant(row.as_of) if row.as_of else None,
        )

    def _token(self, row: Row[Any]) -> ApiToken:
        return ApiToken(
            id=row.id,
            officer=OfficerId(row.officer),
            label=self._vault.open(_TOKENS, row.id, row.label).decode(),
            created_at=parse_instant(row.created_at),
            expires_at=parse_instant(row.expires_at),
        )

    def _name_key(self, name: str) -> bytes:
        # Longer than any officer's name is nobody's name; what is cut off cannot make it one.
        return self._vault.mac("access.officer", rules.name_key(name[:1000]).encode("utf-8", "surrogatepass"))

    def _mark_mac(self, told: bytes) -> bytes:
        return self._vault.mac("access.known_browser", told)

    def _csrf(self, token: str) -> str:
        """Derived, not stored: who can read the database cannot forge a form."""
        return self._vault.mac("access.csrf", token.encode("utf-8", "surrogatepass")).hex()

    def _new_secret(self) -> str:
        return base64.urlsafe_b64encode(self._random_bytes(TOKEN_BYTES)).decode().rstrip("=")

    def _new_totp_secret(self) -> str:
        return base64.b32encode(self._random_bytes(TOTP_BYTES)).decode()


def _held(step: str) -> Refused:
    return Refused(
        "access.officer_held", "the officer came out of a backup and was not confirmed since", step=step,
        hint="tansiq restored",
    )  # fmt: skip


def _spend(tx: Connection, officer: str, step: int | None) -> bool:
    return step is not None and records.spend_code(tx, officer, step)


def _token_hash(kind: str, token: str) -> bytes:
    return sha256(f"tansiq.access.{kind}.v1", token.encode("utf-8", "surrogatepass"))


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step that this one-time code belongs to."""
    if not _CODE.fullmatch(code):
        code = "------"
    try:
        return int(pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=TOTP_WINDOW))
    except pyotp.OTPVerificationError:
        return None
