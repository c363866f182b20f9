"""House rules 1 and 2: one folder, one capability, two doors; imports go down."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.tree import ROOT, SRC, imported, modules

SHELL = {"__main__.py"}
"""`python -m tansiq` calls the program as its console script does."""
OPEN = {"terms"}
"""Words, not verbs: every module of `terms` is a noun that others may name."""
BUILDERS = {"node.py"}
"""The one place that puts services together."""


def test_a_capability_is_entered_only_by_its_two_doors() -> None:
    bad = []
    for module in modules():
        if module.name in SHELL:
            continue
        for target, line in imported(module):
            parts = target.split(".")
            if parts[0] != "tansiq" or len(parts) < 3 or parts[1] == module.capability or parts[1] in OPEN:
                continue
            inner = SRC / parts[1] / parts[2]
            is_module = inner.with_suffix(".py").exists() or (inner / "__init__.py").exists()
            if not is_module or parts[2] == "model" or (module.name in BUILDERS and parts[2] == "service"):
                continue
            bad.append(f"{module.name}:{line} reaches into {target}")
    assert not bad, "\n".join(bad)


def test_imports_go_down_and_what_decides_is_pure() -> None:
    """`.importlinter` holds the order of the folders; here it also runs where only the tests are run."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_only_settings_reads_the_environment() -> None:
    bad = []
    for module in modules():
        if module.name == "settings.py" or module.capability == "demo":  # the demo hands its own on to its nodes
            continue
        for node in ast.walk(module.tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"environ", "getenv", "environb"}
                and isinstance(node.value, ast.Name)
                and node.value.id == "os"
            ):
                bad.append(f"{module.name}:{node.lineno} reads the environment")
    assert not bad, "\n".join(bad)


CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time"), ("time", "time_ns")}
CHANCE = {("secrets", None), ("random", None), ("os", "urandom"), ("uuid", "uuid4"), ("uuid", "uuid1")}
DECIDE = {"rules.py", "model.py", "wire.py", "frame.py"}
PURE = {"terms", "kinds", "crypto", "matching", "policy"}


def test_clock_and_chance_belong_to_the_node() -> None:
    """What decides takes `now`, `new_id` and random bytes as arguments, so that a test can play any day."""
    bad = []
    for module in modules():
        if module.capability not in PURE and module.path.name not in DECIDE:
            continue
        for node in ast.walk(module.tree):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)):
                continue
            owner, verb = node.value.id, node.attr
            if (owner, verb) in CLOCKS | CHANCE or (owner, None) in CHANCE:
                bad.append(f"{module.name}:{node.lineno} uses {owner}.{verb}")
    assert not bad, "\n".join(bad)
