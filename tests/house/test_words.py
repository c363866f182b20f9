"""House rule 6: say it in the field's words; GLOSSARY.md wins."""

from __future__ import annotations

import re

from tests.support.tree import defined, modules, read, words

VAGUE = {
    "util",
    "utils",
    "helper",
    "helpers",
    "misc",
    "common",
    "base",
    "manager",
    "handler",
    "processor",
    "data",
    "info",
}
"""If no better name comes, the code is in the wrong folder."""
EDGE = {"gateways", "sources"}
"""Other systems' words are allowed where their files are read and written."""


def table() -> list[list[str]]:
    """The rows of the glossary's first table: word, meaning, source, do not write."""
    rows = [line for line in read("GLOSSARY.md").partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def rivals() -> dict[str, str]:
    """Every banned word (in backticks in the last column) with the word to write."""
    return {rival: row[0] for row in table() for rival in re.findall(r"`([a-z_]+)`", row[3])}


def test_the_glossary_has_four_columns_and_each_word_once() -> None:
    rows = table()
    assert len(rows) > 20
    assert all(len(row) == 4 and row[0] and row[1] for row in rows), [r for r in rows if len(r) != 4]
    heads = [row[0] for row in rows]
    assert len(heads) == len(set(heads))


def test_no_name_uses_a_word_that_the_glossary_bans() -> None:
    banned = rivals()
    assert banned
    bad = []
    for module in modules():
        if module.capability in EDGE:
            continue
        for name, line in defined(module):
            spelled = f"_{'_'.join(words(name))}_"
            found = {rival for rival in banned if f"_{rival}_" in spelled}
            bad.extend(f"{module.name}:{line} {name}: write {banned[w]}, not {w}" for w in found)
    assert not bad, "\n".join(sorted(set(bad)))


def test_no_file_has_a_vague_name() -> None:
    bad = [m.name for m in modules() if set(words(m.path.stem)) & VAGUE]
    bad += [m.name for m in modules() for part in m.name.split("/")[:-1] if part in VAGUE]
    assert not bad, bad
