"""How figures look: one palette, safe for the colour-blind, and a theme for light and dark pages.

Charts name no colours; they take them from the theme, so that a page can change it after the fact.
Source of the palette: Okabe and Ito 2008, Color Universal Design; for dark pages in another order, the
colours with enough contrast first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

LIGHT_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A7A7A")
DARK_PALETTE = ("#56B4E9", "#E69F00", "#2DBE94", "#CC79A7", "#F0E442", "#FF8A3C", "#A8A8A8")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

HEIGHT = 300
"""Of every figure, in pixels; its width is that of the page."""


def unit_legend(names: Sequence[str]) -> alt.Legend:
    """Return a legend of units in as many columns as fit a telephone's screen."""
    widest = max(len(name) for name in names)
    return alt.Legend(title="unit", columns=max(1, min(len(names), 280 // (7 * widest + 28))))


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
            "symbolStrokeWidth": 2, "rowPadding": 4, "labelLimit": 280,
            "layout": {"top": {"direction": "vertical", "anchor": "start", "margin": 2}},
        },
        "header": {"labelColor": ink, "titleColor": ink},
        "title": {
            "anchor": "start", "color": ink, "subtitleColor": muted, "fontWeight": "normal", "fontSize": 14,
            "subtitleFontSize": 12, "offset": 8,
        },
        "rule": {"color": muted},
        "text": {"color": muted, "fontSize": 12},
        "point": {"filled": True},
    }  # fmt: skip
