"""Forecasts: from the last steps of a time series, the distribution of each of the next ones.

A network reads context and future as one sequence. In the context it sees targets, other variables, and what
is known ahead (the calendar); in the future only what is known ahead, and answers a distribution of the
targets at each step: all steps of a forecast at once, none fed back. Each window is read relative to the mean
and the deviation of its own context, so that a series may grow.

Source: Wen et al. 2017, arXiv:1711.11053 (all steps at once, known future inputs); Salinas et al. 2020,
arXiv:1704.04110 (distributions, scaling by window); Hyndman and Koehler 2006 (MASE).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gatelab.data.splits import SPLITS
from gatelab.data.tables.series import ForecastData, Series, load_series
from gatelab.errors import DataError, ShapeError
from gatelab.nn.heads.gaussian import Gaussian
from gatelab.nn.heads.student import StudentT
from gatelab.runs.config import Body, Measure, Training
from gatelab.stats.forecast import crps_gaussian, crps_quantiles, crps_student, seasonal_scale
from gatelab.stats.seasonal import SeasonalNaive
from gatelab.tasks.batch import Batch, averaged
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.options import Options
from gatelab.tasks.task import About, Task

FLOOR = 0.1
"""The least deviation of a window's context, in deviations of the training part."""
WINDOWS = 600
"""Windows of an evaluation, about: more of them overlap ever more."""
MASE = Measure(name="MASE")
CRPS = Measure(name="scaled CRPS")


Window = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Inputs, targets, mean and deviation of one window."""


class ForecastTask(Task):
    """The distribution of the next steps of one or more series.

    Parameters
    ----------
    data
        Series, their windows and splits.
    head
        ``"student"``, ``"gaussian"`` or ``"quantiles"``.
    """

    kind = "forecast"
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=1.0, batch_size=32, max_epochs=40, patience=6
    )
    body = Body(dropout=0.1)
    rates = (math.log(5e-4), math.log(1e-2))
    headline = MASE.name

    def __init__(self, data: ForecastData, head: str = "student") -> None:
        self.data, self.targets = data, len(data.targets)
        split = f"split: in order of time; season {data.season} steps: {data.season_reason}"
        self.about = About(data.name, data.title, data.source, data.digest, (split, *data.notes))
        past = self.targets + len(data.inputs)
        self.blueprint = Blueprint(
            inputs=past + len(data.known) + 1,
            head=head,
            outputs=self.targets,
        )
        loss = "pinball loss" if head == "quantiles" else "NLL"
        unit = "a step" if head == "quantiles" else "nats per step"
        self.measures = (Measure(name=loss, unit=unit), MASE, CRPS)
        self._scaled = [s.scaled().astype(np.float32) for s in data.series]
        self._windows = {s: self._chosen(s) for s in SPLITS}
        self.overlap = max(1, -(-data.horizon // self._stride("test")))
        self._deviations = np.array([s.std[: self.targets] for s in data.series])  # [series, D]
        self._units = np.array(  # what errors are divided by, [series, D]
            [[_unit(data, s, d) for d in range(self.targets)] for s in data.series]
        )

    @classmethod
    def load(cls, load: str, told: Options) -> ForecastTask:
        """Return the task on a set by its name, or on a table (CSV, Parquet) or a folder of tables.

        Named sets: ``airline``, ``sunspots``, ``temperatures``, ``etth1``. Options: ``target`` and ``known``
        (columns, with commas), ``split``, ``horizon``, ``context``, ``season``, ``time`` (column), ``fill``,
        ``sort``, and ``head``: student, gaussian or quantiles.
        """
        targets, known = told.text("target", None), told.text("known", "")
        data = load_series(
            load,
            targets=targets.split(",") if targets else None,
            known=[k for k in known.split(",") if k],
            split=told.shares("split"),
            horizon=told.whole("horizon", None, least=1),
            context=told.whole("context", None, least=1),
            season=told.whole("season", None, least=1),
            time=told.text("time", None),
            fill=told.flag("fill"),
            sort=told.flag("sort"),
        )
        return cls(data, told.one_of("head", ("student", "gaussian", "quantiles"), "student"))

    def kept(self) -> dict[str, Any]:
        """Return columns, scales and lengths: how windows are cut of a table."""
        data = self.data
        scales = [
            {"name": s.name, "mean": s.mean.tolist(), "std": s.std.tolist(), "known": list(data.known)}
            for s in data.series
        ]
        return {
            "targets": list(data.targets), "inputs": list(data.inputs), "known": list(data.known),
            "horizon": data.horizon, "context": data.context, "season": data.season, "series": scales,
        }  # fmt: skip

    def _chosen(self, split: str) -> NDArray[np.int64]:
        windows = self.data.windows(split)
        return windows[:: self._stride(split)]

    def _stride(self, split: str) -> int:
        """Return how many steps lie between the windows of a split."""
        return 1 if split == "train" else max(1, len(self.data.windows(split)) // WINDOWS)

    def lengths(self, split: str) -> list[int]:
        """Return the steps of each window of a split, context and future: all the same."""
        return [self.data.context + self.data.horizon] * len(self._windows[split])

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen windows side by side: inputs [T, B, I], targets of the future [H · B, D]."""
        windows = self._windows[split][list(chosen)]
        cut = [self._cut(int(series), int(row)) for series, row in windows]
        inputs, targets, scales = (np.stack(parts, 1) for parts in zip(*cut, strict=True))
        owner = torch.tensor(chosen).repeat(self.data.horizon)
        of = windows[:, 0]
        factor = scales[0, :, 1] * self._deviations[of] / self._units[of]  # [B, D]
        wanted = (targets.reshape(-1, self.targets), scales[0, :, 1], factor)
        return Batch(torch.from_numpy(inputs), tuple(map(torch.from_numpy, wanted)), owner)

    def _cut(self, series: int, row: int) -> Window:
        """Return inputs [T, I], targets [H, D] and the window's mean and deviation [1, 2, D]."""
        data, values = self.data, self._scaled[series]
        seen, ahead = values[row - data.context : row], values[row : row + data.horizon, : self.targets]
        mean = seen[:, : self.targets].mean(0)
        deviation = np.maximum(seen[:, : self.targets].std(0), FLOOR)
        inputs = np.zeros((data.context + data.horizon, self.blueprint.inputs), np.float32)
        inputs[: data.context, : values.shape[1]] = seen
        inputs[: data.context, : self.targets] = (seen[:, : self.targets] - mean) / deviation
        known = data.series[series].known[row - data.context : row + data.horizon]
        inputs[:, values.shape[1] : values.shape[1] + known.shape[1]] = known
        inputs[data.context :, -1] = 1  # the future
        return inputs, (ahead - mean) / deviation, np.stack([mean, deviation])[None]

    def _future(self, answers: Tensor, batch: Batch) -> Tensor:
        return answers[-batch.terms :]

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each forecast step, [H · B], of targets in deviations of the training part."""
        targets, deviations, _ = batch.targets
        loss: Tensor = head.nll(self._future(answers, batch), targets)  # type: ignore[operator]
        deviation: Tensor = deviations.repeat(self.data.horizon, 1)  # [H · B, D]
        if self.blueprint.head == "quantiles":
            return loss * deviation.mean(-1)
        return loss + deviation.log().sum(-1)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return error and CRPS of each forecast step, by what the season errs in training, and 1."""
        targets, _, factors = batch.targets
        future, factor = self._future(answers, batch), factors.repeat(self.data.horizon, 1)
        error = (median(self.blueprint.head, future) - targets).abs().double() * factor
        crps = _CRPS[self.blueprint.head](future.double().numpy(), targets.double().numpy())
        scaled = torch.from_numpy(crps) * factor
        return {MASE.name: averaged(error.mean(-1)), CRPS.name: averaged(scaled.mean(-1))}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return MASE and CRPS of the seasonal-naive forecast, and of the last value, on test."""
        return {"seasonal naive": self._naive(self.data.season), "last value": self._naive(1)}

    def _naive(self, season: int) -> dict[str, float]:
        errors, crps = [], []
        for index, row in self._windows["test"]:
            series = self.data.series[index]
            for d in range(self.targets):
                naive = SeasonalNaive.fit(series.values[: series.ends[0], d], season)
                past, ahead = series.values[:row, d], series.values[row : row + self.data.horizon, d]
                unit = self._units[index, d]
                errors.append(np.abs(naive.forecast(past, self.data.horizon)[0] - ahead).mean() / unit)
                crps.append(naive.crps(past, ahead).mean() / unit)
        return {MASE.name: float(np.mean(errors)), CRPS.name: float(np.mean(crps))}


def _unit(data: ForecastData, series: Series, column: int) -> float:
    """Return what the errors of a column are divided by; refuse one that cannot be measured so."""
    try:
        return seasonal_scale(series.values[: series.ends[0], column], data.season)
    except ShapeError as error:
        raise DataError(
            f"{data.source}: {series.name}: column {data.targets[column]!r}, {series.ends[0]} training rows: "
            f"{error}; try another target, or another season"
        ) from None


def median(head: str, answers: Tensor) -> Tensor:
    """Return the medians [N, D] of a head's answers."""
    if head == "quantiles":
        return answers[:, answers.shape[1] // 2]
    return (Gaussian if head == "gaussian" else StudentT).mean(answers)


def _gaussian(answers: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    return crps_gaussian(y, answers[:, 0], np.exp(answers[:, 1]))


def _student(answers: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    return crps_student(y, answers[:, 0], np.exp(answers[:, 1]), answers[:, 2])


def _quantiles(answers: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    levels = (np.arange(answers.shape[1]) + 1) / (answers.shape[1] + 1)
    return crps_quantiles(y, np.moveaxis(answers, 1, -1), levels)


_CRPS: Mapping[str, Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]] = MappingProxyType(
    {"gaussian": _gaussian, "student": _student, "quantiles": _quantiles}
)
