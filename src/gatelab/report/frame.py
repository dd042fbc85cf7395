"""What every page of the reports has: one file that needs nothing but a browser, and trusts nobody.

What a page says of runs or studies is not trusted: text goes through a template that escapes it, data for
the figures is JSON without ``<``, and the page forbids every connection and every script but its own, by
their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from gatelab.draw.style import theme
from gatelab.report.bundle import bundle

Figure = tuple[str, str, dict[str, Any]]
"""Its place in the page, its caption, its Vega-Lite specification."""


def fill(template: str, title: str, figures: Iterable[Figure], **values: Any) -> str:
    """Return a page: a template of this folder with its values, and the scripts that draw its figures."""
    scripts = [bundle(), _text("charts.js")]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        loader=FunctionLoader(_text),
    )  # fmt: skip
    return environment.get_template(template).render(
        title=title,
        style=Markup(_text("page.css")),
        scripts=[Markup(s) for s in scripts],
        policy=" ".join(f"'sha256-{_digest(s)}'" for s in scripts),
        figures=safe_json({place: spec for place, _, spec in figures}),
        themes=safe_json({"light": theme(dark=False), "dark": theme(dark=True)}),
        **values,
    )


def specification(chart: Any) -> dict[str, Any]:
    """Return what a page holds of a chart: all but the theme, which is the page's, light or dark."""
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("config", None)
    return spec


def safe_json(value: Any) -> Markup:
    r"""Return JSON that may stand inside a ``<script>`` element, whatever text is in it.

    Examples
    --------
    >>> from gatelab.report.frame import safe_json
    >>> print(safe_json({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def listed(names: Iterable[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["tanh"]), listed(["tanh", "gru", "lstm"])
    ('tanh', 'tanh, gru and lstm')
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _text(name: str) -> str:
    return resources.files("gatelab.report").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
