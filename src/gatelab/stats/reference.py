"""Every cell of a study against one of them: the best trials on each task, with tests and intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gatelab.errors import ConfigError, near_misses
from gatelab.stats.holm import holm
from gatelab.stats.pairs import Pairs
from gatelab.stats.permutation import PERMUTATIONS, Permuted, swap_test
from gatelab.stats.resampling import DRAWS, BestTrials, Estimate, best_trials
from gatelab.stats.trials import Sample
from gatelab.stats.two_samples import MannWhitney, Welch, mann_whitney, welch

Verdict = Literal["worse", "better", "no difference shown", "not tested"]


@dataclass(frozen=True)
class Comparison:
    """The best trials of a cell and of the reference on one task.

    Attributes
    ----------
    task, cell, reference
        Their names.
    trials, best
        Trials that both cells made, and how many of each are the best and compared.
    without_result
        How many of the cell's and of the reference's compared trials gave no result and so count as the
        worst, because fewer than ``best`` ended.
    lower
        Whether lower results are better.
    found
        Means, difference (cell minus reference) and effect size, with bootstrap intervals.
    superiority
        Probability that one of the cell's best trials is *better* than one of the reference's.
    permuted, welch, mann_whitney
        The test that decides, and two that take the trials as independent, as papers report them.
    adjusted
        p of these three by Holm over the family, in this order; nan where not tested.
    family, level
        Comparisons in the family, and the level of the verdict.
    verdict
        By the adjusted p of the permutation test.
    """

    task: str
    cell: str
    reference: str
    trials: int
    best: int
    without_result: tuple[int, int]
    lower: bool
    found: BestTrials | None
    superiority: Estimate | None
    permuted: Permuted | None
    welch: Welch | None
    mann_whitney: MannWhitney | None
    adjusted: tuple[float, float, float]
    family: int
    level: float
    verdict: Verdict

    @property
    def p(self) -> float:
        """p of the permutation test, adjusted by Holm; nan where not tested."""
        return self.adjusted[0]

    @property
    def sentence(self) -> str:
        """The comparison in one sentence, with n and the tests."""
        if self.found is None or self.permuted is None or self.welch is None or self.mann_whitney is None:
            return (
                f"{self.cell} on {self.task}: not tested against {self.reference}, there are no two pairs of "
                f"trials with results ({self.trials} pairs)."
            )
        gap, n = self.found.difference, self.trials
        mine, its = self.found.means
        lost = sum(self.without_result)
        parts = (
            f"{self.cell} on {self.task}: mean of the best {self.best} of {n} trials {mine:.4g}, ",
            f"of {self.reference} {its:.4g}",
            f" ({lost} of the compared trials gave no result and count as the worst)" if lost else "",
            f"; difference {gap.value:+.3g} [{gap.low:+.3g}, {gap.high:+.3g}] ",
            f"({100 * (1 - self.level):g} %, bootstrap of {n} pairs): {self.verdict}, p = {self.p:.2g} ",
            f"(permutation of {n} pairs, Holm over {self.family}); ",
            f"Welch's t-test of {self.best} and {self.best} trials p = {self.welch.p:.2g}, ",
            f"with Holm {self.adjusted[1]:.2g}; ",
            f"Mann–Whitney p = {self.mann_whitney.p:.2g}, with Holm {self.adjusted[2]:.2g}.",
        )
        return "".join(parts)


def compare_to_reference(
    tasks: Mapping[str, Mapping[str, Sample]],
    reference: str,
    *,
    share: float = 0.1,
    level: float = 0.05,
    permutations: int = PERMUTATIONS,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[Comparison, ...]:
    """Return every cell's comparison with the reference on every task, in the order given.

    1. On each task, choose the best ``share`` of each cell's trials by validation and compare them on test,
       with :func:`~gatelab.stats.permutation.swap_test` and :func:`~gatelab.stats.resampling.best_trials`.
    2. Adjust p by Holm over all cells and tasks; a cell is worse or better where that is at most ``level``.

    On null studies, whose cells are all the same, this says worse or better of any cell in at most ``level``
    of the studies; :mod:`gatelab.stats.null_studies` measures that, and how far Welch's test is from it.

    Parameters
    ----------
    tasks
        The cells' samples by task and cell.
    reference
        The cell that all others are compared with; every task has it.
    share
        Of the trials that are the best; 0.1 in K. Greff et al., "LSTM: A Search Space Odyssey", 2015.
    level
        Of the family's tests; intervals are at 1 − level.

    Raises
    ------
    ConfigError
        A task has no cell of the reference's name, or so few permutations could show nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.stats.reference import compare_to_reference
    >>> from gatelab.stats.trials import Sample
    >>> loss, noise = np.random.default_rng(0).gamma(2, size=(2, 100))
    >>> cells = {"lstm": Sample("lstm", loss, loss), "nfg": Sample("nfg", loss + noise, loss + noise)}
    >>> row, = compare_to_reference({"jsb": cells}, "lstm", draws=500, permutations=999)
    >>> print(row.sentence[:86])
    nfg on jsb: mean of the best 10 of 100 trials 1.202, of lstm 0.3437; difference +0.858
    >>> row.verdict, row.p, row.best
    ('worse', 0.001, 10)
    """
    for task, cells in tasks.items():
        if reference not in cells:
            raise ConfigError(f"task {task} has no cell {reference}{near_misses(reference, cells)}")
    family = sum(len(cells) - 1 for cells in tasks.values())
    if family > level * (1 + permutations):
        raise ConfigError(
            f"{family} comparisons at the level {level} want {-(-family // level):.0f} permutations or more, "
            f"got {permutations}"
        )
    kept = [
        (task, cell, Pairs.of(sample, cells[reference]))
        for task, cells in tasks.items()
        for cell, sample in cells.items()
        if cell != reference
    ]
    tests = [three_tests(pairs, share, permutations, seed) for _, _, pairs in kept]
    adjusted = zip(
        *(holm([p.p if p else float("nan") for p in one]) for one in _transposed(tests)), strict=True
    )
    made = sum(t[0] is not None for t in tests)
    rows = []
    for (task, cell, pairs), (permuted, by_welch, by_ranks), ps in zip(kept, tests, adjusted, strict=True):
        found = best_trials(pairs, share, 1 - level, draws, seed) if pairs.comparable else None
        rows.append(
            Comparison(
                task=task,
                cell=cell,
                reference=reference,
                trials=len(pairs),
                best=pairs.count(share),
                without_result=pairs.without_result(share),
                lower=pairs.lower,
                found=found,
                superiority=None if found is None else _better(found.above, pairs.lower),
                permuted=permuted,
                welch=by_welch,
                mann_whitney=by_ranks,
                adjusted=(ps[0], ps[1], ps[2]),
                family=made,
                level=level,
                verdict=_verdict(permuted, ps[0], level, pairs.lower),
            )
        )
    return tuple(rows)


Tests = tuple[Permuted | None, Welch | None, MannWhitney | None]


def three_tests(pairs: Pairs, share: float, permutations: int = PERMUTATIONS, seed: int = 0) -> Tests:
    """Return the three tests of two cells' best trials; None where there is nothing to compare."""
    if not pairs.comparable:
        return None, None, None
    first, second = pairs.best(share)
    return swap_test(pairs, share, permutations, seed), welch(first, second), mann_whitney(first, second)


def _transposed(tests: list[Tests]) -> tuple[list[Permuted | Welch | MannWhitney | None], ...]:
    return [t[0] for t in tests], [t[1] for t in tests], [t[2] for t in tests]


def _better(above: Estimate, lower: bool) -> Estimate:
    return Estimate(1 - above.value, 1 - above.high, 1 - above.low) if lower else above


def _verdict(permuted: Permuted | None, p: float, level: float, lower: bool) -> Verdict:
    if permuted is None:
        return "not tested"
    if not p <= level or permuted.difference == 0:
        return "no difference shown"
    return "worse" if (permuted.difference > 0) == lower else "better"
