import math

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ShapeError
from gatelab.stats.pairs import Pairs
from gatelab.stats.power import power_of_pairs, trials_needed
from gatelab.stats.trials import Sample


def _pilot(n=150, shift=0.0, lower=True, noise=0.3):
    random = np.random.default_rng(0)
    settings, both = random.gamma(2, size=n), []
    for moved in (shift, 0.0):
        test = settings + moved + random.normal(0, noise, n)
        sign = 1 if lower else -1
        both.append(Sample("a", sign * test, sign * test, lower=lower))
    return Pairs.of(*both)


def test_power_of_pairs_is_that_of_the_paired_t_test():
    """All trials chosen, noise normal: pairs differ by normal numbers, for which the t-test is known."""
    pilot = _pilot(2000)
    sd = 0.3 * math.sqrt(2)
    for trials, difference in ((30, 0.2), (60, 0.1)):
        edge = stats.t.ppf(0.975, trials - 1)
        center = difference / sd * math.sqrt(trials)
        wanted = stats.nct.sf(edge, trials - 1, center) + stats.nct.cdf(-edge, trials - 1, center)
        found = power_of_pairs(pilot, difference, trials, share=1.0, studies=300)
        assert found.power.value == pytest.approx(wanted, abs=0.09)
        assert found.power.n == 300


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_no_difference_is_shown_at_the_level(shift):
    """Whatever the pilot's own difference is."""
    found = power_of_pairs(_pilot(shift=shift), 0.0, 60, studies=200)
    assert found.power.low <= 0.05 <= found.power.high + 0.01


def test_power_grows_with_trials_and_difference_and_falls_with_the_family():
    pilot = _pilot()
    power = [power_of_pairs(pilot, 0.2, n, studies=80).power.value for n in (20, 80, 320)]
    assert power == sorted(power)
    assert power[-1] - power[0] > 0.2
    large = power_of_pairs(pilot, 0.6, 80, studies=60)
    assert large.power.value > power[1]
    assert power_of_pairs(pilot, 0.6, 80, studies=60, family=8).power.value < large.power.value


def test_either_sign_and_direction():
    for lower in (True, False):
        pilot = _pilot(lower=lower)
        for difference in (0.4, -0.4):
            assert power_of_pairs(pilot, difference, 100, studies=60).power.value > 0.6


def test_trials_needed():
    pilot = _pilot(2000)
    trials, tried = trials_needed(pilot, 0.1, share=1.0, studies=150, most=500)
    wanted = next(
        n for n in range(5, 500)
        if stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, 0.1 / (0.3 * math.sqrt(2)) * math.sqrt(n)) > 0.8
    )  # fmt: skip
    assert 0.7 < trials / wanted < 1.4
    assert [p.trials for p in tried] == sorted(p.trials for p in tried)
    assert next(p for p in tried if p.trials == trials).power.value >= 0.8


def test_more_than_can_be_tried():
    trials, tried = trials_needed(_pilot(), 0.001, studies=20, most=40)
    assert trials is None
    assert tried[-1].trials == 40


def test_refusals():
    with pytest.raises(ShapeError, match="1 trials"):
        power_of_pairs(_pilot(), 0.1, 1)
