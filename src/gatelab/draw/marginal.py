"""What one hyper-parameter does over all values of the others: the marginals of a functional ANOVA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt

from gatelab.draw.importances import POOLED
from gatelab.draw.place_axis import place_axis, title_of, written
from gatelab.draw.style import HEIGHT, QUIET, WHOLE, Layered, cell_colour, cell_dash, with_rows
from gatelab.draw.task_trials import TaskTrials
from gatelab.stats.importance import Importance

CELLS, SECONDS = "cells", "seconds"
FIELDS: list[str | alt.FieldName] = ["place", "said", "mean", "low", "high"]

Found = Mapping[str, Importance | None]
"""An analysis for each cell, and for :data:`POOLED`."""


def marginal_rows(trials: TaskTrials, found: Found, name: str) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell, and for all together, with lists along the axis.

    ``mean`` is the mean prediction over all values of the other hyper-parameters, ``low`` and ``high`` are
    one standard deviation over the forest's trees below and above.
    """
    dimension = trials.record.plan.space[name]
    rows = []
    for cell, analysis in found.items():
        if analysis is None:
            continue
        curve = analysis.marginals[name]
        rows.append(
            {
                "cell": cell,
                "n": analysis.n,
                "place": [round(float(x), 5) for x in curve.positions],
                "said": [written(dimension.at(float(x))) for x in curve.positions],
                "mean": _short(curve.mean),
                "low": _short(curve.mean - curve.std),
                "high": _short(curve.mean + curve.std),
            }
        )
    return rows


def _short(values: Any) -> list[float]:
    return [float(f"{v:.5g}") for v in values]


def marginal(trials: TaskTrials, found: Found, name: str, seconds: Importance | None = None) -> Layered:
    """Return the marginals of a hyper-parameter as a chart, a line a cell.

    The thick line with its band is of all cells together; a click in the legend shows one cell with its own
    band. The dotted line, on the axis at the right, is the time that a training takes.

    Parameters
    ----------
    found
        An analysis for each cell and for :data:`gatelab.draw.importances.POOLED`.
    name
        Of the hyper-parameter.
    seconds
        The analysis of seconds of training, if it is to be shown.

    Notes
    -----
    After Greff et al. 2015, Figure 4.
    """
    rows = [
        r | {"of": r["cell"] if r["cell"] == POOLED else CELLS} for r in marginal_rows(trials, found, name)
    ]
    if seconds is not None:
        rows += [r | {"of": SECONDS} for r in marginal_rows(trials, {POOLED: seconds}, name)]
    met = {r["of"] for r in rows}
    x = alt.X("place:Q", **place_axis(name, trials.record.plan.space[name]))
    values = [
        *(_pooled(x, trials) if POOLED in met else []),
        *(_cells(x, trials, title_of(name)) if CELLS in met else []),
    ]
    layers: list[Layered | alt.Chart] = [alt.layer(*values)]
    if seconds is not None:
        layers.append(_seconds(x))
    chart: Layered = alt.layer(*layers).resolve_scale(y="independent")
    return with_rows(chart.properties(width="container", height=HEIGHT), rows)


def _base(of: str, x: alt.X) -> alt.Chart:
    chosen = alt.Chart().transform_filter(alt.FieldEqualPredicate(field="of", equal=of))
    base: alt.Chart = chosen.transform_flatten(FIELDS).encode(x=x)
    return base


def _y(field: str, trials: TaskTrials) -> alt.Y:
    return alt.Y(
        f"{field}:Q", title=f"mean {trials.title}", scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6)
    )


def _pooled(x: alt.X, trials: TaskTrials) -> list[alt.Chart]:
    base = _base(POOLED, x)
    return [
        base.mark_area(style=WHOLE, fillOpacity=0.13, strokeOpacity=0).encode(
            y=_y("low", trials), y2="high:Q"
        ),
        base.mark_line(style=WHOLE, strokeWidth=4, strokeOpacity=0.55, fillOpacity=0).encode(
            y=_y("mean", trials)
        ),
    ]


def _cells(x: alt.X, trials: TaskTrials, title: str) -> list[alt.Chart]:
    chosen = alt.selection_point(fields=["cell"], bind="legend", name="cell_of_legend")
    base = _base(CELLS, x).encode(color=cell_colour(trials.cells))
    tooltip = [
        alt.Tooltip("cell:N"),
        alt.Tooltip("said:N", title=title),
        alt.Tooltip("mean:Q", title=f"mean {trials.title}", format=".4g"),
        alt.Tooltip("low:Q", title="− standard deviation", format=".4g"),
        alt.Tooltip("high:Q", title="+ standard deviation", format=".4g"),
        alt.Tooltip("n:Q", title="trials"),
    ]
    return [
        base.mark_area(strokeOpacity=0).encode(
            y=_y("low", trials), y2="high:Q",
            opacity=alt.condition(chosen, alt.value(0.25), alt.value(0), empty=False),
        ),
        base.mark_line(strokeWidth=1.8).encode(
            y=_y("mean", trials), strokeDash=cell_dash(trials.cells),
            opacity=alt.condition(chosen, alt.value(1), alt.value(0.08)),
        ).add_params(chosen),
        base.mark_point(size=90, filled=True, opacity=0).encode(y=_y("mean", trials), tooltip=tooltip),
    ]  # fmt: skip


def _seconds(x: alt.X) -> alt.Chart:
    axis = alt.Axis(orient="right", grid=False, tickCount=5)
    y = alt.Y("mean:Q", title="seconds of training (dotted)", axis=axis, scale=alt.Scale(zero=True))
    base = _base(SECONDS, x).encode(y=y)
    line: alt.Chart = base.mark_line(style=QUIET, strokeDash=[2, 4], strokeWidth=2, fillOpacity=0)
    return line
