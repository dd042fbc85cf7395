"""What is searched over."""

from __future__ import annotations

import math

import numpy as np

CHUNG = (-12.0, -6.0)
"""Bounds of the logarithm of the learning rate in Chung et al. 2014."""


def log_uniform(count: int, seed: int, bounds: tuple[float, float] = CHUNG) -> tuple[float, ...]:
    """Return ``count`` numbers whose natural logarithm is uniform between the bounds.

    A larger count keeps the numbers of a smaller one and adds to them.

    Examples
    --------
    >>> from gatelab.search import log_uniform
    >>> log_uniform(2, seed=0) == log_uniform(10, seed=0)[:2]
    True
    """
    draws = np.random.default_rng([seed, 0]).uniform(*bounds, size=count)
    return tuple(float(f"{math.exp(d):.6g}") for d in draws)
