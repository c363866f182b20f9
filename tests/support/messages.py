"""Every text of pages and commands that a catalogue must have: from the templates, and from `N_(...)` in the code."""

from __future__ import annotations

import ast
from pathlib import Path

from jinja2.ext import babel_extract

WEB = Path(__file__).resolve().parents[2] / "src" / "tansiq" / "web"
DIRECT = {"N_", "say"}


def template_messages() -> set[str | tuple[str, str]]:
    """Plain texts, and (one, many) pairs."""
    found: set[str | tuple[str, str]] = set()
    for path in sorted((WEB / "templates").rglob("*.html")):
        with path.open("rb") as file:
            options = {"extensions": "jinja2.ext.do", "trim_blocks": "true", "lstrip_blocks": "true"}
            for _line, verb, message, _comments in babel_extract(file, ("_", "gettext", "ngettext"), [], options):
                texts = [m for m in message if isinstance(m, str)] if isinstance(message, tuple) else [message]
                found.add((texts[0], texts[1]) if verb == "ngettext" else texts[0])
    return found


def code_messages() -> set[str | tuple[str, str]]:
    found: set[str | tuple[str, str]] = set()
    for path in [*sorted(WEB.rglob("*.py")), *sorted((WEB.parent / "cli").rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name in DIRECT and len(texts) == 1:
                found.add(texts[0])
    for one, many in (("%(n)d day", "%(n)d days"), ("%(n)d hour", "%(n)d hours"), ("%(n)d minute", "%(n)d minutes")):
        found.add((one, many))
    return found


def all_messages() -> set[str | tuple[str, str]]:
    return {m for m in template_messages() | code_messages() if m and m != ("", "")}


__all__ = ["all_messages", "code_messages", "template_messages"]
