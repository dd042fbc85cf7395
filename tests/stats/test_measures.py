"""Formulas of sums against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from gatelab.stats.measures import FORMULAS, value


def test_f1_is_the_harmonic_mean_of_precision_and_recall() -> None:
    draw = np.random.default_rng(0)
    true, said = draw.random((2, 30)) < 0.4
    sums = np.array([(said & true).sum(), (said & ~true).sum(), (~said & true).sum()], np.float64)
    precision, recall = true[said].mean(), said[true].mean()
    assert value("f1", sums) == pytest.approx(200 * precision * recall / (precision + recall))
    assert np.isnan(value("f1", np.zeros(3)))


def test_many_sums_at_once_give_what_each_gives() -> None:
    draw = np.random.default_rng(1)
    numbers = {"f1": 3, "bleu": 10}
    for name, formula in FORMULAS.items():
        sums = draw.integers(1, 9, (4, 5, numbers.get(name, 2))).astype(np.float64)
        found = formula(sums)
        assert found.shape == (4, 5)
        assert found[2, 3] == value(name, sums[2, 3])
