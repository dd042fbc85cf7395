"""How figures look: one palette, safe for the colour-blind, and a theme for light and dark pages.

Charts name no colours; they take them from the theme, so that a page can change it after the fact.
Source of the palette: Okabe and Ito 2008, Color Universal Design; for dark pages in another order, the
colours with enough contrast first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import altair as alt

LIGHT_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")
DARK_PALETTE = ("#56B4E9", "#E69F00", "#2DBE94", "#CC79A7", "#F0E442", "#FF8A3C", "#A8A8A8")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

Layered = alt.LayerChart | alt.FacetChart
"""What Altair says that several layers are."""

DASHES = ([1, 0], [7, 3], [2, 2])
WHOLE = "whole"
"""The mark style of what stands for all cells together."""
QUIET = "quiet"
"""The mark style of what stands in the background."""

HEIGHT = 300
"""Of every figure, in pixels; its width is that of the page."""


def unit_legend(names: Sequence[str]) -> alt.Legend:
    """Return a legend of units in as many columns as fit a telephone's screen."""
    widest = max(len(name) for name in names)
    return alt.Legend(title="unit", columns=max(1, min(len(names), 280 // (7 * widest + 28))))


C = TypeVar("C", alt.Chart, Layered)


def with_rows(chart: C, rows: Sequence[Mapping[str, Any]]) -> C:
    """Return the chart with the rows that it shows; set at last, for Altair copies them at each step."""
    chart.data = alt.InlineData(values=[dict(r) for r in rows])
    return chart


def cell_colour(names: Sequence[str], symbol: str = "stroke") -> alt.Color:
    """Return the colour of each of a study's cells; with :func:`cell_dash`, no two of 21 look the same."""
    legend = cell_legend(names, symbol)
    return alt.Color("cell:N", sort=None, scale=alt.Scale(domain=list(names)), legend=legend)


def cell_dash(names: Sequence[str]) -> alt.StrokeDash:
    """Return the dashes of each cell's line: of those that share a colour, the later ones are broken."""
    dashes = [DASHES[k // len(LIGHT_PALETTE) % len(DASHES)] for k in range(len(names))]
    scale = alt.Scale(domain=list(names), range=dashes)
    return alt.StrokeDash("cell:N", sort=None, scale=scale, legend=cell_legend(names))


def cell_legend(names: Sequence[str], symbol: str = "stroke") -> alt.Legend:
    """Return a legend of cells in as many columns as fit a telephone's screen."""
    widest = max(len(name) for name in names)
    columns = max(1, min(len(names), 330 // (7 * widest + 40)))
    return alt.Legend(
        title="cell",
        columns=columns,
        titleOrient="top",
        symbolType=symbol,
        symbolSize=260 if symbol == "stroke" else 60,
        symbolOpacity=1,
    )


def theme(dark: bool) -> dict[str, Any]:
    """Return the Vega-Lite configuration of a light or a dark page.

    Examples
    --------
    >>> from gatelab.draw.style import theme
    >>> theme(dark=False)["range"]["category"][0]
    '#0072B2'
    """
    ink, muted, grid = ("#e6e6e6", "#a9afb8", "#363b44") if dark else ("#1c1f24", "#5a616b", "#e3e6ea")
    return {
        "background": "transparent",
        "font": FONT,
        "view": {"stroke": None},
        "range": {"category": list(DARK_PALETTE if dark else LIGHT_PALETTE)},
        "axis": {
            "domainColor": muted, "gridColor": grid, "tickColor": muted, "labelColor": muted,
            "titleColor": ink, "titleFontWeight": "normal", "titleFontSize": 13, "labelFontSize": 12,
            "titlePadding": 8,
        },
        "legend": {
            "orient": "top", "direction": "horizontal", "titleColor": ink, "labelColor": ink,
            "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titleOrient": "left",
            "symbolBaseFillColor": muted, "symbolBaseStrokeColor": muted,
            "symbolStrokeWidth": 2, "rowPadding": 4, "labelLimit": 280,
            "layout": {"top": {"direction": "vertical", "anchor": "start", "margin": 8}},
        },
        "header": {"labelColor": ink, "titleColor": ink},
        "title": {
            "anchor": "start", "color": ink, "subtitleColor": muted, "fontWeight": "normal", "fontSize": 14,
            "subtitleFontSize": 12, "offset": 8,
        },
        "style": {
            WHOLE: {"stroke": ink, "fill": ink, "color": ink},
            QUIET: {"stroke": muted, "fill": muted, "color": muted},
        },
        "rule": {"color": muted},
        "text": {"color": muted, "fontSize": 12},
        "point": {"filled": True},
    }  # fmt: skip
