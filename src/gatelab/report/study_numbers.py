"""All that a study's report computes: comparisons with a reference, and what the hyper-parameters matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gatelab.draw.best_boxes import REFERENCE, Said
from gatelab.draw.importances import POOLED, study_importance
from gatelab.draw.task_trials import SHARE, TaskTrials
from gatelab.errors import ConfigError, near_misses
from gatelab.runs.study_table import StudyRecord
from gatelab.stats.importance import SEEDS, TREES, Importance
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
    seconds
        What the hyper-parameters do to the time of a training, over all cells.
    """

    trials: TaskTrials
    comparisons: Mapping[str, Comparison]
    importances: Mapping[str, Importance]
    seconds: Importance | None


@dataclass(frozen=True)
class StudyNumbers:
    """What was computed of a study; ``reference`` is the cell that the others are compared with, if any."""

    record: StudyRecord
    reference: str | None
    share: float
    tasks: tuple[TaskNumbers, ...]

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
        The cell that all others are compared with; None compares none.
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
    if reference is not None and reference not in names:
        hint = near_misses(reference, names)
        raise ConfigError(
            f"study {record.plan.name} has no cell {reference!r} to compare with{hint}; "
            f"its cells are {', '.join(names)}"
        )
    tasks = [TaskTrials(record, t.name) for t in record.plan.tasks]
    samples = {t.name: {c: t.sample(c) for c in names} for t in tasks}
    rows = compare_to_reference(samples, reference, share=share) if reference and len(names) > 1 else ()
    return StudyNumbers(
        record,
        reference,
        share,
        tuple(
            TaskNumbers(
                trials=task,
                comparisons={r.cell: r for r in rows if r.task == task.name},
                importances=_importances(task, trees, seeds),
                seconds=study_importance(
                    task, value=lambda t: t.seconds if t.test is not None else None, trees=trees, seeds=1
                ),
            )
            for task in tasks
        ),
    )


def _importances(task: TaskTrials, trees: int, seeds: int) -> dict[str, Importance]:
    found = {cell: study_importance(task, cell, trees=trees, seeds=seeds) for cell in task.cells}
    if len(task.cells) > 1:
        found[POOLED] = study_importance(task, trees=trees, seeds=seeds)
    return {cell: analysis for cell, analysis in found.items() if analysis is not None}
