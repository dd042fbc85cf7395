"""A share of cases, such as of false positives among studies, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri

from gatelab.errors import ShapeError


@dataclass(frozen=True)
class Proportion:
    """A share with its confidence interval.

    Attributes
    ----------
    value
        count / n.
    low, high
        Ends of the interval, within 0 and 1.
    count, n
        Cases in which it was so, and all cases.
    """

    value: float
    low: float
    high: float
    count: int
    n: int

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval."""
        return self.low <= value <= self.high


def wilson(count: int, n: int, level: float = 0.95) -> Proportion:
    """Return a share with Wilson's score interval.

    (p̂ + z²/2n ± z √(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n), with z the normal quantile: all shares that a test
    of the cases would not reject. It is sound for few cases, and where none or all of them are so.

    Parameters
    ----------
    count, n
        Cases in which it was so, and all cases, at least one.
    level
        Probability with which such intervals hold the true share.

    Raises
    ------
    ShapeError
        There is no case, more counts than cases, or the level is no probability.

    Examples
    --------
    >>> from gatelab.stats.proportion import wilson
    >>> share = wilson(15, 148)
    >>> f"{share.value:.4f} [{share.low:.4f}, {share.high:.4f}]"
    '0.1014 [0.0624, 0.1605]'

    Notes
    -----
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22, 1927; R. G. Newcombe, "Two-sided confidence intervals for the single
    proportion: comparison of seven methods", Statistics in Medicine 17, 1998.
    """
    if not 0 <= count <= n or n < 1:
        raise ShapeError(f"proportion: wanted 0 to n cases of n, at least one; got {count} of {n}")
    z = quantile(level)
    share, extra = count / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    reach = z * math.sqrt(share * (1 - share) / n + extra / (4 * n)) / (1 + extra)
    low = 0.0 if count == 0 else middle - reach
    high = 1.0 if count == n else middle + reach
    return Proportion(share, low, high, count, n)


def quantile(level: float) -> float:
    """Return z of the normal distribution, between whose −z and z lies this probability.

    Raises
    ------
    ShapeError
        The level is no probability.

    Examples
    --------
    >>> round(quantile(0.95), 4)
    1.96
    """
    if not 0 < level < 1:
        raise ShapeError(f"interval: wanted a level between 0 and 1, such as 0.95; got {level}")
    return float(ndtri((1 + level) / 2))
