"""Documents that say what the program does are checked against the program."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
from typer.main import get_command

from tests.support.tree import ROOT, SRC, code_blocks, read

PAGES = sorted(p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))


def cli_commands() -> set[tuple[str, ...]]:
    """Every command path of the program: ('dossier', 'open'), ('duties',)."""
    from tansiq.cli.main import app

    found: set[tuple[str, ...]] = set()

    def walk(command: object, path: tuple[str, ...]) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found.add(path)
            return
        for name, sub in inner.items():
            walk(sub, (*path, name))

    walk(get_command(app), ())
    return found


def test_make_help_lists_every_command_for_people() -> None:
    makefile = read("Makefile")
    shown = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.M))
    assert make_targets() - shown <= {"browser"}
    assert {"demo", "test", "test-all", "check", "fix", "bench", "docs", "vectors", "dev", "help"} <= shown


def test_ci_only_calls_make() -> None:
    lines = [line for line in read(".ci/run").splitlines() if line and not line.startswith("#")]
    assert "set -euo pipefail" in lines
    assert lines[-1] == "make test"


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_a_page_exist(page: str) -> None:
    known = cli_commands()
    groups = {path[:1] for path in known if len(path) > 1}
    bad = []
    for raw in code_blocks(read(page)):
        line = raw.strip().removeprefix("$ ")
        if found := re.match(r"make ([a-z-]+)", line):
            if found[1] not in make_targets():
                bad.append(line)
        elif found := re.match(
            r"(?:\.venv/bin/)?tansiq((?: +(?:--home \S+|--json|--officer \S+))*) +([a-z]+)(?: +([a-z]+))?", line
        ):
            path = (found[2], found[3]) if (found[2],) in groups else (found[2],)
            if path not in known:
                bad.append(line)
    assert not bad, bad


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_lead_somewhere(page: str) -> None:
    here = (ROOT / page).parent
    bad = [
        target
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", read(page))
        if not (here / target).resolve().exists()
    ]
    assert not bad, bad


EXAMPLES = {"agreements/ma-be.cedar"}
"""Files that a reader would make."""


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_are_there(page: str) -> None:
    """With a folder: `exchange/missed.py` is meant below `src/tansiq`. What a node makes (`report.json`) has none."""
    named = re.findall(r"`((?:[a-z_0-9-]+/)+[\w.-]+\.(?:py|cedar|toml|json|txt|md|c))(?:::(\w+))?[`: ]", read(page))
    assert page != "ARCHITECTURE.md" or len(named) > 30, "this test cannot read the page any more"
    bad = []
    for path, test in named:
        found = [p for p in (ROOT / path, (ROOT / page).parent / path, *SRC.rglob(path)) if p.is_file()]
        if path not in EXAMPLES and not any(test in p.read_text(encoding="utf-8") for p in found):
            bad.append(f"{path} {test}")
    assert not bad, bad


def test_every_threat_has_a_test_and_every_test_a_threat() -> None:
    named = set(re.findall(r"`tests/threats/(test_[a-z0-9_]+\.py)`", read("docs/threat-model.md")))
    there = {p.name for p in Path(ROOT, "tests/threats").glob("test_*.py")}
    assert there, "no threat is tested"
    assert named == there, f"only named: {sorted(named - there)}; only there: {sorted(there - named)}"


def test_the_changelog_keeps_its_form() -> None:
    text = read("CHANGELOG.md")
    assert text.startswith("# Changelog\n")
    sections = re.findall(r"^## (.+)$", text, re.M)
    assert sections
    assert sections[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", s) for s in sections[1:]), sections
    kinds = set(re.findall(r"^### (.+)$", text, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}, kinds


def test_adrs_are_numbered_and_name_what_enforces_them() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [p.name[:4] for p in pages] == [f"{n:04d}" for n in range(1, len(pages) + 1)]
    for page in pages:
        heads = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.M)
        assert heads == ["Context", "Decision", "Consequences", "References"], page.name


def test_what_a_stranger_needs_is_there() -> None:
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "LICENSE",
        "SECURITY.md",
        "CONTRIBUTING.md",
    ):
        assert len(read(name)) > 200, name
    assert read("LICENSE").startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")


def test_pages_made_from_the_program_are_current() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "build.py"))["PAGES"]
    old = [name for name, make in pages.items() if read(f"docs/{name}") != make()]
    assert not old, f"run `make docs`: {old}"


def test_the_example_bodies_are_what_the_program_reads() -> None:
    from tansiq.dossiers import parse_body

    found = re.findall(r"^```json\n(.*?)^```", read("docs/dossier-body.md"), re.M | re.S)
    assert len(found) >= 4
    for text in found:
        parse_body(json.loads(text))


def test_every_rule_of_the_protocol_names_what_checks_it() -> None:
    rows = re.findall(r"^\| ([CXDLO]-\d+) \| .+ \| `([^`]+)` \|$", read("docs/protocol.md"), re.M)
    heads = [rule for rule, _ in rows]
    assert len(heads) == len(set(heads)) >= 30
    missing = [f"{rule}: {path}" for rule, path in rows if not (ROOT / path).is_file()]
    assert not missing, missing
