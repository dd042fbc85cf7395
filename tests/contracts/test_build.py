"""How gatelab is built: what a source distribution holds, and the compiler where the machine has none."""

import importlib.util
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "gatelab"
BACKEND = ROOT / "tools" / "build_backend.py"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Return the build's own functions, on a machine with nothing on its path."""
    spec = importlib.util.spec_from_file_location("build_backend", BACKEND)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    return module


def program(path: Path) -> None:
    path.write_text('#!/bin/sh\necho "$@"\n')
    path.chmod(0o755)


def test_source_distribution(tmp_path):
    """Everything in the package that is not left by a build, and what the build takes."""
    pytest.importorskip("scikit_build_core", reason="needs scikit-build-core, which builds the package")
    code = f"import build_backend; build_backend.build_sdist({str(tmp_path)!r})"
    environment = {"PYTHONPATH": str(BACKEND.parent), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = tmp_path.iterdir()
    with tarfile.open(archive) as packed:
        held = {name.partition("/")[2] for name in packed.getnames()}
    left = {".so", ".dll", ".pyc", ".tmp"}
    files = {path for path in SOURCE.rglob("*") if path.is_file() and path.suffix not in left}
    assert {path.relative_to(ROOT).as_posix() for path in files} <= held
    assert {
        "CMakeLists.txt",
        "pyproject.toml",
        "LICENSE",
        "tools/build_backend.py",
        "tests/conftest.py",
    } <= held
    assert not [name for name in held if name.endswith(tuple(left))]


def test_a_compiler_is_not_asked_for_where_there_is_one(backend, tmp_path):
    program(tmp_path / "g++")
    assert backend.compiler() == "g++"
    assert backend.compiler_requirements() == []


def test_the_one_in_cxx_is_taken(backend, monkeypatch, tmp_path):
    program(tmp_path / "g++")
    monkeypatch.setenv("CXX", "ccache clang++")
    assert backend.compiler() == "ccache clang++"


def test_ziglang_is_asked_for_where_there_is_none(backend, capsys):
    assert backend.compiler_requirements() == ["ziglang"]
    assert "no C++ compiler (c++, g++, clang++)" in capsys.readouterr().err


def test_zig_compiles_for_every_processor_of_its_kind(backend, monkeypatch, tmp_path):
    python = tmp_path / "my python"
    program(python)
    monkeypatch.setattr(sys, "executable", str(python))
    with backend.a_compiler(tmp_path / "a folder"):
        command = [backend.os.environ["CXX"], "-c", "a b.cpp"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said == "-m ziglang c++ -mcpu=baseline -c a b.cpp\n"
    assert "CXX" not in backend.os.environ


def test_a_folder_of_another_tree_is_configured_anew(backend, tmp_path):
    assert not backend.moved(tmp_path)
    for home, moved in ((backend.ROOT, False), ("/elsewhere", True)):
        (tmp_path / "CMakeCache.txt").write_text(f"A:STRING=\nCMAKE_HOME_DIRECTORY:INTERNAL={home}\n")
        assert backend.moved(tmp_path) is moved


def test_what_is_missing_is_said(backend, monkeypatch, tmp_path):
    monkeypatch.setattr(backend.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(SystemExit, match="built with cmake, which is not there; try: pip install cmake"):
        backend.program("cmake")


def test_every_requirement_has_its_version(backend):
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    assert all(f"\n{name}==" in pinned for name in [*backend.REQUIREMENTS, backend.ZIG])
