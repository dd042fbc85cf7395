"""What is searched over."""

from __future__ import annotations

import math

import numpy as np

from gatelab.errors import ConfigError
from gatelab.runs.config import LARGEST_SEED

CHUNG = (-12.0, -6.0)
"""Bounds of the logarithm of the learning rate in Chung et al. 2014."""


def check_seed(seed: int) -> None:
    """Refuse a seed that torch and numpy cannot both take."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
        raise ConfigError(f"seed: wanted a whole number from 0 to {LARGEST_SEED}, got {seed!r}")


def log_uniform(count: int, seed: int, bounds: tuple[float, float] = CHUNG) -> tuple[float, ...]:
    """Return ``count`` independent numbers whose natural logarithm is uniform between the bounds.

    A larger count keeps the numbers of a smaller one and adds to them.

    Examples
    --------
    >>> from gatelab.search import log_uniform
    >>> log_uniform(2, seed=0) == log_uniform(10, seed=0)[:2]
    True
    """
    draws = np.random.default_rng([seed, 0]).uniform(*bounds, size=count)
    return tuple(float(f"{math.exp(d):.6g}") for d in draws)


def spread_log_uniform(count: int, seed: int, bounds: tuple[float, float] = CHUNG) -> tuple[float, ...]:
    """Return log-uniform numbers that do not crowd: one from each of ``count`` equal parts, shuffled.

    Each number alone is distributed as in :func:`log_uniform`; with few of them, none of the range is left
    out by chance.

    Examples
    --------
    >>> from gatelab.search.space import spread_log_uniform
    >>> all(5e-4 < r < 3e-3 for r in [max(spread_log_uniform(4, seed)) for seed in range(100)])
    True
    """
    low, high = bounds
    random = np.random.default_rng([seed, 1])
    places = (random.permutation(count) + random.uniform(size=count)) / count
    return tuple(float(f"{math.exp(low + (high - low) * p):.6g}") for p in places)
