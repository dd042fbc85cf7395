"""How gatelab is built: scikit-build-core, and two things that it leaves to us.

1. Where there is no C++ compiler, the one in the PyPI package ``ziglang`` is asked for and used.
2. An editable installation takes everything from ``src/``, so the library of the kernel is built there. So
   does ``make``, by ``python tools/build_backend.py``, whenever a source of it has changed.

``python tools/build_backend.py requirements`` prints what the build needs; it needs only Python itself.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KERNEL = ROOT / "src" / "gatelab" / "engine" / "kernel"
COMPILERS = ("c++", "g++", "clang++")
REQUIREMENTS = ["scikit-build-core", "cmake", "ninja"]
ZIG = "ziglang"


Settings = dict[str, Any] | None


def get_requires_for_build_wheel(settings: Settings = None) -> list[str]:
    """Return what a wheel needs besides scikit-build-core: CMake, Ninja and a compiler, where missing."""
    from scikit_build_core import build

    return [*build.get_requires_for_build_wheel(others(settings)), *compiler_requirements()]


get_requires_for_build_editable = get_requires_for_build_wheel


def get_requires_for_build_sdist(settings: Settings = None) -> list[str]:
    """Return what a source distribution needs besides scikit-build-core: nothing."""
    return []


def prepare_metadata_for_build_wheel(folder: str, settings: Settings = None) -> str:
    """Write the metadata of the wheel."""
    from scikit_build_core import build

    return build.prepare_metadata_for_build_wheel(folder, others(settings))


def prepare_metadata_for_build_editable(folder: str, settings: Settings = None) -> str:
    """Write the metadata of the editable installation."""
    from scikit_build_core import build

    return build.prepare_metadata_for_build_editable(folder, others(settings))


def build_wheel(folder: str, settings: Settings = None, metadata_folder: str | None = None) -> str:
    """Build the wheel, with the library in it."""
    from scikit_build_core import build

    with tempfile.TemporaryDirectory() as scratch, a_compiler(Path(scratch)):
        return build.build_wheel(folder, others(settings), metadata_folder)


def build_editable(folder: str, settings: Settings = None, metadata_folder: str | None = None) -> str:
    """Build the library into ``src/``, unless told ``library=later``, and a wheel that points there."""
    from scikit_build_core import build

    if (settings or {}).get("library") != "later":
        build_library()
    return build.build_editable(folder, others(settings), metadata_folder)


def build_sdist(folder: str, settings: Settings = None) -> str:
    """Pack the sources."""
    from scikit_build_core import build

    return build.build_sdist(folder, others(settings))


def others(settings: Settings) -> dict[str, Any]:
    """Return the settings that are scikit-build-core's: all but ``library``."""
    return {name: value for name, value in (settings or {}).items() if name != "library"}


def compiler() -> str | None:
    """Return the C++ compiler that was asked for in ``CXX`` or is on the path, else None."""
    wanted = os.environ.get("CXX", "").strip()
    return wanted or next((name for name in COMPILERS if shutil.which(name)), None)


def compiler_requirements() -> list[str]:
    """Return ``["ziglang"]`` where there is no C++ compiler, and say so; else nothing."""
    if compiler():
        return []
    say(f"no C++ compiler ({', '.join(COMPILERS)}) is on the path: the one in PyPI's {ZIG} is taken instead")
    return [ZIG]


@contextlib.contextmanager
def a_compiler(folder: Path) -> Iterator[None]:
    """Let ``CXX`` name a compiler: where the machine has none, a script in ``folder`` that calls Zig's.

    Zig compiles for the processor it runs on unless told otherwise; ``baseline`` stands for all of its kind.
    """
    if compiler():
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "c++"
    lines = [
        "#!/bin/sh",
        f"export ZIG_GLOBAL_CACHE_DIR={shlex.quote(str(folder / 'cache'))}",
        'export ZIG_LOCAL_CACHE_DIR="$ZIG_GLOBAL_CACHE_DIR"',
        f'exec {shlex.quote(sys.executable)} -m {ZIG} c++ -mcpu=baseline "$@"',
    ]
    script.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script.chmod(0o755)
    os.environ["CXX"] = str(script)
    try:
        yield
    finally:
        del os.environ["CXX"]


def build_library() -> Path:
    """Build the library into ``src/``, anew only what has changed, and return its path.

    1. Configure and build in ``build/kernel-NAME``, one folder for each compiler.
    2. Put the result in its place in one stroke: who has the old one loaded keeps it whole.
    """
    name = Path(shlex.split(compiler() or "zig")[0]).name
    folder = ROOT / "build" / f"kernel-{name}"
    with a_compiler(ROOT / "build" / "zig"):
        cmake, ninja = program("cmake"), program("ninja")
        options = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", "-DCMAKE_BUILD_TYPE=Release"]
        call([cmake, *(["--fresh"] if moved(folder) else []), "-S", ROOT, "-B", folder, *options])
        call([cmake, "--build", folder])
    built = next(folder.glob("libgatelab_tile.*"))
    final = KERNEL / built.name
    fresh = final.with_name(f"{final.name}.{os.getpid()}.tmp")
    shutil.copyfile(built, fresh)
    os.replace(fresh, final)
    return final


def moved(folder: Path) -> bool:
    """Return whether a folder was configured for sources that lie elsewhere: the tree was moved or copied."""
    cache, home = folder / "CMakeCache.txt", f"CMAKE_HOME_DIRECTORY:INTERNAL={ROOT}\n"
    return cache.is_file() and home not in cache.read_text(encoding="utf-8")


def program(name: str) -> str:
    """Return the path of a program of this environment, else of the machine's."""
    places = [sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        sys.exit(f"gatelab's kernel is built with {name}, which is not there; try: pip install {name}")
    return found


def call(command: list[str | Path]) -> None:
    """Run a command that tells nothing unless it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        say(done.stdout)
        sys.exit(f"gatelab: the kernel was not built; so much said {shlex.join(map(str, command))}")
    if "warning:" in done.stdout:
        say(done.stdout)


def say(text: str) -> None:
    print(f"gatelab: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> None:
    """Build the library, or print what is required for it."""
    if arguments == ["requirements"]:
        print(*REQUIREMENTS, *compiler_requirements())
    elif not arguments:
        build_library()
    else:
        sys.exit("python tools/build_backend.py [requirements]")


if __name__ == "__main__":
    main(sys.argv[1:])
