"""Forecasting problems: tables along time, split in time, scaled by training, and cut into windows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.data.places import find
from gatelab.data.scale import by_column
from gatelab.data.splits import SPLITS
from gatelab.data.tables.season import calendar, guess_season
from gatelab.data.tables.sets import FOLDER, SERIES, SHARES, SeriesSource
from gatelab.data.tables.table import Table, read_table, read_tables
from gatelab.errors import ConfigError, DataError, near_misses


@dataclass(frozen=True)
class Series:
    """One series of a problem, whole; ``ends`` say where its splits are.

    Attributes
    ----------
    name
        Of its table.
    values
        ``[T, C]`` float64: the targets, then what is known of the past only, in the file's own units.
    known
        ``[T, K]`` float64: what is known ahead; the calendar's sines and cosines, then columns that were
        named, scaled by training.
    mean, std
        ``[C]`` of ``values`` in training; std is 1 where a column is constant there.
    ends
        The row after training, after validation and after the test.
    """

    name: str
    values: NDArray[np.float64]
    known: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    ends: tuple[int, int, int]

    def scaled(self) -> NDArray[np.float64]:
        """Return ``values`` less their training mean, by their training deviation, ``[T, C]``."""
        return (self.values - self.mean) / self.std


@dataclass(frozen=True)
class ForecastData:
    """A forecasting problem.

    Attributes
    ----------
    name, title
        Its short name, and its name in tables.
    series
        One or more, of the same columns.
    targets, inputs, known
        Names of the columns that are forecast, of those known of the past only, and of those known ahead.
        ``values`` of a series has the targets, then the inputs.
    horizon, context
        How many steps are forecast, from how many.
    season, season_reason
        Its length in steps for baselines and measures, and why.
    notes
        What was guessed, filled or left out: sentences for a record.
    source, digest
        Where the bytes came from, and the SHA-256 of them, or of those of all files.
    """

    name: str
    title: str
    series: tuple[Series, ...]
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    known: tuple[str, ...]
    horizon: int
    context: int
    season: int
    season_reason: str
    notes: tuple[str, ...]
    source: str
    digest: str

    def windows(self, split: str, stride: int = 1) -> NDArray[np.int64]:
        """Return the windows of a split, ``[N, 2]``: the series' index, and the first forecast row t.

        The context is rows t − context … t − 1, the future t … t + horizon − 1. Every future lies within its
        split; the context of validation and test may reach back into the split before, never ahead.

        Parameters
        ----------
        split
            ``"train"``, ``"valid"`` or ``"test"``.
        stride
            Rows from one window to the next.
        """
        if split not in SPLITS or stride < 1:
            raise ConfigError(
                f"windows: wanted train, valid or test and a stride from 1, came {split!r}, {stride}"
            )
        found = [
            np.stack([np.full_like(rows, index), rows], axis=1)
            for index, series in enumerate(self.series)
            for rows in [np.arange(*_futures(series.ends, split, self.context, self.horizon), stride)]
        ]
        return np.concatenate(found)


def _futures(ends: tuple[int, int, int], split: str, context: int, horizon: int) -> tuple[int, int]:
    """Return the first row that a window may forecast from, and the one after the last."""
    starts = (0, *ends[:2])
    at = SPLITS.index(split)
    first = max(starts[at], context)
    return first, max(first, ends[at] - horizon + 1)


def load_series(
    name_or_path: str | os.PathLike[str],
    *,
    targets: Sequence[str] | None = None,
    known: Sequence[str] = (),
    horizon: int | None = None,
    context: int | None = None,
    season: int | None = None,
    split: tuple[float, float, float] | None = None,
    time: str | None = None,
    fill: bool = False,
    sort: bool = False,
) -> ForecastData:
    """Return a forecasting problem by its name, or from the path of a table or of a folder of tables.

    Parameters
    ----------
    name_or_path
        ``"airline"``, ``"sunspots"``, ``"temperatures"``, ``"etth1"``; or a path. Each table of a folder or
        zip archive is a series of its own, split in time like the others.
    targets
        Columns to forecast; default: the last numeric one.
    known
        Columns that are known ahead, such as holidays. The calendar is, where there are dates.
    horizon, context
        Steps to forecast and to see; default: one and three seasons; 12 and 36 steps where a season is longer
        than 168 or there is none.
    season
        Default: guessed, by :func:`gatelab.data.tables.season.guess_season`.
    split
        Rows or shares for training, validation and test, in the order of time; default: 0.7, 0.15, 0.15.
    time, fill, sort
        As :func:`gatelab.data.tables.table.read_table` has them.

    Raises
    ------
    ConfigError
        A setting is impossible: a column that is not there, a horizon below 1, shares above 1.
    DataError
        A table is broken, tables do not have the same columns, or a split is too short for a single window.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gatelab.data.tables.series import load_series
    >>> rows = "".join(f"{1950 + k // 12}-{k % 12 + 1:02},{k % 12 + 0.5}\\n" for k in range(240))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "load.csv")
    ...     _ = path.write_text("Month,Load\\n" + rows)
    ...     data = load_series(path, horizon=6, context=24)
    >>> data.targets, data.known, data.season, data.series[0].ends
    (('Load',), ('month_sin', 'month_cos'), 12, (168, 204, 240))
    >>> [data.windows(split)[[0, -1], 1].tolist() for split in ("train", "valid", "test")]
    [[24, 162], [168, 198], [204, 234]]

    Notes
    -----
    Scaling and season are of the training part only. H. Zhou et al., "Informer", AAAI 2021, arXiv:2012.07436.
    """
    source = SERIES.get(os.fspath(name_or_path))
    if source is None:
        tables = read_tables(name_or_path, time=time, fill=fill, sort=sort)
    else:
        path = find(source.title, FOLDER, [source.file], source.home)
        tables = (read_table(path, time=time, fill=fill, sort=sort),)
        if len(tables[0]) != source.rows:
            came = f"{len(tables[0]):,} rows, wanted {source.rows:,}"
            raise DataError(f"{path}: is not {source.title}: came {came}; try to rename the file")
        horizon, context = horizon or source.horizon, context or source.context
        split = split or source.split
    chosen = _columns(tables, targets, known)
    return _problem(
        os.fspath(name_or_path), source, tables, chosen, split or SHARES, season, horizon, context
    )


def _columns(
    tables: tuple[Table, ...], targets: Sequence[str] | None, known: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the names of targets, inputs and of what is known ahead."""
    first = tables[0]
    other = next((t for t in tables if t.columns != first.columns or str(t.step) != str(first.step)), None)
    if other is not None:
        wanted = f"the columns {', '.join(first.columns)} in steps of {first.step}"
        came = f"{', '.join(other.columns)} in steps of {other.step}"
        raise DataError(
            f"{other.source}: wanted {wanted}, as {first.name} has, came {came}; try a folder of each"
        )
    left = [name for name in first.columns if name not in known]
    wanted_columns = tuple(targets) if targets is not None else tuple(left[-1:])
    for name in (*wanted_columns, *known):
        if name not in first.columns:
            hint = near_misses(name, first.columns) or ";"
            raise ConfigError(
                f"no numeric column is called {name!r}{hint} there are {', '.join(first.columns)}"
            )
    if not wanted_columns or set(wanted_columns) & set(known):
        raise ConfigError("targets: wanted at least one column that is not known ahead; try another one")
    return wanted_columns, tuple(name for name in left if name not in wanted_columns), tuple(known)


def _problem(
    name: str,
    source: SeriesSource | None,
    tables: tuple[Table, ...],
    columns: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    split: tuple[float, float, float],
    season: int | None,
    horizon: int | None,
    context: int | None,
) -> ForecastData:
    """Put the problem together and make sure that every split has a window."""
    targets, inputs, known = columns
    notes = [f"{table.name}: {note}" for table in tables for note in (*table.notes, *_set_apart(table))]
    series = tuple(_series(table, (*targets, *inputs), known, split, notes) for table in tables)
    guessed, reason = guess_season(tables[0].step, series[0].values[: series[0].ends[0], 0])
    if season is not None:
        guessed, reason = season, "as asked for"
    usual = guessed if 1 < guessed <= 168 else 12
    horizon, context = horizon or usual, context or 3 * usual
    if min(horizon, context, guessed) < 1:
        raise ConfigError(f"wanted horizon, context and season from 1, came {horizon}, {context}, {guessed}")
    ahead = (*calendar(tables[0].time, tables[0].step)[0], *known)
    short, digest = os.path.basename(name), "-".join(table.digest for table in tables)
    title, place = (source.title if source else short), os.path.dirname(tables[0].source)
    place = tables[0].source if len(tables) == 1 else place
    data = ForecastData(
        short,
        title,
        series,
        targets,
        inputs,
        ahead,
        horizon,
        context,
        guessed,
        reason,
        tuple(notes),
        place,
        digest,
    )
    for part in SPLITS:
        if not len(data.windows(part)):
            raise DataError(
                f"{place}: no window of {context} steps and {horizon} ahead fits into {part}, which ends "
                f"at the rows {[s.ends[SPLITS.index(part)] for s in series][:3]}; try shorter ones"
            )
    return data


def _set_apart(table: Table) -> Iterator[str]:
    """Say which columns hold no numbers, and so are neither forecast nor read."""
    if table.text:
        yield f"columns without numbers are left out: {', '.join(table.text)[:120]}"


def _series(
    table: Table,
    columns: tuple[str, ...],
    known: tuple[str, ...],
    split: tuple[float, float, float],
    notes: list[str],
) -> Series:
    """Return one series, scaled by what its training part says."""
    ends = _ends(len(table), split, table)
    if ends[2] < len(table):
        notes.append(f"{table.name}: the last {len(table) - ends[2]:,} rows belong to no split")
    values = np.stack([table.column(name) for name in columns], axis=1)
    mean, std = by_column(values[: ends[0]])
    constant = [
        name for name, column in zip(columns, values[: ends[0]].T, strict=True) if np.ptp(column) == 0
    ]
    if constant:
        notes.append(f"{table.name}: constant in training, scaled by 1: {', '.join(constant)}")
    _, ahead = calendar(table.time, table.step)
    if known:
        named = np.stack([table.column(name) for name in known], axis=1)
        centre, spread = by_column(named[: ends[0]])
        ahead = np.concatenate([ahead.reshape(len(table), -1), (named - centre) / spread], axis=1)
    return Series(table.name, values, ahead.reshape(len(table), -1), mean, std, ends)


def _ends(rows: int, split: tuple[float, float, float], table: Table) -> tuple[int, int, int]:
    """Return the row after each split; shares are rounded down, and the test takes what is left."""
    if len(split) != 3 or min(split) <= 0:
        raise ConfigError(f"split: wanted three numbers above 0, came {split}; try {SHARES}")
    if all(part < 1 for part in split):
        if sum(split) > 1 + 1e-9:
            raise ConfigError(f"split: wanted shares whose sum is at most 1, came {split}; try {SHARES}")
        whole = abs(sum(split) - 1) < 1e-9
        train, valid = int(rows * split[0] + 1e-9), int(rows * split[1] + 1e-9)
        test = rows - train - valid if whole else int(rows * split[2] + 1e-9)
    elif all(part == int(part) for part in split):
        train, valid, test = map(int, split)
    else:
        raise ConfigError(f"split: wanted three shares or three counts of rows, came {split}; try {SHARES}")
    if train + valid + test > rows or not train:
        came = f"{rows:,} rows for {train:,}, {valid:,} and {test:,}"
        raise DataError(
            f"{table.source}: wanted rows for training, validation and test, came {came}; "
            f"try more rows, or shares"
        )
    return train, train + valid, train + valid + test
