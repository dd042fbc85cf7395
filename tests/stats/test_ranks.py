import math

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ShapeError
from gatelab.stats.ranks import critical_difference, rank

CELLS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
AUC = [
    (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967),
    (0.628, 0.661, 0.654, 0.657), (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931),
    (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625), (0.775, 0.838, 0.866, 0.875),
    (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
    (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
]  # fmt: skip
DEMSAR = {f"set {i}": dict(zip(CELLS, row, strict=True)) for i, row in enumerate(AUC)}


def _random(seed, n, k):
    values = np.random.default_rng(seed).normal(size=(n, k))
    return values, {f"t{i}": {f"c{j}": float(v) for j, v in enumerate(row)} for i, row in enumerate(values)}


def test_demsars_example():
    """Demšar 2006, table 6 and section 3.2.2: AUC of four trees on 14 sets, χ² 9.28, F 3.69, CD 1.25.

    On the last set but one two trees print as 0.975, but are ranked 2 and 3.
    """
    found = rank(DEMSAR, lower=False)
    assert [round(found.ranks[c], 3) for c in CELLS] == [3.143, 2.000, 2.893, 1.964]
    assert list(found.ranks) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert (found.friedman, found.iman) == pytest.approx((9.28, 3.69), abs=0.005)
    assert found.difference == pytest.approx(1.25, abs=0.005)
    assert found.iman_p < 0.05
    assert found.groups == (tuple(found.ranks),)
    assert (found.tasks, found.note) == (14, "")
    at_ten = rank(DEMSAR, lower=False, level=0.1)
    assert at_ten.difference == pytest.approx(1.12, abs=0.005)
    assert at_ten.groups == (("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5"))


def test_critical_values_of_the_table():
    """Demšar 2006, table 5(a): q at 0.05 and 0.10 for 2 … 10 classifiers."""
    for level, wanted in (
        (0.05, (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)),
        (0.10, (1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920)),
    ):
        for k, q in enumerate(wanted, 2):
            scale = math.sqrt(k * (k + 1) / (6 * 10))
            assert critical_difference(k, 10, level) / scale == pytest.approx(q, abs=1.1e-3)


@pytest.mark.parametrize(("n", "k"), [(3, 9), (10, 3), (5, 6)])
def test_friedman_is_scipys(n, k):
    values, results = _random(n, n, k)
    wanted = stats.friedmanchisquare(*values.T)
    found = rank(results, permutations=2000)
    assert (found.friedman, found.chi_p) == pytest.approx((wanted.statistic, wanted.pvalue))
    assert sum(found.ranks.values()) == pytest.approx(k * (k + 1) / 2)
    if n > 5:
        assert found.p == pytest.approx(found.chi_p, abs=0.05)


def test_permutations_of_two_tasks_by_hand():
    """Two tasks that agree on three cells: 1 of 6 orders does so."""
    agree = {"a": {"x": 1, "y": 2, "z": 3}, "b": {"x": 1, "y": 2, "z": 3}}
    found = rank(agree)
    assert found.p == pytest.approx(1 / 6, abs=0.015)
    assert (found.iman, found.iman_p) == (math.inf, 0)


def test_either_direction_and_no_result():
    results = {"nll": {"a": 1.0, "b": 2.0, "c": math.nan}, "accuracy": {"b": 0.8, "a": 0.9, "c": 0.1}}
    found = rank(results, {"nll": True, "accuracy": False})
    assert found.ranks == {"a": 1, "b": 2, "c": 3}


def test_groups_overlap():
    results = {f"t{i}": {f"c{j}": j + 0.9 * (i % 2) * (-1) ** j for j in range(8)} for i in range(20)}
    found = rank(results, permutations=10)
    values = list(found.ranks.values())
    assert len(found.groups) > 1
    for group in found.groups:
        assert found.ranks[group[-1]] - found.ranks[group[0]] < found.difference
    assert set().union(*found.groups) == set(found.ranks)
    together = {frozenset((a, b)) for g in found.groups for a in g for b in g}
    for i, a in enumerate(found.ranks):
        for j, b in enumerate(found.ranks):
            assert (frozenset((a, b)) in together) == (abs(values[i] - values[j]) < found.difference)


def test_too_little_for_a_test():
    one = rank({"timit": {"a": 1.0, "b": 2.0, "c": 3.0}})
    assert one.ranks == {"a": 1, "b": 2, "c": 3}
    assert math.isnan(one.p)
    assert math.isnan(one.difference)
    assert one.groups == (("a", "b", "c"),)
    assert "1 tasks and 3 cells" in one.note
    assert "no test" in rank({"t": {"a": 1, "b": 2}, "u": {"a": 1, "b": 2}}).note
    _, three = _random(0, 3, 9)
    assert rank(three, permutations=9).note == ""  # CD 6.9 of 8: only extremes can differ


def test_refusals():
    for results in ({}, {"a": {}}, {"a": {"x": 1}, "b": {"y": 1}}):
        with pytest.raises(ShapeError, match="wanted"):
            rank(results)
    with pytest.raises(ShapeError, match="level"):
        rank(DEMSAR, level=2)
