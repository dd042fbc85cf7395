"""How large a difference of two means is, in standard deviations."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike
from scipy.special import gammaln

from gatelab.stats.two_samples import numbers


def cohens_d(first: ArrayLike, second: ArrayLike) -> float:
    """Return the difference of two means in standard deviations, those of both samples pooled.

    Raises
    ------
    ShapeError
        A sample has fewer than two numbers, or one that is not finite.

    Examples
    --------
    >>> from gatelab.stats.effect import cohens_d
    >>> cohens_d([2, 4, 6], [1, 3, 5])
    0.5

    Notes
    -----
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, 2.5.
    """
    a, b = numbers(first, 2), numbers(second, 2)
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2)
    return standardized(float(a.mean() - b.mean()), float(pooled))


def hedges_g(first: ArrayLike, second: ArrayLike) -> float:
    """Return Cohen's d without its bias in small samples: d Γ(k/2) / (√(k/2) Γ((k − 1)/2)), k = n + m − 2.

    Raises
    ------
    ShapeError
        A sample has fewer than two numbers, or one that is not finite.

    Examples
    --------
    >>> from gatelab.stats.effect import hedges_g
    >>> round(hedges_g([2, 4, 6], [1, 3, 5]), 4)
    0.3989

    Notes
    -----
    L. V. Hedges, "Distribution theory for Glass's estimator of effect size and related estimators", Journal
    of Educational Statistics 6, 1981.
    """
    d = cohens_d(first, second)
    return d * unbiased(len(numbers(first, 2)) + len(numbers(second, 2)) - 2)


def standardized(difference: float, variance: float) -> float:
    """Return a difference in standard deviations; infinite where there is a difference but no spread."""
    if variance > 0:
        return difference / math.sqrt(variance)
    return math.copysign(math.inf, difference) if difference else 0.0


def unbiased(freedom: int) -> float:
    """Return Hedges' correction of Cohen's d, below 1, for this many degrees of freedom."""
    half = freedom / 2
    return math.exp(gammaln(half) - gammaln(half - 0.5)) / math.sqrt(half)
