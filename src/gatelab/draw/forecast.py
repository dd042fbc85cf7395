"""A forecast: the past as a line, the median of what is to come, and the band between its outer quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from gatelab.draw.style import HEIGHT

Chart = alt.LayerChart | alt.FacetChart


def forecast_rows(
    targets: Sequence[str], past: Any, past_time: Any, quantiles: Any, levels: Sequence[float], time: Any
) -> list[dict[str, Any]]:
    """Return a row for each step: of the past its value, of the future its median and outer quantiles.

    Parameters
    ----------
    targets
        Names of the D columns.
    past, past_time
        ``[C, D]``, and when that was ``[C]``; None where there are no times.
    quantiles, levels, time
        ``[H, Q, D]``, probabilities ``[Q]`` of which one is 0.5, and when that is ``[H]``.
    """
    middle = list(levels).index(0.5)
    before = _places(past_time, -len(past), 0)
    after = _places(time, 0, len(quantiles))
    rows: list[dict[str, Any]] = []
    for d, target in enumerate(targets):
        for k, place in enumerate(before):
            rows.append({"target": target, "when": place, "value": float(past[k, d]), "part": "past"})
        for h, place in enumerate(after):
            low, high = float(quantiles[h, 0, d]), float(quantiles[h, -1, d])
            middling = float(quantiles[h, middle, d])
            rows.append(
                {
                    "target": target,
                    "when": place,
                    "value": middling,
                    "part": "forecast",
                    "low": low,
                    "high": high,
                }
            )
    return rows


def forecast_chart(
    targets: Sequence[str], past: Any, past_time: Any, quantiles: Any, levels: Sequence[float], time: Any
) -> Chart:
    """Return a forecast as a chart, one below the other for several targets; see :func:`forecast_rows`."""
    rows = forecast_rows(targets, past, past_time, quantiles, levels, time)
    dated = isinstance(rows[0]["when"], str)
    share = f"{levels[-1] - levels[0]:.0%}"
    charts = [_one([r for r in rows if r["target"] == t], t, dated, share) for t in targets]
    return charts[0] if len(charts) == 1 else alt.vconcat(*charts)  # type: ignore[return-value]


def _one(rows: list[dict[str, Any]], target: str, dated: bool, share: str) -> Chart:
    title = "" if dated else "steps from the last known one"
    x = alt.X("when:T" if dated else "when:Q", title=title, axis=alt.Axis(labelOverlap=True, tickCount=6))
    y = alt.Y("value:Q", title=target, scale=alt.Scale(zero=False))
    parts = alt.Color(
        "part:N", sort=None, scale=alt.Scale(domain=["past", "forecast"]),
        legend=alt.Legend(title=f"band: {share} of outcomes", orient="top"),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows))
    line = base.mark_line(strokeWidth=2).encode(x=x, y=y, color=parts)
    band = (
        base.transform_filter("datum.part == 'forecast'")
        .mark_area(opacity=0.25)
        .encode(x=x, y=alt.Y("low:Q", title=target), y2="high:Q", color=parts)
    )
    return alt.layer(band, line).properties(width=640, height=HEIGHT)


def _places(time: Any, start: int, stop: int) -> list[str] | list[int]:
    """Return where steps stand: dates as text, whole numbers, or counted from the last known step."""
    if time is None:
        return list(range(start + 1, stop + 1))
    times = np.asarray(time)
    if times.dtype.kind == "M":
        return [str(t) for t in times.astype("datetime64[s]")]
    return [int(t) for t in times]
