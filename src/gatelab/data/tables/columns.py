"""The columns of a table as a file gives them, before they are checked together, and what each of them is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.tables.times import NAMES, guess_form
from gatelab.errors import DataError, near_misses

GAPS = frozenset({"", "na", "nan", "n/a", "null", "none", "?", "-"})
"""What stands in a cell where a number is missing, in lower case."""
INTEGERS = "integers"
"""The form of times that are whole numbers."""

_NUMBER = re.compile(
    r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity)", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True)
class Columns:
    """What a file holds.

    Attributes
    ----------
    values
        ``[T, C]`` the numeric columns in order; NaN where a cell is empty.
    names
        C of them.
    time_name, time
        The column of times, ``[T]`` datetime64[us] or int64; ``""`` and None where there is none.
    text
        The other columns.
    where
        The place of a row, for messages: ``"f.csv, line 3"``.
    digest
        SHA-256 of the file.
    notes
        What was done that a reader should know.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    time_name: str
    time: NDArray[Any] | None
    text: Mapping[str, tuple[str, ...]]
    where: Callable[[int], str]
    digest: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kinds:
    """Which columns are numbers, which one is the time and in which form, which are text."""

    numbers: tuple[str, ...]
    time: str | None
    form: str
    text: tuple[str, ...]


def is_gap(cell: str) -> bool:
    """Return whether a cell stands for a missing number."""
    return cell.lower() in GAPS


def is_number(cell: str, decimal: str = ".") -> bool:
    """Return whether a cell is a number with this decimal mark."""
    if decimal == ",":
        if "." in cell:
            return False
        cell = cell.replace(",", ".")
    return _NUMBER.fullmatch(cell) is not None


def kinds_of(sample: Mapping[str, Sequence[str]], time: str | None, decimal: str, file: str) -> Kinds:
    """Return what each column is, from its first cells.

    1. A column is numeric where more than half of its cells that are not gaps are numbers.
    2. The time is the column that is asked for; else the first other one of which more than half are times;
       else a numeric one of ascending whole numbers whose name says time, such as ``year``.
    3. The rest is text.

    Raises
    ------
    DataError
        The time that is asked for is not there or no time; no column is numeric; a column is empty.
    """
    if time is not None and time not in sample:
        hint = near_misses(time, sample) or ";"
        raise DataError(f"{file}: no column is called {time!r}{hint} there are {', '.join(sample)}")
    numbers = [name for name, cells in sample.items() if _mostly_numbers(cells, decimal, f"{file}: {name}")]
    found, form = _time_of(sample, numbers, time, file)
    numbers = [name for name in numbers if name != found]
    if not numbers:
        raise DataError(
            f"{file}: wanted a column of numbers, came {', '.join(map(repr, sample))} without one; "
            "try another separator or decimal mark"
        )
    return Kinds(tuple(numbers), found, form, tuple(n for n in sample if n not in numbers and n != found))


def _mostly_numbers(cells: Sequence[str], decimal: str, place: str) -> bool:
    known = [cell for cell in cells if not is_gap(cell)]
    if cells and not known:
        raise DataError(f"{place}: the column's first {len(cells)} cells are empty; try to remove the column")
    return 2 * sum(is_number(cell, decimal) for cell in known) > len(known)


def _time_of(
    sample: Mapping[str, Sequence[str]], numbers: Sequence[str], asked: str | None, file: str
) -> tuple[str | None, str]:
    """Return the name and the form of the column of times."""
    for name in [asked] if asked is not None else [n for n in sample if n not in numbers]:
        form = guess_form(sample[name], f"{file}: {name}")
        if form and not (name in numbers and form == "%Y%m%d" and not _compact(sample[name])):
            return name, form
    for name in [asked] if asked is not None else numbers:
        if name in numbers and (asked is not None or name.lower() in NAMES):
            if _compact(sample[name]):
                return name, "%Y%m%d"
            if _ascending(sample[name]):
                return name, INTEGERS
    if asked is not None:
        cell = sample[asked][0]
        raise DataError(
            f"{file}: {asked}: wanted times such as 1949-01, 2016-07-01 00:00:00 or ascending whole numbers, "
            f"came {cell[:40]!r}; try another column"
        )
    return None, ""


def _compact(cells: Sequence[str]) -> bool:
    return guess_form(cells, "") == "%Y%m%d"


def _ascending(cells: Sequence[str]) -> bool:
    if not all(re.fullmatch(r"[+-]?\d{1,18}", cell) for cell in cells):
        return False
    whole = [int(cell) for cell in cells]
    return all(a < b for a, b in pairwise(whole))
