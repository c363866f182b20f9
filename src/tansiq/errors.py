"""The seven failures, named by what the caller can do.

An answer (no hit, refused by a partner, a bad row in a file) is a value, never an exception.
A failure means: the caller cannot have what it asked for. Only `web/` and `cli/` translate these.

    TansiqError
    ├── Invalid          the caller corrects the input
    ├── Refused          the caller asks with another purpose or authority
    ├── NotFound         nothing to do; looks like Refused where existence is protected
    ├── Conflict         reload and try again
    ├── PeerUnavailable  wait; carries retry_after_s
    ├── Untrusted        stop: a peer sent what does not verify
    └── Broken           stop writing: our own invariant failed
"""

from __future__ import annotations

from typing import ClassVar


class TansiqError(Exception):
    """Base. `message` is safe for the other side, `detail` holds ids only and stays here.

    No field may hold personal data: errors reach logs, terminals and partners.
    """

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self, code: str, message: str, *, step: str = "", field: str = "", detail: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.step = step
        self.field = field
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        where = ": ".join(x for x in (self.step, self.field) if x)
        return f"{where}: {self.message}" if where else self.message


class Invalid(TansiqError):
    """The input is wrong; the caller corrects it."""

    http_status = 422
    exit_code = 2


class Refused(TansiqError):
    """The law gate or an access rule said no. `clauses` names what decided."""

    http_status = 403
    exit_code = 3

    def __init__(
        self,
        code: str,
        message: str,
        *,
        clauses: tuple[str, ...] = (),
        step: str = "",
        field: str = "",
        detail: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(code, message, step=step, field=field, detail=detail, hint=hint)
        self.clauses = clauses


class NotFound(TansiqError):
    """There is no such thing, or the caller may not know that there is."""

    http_status = 404
    exit_code = 4


class Conflict(TansiqError):
    """The state moved under the caller; reload."""

    http_status = 409
    exit_code = 5


class PeerUnavailable(TansiqError):
    """Network or partner; the only retryable kind."""

    http_status = 503
    exit_code = 6

    def __init__(
        self, code: str, message: str, *, retry_after_s: float = 60.0, step: str = "", detail: str = ""
    ) -> None:
        super().__init__(code, message, step=step, detail=detail)
        self.retry_after_s = retry_after_s


class Untrusted(TansiqError):
    """A partner sent what does not verify: stop, keep it out, tell security."""

    http_status = 400
    exit_code = 7


class Broken(TansiqError):
    """One of our own invariants failed (log fork, clock back, failed fsync): stop writing."""

    http_status = 500
    exit_code = 8
