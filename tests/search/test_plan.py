import math

import pytest

import gatelab
from gatelab.errors import ConfigError
from gatelab.search import comparison, log_uniform
from gatelab.search.space import spread_log_uniform


def test_rates_are_log_uniform_between_the_bounds():
    for draw in (log_uniform(4000, 0), spread_log_uniform(4000, 0)):
        logs = sorted(math.log(r) for r in draw)
        assert -12 <= logs[0] < logs[-1] <= -6
        assert logs[2000] == pytest.approx(-9, abs=0.15)
        assert logs[1000] == pytest.approx(-10.5, abs=0.15)
    assert log_uniform(3, 1) != log_uniform(3, 2)


def test_a_comparison_holds_all_that_decides_its_numbers():
    plan = comparison("chorales", ["tanh", "lstm", "gru"], trials=3)
    assert [u.hidden_size for u in plan.units] == [104, 39, 48]
    assert all(abs(u.parameters - 20_000) < 400 for u in plan.units)
    assert len(plan.learning_rates) == 3
    assert plan.task.sequences == (240, 80, 79)
    again = comparison("chorales", ["tanh", "lstm", "gru"], trials=3)
    assert again == plan
    assert again.digest == plan.digest


def test_counting_all_parameters_gives_smaller_units():
    recurrent = comparison("chorales", ["gru"], trials=1)
    whole = comparison("chorales", ["gru"], trials=1, count="all")
    assert whole.units[0].hidden_size < recurrent.units[0].hidden_size
    assert abs(whole.units[0].model_parameters - 20_000) < 400


def test_a_user_s_own_cell_is_compared_and_kept_as_data():
    @gatelab.cell
    def mine(x, h):
        z = gatelab.sigmoid(gatelab.linear(x, h, name="z"))
        return gatelab.mix(z, gatelab.tanh(gatelab.linear(x, z * h, name="h")), h)

    plan = comparison("chorales", [mine, "gru"], trials=1)
    assert plan.units[0].name == "mine"
    assert gatelab.graph.data.from_data(plan.units[0].cell) == mine


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"cells": ["lsmt"]}, "did you mean lstm"),
        ({"cells": []}, "wanted at least one"),
        ({"cells": ["gru", "gru"]}, "gru is named twice"),
        ({"parameters": 20}, "impossible budget"),
        ({"parameters": 0}, "impossible parameters: wanted a whole number of at least 1, got 0"),
        ({"trials": 0}, "at least 1 learning rate"),
        ({"repeats": -1}, "repeats"),
        ({"hidden_sizes": [3]}, "one a cell"),
        ({"dataset": "jbs"}, "did you mean jsb"),
    ],
)
def test_impossible_comparisons_are_refused(arguments, said):
    with pytest.raises(ConfigError, match=said):
        comparison(**({"dataset": "chorales", "trials": 1} | arguments))
