"""Does a cell differ from another in its best trials? The permutation test that swaps them within pairs.

A study gives trial k of every cell the same settings and seed. If two cells are one and the same under two
names, either result of a pair could as well have been the other cell's. So the results of every pair are
swapped or not, by chance, and all that was done with the results is done again: the trials are chosen by
validation, and the chosen ones' means compared. How often the difference is as large as the one that was
found is the p value. It holds its level however the settings matter, however heavy the tails are, whether
trials diverge or not, and although the best are chosen; a t-test of the chosen trials does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ShapeError
from gatelab.stats.pairs import Pairs
from gatelab.stats.trials import Floats

PERMUTATIONS = 9999
BLOCK = 1 << 22
"""The most numbers that are held at once."""


@dataclass(frozen=True)
class Permuted:
    """What the test of swapped pairs found.

    Attributes
    ----------
    difference
        Mean of the first cell's best trials minus mean of the second's, on test.
    p
        Two-sided: (1 + swaps as extreme) / (1 + swaps), or the exact share where all swaps were made.
    pairs, best
        Trials of each cell, and how many of them were chosen.
    swaps
        How many ways to swap were tried.
    """

    difference: float
    p: float
    pairs: int
    best: int
    swaps: int


def swap_test(pairs: Pairs, share: float = 0.1, permutations: int = PERMUTATIONS, seed: int = 0) -> Permuted:
    """Return the permutation test of the difference of two cells' best trials.

    1. Choose the best ``share`` of either cell's trials by validation; D is the difference of their means on
       test.
    2. Swap the two results, validation and test together, of each pair with probability ½, choose the best
       trials again, and take D* of them. Do so ``permutations`` times; with few pairs, all ways once.
    3. p is the share of |D*| ≥ |D|, where D itself is one of them.

    Parameters
    ----------
    pairs
        Two or more.
    share
        Of the trials that are compared, such as the best 10 %.
    permutations
        p is no smaller than 1 / (1 + permutations); a family of m tests wants 20 m or more at the level 5 %.

    Raises
    ------
    ShapeError
        There are fewer than two pairs, no result, or no permutation.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.pairs import Pairs
    >>> from gatelab.stats.permutation import swap_test
    >>> from gatelab.stats.trials import Sample
    >>> loss = np.random.default_rng(0).gamma(2, size=200)
    >>> pairs = Pairs.of(Sample("gru", loss + 0.2, loss + 0.2), Sample("lstm", loss, loss))
    >>> found = swap_test(pairs)
    >>> round(found.difference, 6), found.p, found.best, found.pairs
    (0.2, 0.0001, 20, 200)

    Notes
    -----
    R. A. Fisher, "The Design of Experiments", 1935, section 21; B. Phipson and G. K. Smyth, "Permutation
    P-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9, 2010.
    """
    if not pairs.comparable:
        raise ShapeError(
            f"permutation test of {' and '.join(pairs.names)}: wanted two pairs of trials and results, "
            f"got {len(pairs)} pairs, {int(pairs.lacking.sum())} of {pairs.lacking.size} trials without one"
        )
    if permutations < 1:
        raise ShapeError(f"permutation test: wanted one permutation at least, got {permutations}")
    k, contest = pairs.count(share), Swapped(pairs, pairs.count(share))
    found = float(contest.differences(np.zeros((1, len(pairs)), np.uint8))[0])
    least = abs(found) - 1e-12 * float(np.abs(pairs.test).max())  # sums in another order differ a little
    every = len(pairs) < 60 and 1 << len(pairs) <= permutations
    swaps = 1 << len(pairs) if every else permutations
    random, extreme = np.random.default_rng(seed), 0
    for rows in _blocks(swaps, contest.reach):
        if every:
            chosen = (np.arange(rows.start, rows.stop)[:, None] >> np.arange(len(pairs)) & 1).astype(np.uint8)
        else:
            chosen = random.integers(0, 2, (len(rows), len(pairs)), np.uint8)
        extreme += int((np.abs(contest.differences(chosen)) >= least).sum())
    p = extreme / swaps if every else (1 + extreme) / (1 + swaps)
    return Permuted(found, p, len(pairs), k, swaps)


class Swapped:
    """The difference of the best trials' means when pairs are swapped, for many ways to swap at once.

    All trials of both cells stand in one row, best first. A way to swap says of each place whose trial it is;
    the first k places of either cell are its best trials.
    """

    def __init__(self, pairs: Pairs, k: int) -> None:
        place = np.argsort(pairs.badness.T.reshape(-1), kind="stable")  # equal ones by number
        self.pair, self.second = place // 2, (place % 2).astype(np.uint8)
        self.test, self.k = pairs.test.T.reshape(-1)[place], k
        self.reach = min(len(place), 4 * k + 40)
        """How many places are looked at first: among so many there are nearly always k of each cell."""

    def differences(self, swapped: NDArray[np.uint8]) -> Floats:
        """Return the difference for each way ``[B, N]`` to swap, 1 where a pair is swapped."""
        for reach in (self.reach, len(self.test)):
            of_second = swapped[:, self.pair[:reach]] ^ self.second[:reach]  # [B, reach]
            count = np.cumsum(of_second, 1, dtype=np.int32)
            last = count[:, -1]
            if last.min() >= self.k and (reach - last).min() >= self.k:
                break
        other = np.arange(1, reach + 1, dtype=np.int32) - count
        first = (other <= self.k) & (of_second == 0)
        second = (count <= self.k) & (of_second == 1)
        return np.asarray((first.astype(np.float64) - second) @ self.test[:reach] / self.k)


def _blocks(count: int, width: int) -> list[range]:
    most = max(1, BLOCK // width)
    return [range(at, min(at + most, count)) for at in range(0, count, most)]
