import math
from itertools import combinations, product

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.best_of_n import GRID, best_of_n, chances
from gatelab.stats.trials import Sample

NAN = float("nan")


@pytest.mark.parametrize("lower", [True, False])
def test_is_the_mean_over_all_ways_to_draw(lower):
    random = np.random.default_rng(0)
    valid, test = random.normal(size=(2, 7))
    sample = Sample("a", valid, test, lower=lower)
    for found in best_of_n(sample, draws=5):
        best = [
            max(c, key=lambda i: -valid[i] if lower else valid[i]) for c in combinations(range(7), found.n)
        ]
        assert found.valid.value == pytest.approx(valid[best].mean())
        assert found.test.value == pytest.approx(test[best].mean())
        assert found.trials == 7


def test_with_replacement_is_the_mean_over_all_words():
    """Dodge et al. 2019: the best of n draws from the empirical distribution."""
    values = np.array([0.1, 0.4, 0.5, 0.9])
    for n in (1, 2, 3):
        words = [min(w) for w in product(values, repeat=n)]
        assert values @ chances(4, n, replaced=True) == pytest.approx(np.mean(words))


@pytest.mark.parametrize("replaced", [True, False])
def test_chances_are_probabilities(replaced):
    for n in (1, 2, 17, 199, 200):
        found = chances(200, n, replaced)
        assert found.sum() == pytest.approx(1)
        assert (np.diff(found) <= 1e-15).all()
    assert chances(200, 1, replaced) == pytest.approx(1 / 200)
    if not replaced:
        assert chances(200, 200)[0] == 1
        assert chances(5, 3).tolist() == pytest.approx([math.comb(4 - i, 2) / 10 for i in range(5)])


def test_without_bias_where_putting_back_has_it():
    """The best of 20 uniform numbers is 1/21; from 30 trials at a time (Tang et al. 2020)."""
    random = np.random.default_rng(1)
    drawn = np.sort(random.random((20000, 30)), axis=1)
    fair, replaced = ((drawn @ chances(30, 20, r)).mean() for r in (False, True))
    assert fair == pytest.approx(1 / 21, abs=0.001)
    assert replaced > 1 / 21 + 0.005


def test_more_trials_find_better_ones():
    random = np.random.default_rng(2)
    sample = Sample("a", *random.normal(size=(2, 200)))
    found = best_of_n(sample, draws=100)
    assert [b.n for b in found] == list(GRID)
    valid = [b.valid.value for b in found]
    assert valid == sorted(valid, reverse=True)
    assert valid[0] == pytest.approx(sample.valid.mean())
    assert valid[-1] == sample.valid.min()
    assert found[-1].test.value == sample.test[sample.valid.argmin()]
    assert all(b.valid.low <= b.valid.value <= b.valid.high for b in found if b.n <= 40)
    assert all(math.isnan(b.valid.low) and math.isnan(b.test.high) for b in found if b.n > 40)
    assert repr(found) == repr(best_of_n(sample, draws=100))


def test_trials_without_a_result_are_worst():
    sample = Sample("a", [1.0, NAN, 3.0, NAN], [5.0, NAN, 4.0, NAN])
    one, all_of_them = best_of_n(sample, [1, 4], draws=5)
    assert (one.valid.value, one.test.value) == ((1 + 3 + 3 + 3) / 4, (5 + 5 + 4 + 5) / 4)
    assert (all_of_them.valid.value, all_of_them.test.value) == (1, 5)
    assert one.median.high == math.inf


def test_medians_intervals_are_those_of_order_statistics():
    """n = 1 is the median of the trials: 95 % of 10 lies between the 2nd and the 9th (Conover, table A3)."""
    values = np.arange(1.0, 11)
    (one,) = best_of_n(Sample("a", values, values), [1], draws=2)
    assert (one.median.value, one.median.low, one.median.high) == (5, 2, 9)
    (mirrored,) = best_of_n(Sample("a", -values, values, lower=False), [1], draws=2)
    assert (mirrored.median.low, mirrored.median.high) == (-9, -2)
    (most,) = best_of_n(Sample("a", values, values), [10], draws=2)
    assert most.median.low == -math.inf


@pytest.mark.parametrize("n", [1, 5, 20, 40])
def test_intervals_hold_what_is_true(n):
    random = np.random.default_rng(n)
    median, mean, held = -math.expm1(-math.log(2) / n), 1 / (n + 1), np.zeros(2)
    for _ in range(300):
        (found,) = best_of_n(Sample("a", *random.random((2, 40))), [n], draws=200)
        held += found.median.holds(median), found.valid.holds(mean)
    assert held[0] / 300 > 0.93
    if n <= 8:
        assert held[1] / 300 > 0.9


def test_refusals():
    sample = Sample("a", [1.0, 2.0], [1.0, 2.0])
    for grid in ([0], [3], []):
        with pytest.raises(ShapeError, match="from 1 to 2"):
            best_of_n(sample, grid)
    with pytest.raises(ShapeError, match="none of the 2 trials"):
        best_of_n(Sample("a", [NAN, NAN], [1, 1]))
    with pytest.raises(ShapeError, match="level"):
        best_of_n(sample, level=0)
