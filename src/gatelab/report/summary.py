"""Several runs as one table: a row a run, a column a unit."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gatelab.errors import ConfigError, near_misses
from gatelab.report.answer import Standing, Words, compared, standings
from gatelab.report.numbers import NOTHING, Table, decimal, range_of, seconds, spread
from gatelab.runs import Measure, RunRecord
from gatelab.stats import mean_interval


def summary_table(runs: Sequence[RunRecord], measure: str | None = None) -> Table:
    """Return what runs found on test, by the measure that each of them compares by, or another.

    A unit's value is the mean over the repeats of its best trial ± half of its 95 % interval, with the number
    of seeds. *lead* is how far the best unit is from the next, paired by seed, with the 95 % interval;
    *seconds* are those of all trainings, one thread each. Runs without the measure are left out.

    Raises
    ------
    ConfigError
        No run has the measure.

    Examples
    --------
    >>> from gatelab.report.summary import summary_table
    >>> summary_table([]).columns
    ('task', 'kind', 'measure', 'baselines', 'lead', 'seconds')
    """
    having = [(run, found) for run in runs if (found := _measure(run, measure)) is not None]
    if runs and not having:
        names = sorted({m.name for run in runs for m in run.config.task.measures})
        hint = near_misses(str(measure), names) or ";"
        raise ConfigError(f"no run has a measure {measure!r}{hint} theirs are {', '.join(names)}")
    units = list(dict.fromkeys(unit.name for run, _ in having for unit in run.config.units))
    columns = ("task", "kind", "measure", "baselines", *units, "lead", "seconds")
    return Table(columns, [_row(run, found, units) for run, found in having])


def _measure(run: RunRecord, name: str | None) -> Measure | None:
    task = run.config.task
    return task.measure if name is None else next((m for m in task.measures if m.name == name), None)


def _row(run: RunRecord, measure: Measure, units: Sequence[str]) -> list[str]:
    ranked = standings(run, measure)
    values = {s.unit: spread(mean_interval(list(s.tests.values()))) for s in ranked}
    spent = sum(t.outcome.seconds for t in run.trials if t.outcome)
    found = run.baseline(measure)
    return [
        run.config.task.title,
        run.config.task.kind,
        f"{measure.title}{'' if measure.better == 'lower' else ', higher is better'}",
        ", ".join(f"{name} {decimal(value)}" for name, value in found.items()) or NOTHING,
        *(values.get(unit, NOTHING) for unit in units),
        _lead(ranked, Words(measure)),
        seconds(spent),
    ]


def _lead(ranked: Sequence[Standing], words: Words) -> str:
    if len(ranked) < 2:
        return NOTHING
    difference = compared(ranked[0], ranked[1])
    if difference is None or not difference.known:
        return f"{ranked[0].unit}, one seed"
    shown = "" if not difference.holds(0) else ", not shown"
    return (
        f"{ranked[0].unit} {words.ahead} {ranked[1].unit} by {decimal(abs(difference.mean))} "
        f"{range_of(difference)}{shown}"
    )


def as_markdown(table: Table) -> str:
    """Return a table as Markdown."""
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "".join(f"| {' | '.join(cell.replace('|', '¦') for cell in row)} |\n" for row in rows)


def as_csv(table: Table) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return text.getvalue()
