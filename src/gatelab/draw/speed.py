"""Speed: how many times as long as gatelab each peer takes, on each workload, for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

STEP = 26
"""Height of a cell's line, in pixels."""
WIDTH = 300
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
"""One fewer than the palette has colours, so that no two of many peers look the same."""


def speed(rows: Sequence[Mapping[str, Any]]) -> alt.FacetChart:
    """Return the ratios as a chart: right of the line at 1×, gatelab is faster.

    Parameters
    ----------
    rows
        One a peer, cell and workload, with ``workload``, ``threads``, ``cell``, ``computes``, ``peer``,
        ``ratio`` and ``milliseconds``.
    """
    names = list(dict.fromkeys(r["peer"] for r in rows))
    cells = list(dict.fromkeys(r["cell"] for r in rows))
    workloads = list(dict.fromkeys(r["workload"] for r in rows))
    shown = [dict(r) | {"run": _run(r["threads"])} for r in rows]
    scale = alt.Scale(domain=names)
    shapes = alt.Scale(domain=names, range=[SHAPES[k % len(SHAPES)] for k in range(len(names))])
    legend = alt.Legend(title="peer", columns=4)
    base = alt.Chart()
    points = base.mark_point(size=70, filled=True, opacity=0.9).encode(
        x=alt.X("ratio:Q", title="times gatelab's time",
                scale=alt.Scale(type="log", nice=False, domain=_ends(rows)),
                axis=alt.Axis(values=_ticks(rows), labelExpr="datum.value + '×'", grid=True)),
        y=alt.Y("cell:N", title=None, sort=cells, scale=alt.Scale(domain=cells),
                axis=alt.Axis(grid=True)),
        color=alt.Color("peer:N", sort=None, scale=scale, legend=legend),
        shape=alt.Shape("peer:N", sort=None, scale=shapes, legend=legend),
        tooltip=[
            alt.Tooltip("peer:N"),
            alt.Tooltip("computes:N", title="computes"),
            alt.Tooltip("ratio:Q", title="times gatelab's time", format=".2f"),
            alt.Tooltip("milliseconds:Q", title="ms a step", format=".3f"),
        ],
    )  # fmt: skip
    line = base.mark_rule(strokeWidth=1.5).encode(x=alt.datum(1))
    layers = alt.layer(line, points).properties(width=WIDTH, height=STEP * len(cells))
    header = alt.Header(labelFontSize=12, title=None)
    return layers.facet(
        data=alt.InlineData(values=shown),
        row=alt.Row("workload:N", sort=workloads, header=header),
        column=alt.Column("run:N", sort=None, header=header),
    )


def _run(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def _ends(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return an axis that holds all ratios and 1."""
    ratios = [1.0, *(r["ratio"] for r in rows)]
    return [min(ratios) / 1.2, max(ratios) * 1.2]


def _ticks(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    low, high = _ends(rows)
    return [t for k in range(-3, 5) for t in (10.0**k, 2 * 10.0**k, 5 * 10.0**k) if low <= t <= high]
