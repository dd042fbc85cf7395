"""The test of swapped pairs against a plain one, scipy's where all trials are chosen, and its own level."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ShapeError
from gatelab.stats.pairs import Pairs
from gatelab.stats.permutation import swap_test
from gatelab.stats.proportion import wilson
from gatelab.stats.trials import Sample

NAN = float("nan")


def _pairs(random, n, shift=0.0, missing=0.0, ties=False):
    settings = random.gamma(2, size=n)
    both = []
    for moved in (shift, 0.0):
        valid = settings + moved + 0.3 * random.standard_t(2, n)
        test = valid + random.normal(0, 0.2, n)
        if ties:
            valid, test = valid.round(), test.round()
        valid[random.random(n) < missing] = NAN
        both.append(Sample("a", valid, test))
    return Pairs.of(*both)


def _plain(pairs, share, swaps):
    """The procedure as it is said, one way to swap after the other."""
    places = np.arange(len(pairs))

    def difference(swap):
        side = np.array(swap)
        means = []
        for cell in (side, 1 - side):
            order = sorted(places, key=lambda i: (pairs.badness[cell[i], i], i))
            means.append(np.mean([pairs.test[cell[i], i] for i in order[: pairs.count(share)]]))
        return means[0] - means[1]

    found = difference([0] * len(pairs))
    return found, np.mean([abs(difference(s)) >= abs(found) - 1e-9 for s in swaps])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.4, 0.9])
def test_is_the_plain_procedure_over_all_ways_to_swap(missing, ties):
    random = np.random.default_rng(5)
    for n, share in ((2, 0.1), (6, 0.5), (8, 0.3), (9, 1.0)):
        pairs = _pairs(random, n, 0.5, missing, ties)
        if not pairs.comparable:
            continue
        difference, p = _plain(pairs, share, product((0, 1), repeat=n))
        found = swap_test(pairs, share)
        assert (found.difference, found.p) == pytest.approx((difference, p))
        assert (found.swaps, found.pairs) == (2**n, n)


def test_all_trials_chosen_is_scipys_test_of_paired_samples():
    pairs = _pairs(np.random.default_rng(1), 12, 0.2)
    wanted = stats.permutation_test(
        tuple(pairs.test),
        lambda a, b: np.mean(a) - np.mean(b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    found = swap_test(pairs, 1.0)
    assert (found.difference, found.p) == pytest.approx((wanted.statistic, wanted.pvalue))


def test_darwins_maize():
    """Fisher 1935, section 21: 1,726 of 32,768 ways give a difference as large; all trials count there."""
    crossed = [188, 96, 168, 176, 153, 172, 177, 163, 146, 173, 186, 168, 177, 184, 96]
    selfed = [139, 163, 160, 160, 147, 149, 149, 122, 132, 144, 130, 144, 102, 124, 144]
    pairs = Pairs.of(Sample("crossed", crossed, crossed), Sample("selfed", selfed, selfed))
    found = swap_test(pairs, 1.0, permutations=32768)
    assert found.difference * 15 == pytest.approx(314)
    assert found.p * 32768 == pytest.approx(1726)
    drawn = swap_test(pairs, 1.0, permutations=9999)
    assert drawn.p == pytest.approx(found.p, abs=0.007)
    assert drawn.p * 10000 == pytest.approx(round(drawn.p * 10000))


def test_same_every_time_and_in_pieces(monkeypatch):
    pairs = _pairs(np.random.default_rng(2), 60, 0.1)
    whole = swap_test(pairs, permutations=500, seed=4)
    assert whole == swap_test(pairs, permutations=500, seed=4)
    monkeypatch.setattr("gatelab.stats.permutation.BLOCK", 1 << 12)
    assert whole.p == pytest.approx(swap_test(pairs, permutations=500, seed=5).p, abs=0.1)
    assert whole == swap_test(pairs, permutations=500, seed=4)


def test_the_first_places_are_enough_or_are_not():
    """One cell's trials are all better: the first 4 k + 40 places alone do not hold the other's."""
    random = np.random.default_rng(3)
    good, bad = random.random(200), 10 + random.random(200)
    pairs = Pairs.of(Sample("a", good, good), Sample("b", bad, bad))
    found = swap_test(pairs, permutations=99)
    assert found.difference == pytest.approx(np.sort(good)[:20].mean() - np.sort(bad)[:20].mean())
    assert found.p == 0.01


def test_a_cell_that_diverges_is_worse():
    random = np.random.default_rng(4)
    loss = random.random(100)
    mostly = np.where(random.random(100) < 0.97, NAN, loss)
    found = swap_test(Pairs.of(Sample("a", mostly, loss), Sample("b", loss, loss)), permutations=999)
    assert found.difference > 0.5
    assert found.p <= 0.01


def test_one_cell_under_two_names():
    same = Sample("a", *np.random.default_rng(0).random((2, 50)))
    assert swap_test(Pairs.of(same, same), permutations=99).p == 1


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_holds_its_level(missing):
    random = np.random.default_rng(7)
    wrong = sum(
        swap_test(_pairs(random, 50, 0, missing), permutations=199, seed=i).p <= 0.05 for i in range(800)
    )
    assert wilson(wrong, 800, 0.999).holds(0.05)


def test_refusals():
    pairs = _pairs(np.random.default_rng(0), 5)
    empty = Sample("a", [NAN] * 3, [NAN] * 3)
    with pytest.raises(ShapeError, match="permutation at least"):
        swap_test(pairs, permutations=0)
    with pytest.raises(ShapeError, match="6 of 6 trials without"):
        swap_test(Pairs.of(empty, empty))
    with pytest.raises(ShapeError, match="wanted a share"):
        swap_test(pairs, 1.5)
