"""The result table and the answer of a run, as the terminal and the report both show them."""

from __future__ import annotations

from gatelab.report.answer import answer
from gatelab.report.numbers import NOTHING, Table, count, decimal, rate, seconds, spread
from gatelab.runs import RunRecord, UnitResult, results
from gatelab.stats import mean_interval

__all__ = ["RESULT_COLUMNS", "Table", "answer", "result_table"]

RESULT_COLUMNS = (
    "unit",
    "hidden units",
    "parameters",
    "learning rate",
    "updates",
    "seconds",
    "train",
    "valid",
    "test",
    "test over seeds",
)


def result_table(run: RunRecord) -> Table:
    """Return the result table: a row for each unit, by its best trial, and for each baseline.

    *train*, *valid* and *test* are the task's objective. *test over seeds*, of the measure by which units
    are compared, is the mean over the best trial's repeats, ± half of its 95 % interval, with the number of
    seeds.
    """
    task = run.config.task
    rows = [_unit_row(result) for result in results(run)]
    blank = [NOTHING] * (len(RESULT_COLUMNS) - 3)
    two = task.measure != task.objective
    for name, values in run.baselines.items():
        compared = decimal(values.get(task.headline)) if two else NOTHING
        rows.append([f"{name} baseline", *blank, decimal(values.get(task.objective.name)), compared])
    last = f"{task.measure.title} over seeds" if two else RESULT_COLUMNS[-1]
    return Table((*RESULT_COLUMNS[:-1], last), rows)


def _unit_row(result: UnitResult) -> list[str]:
    outcome = result.best.outcome if result.best else None
    return [
        result.unit.name,
        count(result.unit.hidden_size),
        count(result.unit.parameters),
        rate(result.best.trial.learning_rate if result.best else None),
        count(outcome.updates if outcome else None),
        seconds(outcome.seconds if outcome else None),
        *(
            decimal(value)
            for value in ((outcome.train, outcome.valid, outcome.test) if outcome else (None,) * 3)
        ),
        spread(mean_interval(result.test_seeds)) if result.test_seeds else NOTHING,
    ]
