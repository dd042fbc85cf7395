import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.pairs import Pairs
from gatelab.stats.trials import Sample

NAN = float("nan")


def test_pairs_are_trials_of_the_same_number():
    a = Sample("a", [1, 2, 3], [4, 5, 6], numbers=[0, 1, 5])
    b = Sample("b", [7, 8, 9], [1, 2, 3], numbers=[5, 2, 1])
    pairs = Pairs.of(a, b)
    assert pairs.badness.tolist() == [[2, 3], [9, 7]]
    assert pairs.test.tolist() == [[5, 6], [3, 1]]
    assert [v.tolist() for v in pairs.best(1.0)] == [[5, 6], [1, 3]]
    assert pairs.count(0.1) == len(pairs) == 2


@pytest.mark.parametrize("lower", [True, False])
def test_trials_without_a_result_are_the_worst_of_both(lower):
    sign = 1 if lower else -1
    a = Sample("a", sign * np.array([NAN, NAN, 1.0]), sign * np.array([0.0, 1.0, 2.0]), lower=lower)
    b = Sample("b", sign * np.array([3.0, 2.0, NAN]), sign * np.array([7.0, 9.0, 0.0]), lower=lower)
    pairs = Pairs.of(a, b)
    assert (sign * pairs.test).tolist() == [[9, 9, 2], [7, 9, 9]]
    assert [v.tolist() for v in pairs.best(0.5)] == [[sign * 2, sign * 9], [sign * 9, sign * 7]]
    assert pairs.without_result(0.5) == (1, 0)


def test_nothing_to_compare():
    empty = Sample("a", [NAN, NAN], [NAN, NAN])
    assert not Pairs.of(empty, empty).comparable
    apart = Pairs.of(Sample("a", [1], [1], numbers=[0]), Sample("b", [1], [1], numbers=[1]))
    assert (len(apart), apart.comparable) == (0, False)
    with pytest.raises(ShapeError, match="of both or of none"):
        Pairs.of(Sample("a", [1], [1]), Sample("b", [1], [1], lower=False))
