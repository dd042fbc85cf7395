"""How many trials would show a difference? Power of the test of swapped pairs, from a study."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from gatelab.errors import ShapeError
from gatelab.stats.pairs import Pairs
from gatelab.stats.permutation import swap_test
from gatelab.stats.proportion import Proportion, wilson

STEP = 2**0.25
"""By how much more trials are tried, each time: 19 %."""


@dataclass(frozen=True)
class Power:
    """How often a study of so many trials would show a difference.

    Attributes
    ----------
    difference
        δ, between the means of the best trials, in the measure's units.
    trials
        Of each cell.
    power
        Share of the made-up studies in which p was at most level / family, with its interval.
    level, family
        Of the test, and the number of comparisons that share it.
    """

    difference: float
    trials: int
    power: Proportion
    level: float
    family: int


def power_of_pairs(
    pairs: Pairs,
    difference: float,
    trials: int,
    *,
    share: float = 0.1,
    level: float = 0.05,
    family: int = 1,
    studies: int = 200,
    seed: int = 0,
) -> Power:
    """Return how often the test of swapped pairs would show a difference, from the pairs of a study.

    1. Move the first cell's results so that its best trials do not differ from the second's.
    2. Draw ``trials`` pairs with replacement, swap each with probability ½, and add δ to all results of the
       first cell, on validation and on test: a study in which nothing but δ distinguishes the cells.
    3. Test it. In a family of m, δ is taken as shown where p ≤ level / m, the first and hardest step of Holm.

    Parameters
    ----------
    pairs
        The study, of two cells on a task; how its results scatter is taken for how they would.
    difference
        δ; its sign does not matter much.
    studies
        How many to make.

    Raises
    ------
    ShapeError
        There is nothing to draw from, or fewer than two trials are wanted.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.pairs import Pairs
    >>> from gatelab.stats.power import power_of_pairs
    >>> from gatelab.stats.trials import Sample
    >>> loss, noise = np.random.default_rng(0).gamma(2, size=(2, 60))
    >>> pilot = Pairs.of(Sample("gru", loss + noise / 9, loss), Sample("lstm", loss, loss))
    >>> [power_of_pairs(pilot, d, 60, studies=50).power.value > 0.5 for d in (0.01, 1.0)]
    [False, True]

    Notes
    -----
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 25.
    """
    if not pairs.comparable or trials < 2 or family < 1:
        raise ShapeError(
            "power: wanted two pairs with results, two trials and a family of one at least, got "
            f"{len(pairs)} pairs, {trials} trials and a family of {family}"
        )
    first, second = pairs.best(share)
    level_of_one = level / family
    permutations = math.ceil(20 / level_of_one) - 1
    shown = 0
    for number in range(studies):
        random = np.random.default_rng([seed, number])
        drawn = random.integers(0, len(pairs), trials)
        side = random.integers(0, 2, trials)
        study = _moved(pairs, float(second.mean() - first.mean()))
        study = dataclasses.replace(
            study,
            badness=np.stack([study.badness[s, drawn] for s in (side, 1 - side)]),
            test=np.stack([study.test[s, drawn] for s in (side, 1 - side)]),
            lacking=np.stack([study.lacking[s, drawn] for s in (side, 1 - side)]),
        )
        if study.comparable:
            shown += swap_test(_moved(study, difference), share, permutations, number).p <= level_of_one
    return Power(difference, trials, wilson(shown, studies), level, family)


def trials_needed(
    pairs: Pairs,
    difference: float,
    *,
    power: float = 0.8,
    most: int = 2000,
    share: float = 0.1,
    level: float = 0.05,
    family: int = 1,
    studies: int = 200,
    seed: int = 0,
) -> tuple[int | None, tuple[Power, ...]]:
    """Return how many trials of each cell would show a difference, and what was tried to find out.

    The number is right to about a fifth: it is halved into among 10, 12, 14, 17, 20 … trials.

    Parameters
    ----------
    power
        Probability with which the difference is to be shown.
    most
        More trials than so are not tried; None comes back where they would be needed.

    Returns
    -------
    trials, tried
        The number, and the power of each number of trials that was tried, ascending.
    """
    ladder = [10]
    while ladder[-1] < most:
        ladder.append(min(most, math.ceil(ladder[-1] * STEP)))
    tried: dict[int, Power] = {}

    def enough(trials: int) -> bool:
        tried[trials] = power_of_pairs(
            pairs, difference, trials, share=share, level=level, family=family, studies=studies, seed=seed
        )
        return tried[trials].power.value >= power

    low, high = 0, len(ladder)
    while low < high:  # the largest number is tried only where all others are too few
        middle = (low + high) // 2
        low, high = (low, middle) if enough(ladder[middle]) else (middle + 1, high)
    found = ladder[low] if low < len(ladder) else None
    return found, tuple(tried[n] for n in sorted(tried))


def _moved(pairs: Pairs, by: float) -> Pairs:
    """Return the pairs with the first cell's results moved, in the measure's units."""
    up = np.array([[by], [0.0]])
    return dataclasses.replace(
        pairs, badness=pairs.badness + (up if pairs.lower else -up), test=pairs.test + up
    )
