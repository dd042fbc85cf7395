"""Tables of numbers along time, read at the border from CSV or Parquet and checked there.

How many columns are numbers, which one is the time, where the first gap is, whether the steps are regular:
all is found once, here, and refused or said in the table's notes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.fill import fill_gaps
from gatelab.data.tables.columns import Columns
from gatelab.data.tables.csv_lines import opened
from gatelab.data.tables.csv_table import read_csv
from gatelab.data.tables.parquet_table import MAGIC, read_parquet
from gatelab.data.tables.times import Step, step_of
from gatelab.data.tree import Tree
from gatelab.errors import DataError

ENDINGS = (".csv", ".tsv", ".txt", ".parquet", ".pq")
"""How the names of tables in a folder or an archive end."""


@dataclass(frozen=True)
class Table:
    """Numeric columns side by side, row by row in time.

    Attributes
    ----------
    name
        The file's name.
    columns
        C names.
    values
        ``[T, C]`` float64, finite.
    time_name, time
        ``[T]`` ascending, datetime64[us] or int64; ``""`` and None where the table has no times.
    step
        From one time to the next; None without times or with a single row.
    text
        Columns that are no numbers, T cells each.
    notes
        What was guessed, filled or sorted, and steps that are not as the others: sentences for a record.
    source, digest
        Where the bytes came from, and their SHA-256.
    """

    name: str
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    time_name: str
    time: NDArray[Any] | None
    step: Step | None
    text: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]
    source: str
    digest: str

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one numeric column, ``[T]``."""
        return self.values[:, self.columns.index(name)]


def read_table(
    path: str | os.PathLike[str], *, time: str | None = None, fill: bool = False, sort: bool = False
) -> Table:
    """Return the table in a CSV or Parquet file; the format is told from the bytes.

    1. CSV has a header line; its separator (``,`` ``;`` tab) and decimal mark are guessed. A column is
       numeric where more than half of its first 1,000 cells are numbers; the first one of times is the time.
    2. Empty cells, ``NaN``, ``NA``, ``null``, ``?`` and ``-`` are gaps among numbers.
    3. Times must ascend. Steps that differ from the usual one are said in the notes.

    Parameters
    ----------
    path
        A file. One of 200 MB with 1.4 million rows of 7 numbers needs about 0.5 GB of memory.
    time
        The column of times, where the first one that looks like it is not it.
    fill
        Fill gaps by linear interpolation between their neighbours, at the ends by the nearest number. It
        looks ahead: a filled value knows the next one.
    sort
        Put rows in the order of their times.

    Raises
    ------
    DataError
        With file and line (of Parquet, the row from 0): a foreign, damaged or ragged file, no numeric column,
        no rows, text or an infinite number in a numeric column, gaps without ``fill``, times twice, or
        unordered without ``sort``.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from gatelab.data.tables.table import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "load.csv")
    ...     _ = path.write_text("Month,Load,Site\\n1949-01,1.5,A\\n1949-02,,A\\n1949-03,3.5,A\\n")
    ...     table = read_table(path, fill=True)
    >>> table.columns, table.column("Load"), str(table.step)
    (('Load',), array([1.5, 2.5, 3.5]), 'month')
    >>> table.notes
    ("column 'Load': 1 gap filled by linear interpolation, the first at line 3",)
    """
    place = Path(os.path.expanduser(path))
    file = str(place)
    if not place.is_file():
        what = "is a folder" if place.is_dir() else "is not there"
        raise DataError(f"{file}: {what}; try the path of a .csv or .parquet file")
    return _table(_read(place, file, time), place.name, file, fill, sort)


def read_tables(
    path: str | os.PathLike[str], *, time: str | None = None, fill: bool = False, sort: bool = False
) -> tuple[Table, ...]:
    """Return every table of a folder or a zip archive, in the order of their names; of a file, the one in it.

    Raises
    ------
    DataError
        As :func:`read_table`; or there is no table.
    """
    place = Path(os.path.expanduser(path))
    if place.is_file() and not place.name.lower().endswith(".zip"):
        return (read_table(place, time=time, fill=fill, sort=sort),)
    tree = Tree(place)
    names = tree.names(*ENDINGS)
    if not names:
        raise DataError(f"{place}: wanted files that end in {', '.join(ENDINGS)}, came none")
    tables = []
    for name in names:
        source = place / name if place.is_dir() else tree.read(name)
        columns = _read(source, tree.place(name), time)
        tables.append(_table(columns, name, tree.place(name), fill, sort))
    return tuple(tables)


def _read(source: Path | bytes, file: str, time: str | None) -> Columns:
    with opened(source, file) as stream:
        magic = stream.read(len(MAGIC))
    return (read_parquet if magic == MAGIC else read_csv)(source, file, time)


def _table(columns: Columns, name: str, file: str, fill: bool, sort: bool) -> Table:
    """Check the columns together."""
    notes = list(columns.notes)
    if sort and columns.time is not None:
        columns = _sorted(columns, notes)
    step = None
    if columns.time is not None and len(columns.time) > 1:
        _check_order(columns)
        step, odd = step_of(columns.time)
        if len(odd):
            first = columns.where(int(odd[0])).rpartition(", ")[2]
            notes.append(
                f"{len(odd)} of {len(columns.time) - 1:,} steps are no {step}, the first before {first}"
            )
    _fill_gaps(columns, fill, notes)
    return Table(
        name,
        columns.names,
        columns.values,
        columns.time_name,
        columns.time,
        step,
        columns.text,
        tuple(notes),
        file,
        columns.digest,
    )


def _sorted(columns: Columns, notes: list[str]) -> Columns:
    """Return the columns in the order of their times."""
    assert columns.time is not None
    order = np.argsort(columns.time, kind="stable")
    moved = int((order != np.arange(len(order))).sum())
    if not moved:
        return columns
    notes.append(f"rows were sorted by time: {moved:,} of {len(order):,} stood elsewhere")
    text = {name: tuple(cells[row] for row in order) for name, cells in columns.text.items()}
    where = columns.where
    return Columns(
        columns.values[order],
        columns.names,
        columns.time_name,
        columns.time[order],
        text,
        lambda row: where(int(order[row])),
        columns.digest,
    )


def _check_order(columns: Columns) -> None:
    time = columns.time
    assert time is not None
    wrong = np.flatnonzero(time[1:] <= time[:-1]) + 1
    if not len(wrong):
        return
    row = int(wrong[0])
    came, before = str(time[row]), str(time[row - 1])
    if time[row] == time[row - 1]:
        wanted, hint = "each time once", "try to remove one row, or a file for each series"
    else:
        wanted, hint = "ascending times", "try sort, which orders the rows"
    raise DataError(
        f"{columns.where(row)}: wanted {wanted}, came {came} after {before} "
        f"({len(wrong):,} such in all); {hint}"
    )


def _fill_gaps(columns: Columns, fill: bool, notes: list[str]) -> None:
    """Refuse or fill the gaps of each column."""
    for name, values in zip(columns.names, columns.values.T, strict=True):
        gaps = np.isnan(values)
        if not gaps.any():
            continue
        count, place = int(gaps.sum()), columns.where(int(gaps.argmax()))
        said = f"{count:,} gap{'s' if count > 1 else ''}"
        if not fill or count == len(values):
            hint = "fill, which interpolates" if count < len(values) else "to remove the column"
            raise DataError(
                f"{place}, column {name!r}: wanted a number, came the first of {said}; try {hint}"
            )
        fill_gaps(values, gaps)
        first = place.rpartition(", ")[2]
        notes.append(f"column {name!r}: {said} filled by linear interpolation, the first at {first}")
