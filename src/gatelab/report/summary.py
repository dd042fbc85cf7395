"""Several runs as one table: a row a run, a column a unit."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from gatelab.report.answer import Words, compared, standings
from gatelab.report.numbers import NOTHING, Table, decimal, range_of, seconds, spread
from gatelab.runs import RunRecord
from gatelab.stats import mean_interval


def summary_table(runs: Sequence[RunRecord]) -> Table:
    """Return what runs found, by the measure that each of them compares by, on test.

    A unit's value is the mean over the repeats of its best trial ± half of its 95 % interval, with the number
    of seeds. *lead* is how far the best unit is from the next, paired by seed, with the 95 % interval;
    *seconds* are those of all trainings, one thread each.

    Examples
    --------
    >>> from gatelab.report.summary import summary_table
    >>> summary_table([]).columns
    ('task', 'kind', 'measure', 'baselines', 'lead', 'seconds')
    """
    units = list(dict.fromkeys(unit.name for run in runs for unit in run.config.units))
    columns = ("task", "kind", "measure", "baselines", *units, "lead", "seconds")
    return Table(columns, [_row(run, units) for run in runs])


def _row(run: RunRecord, units: Sequence[str]) -> list[str]:
    task = run.config.task
    values = {s.unit: spread(mean_interval(list(s.tests.values()))) for s in standings(run)}
    spent = sum(t.outcome.seconds for t in run.trials if t.outcome)
    return [
        task.title,
        task.kind,
        f"{task.measure.title}{'' if task.measure.better == 'lower' else ', higher is better'}",
        _baselines(run),
        *(values.get(unit, NOTHING) for unit in units),
        _lead(run),
        seconds(spent),
    ]


def _baselines(run: RunRecord) -> str:
    found = run.baseline(run.config.task.measure)
    return ", ".join(f"{name} {decimal(value)}" for name, value in found.items()) or NOTHING


def _lead(run: RunRecord) -> str:
    ranked = standings(run)
    if len(ranked) < 2:
        return NOTHING
    difference = compared(ranked[0], ranked[1])
    if difference is None or not difference.known:
        return f"{ranked[0].unit}, one seed"
    said = f"{ranked[0].unit} {Words(run.config.task.measure).ahead} {ranked[1].unit} by"
    shown = "" if not difference.holds(0) else ", not shown"
    return f"{said} {decimal(abs(difference.mean))} {range_of(difference)}{shown}"


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
