"""All that a study's report computes: comparisons with a reference, and what the hyper-parameters matter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gatelab.draw.best_boxes import REFERENCE, Said
from gatelab.draw.importances import POOLED, study_importance
from gatelab.draw.task_trials import SHARE, TaskTrials
from gatelab.errors import ConfigError, near_misses
from gatelab.runs.study import StudyTrial
from gatelab.runs.study_table import StudyRecord
from gatelab.stats.best_of_n import BestOf, best_of_n
from gatelab.stats.importance import SEEDS, TREES, Importance
from gatelab.stats.ranks import LEAST_CELLS, LEAST_TASKS, Ranks, rank
from gatelab.stats.reference import Comparison, compare_to_reference


@dataclass(frozen=True)
class TaskNumbers:
    """What was computed of one task.

    Attributes
    ----------
    comparisons
        Of each other cell with the reference, by the cell's name.
    importances
        Of each cell, and of all together where there are several; without those that have too few results.
    best_of
        What n trials would have found, by cell.
    seconds
        What the hyper-parameters do to the time of a training, over all cells.
    """

    trials: TaskTrials
    comparisons: Mapping[str, Comparison]
    importances: Mapping[str, Importance]
    best_of: Mapping[str, tuple[BestOf, ...]]
    seconds: Importance | None


@dataclass(frozen=True)
class StudyNumbers:
    """What was computed of a study.

    Attributes
    ----------
    reference
        The cell that the others are compared with, if any.
    share
        Of a cell's trials that are its best.
    ranks
        Of the cells over tasks, by the mean of their best trials; None without two tasks and three cells of
        which each has a result on one of them.
    """

    record: StudyRecord
    reference: str | None
    share: float
    tasks: tuple[TaskNumbers, ...]
    ranks: Ranks | None

    def said(self, task: TaskNumbers) -> Said | None:
        """Return for each cell p and verdict, as the box plots are marked by; None without a reference."""
        if self.reference is None:
            return None
        found: dict[str, tuple[float | None, str]] = {self.reference: (None, REFERENCE)}
        for cell, row in task.comparisons.items():
            found[cell] = (row.p if row.p == row.p else None, row.verdict)
        return found


def study_numbers(
    record: StudyRecord,
    reference: str | None = None,
    *,
    share: float = SHARE,
    trees: int = TREES,
    seeds: int = SEEDS,
) -> StudyNumbers:
    """Return what a study's report computes.

    Parameters
    ----------
    reference
        The cell that all others are compared with; None takes that of the plan's findings, if they name one,
        and else compares none.
    share
        Of a cell's trials that are its best.
    trees, seeds
        Of the forests of the functional analysis of variance.

    Raises
    ------
    ConfigError
        The study has no cell of the reference's name.
    """
    names = [c.name for c in record.plan.cells]
    if reference is None:
        named = {f.reference for f in record.plan.findings if f.reference in names}
        reference = named.pop() if len(named) == 1 else None
    if reference is not None and reference not in names:
        hint = near_misses(reference, names)
        raise ConfigError(
            f"study {record.plan.name} has no cell {reference!r} to compare with{hint}; "
            f"its cells are {', '.join(names)}"
        )
    tasks = [TaskTrials(record, t.name) for t in record.plan.tasks]
    samples = {t.name: {c: t.sample(c) for c in names} for t in tasks}
    rows = compare_to_reference(samples, reference, share=share) if reference and len(names) > 1 else ()
    found = [
        TaskNumbers(
            trials=task,
            comparisons={r.cell: r for r in rows if r.task == task.name},
            importances=_importances(task, trees, seeds),
            best_of={c: best_of_n(s) for c, s in samples[task.name].items() if s.ended},
            seconds=study_importance(task, value=_seconds, trees=trees, seeds=1),
        )
        for task in tasks
    ]
    return StudyNumbers(record, reference, share, tuple(found), _ranks(tasks, share))


def _seconds(trial: StudyTrial) -> float | None:
    """Return the time of a trial that came to its end; the others were shorter for that."""
    return trial.seconds if trial.status == "finished" else None


def _ranks(tasks: Sequence[TaskTrials], share: float) -> Ranks | None:
    means: dict[str, dict[str, float]] = {}
    for task in tasks:
        values = {c: task.tests(task.best(c, share)) for c in task.cells}
        if any(values.values()):
            means[task.name] = {c: fmean(v) if v else math.nan for c, v in values.items()}
    if len(means) < LEAST_TASKS or len(tasks[0].cells) < LEAST_CELLS:
        return None
    return rank(means, {t.name: t.lower for t in tasks if t.name in means})


def _importances(task: TaskTrials, trees: int, seeds: int) -> dict[str, Importance]:
    found = {cell: study_importance(task, cell, trees=trees, seeds=seeds) for cell in task.cells}
    if len(task.cells) > 1:
        found[POOLED] = study_importance(task, trees=trees, seeds=seeds)
    return {cell: analysis for cell, analysis in found.items() if analysis is not None}
