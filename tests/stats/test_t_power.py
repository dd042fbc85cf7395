import pytest

from gatelab.errors import ShapeError
from gatelab.stats.t_power import t_power, t_trials


@pytest.mark.parametrize(
    ("effect", "n", "m", "level", "wanted"),
    [
        (0.5, 64, 64, 0.05, 0.8014595579222542),
        (0.8, 20, 20, 0.01, 0.43797260451926584),
        (0.3, 30, 60, 0.05, 0.2638909497649804),
        (1.5, 4, 4, 0.05, 0.42999755618003055),
    ],
)
def test_power_of_the_t_test_is_statsmodels(effect, n, m, level, wanted):
    """TTestIndPower().power of statsmodels 0.15."""
    assert t_power(effect, n, m, level) == pytest.approx(wanted, rel=1e-9)
    assert t_power(-effect, m, n, level) == pytest.approx(wanted, rel=1e-9)


def test_published_numbers_of_cases():
    """Cohen 1992, "A power primer", table 2: power 0.80, three effects at three levels."""
    for level, wanted in ((0.01, (586, 95, 38)), (0.05, (393, 64, 26)), (0.10, (310, 50, 20))):
        found = [t_trials(d, level=level) for d in (0.2, 0.5, 0.8)]
        assert found == pytest.approx(wanted, abs=1)
    assert t_trials(0.5, 0.9, 0.01) == 121  # statsmodels: 120.7
    assert t_trials(5) == 3
    assert t_power(5, 3) >= 0.8 > t_power(5, 2)


def test_no_effect_is_shown_at_the_level():
    assert t_power(0, 20) == pytest.approx(0.05)


def test_refusals():
    with pytest.raises(ShapeError, match="wanted an effect"):
        t_trials(0.0)
    with pytest.raises(ShapeError, match="wanted two numbers"):
        t_power(0.5, 1)
