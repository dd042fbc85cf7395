"""Tables as text with separated values (CSV, RFC 4180) with a header line, one row a line.

The separator (``,`` ``;`` or tab) and the decimal mark are guessed from the first lines. Every cell is read
as text by polars' streaming engine and cast there, so that what is no number is found, with its line, and
the file's text is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.tables.columns import INTEGERS, Columns, Kinds, is_gap, is_number, kinds_of
from gatelab.data.tables.csv_lines import WIDEST, Lines, fields, lines_at, sniff_separator, survey
from gatelab.data.tables.times import read_form
from gatelab.errors import DataError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class _Layout:
    """How a file is to be read. Inside polars its columns are called c0, c1 …: theirs could be patterns."""

    source: Path | bytes
    file: str
    lines: Lines
    separator: str
    decimal: str
    names: tuple[str, ...]
    kinds: Kinds

    @property
    def plain(self) -> dict[str, str]:
        return {name: f"c{index}" for index, name in enumerate(self.names)}

    def cells(self, number: int, line: str) -> list[str]:
        return _fields(line, self.separator, f"{self.file}, line {number}", len(self.names))


def read_csv(source: Path | bytes, file: str, time: str | None = None) -> Columns:
    """Return the columns of a text with separated values.

    Parameters
    ----------
    source
        The path, or the bytes.
    file
        Its name, for messages.
    time
        The column of times, where the first one that looks like it is not it.

    Raises
    ------
    DataError
        With file and line: a foreign or ragged file, text among numbers, an infinite number, a time in
        another form than the first ones. Empty cells and NaN are no error here.

    Examples
    --------
    >>> columns = read_csv(b"Month;Load\\n1949-01;1,5\\n1949-02;2\\n", "two.csv")
    >>> columns.names, columns.values[:, 0], columns.time
    (('Load',), array([1.5, 2. ]), array(['1949-01-01T00:00:00.000000', '1949-02-01T00:00:00.000000'],
          dtype='datetime64[us]'))
    """
    lines = survey(source, file)
    separator = sniff_separator(lines.head)
    names, notes = _header(lines.head[0], separator, file)
    if lines.count == 1:
        raise DataError(f"{file}: wanted rows below the header line, came none; try to fetch the file again")
    sample = _sample(lines.head, names, separator, file)
    decimal = _decimal(sample) if separator != "," else "."
    kinds = kinds_of(sample, time, decimal, file)
    layout = _Layout(source, file, lines, separator, decimal, names, kinds)
    frame = _collect(layout)
    _check_odd(frame, layout)
    return _columns(frame, layout, notes)


def _columns(frame: pl.DataFrame, layout: _Layout, notes: tuple[str, ...]) -> Columns:
    """Take the numbers out of the frame, a column after the other, so that they are there twice only once."""
    kinds, plain, file = layout.kinds, layout.plain, layout.file
    values = np.empty((frame.height, len(kinds.numbers)))
    for index, name in enumerate(kinds.numbers):
        values[:, index] = frame.drop_in_place(plain[name]).to_numpy()
    times = None if kinds.time is None else frame[plain[kinds.time]].to_numpy()
    text = {name: tuple(frame[plain[name]].fill_null("").to_list()) for name in kinds.text}
    time_name, digest = kinds.time or "", layout.lines.digest
    return Columns(
        values, kinds.numbers, time_name, times, text, lambda row: f"{file}, line {row + 2}", digest, notes
    )


def _header(line: str, separator: str, file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns' names, and a note for each that had none."""
    place = f"{file}, line 1"
    cells = _fields(line, separator, place)
    if len(cells) > WIDEST:
        raise DataError(f"{place}: wanted at most {WIDEST:,} columns, came {len(cells):,}; try fewer")
    if not any(cells) or any(is_number(cell) for cell in cells):
        raise DataError(f"{place}: wanted names of columns, came {line[:60]!r}; try to add a header line")
    names = tuple(cell or f"column_{number}" for number, cell in enumerate(cells, 1))
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{place}: two columns are called {twice!r}; try to rename one")
    notes = (
        f"column {n} has no name and is called column_{n}" for n, cell in enumerate(cells, 1) if not cell
    )
    return names, tuple(notes)


def _fields(line: str, separator: str, place: str, wanted: int | None = None) -> list[str]:
    """Return the cells of one line; refuse another number of them than the header has."""
    try:
        cells = fields(line, separator)
    except ValueError as error:
        raise DataError(f"{place}: quotation marks do not fit ({error}); try one row a line") from None
    if wanted is not None and len(cells) != wanted:
        came = f"{len(cells)}" if line.strip() else "a blank line"
        raise DataError(
            f"{place}: wanted {wanted} cells, as the header has, split at {separator!r}, came {came}; "
            "try to mend or remove the line"
        )
    return cells


def _sample(
    head: Sequence[str], names: Sequence[str], separator: str, file: str
) -> dict[str, tuple[str, ...]]:
    """Return the first cells by column; all of these lines must be whole."""
    rows = [_fields(line, separator, f"{file}, line {n}", len(names)) for n, line in enumerate(head[1:], 2)]
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def _decimal(sample: dict[str, tuple[str, ...]]) -> str:
    cells = [cell for column in sample.values() for cell in column]
    commas = sum("," in cell and is_number(cell, ",") for cell in cells)
    return "," if commas > sum("." in cell and is_number(cell) for cell in cells) else "."


def _collect(layout: _Layout) -> pl.DataFrame:
    """Return the table: numbers and times, null where a cell is none; text as it stands."""
    import polars as pl

    source, rows = layout.source, layout.lines.count - 1
    try:
        scanned = pl.scan_csv(
            source if isinstance(source, bytes) else source.absolute(),
            separator=layout.separator,
            quote_char='"' if layout.lines.quoted else None,
            schema=dict.fromkeys(layout.plain.values(), pl.String),
            has_header=False,
            skip_lines=1,
            n_rows=rows,
            glob=False,
        )
        cells = {name: pl.col(plain).str.strip_chars() for name, plain in layout.plain.items()}
        casts = [_cast(cell, name, layout).alias(layout.plain[name]) for name, cell in cells.items()]
        frame = scanned.select(casts).collect(engine="streaming")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _ragged(layout, " ".join(str(error).split())[:100]) from None
    if frame.height != rows:
        raise _ragged(layout, f"{frame.height} rows in {rows} lines")
    return frame


def _cast(cell: pl.Expr, name: str, layout: _Layout) -> pl.Expr:
    import polars as pl

    kinds = layout.kinds
    if name == kinds.time:
        whole = kinds.form == INTEGERS
        return cell.cast(pl.Int64, strict=False) if whole else read_form(cell, kinds.form)
    if name in kinds.text:
        return cell
    if layout.decimal == ",":  # a point may part thousands: such a cell is no number
        pointed = cell.str.contains(".", literal=True)
        cell = pl.when(pointed).then(None).otherwise(cell.str.replace_all(",", ".", literal=True))
    return cell.cast(pl.Float64, strict=False)


def _ragged(layout: _Layout, reason: str) -> DataError:
    """Return the error of the first line that is not as wide as the header, read once more, slowly."""
    try:
        for number, line in lines_at(layout.source, layout.file, layout.lines.count):
            layout.cells(number, line)
    except DataError as error:
        return error
    return DataError(f"{layout.file}: is no table ({reason}); try to write it anew without quotation marks")


def _check_odd(frame: pl.DataFrame, layout: _Layout) -> None:
    """Look at each line with a cell that was not understood, or not finite: only a gap may be the reason."""
    rows = _odd_rows(frame, layout)
    if not len(rows):
        return
    wanted = set((rows + 2).tolist())
    for number, line in lines_at(layout.source, layout.file, int(rows[-1]) + 2):
        if number in wanted:
            cells = layout.cells(number, line)
            for name, cell in zip(layout.names, cells, strict=True):
                place = f"{layout.file}, line {number}, column {name!r}"
                if name in layout.kinds.numbers:
                    _check_number(cell, layout.decimal, place)
                elif name == layout.kinds.time and frame[layout.plain[name]][number - 2] is None:
                    raise DataError(
                        f"{place}: wanted {_wanted(layout)}, came {cell[:40]!r}; try to mend the line"
                    )


def _odd_rows(frame: pl.DataFrame, layout: _Layout) -> NDArray[Any]:
    """Return the rows with a null in any column (a short line ends in some), or a number not finite."""
    import polars as pl

    numbers = {layout.plain[name] for name in layout.kinds.numbers}
    odd = [pl.col(c).is_null() if c not in numbers else ~pl.col(c).is_finite() for c in frame.columns]
    found = frame.select(pl.any_horizontal([o.fill_null(True) for o in odd]).arg_true())
    return found.to_series().to_numpy()


def _check_number(cell: str, decimal: str, place: str) -> None:
    """Refuse a cell that is neither a finite number nor a gap."""
    if is_gap(cell):
        return
    if not is_number(cell, decimal):
        raise DataError(f"{place}: wanted a number, came {cell[:40]!r}; try to mend or to empty the cell")
    if not np.isfinite(float(cell.replace(",", "."))):
        raise DataError(f"{place}: wanted a finite number, came {cell[:40]!r}; try to empty the cell")


def _wanted(layout: _Layout) -> str:
    form = layout.kinds.form
    return "a whole number" if form == INTEGERS else f"a time in the form {form} of the first rows"
