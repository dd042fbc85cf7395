"""The compiled part of gatelab, loaded: one shared library with a plain C interface.

It lies in ``engine/kernel/`` of the package, or where ``GATELAB_KERNEL`` says. The library holds the same
code for several families of processors, its *variants*, and takes the best one that runs here when it is
loaded; ``GATELAB_VARIANT`` asks for another.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import threading
from pathlib import Path

from gatelab.engine import elf
from gatelab.errors import BuildError, ConfigError, EngineError, near_misses
from gatelab.settings import kernel_library, kernel_variant

INTERFACE = 2  # the number of the interface that this package calls; the library has it, too
NAME = "libgatelab_tile.dll" if sys.platform == "win32" else "libgatelab_tile.so"
VARIANTS = ("avx512", "avx2", "base")

_ONE_AT_A_TIME = threading.Lock()


def load() -> ctypes.CDLL:
    """Return the library, checked; it is loaded once.

    Raises
    ------
    BuildError
        Where the library is missing, corrupt, for another processor or of another version.
    EngineError
        Where this processor cannot run the variant that ``GATELAB_VARIANT`` asks for.
    ConfigError
        Where there is no such variant.
    """
    with _ONE_AT_A_TIME:
        return _loaded()


def variant() -> str:
    """Return the name of the variant that runs.

    >>> variant() in VARIANTS
    True
    """
    ask = load().gatelab_tile_variant
    ask.restype = ctypes.c_char_p
    name: bytes = ask()
    return name.decode("ascii")


def path() -> Path:
    """Return where the library is looked for."""
    return kernel_library() or Path(__file__).parent / "kernel" / NAME


@functools.cache
def _loaded() -> ctypes.CDLL:
    library = _opened(path())
    wanted = kernel_variant()
    if wanted is not None:
        _choose(library, wanted)
    return library


def _opened(file: Path) -> ctypes.CDLL:
    """Load a library whose file is whole and whose interface is the one wanted."""
    if not file.is_file():
        raise _refused(file, "no file")
    try:
        fault = elf.fault(file)
        library = ctypes.CDLL(str(file.resolve())) if fault is None else None
    except OSError as error:
        raise _refused(file, f"a file that cannot be loaded ({error})") from error
    if library is None:
        raise _refused(file, str(fault))
    try:
        interface = library.gatelab_tile_interface()
    except AttributeError:
        raise _refused(file, "another library, without gatelab_tile_interface") from None
    if interface != INTERFACE:
        raise _refused(file, f"interface {interface}, of another version of gatelab")
    return library


def _choose(library: ctypes.CDLL, wanted: str) -> None:
    if wanted not in VARIANTS:
        misses = near_misses(wanted, VARIANTS)
        raise ConfigError(f"GATELAB_VARIANT: no variant {wanted!r}{misses}; known are {', '.join(VARIANTS)}")
    if library.gatelab_tile_choose(wanted.encode("ascii")) != 0:
        raise EngineError(
            f"GATELAB_VARIANT asks for {wanted!r}, which this processor cannot run; "
            "try GATELAB_VARIANT=base, or unset it: the best one is taken"
        )


def _refused(file: Path, came: str) -> BuildError:
    if kernel_library() is None:
        remedy = "run make setup in the source tree, or pip install --force-reinstall --no-deps gatelab"
    else:
        remedy = "unset GATELAB_KERNEL, which names this file, or build it anew"
    return BuildError(
        f"wanted gatelab's kernel with interface {INTERFACE} at {file}, found {came}; {remedy}", file
    )
