"""What is installed is what the lock says, and every dependency has a reason."""

from __future__ import annotations

import re
import tomllib

from tests.support.tree import read

PROJECT = tomllib.loads(read("pyproject.toml"))
LOCK = read("requirements.lock")


def names(requirements: list[str]) -> set[str]:
    """Normalised distribution names."""
    return {re.match(r"[A-Za-z0-9._-]+", r)[0].lower().replace("_", "-") for r in requirements}


RUNTIME = names(PROJECT["project"]["dependencies"])
DEV = names(PROJECT["dependency-groups"]["dev"])
LOCKED = names([line for line in LOCK.splitlines() if line and not line.startswith((" ", "#"))])


def test_the_lock_holds_every_dependency_and_what_builds_the_tree() -> None:
    assert not (RUNTIME | DEV) - LOCKED
    assert names(PROJECT["build-system"]["requires"]) | {"editables"} <= LOCKED


def test_every_locked_package_is_pinned_and_hashed() -> None:
    blocks = re.split(r"\n(?=[a-zA-Z0-9])", LOCK.strip())
    bad = [b.splitlines()[0] for b in blocks if "==" not in b.splitlines()[0] or "--hash=sha256:" not in b]
    assert not bad, bad


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", LOCK, re.M)


def test_every_direct_dependency_says_why_it_is_there() -> None:
    rows = re.findall(r"^\| `([a-z0-9._-]+)`", read("docs/dependencies.md"), re.M)
    assert len(rows) == len(set(rows))
    assert set(rows) == RUNTIME | DEV | names(PROJECT["build-system"]["requires"])
