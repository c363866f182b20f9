"""The build of the C kernel: made where a compiler is, and never a reason for an install to fail."""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def build() -> ModuleType:
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def with_source(root: Path, build: ModuleType, source: str) -> Path:
    folder = root / build.FOLDER
    folder.mkdir(parents=True)
    (folder / "one.c").write_text(source, encoding="utf-8")
    return folder / build.TARGET


def can_compile() -> bool:
    return bool(shutil.which("cc")) and Path(sysconfig.get_path("include"), "Python.h").exists()


@pytest.mark.skipif(not can_compile(), reason="no C compiler here")
def test_sources_become_one_file(tmp_path: Path, build: ModuleType) -> None:
    target = with_source(tmp_path, build, "int one(void) { return 1; }\n")
    assert build.compile_kernel(tmp_path, target) == ""
    assert target.stat().st_size > 0
    assert sorted(p.name for p in target.parent.iterdir()) == [build.TARGET, "one.c"]


@pytest.mark.skipif(not can_compile(), reason="no C compiler here")
def test_broken_sources_leave_no_old_kernel(tmp_path: Path, build: ModuleType) -> None:
    target = with_source(tmp_path, build, "broken")
    target.write_bytes(b"old")
    assert "failed: " in build.compile_kernel(tmp_path, target)
    assert not target.exists()


def test_without_a_compiler_there_is_a_reason(
    tmp_path: Path, build: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = with_source(tmp_path, build, "int one(void) { return 1; }\n")
    monkeypatch.setattr(build, "compiler", lambda: None)
    monkeypatch.setattr(build.sys, "platform", "linux")
    assert build.compile_kernel(tmp_path, target) == "no C compiler"


def test_another_system_gets_the_twin(tmp_path: Path, build: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    target = with_source(tmp_path, build, "")
    monkeypatch.setattr(build.sys, "platform", "win32")
    assert "win32" in build.compile_kernel(tmp_path, target)


def test_a_wheel_says_which_machine_it_is_for(build: ModuleType) -> None:
    assert not set(build.platform_tag()) & set("-.")
