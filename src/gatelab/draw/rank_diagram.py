"""Mean ranks of the cells over tasks, those joined that no test tells apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gatelab.draw.style import Layered

STEP = 26
TITLE = "mean rank over tasks (1 is best)"


def rank_rows(ranks: Mapping[str, float], groups: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return what the figure's bars join: a row for each group of cells, with its first and last cell.

    Groups that lie in a larger one, or hold one cell, join nothing new and are left out; ``at`` is the
    group's place, counted from 0.
    """
    ordered = sorted(ranks, key=lambda c: (ranks[c], c))
    sets = [frozenset(g) for g in groups if len(set(g)) > 1]
    kept = [s for k, s in enumerate(sets) if not any(s < t or (s == t and j < k) for j, t in enumerate(sets))]
    spans = sorted((sorted(s, key=ordered.index) for s in kept), key=lambda s: ordered.index(s[0]))
    return [
        {
            "first": s[0],
            "last": s[-1],
            "at": k,
            "cells": ", ".join(s),
            "low": ranks[s[0]],
            "high": ranks[s[-1]],
        }
        for k, s in enumerate(spans)
    ]


def rank_diagram(
    ranks: Mapping[str, float], groups: Sequence[Sequence[str]] = (), distance: float | None = None
) -> Layered:
    """Return mean ranks as a chart: a line a cell, the best first; upright bars join what is not told apart.

    Parameters
    ----------
    ranks
        Mean rank of each cell over tasks, 1 the best.
    groups
        Cells between which no difference is shown.
    distance
        The critical difference, drawn from the best cell's rank, if one is known.

    Notes
    -----
    J. Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006; turned upright,
    so that names of any length have room.
    """
    ordered = sorted(ranks, key=lambda c: (ranks[c], c))
    values = [{"cell": c, "from": 1, "rank": round(ranks[c], 4), "said": f"{ranks[c]:.2f}"} for c in ordered]
    joined = rank_rows(ranks, groups)
    y = alt.Y(
        "cell:N",
        title=None,
        sort=ordered,
        scale=alt.Scale(domain=ordered),
        axis=alt.Axis(ticks=False, domain=False),
    )
    most = max([2.0, *ranks.values()])
    far = most + 0.12 * (most - 1) * (len(joined) + 1)
    scale = alt.Scale(domain=[1 - 0.02 * most, far], nice=False, zero=False)
    axis = alt.Axis(values=list(range(1, int(most) + 1)), format="d")
    x = alt.X("rank:Q", title=TITLE, scale=scale, axis=axis)
    base = alt.Chart(alt.InlineData(values=values)).encode(y=y)
    layers = [
        base.mark_rule(style="quiet", strokeWidth=1, strokeDash=[1, 3]).encode(
            x=alt.X("from:Q", title=TITLE, scale=scale, axis=axis), x2="rank:Q"
        ),
        base.mark_point(size=80, filled=True, style="whole", opacity=1).encode(
            x=x, tooltip=[alt.Tooltip("cell:N"), alt.Tooltip("rank:Q", title="mean rank", format=".2f")]
        ),
        base.mark_text(align="left", dx=9).encode(x=x, text="said:N"),
    ]
    if joined:
        step = 0.12 * (most - 1)
        bars = [r | {"rank": most + step * (r["at"] + 1)} for r in joined]
        layers.append(
            alt.Chart(alt.InlineData(values=bars))
            .mark_rule(strokeWidth=5, strokeCap="round", style="whole", opacity=0.75)
            .encode(
                x=x,
                y=alt.Y("first:N", sort=ordered, title=None),
                y2="last:N",
                tooltip=[alt.Tooltip("cells:N", title="not told apart")],
            )
        )
    chart = alt.layer(*layers).properties(width="container", height=STEP * max(1, len(ordered)))
    if distance is None:
        return chart
    said = f"critical difference {distance:.2f}"
    return chart.properties(title=alt.TitleParams(text=said, fontSize=12))
