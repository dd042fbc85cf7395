"""Measures of forecasts against numerical integration of their definitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, stats

from gatelab.errors import ShapeError
from gatelab.stats import forecast as measures
from gatelab.stats.forecast import (
    crps_gaussian,
    crps_quantiles,
    crps_student,
    pinball,
    seasonal_scale,
)
from gatelab.stats.seasonal import SeasonalNaive


def integral(distribution: Callable[[float], float], y: float) -> float:
    """Return the CRPS by its definition, ∫ (F(x) − 1{x ≥ y})² dx."""
    below, _ = integrate.quad(lambda x: distribution(x) ** 2, -np.inf, y, epsabs=1e-11)
    above, _ = integrate.quad(lambda x: (1 - distribution(x)) ** 2, y, np.inf, epsabs=1e-11)
    return below + above


@pytest.mark.parametrize("y", [-7.5, -0.3, 1.2, 4.0])
@pytest.mark.parametrize(("mean", "scale"), [(0.5, 0.8), (-2.0, 3.0)])
def test_crps_of_a_normal_distribution(y: float, mean: float, scale: float) -> None:
    wanted = integral(lambda x: stats.norm.cdf(x, mean, scale), y)
    assert crps_gaussian(y, mean, scale) == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("y", [-7.5, -0.3, 1.2, 4.0])
@pytest.mark.parametrize(("freedom", "place", "scale"), [(1.7, 0.5, 0.8), (3, -2.0, 3.0), (30, 0.1, 1.5)])
def test_crps_of_students_distribution(y: float, freedom: float, place: float, scale: float) -> None:
    wanted = integral(lambda x: stats.t.cdf(x, freedom, place, scale), y)
    assert crps_student(y, place, scale, freedom) == pytest.approx(wanted, rel=1e-6)


def test_students_distribution_becomes_normal() -> None:
    y = np.linspace(-3, 3, 7)
    assert crps_student(y, 0.2, 1.3, 1e7) == pytest.approx(crps_gaussian(y, 0.2, 1.3), rel=1e-6)


def test_crps_of_quantiles_approaches_the_integral() -> None:
    y = np.array([-1.5, 0.4, 2.0])
    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = np.tile(stats.norm.ppf(levels, 0.5, 0.8), (3, 1))
    assert crps_quantiles(y, quantiles, levels) == pytest.approx(crps_gaussian(y, 0.5, 0.8), rel=1e-3)
    assert crps_quantiles(1.0, [3.0], [0.5]) == pytest.approx(2.0)  # of a point, the absolute error


def test_pinball_is_least_at_the_true_quantile() -> None:
    y = np.random.default_rng(1).normal(size=50_000)
    tries = np.linspace(-1, 2, 61)
    means = [pinball(y, np.full((len(y), 1), q), [0.8]).mean() for q in tries]
    assert tries[int(np.argmin(means))] == pytest.approx(stats.norm.ppf(0.8), abs=0.06)
    assert pinball(1.0, [3.0], [0.3])[0] == pytest.approx(0.7 * 2)
    assert pinball(3.0, [1.0], [0.3])[0] == pytest.approx(0.3 * 2)


def test_seasonal_naive_is_that_of_the_definition() -> None:
    draw = np.random.default_rng(4)
    series = draw.normal(size=200)
    naive = SeasonalNaive.fit(series, 7)
    contexts = draw.normal(size=(4, 20))
    mean, std = naive.forecast(contexts, 16)
    for h in range(16):
        back = h // 7 + 1
        assert np.array_equal(mean[:, h], contexts[:, 20 + h - 7 * back] if h < 7 else mean[:, h - 7])
        assert std[h] == pytest.approx(np.sqrt(np.mean((series[7:] - series[:-7]) ** 2)) * back**0.5)
    actual = draw.normal(size=(4, 16))
    assert naive.crps(contexts, actual) == pytest.approx(crps_gaussian(actual, mean, std))


@pytest.mark.parametrize("call", [
    lambda: seasonal_scale([1.0, 2.0], 2),
    lambda: seasonal_scale([1.0, 2.0, 1.0, 2.0], 2),
    lambda: pinball([1.0], [[1.0, 2.0]], [0.5, 1.0]),
    lambda: pinball([1.0], [[1.0, 2.0]], [0.9, 0.1]),
    lambda: pinball([1.0], [[1.0, 2.0]], [0.9]),
    lambda: crps_gaussian(1.0, 0.5, 0.0),
    lambda: measures.crps_student(1.0, 0.5, 1.0, 1.0),
    lambda: SeasonalNaive.fit([1.0, 2.0], 2),
    lambda: SeasonalNaive.fit([1.0, 2.0, 1.0, 2.0], 2),
    lambda: SeasonalNaive(7, 1.5).forecast([1.0, 2.0], 3),
])  # fmt: skip
def test_refusals(call: Callable[[], object]) -> None:
    with pytest.raises(ShapeError, match=r"wanted|repeats itself"):
        call()
