"""What a search of n trials may be expected to find, for each cell: best-of-n curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gatelab.draw.style import HEIGHT, Layered, cell_colour, cell_dash, with_rows


def best_of_n(rows: Sequence[Mapping[str, Any]], cells: Sequence[str], title: str) -> Layered:
    """Return the expected test value of the best of n trials against n as a chart, a line a cell.

    A click in the legend shows one cell, with its interval where there is one.

    Parameters
    ----------
    rows
        One a cell and n, with ``cell``, ``n``, ``value`` and, where they are known, ``low`` and ``high``.
    cells
        All cells, in their order.
    title
        Of the values.

    Notes
    -----
    J. Dodge et al., "Show Your Work: Improved Reporting of Experimental Results", EMNLP 2019.
    """
    chosen = alt.selection_point(fields=["cell"], bind="legend", name="cell_of_legend")
    x = alt.X("n:Q", title="trials in the search", scale=alt.Scale(type="log", nice=False),
              axis=alt.Axis(values=_ticks(rows), grid=True, format=",d"))  # fmt: skip
    base = alt.Chart().encode(x=x, color=cell_colour(cells))
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=6))
    layers = []
    if any(r.get("low") is not None for r in rows):
        band = base.mark_area(strokeOpacity=0).encode(
            y=alt.Y("low:Q", title=title, scale=alt.Scale(zero=False)), y2="high:Q",
            opacity=alt.condition(chosen, alt.value(0.22), alt.value(0), empty=False),
        )  # fmt: skip
        layers.append(band)
    line = base.mark_line(strokeWidth=2).encode(
        y=y,
        strokeDash=cell_dash(cells),
        opacity=alt.condition(chosen, alt.value(1), alt.value(0.08)),
    )
    points = base.mark_point(size=90, filled=True, opacity=0).encode(
        y=y,
        tooltip=[
            alt.Tooltip("cell:N"),
            alt.Tooltip("n:Q", title="trials"),
            alt.Tooltip("value:Q", title=title, format=".4g"),
            alt.Tooltip("interval:N", title="95 % interval"),
        ],
    )
    chart = alt.layer(*layers, line.add_params(chosen), points)
    shown = [dict(r) | {"interval": _interval(r)} for r in rows]
    return with_rows(chart.properties(width="container", height=HEIGHT), shown)


def _interval(row: Mapping[str, Any]) -> str:
    low, high = row.get("low"), row.get("high")
    return "none" if low is None or high is None else f"[{low:.4g}, {high:.4g}]"


def _ticks(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    most = max((r["n"] for r in rows), default=1)
    return [m * 10**k for k in range(7) for m in (1, 2, 5) if m * 10**k <= most]
