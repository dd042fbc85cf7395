"""A figure as a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import altair as alt
import vl_convert

from gatelab.draw.style import theme
from gatelab.errors import ConfigError
from gatelab.runs.folder import write_atomic

PAPER = {False: "#ffffff", True: "#16191d"}
"""The background of a light and of a dark page."""
SCALE = 2.0
"""Pixels of a PNG for each of the figure's own."""


def save(chart: alt.TopLevelMixin, path: Path, dark: bool = False) -> None:
    """Write a chart as SVG or PNG, by the name's ending, for a light or a dark page.

    Raises
    ------
    ConfigError
        Where the name ends in something else.
    RunError
        Where the file cannot be written; what stood there before is untouched.
    """
    kind = path.suffix.lower()
    if kind not in (".svg", ".png"):
        raise ConfigError(f"figure: wanted a file that ends in .svg or .png, got {path.name}")
    content = chart.to_dict()
    content["config"] = theme(dark) | {"background": PAPER[dark], "padding": 12}
    with suppress(OSError):  # the writing says what is wrong
        path.parent.mkdir(parents=True, exist_ok=True)
    if kind == ".svg":
        write_atomic(path, vl_convert.vegalite_to_svg(content))
    else:
        write_atomic(path, vl_convert.vegalite_to_png(content, scale=SCALE))
