"""Forecasts of time series in scikit-learn's manner: fit, predict and score on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gatelab.data.scale import by_column
from gatelab.data.tables.series import ForecastData, Series
from gatelab.errors import ConfigError, DataError, RunError, ShapeError
from gatelab.graph.cell import Cell
from gatelab.models.ahead import LEVELS, windows_ahead
from gatelab.models.estimator import Estimator
from gatelab.models.folder import Card, Model
from gatelab.models.given import Floats, check_share, digest, is_array, sequences
from gatelab.tasks.forecast import ForecastTask

SOME = 512
"""Windows that are forecast at once."""


class Forecaster(Estimator):
    """The next steps of one or several series, from the last ones, with their distribution.

    All columns of a series are forecast. The last part of each series validates, and has no say in its scale.

    Parameters
    ----------
    horizon, context
        Steps that are forecast, and steps that are seen.
    head
        ``"student"``, ``"gaussian"`` or ``"quantiles"``.
    season
        Steps of a season, for the naive forecast that ``score`` compares with.
    columns
        Names of the columns, for ``gatelab forecast`` on tables; None: ``value``, or ``value_1`` and so on.
    cell, hidden_size, layers, bidirectional, dropout, learning_rate, batch_size, max_epochs, patience, seed
        As of :class:`gatelab.models.estimator.Estimator`; a batch counts windows.
    validation
        Share of each series that is held out, at its end.

    Examples
    --------
    >>> import gatelab, numpy as np
    >>> series = np.sin(np.arange(300) / 3)
    >>> model = gatelab.Forecaster(4, 12, cell="gru", hidden_size=8, learning_rate=0.02, max_epochs=5)
    >>> model.fit(series).predict(series[:200]).shape, model.predict_quantiles(series).shape
    ((4,), (4, 3))
    >>> model.score(series) > 0.5
    True
    """

    scales_: list[tuple[Floats, Floats]]

    def __init__(
        self,
        horizon: int = 12,
        context: int = 36,
        *,
        head: str = "student",
        season: int = 1,
        columns: Sequence[str] | None = None,
        cell: str | Cell = "lstm",
        hidden_size: int = 64,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        learning_rate: float | None = None,
        batch_size: int = 32,
        max_epochs: int = 40,
        patience: int = 6,
        validation: float = 0.15,
        seed: int = 0,
    ) -> None:
        super().__init__(
            cell, hidden_size, layers=layers, bidirectional=bidirectional, dropout=dropout,
            learning_rate=learning_rate, batch_size=batch_size, max_epochs=max_epochs, patience=patience,
            validation=validation, seed=seed,
        )  # fmt: skip
        self.horizon, self.context, self.head = horizon, context, head
        self.season, self.columns = season, columns

    def fit(self, X: Any, y: None = None) -> Self:
        """Learn from series.

        Parameters
        ----------
        X
            A series ``[T]`` or ``[T, D]``, or a list of series ``[T_i, D]``.
        y
            Not looked at; scikit-learn gives it.

        Raises
        ------
        ShapeError, DataError, ConfigError
            Where series or parameters are not what they should be: a series too short for one window in each
            part, or one that repeats itself so that errors have no unit.
        RunError
            The training diverged.
        """
        given = _series(X)
        for name in ("horizon", "context", "season"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name}: wanted a whole number from 1, got {value!r}")
        if self.head not in ("student", "gaussian", "quantiles"):
            raise ConfigError(f"head: wanted student, gaussian or quantiles, got {self.head!r}")
        check_share(self.validation)
        return self._train(_AllForTraining(self._data(given), self.head))

    def _data(self, given: Sequence[Floats]) -> ForecastData:
        names = self._columns(given[0].shape[1])
        found = tuple(self._one(f"series {k}", values) for k, values in enumerate(given))
        return ForecastData(
            "arrays", "Arrays", found, names, (), (), self.horizon, self.context, self.season, "as asked for",
            (), "arrays in memory", digest(given),
        )  # fmt: skip

    def _columns(self, count: int) -> tuple[str, ...]:
        usual = ["value"] if count == 1 else [f"value_{k + 1}" for k in range(count)]
        names = tuple(usual if self.columns is None else self.columns)
        if len(set(names)) != count or not all(isinstance(n, str) for n in names):
            raise ConfigError(f"columns: wanted {count} different names, got {names!r:.80}")
        return names

    def _one(self, name: str, values: Floats) -> Series:
        """Return a series whose last part validates, scaled by the part before."""
        rows = len(values)
        train = rows - max(self.horizon, round(rows * self.validation))
        if train < self.context + self.horizon or train <= self.season:
            raise DataError(
                f"{name}: wanted more than {self.context + 2 * self.horizon} steps, a window to train on and "
                f"one to validate, got {rows}; try a smaller context, horizon or validation"
            )
        mean, std = by_column(values[:train])
        return Series(name, values, np.zeros((rows, 0)), mean, std, (train, rows, rows))

    def predict(self, X: Any) -> Any:
        """Return the medians of the steps after series, ``[H]``, ``[H, D]``, or a list of them, as X is.

        Raises
        ------
        DataError
            A series is shorter than the context.
        """
        return _as_given(X, [q[:, 0] for q in self._ahead(X, (0.5,))])

    def predict_quantiles(self, X: Any, levels: Sequence[float] = LEVELS) -> Any:
        """Return quantiles of the steps after series, ``[H, Q]``, ``[H, Q, D]``, or a list of them."""
        return _as_given(X, self._ahead(X, tuple(levels)))

    def score(self, X: Any, y: None = None) -> float:
        """Return how much smaller errors are than those of the seasonal-naive forecast: 1 − E / E_naive.

        E is the mean absolute error of the medians over all windows of the series; 1 is perfect, 0 as good
        as the naive forecast.
        """
        ours = naive = 0.0
        for number, values in enumerate(self._given(X)):
            starts = np.arange(max(self.context, self.season), len(values) - self.horizon + 1)
            if not len(starts):
                wanted = max(self.context, self.season) + self.horizon
                raise DataError(f"X: wanted series of at least {wanted} steps, got one of {len(values)}")
            back = np.arange(self.horizon) % self.season - self.season
            for at in np.array_split(starts, -(-len(starts) // SOME)):
                past = values[at - self.context + np.arange(self.context)[:, None]]
                ahead = values[at + np.arange(self.horizon)[:, None]]
                ours += np.abs(self._windows(past, number, (0.5,))[:, :, 0] - ahead).sum()
                naive += np.abs(values[at + back[:, None]] - ahead).sum()
        if not naive:
            raise DataError("X: the series repeats itself after each season; nothing is left to forecast")
        return float(1 - ours / naive)

    def _ahead(self, x: Any, levels: tuple[float, ...]) -> list[Floats]:
        found = []
        for number, values in enumerate(self._given(x)):
            if len(values) < self.context:
                raise DataError(f"X: wanted at least {self.context} steps, the context, got {len(values)}")
            found.append(self._windows(values[-self.context :, None], number, levels)[:, 0])
        return found

    def _windows(self, past: Floats, number: int, levels: tuple[float, ...]) -> Floats:
        """Return quantiles [H, B, Q, D] after windows [C, B, D] of a series."""
        self.model_.network.eval()  # whatever was done with it
        mean, std = self.scales_[number if len(self.scales_) > 1 else 0]
        known = np.zeros((self.context + self.horizon, past.shape[1], 0))
        return windows_ahead(self.model_, past, known, mean, std, levels)

    def _given(self, x: Any) -> list[Floats]:
        found = _series(x, self._fitted().card.blueprint.outputs)
        if len(self.scales_) > 1 and len(found) != len(self.scales_):
            raise ShapeError(
                f"X: wanted a list of {len(self.scales_)} series, those of the training in their order, each "
                f"has a scale of its own; got {len(found)}"
            )
        return found

    @classmethod
    def _told(cls, card: Card) -> dict[str, Any]:
        if card.task.kind != "forecast":
            raise ConfigError(f"Forecaster wanted a model of kind forecast, got one of kind {card.task.kind}")
        kept = card.kept
        try:
            if kept["inputs"] or kept["known"]:
                raise ConfigError(
                    "Forecaster wanted a model that reads its targets alone, got one of a table"
                )
            said = {k: int(kept[k]) for k in ("horizon", "context", "season")}
            return {
                **super()._told(card), **said, "head": card.blueprint.head, "columns": tuple(kept["targets"])
            }  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"model.json: what it keeps of its series is damaged ({error!r})") from None

    def _restore(self, model: Model) -> None:
        try:
            scales = [
                (np.asarray(s["mean"], np.float64), np.asarray(s["std"], np.float64))
                for s in model.card.kept["series"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"model.json: what it keeps of its series is damaged ({error!r})") from None
        wanted = (model.card.blueprint.outputs,)
        if not scales or any(part.shape != wanted for pair in scales for part in pair):
            raise RunError("model.json: its scales do not fit the network; was it changed?")
        super()._restore(model)
        self.scales_ = scales


class _AllForTraining(ForecastTask):
    """A task without a test: what validates stands in its place, and nothing is told of it."""

    def _chosen(self, split: str) -> NDArray[np.int64]:
        return super()._chosen("valid" if split == "test" else split)


def _series(x: Any, columns: int | None = None) -> list[Floats]:
    """Return series [T, D] of one array, or of a list of them."""
    if is_array(x):
        if np.ndim(x) not in (1, 2):
            raise ShapeError(f"X: wanted a series [T] or [T, D], or a list of them, got {list(x.shape)}")
        x = [x]
    return sequences([s[:, None] if np.ndim(s) == 1 else s for s in map(np.asarray, x)], columns)


def _as_given(x: Any, found: list[Floats]) -> Any:
    """Return forecasts without the axes that the series do not have."""
    parts = [x] if is_array(x) else list(x)
    flat = [f[..., 0] if np.ndim(part) == 1 else f for part, f in zip(parts, found, strict=True)]
    return flat[0] if is_array(x) else flat
