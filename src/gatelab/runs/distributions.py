"""Dimensions of a space as optuna's distributions, for its own tools."""

from __future__ import annotations

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gatelab.runs.space import Choice, Dimension, Interval, LogUniform


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return what optuna calls this dimension; 1 − log-uniform it has not, so its ends alone are kept."""
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    assert isinstance(dimension, Interval)
    log = isinstance(dimension, LogUniform)
    if dimension.whole:
        return IntDistribution(int(dimension.at(0.0)), int(dimension.at(1.0)), log=log)
    return FloatDistribution(float(dimension.at(0.0)), float(dimension.at(1.0)), log=log)
