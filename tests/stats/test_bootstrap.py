"""The paired bootstrap against what is known of the mean, and its corner cases."""

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.bootstrap import paired_bootstrap
from gatelab.stats.measures import FORMULAS, value


def _pair(n=400, seed=3):
    random = np.random.default_rng(seed)
    base = random.normal(5, 2, n)
    steps = np.ones(n)
    return np.stack([base + random.normal(0.1, 0.5, n), steps], 1), np.stack([base, steps], 1)


def test_the_interval_is_that_of_the_paired_mean():
    first, second = _pair()
    found = paired_bootstrap(first, second)
    gaps = first[:, 0] - second[:, 0]
    half = 1.96 * gaps.std(ddof=1) / np.sqrt(len(gaps))
    assert found.difference == pytest.approx(gaps.mean())
    assert found.low == pytest.approx(gaps.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(gaps.mean() + half, abs=0.15 * half)
    assert found.n == 400


def test_pairs_matter():
    """The same numbers in another order are as unsure as two unrelated samples."""
    first, second = _pair()
    paired, torn = paired_bootstrap(first, second), paired_bootstrap(first, second[::-1])
    assert torn.high - torn.low > 3 * (paired.high - paired.low)


def test_blocks_know_that_windows_overlap():
    """Means of 20 neighbours: the interval from single windows is far too narrow, that from blocks is not."""
    held = {1: 0, 20: 0}
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 1, 600 + 19)
        gaps = np.convolve(noise, np.ones(20) / 20, "valid")
        first = np.stack([5 + gaps, np.ones(600)], 1)
        second = np.stack([np.full(600, 5.0), np.ones(600)], 1)
        for block in held:
            held[block] += paired_bootstrap(first, second, draws=400, block=block).holds(0)
    assert held[1] < 35
    assert held[20] > 48


def test_blocks_of_which_there_is_one_are_refused():
    first, second = _pair(39)
    with pytest.raises(ShapeError, match="same 40 or more"):
        paired_bootstrap(first, second, block=20)


def test_is_the_same_every_time_and_in_pieces(monkeypatch):
    first, second = _pair(50)
    whole = paired_bootstrap(first, second, "exp", draws=300)
    assert whole == paired_bootstrap(first, second, "exp", draws=300)
    monkeypatch.setattr("gatelab.stats.bootstrap.BLOCK", 50 * 7)
    assert whole == paired_bootstrap(first, second, "exp", draws=300)


def test_equal_networks_tie():
    first, _ = _pair()
    found = paired_bootstrap(first, first)
    assert (found.difference, found.low, found.high, found.below) == (0, 0, 0, 0.5)
    assert found.holds(0)


@pytest.mark.parametrize("formula", sorted(FORMULAS))
def test_every_formula_takes_many_sums_at_once(formula):
    width = {"bleu": 10, "f1": 3}.get(formula, 2)
    sums = np.random.default_rng(0).integers(1, 50, (6, width)).astype(float)
    sums[:, -1] += 100
    together = FORMULAS[formula](sums)
    assert together.shape == (6,)
    assert together == pytest.approx([value(formula, row) for row in sums])


def test_refuses_what_does_not_belong_together():
    first, second = _pair(5)
    for a, b in ((first, second[:4]), (first[:1], second[:1]), (first[:, 0], second[:, 0])):
        with pytest.raises(ShapeError, match="two networks on the same"):
            paired_bootstrap(a, b)
