"""The small tests of the tile machine once more, in a library that AddressSanitizer and UBSan watch over."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
SMALL = ROOT / "tests" / "engine" / "test_tile_small.py"


@pytest.fixture(scope="module")
def tools() -> dict[str, str]:
    """Return the paths of what a build with sanitizers takes, or skip."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    found = {name: shutil.which(name, path=places) for name in ("cmake", "ninja", "g++")}
    missing = [name for name, path in found.items() if path is None]
    if missing or sys.platform != "linux":
        pytest.skip(
            f"a build with sanitizers takes Linux, cmake, ninja and g++; missing: {', '.join(missing)}"
        )
    return {name: str(path) for name, path in found.items()}


@pytest.fixture(scope="module")
def watched(tools: dict[str, str], pytestconfig: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the library with sanitizers, in pytest's cache: what has not changed is not compiled again."""
    cache = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("sanitize-address") if cache else tmp_path_factory.mktemp("sanitize-address")
    options = ["-DGATELAB_SANITIZE=address,undefined", f"-DCMAKE_CXX_COMPILER={tools['g++']}"]
    options += ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={tools['ninja']}"]
    for command in ([*options, "-S", str(ROOT), "-B", str(folder)], ["--build", str(folder)]):
        done = subprocess.run([tools["cmake"], *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "libgatelab_tile.so"


def runtime(name: str) -> str:
    """Return the path of a library of the compiler, or skip."""
    path = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    if not Path(path.stdout.strip()).is_absolute():
        pytest.skip(f"this g++ comes without {name}")
    return path.stdout.strip()


def under_sanitizers(library: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run Python with the library, and the sanitizer's own in front of all others.

    Python and torch keep what they allocate: leaks are not asked for. libstdc++ comes early, or the sanitizer
    does not find what throws exceptions.
    """
    environment = os.environ | {
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libstdc++.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "GATELAB_KERNEL": str(library),
    }
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_small_tests_are_clean(watched: Path) -> None:
    done = under_sanitizers(watched, ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(SMALL)])
    assert done.returncode == 0, done.stdout + done.stderr


def test_sanitizers_are_awake(watched: Path) -> None:
    """A name of three bytes without an end is read beyond them, which ends the process."""
    code = """
import ctypes
from gatelab.engine.library import load
allocate = ctypes.CDLL(None).malloc
allocate.restype = ctypes.c_void_p
name = ctypes.c_void_p(allocate(3))
ctypes.memmove(name, b"bas", 3)
load().gatelab_tile_choose(name)
"""
    done = under_sanitizers(watched, ["-c", code])
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr
