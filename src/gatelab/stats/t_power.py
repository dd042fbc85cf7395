"""Power of the t-test of two independent samples, and how many numbers show an effect."""

from __future__ import annotations

import math

from scipy.special import nctdtr, stdtrit

from gatelab.errors import ShapeError


def t_power(effect: float, n: int, m: int | None = None, level: float = 0.05) -> float:
    """Return the power of the two-sided t-test of two samples of n and m numbers, n and n if m is not given.

    P(|T| > t) with T of the noncentral t distribution with n + m − 2 degrees of freedom and noncentrality
    d √(nm / (n + m)), t the 1 − level / 2 quantile of Student's t.

    Parameters
    ----------
    effect
        Cohen's d: the difference in standard deviations.

    Raises
    ------
    ShapeError
        There are fewer than two numbers in a sample, or the level is no probability.

    Examples
    --------
    >>> from gatelab.stats.t_power import t_power
    >>> round(t_power(0.5, 64), 3)
    0.801

    Notes
    -----
    J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition, 1988, chapter 2.
    """
    m = n if m is None else m
    if min(n, m) < 2 or not 0 < level < 1:
        raise ShapeError(
            f"power: wanted two numbers or more and a level within 0 and 1, got {n}, {m}, {level}"
        )
    freedom, center = n + m - 2, abs(effect) * math.sqrt(n * m / (n + m))
    edge = float(stdtrit(freedom, 1 - level / 2))
    return float(1 - nctdtr(freedom, center, edge) + nctdtr(freedom, center, -edge))


def t_trials(effect: float, power: float = 0.8, level: float = 0.05) -> int:
    """Return how many numbers in each of two samples show an effect with this power by the t-test.

    Raises
    ------
    ShapeError
        The effect is 0, or the power is not above the level and below 1.

    Examples
    --------
    >>> from gatelab.stats.t_power import t_trials
    >>> t_trials(0.2), t_trials(0.5), t_trials(0.8)
    (394, 64, 26)
    """
    if not effect or not level < power < 1:
        raise ShapeError(f"power: wanted an effect and a power from {level} to 1, got {effect} and {power}")
    high = 2
    while t_power(effect, high, level=level) < power:
        high *= 2
    low = max(2, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if t_power(effect, middle, level=level) >= power else (middle + 1, high)
    return high
