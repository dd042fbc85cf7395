"""What is said of a network on held-out sequences: a formula of sums over them.

Every measure is written so: each sequence gives a few numbers, these are summed over sequences, and a formula
makes one number of the sums. The accuracy is hits over steps, perplexity the exponential of nats over words.
Who has the numbers of each sequence can so resample sequences, whatever the measure is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.stats.bleu import bleu

Sums = NDArray[np.float64]


def _ratio(sums: Sums) -> Sums:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _exp(sums: Sums) -> Sums:
    with np.errstate(over="ignore"):
        return np.exp(_ratio(sums))


def _f1(sums: Sums) -> Sums:
    """2 right / (2 right + wrongly said + missed), the harmonic mean of precision and recall."""
    right, said, missed = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore"):
        return np.asarray(100 * (2 * right / (2 * right + said + missed)))


def _bleu(sums: Sums) -> Sums:
    return np.apply_along_axis(bleu, -1, sums)


FORMULAS: Mapping[str, Callable[[Sums], Any]] = MappingProxyType(
    {
        "ratio": _ratio,
        "percent": lambda sums: 100 * _ratio(sums),
        "bits": lambda sums: _ratio(sums) / math.log(2),
        "exp": _exp,
        "f1": _f1,
        "bleu": _bleu,
    }
)
"""Formulas by their names: sums ``[..., numbers]`` to values ``[...]``.

==========  ==============================================================================
``ratio``   first over second: nats over steps, edits over characters
``percent`` the same times 100
``bits``    the same over log 2: bits a character
``exp``     the exponential of the same: perplexity
``f1``      100 times F1 of true positives, false positives, false negatives; NaN where there are none
``bleu``    BLEU of its counts of n-grams; see :mod:`gatelab.stats.bleu`
==========  ==============================================================================
"""


def value(formula: str, sums: Sums) -> float:
    """Return a measure of these sums ``[numbers]``.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.measures import value
    >>> value("percent", np.array([3.0, 4.0]))
    75.0
    """
    return float(FORMULAS[formula](sums))
