"""One pass over parts is as good as all at once."""

from __future__ import annotations

import numpy as np
import pytest

from gatelab.data.scale import Scale
from gatelab.errors import DataError, ShapeError

DRAW = np.random.default_rng(4)


def test_parts_give_what_the_whole_gives() -> None:
    whole = 1e4 + DRAW.normal(size=(1000, 3)) * [1e-3, 1, 50]  # far from 0, where naive sums fail
    scale = Scale.of(np.split(whole, [1, 1, 10, 400]))
    np.testing.assert_allclose(scale.mean, whole.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(scale.deviation, whole.std(axis=0), rtol=1e-7)
    made = scale.apply(whole)
    assert made.dtype == np.float32
    np.testing.assert_allclose((made.mean(axis=0), made.std(axis=0)), ([0] * 3, [1] * 3), atol=1e-5)


def test_a_single_column_and_one_that_never_changes() -> None:
    samples = DRAW.normal(size=500).astype(np.float32)
    scale = Scale.of([samples[:200], samples[200:]])
    assert scale.mean.shape == ()
    np.testing.assert_allclose(scale.apply(samples).std(), 1, rtol=1e-6)
    flat = Scale.of([np.full((9, 2), 3.5)])
    assert flat.deviation.tolist() == [1, 1]
    assert not flat.apply(np.full((2, 2), 3.5)).any()


def test_refuses_nothing_and_what_is_not_finite() -> None:
    for parts in ([], [np.ones((0, 3))]):
        with pytest.raises(DataError, match="scale: wanted rows to measure, came none"):
            Scale.of(parts)
    for parts in ([np.array([1, np.nan])], [np.array([1e300, -1e300])]):
        with (
            pytest.raises(DataError, match=r"scale: wanted finite numbers .* 2 rows"),
        ):
            Scale.of(parts)
    with pytest.raises(ShapeError, match=r"wanted rows of shape \(3,\), came \(2,\)"):
        Scale.of([np.ones((4, 3)), np.ones((4, 2))])
