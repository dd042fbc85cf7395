"""Confidence intervals of a mean and of a paired difference, by Student's t distribution.

They suppose that trainings from different seeds are independent and their results roughly normal; with the
three to ten seeds that are usual here, an interval is wide, and that is its message.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit  # quantiles of Student's t, without all of scipy.stats

from gatelab.errors import ShapeError


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes
    ----------
    mean
        Of the n values.
    low, high
        The interval's ends; nan for a single value, of which no spread can be known.
    std
        Standard deviation of the values, with n − 1 in the denominator; nan for a single value.
    n
        Number of values, or of pairs.
    """

    mean: float
    low: float
    high: float
    std: float
    n: int

    @property
    def half_width(self) -> float:
        """How far the interval reaches to either side of the mean."""
        return (self.high - self.low) / 2

    @property
    def known(self) -> bool:
        """Whether there is an interval at all: it takes two values."""
        return self.n > 1

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval; True where there is none."""
        return not self.known or self.low <= value <= self.high


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of ``values`` with its two-sided confidence interval.

    mean ± t · std / √n, with t the (1 + level) / 2 quantile of Student's distribution with n − 1 degrees of
    freedom.

    Parameters
    ----------
    values
        At least one number.
    level
        Probability with which such intervals hold the true mean, between 0 and 1.

    Raises
    ------
    ShapeError
        Where there is no value, or the level is no probability.

    Examples
    --------
    >>> from gatelab.stats import mean_interval
    >>> interval = mean_interval([8.5, 8.6, 8.7])
    >>> f"{interval.mean:.2f} ± {interval.half_width:.3f}"
    '8.60 ± 0.248'
    >>> mean_interval([8.5]).low
    nan
    """
    if not values:
        raise ShapeError("interval: wanted at least one value, got none")
    if not 0 < level < 1:
        raise ShapeError(f"interval: wanted a level between 0 and 1, such as 0.95; got {level}")
    n, mean = len(values), statistics.fmean(values)
    if n == 1:
        return Interval(mean, math.nan, math.nan, math.nan, 1)
    std = statistics.stdev(values)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * std / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach, std, n)


def paired_difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of a − b with its confidence interval, a and b paired by position.

    Two trainings from the same seed meet the same batches in the same order; pairing them takes what they
    share out of the difference.

    Raises
    ------
    ShapeError
        Where the lengths differ or there is no pair.

    Examples
    --------
    >>> from gatelab.stats import paired_difference
    >>> difference = paired_difference([9.0, 9.2, 9.1], [8.5, 8.6, 8.7])
    >>> round(difference.mean, 3), difference.holds(0)
    (0.5, False)
    """
    if len(a) != len(b):
        raise ShapeError(
            f"paired difference: wanted as many values on either side, got {len(a)} and {len(b)}"
        )
    return mean_interval([left - right for left, right in zip(a, b, strict=True)], level)
