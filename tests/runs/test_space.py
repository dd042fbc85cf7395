import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from gatelab.runs.space import Choice, LogUniform, OneMinusLogUniform, Uniform, draw, position, trial_seed

SPACE = {
    "learning_rate": LogUniform(low=1e-6, high=1e-2),
    "momentum": OneMinusLogUniform(low=0.0, high=0.99),
    "input_noise": Uniform(low=0.0, high=1.0),
    "hidden_size": LogUniform(low=20, high=200, whole=True),
    "batch_size": Choice(values=(1, 4, 16)),
}


def test_draws_are_distributed_as_they_say():
    drawn = [draw(SPACE, "jsb", k, seed=3) for k in range(1000)]
    places = {
        "learning_rate": [math.log10(d["learning_rate"]) / 4 + 1.5 for d in drawn],
        "momentum": [-math.log10(1 - d["momentum"]) / 2 for d in drawn],
        "input_noise": [d["input_noise"] for d in drawn],
    }
    for values in places.values():
        assert stats.kstest(values, "uniform").pvalue > 0.01
    sizes = [d["hidden_size"] for d in drawn]
    assert all(isinstance(s, int) and 20 <= s <= 200 for s in sizes)
    assert np.median(sizes) == pytest.approx(math.sqrt(20 * 200), rel=0.1)
    assert all(250 < [d["batch_size"] for d in drawn].count(v) < 420 for v in (1, 4, 16))


def test_a_draw_depends_on_nothing_else():
    fewer = {k: SPACE[k] for k in ("momentum", "learning_rate")}
    whole = draw(SPACE, "jsb", 7, seed=0)
    assert draw(fewer, "jsb", 7, seed=0) == {k: whole[k] for k in fewer}
    for other in (draw(SPACE, "phones", 7, 0), draw(SPACE, "jsb", 8, 0), draw(SPACE, "jsb", 7, 1)):
        assert other["learning_rate"] != whole["learning_rate"]
    assert trial_seed("jsb", 7, 0) == trial_seed("jsb", 7, 0) != trial_seed("jsb", 8, 0)


@pytest.mark.parametrize("name", ["learning_rate", "momentum", "input_noise"])
def test_position_is_the_inverse(name):
    for place in (0.0, 0.2, 0.7, 1.0):
        assert position(SPACE[name], SPACE[name].at(place)) == pytest.approx(place, abs=1e-4)


def test_position_of_a_choice_is_its_parts_middle():
    assert position(SPACE["batch_size"], 4) == 0.5


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (Uniform, {"low": 1, "high": 1}, "wanted low < high"),
        (LogUniform, {"low": 0, "high": 1}, "greater than 0"),
        (LogUniform, {"low": 2, "high": 1}, "wanted low < high"),
        (OneMinusLogUniform, {"low": 0, "high": 1}, "less than 1"),
        (Uniform, {"low": 0, "high": math.inf}, "finite"),
        (Choice, {"values": ()}, "at least 1 item"),
        (Choice, {"values": (1, 1)}, "each value once"),
    ],
)
def test_impossible_dimensions(kind, values, said):
    with pytest.raises(ValidationError, match=said):
        kind(**values)
