"""Two marks, one in each half, and the sum of what they mark."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Adding


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 2**60), st.integers(2, 200))
def test_the_target_is_the_sum_of_the_marked(seed: int, place: int, steps: int) -> None:
    one = Adding(seed, steps).examples("train", place, 1)[0]
    values, marks = one.inputs.T
    first, second = np.flatnonzero(marks)
    assert marks.sum() == marks[first] + marks[second] == 2
    assert first < steps // 2 <= second
    assert one.targets[-1, 0] == values[first] + values[second]
    assert one.mask.tolist() == [False] * (steps - 1) + [True]
    assert (one.inputs.dtype, one.targets.dtype) == (np.float32, np.float32)
    assert ((values >= 0) & (values <= 1)).all()


def test_always_one_errs_by_a_sixth() -> None:
    task = Adding(seed=2, steps=10)
    sums = np.array([one.targets[-1, 0] for one in task.examples("train", 0, 20_000)], np.float64)
    assert np.mean((sums - 1) ** 2) == pytest.approx(task.baselines()["always 1"], rel=0.03)
    assert task.baselines()["always 1"] == pytest.approx(1 / 6)


def test_all_places_are_marked() -> None:
    found = [np.flatnonzero(one.inputs[:, 1]) for one in Adding(seed=2, steps=7).examples("train", 0, 300)]
    assert {int(a) for a, _ in found} == {0, 1, 2}
    assert {int(b) for _, b in found} == {3, 4, 5, 6}
