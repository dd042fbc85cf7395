"""What two hyper-parameters do together: heat maps of the pairwise marginals of a functional ANOVA."""

from __future__ import annotations

from typing import Any

import altair as alt

from gatelab.draw.marginal import Found
from gatelab.draw.place_axis import place_axis
from gatelab.draw.style import HEIGHT, with_rows
from gatelab.draw.task_trials import TaskTrials


def pair_rows(found: Found, first: str, second: str) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell, and for all together.

    ``values`` holds the mean predictions in the order of the first hyper-parameter, and within it of the
    second; ``share`` is the interaction's share of the variance, in percent.
    """
    rows = []
    for cell, analysis in found.items():
        if analysis is not None:
            values = analysis.pairs[first, second]
            rows.append(
                {
                    "cell": cell,
                    "share": round(100 * analysis.shares[first, second].mean, 2),
                    "n": analysis.n,
                    "values": [float(f"{v:.4g}") for v in values.reshape(-1)],
                }
            )
    return rows


def pair_map(trials: TaskTrials, found: Found, first: str, second: str) -> alt.Chart:
    """Return the pairwise marginal of two hyper-parameters as a heat map.

    Below it stands a list of the cells, and of all together, with which it begins where that is there.

    Notes
    -----
    After Greff et al. 2015, Figure 5.
    """
    rows = pair_rows(found, first, second)
    names = [r["cell"] for r in rows]
    side = round(len(rows[0]["values"]) ** 0.5) if rows else 1
    space = trials.record.plan.space
    shown = alt.param(
        name="shown_cell",
        value=names[-1] if names else None,
        bind=alt.binding_select(options=names, name="cell "),
    )
    across, up = (place_axis(n, space[n]) for n in (first, second))
    chart: alt.Chart = (
        alt.Chart()
        .transform_filter("datum.cell == shown_cell")
        .transform_flatten(["values"])
        .transform_window(place="row_number()")
        .transform_calculate(
            left=f"floor((datum.place - 1) / {side}) / {side}",
            right=f"floor((datum.place - 1) / {side}) / {side} + {1.08 / side}",
            bottom=f"((datum.place - 1) % {side}) / {side}",
            top=f"((datum.place - 1) % {side}) / {side} + {1.08 / side}",
        )
        .mark_rect(strokeWidth=0, clip=True)
        .encode(
            x=alt.X("left:Q", **across),
            x2="right:Q",
            y=alt.Y("bottom:Q", **up),
            y2="top:Q",
            color=alt.Color(
                "values:Q",
                title=f"mean {trials.title}",
                scale=alt.Scale(scheme="viridis", reverse=trials.lower, zero=False),
                legend=alt.Legend(gradientLength=180, tickCount=4, titleOrient="top"),
            ),
            tooltip=[
                alt.Tooltip("cell:N"),
                alt.Tooltip("values:Q", title=f"mean {trials.title}", format=".4g"),
                alt.Tooltip("share:Q", title="share of the interaction [%]", format=".2f"),
                alt.Tooltip("n:Q", title="trials"),
            ],
        )
        .add_params(shown)
        .properties(width="container", height=HEIGHT)
    )
    return with_rows(chart, rows)
