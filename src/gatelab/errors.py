"""Everything that gatelab can refuse, in one tree.

::

    GatelabError            a mistake that its reader can mend; the command line exits with 2
    ├── CellError           the equations of a cell: which cell, which equation
    ├── ShapeError          a tensor or a size: which axis, what was expected, what came
    ├── EngineError         no engine can run this: the reason
    ├── BuildError          the compiled part is missing or does not fit: its path
    ├── DataError           a data file: which file, where in it
    ├── RunError            a run folder: missing, foreign, half written, in use, disk full
    └── ConfigError         a setting: which key, near misses

A message says what was wanted, what came and what to try, in one line. Whatever is not a
``GatelabError`` is our own mistake: the command line shows its trace and exits with 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class GatelabError(Exception):
    """A mistake that the reader of its message can mend."""


class CellError(GatelabError):
    """The equations of a cell are not a legal cell."""


class ShapeError(GatelabError):
    """A tensor, a length or a size does not fit."""


class EngineError(GatelabError):
    """No engine can run what was asked for."""


class BuildError(GatelabError):
    """The compiled part of gatelab is missing or does not fit; ``path`` is where it was looked for."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class EngineWarning(UserWarning):
    """Another engine than the chosen one takes over for one call: the reason."""


class DataError(GatelabError):
    """A data file is missing, truncated, foreign or holds impossible values."""


class RunError(GatelabError):
    """A run folder is missing, foreign, half written, in use or cannot be written."""


class ConfigError(GatelabError):
    """A setting, a name or a combination of both is impossible."""


def near_misses(came: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean a, b?"`` for the names in ``known`` that resemble ``came``, else ``""``.

    >>> near_misses("lsmt", ["lstm", "gru"])
    '; did you mean lstm?'
    """
    close = difflib.get_close_matches(came.lower(), list(known), n=3, cutoff=0.6)
    return f"; did you mean {', '.join(close)}?" if close else ""
