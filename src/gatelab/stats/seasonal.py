"""The seasonal-naive forecast: what any forecast of a seasonal series has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.errors import ShapeError
from gatelab.stats.forecast import crps_gaussian


@dataclass(frozen=True)
class SeasonalNaive:
    """Each step is forecast to be as it was a season before, with a Gaussian spread fitted in training.

    ŷ_{t+h} = y_{t+h−mk}, with m the season and k = ⌈h/m⌉ seasons back; its standard deviation is σ √k, as of
    a seasonal random walk, σ² the mean of (y_t − y_{t−m})² in training.

    Attributes
    ----------
    season
        m, in steps.
    std
        σ of one season.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.seasonal import SeasonalNaive
    >>> naive = SeasonalNaive.fit([1.0, 5.0, 2.0, 6.0, 3.0, 7.0], season=2)
    >>> mean, std = naive.forecast([3.0, 7.0], horizon=3)
    >>> mean, std.round(3)
    (array([3., 7., 3.]), array([1.   , 1.   , 1.414]))

    Notes
    -----
    R. J. Hyndman and G. Athanasopoulos, "Forecasting: Principles and Practice", 3rd edition, 2021, 5.2, 5.5.
    """

    season: int
    std: float

    @classmethod
    def fit(cls, series: ArrayLike, season: int) -> SeasonalNaive:
        """Return the forecaster of a training series ``[T]``, T > season.

        Raises
        ------
        ShapeError
            The series is too short, or repeats itself.
        """
        values = np.asarray(series, np.float64)
        if values.ndim != 1 or season < 1 or len(values) <= season:
            raise ShapeError(f"seasonal naive: wanted more than {season} steps, got shape {values.shape}")
        std = float(np.sqrt(((values[season:] - values[:-season]) ** 2).mean()))
        if not std > 0:
            raise ShapeError(
                f"seasonal naive: the series repeats itself after {season} steps: it has no spread"
            )
        return cls(season, std)

    def forecast(
        self, context: ArrayLike, horizon: int
    ) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
        """Return the means ``[..., H]`` and standard deviations ``[H]`` of the steps after a context.

        Parameters
        ----------
        context
            ``[..., L]`` the steps before, at least a season.
        horizon
            H.
        """
        past = np.asarray(context, np.float64)
        if not past.ndim or past.shape[-1] < self.season or horizon < 1:
            raise ShapeError(f"seasonal naive: wanted {self.season} steps of context, got shape {past.shape}")
        steps = np.arange(horizon)
        mean = past[..., past.shape[-1] - self.season + steps % self.season]
        return mean, self.std * np.sqrt(steps // self.season + 1)

    def crps(self, context: ArrayLike, actual: ArrayLike) -> NDArray[np.floating[Any]]:
        """Return the CRPS ``[..., H]`` of the forecasts for the steps ``actual`` after a context."""
        y = np.asarray(actual, np.float64)
        return crps_gaussian(y, *self.forecast(context, y.shape[-1]))
