"""Two samples of numbers compared: Welch's t-test and Mann–Whitney's U test.

The tests suppose that all numbers are independent. The best trials of two cells that drew the same settings
are not, and they are chosen, too; :mod:`gatelab.stats.permutation` has the test for them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit  # not scipy.stats, which takes a second to be read

from gatelab.errors import ShapeError
from gatelab.stats.proportion import quantile

Floats = NDArray[np.float64]
EXACT = 60
"""Numbers in both samples together up to which U's distribution is counted out, if no two are equal."""


@dataclass(frozen=True)
class Welch:
    """Welch's t-test: the difference of two means.

    Attributes
    ----------
    difference
        Mean of the first minus mean of the second; ``low`` and ``high`` are the ends of its interval.
    t, freedom, p
        The statistic, its degrees of freedom, and the two-sided p value.
    n
        Numbers in the first and in the second sample.
    """

    difference: float
    low: float
    high: float
    t: float
    freedom: float
    p: float
    n: tuple[int, int]


@dataclass(frozen=True)
class MannWhitney:
    """Mann–Whitney's U test: is a number of the first sample as likely above one of the second as below?

    Attributes
    ----------
    above
        Share of the pairs of a number of either sample in which the first's is higher; equal ones count half.
        ``low`` and ``high`` are the ends of its interval.
    u, p
        The number of these pairs, and the two-sided p value.
    n
        Numbers in the first and in the second sample.
    """

    above: float
    low: float
    high: float
    u: float
    p: float
    n: tuple[int, int]


def welch(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Welch:
    """Return Welch's t-test of two samples whose spreads may differ.

    t = (x̄ − ȳ) / √(s²/n + r²/m), with (s²/n + r²/m)² / ((s²/n)²/(n − 1) + (r²/m)²/(m − 1)) degrees of
    freedom.

    Parameters
    ----------
    first, second
        ``[n]`` and ``[m]`` finite numbers, two or more each.
    level
        Of the difference's interval.

    Raises
    ------
    ShapeError
        A sample has fewer than two numbers, or one that is not finite.

    Examples
    --------
    >>> from gatelab.stats.two_samples import welch
    >>> found = welch([8.5, 8.6, 8.7], [8.9, 9.2, 9.1, 9.2])
    >>> f"{found.difference:.2f} [{found.low:.2f}, {found.high:.2f}], p = {found.p:.4f}"
    '-0.50 [-0.73, -0.27], p = 0.0028'

    Notes
    -----
    B. L. Welch, "The generalization of 'Student's' problem when several different population variances are
    involved", Biometrika 34, 1947.
    """
    a, b = numbers(first, 2), numbers(second, 2)
    of_a, of_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    difference, error = float(a.mean() - b.mean()), math.sqrt(of_a + of_b)
    n = (len(a), len(b))
    quantile(level)  # a level that is none is refused
    if error == 0:  # without any spread, every difference is sure
        t = math.copysign(math.inf, difference) if difference else 0.0
        return Welch(difference, difference, difference, t, math.nan, 1.0 if difference == 0 else 0.0, n)
    of_a, of_b = of_a / error**2, of_b / error**2  # as shares, so that small numbers are not lost in squares
    freedom = float(1 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1)))
    t = difference / error
    reach = float(stdtrit(freedom, (1 + level) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(t)))
    return Welch(difference, difference - reach, difference + reach, t, freedom, p, n)


def mann_whitney(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> MannWhitney:
    """Return Mann–Whitney's U test of two samples, and the probability of superiority with its interval.

    p is exact up to 60 numbers of which no two are equal, else from the normal distribution, with corrections
    for ties and for continuity. The interval is Newcombe's method 5: all θ, N = (n + m)/2 − 1, with
    (θ̂ − θ)² ≤ z² θ(1 − θ) (1 + N ((1 − θ)/(2 − θ) + θ/(1 + θ))) / nm. It is sound where one sample is all
    above the other, too.

    Parameters
    ----------
    first, second
        ``[n]`` and ``[m]`` finite numbers.
    level
        Of the interval.

    Raises
    ------
    ShapeError
        A sample is empty or holds a number that is not finite.

    Examples
    --------
    >>> from gatelab.stats.two_samples import mann_whitney
    >>> found = mann_whitney([8.5, 8.6, 8.95], [8.9, 9.2, 9.1, 9.3])
    >>> found.u, round(found.above, 3), round(found.p, 4)
    (1.0, 0.083, 0.1143)

    Notes
    -----
    H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", Annals of Mathematical Statistics 18, 1947; R. G. Newcombe, "Confidence intervals for an
    effect size measure based on the Mann–Whitney statistic. Part 2", Statistics in Medicine 25, 2006.
    """
    a, b = numbers(first, 1), numbers(second, 1)
    n, m = len(a), len(b)
    ranks, untied = midranks(np.concatenate([a, b]))
    u = float(ranks[:n].sum() - n * (n + 1) / 2)
    low, high = _superiority(u / (n * m), n, m, quantile(level))
    if untied == 1 and n + m <= EXACT:
        counts = _counts_of_u(n, m)
        tail = counts[: int(min(u, n * m - u)) + 1].sum() / counts.sum()
        p = min(1.0, 2 * float(tail))
    else:
        spread = math.sqrt(untied * n * m * (n + m + 1) / 12)
        beyond = max(0.0, abs(u - n * m / 2) - 0.5)
        p = 2 * float(ndtr(-beyond / spread)) if spread else 1.0
    return MannWhitney(u / (n * m), low, high, u, p, (n, m))


def numbers(values: ArrayLike, least: int) -> Floats:
    """Return a sample as an array ``[n]``, of which so many numbers are wanted at least.

    Raises
    ------
    ShapeError
        There are fewer, or one that is not finite.
    """
    sample = np.asarray(values, np.float64)
    if sample.ndim != 1 or len(sample) < least or not np.isfinite(sample).all():
        raise ShapeError(f"two samples: wanted {least} or more finite numbers in each, got {sample!r:.80}")
    return sample


def midranks(values: ArrayLike) -> tuple[Floats, float]:
    """Return the ranks of numbers from 1, equal ones with the mean of theirs, and how untied they are.

    The second is 1 − Σ (t³ − t) / (N³ − N) over groups of t equal numbers: what ranks keep of their variance.

    Examples
    --------
    >>> midranks([8.6, 8.5, 8.6])
    (array([2.5, 1. , 2.5]), 0.75)
    """
    _, group, size = np.unique(np.asarray(values, np.float64), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(size) - (size - 1) / 2)[group]
    n, tied = float(size.sum()), size.astype(np.float64)
    return ranks, 1.0 - float((tied**3 - tied).sum() / (n**3 - n)) if n > 1 else 1.0


def _counts_of_u(n: int, m: int) -> NDArray[np.int64]:
    """Return for U = 0 … nm how many orders of n and m numbers give it: Gauss's binomial coefficients."""
    counts = np.zeros(n * m + 1, np.int64)
    counts[0] = 1
    for k in range(1, n + 1):  # times (1 − q^(m + k)) / (1 − q^k)
        taken = counts.copy()
        taken[m + k :] -= counts[: max(0, len(counts) - m - k)]
        for start in range(k):
            taken[start::k] = np.cumsum(taken[start::k])
        counts = taken
    return counts


def _superiority(share: float, n: int, m: int, z: float) -> tuple[float, float]:
    extra = (n + m) / 2 - 1

    def rejected(theta: float) -> bool:
        variance = theta * (1 - theta) * (1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        return (share - theta) ** 2 > z * z * variance / (n * m)

    return _edge(rejected, 0.0, share), _edge(rejected, 1.0, share)


def _edge(rejected: Callable[[float], bool], outside: float, inside: float) -> float:
    """Return where rejection ends between two points, by halving."""
    if outside == inside:
        return inside
    for _ in range(60):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if rejected(middle) else (outside, middle)
    return inside
