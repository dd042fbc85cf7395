"""How sure a difference is, where chance lies in the held-out sequences: the paired bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.errors import ShapeError
from gatelab.stats.measures import FORMULAS

DRAWS = 4000
BLOCK = 1 << 24
"""The most counts that are held at once."""


@dataclass(frozen=True)
class Resampled:
    """A difference of a measure between two networks, over resampled sequences.

    Attributes
    ----------
    difference
        First minus second, over all sequences.
    low, high
        Ends of the percentile interval at 95 %.
    below
        Share of the draws in which the first's value is below the second's; ties count half.
    n
        Number of sequences.
    """

    difference: float
    low: float
    high: float
    below: float
    n: int

    def holds(self, value: float) -> bool:
        """Return whether ``value`` lies in the interval."""
        return self.low <= value <= self.high


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    formula: str = "ratio",
    draws: int = DRAWS,
    seed: int = 0,
    block: int = 1,
) -> Resampled:
    """Return the difference of a measure between two networks with its interval over sequences.

    1. Draw S of the S sequences with replacement, the same for both networks; where neighbours share data,
       blocks of neighbours, the last sequence being the first one's neighbour.
    2. Sum the numbers of the drawn sequences and apply the formula to both sums; take the difference.
    3. Of ``draws`` differences, the interval is from the 2.5th to the 97.5th percentile.

    Parameters
    ----------
    first, second
        The measure's numbers for each sequence, ``[S, numbers]``, of two networks on the same sequences.
    formula
        One of :data:`gatelab.stats.measures.FORMULAS`.
    block
        How many sequences in a row share data, as windows of a series do that overlap.

    Raises
    ------
    ShapeError
        The two do not belong together, or there are fewer than two sequences or blocks of them.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.bootstrap import paired_bootstrap
    >>> ones = np.ones(50)
    >>> better, worse = np.linspace(1, 2, 50), np.linspace(1.1, 2.1, 50)
    >>> found = paired_bootstrap(np.stack([better, ones], 1), np.stack([worse, ones], 1))
    >>> round(found.difference, 6), found.high < 0, found.below
    (-0.1, True, 1.0)

    Notes
    -----
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993; P. Koehn, "Statistical Significance
    Tests for Machine Translation Evaluation", EMNLP 2004; blocks: D. Politis and J. Romano, "A Circular
    Block-Resampling Procedure for Stationary Data", 1992.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 2 or len(a) < 2 * block:
        raise ShapeError(
            f"bootstrap: wanted the numbers [S, n] of two networks on the same {2 * block} or more "
            f"sequences, got {a.shape} and {b.shape}"
        )
    value = FORMULAS[formula]
    random, differences = np.random.default_rng(seed), []
    for size in _blocks(draws, len(a)):
        counts = _counts(random, len(a), block, size)
        differences.append(value(counts @ a) - value(counts @ b))
    drawn = np.concatenate(differences)
    drawn = drawn[np.isfinite(drawn)]
    whole = float(value(a.sum(0)) - value(b.sum(0)))
    if not len(drawn):
        return Resampled(whole, float("nan"), float("nan"), float("nan"), len(a))
    low, high = np.percentile(drawn, [2.5, 97.5])
    below = float((drawn < 0).mean() + (drawn == 0).mean() / 2)
    return Resampled(whole, float(low), float(high), below, len(a))


def _counts(random: np.random.Generator, count: int, block: int, draws: int) -> NDArray[np.float64]:
    """Return how often each sequence is drawn, [draws, count]."""
    begun = random.multinomial(-(-count // block), np.full(count, 1 / count), draws).astype(np.float64)
    counts = begun.copy()
    for k in range(1, block):
        counts += np.roll(begun, k, axis=1)
    return counts


def _blocks(draws: int, sequences: int) -> list[int]:
    most = max(1, BLOCK // sequences)
    return [min(most, draws - at) for at in range(0, draws, most)]
