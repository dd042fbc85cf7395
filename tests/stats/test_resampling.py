import math

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.effect import hedges_g
from gatelab.stats.pairs import Pairs
from gatelab.stats.resampling import best_trials, expanded, interval
from gatelab.stats.trials import Sample
from gatelab.stats.two_samples import mann_whitney

NAN = float("nan")


def _pairs(random, n, shift=0.1, missing=0.0):
    settings, both = 8 + random.gamma(2, size=n), []
    for moved in (shift, 0.0):
        test = settings + moved + random.normal(0, 0.3, n)
        valid = test + random.normal(0, 0.1, n)
        valid[random.random(n) < missing] = NAN
        both.append(Sample("a", valid, test))
    return Pairs.of(*both)


@pytest.mark.parametrize("missing", [0.0, 0.5])
def test_numbers_are_those_of_the_best_trials(missing):
    pairs = _pairs(np.random.default_rng(1), 60, missing=missing)
    a, b = pairs.best(0.2)
    found = best_trials(pairs, 0.2, draws=50)
    assert found.means == pytest.approx((a.mean(), b.mean()))
    assert found.difference.value == found.narrow.value == pytest.approx(a.mean() - b.mean())
    assert found.effect.value == pytest.approx(hedges_g(a, b))
    assert found.above.value == pytest.approx(mann_whitney(a, b).above)


def test_draws_are_those_of_resampled_pairs():
    """A draw weighs what the plain procedure gives for the pairs that were drawn."""
    pairs, seed = _pairs(np.random.default_rng(2), 20, missing=0.2), 3
    found = best_trials(pairs, 0.3, draws=1, seed=seed)
    counts = np.random.default_rng(seed).multinomial(20, np.full(20, 1 / 20))
    at = np.repeat(np.arange(20), counts)
    a, b = (pairs.test[c, at][np.argsort(pairs.badness[c, at], kind="stable")[:6]] for c in (0, 1))
    assert found.difference.low == found.difference.high == pytest.approx(a.mean() - b.mean())
    assert found.effect.low == pytest.approx(hedges_g(a, b))
    assert found.above.low == pytest.approx(mann_whitney(a, b).above)


@pytest.mark.parametrize("n", [20, 100])
def test_intervals_hold_what_is_true(n):
    """Also of 20 trials, of which two are the best."""
    random = np.random.default_rng(3)
    true = np.mean([np.subtract(*(b.mean() for b in _pairs(random, n).best(0.1))) for _ in range(2000)])
    held = sum(best_trials(_pairs(random, n), draws=300).difference.holds(true) for _ in range(200))
    assert 0.91 < held / 200 <= 0.995


def test_expanded_intervals_of_normal_numbers_are_students():
    """Percentiles of a normal bootstrap: mean ± z' s √((k − 1)/k) is mean ± t s."""
    from scipy import stats

    for k in (2, 5, 40):
        z = stats.norm.ppf((1 + expanded(0.95, k)) / 2)
        assert z * np.sqrt((k - 1) / k) == pytest.approx(stats.t.ppf(0.975, 2 * k - 2))


def test_narrow_is_at_twice_the_error():
    pairs = _pairs(np.random.default_rng(4), 100)
    assert best_trials(pairs).narrow == best_trials(pairs, level=0.9).difference


def test_without_spread():
    flat = Pairs.of(Sample("a", [1.0, 2, 3], [2.0, 2, 2]), Sample("b", [1.0, 2, 3], [1.0, 1, 1]))
    found = best_trials(flat, draws=20)
    assert found.effect.value == found.effect.low == math.inf
    assert (found.difference.low, found.difference.high, found.above.low) == (1, 1, 1)
    same = Sample("a", *np.random.default_rng(0).random((2, 9)))
    found = best_trials(Pairs.of(same, same), draws=20)
    assert found.difference.low == found.difference.high == found.effect.value == 0


def test_percentiles():
    drawn = np.arange(1000.0)
    found = interval(np.random.default_rng(0).permutation(drawn), 500, 0.9)
    assert (found.low, found.high) == (49, 949)
    assert found.holds(100)
    assert math.isnan(interval(np.array([NAN]), 1.0, 0.9).low)


def test_refusals():
    pairs = _pairs(np.random.default_rng(0), 4)
    with pytest.raises(ShapeError, match="wanted two pairs"):
        best_trials(pairs, level=1.0)
    with pytest.raises(ShapeError, match="wanted two pairs"):
        best_trials(_pairs(np.random.default_rng(0), 1))
