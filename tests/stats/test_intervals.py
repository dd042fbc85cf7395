import math

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ShapeError
from gatelab.stats import mean_interval, paired_difference


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_mean_interval_is_scipys(n, level):
    values = np.random.default_rng(n).normal(8.5, 0.1, n)
    low, high = stats.t.interval(level, n - 1, loc=values.mean(), scale=stats.sem(values))
    interval = mean_interval(values.tolist(), level)
    assert (interval.mean, interval.std) == pytest.approx((values.mean(), values.std(ddof=1)))
    assert (interval.low, interval.high) == pytest.approx((low, high))
    assert interval.half_width == pytest.approx((high - low) / 2)
    assert interval.n == n


def test_worked_example():
    """Student's own: ten differences of hours of sleep, mean 1.58, standard deviation 1.23."""
    gained = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    interval = mean_interval(gained)
    assert interval.mean == pytest.approx(1.58)
    assert interval.low == pytest.approx(0.7001, abs=1e-4)
    assert interval.high == pytest.approx(2.4599, abs=1e-4)
    assert not interval.holds(0)


def test_one_value_has_no_interval():
    interval = mean_interval([8.5])
    assert interval.mean == 8.5
    assert all(math.isnan(v) for v in (interval.low, interval.high, interval.std))
    assert not interval.known
    assert interval.holds(0)


def test_equal_values_have_no_width():
    interval = mean_interval([8.5, 8.5, 8.5])
    assert (interval.low, interval.high, interval.half_width) == (8.5, 8.5, 0.0)
    assert not interval.holds(8.6)


def test_paired_difference_is_scipys():
    draw = np.random.default_rng(0)
    a, b = draw.normal(9, 1, 6), draw.normal(8.5, 1, 6)
    wanted = stats.ttest_rel(a, b).confidence_interval(0.9)
    difference = paired_difference(a.tolist(), b.tolist(), 0.9)
    assert (difference.low, difference.high) == pytest.approx((wanted.low, wanted.high))
    assert difference.mean == pytest.approx((a - b).mean())


@pytest.mark.parametrize("call", [
    lambda: mean_interval([]),
    lambda: mean_interval([1.0, 2.0], level=1.0),
    lambda: mean_interval([1.0, 2.0], level=0.0),
    lambda: paired_difference([1.0], [1.0, 2.0]),
    lambda: paired_difference([], []),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(ShapeError, match="wanted"):
        call()
