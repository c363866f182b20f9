"""The build of the C kernel: made where a compiler is, and never a reason for an install to fail."""

from __future__ import annotations

import importlib.util
import shutil
import sysconfig
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

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


def test_each_kernel_has_its_sources_and_a_name_of_its_own(build: ModuleType) -> None:
    assert {name for _, name, _ in build.KERNELS} == {"_kernel.abi3.so", "_group.abi3.so"}
    assert all(list((ROOT / folder).glob("*.c")) for folder, _, _ in build.KERNELS)


@pytest.mark.skipif(not can_compile(), reason="no C compiler here")
@pytest.mark.parametrize("which", [0, 1])
def test_a_wheel_holds_what_was_compiled_and_says_so(
    tmp_path: Path, build: ModuleType, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    """Whichever of the two compiles, the wheel is no pure one; the other is told as missing."""
    warned: list[str] = []
    for number, (folder, _, _) in enumerate(build.KERNELS):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "one.c").write_text("int one(void) { return 1; }" if number == which else "broken")
    hook = build.KernelHook.__new__(build.KernelHook)
    monkeypatch.setattr(build.KernelHook, "root", str(tmp_path))
    monkeypatch.setattr(build.KernelHook, "app", SimpleNamespace(display_warning=warned.append))
    made: dict[str, Any] = {"force_include": {}, "pure_python": True}
    hook.initialize("standard", made)
    folder, name, _ = build.KERNELS[which]
    assert list(made["force_include"].values()) == [f"{folder.removeprefix('src/')}/{name}"]
    assert made["pure_python"] is False
    assert len(warned) == 1
    hook.finalize("standard", made, "")


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
