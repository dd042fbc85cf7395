"""Forecasts of a trained network, for a table of the past."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.data.tables.season import calendar
from gatelab.data.tables.table import Table, read_table
from gatelab.errors import ConfigError, DataError, RunError
from gatelab.models.folder import Model
from gatelab.tasks.blueprint import HEADS
from gatelab.tasks.forecast import FLOOR

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
        The context that was read ``[C, D]``, in the table's own units, and its times.
    past_time
        When the steps of the context were; None where the table has no times.
    """

    targets: tuple[str, ...]
    time: NDArray[Any] | None
    levels: tuple[float, ...]
    quantiles: NDArray[np.float64]
    past: NDArray[np.float64]
    past_time: NDArray[Any] | None

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each step and target, as CSV and JSON have them."""
        found = []
        for h in range(len(self.quantiles)):
            for d, target in enumerate(self.targets):
                row: dict[str, Any] = {"step": h + 1, "time": "" if self.time is None else str(self.time[h])}
                row["target"] = target
                for q, level in enumerate(self.levels):
                    row[f"q{level:g}"] = float(self.quantiles[h, q, d])
                found.append(row)
        return found


def forecast(model: Model, path: Path, levels: tuple[float, ...] = LEVELS, fill: bool = False) -> Forecast:
    """Return the forecast of the steps after the last row of a table.

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
    if model.kind != "forecast":
        raise ConfigError(f"a model of kind {model.kind} does not forecast; wanted one of kind forecast")
    kept = model.card.kept
    try:
        targets, others, known = (tuple(kept[k]) for k in ("targets", "inputs", "known"))
        context, horizon = int(kept["context"]), int(kept["horizon"])
        scales = next((s for s in kept["series"] if s["name"] == path.stem), kept["series"][0])
        mean, std = (np.asarray(scales[k], np.float64) for k in ("mean", "std"))
    except (KeyError, TypeError, ValueError, IndexError, StopIteration) as error:
        raise RunError(f"model.json: what it keeps of its series is damaged ({error!r})") from None
    table = read_table(path, fill=fill)
    if len(table.values) < context:
        raise DataError(
            f"{path}: wanted at least {context} rows, came {len(table.values)}; try more of the past"
        )
    past = np.stack([table.column(name) for name in (*targets, *others)], 1)[-context:]
    time = _times(table, context, horizon)
    ahead = _known(table, known, time, path) if known else np.zeros((context + horizon, 0))
    count = len(targets)
    values = windows_ahead(model, past[:, None], ahead[:, None], mean, std, levels)[:, 0]
    when = None if time is None else time[context:]
    before = None if table.time is None else table.time[-context:]
    return Forecast(targets, when, levels, values, past[:, :count], before)


@torch.no_grad()
def windows_ahead(
    model: Model,
    past: NDArray[np.float64],
    known: NDArray[np.float64],
    mean: NDArray[np.float64],
    std: NDArray[np.float64],
    levels: tuple[float, ...] = LEVELS,
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
    """
    count, (context, batch, columns) = model.card.blueprint.outputs, past.shape
    scaled = (past - mean) / std
    level, spread = scaled[..., :count].mean(0), np.maximum(scaled[..., :count].std(0), FLOOR)
    inputs = np.zeros((len(known), batch, model.card.blueprint.inputs), np.float32)
    inputs[:context, :, :columns] = scaled
    inputs[:context, :, :count] = (scaled[..., :count] - level) / spread
    inputs[:, :, columns : columns + known.shape[-1]] = known
    inputs[context:, :, -1] = 1
    horizon = len(known) - context
    answers = model.network(torch.from_numpy(inputs))[-horizon * batch :]
    head: Any = HEADS[model.card.blueprint.head](1, count)
    flat = np.stack([head.quantile(answers, q).double().numpy() for q in levels], 1)  # [H · B, Q, D]
    found = flat.reshape(horizon, batch, len(levels), count)
    own, centre = (np.atleast_2d(part)[:, None, :count] for part in (std, mean))
    return np.asarray((found * spread[:, None] + level[:, None]) * own + centre)


def _times(table: Table, context: int, horizon: int) -> NDArray[Any] | None:
    """Return the times of context and future, where the table's steps are regular."""
    if table.time is None or table.step is None:
        return None
    future = table.step.after(table.time[-1], horizon)
    return np.concatenate([table.time[-context:], future])


def _known(
    table: Table, known: tuple[str, ...], time: NDArray[Any] | None, path: Path
) -> NDArray[np.float64]:
    """Return what is known ahead, [C + H, K]: the calendar."""
    if time is None or table.step is None:
        raise DataError(
            f"{path}: wanted times at regular steps, as in training; try --fill, or a time column"
        )
    names, values = calendar(time, table.step)
    missing = [name for name in known if name not in names]
    if missing:
        raise ConfigError(f"the model wants to know {missing[0]!r} ahead, which no calendar tells")
    return np.stack([values[:, names.index(name)] for name in known], 1)
