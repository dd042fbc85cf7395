"""The learning curves of each cell's best trial on one task."""

from __future__ import annotations

from typing import Any

import altair as alt

from gatelab.draw.scale import robust_domain
from gatelab.draw.style import HEIGHT, Layered, cell_colour, cell_dash, with_rows
from gatelab.draw.task_trials import TaskTrials

MOST = 120
"""Epochs drawn of a curve."""
FIELDS: list[str | alt.FieldName] = ["epoch", "value"]


def best_curve_rows(trials: TaskTrials) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell and split, with lists over epochs."""
    rows = []
    for cell in trials.cells:
        for trial in trials.best(cell)[:1]:
            count = len(trial.curve)
            every = max(1, -(-count // MOST))
            kept = [k for k in range(count) if k % every == 0 or k == count - 1]
            for split, at in (("validation", 1), ("train", 0)):
                rows.append(
                    {
                        "cell": cell,
                        "split": split,
                        "number": trial.number,
                        "epoch": [k + 1 for k in kept],
                        "value": [float(f"{trial.curve[k][at]:.5g}") for k in kept],
                    }
                )
    return rows


def best_curves(trials: TaskTrials) -> Layered:
    """Return the learning curves of each cell's best trial on validation as a chart.

    A thick line is validation, a thin one training; a click in the legend shows one cell. Values far above
    all others are cut off, which the chart says.
    """
    rows = best_curve_rows(trials)
    domain = robust_domain([v for r in rows for v in r["value"]], {})
    title = trials.task.objective.title
    chosen = alt.selection_point(fields=["cell"], bind="legend", name="cell_of_legend")
    splits = ["validation", "train"]
    y = alt.Y("value:Q", title=title, scale=alt.Scale(domain=[domain.low, domain.high], zero=False),
              axis=alt.Axis(tickCount=6))  # fmt: skip
    base = (
        alt.Chart()
        .transform_flatten(FIELDS)
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=alt.Axis(tickCount=6, labelOverlap=True)),
            y=y,
            color=cell_colour(trials.cells),
        )
    )
    lines = base.mark_line(clip=True).encode(
        strokeDash=cell_dash(trials.cells),
        strokeWidth=alt.StrokeWidth(
            "split:N",
            sort=None,
            scale=alt.Scale(domain=splits, range=[2.2, 0.8]),
            legend=alt.Legend(title="split"),
        ),
        detail="split:N",
        opacity=alt.condition(chosen, alt.value(1), alt.value(0.06)),
    )
    points = base.mark_point(clip=True, size=70, filled=True, opacity=0).encode(
        tooltip=[
            alt.Tooltip("cell:N"),
            alt.Tooltip("split:N"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("value:Q", title=title, format=".4f"),
            alt.Tooltip("number:Q", title="trial"),
        ]
    )
    chart: Layered = alt.layer(lines.add_params(chosen), points).properties(width="container", height=HEIGHT)
    chart = with_rows(chart, rows)
    if not domain.cut:
        return chart
    said = f"cut off above {domain.high:.2f}; highest value {domain.highest:.2f}"
    return chart.properties(title=alt.TitleParams(text=said, fontSize=12))
