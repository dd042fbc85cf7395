import dataclasses
import math

import numpy as np
import pytest

from gatelab.errors import ConfigError
from gatelab.stats.findings import EXPECTATIONS, Claim, judge
from gatelab.stats.reference import compare_to_reference
from gatelab.stats.trials import Sample

SHIFTS = {"lstm": 0.0, "worse": 0.5, "better": -0.5, "same": 0.0, "slightly": 0.03}


def _rows(lower, noise, n=200):
    random = np.random.default_rng(0)
    settings, sign = 8 + random.gamma(2, size=n), 1 if lower else -1
    cells = {}
    for name, shift in SHIFTS.items():
        test = sign * (settings + shift + random.normal(0, noise, n))
        cells[name] = Sample(name, test, test, lower=lower)
    cells["empty"] = Sample("empty", [], [], lower=lower)
    return compare_to_reference({"jsb": cells}, "lstm", permutations=999, draws=400)


@pytest.fixture(scope="module", params=[True, False])
def rows(request):
    return _rows(request.param, 0.02)


@pytest.fixture(scope="module")
def unsure():
    return _rows(True, 2.0, 40)


def verdict(rows, cell, expectation, **margin):
    (found,) = judge([Claim("so it is", cell, ("jsb",), expectation, **margin)], rows)
    return found.verdict


YES, NO, OPEN = "reproduced", "not reproduced", "not shown either way"


@pytest.mark.parametrize(
    ("cell", "margin", "wanted"),
    [
        ("worse", 0.1, (YES, NO, NO, NO)),
        ("better", 0.1, (NO, YES, NO, YES)),
        ("same", 0.1, (NO, NO, YES, YES)),
        ("same", None, (OPEN, OPEN, OPEN, OPEN)),
        ("worse", None, (YES, NO, NO, NO)),
        ("better", None, (NO, YES, NO, YES)),
        ("worse", 2.0, (YES, NO, YES, YES)),  # worse, but by less than is called a difference
        ("empty", 0.1, ("not tested",) * 4),
        ("unknown", 0.1, ("not tested",) * 4),
    ],
)
def test_verdicts(rows, cell, margin, wanted):
    given = {} if margin is None else {"margin": margin}
    assert tuple(verdict(rows, cell, e, **given) for e in EXPECTATIONS) == wanted


def test_what_nothing_shows_is_left_open(unsure):
    for expectation in EXPECTATIONS:
        assert verdict(unsure, "same", expectation, margin=0.1) == OPEN


def test_a_difference_that_is_there_but_not_beyond_the_margin_is_left_open(rows):
    """Shown to differ, neither shown to be within the margin nor estimated beyond it."""
    (row,) = (r for r in rows if r.cell == "slightly")
    assert row.verdict == "worse"
    gap = row.found.narrow
    margin = (abs(gap.value) + max(abs(gap.low), abs(gap.high))) / 2
    assert verdict(rows, "slightly", "no difference", margin=margin) == OPEN
    assert verdict(rows, "slightly", "not worse", margin=margin) == OPEN
    assert verdict(rows, "slightly", "no difference", margin=abs(gap.value) / 2) == NO


def test_relative_margins(rows):
    reference = abs(rows[0].found.means[1])
    claim = Claim("", "same", ("jsb",), "no difference", relative_margin=0.01)
    assert claim.reach(rows[0]) == pytest.approx(0.01 * reference)
    assert verdict(rows, "same", "no difference", relative_margin=0.01) == YES
    assert math.isnan(Claim("", "same", ("jsb",), "worse").reach(rows[0]))


def test_said_with_n_and_tests(rows):
    (found,) = judge([Claim("", "worse", ("jsb",), "worse", margin=0.1)], rows)
    assert found.p == next(r.p for r in rows if r.cell == "worse")
    for part in (
        "jsb: difference", "90 %, bootstrap of 200 pairs, best 20 of each", "margin ±0.1",
        "permutation of 200 pairs, Holm over 4",
    ):  # fmt: skip
        assert part in found.why


def test_claims_of_several_tasks(rows):
    both = [*rows, *(dataclasses.replace(r, task="timit") for r in rows)]

    def together(cell, expectation, tasks=("jsb", "timit"), among=both):
        (found,) = judge([Claim("", cell, tasks, expectation)], among)
        return found

    assert together("worse", "worse").verdict == YES
    assert together("worse", "better").verdict == NO
    assert together("same", "better").verdict == OPEN
    missing = together("worse", "worse", ("jsb", "iam"))
    assert (missing.verdict, missing.task) == ("not tested", "")
    assert math.isnan(missing.p)
    assert [p.verdict for p in missing.parts] == [YES, "not tested"]
    assert together("worse", "better", ("jsb", "iam")).verdict == NO
    assert "was not compared on iam" in missing.why
    assert together("same", "worse").p == max(p.p for p in together("same", "worse").parts)


def test_other_kinds_are_left_to_others(rows):
    claim = Claim("the learning rate matters most", "", ("jsb",), "first", kind="importance")
    assert judge([claim], rows) == ()


def test_refusals():
    with pytest.raises(ConfigError, match="wanted one of worse"):
        Claim("", "a", (), "wrose")
    for margins in ({"margin": 0.0}, {"margin": 1.0, "relative_margin": 0.1}, {"relative_margin": -1.0}):
        with pytest.raises(ConfigError, match="one margin at most"):
            Claim("", "a", (), "worse", **margins)
