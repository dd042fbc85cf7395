"""F1 from counts against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.labels import f1, label_counts, macro_f1


def test_sums_over_sequences_are_those_of_all_labels() -> None:
    draw = np.random.default_rng(0)
    actual = [draw.integers(0, 4, n) for n in (5, 1, 30)]
    predicted = [np.where(draw.random(len(a)) < 0.6, a, draw.integers(0, 4, len(a))) for a in actual]
    counts = np.stack([label_counts(a, p, 5) for a, p in zip(actual, predicted, strict=True)])
    y, p = np.concatenate(actual), np.concatenate(predicted)
    for k in range(4):
        precision, recall = (y[p == k] == k).mean(), (p[y == k] == k).mean()
        assert f1(counts)[k] == pytest.approx(2 * precision * recall / (precision + recall))
    assert np.isnan(f1(counts)[4])
    assert macro_f1(counts) == pytest.approx(f1(counts)[:4].mean())
    assert f1(label_counts(1, 1, 2))[1] == 1


def test_refusals() -> None:
    for actual, predicted in [([0, 1], [0]), ([0, 5], [0, 1]), ([-1], [0]), ([0.5], [0])]:
        with pytest.raises(ShapeError, match="labels: wanted indices below 3"):
            label_counts(actual, predicted, 3)
    with pytest.raises(ShapeError, match="F1: wanted at least one label"):
        macro_f1(label_counts([], [], 3))
    with pytest.raises(ShapeError, match=r"F1: wanted counts \[K, 3\]"):
        f1([1, 2, 3])
