"""How much of the variance each hyper-parameter explains, for each cell and for all together."""

from __future__ import annotations

from typing import Any

import altair as alt

from gatelab.draw.marginal import Found
from gatelab.draw.style import Layered, with_rows
from gatelab.stats.intervals import Interval

STEP = 26
TITLE = "share of the forest's variance [%]"
PAIRS, MORE = "two together", "three and more"


def share_rows(found: Found) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each cell and part of the variance, in percent.

    Parts are the hyper-parameters, all interactions of two, and those of three and more; ``begin`` and
    ``end`` say where the part lies in its cell's bar, ``low`` and ``high`` are the ends of the 95 %
    interval over the forest's seeds, as they stand at the part's end in the bar.
    """
    rows = []
    for cell, analysis in found.items():
        if analysis is None:
            continue
        parts: dict[str, Interval] = {n.replace("_", " "): analysis.shares[n,] for n in analysis.names}
        parts |= {PAIRS: analysis.interactions, MORE: analysis.rest}
        begin = 0.0
        for part, share in parts.items():
            end = begin + share.mean
            reach = share.half_width if share.known else 0.0
            rows.append(
                {
                    "cell": cell,
                    "part": part,
                    "share": _percent(share.mean),
                    "interval": f"[{100 * share.low:.1f}, {100 * share.high:.1f}]" if share.known else "none",
                    "begin": _percent(begin),
                    "end": _percent(end),
                    "low": _percent(max(begin, end - reach)),
                    "high": _percent(end + reach),
                    "n": analysis.n,
                    "explained": round(analysis.explained, 3),
                }
            )
            begin = end
    return rows


def _percent(share: float) -> float:
    return round(100 * share, 3)


def share_bars(found: Found) -> Layered:
    """Return the shares of variance as stacked bars, one a cell, with the interval at each part's end."""
    rows = share_rows(found)
    cells, parts = (list(dict.fromkeys(r[k] for r in rows)) for k in ("cell", "part"))
    singles = [p for p in parts if p not in (PAIRS, MORE)]
    order = [*singles, *(p for p in (PAIRS, MORE) if p in parts)]
    columns = 2 if max((len(p) for p in order), default=0) > 8 else 3
    legend = alt.Legend(title="hyper-parameter", columns=columns, titleOrient="top")
    y = alt.Y(
        "cell:N",
        title=None,
        sort=cells,
        scale=alt.Scale(domain=cells),
        axis=alt.Axis(ticks=False, domain=False),
    )
    base = alt.Chart().encode(y=y)
    axis = alt.Axis(tickCount=5, labelFlush=True)
    x = alt.X("begin:Q", title=TITLE, axis=axis, scale=alt.Scale(domain=[0, 100], clamp=True))
    bars = base.mark_bar(size=STEP - 8).encode(
        x=x,
        x2="end:Q",
        color=alt.Color("part:N", sort=None, scale=alt.Scale(domain=order), legend=legend),
        tooltip=[
            alt.Tooltip("cell:N"),
            alt.Tooltip("part:N", title="hyper-parameter"),
            alt.Tooltip("share:Q", title="share [%]", format=".2f"),
            alt.Tooltip("interval:N", title="95 % over seeds"),
            alt.Tooltip("n:Q", title="trials"),
            alt.Tooltip("explained:Q", title="R² on trials not met", format=".2f"),
        ],
    )
    ends = base.mark_rule(style="whole", strokeWidth=2).encode(x=alt.X("low:Q", title=TITLE), x2="high:Q")
    chart = alt.layer(bars, ends).properties(width="container", height=STEP * max(1, len(cells)))
    return with_rows(chart, rows)
