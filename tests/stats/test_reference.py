import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from gatelab.errors import ConfigError
from gatelab.stats.effect import hedges_g
from gatelab.stats.holm import holm
from gatelab.stats.reference import compare_to_reference
from gatelab.stats.trials import Sample

NAN = float("nan")
SMALL = {"permutations": 999, "draws": 200}


def _cells(random, shifts, n=100, lower=True):
    settings, cells = 8 + random.gamma(2, size=n), {}
    for name, shift in shifts.items():
        test = settings + shift + random.normal(0, 0.2, n)
        sign = 1 if lower else -1
        cells[name] = Sample(name, sign * (test + random.normal(0, 0.1, n)), sign * test, lower=lower)
    return cells


@pytest.fixture(scope="module")
def tasks():
    random = np.random.default_rng(0)
    return {
        "timit": _cells(random, {"nfg": 0.6, "lstm": 0.0, "np": 0.0, "best": -0.6}),
        "jsb": _cells(random, {"nfg": 0.5, "lstm": 0.0, "np": 0.0}, lower=False),
    }


@pytest.fixture(scope="module")
def rows(tasks):
    return compare_to_reference(tasks, "lstm", **SMALL)


def test_verdicts(rows):
    assert [(r.task, r.cell) for r in rows] == [
        ("timit", "nfg"), ("timit", "np"), ("timit", "best"), ("jsb", "nfg"), ("jsb", "np"),
    ]  # fmt: skip
    assert [r.verdict for r in rows] == [
        "worse", "no difference shown", "better", "worse", "no difference shown",
    ]  # fmt: skip
    assert {r.reference for r in rows} == {"lstm"}
    assert {(r.trials, r.best, r.family, r.without_result) for r in rows} == {(100, 10, 5, (0, 0))}
    assert [r.lower for r in rows] == [True] * 3 + [False] * 2


def test_numbers_are_scipys_of_the_chosen_trials(tasks, rows):
    for row in rows:
        sign = 1 if row.lower else -1
        a, b = (
            s.test[np.argsort(sign * s.valid)[:10]]
            for s in (tasks[row.task][row.cell], tasks[row.task]["lstm"])
        )
        assert row.welch.p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
        assert row.mann_whitney.p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
        assert row.found.means == pytest.approx((a.mean(), b.mean()))
        assert [row.permuted.difference, row.welch.difference] == pytest.approx(
            [row.found.difference.value] * 2
        )
        assert row.found.effect.value == pytest.approx(hedges_g(a, b))
        wins = np.mean(sign * a[:, None] < sign * b)
        assert row.superiority.value == pytest.approx(wins)
        assert row.superiority.low <= wins <= row.superiority.high


def test_holm_over_cells_and_tasks(rows):
    for k, test in enumerate(("permuted", "welch", "mann_whitney")):
        wanted = holm([getattr(r, test).p for r in rows])
        assert [r.adjusted[k] for r in rows] == wanted
    assert [r.p for r in rows] == [r.adjusted[0] for r in rows]


def test_other_cells_change_nothing_but_the_family(tasks, rows):
    alone = {"jsb": {k: tasks["jsb"][k] for k in ("lstm", "np")}}
    (row,) = compare_to_reference(alone, "lstm", **SMALL)
    assert row.permuted == rows[-1].permuted
    assert row.found == rows[-1].found
    assert (row.family, row.p) == (1, row.permuted.p)


def test_sentence_says_n_and_tests(rows):
    said = rows[0].sentence
    for part in (
        "best 10 of 100 trials", "bootstrap of 100 pairs", "permutation of 100 pairs, Holm over 5", "worse",
        "Welch's t-test of 10 and 10", "Mann–Whitney", "95 %",
    ):  # fmt: skip
        assert part in said


def test_a_study_under_way():
    """Only trials that both cells made count; where there are none, nothing is tested or counted."""
    cells = _cells(np.random.default_rng(1), {"lstm": 0, "a": 0.5, "b": 0.5}, 60)
    cells["a"] = cells["a"].only(np.arange(40))
    cells["b"] = cells["b"].only(np.arange(1))
    cells["c"] = Sample("c", [], [])
    a, b, c = compare_to_reference({"jsb": cells}, "lstm", **SMALL)
    assert (a.trials, a.best, a.family) == (40, 4, 1)
    assert [r.verdict for r in (b, c)] == ["not tested"] * 2
    assert math.isnan(b.p)
    assert "not tested against lstm" in c.sentence
    assert "(1 pairs)" in b.sentence


def test_a_cell_that_diverges():
    cells = _cells(np.random.default_rng(2), {"lstm": 0.0, "a": 0.0})
    a = cells["a"]
    cells["a"] = Sample("a", np.where(np.arange(100) % 25 == 0, a.valid, NAN), a.test)
    (row,) = compare_to_reference({"jsb": cells}, "lstm", **SMALL)
    assert row.verdict == "worse"
    assert row.without_result == (6, 0)
    assert "6 of the compared trials gave no result" in row.sentence


def test_a_cell_that_is_the_reference():
    cells = _cells(np.random.default_rng(3), {"lstm": 0.0})
    cells["again"] = cells["lstm"]
    (row,) = compare_to_reference({"jsb": cells}, "lstm", **SMALL)
    assert (row.verdict, row.p, row.welch.difference) == ("no difference shown", 1.0, 0.0)
    assert row.superiority.value == pytest.approx(0.5)


def test_rows_are_values(rows):
    assert dataclasses.replace(rows[0], task="x") != rows[0]


def test_refusals(tasks):
    with pytest.raises(ConfigError, match="did you mean lstm"):
        compare_to_reference(tasks, "lsmt")
    with pytest.raises(ConfigError, match="want 100 permutations or more"):
        compare_to_reference(tasks, "lstm", permutations=50)
