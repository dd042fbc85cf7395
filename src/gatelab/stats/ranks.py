"""Which cells are better over all tasks? Average ranks, Friedman's test, Nemenyi's critical difference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, fdtrc

from gatelab.errors import ShapeError
from gatelab.stats.trials import Floats
from gatelab.stats.two_samples import midranks

PERMUTATIONS = 9999
LEAST_TASKS, LEAST_CELLS = 2, 3


@dataclass(frozen=True)
class Ranks:
    """Cells ranked on every task, 1 for the best.

    Attributes
    ----------
    ranks
        Average rank by cell, best first; equal results share the mean of their ranks.
    tasks
        Number of tasks: n of the tests.
    friedman, chi_p
        χ² with k − 1 degrees of freedom of k cells, without correction for ties, and its p.
    iman, iman_p
        Iman and Davenport's F with k − 1 and (k − 1)(n − 1) degrees of freedom, and its p.
    p
        Of Friedman's statistic by permuting ranks within tasks, which is sound however few tasks there are.
    difference
        Nemenyi's critical difference: average ranks that differ by less are not distinguished.
    groups
        The largest sets of cells that are not distinguished, best first; every cell is in one at least.
    level
        Of the critical difference.
    note
        Why there is no test, or how far it reaches; empty where nothing has to be said. Without a test its
        numbers are nan, and all cells are one group.
    """

    ranks: Mapping[str, float]
    tasks: int
    friedman: float
    chi_p: float
    iman: float
    iman_p: float
    p: float
    difference: float
    groups: tuple[tuple[str, ...], ...]
    level: float
    note: str


def rank(
    results: Mapping[str, Mapping[str, float]],
    lower: bool | Mapping[str, bool] = True,
    level: float = 0.05,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Ranks:
    """Return the average ranks of cells over tasks, with tests whether and where they differ.

    1. Rank the k cells on each of n tasks; R is a cell's average rank.
    2. Friedman: χ² = 12 n / (k (k + 1)) (Σ R² − k (k + 1)² / 4); F = (n − 1) χ² / (n (k − 1) − χ²).
    3. Nemenyi: cells differ where their ranks do by q √(k (k + 1) / 6n), with q the quantile of the
       studentized range of k, over √2.

    Parameters
    ----------
    results
        By task and cell, the same cells on every task; nan, no result, is worst.
    lower
        Whether lower results are better, of all tasks or by task.

    Raises
    ------
    ShapeError
        There is no task or cell, tasks have other cells, or the level is no probability.

    Examples
    --------
    >>> from gatelab.stats.ranks import rank
    >>> found = rank({"timit": {"lstm": 29.6, "gru": 29.9, "tanh": 40.0},
    ...               "iam": {"lstm": 9.3, "gru": 9.2, "tanh": 20.0}})
    >>> dict(found.ranks), found.groups
    ({'lstm': 1.5, 'gru': 1.5, 'tanh': 3.0}, (('lstm', 'gru', 'tanh'),))
    >>> print(found.note)
    2 tasks only: at the level 0.05 ranks would have to differ by 2.3, and they cannot by more than 2

    Notes
    -----
    J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", Journal of Machine Learning
    Research 7, 2006.
    """
    cells, signed = _signed(results, lower)
    if not 0 < level < 1:
        raise ShapeError(f"ranks: wanted a level between 0 and 1, such as 0.05; got {level}")
    ranked = np.stack([midranks(row)[0] for row in signed])
    n, k = ranked.shape
    average = ranked.mean(0)
    order = np.argsort(average, kind="stable")
    ranks = {cells[i]: float(average[i]) for i in order}
    if n < LEAST_TASKS or k < LEAST_CELLS:
        note = f"no test over tasks: there are {n} tasks and {k} cells, wanted 2 and 3 or more"
        no = math.nan
        return Ranks(ranks, n, no, no, no, no, no, no, (tuple(ranks),), level, note)
    chi = 12 * n / (k * (k + 1)) * float((average**2).sum() - k * (k + 1) ** 2 / 4)
    most = n * (k - 1)
    iman = (n - 1) * chi / (most - chi) if chi < most - 1e-9 else math.inf
    difference = critical_difference(k, n, level)
    note = ""
    if difference >= k - 1:
        note = (
            f"{n} tasks only: at the level {level} ranks would have to differ by {difference:.1f}, and they "
            f"cannot by more than {k - 1}"
        )
    return Ranks(
        ranks,
        n,
        chi,
        float(chdtrc(k - 1, chi)),
        iman,
        float(fdtrc(k - 1, (k - 1) * (n - 1), iman)) if math.isfinite(iman) else 0.0,
        _permuted(ranked, permutations, seed),
        difference,
        _groups(ranks, difference),
        level,
        note,
    )


def critical_difference(cells: int, tasks: int, level: float = 0.05) -> float:
    """Return by how much average ranks must differ, at least, for two cells to be called different.

    Examples
    --------
    >>> from gatelab.stats.ranks import critical_difference
    >>> round(critical_difference(4, 14), 2)
    1.25

    Notes
    -----
    P. Nemenyi, "Distribution-free multiple comparisons", Princeton University, 1963.
    """
    from scipy import stats  # takes a second to be read

    range_of = stats.studentized_range  # type: ignore[attr-defined]
    q = float(range_of.ppf(1 - level, cells, math.inf)) / math.sqrt(2)
    return q * math.sqrt(cells * (cells + 1) / (6 * tasks))


def _signed(
    results: Mapping[str, Mapping[str, float]], lower: bool | Mapping[str, bool]
) -> tuple[list[str], Floats]:
    """Return the cells, and their results ``[n, k]`` so that lower is better."""
    if not results or not all(results.values()):
        raise ShapeError("ranks: wanted one task and one cell at least")
    cells = list(next(iter(results.values())))
    rows = []
    for task, row in results.items():
        if set(row) != set(cells):
            raise ShapeError(f"ranks: wanted the cells {', '.join(cells)} on {task}, got {', '.join(row)}")
        sign = 1 if (lower if isinstance(lower, bool) else lower[task]) else -1
        values = np.array([sign * row[c] for c in cells], np.float64)
        rows.append(np.where(np.isnan(values), np.inf, values))
    return cells, np.stack(rows)


def _permuted(ranked: Floats, permutations: int, seed: int) -> float:
    """Return how often chance spreads the average ranks as far: Σ R² grows with χ²."""
    random = np.random.default_rng(seed)
    found, extreme = float((ranked.mean(0) ** 2).sum()), 0
    for _ in range(permutations):
        extreme += float((random.permuted(ranked, axis=1).mean(0) ** 2).sum()) >= found - 1e-9
    return (1 + extreme) / (1 + permutations)


def _groups(ranks: Mapping[str, float], difference: float) -> tuple[tuple[str, ...], ...]:
    names, values = list(ranks), list(ranks.values())
    ends = [
        max(j for j in range(len(names)) if values[j] - values[i] < difference) for i in range(len(names))
    ]
    starts = [i for i in range(len(names)) if i == 0 or ends[i] > ends[i - 1]]
    return tuple(tuple(names[i : ends[i] + 1]) for i in starts)
