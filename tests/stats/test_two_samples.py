"""Against scipy, statsmodels' numbers and published examples."""

import math

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ShapeError
from gatelab.stats.effect import cohens_d, hedges_g
from gatelab.stats.two_samples import mann_whitney, midranks, welch

EXTRA = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
OTHER = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def _samples(seed, ties=False):
    random = np.random.default_rng(seed)
    n, m = random.integers(2, 40, 2)
    a, b = random.normal(0.3, 2, n), random.normal(0, 1, m)
    return (a.round(), b.round()) if ties else (a, b)


def test_welch_on_students_data():
    """Hours of sleep gained by two drugs (Student 1908), as R's t.test(extra ~ group, sleep) prints it."""
    found = welch(EXTRA, OTHER)
    assert (found.t, found.freedom, found.p) == pytest.approx((-1.8608, 17.776, 0.07939), rel=1e-4)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)
    assert found.n == (10, 10)


@pytest.mark.parametrize("seed", range(5))
def test_welch_is_scipys(seed):
    a, b = _samples(seed)
    wanted = stats.ttest_ind(a, b, equal_var=False)
    interval = wanted.confidence_interval(0.9)
    found = welch(a, b, 0.9)
    assert (found.t, found.p, found.freedom) == pytest.approx((wanted.statistic, wanted.pvalue, wanted.df))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    swapped = welch(b, a, 0.9)
    assert (swapped.difference, swapped.low, swapped.p) == pytest.approx(
        (-found.difference, -found.high, found.p)
    )


def test_welch_without_spread():
    assert welch([1, 1], [1, 1]).p == 1
    apart = welch([2, 2], [1, 1])
    assert (apart.p, apart.low, apart.high, apart.t) == (0, 1, 1, math.inf)
    assert welch([1e-150, 2e-150], [1e-150, 3e-150]).p == pytest.approx(welch([1, 2], [1, 3]).p)


def test_mann_whitney_on_a_published_example():
    """Hollander and Wolfe 1973, page 69: the first example of R's wilcox.test for two samples."""
    depression = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    other = [1.15, 0.88, 0.90, 0.74, 1.21]
    found = mann_whitney(depression, other)
    assert found.u == 35
    assert found.p == pytest.approx(0.2544, abs=5e-5)  # R gives 0.1272 to one side


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ties", [False, True])
def test_mann_whitney_is_scipys(seed, ties):
    a, b = _samples(seed, ties)
    exact = not ties and len(a) + len(b) <= 60
    wanted = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
    found = mann_whitney(a, b)
    assert (found.u, found.p) == pytest.approx((wanted.statistic, wanted.pvalue))
    assert found.above == pytest.approx(np.mean(a[:, None] > b) + np.mean(a[:, None] == b) / 2)
    assert midranks(a)[0].tolist() == stats.rankdata(a).tolist()
    assert midranks(a)[1] == pytest.approx(stats.tiecorrect(stats.rankdata(a)))


def test_superiority_has_an_interval_where_samples_lie_apart():
    apart = mann_whitney(np.arange(20) + 100, np.arange(20))
    assert (apart.above, apart.high) == (1, 1)
    assert 0.8 < apart.low < 0.95
    below = mann_whitney(np.arange(20), np.arange(20) + 100)
    assert (below.above, below.low, below.high) == pytest.approx((0, 0, 1 - apart.low))
    assert mann_whitney([1, 1], [1, 1]).p == 1


def test_superiority_at_its_edges_solves_the_equation():
    """Hanley and McNeil's variance with n − 1 and m − 1 both replaced by their mean, at each end."""
    found = mann_whitney(EXTRA, OTHER)
    for theta in (found.low, found.high):
        q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
        variance = (theta * (1 - theta) + 9 * (q1 - theta**2) + 9 * (q2 - theta**2)) / 100
        assert abs(found.above - theta) == pytest.approx(stats.norm.ppf(0.975) * math.sqrt(variance))


def test_superiority_is_held_as_often_as_said():
    random = np.random.default_rng(2)
    true, held = stats.norm.cdf(1 / math.sqrt(2)), 0
    for _ in range(1000):
        found = mann_whitney(random.normal(1, 1, 20), random.normal(0, 1, 20))
        held += found.low <= true <= found.high
    assert 930 < held < 980


def test_effects_by_hand():
    a, b = _samples(3)
    pooled = math.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / (len(a) + len(b) - 2))
    d = cohens_d(a, b)
    assert d == pytest.approx((a.mean() - b.mean()) / pooled)
    assert d == pytest.approx(stats.ttest_ind(a, b).statistic * math.sqrt(1 / len(a) + 1 / len(b)))
    assert hedges_g(a, b) == pytest.approx(d * (1 - 3 / (4 * (len(a) + len(b)) - 9)), rel=2e-3)


def test_hedges_g_of_a_published_table():
    """c(m) for 2, 10, 20 and 50 degrees of freedom, as Hedges 1981 tabulates it."""
    for freedom, wanted in ((2, 0.5642), (10, 0.9228), (20, 0.9619), (50, 0.9849)):
        first, second = np.arange(freedom, dtype=float), np.array([0.0, 5.0])
        assert hedges_g(first, second) / cohens_d(first, second) == pytest.approx(wanted, abs=1e-4)


def test_effects_without_spread():
    assert cohens_d([1, 1], [1, 1]) == 0
    assert hedges_g([2, 2], [1, 1]) == math.inf


@pytest.mark.parametrize("call", [
    lambda: welch([1], [1, 2]),
    lambda: welch([1, math.nan], [1, 2]),
    lambda: welch([1, 2], [1, 2], level=0),
    lambda: mann_whitney([], [1, 2]),
    lambda: cohens_d([1, 2], [1]),
])  # fmt: skip
def test_refusals(call):
    with pytest.raises(ShapeError, match="wanted"):
        call()
