"""The functional analysis of variance of a study's trials: of one cell, or of all cells together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gatelab.draw.task_trials import TaskTrials
from gatelab.errors import ShapeError
from gatelab.runs.space import Choice, Dimension, position
from gatelab.runs.study import StudyTrial
from gatelab.stats.importance import FEWEST, Importance, importance

POOLED = "all cells"
CELL = "cell"
"""What the choice of the cell is called, where all are analysed together."""
MOST_LEAVES = 200


def study_importance(
    trials: TaskTrials,
    cell: str | None = None,
    value: Callable[[StudyTrial], float | None] | None = None,
    *,
    trees: int = 64,
    seeds: int = 5,
) -> Importance | None:
    """Return what the hyper-parameters of a study matter; None with fewer than four different results.

    Trials without a result, as most that diverged, are left out; values that are worse than 95 % of the rest
    are brought to that quantile (:func:`gatelab.stats.importance.importance`).

    Parameters
    ----------
    cell
        One cell's trials; None takes all cells' together, with the cell as one more dimension, its values in
        the order of the plan.
    value
        Of what; by default the test value of the task's measure.
    """
    chosen = trials.cells if cell is None else [cell]
    space = dimensions(trials, cell)
    rows, values = [], []
    for name in chosen:
        for trial in trials.of(name):
            found = trials.value(trial) if value is None else value(trial)
            if found is not None:
                rows.append(_places(trials, trial, space))
                values.append(found)
    sign = -1.0 if value is None and not trials.lower else 1.0
    y = sign * np.array(values)
    if len(y) < FEWEST or not space or len(np.unique(y)) < 2:
        return None
    leaf = max(3, len(y) // MOST_LEAVES)
    try:
        found_of = importance(rows, y, list(space), trees=trees, seeds=seeds, smallest_leaf=leaf)
    except ShapeError:
        return None
    return found_of if sign > 0 else _turned(found_of)


def dimensions(trials: TaskTrials, cell: str | None = None) -> dict[str, Dimension]:
    """Return the space that is analysed: what is drawn, and the cell where there are several."""
    if cell is None and len(trials.cells) > 1:
        return {**trials.space, CELL: Choice(values=tuple(trials.cells))}
    return trials.space


def _places(trials: TaskTrials, trial: StudyTrial, space: dict[str, Dimension]) -> list[float]:
    drawn = {**trials.drawn(trial), CELL: trial.cell}
    return [min(1.0, max(0.0, position(d, drawn[n]))) for n, d in space.items()]


def _turned(found: Importance) -> Importance:
    """Return the analysis of values whose sign was turned, so that the higher were the worse."""
    marginals = {n: m._replace(mean=-m.mean) for n, m in found.marginals.items()}
    return found._replace(marginals=marginals, pairs={n: -p for n, p in found.pairs.items()})
