"""Failures as exit codes and RFC 9457-like problems. What was typed is never quoted: it may be a person's name."""

from __future__ import annotations

import sys
from typing import Any

from tansiq.cli.screen import emit_json
from tansiq.errors import Broken, Invalid, PeerUnavailable, Refused, TansiqError

INTERRUPTED = 130


def problem(failure: TansiqError) -> dict[str, Any]:
    """The failure as a problem document, empty members left out."""
    said: dict[str, Any] = {
        "type": f"urn:tansiq:problem:{failure.code}",
        "title": type(failure).__name__,
        "status": failure.http_status,
        "detail": str(failure),
        "code": failure.code,
        "step": failure.step,
        "field": failure.field,
        "hint": failure.hint,
        "exit_code": failure.exit_code,
    }
    if isinstance(failure, Refused):
        said["clauses"] = list(failure.clauses)
    if isinstance(failure, PeerUnavailable):
        said["retry_after_s"] = failure.retry_after_s
    return {key: value for key, value in said.items() if value not in ("", [])}


def tell(failure: TansiqError, *, as_json: bool) -> int:
    """Shows the failure where the caller looks for it; the exit code comes back."""
    if as_json:
        emit_json(problem(failure))
    else:
        kind = type(failure).__name__
        clauses = f" [{', '.join(failure.clauses)}]" if isinstance(failure, Refused) and failure.clauses else ""
        sys.stderr.write(f"tansiq: {kind}: {failure}{clauses} ({failure.code})\n")
        if failure.hint:
            sys.stderr.write(f"  try: {failure.hint}\n")
    return failure.exit_code


def usage(exc: Exception) -> Invalid:
    """A usage failure of the argument parser as `Invalid`, by its kind and the parameter's own name."""
    kind = type(exc).__name__
    param = getattr(exc, "param", None)
    opts = [o for o in getattr(param, "opts", ()) or () if o.startswith("--")]
    name = opts[0] if opts else str(getattr(param, "metavar", None) or getattr(param, "name", None) or "").upper()
    ctx = getattr(exc, "ctx", None)
    step = str(getattr(ctx, "command_path", "") or "tansiq")
    message = {
        "MissingParameter": "is missing",
        "BadParameter": "is not valid",
        "NoSuchOption": "there is no such option",
        "BadOptionUsage": "an option lacks its value",
    }.get(kind, "the command line does not fit; see --help")
    return Invalid(f"cli.usage.{_CODES.get(kind, 'wrong')}", message, step=step, field=name, hint=f"{step} --help")


_CODES = {
    "MissingParameter": "missing",
    "BadParameter": "value",
    "NoSuchOption": "option",
    "BadOptionUsage": "option_value",
}


def unexpected(exc: BaseException) -> Broken:
    """Anything else is our own fault. Only the type is named: its words may hold what was being worked on."""
    return Broken("broken.unexpected", f"unexpected {type(exc).__name__}", step="command", hint="tansiq doctor")
