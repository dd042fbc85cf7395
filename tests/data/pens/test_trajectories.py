"""What a network reads of the path of a pen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gatelab.data.pens.trajectories import PenScale, Trajectory, measure_scale, pen_features, read_numbers
from gatelab.errors import DataError


def path(lifts: str, times: list[float] | None = None) -> Trajectory:
    points = np.array([[3.0 * k * k, 7.0 - 2 * k] for k in range(len(lifts))])
    lifted = np.array([mark == "1" for mark in lifts])
    return Trajectory("id", "group", "text", points, None if times is None else np.array(times), lifted)


def test_without_times_points_are_counted() -> None:
    features = pen_features(path("0010011"))
    assert features.dtype == np.float32
    assert features[:, 0].tolist() == [0, 3, 9, 15, 21, 27, 33]
    assert features[:, 1].tolist() == [0, -2, -2, -2, -2, -2, -2]
    assert features[:, 2].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert features[:, 3].tolist() == [0, 0, 1, 0, 0, 1, 1]


def test_with_times_seconds_are_taken() -> None:
    features = pen_features(path("0101", [100.0, 100.25, 103.5, 104.0]))
    assert features[:, 2].tolist() == [0, 0.25, 0, 0.5]


def test_half_the_points_keep_first_and_last_of_each_stroke() -> None:
    timed = path("000001001", [0, 1, 2, 3, 4, 5, 10, 11, 12])
    features = pen_features(timed, every=2)
    assert features[:, 3].tolist() == [0, 0, 0, 1, 0, 1]
    assert features[:, 2].tolist() == [0, 2, 4, 5, 0, 2]
    assert features[:, 0].tolist() == [0, 12, 36, 27, 33, 84]
    counted = pen_features(path("000001001"), every=2)
    assert counted[:, 2].tolist() == [0, 1, 2, 3, 0, 1]


def test_the_scale_makes_the_mean_square_one() -> None:
    train = [pen_features(path("0010011")), pen_features(path("0101"))]
    scaled = [measure_scale(train).apply(x) for x in train]
    moves = np.concatenate([x[1:, :2].ravel() for x in scaled])
    assert np.mean(np.square(moves)) == pytest.approx(1, rel=1e-5)
    assert np.mean(np.square(np.concatenate([x[:, 2] for x in scaled]))) == pytest.approx(1, rel=1e-5)
    assert scaled[0].dtype == np.float32
    assert np.array_equal(scaled[0][:, 3], train[0][:, 3])


def test_a_pen_that_never_moves_has_no_scale() -> None:
    still = Trajectory("i", "g", "t", np.full((3, 2), 5.0), None, np.array([False, False, True]))
    for train in ([], [pen_features(still)]):
        with pytest.raises(DataError, match="wanted a pen that moves"):
            measure_scale(train)


def test_dots_have_no_time_and_are_divided_by_one() -> None:
    assert measure_scale([pen_features(path("111"))]) == PenScale(
        pytest.approx(np.sqrt((9 + 81 + 4 + 4) / 4)), 1
    )


@settings(max_examples=200, deadline=None)
@given(hnp.arrays(np.bool_, st.integers(1, 40)), st.integers(1, 5))
def test_movements_sum_to_the_whole_way(lifted: np.ndarray, every: int) -> None:
    lifted[-1] = True
    points = np.cumsum(np.arange(1, 2 * len(lifted) + 1).reshape(-1, 2) % 7 - 3.0, axis=0)
    features = pen_features(Trajectory("i", "g", "t", points, None, lifted), every)
    assert np.allclose(features[:, :2].sum(axis=0), points[-1] - points[0])
    assert features[:, 3].sum() == lifted.sum()
    assert features[0, 2] == 0


@pytest.mark.parametrize(
    "bad", ["", "nan", "inf", "1e5", "1_0", " 1", "1 2", "+1", "1.", ".5", "--1", "٣", "9" * 13]
)
def test_numbers_are_plain_decimals(bad: str) -> None:
    assert np.array_equal(read_numbers(["1", "-2.50", "0"]), [1, -2.5, 0])
    assert read_numbers(["1", "2", bad]) == 2
    assert read_numbers(["1", bad, "2"]) == 1
