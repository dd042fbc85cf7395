import math

import numpy as np
import pytest

from gatelab.errors import ShapeError
from gatelab.stats.holm import holm


def test_published_examples():
    """The first is the usual textbook's; the second is statsmodels' multipletests(…, method="holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])


def test_is_the_procedure_step_by_step():
    """Rejected at a level is what stepping down from the smallest value rejects there."""
    random = np.random.default_rng(0)
    for _ in range(50):
        p = random.beta(0.5, 3, 8)
        adjusted = np.array(holm(p.tolist()))
        for level in (0.01, 0.05, 0.2):
            rejected = set()
            for step, k in enumerate(np.argsort(p)):
                if p[k] > level / (8 - step):
                    break
                rejected.add(int(k))
            assert set(np.flatnonzero(adjusted <= level).tolist()) == rejected


def test_tests_that_were_not_made_do_not_count():
    found = holm([0.02, math.nan, 0.04])
    assert found[0] == found[2] == pytest.approx(0.04)
    assert math.isnan(found[1])
    assert holm([]) == []
    assert holm([0.7, 0.8]) == [1.0, 1.0]


def test_family_wise_error():
    random = np.random.default_rng(1)
    wrong = sum(min(holm(random.random(20).tolist())) <= 0.05 for _ in range(2000))
    assert 0.035 < wrong / 2000 < 0.065


@pytest.mark.parametrize("p", [[-0.1], [1.2, 0.5]])
def test_refusals(p):
    with pytest.raises(ShapeError, match="between 0 and 1"):
        holm(p)
