"""How often the statistics of studies see a difference where there is none.

A null study has one cell under several names: what is then called worse or better is a false positive. Its
trials look like those of random search: results depend mostly on the settings drawn, less on the seed.

Of 1,000 studies of each kind in :data:`KINDS`, with 24 comparisons of 200 trials, at the level 5 %, these
called some cell worse or better: Welch's test of the best trials in 55 to 95 %; the same with Holm's
adjustment in 5 to 40 %; Mann–Whitney's with Holm in 4 to 54 %; the permutation of pairs with Holm in 2.9
to 4.4 %. The best trials are chosen, and trials of two cells may share
settings: Welch and Mann–Whitney know of neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gatelab.errors import ConfigError, near_misses
from gatelab.stats.holm import holm
from gatelab.stats.pairs import Pairs
from gatelab.stats.proportion import Proportion, wilson
from gatelab.stats.reference import three_tests
from gatelab.stats.trials import Floats, Sample

Study = Mapping[str, Mapping[str, Sample]]
"""Samples by task and cell."""
PROCEDURES = (
    "Welch, unadjusted",
    "Welch, Holm",
    "Mann–Whitney, Holm",
    "permutation of pairs, Holm",
)
"""What may decide; the first is what papers do, the last is what gatelab does."""


@dataclass(frozen=True)
class FalsePositives:
    """How often each procedure saw a difference in a null study of this kind.

    Attributes
    ----------
    kind
        Of study, a name in :data:`KINDS`.
    comparisons, trials
        Cells × tasks that were compared with the reference, and trials of each.
    rates
        By procedure: the share of studies in which it called any cell worse or better.
    """

    kind: str
    comparisons: int
    trials: int
    rates: Mapping[str, Proportion]


def false_positives(
    draw: Callable[[np.random.Generator], Study],
    studies: int,
    *,
    share: float = 0.1,
    level: float = 0.05,
    permutations: int = 999,
    seed: int = 0,
) -> dict[str, Proportion]:
    """Return the share of studies in which each procedure sees any difference from the first cell.

    Parameters
    ----------
    draw
        Makes a study in which all cells are the same.
    studies
        How many to make.

    Examples
    --------
    >>> from gatelab.stats.null_studies import KINDS, false_positives
    >>> rates = false_positives(lambda random: KINDS["own settings"](random, 2, 3, 40), 50)
    >>> rates["permutation of pairs, Holm"].holds(0.05), rates["Welch, unadjusted"].n
    (True, 50)
    """
    wrong = dict.fromkeys(PROCEDURES, 0)
    for number in range(studies):
        random = np.random.default_rng([seed, number])
        pairs = [
            Pairs.of(sample, reference)
            for cells in draw(random).values()
            for reference, *others in [list(cells.values())]
            for sample in others
        ]
        found = [three_tests(p, share, permutations, number) for p in pairs if p.comparable]
        by_swaps, by_welch, by_ranks = ([t.p for t in one if t] for one in zip(*found, strict=True))
        smallest = (min(by_welch), *(min(holm(p)) for p in (by_welch, by_ranks, by_swaps)))
        for procedure, p in zip(PROCEDURES, smallest, strict=True):
            wrong[procedure] += p <= level
    return {procedure: wilson(count, studies) for procedure, count in wrong.items()}


def measured(
    kinds: Iterable[str] = (),
    studies: int = 200,
    *,
    tasks: int = 3,
    cells: int = 9,
    trials: int = 200,
    permutations: int = 999,
    seed: int = 0,
) -> tuple[FalsePositives, ...]:
    """Return the rates of false positives for kinds of null studies, all where none is named.

    Raises
    ------
    ConfigError
        No kind of study has that name, or so few permutations could show nothing.
    """
    comparisons = tasks * (cells - 1)
    if comparisons > 0.05 * (1 + permutations):
        raise ConfigError(
            f"{comparisons} comparisons want {20 * comparisons} permutations, got {permutations}"
        )
    rows = []
    for kind in kinds or KINDS:
        if kind not in KINDS:
            raise ConfigError(f"no kind of null study is called {kind!r}{near_misses(kind, KINDS)}")
        made = KINDS[kind]
        rates = false_positives(
            lambda random, made=made: made(random, tasks, cells, trials),  # type: ignore[misc]
            studies,
            permutations=permutations,
            seed=seed,
        )
        rows.append(FalsePositives(kind, comparisons, trials, rates))
    return tuple(rows)


def table(rows: Iterable[FalsePositives]) -> str:
    """Return the rates as a Markdown table: per cent of studies with a false positive, with 95 % intervals.

    Examples
    --------
    >>> from gatelab.stats.null_studies import measured, table
    >>> print(table(measured(["shared settings"], 5, tasks=1, cells=2, trials=20, permutations=99)))
    | null study | comparisons | trials | studies | Welch, unadjusted | Welch, Holm | ...
    |---|---|---|---|---|---|---|---|
    | shared settings | 1 | 20 | 5 | ...
    """
    lines = [
        f"| null study | comparisons | trials | studies | {' | '.join(PROCEDURES)} |",
        "|" + "---|" * (4 + len(PROCEDURES)),
    ]
    for row in rows:
        shares = [row.rates[p] for p in PROCEDURES]
        said = [f"{100 * s.value:.1f} % [{100 * s.low:.1f}, {100 * s.high:.1f}]" for s in shares]
        studies = shares[0].n
        lines.append(f"| {row.kind} | {row.comparisons} | {row.trials} | {studies} | {' | '.join(said)} |")
    return "\n".join(lines)


def _study(
    random: np.random.Generator,
    tasks: int,
    cells: int,
    trials: int,
    noise: Callable[[int], Floats],
    shared: bool = True,
    lost: float = 0.0,
    digits: int | None = None,
) -> Study:
    """Return a null study: a loss that is a valley in the learning rate, and falls with the size."""
    study = {}
    for task in range(tasks):
        settings = random.uniform(size=(2, trials))
        samples = {}
        for cell in range(cells):
            rate, size = settings if shared else random.uniform(size=(2, trials))
            result = 8 + 4 * (rate - 0.6) ** 2 - 0.2 * size + noise(trials)
            valid, test = result + random.normal(0, 0.02, trials), result + random.normal(0, 0.02, trials)
            valid[(rate > 0.95) | (random.uniform(size=trials) < lost)] = np.nan
            if digits is not None:
                valid, test = valid.round(digits), test.round(digits)
            samples[f"cell {cell}"] = Sample(f"cell {cell}", valid, test)
        study[f"task {task}"] = samples
    return study


def _shared(random: np.random.Generator, tasks: int, cells: int, trials: int) -> Study:
    return _study(random, tasks, cells, trials, lambda n: random.normal(0, 0.05, n))


def _noisy(random: np.random.Generator, tasks: int, cells: int, trials: int) -> Study:
    return _study(random, tasks, cells, trials, lambda n: random.normal(0, 0.5, n))


def _heavy(random: np.random.Generator, tasks: int, cells: int, trials: int) -> Study:
    return _study(random, tasks, cells, trials, lambda n: 0.1 * random.standard_t(2, n), lost=0.2)


def _own(random: np.random.Generator, tasks: int, cells: int, trials: int) -> Study:
    return _study(random, tasks, cells, trials, lambda n: random.normal(0, 0.05, n), shared=False)


def _few(random: np.random.Generator, tasks: int, cells: int, trials: int) -> Study:
    return _study(random, tasks, cells, trials, lambda n: random.normal(0, 0.05, n), digits=1)


KINDS: Mapping[str, Callable[[np.random.Generator, int, int, int], Study]] = MappingProxyType(
    {
        "shared settings": _shared,
        "noisy": _noisy,
        "heavy tails": _heavy,
        "own settings": _own,
        "few values": _few,
    }
)
"""Kinds of null studies by name; each makes one from a generator, tasks, cells and trials.

===================  =====================================================================================
``shared settings``  trial k of all cells has the same settings, as in gatelab's studies; some noise
``noisy``            the same, with noise of the seeds as large as what the settings do
``heavy tails``      the same, with noise of Student's t with 2 degrees of freedom, and every fifth trial lost
``own settings``     every cell draws its own settings, as in independent searches
``few values``       shared settings, and results with one decimal, so that many are equal
===================  =====================================================================================
"""
