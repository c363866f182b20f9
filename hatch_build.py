"""Builds the C kernels, of name scoring and of group sums, into the wheel; without a C compiler the wheel is pure and
their twins run.

The editable install of `make dev` compiles into the tree. Nothing here fails an install: a build without a kernel says
so in one line, and `tansiq doctor` says which one runs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = "src/tansiq/matching/kernel"
TARGET = "_kernel.abi3.so"
KERNELS = (
    (FOLDER, TARGET, "name scoring runs in Python, 35 times slower"),
    ("src/tansiq/crypto/kernel", "_group.abi3.so", "a private check's proofs are made and verified at half the speed"),
)
"""(folder, file, what goes without it)."""
FLAGS = ["-std=c11", "-O3", "-fPIC", "-fvisibility=hidden"]


def compiler() -> list[str] | None:
    """The compiler that CC names, that Python was built with, or that is there."""
    for wanted in (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang"):
        words = shlex.split(wanted or "")
        if words and shutil.which(words[0]):
            return words
    return None


def compile_kernel(root: Path, target: Path, folder: str = FOLDER) -> str:
    """Compiles all C files of the folder into `target`; answers why not, or nothing. An old one never stays."""
    why_not = _compile(root, target, folder)
    if why_not:
        target.unlink(missing_ok=True)
    return why_not


def _compile(root: Path, target: Path, folder: str) -> str:
    if sys.platform not in {"linux", "darwin"} or sys.implementation.name != "cpython":
        return f"no build for {sys.platform} and {sys.implementation.name}"
    cc = compiler()
    if cc is None:
        return "no C compiler"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "no Python.h (on Debian: python3-dev)"
    shared = ["-shared"] if sys.platform == "linux" else ["-bundle", "-undefined", "dynamic_lookup"]
    sources = sorted(str(path) for path in (root / folder).glob("*.c"))
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        command = [*cc, *FLAGS, *shared, f"-I{sysconfig.get_path('include')}", *sources, "-o", str(made), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own sources
        if done.returncode:
            return f"{cc[0]} failed: {(done.stderr.strip().splitlines() or ['?'])[0]}"
        # a process that runs the old one keeps it: the new file takes its name, it is not written over
        made.replace(target)
    return ""


class KernelHook(BuildHookInterface[Any]):
    """hatchling calls `initialize` once for each wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        self._kept = tempfile.TemporaryDirectory()
        for folder, name, without in KERNELS:
            editable = version == "editable"
            target = (root / folder if editable else Path(self._kept.name)) / name
            why_not = compile_kernel(root, target, folder)
            if why_not:
                self.app.display_warning(f"tansiq: {without}: {why_not}")
            elif not editable:
                build_data["force_include"][str(target)] = folder.removeprefix("src/") + "/" + name
                build_data["pure_python"] = False
                build_data["tag"] = f"cp311-abi3-{platform_tag()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "_kept"):
            self._kept.cleanup()


def platform_tag() -> str:
    """The machine that the kernel was compiled for, as wheels write it."""
    return sysconfig.get_platform().replace("-", "_").replace(".", "_")
