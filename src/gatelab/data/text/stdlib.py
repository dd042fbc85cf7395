"""A text that every Python brings along: the sources of its own standard library."""

from __future__ import annotations

import hashlib
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from gatelab.data.tree import read_file
from gatelab.errors import DataError

SIZE = 6_000_000
"""Bytes of the text, about as many as Karpathy's Linux kernel has."""
LEFT_OUT = {"site-packages", "dist-packages", "__pycache__", "test", "tests", "idle_test"}
"""Folders that are not the library's own, or that some distributions of Python do not have."""


def stdlib_text(size: int = SIZE) -> bytes:
    r"""Return Python files of the running interpreter's standard library, joined, at most ``size`` bytes.

    The files are ordered by the SHA-256 of their path in the library, a fixed shuffle, so that training,
    validation and test are alike, and cut at the end of a line. What a build of Python writes itself
    (``_sysconfigdata…``), and what is not UTF-8, is no part of it. Other versions of Python give other texts,
    which the text's digest shows.

    Raises
    ------
    DataError
        This Python has no readable sources, or too few.

    Examples
    --------
    >>> text = stdlib_text(20_000)
    >>> 10_000 < len(text) <= 20_000, text.endswith(b"\n"), text == stdlib_text(20_000)
    (True, True, True)
    """
    folder = Path(sysconfig.get_path("stdlib"))
    text = b""
    for name in sorted(_names(folder), key=lambda name: hashlib.sha256(name.encode()).digest()):
        text += _utf8(read_file(folder / name))
        if len(text) > size:
            return text[: text.rfind(b"\n", 0, size) + 1]
    raise DataError(
        f"{folder}: wanted {size:,} bytes of Python's sources, came {len(text):,}; try another text"
    )


def _utf8(data: bytes) -> bytes:
    """Return the bytes of a file that is UTF-8, of another nothing."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return b""
    return data


def _names(folder: Path) -> Iterator[str]:
    """Yield the paths of the library's files in it, with ``/``."""
    for place, folders, files in os.walk(folder):
        folders[:] = [f for f in folders if f not in LEFT_OUT]
        for file in files:
            if file.endswith(".py") and not file.startswith("_sysconfigdata"):
                yield Path(place, file).relative_to(folder).as_posix()
