"""Every trial of a task against one hyper-parameter."""

from __future__ import annotations

from typing import Any

import altair as alt

from gatelab.draw.place_axis import place_axis
from gatelab.draw.scale import Domain, robust_domain
from gatelab.draw.style import HEIGHT, cell_colour, with_rows
from gatelab.draw.task_trials import TaskTrials
from gatelab.runs.space import position

ABOVE = "off the axis"
SHAPES = {"finished": "circle", "pruned": "square", "diverged": "cross", ABOVE: "triangle-up"}
FIELDS = ("place", "shown", "number")


def scatter_rows(trials: TaskTrials, name: str) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell and ending, with lists over its trials.

    ``shown`` is the test value, or the axis' upper end for a trial that is above it or diverged without one.
    Failed trials are left out.
    """
    domain, dimension = scatter_domain(trials), trials.record.plan.space[name]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in trials.cells:
        for trial in trials.of(cell):
            value = trials.value(trial)
            if value is None and trial.status != "diverged":
                continue
            ending = trial.status if value is None or domain.holds(value) else ABOVE
            shown = domain.high if value is None else min(max(value, domain.low), domain.high)
            row = rows.setdefault((cell, ending), {"cell": cell, "ending": ending, **{f: [] for f in FIELDS}})
            row["place"].append(round(position(dimension, trials.drawn(trial)[name]), 4))
            row["shown"].append(float(f"{shown:.5g}"))
            row["number"].append(trial.number)
    return list(rows.values())


def scatter_domain(trials: TaskTrials) -> Domain:
    """Return how far the axis of test values reaches."""
    values = [v for c in trials.cells for v in trials.tests(trials.of(c))]
    if trials.lower or not values:
        return robust_domain(values, {})
    margin = 0.04 * (max(values) - min(values)) or 0.5
    return Domain(min(values) - margin, max(values) + margin, max(values))


def trial_scatter(trials: TaskTrials, name: str) -> alt.Chart:
    """Return all trials' test values against a hyper-parameter as a chart; a click in the legend shows a
    cell.

    A cross is a trial that diverged, at the axis' upper end where it left no value; a triangle one whose
    value is above the axis.
    """
    rows, domain = scatter_rows(trials, name), scatter_domain(trials)
    chosen = alt.selection_point(fields=["cell"], bind="legend", name="cell_of_legend")
    met = [e for e in SHAPES if any(r["ending"] == e for r in rows)]
    shapes = alt.Scale(domain=met, range=[SHAPES[e] for e in met])
    colour = cell_colour(trials.cells, symbol="circle")
    chart: alt.Chart = (
        alt.Chart()
        .transform_flatten(list(FIELDS))
        .mark_point(size=22, filled=True, strokeWidth=1.2)
        .encode(
            x=alt.X("place:Q", **place_axis(name, trials.record.plan.space[name])),
            y=alt.Y("shown:Q", title=trials.title, axis=alt.Axis(tickCount=6),
                    scale=alt.Scale(domain=[domain.low, domain.high], zero=False, nice=False)),
            color=colour,
            shape=alt.Shape("ending:N", title="trial", sort=None, scale=shapes),
            opacity=alt.condition(chosen, alt.value(0.75), alt.value(0.03)),
            tooltip=[
                alt.Tooltip("cell:N"),
                alt.Tooltip("number:Q", title="trial"),
                alt.Tooltip("shown:Q", title=trials.title, format=".4f"),
                alt.Tooltip("ending:N", title="ended"),
            ],
        )
        .add_params(chosen)
        .properties(width="container", height=HEIGHT)
    )  # fmt: skip
    return with_rows(chart, rows)
