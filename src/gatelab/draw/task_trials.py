"""One task of a study, as tables and figures read it: its measure, its trials, the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from gatelab.errors import ConfigError, near_misses
from gatelab.runs.config import Measure, Task
from gatelab.runs.space import Dimension, Value
from gatelab.runs.study import StudyTrial
from gatelab.runs.study_table import StudyRecord
from gatelab.stats.trials import Sample

SHARE = 0.1
"""Which part of a cell's trials are its best, as in Greff et al. 2015."""


class TaskTrials:
    """The trials of one of a study's tasks.

    Values are those of the task's headline measure. Trials are chosen on validation and compared on test, so
    that what is compared was not chosen by the same numbers.

    Parameters
    ----------
    record
        The study, finished or not.
    task
        One of its tasks.

    Raises
    ------
    ConfigError
        The study has no such task.
    """

    def __init__(self, record: StudyRecord, task: str) -> None:
        names = [t.name for t in record.plan.tasks]
        if task not in names:
            raise ConfigError(
                f"study {record.plan.name} has no task {task!r}{near_misses(task, names)}; "
                f"its tasks are {', '.join(names)}"
            )
        self.record, self.name = record, task

    @property
    def task(self) -> Task:
        """What the study says of the task."""
        return self.record.plan.task(self.name).record

    @property
    def measure(self) -> Measure:
        """By which cells are compared."""
        return self.task.measure

    @property
    def lower(self) -> bool:
        """Whether lower values are better."""
        return self.measure.better == "lower"

    @property
    def title(self) -> str:
        """What an axis of test values is called."""
        return f"test {self.measure.title}"

    @property
    def cells(self) -> list[str]:
        """Names of the cells, in the plan's order."""
        return [c.name for c in self.record.plan.cells]

    @property
    def space(self) -> dict[str, Dimension]:
        """The hyper-parameters that are drawn."""
        return dict(self.record.plan.space)

    @cached_property
    def _of(self) -> dict[str, list[StudyTrial]]:
        found: dict[str, list[StudyTrial]] = {c: [] for c in self.cells}
        for trial in self.record.trials:
            if trial.task == self.name:
                found[trial.cell].append(trial)
        return {c: sorted(trials, key=lambda t: t.number) for c, trials in found.items()}

    def of(self, cell: str) -> list[StudyTrial]:
        """Return the trials of a cell that have ended, by their number."""
        return self._of[cell]

    def value(self, trial: StudyTrial, split: str = "test") -> float | None:
        """Return a trial's value of the headline measure, if any."""
        objective = self.task.objective
        return trial.value(split, None if self.measure == objective else self.measure.name)

    def chosen_by(self, trial: StudyTrial) -> float | None:
        """Return what trials are ranked by, the lower the better: the measure, or else the objective."""
        value = self.value(trial, "valid")
        if value is None:
            sign = 1 if self.task.objective.better == "lower" else -1
            return None if trial.valid is None else sign * trial.valid
        return value if self.lower else -value

    def with_result(self, cell: str) -> list[StudyTrial]:
        """Return the trials that have a value on validation and on test, by their number."""
        return [t for t in self.of(cell) if self.chosen_by(t) is not None and self.value(t) is not None]

    def best(self, cell: str, share: float = SHARE) -> list[StudyTrial]:
        """Return the best of a cell's trials on validation, best first: a share of those that ended."""
        trials = self.of(cell)
        return [trials[k] for k in self.sample(cell).best(share)]

    def sample(self, cell: str) -> Sample:
        """Return a cell's trials as statistics take them."""
        trials, nothing = self.of(cell), float("nan")
        valid = [nothing if (v := self.chosen_by(t)) is None else v for t in trials]
        test = [nothing if (v := self.value(t)) is None else v for t in trials]
        chosen = valid if self.lower else [-v for v in valid]
        return Sample(cell, chosen, test, [t.number for t in trials], self.lower)

    def tests(self, trials: Sequence[StudyTrial]) -> list[float]:
        """Return the test values of trials that have one."""
        return [v for t in trials if (v := self.value(t)) is not None]

    def drawn(self, trial: StudyTrial) -> dict[str, Value]:
        """Return the hyper-parameters that a trial drew."""
        drawn = {n: v for n, v in trial.settings.items() if n in self.space}
        return drawn if len(drawn) == len(self.space) else self.record.plan.drawn(trial.key)
