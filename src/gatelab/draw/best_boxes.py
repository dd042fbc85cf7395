"""The best trials of each cell on one task, as box plots, with their parameters and what a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from gatelab.draw.style import Layered
from gatelab.draw.task_trials import SHARE, TaskTrials

STEP = 34
"""Height of a cell's line, in pixels."""
REFERENCE, TIED, WORSE, BETTER = "reference", "no difference shown", "worse", "better"
UNTESTED = "not tested"
VERDICTS = (TIED, WORSE, BETTER, REFERENCE, UNTESTED)
MARKED = {WORSE: " ▼", BETTER: " ▲"}
"""What stands behind the name of a cell whose difference to the reference is significant."""

Said = Mapping[str, tuple[float | None, str]]


def box_rows(trials: TaskTrials, said: Said | None = None, share: float = SHARE) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell that has trials with a result.

    ``q1``, ``median``, ``q3`` and ``mean`` are of the test values of its best trials; whiskers, ``low`` and
    ``high``, reach to the furthest value within 1.5 times the box; ``parameters`` is their mean number.

    Parameters
    ----------
    said
        For each cell p of a test against the reference, if any, and the verdict, one of
        :data:`VERDICTS`.
    """
    rows = []
    for cell in trials.cells:
        best = trials.best(cell, share)
        if not best:
            continue
        values = np.array(trials.tests(best))
        q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
        within = values[(values >= q1 - 1.5 * (q3 - q1)) & (values <= q3 + 1.5 * (q3 - q1))]
        counts = [t.parameters for t in best if t.parameters is not None]
        p, verdict = (said or {}).get(cell, (None, TIED))
        rows.append(
            {
                "cell": cell,
                "label": cell + MARKED.get(verdict, ""),
                "verdict": verdict,
                "p": p,
                "n": len(values),
                "of": len(trials.of(cell)),
                "parameters": round(float(np.mean(counts))) if counts else None,
                "values": [round(float(v), 5) for v in values],
                **_rounded(q1=q1, median=median, q3=q3, low=within.min(), high=within.max()),
                **_rounded(mean=values.mean()),
            }
        )
    return rows


def _rounded(**values: float) -> dict[str, float]:
    return {n: round(float(v), 5) for n, v in values.items()}


def best_boxes(trials: TaskTrials, said: Said | None = None, share: float = SHARE) -> Layered:
    """Return box plots of the best trials' test values, one line a cell, as a chart.

    Behind them, on the axis above, bars of their mean number of parameters. Dots are single trials, a
    diamond is the mean; the dashed line is the reference's mean. A triangle behind the name, and the colour,
    say that the difference to the reference is significant.

    Notes
    -----
    After Greff et al. 2015, Figure 3.
    """
    rows = box_rows(trials, said, share)
    boxes = alt.layer(*_reference(rows, trials), *_boxes(rows, trials, said is not None))
    layers: list[Layered | alt.Chart] = [boxes]
    if any(r["parameters"] is not None for r in rows):
        layers.insert(0, _bars(rows))
    chart: Layered = alt.layer(*layers).resolve_scale(x="independent")
    return chart.properties(width="container", height=STEP * max(1, len(rows)))


def _y(rows: Sequence[Mapping[str, Any]]) -> alt.Y:
    labels = [r["label"] for r in rows]
    axis = alt.Axis(labelLimit=140, ticks=False, domain=False)
    return alt.Y("label:N", title=None, sort=labels, scale=alt.Scale(domain=labels), axis=axis)


def _bars(rows: Sequence[Mapping[str, Any]]) -> alt.Chart:
    bars: alt.Chart = (
        alt.Chart(alt.InlineData(values=[{k: r[k] for k in ("label", "parameters")} for r in rows]))
        .mark_bar(size=STEP - 8, style="quiet", opacity=0.16)
        .encode(
            x=alt.X("parameters:Q", title="mean parameters of the recurrent layers (bars)",
                    axis=alt.Axis(orient="top", grid=False, format=",d", tickCount=4, labelOverlap=True)),
            y=_y(rows),
        )
    )  # fmt: skip
    return bars


def _boxes(rows: Sequence[Mapping[str, Any]], trials: TaskTrials, judged: bool) -> list[alt.Chart]:
    met = [v for v in VERDICTS if any(r["verdict"] == v for r in rows)]
    legend = _legend(met) if judged else None
    colour = alt.Color("verdict:N", sort=None, scale=_colours(met), legend=legend)
    base = alt.Chart(alt.InlineData(values=list(rows))).encode(y=_y(rows), color=colour)
    ends = [v for r in rows for v in (*r["values"], r["low"], r["high"])] or [0.0, 1.0]
    margin = 0.04 * (max(ends) - min(ends)) or 0.5
    scale = alt.Scale(domain=[min(ends) - margin, max(ends) + margin], nice=False, zero=False)

    def x(field: str) -> alt.X:
        axis = alt.Axis(orient="bottom", tickCount=6, labelOverlap=True)
        return alt.X(f"{field}:Q", title=f"{trials.title}, best trials", scale=scale, axis=axis)

    tooltip = _tooltip(trials)
    return [
        base.mark_rule(strokeWidth=1.5).encode(x=x("low"), x2="high:Q"),
        base.mark_bar(size=15, fillOpacity=0.45, strokeWidth=1.5).encode(
            x=x("q1"), x2="q3:Q", tooltip=tooltip, stroke=alt.Stroke("verdict:N", sort=None,
                                                                       scale=_colours(met), legend=None)
        ),
        base.mark_tick(thickness=2.5, size=15, style="whole").encode(x=x("median"), color=alt.Undefined),
        base.transform_flatten(["values"]).mark_point(size=12, filled=True, opacity=0.9).encode(
            x=x("values")
        ),
        base.mark_point(shape="diamond", size=55, filled=True, style="whole").encode(
            x=x("mean"), color=alt.Undefined, tooltip=tooltip
        ),
    ]  # fmt: skip


def _legend(met: Sequence[str]) -> alt.Legend:
    return alt.Legend(
        title="against the reference", columns=2, titleOrient="top", values=list(met), symbolOpacity=1
    )


def _colours(met: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(VERDICTS) if len(met) > 1 else list(met))  # the same colours in every task


def _reference(rows: Sequence[Mapping[str, Any]], trials: TaskTrials) -> list[alt.Chart]:
    mean = [{"mean": r["mean"]} for r in rows if r["verdict"] == REFERENCE]
    if not mean:
        return []
    rule = alt.Chart(alt.InlineData(values=mean)).mark_rule(strokeDash=[4, 3], strokeWidth=1.5)
    return [rule.encode(x=alt.X("mean:Q", title=f"{trials.title}, best trials"))]


def _tooltip(trials: TaskTrials) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("cell:N"),
        alt.Tooltip("mean:Q", title=f"mean {trials.title}", format=".4f"),
        alt.Tooltip("median:Q", format=".4f"),
        alt.Tooltip("n:Q", title="best trials"),
        alt.Tooltip("of:Q", title="of trials"),
        alt.Tooltip("parameters:Q", title="mean parameters", format=",.0f"),
        alt.Tooltip("verdict:N", title="against the reference"),
        alt.Tooltip("p:Q", format=".3g"),
    ]
