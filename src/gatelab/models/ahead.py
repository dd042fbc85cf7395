"""Forecasts of a trained network, for a table of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.data.scale import by_column
from gatelab.data.tables.season import calendar
from gatelab.data.tables.table import Table, read_table
from gatelab.errors import ConfigError, DataError, near_misses
from gatelab.models.folder import Model
from gatelab.models.kept import ForecastKept
from gatelab.tasks.blueprint import HEADS
from gatelab.tasks.forecast import FLOOR

CALENDAR = frozenset(f"{part}_{wave}" for part in ("month", "weekday", "hour") for wave in ("sin", "cos"))
"""What the calendar tells ahead."""
LEVELS = (0.1, 0.5, 0.9)
"""The quantiles of a forecast, unless others are asked for."""


@dataclass(frozen=True)
class Forecast:
    """What a model says of the steps after a table.

    Attributes
    ----------
    targets
        The columns that are forecast.
    time
        When the steps are ``[H]``, where the table has times at regular steps; None otherwise.
    levels
        Probabilities of the quantiles ``[Q]``.
    quantiles
        ``[H, Q, D]`` in the table's own units.
    past
        The context that was read ``[C, D]``, in the table's own units.
    past_time
        When the steps of the context were ``[C]``; None where ``time`` is None.
    """

    targets: tuple[str, ...]
    time: NDArray[Any] | None
    levels: tuple[float, ...]
    quantiles: NDArray[np.float64]
    past: NDArray[np.float64]
    past_time: NDArray[Any] | None

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each step and target, as CSV and JSON have them."""
        found, when = [], None if self.time is None else _written(self.time)
        for h in range(len(self.quantiles)):
            for d, target in enumerate(self.targets):
                row: dict[str, Any] = {"step": h + 1, "time": "" if when is None else when[h]}
                row["target"] = target
                for q, level in enumerate(self.levels):
                    row[f"q{level:g}"] = float(self.quantiles[h, q, d])
                found.append(row)
        return found


def forecast(model: Model, path: Path, levels: Sequence[float] = LEVELS, fill: bool = False) -> Forecast:
    """Return the forecast of the steps after the last row of a table.

    The table is read as in training: its times, sorted and filled where that was asked for then. Columns are
    scaled by what the training part of the table of this name said; where the model knows several tables and
    none of this name, by the table's own mean and deviation.

    Parameters
    ----------
    path
        CSV or Parquet with the columns that the model was trained on, at least its context of rows.
    levels
        Probabilities of the quantiles that are told.
    fill
        Fill gaps by interpolation.

    Raises
    ------
    ConfigError
        The model does not forecast, or what it wants to know ahead is not the calendar's.
    DataError
        The table lacks columns or rows.
    """
    kept = model.kept
    if not isinstance(kept, ForecastKept):
        raise ConfigError(f"a model of kind {model.kind} does not forecast; wanted one of kind forecast")
    told = model.card.task.options
    named = {"time": str(told["time"]) if "time" in told else None}
    table = read_table(path, **named, fill=fill or bool(told.get("fill")), sort=bool(told.get("sort")))
    values = _columns(table, (*kept.targets, *kept.inputs), path)
    if len(values) < kept.context:
        raise DataError(
            f"{path}: wanted at least {kept.context} rows, the model's context, came {len(values)}; try more "
            "of the past"
        )
    mean, std = _scale(kept, values, path.name)
    past, time = values[-kept.context :], _times(table, kept)
    ahead = _known(table, kept, time, path)
    found = windows_ahead(model, past[:, None], ahead[:, None], mean, std, levels, str(path))[:, 0]
    when, before = (None, None) if time is None else (time[kept.context :], time[: kept.context])
    return Forecast(kept.targets, when, tuple(levels), found, past[:, : len(kept.targets)], before)


@torch.no_grad()
def windows_ahead(
    model: Model,
    past: NDArray[np.float64],
    known: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    levels: Sequence[float] = LEVELS,
    place: str = "forecast",
) -> NDArray[np.float64]:
    """Return quantiles of the steps after each of several contexts, ``[H, B, Q, D]`` in the data's own units.

    Parameters
    ----------
    past
        The contexts ``[C, B, columns]``: targets, then the other inputs.
    known
        What is known ahead of context and future, ``[C + H, B, K]``.
    mean, std
        Of the columns in training, or ``[B, columns]`` of each window's series.
    levels
        Probabilities of the quantiles, rising.
    place
        What a message calls the data.

    Raises
    ------
    ConfigError
        The levels do not rise.
    DataError
        Numbers are so large that the network's are not finite.
    """
    if not levels or any(not a < b for a, b in pairwise(levels)):
        raise ConfigError(f"levels: wanted rising probabilities, got {tuple(levels)}")
    count, (context, batch, columns) = model.card.blueprint.outputs, past.shape
    horizon = len(known) - context
    inputs = np.zeros((len(known), batch, model.card.blueprint.inputs), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is too large is told below
        scaled = ((past - mean) / std).astype(np.float32)
        level, spread = scaled[..., :count].mean(0), np.maximum(scaled[..., :count].std(0), FLOOR)
        inputs[:context, :, :columns] = scaled
        inputs[:context, :, :count] = (scaled[..., :count] - level) / spread
    inputs[:, :, columns:-1] = known
    inputs[context:, :, -1] = 1  # the future
    size = "try numbers of the size of those in training"
    if not np.isfinite(inputs).all():
        raise DataError(f"{place}: wanted numbers that can be scaled, came far larger ones; {size}")
    answers = model.network(torch.from_numpy(inputs))[-horizon * batch :]
    if not bool(answers.isfinite().all()):
        raise DataError(f"{place}: the model's answers are not finite; {size}")
    head: Any = HEADS[model.card.blueprint.head](1, count)
    flat = np.stack([head.quantile(answers, q).double().numpy() for q in levels], 1)  # [H · B, Q, D]
    found = flat.reshape(horizon, batch, len(levels), count)
    own, centre = (np.atleast_2d(part)[:, None, :count] for part in (std, mean))
    return np.asarray((found * spread[:, None] + level[:, None]) * own + centre)


def _written(time: NDArray[Any]) -> list[str]:
    """Return times as text: without a clock where all are at midnight, without parts of seconds of none."""
    if time.dtype.kind == "M":
        unit = next(u for u in ("D", "s", "us") if (time.astype(f"datetime64[{u}]") == time).all())
        time = time.astype(f"datetime64[{unit}]")
    return [str(t) for t in time]


def _columns(table: Table, names: Sequence[str], path: Path) -> NDArray[np.float64]:
    """Return the columns of these names, [T, C]."""
    for name in names:
        if name not in table.columns:
            hint = near_misses(name, table.columns) or ";"
            raise DataError(
                f"{path}: wanted the numeric column {name!r}, as in training{hint} there are "
                f"{', '.join(table.columns)[:200]}"
            )
    return np.stack([table.column(name) for name in names], 1)


def _scale(
    kept: ForecastKept, values: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and deviation [C] of a table's columns."""
    if len(kept.series) == 1:
        same = [kept.series[0]]
    else:
        same = [s for s in kept.series if PurePath(s.name).name == name]
    if len(same) == 1:
        return np.asarray(same[0].mean), np.asarray(same[0].std)
    return by_column(values)


def _times(table: Table, kept: ForecastKept) -> NDArray[Any] | None:
    """Return the times of context and future, where the table has some."""
    if table.time is None or table.step is None:
        return None
    return np.concatenate([table.time[-kept.context :], table.step.after(table.time, kept.horizon)])


def _known(table: Table, kept: ForecastKept, time: NDArray[Any] | None, path: Path) -> NDArray[np.float64]:
    """Return what is known ahead, [C + H, K]: the calendar, which has to be that of training."""
    names, values = calendar(time, table.step)
    foreign = [name for name in kept.known if name not in CALENDAR]
    if foreign:
        raise ConfigError(
            f"the model wants to know {foreign[0]!r} ahead, which no calendar tells; try one that was "
            "trained without known columns"
        )
    if names != kept.known:
        came = f"in steps of {table.step}" if time is not None else "without times"
        raise DataError(
            f"{path}: came {came}, of which the calendar says {', '.join(names) or 'nothing'}; wanted "
            f"{', '.join(kept.known) or 'nothing'}, as in training; try a table with the same steps"
        )
    return values.reshape(kept.context + kept.horizon, len(kept.known))
