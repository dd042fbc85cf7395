import pytest

from gatelab.draw.scale import robust_domain


def test_all_values_lie_on_the_axis_where_none_is_far_off():
    domain = robust_domain([9.0, 8.5, 8.0], {})
    assert not domain.cut
    assert domain.holds(8.0)
    assert domain.holds(9.0)


def test_far_values_are_cut():
    domain = robust_domain([60.0, *[9.0, 8.8, 8.6, 8.4] * 5], {})
    assert domain.cut
    assert domain.highest == 60.0
    assert domain.high < 11


@pytest.mark.parametrize(("baseline", "held"), [(9.4, True), (40.0, False)])
def test_a_baseline_widens_the_axis_only_if_near(baseline, held):
    assert robust_domain([9.0, 8.8, 8.6, 8.4], {"b": baseline}).holds(baseline) is held


@pytest.mark.parametrize("values", [[], [8.5], [0.0, 0.0], [-1.0, -2.0]])
def test_the_axis_has_a_length(values):
    domain = robust_domain(values, {})
    assert domain.low < domain.high
    assert all(domain.holds(v) for v in values)
