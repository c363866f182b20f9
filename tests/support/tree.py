"""The repository as the house tests see it: files that belong to it, parsed modules, defined names."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "tansiq"
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".cedar",
    ".css",
    ".js",
    ".html",
    ".json",
    ".jsonl",
    ".lock",
    ".svg",
    ".po",
    ".csv",
}


@dataclass(frozen=True)
class Module:
    """One Python file of the product: `name` is its path below `src/tansiq`, with slashes."""

    name: str
    path: Path
    source: str
    tree: ast.Module

    @property
    def capability(self) -> str:
        first = self.name.split("/")[0]
        return first.removesuffix(".py")


@cache
def modules() -> tuple[Module, ...]:
    """Every module below `src/tansiq`, sorted."""
    found = []
    for path in sorted(SRC.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        found.append(Module(path.relative_to(SRC).as_posix(), path, source, ast.parse(source, filename=str(path))))
    return tuple(found)


@cache
def files() -> tuple[Path, ...]:
    """Every text file that belongs to the repository: tracked, or new and not ignored."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive has no .git
        listed = [
            p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*") if not set(p.parts) & {".venv", "__pycache__"}
        ]
    paths = (ROOT / name for name in sorted(set(listed)) if name)
    return tuple(p for p in paths if p.is_file() and (p.suffix in TEXT or not p.suffix))


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """Every imported target with its line: `tansiq.exchange.transport.Client`, 12. Relative imports are resolved."""
    package = ["tansiq", *module.name.removesuffix(".py").split("/")]
    if module.path.name == "__init__.py":
        package = package[:-1]
        anchor = package
    else:
        anchor = package[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                kept = anchor[: len(anchor) - node.level + 1]
                base = ".".join([*kept, base] if base else kept)
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def functions(module: Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method with its name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node


def defined(module: Module) -> Iterator[tuple[str, int]]:
    """Every name that the module gives: classes, functions, arguments, variables, attributes; never strings."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def words(name: str) -> list[str]:
    """`parseHTTPBody_now` -> parse, http, body, now."""
    return [w.lower() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def read(name: str) -> str:
    """A document of the repository; empty where it is missing, so that the test says what is missing."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def code_blocks(markdown: str) -> list[str]:
    """The lines inside fenced blocks."""
    return [
        line for block in re.findall(r"^```[a-z]*\n(.*?)^```", markdown, re.M | re.S) for line in block.splitlines()
    ]
