"""False positives of the whole procedure, measured where there is nothing to find."""

import numpy as np
import pytest

from gatelab.errors import ConfigError
from gatelab.stats.null_studies import KINDS, PROCEDURES, false_positives, measured, table
from gatelab.stats.reference import compare_to_reference

OURS, PAPERS = PROCEDURES[-1], PROCEDURES[0]


@pytest.mark.parametrize("kind", KINDS)
def test_we_hold_the_level(kind):
    (row,) = measured([kind], 60, tasks=2, cells=4, trials=60, permutations=199)
    assert row.rates[OURS].low <= 0.05
    assert (row.comparisons, row.trials, row.rates[OURS].n) == (6, 60, 60)


@pytest.mark.exhaustive
@pytest.mark.parametrize("kind", KINDS)
def test_we_hold_the_level_in_studies_of_the_papers_size(kind):
    (row,) = measured([kind], 400)
    assert row.rates[OURS].low <= 0.05
    assert row.rates[OURS].value < 0.08
    assert row.rates[PAPERS].low > 0.2


def test_the_papers_procedure_does_not():
    (row,) = measured(["own settings"], 40, tasks=2, cells=5, trials=100, permutations=199)
    assert row.rates[PAPERS].low > 0.2


def test_counts_what_compare_to_reference_says():
    def draw(random):
        return KINDS["noisy"](random, 2, 3, 30)

    rates = false_positives(draw, 12, permutations=199, seed=5, level=0.3)
    said = [
        compare_to_reference(
            draw(np.random.default_rng([5, k])), "cell 0", permutations=199, draws=2, seed=k, level=0.3
        )
        for k in range(12)
    ]
    assert rates[OURS].count == sum(any(r.verdict in ("worse", "better") for r in rows) for rows in said) > 0
    assert rates["Welch, Holm"].count == sum(any(r.adjusted[1] <= 0.3 for r in rows) for rows in said)
    assert rates[PAPERS].count == sum(any(r.welch.p <= 0.3 for r in rows) for rows in said)


def test_sees_a_difference_where_there_is_one():
    def draw(random):
        study = KINDS["shared settings"](random, 1, 2, 60)
        ((_, cells),) = study.items()
        other = cells["cell 1"]
        cells["cell 1"] = type(other)("cell 1", other.valid + 1, other.test + 1)
        return study

    assert false_positives(draw, 5, permutations=99)[OURS].count == 5


def test_studies_are_the_same_every_time():
    small = {"tasks": 1, "cells": 2, "trials": 20, "permutations": 99}
    assert measured(["noisy"], 5, **small) == measured(["noisy"], 5, **small)
    assert [r.kind for r in measured(studies=1, **small)] == list(KINDS)
    assert len(table(measured(studies=1, **small)).splitlines()) == 2 + len(KINDS)


def test_refusals():
    with pytest.raises(ConfigError, match="did you mean noisy"):
        measured(["noizy"])
    with pytest.raises(ConfigError, match="want 480 permutations"):
        measured(permutations=99)
