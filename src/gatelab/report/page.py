"""Run folders to one HTML file that needs nothing but a browser.

What a run folder says is not trusted: text goes through a template that escapes it, data for the figures
is JSON without ``<``, and the page forbids every connection and every script but its own, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from gatelab.draw.curves import learning_curves, shown_trial
from gatelab.draw.rates import learning_rates, rate_rows
from gatelab.draw.style import theme
from gatelab.errors import ConfigError
from gatelab.report import details
from gatelab.report.answer import answer
from gatelab.report.bundle import bundle
from gatelab.report.numbers import NOTHING, Table
from gatelab.report.repeat import repeat_commands
from gatelab.report.table import result_table
from gatelab.report.units import Card, card
from gatelab.runs import RunRecord, read_run, write_atomic

Figure = tuple[str, str, dict[str, Any]]
"""Its place in the page, its caption, its Vega-Lite specification."""


@dataclass(frozen=True)
class Section:
    """What the page shows of one run."""

    place: str
    run: RunRecord
    title: str
    began: str
    answer: str
    result: Table
    differences: Table
    reported: Table
    figures: list[Figure]
    units: list[Card]
    candidates: Table
    tables: list[Table]
    missing: list[str]
    commands: list[str]


def write_report(run_folders: Sequence[Path], target: Path | None = None) -> Path:
    """Write one self-contained HTML file that shows runs, finished or not, and return its path.

    Parameters
    ----------
    run_folders
        At least one run folder.
    target
        The file; by default ``report.html`` in the folder of a single run, and beside the first of several.

    Raises
    ------
    ConfigError
        Where no folder is given.
    RunError
        Where a folder is no run or is damaged, or the file cannot be written.
    """
    folders = [Path(f) for f in run_folders]
    if not folders:
        raise ConfigError("report: wanted at least one run folder, got none")
    page = render([read_run(f) for f in folders])
    if target is None:
        target = (folders[0] if len(folders) == 1 else folders[0].resolve().parent) / "report.html"
    write_atomic(Path(target), page)
    return Path(target)


def render(runs: Sequence[RunRecord]) -> str:
    """Return the page of these runs."""
    sections = [section(run, f"run{k}") for k, run in enumerate(runs)]
    drawn = {place: spec for s in sections for place, _, spec in s.figures}
    scripts = [bundle(), _text("charts.js")]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(_text("page.html"))
    return template.render(
        sections=sections,
        nothing=NOTHING,
        style=Markup(_text("page.css")),
        scripts=[Markup(s) for s in scripts],
        policy=" ".join(f"'sha256-{_digest(s)}'" for s in scripts),
        figures=safe_json(drawn),
        themes=safe_json({"light": theme(dark=False), "dark": theme(dark=True)}),
    )


def section(run: RunRecord, place: str) -> Section:
    """Return what the page shows of a run."""
    return Section(
        place=place,
        run=run,
        title=f"{_listed([u.name for u in run.config.units])} on {run.config.task.title}",
        began=str(run.environment.get("began", ""))[:16].replace("T", " "),
        answer=answer(run),
        result=result_table(run),
        differences=details.difference_table(run),
        reported=details.reported_table(run),
        figures=_figures(run, place),
        units=[card(run, unit) for unit in run.config.units],
        candidates=details.candidate_table(run),
        tables=[details.setting_table(run), details.data_table(run), details.environment_table(run)],
        missing=details.missing(run),
        commands=repeat_commands(run.config, run.folder),
    )


def safe_json(value: Any) -> Markup:
    r"""Return JSON that may stand inside a ``<script>`` element, whatever text is in it.

    Examples
    --------
    >>> from gatelab.report.page import safe_json
    >>> print(safe_json({"name": "</script>"}))
    {"name":"\u003c/script\u003e"}
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _figures(run: RunRecord, place: str) -> list[Figure]:
    figures: list[Figure] = []
    if any(shown_trial(run, u.name) for u in run.config.units):
        figures += [
            (f"{place}-updates", "Learning curves against updates.", _spec(learning_curves(run, "updates"))),
            (f"{place}-seconds", "Learning curves against seconds.", _spec(learning_curves(run, "seconds"))),
        ]
    if rate_rows(run):
        figures.append((f"{place}-rates", "The search for the learning rate.", _spec(learning_rates(run))))
    return figures


def _spec(chart: Any) -> dict[str, Any]:
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("config", None)  # the page's theme, light or dark, stands in its place
    return spec


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _text(name: str) -> str:
    return resources.files("gatelab.report").joinpath(name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
