"""The figures of a study's report, task by task, each with a caption that says of how many trials it is."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any, NamedTuple

from gatelab.draw.best_boxes import best_boxes
from gatelab.draw.best_curves import best_curve_rows, best_curves
from gatelab.draw.best_of_n import best_of_n
from gatelab.draw.importances import POOLED
from gatelab.draw.marginal import marginal
from gatelab.draw.pair_map import pair_map
from gatelab.draw.place_axis import title_of
from gatelab.draw.rank_diagram import rank_diagram
from gatelab.draw.share_bars import share_bars
from gatelab.draw.trial_scatter import scatter_rows, trial_scatter
from gatelab.report.frame import Figure, specification
from gatelab.report.study_numbers import StudyNumbers, TaskNumbers

SCATTERED = "learning_rate"
"""The hyper-parameter against which all trials are shown, if it is drawn; else the first one."""


class TaskFigures(NamedTuple):
    """The figures of one task: what the cells found, shares of variance, marginals, pairs."""

    found: list[Figure]
    shares: list[Figure]
    marginals: list[Figure]
    pairs: list[Figure]

    @property
    def all(self) -> list[Figure]:
        """Every figure."""
        return [*self.found, *self.shares, *self.marginals, *self.pairs]


def task_figures(numbers: StudyNumbers, task: TaskNumbers, place: str) -> TaskFigures:
    """Return the figures of a task; those for which there are too few trials are left out."""
    return TaskFigures(
        _found(numbers, task, place), _shares(task, place), _marginals(task, place), _pairs(task, place)
    )


def _found(numbers: StudyNumbers, task: TaskNumbers, place: str) -> list[Figure]:
    trials, figures = task.trials, list[Figure]()
    counts = [len(trials.best(c, numbers.share)) for c in trials.cells]
    if any(counts):
        marked = ""
        if numbers.reference is not None:
            marked = (
                f" Triangles mark cells worse (▼) or better (▲) than {numbers.reference}: permutation test "
                "of pairs, adjusted by Holm; the dashed line is the reference's mean."
            )
        caption = (
            f"Test values of each cell's best trials on validation, {_range(counts)} a cell; box: quartiles, "
            f"diamond: mean, bars behind: mean number of parameters.{marked}"
        )
        chart = best_boxes(trials, numbers.said(task), numbers.share)
        figures.append((f"{place}-boxes", caption, specification(chart)))
    name = _scattered(task)
    if name is not None and scatter_rows(trials, name):
        ended = sum(len(trials.of(c)) for c in trials.cells)
        caption = f"All {ended:,} trials that have ended, failed ones left out, against {title_of(name)}."
        figures.append((f"{place}-trials", caption, specification(trial_scatter(trials, name))))
    if task.best_of:
        caption = (
            "What a random search of n trials would have found: mean over all choices of n, of "
            f"{_range([len(trials.of(c)) for c in task.best_of])} trials a cell. On a click in the legend "
            "with 95 % intervals, by the bootstrap, for up to a fifth of the trials."
        )
        rows = best_of_rows(task)
        figures.append(
            (f"{place}-best-of", caption, specification(best_of_n(rows, trials.cells, trials.title)))
        )
    if any(len(r["epoch"]) > 1 for r in best_curve_rows(trials)):
        caption = "Learning curves of each cell's best trial on validation (1 a cell); thin lines: training."
        figures.append((f"{place}-curves", caption, specification(best_curves(trials))))
    return figures


def best_of_rows(task: TaskNumbers) -> list[dict[str, Any]]:
    """Return what the figure of best-of-n curves shows."""
    rows = []
    for cell, found in task.best_of.items():
        for best in found:
            row = {"cell": cell, "n": best.n, "value": _short(best.test.value)}
            if math.isfinite(best.test.low) and math.isfinite(best.test.high):
                row |= {"low": _short(best.test.low), "high": _short(best.test.high)}
            rows.append(row)
    return rows


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def ranks_figure(numbers: StudyNumbers) -> list[Figure]:
    """Return the diagram of mean ranks, if there are ranks."""
    ranks = numbers.ranks
    if ranks is None:
        return []
    distance = ranks.difference if math.isfinite(ranks.difference) else None
    caption = (
        f"Mean ranks over {ranks.tasks} tasks; upright bars join cells that Nemenyi's test does not tell "
        "apart."
    )
    return [("ranks", caption, specification(rank_diagram(ranks.ranks, ranks.groups, distance)))]


def _scattered(task: TaskNumbers) -> str | None:
    """Return the hyper-parameter that trials are shown against; None where nothing is drawn."""
    space = task.trials.space
    return SCATTERED if SCATTERED in space else next(iter(space), None)


def _shares(task: TaskNumbers, place: str) -> list[Figure]:
    if not task.importances:
        return []
    trials = _range([i.n for c, i in task.importances.items() if c != POOLED] or [0])
    seeds = next(iter(task.importances.values())).interactions.n
    caption = (
        f"Shares of variance of {task.trials.title} (functional ANOVA, {trials} trials a cell); lines at the "
        f"parts' ends: 95 % interval over {seeds} seeds of the forest."
    )
    return [(f"{place}-shares", caption, specification(share_bars(task.importances)))]


def _marginals(task: TaskNumbers, place: str) -> list[Figure]:
    if not task.importances:
        return []
    figures = []
    for name in task.trials.space:
        pooled = ""
        if POOLED in task.importances:
            number = task.importances[POOLED].n
            pooled = f" Thick: all cells ({number:,} trials), with one standard deviation over trees."
        timed = "" if task.seconds is None else f" Dotted: seconds of training ({task.seconds.n:,} trials)."
        caption = f"{title_of(name).capitalize()}: mean over all other hyper-parameters.{pooled}{timed}"
        chart = marginal(task.trials, task.importances, name, task.seconds)
        figures.append((f"{place}-marginal-{name}", caption, specification(chart)))
    return figures


def _pairs(task: TaskNumbers, place: str) -> list[Figure]:
    if not task.importances:
        return []
    figures = []
    last = list(task.importances)[-1]
    for first, second in combinations(task.trials.space, 2):
        found = task.importances[last]
        share = 100 * found.shares[first, second].mean
        caption = (
            f"{title_of(first).capitalize()} and {title_of(second)}; of {last} ({found.n:,} trials) their "
            f"interaction is {share:.1f} % of the variance."
        )
        chart = pair_map(task.trials, task.importances, first, second)
        figures.append((f"{place}-pair-{first}-{second}", caption, specification(chart)))
    return figures


def _range(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{high:,}" if low == high else f"{low:,} to {high:,}"
