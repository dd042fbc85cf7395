"""A forecast: the past as a line, the median of what is to come, and the band between its outer quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from gatelab.draw.style import HEIGHT
from gatelab.errors import ConfigError

Chart = alt.LayerChart | alt.FacetChart | alt.VConcatChart
WIDTH = 640


def forecast_rows(
    targets: Sequence[str], past: Any, past_time: Any, quantiles: Any, levels: Sequence[float], time: Any
) -> list[dict[str, Any]]:
    """Return a row for each step: of the past its value, of the future its median and outer quantiles.

    The future begins at the last known value, of which nothing is uncertain; so lines and band hang together.

    Parameters
    ----------
    targets
        Names of the D columns.
    past, past_time
        ``[C, D]``, and when that was ``[C]``; None where there are no times.
    quantiles, levels, time
        ``[H, Q, D]``, probabilities ``[Q]`` of which one is 0.5, and when that is ``[H]``.

    Raises
    ------
    ConfigError
        No level is 0.5.
    """
    if 0.5 not in levels:
        raise ConfigError(f"levels: wanted 0.5 among them, for the median, got {tuple(levels)}")
    middle = list(levels).index(0.5)
    if past_time is None or time is None:
        past_time = time = None
    before, after = _places(past_time, 1 - len(past), 1), _places(time, 1, len(quantiles) + 1)
    rows: list[dict[str, Any]] = []
    for d, target in enumerate(targets):
        known = [float(value) for value in past[:, d]]
        rows += [
            {"target": target, "when": place, "value": value, "part": "past"}
            for place, value in zip(before, known, strict=True)
        ]
        last = np.full((1, len(levels)), known[-1])
        for place, row in zip([before[-1], *after], np.concatenate([last, quantiles[:, :, d]]), strict=True):
            low, middling, high = (float(row[k]) for k in (0, middle, -1))
            row_of = {"target": target, "when": place, "value": middling, "part": "forecast"}
            rows.append(row_of | {"low": low, "high": high})
    return rows


def forecast_chart(
    targets: Sequence[str], past: Any, past_time: Any, quantiles: Any, levels: Sequence[float], time: Any
) -> Chart:
    """Return a forecast as a chart, one below the other for several targets; see :func:`forecast_rows`."""
    rows = forecast_rows(targets, past, past_time, quantiles, levels, time)
    dated = isinstance(rows[0]["when"], str)
    counted = past_time is None or time is None
    title = "" if dated else "steps after the last known one" if counted else "time"
    band = f"{levels[-1] - levels[0]:.0%} of outcomes"
    charts = [_one([r for r in rows if r["target"] == t], t, dated, title, band) for t in targets]
    return charts[0] if len(charts) == 1 else alt.vconcat(*charts)


def _one(
    rows: list[dict[str, Any]], target: str, dated: bool, title: str, band: str
) -> alt.LayerChart | alt.FacetChart:
    """Return the chart of one target."""
    kind: dict[str, Any] = {} if dated else {"format": "d", "tickMinStep": 1}
    axis = alt.Axis(labelOverlap=True, tickCount=6, **kind)
    field = "when:T" if dated else "when:Q"
    x = alt.X(field, title=title, axis=axis, scale=_scale(dated))
    y = alt.Y("value:Q", title=target, scale=alt.Scale(zero=False))
    said = f"datum.label == 'forecast' ? 'forecast: its median, and a band of {band}' : datum.label"
    legend = alt.Legend(
        title=None, orient="top", symbolType="stroke", symbolOpacity=1, labelExpr=said, labelLimit=400
    )
    colour = alt.Color("part:N", sort=None, scale=alt.Scale(domain=["past", "forecast"]), legend=legend)
    base = alt.Chart(alt.InlineData(values=rows))
    future = base.transform_filter("datum.part == 'forecast'")
    area = future.mark_area(opacity=0.25).encode(
        x=x, y=alt.Y("low:Q", title=target), y2="high:Q", color=colour
    )
    lines = base.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    return alt.layer(area, lines).properties(width=WIDTH, height=HEIGHT)


def _scale(dated: bool) -> alt.Scale:
    """Return the scale of the steps; times are written as they stand in the table, wherever that is drawn."""
    return alt.Scale(type="utc") if dated else alt.Scale(nice=False, zero=False)


def _places(time: Any, start: int, stop: int) -> list[str] | list[int]:
    """Return where steps stand: dates as text, whole numbers, or counted from the last known step."""
    if time is None:
        return list(range(start, stop))
    times = np.asarray(time)
    if times.dtype.kind == "M":
        return [f"{t}Z" for t in times.astype("datetime64[ms]")]
    return [int(t) for t in times]
