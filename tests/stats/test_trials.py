import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.trials import Sample, how_many

INF, NAN = float("inf"), float("nan")


def test_the_best_are_chosen_by_validation():
    random = np.random.default_rng(0)
    valid, test = random.normal(size=(2, 50))
    sample = Sample("gru", valid, test)
    assert sample.best(0.1).tolist() == np.argsort(valid)[:5].tolist()
    assert Sample("gru", -valid, test, lower=False).best(0.1).tolist() == sample.best(0.1).tolist()


def test_trials_without_a_result_are_worst_either_way():
    for lower in (True, False):
        sample = Sample("gru", [NAN, 3, -INF, 1, INF, 2], [0, 0, 0, NAN, 0, 0], lower=lower)
        assert sample.ended == 2
        assert sorted(sample.best(1.0).tolist()) == [1, 5]
        assert set(sample.order[:2].tolist()) == {1, 5}
    assert Sample("gru", [NAN, NAN], [1, 1]).best().tolist() == []


def test_equal_trials_by_number():
    sample = Sample("gru", [2, 1, 1, 1], [5, 6, 7, 8], numbers=[0, 9, 4, 7])
    assert sample.numbers.tolist() == [0, 4, 7, 9]
    assert sample.numbers[sample.best(0.5)].tolist() == [4, 7]
    assert sample.test[sample.best(0.5)].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("trials", "share", "wanted"), [(200, 0.1, 20), (25, 0.1, 3), (10, 0.1, 2), (1, 0.1, 1), (7, 1.0, 7)]
)
def test_how_many(trials, share, wanted):
    assert how_many(trials, share) == wanted


def test_samples_stay_as_they_are():
    given = np.array([1.0, NAN])
    sample = Sample("a", given, [1, 2])
    given[0] = 5
    assert sample.valid[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        sample.valid[0] = 3


def test_refusals():
    for valid, test, numbers in (([1], [1, 2], None), ([1, 2], [1, 2], [3, 3]), ([1], [1], [0.5])):
        with pytest.raises(ShapeError, match="wanted"):
            Sample("a", valid, test, numbers)
    with pytest.raises(ShapeError, match="share"):
        how_many(5, 0.0)
