"""Failures as exit codes and RFC 9457-like problems. What was typed is never quoted: it may be a person's name."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from tansiq.cli.screen import emit_json
from tansiq.cli.tongues import TRY, told
from tansiq.errors import Broken, Invalid, PeerUnavailable, Refused, TansiqError

INTERRUPTED = 130
HINTS = {
    "state a purpose": 'say why: --purpose investigation --why "case 12"',
    "if the list really shrank so much, say so with may_shrink": "--may-shrink, if the list really shrank so much",
    "acknowledge the restriction": "tansiq dossier acknowledge ID",
    "let a supervisor confirm the draft": "--propose lays it down for a supervisor (`tansiq draft list`); "
    "or --second NAME, where the second officer is at hand",
}
"""The services' hints in the words of commands."""
WHERE_TO_LOOK = {
    "peer.unknown": "tansiq peer list",
    "dossier.unknown": "tansiq dossier list",
    "cli.officer": "tansiq officer list",
    "hit.match": "tansiq hit list",
    "plan.unknown": "tansiq plan list",
    "notice.unknown": "tansiq check status",
    "template.unknown": "tansiq template list",
}
"""Where the ids are, for who has given one that is none."""


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


def tell(failure: TansiqError, *, as_json: bool, home: str = "", language: str = "en") -> int:
    """Shows the failure where the caller looks for it; the exit code comes back. `home` as the caller gave it."""
    if as_json:
        emit_json(problem(failure))
        return failure.exit_code
    line, attempt = _in_english(failure) if language == "en" else told(failure, language)
    sys.stderr.write(f"{line}\n")
    hint = HINTS.get(failure.hint, failure.hint) or WHERE_TO_LOOK.get(failure.code, "")
    if hint:
        sys.stderr.write(f"  {attempt} {_at_home(hint, home)}\n")
    return failure.exit_code


def _in_english(failure: TansiqError) -> tuple[str, str]:
    clauses = f" [{', '.join(failure.clauses)}]" if isinstance(failure, Refused) and failure.clauses else ""
    return f"tansiq: {type(failure).__name__}: {failure}{clauses} ({failure.code})", TRY


def _at_home(hint: str, home: str) -> str:
    """A hint that is a command, so that it runs when it is copied."""
    if not home or not hint.startswith("tansiq ") or hint.endswith("--help"):
        return hint
    return f"tansiq --home {shlex.quote(home)} {hint.removeprefix('tansiq ')}"


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
        "BadParameter": _expected(exc),
        "NoSuchOption": "there is no such option",
        "BadOptionUsage": "an option lacks its value",
    }.get(kind, "the command line does not fit; see --help")
    commands = getattr(getattr(ctx, "command", None), "commands", None)
    if kind in ("UsageError", "NoSuchCommand") and commands:
        message = f"there is no such command; there are {', '.join(sorted(commands))}"
        kind, name = "NoSuchCommand", "COMMAND"
    return Invalid(f"cli.usage.{_CODES.get(kind, 'wrong')}", message, step=step, field=name, hint=f"{step} --help")


def _expected(exc: Exception) -> str:
    """What a parameter takes, by the kind of its failure; never the parser's own words, which may quote the value."""
    errors = getattr(exc.__cause__, "errors", None)
    found = errors()[0] if callable(errors) else {}
    limits, kind = found.get("ctx", {}), found.get("type", "")
    if kind == "less_than_equal":
        return f"must be at most {limits.get('le')}"
    if kind == "greater_than_equal":
        return f"must be at least {limits.get('ge')}"
    return "must be a whole number" if kind.startswith("int_") else "is not valid"


_CODES = {
    "MissingParameter": "missing",
    "BadParameter": "value",
    "NoSuchOption": "option",
    "BadOptionUsage": "option_value",
    "NoSuchCommand": "command",
}


def unexpected(exc: BaseException) -> Broken:
    """Anything else is our own fault. Only the type is named: its words may hold what was being worked on."""
    return Broken("broken.unexpected", f"unexpected {type(exc).__name__}", step="command", hint="tansiq doctor")
