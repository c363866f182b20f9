"""What must not be in the repository: mocks, a machine's paths, a registry's host, secrets."""

from __future__ import annotations

import ast
import re

from tests.support.tree import ROOT, files

# Put together here so that this file does not hold what it looks for.
MACHINE = re.compile(
    "|".join(["/" + "work/", "/" + "root/", "/" + "home/[a-z]", "/" + "Users/[A-Za-z]", "/" + "opt/pypi"])
)
HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "deb" + r"ian\.org/debian"])
)
KEYS = re.compile("-----BEGIN (EC |RSA |OPENSSH )?" + "PRIVATE KEY-----")


def scan(pattern: re.Pattern[str]) -> list[str]:
    """Every `file:line` whose text matches."""
    bad = []
    for path in files():
        text = path.read_text(encoding="utf-8", errors="replace")
        if pattern.search(text):
            bad += [
                f"{path.relative_to(ROOT)}:{n}" for n, line in enumerate(text.splitlines(), 1) if pattern.search(line)
            ]
    return bad


def test_no_file_names_a_path_of_one_machine() -> None:
    assert not (bad := scan(MACHINE)), bad


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert not (bad := scan(HOSTS)), bad


def test_no_file_holds_a_private_key() -> None:
    assert not (bad := scan(KEYS)), bad


def test_nothing_is_mocked() -> None:
    """A fake world in tests/support, never a mock: what is mocked is not tested."""
    bad = []
    for path in files():
        # What imports it names it: the rest need not be parsed.
        if path.suffix != ".py" or "mock" not in (source := path.read_text(encoding="utf-8")):
            continue
        for node in ast.walk(ast.parse(source)):
            names = []
            if isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            bad += [
                f"{path.relative_to(ROOT)}:{node.lineno}"
                for n in names
                if n.split(".")[:2] in (["unittest", "mock"], ["mock"])
            ]
    assert not bad, bad
