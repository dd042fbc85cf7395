"""Tables as Apache Parquet, decoded in a process of its own that a damaged file may end.

Numbers, truth values, dates, times and texts are read; nested and binary columns are refused.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gatelab.data.tables import parquet_child
from gatelab.data.tables.columns import INTEGERS, Columns, Kinds, kinds_of
from gatelab.data.tables.csv_lines import HEAD, PIECE, WIDEST, opened
from gatelab.data.tables.times import read_form
from gatelab.errors import DataError

if TYPE_CHECKING:
    import polars as pl

MAGIC = b"PAR1"
MOST_VALUES = 2**28
"""The most values of a table, 2 GiB in memory."""


def read_parquet(source: Path | bytes, file: str, time: str | None = None) -> Columns:
    """Return the columns of a Parquet file, as :func:`gatelab.data.tables.csv_table.read_csv` does.

    Raises
    ------
    DataError
        The file is damaged, too large, without rows, or holds nested or binary columns; an infinite number.
        Nulls and NaN are no error here.

    Notes
    -----
    The format: https://parquet.apache.org/docs/file-format/. The file is decoded into Arrow's plain format in
    a temporary folder, which takes the size of its values on disk.
    """
    with tempfile.TemporaryDirectory(prefix="gatelab-") as folder:
        path = Path(folder, "table.parquet") if isinstance(source, bytes) else source.absolute()
        if isinstance(source, bytes):
            path.write_bytes(source)
        plain = Path(folder, "table.arrow")
        names = _decode(path, plain, file)
        return _columns(plain, names, time, file, _digest(path, file))


def _digest(path: Path, file: str) -> str:
    digest = hashlib.sha256()
    with opened(path, file) as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _decode(path: Path, plain: Path, file: str) -> tuple[str, ...]:
    """Have the file decoded; return the columns' names."""
    program = [sys.executable, "-P", parquet_child.__file__, str(path), str(plain), str(MOST_VALUES)]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        answer = json.loads(done.stdout.decode().splitlines()[-1])
    except (ValueError, IndexError):
        answer = {"failed": f"the decoder ended with code {done.returncode}"}
    if "failed" in answer:
        raise DataError(f"{file}: damaged Parquet ({answer['failed']}); try to fetch the file again")
    if answer["refused"]:
        came = answer["refused"][0]
        raise DataError(
            f"{file}: wanted numbers, times or texts, came the column {came}; try to leave it out"
        )
    names, rows = tuple(answer["names"]), answer["rows"]
    if not rows:
        raise DataError(f"{file}: wanted rows, came none; try to fetch the file again")
    if rows * len(names) > MOST_VALUES or len(names) > WIDEST:
        most = f"at most {MOST_VALUES:,} values and {WIDEST:,} columns"
        raise DataError(f"{file}: wanted {most}, came {rows:,} rows of {len(names):,}; try a smaller file")
    return names


def _columns(plain: Path, names: tuple[str, ...], time: str | None, file: str, digest: str) -> Columns:
    """Return the decoded columns by what they are."""
    import polars as pl

    frame = pl.read_ipc(plain)
    kinds = _kinds(frame, names, time, file)
    at = {name: f"c{index}" for index, name in enumerate(names)}
    values = np.empty((frame.height, len(kinds.numbers)))
    for index, name in enumerate(kinds.numbers):
        column = frame.drop_in_place(at[name]).cast(pl.Float64)
        values[:, index] = column.to_numpy()
        if np.isinf(values[:, index]).any():
            row = int(np.isinf(values[:, index]).argmax())
            raise DataError(
                f"{file}, row {row}, column {name!r}: wanted a finite number, came {values[row, index]}; "
                "try to put null"
            )
    times = _times(frame, at[kinds.time], kinds, file) if kinds.time is not None else None
    text = {name: tuple(frame[at[name]].cast(pl.String).fill_null("").to_list()) for name in kinds.text}
    return Columns(
        values, kinds.numbers, kinds.time or "", times, text, lambda row: f"{file}, row {row}", digest
    )


def _kinds(frame: pl.DataFrame, names: tuple[str, ...], time: str | None, file: str) -> Kinds:
    """Return what each column is, by its type and its first cells."""
    import polars as pl

    dated = [n for n, kind in zip(names, frame.dtypes, strict=True) if kind == pl.Datetime]
    if time is None and dated:
        time = dated[0]
    sample = {
        name: frame[f"c{index}"].head(HEAD).cast(pl.String).fill_null("").to_list()
        for index, name in enumerate(names)
    }
    kinds = kinds_of(sample, time, ".", file)
    wrong = [n for n in kinds.numbers if frame[f"c{names.index(n)}"].dtype == pl.String]
    if wrong:
        raise DataError(
            f"{file}: the column {wrong[0]!r} holds numbers as text; try to store them as numbers"
        )
    return kinds


def _times(frame: pl.DataFrame, name: str, kinds: Kinds, file: str) -> Any:
    """Return the times; none may be missing."""
    import polars as pl

    column = frame[name]
    if column.dtype == pl.String or kinds.form == "%Y%m%d":
        column = frame.select(read_form(pl.col(name).cast(pl.String), kinds.form)).to_series()
    elif kinds.form == INTEGERS:
        column = column.cast(pl.Int64, strict=False)
    if column.null_count():
        row = int(column.is_null().arg_max() or 0)
        raise DataError(
            f"{file}, row {row}: wanted a time in {kinds.time!r}, came none; try to remove the row"
        )
    return column.to_numpy()
