"""Run folders to one HTML file that needs nothing but a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatelab.draw.curves import learning_curves, shown_trial
from gatelab.draw.rates import learning_rates, rate_rows
from gatelab.errors import ConfigError
from gatelab.report import details
from gatelab.report.answer import answer
from gatelab.report.frame import Figure, fill, listed, specification
from gatelab.report.numbers import Table
from gatelab.report.repeat import repeat_commands
from gatelab.report.table import result_table
from gatelab.report.units import Card, card
from gatelab.runs import RunRecord, read_run, write_atomic


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
    title = sections[0].title if len(sections) == 1 else f"{len(sections)} runs"
    return fill("page.html", title, [f for s in sections for f in s.figures], sections=sections)


def section(run: RunRecord, place: str) -> Section:
    """Return what the page shows of a run."""
    return Section(
        place=place,
        run=run,
        title=f"{listed([u.name for u in run.config.units])} on {run.config.task.title}",
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


def _figures(run: RunRecord, place: str) -> list[Figure]:
    figures: list[Figure] = []
    if any(shown_trial(run, u.name) for u in run.config.units):
        figures += [
            (
                f"{place}-updates",
                "Learning curves against updates.",
                specification(learning_curves(run, "updates")),
            ),
            (
                f"{place}-seconds",
                "Learning curves against seconds.",
                specification(learning_curves(run, "seconds")),
            ),
        ]
    if rate_rows(run):
        figures.append(
            (f"{place}-rates", "The search for the learning rate.", specification(learning_rates(run)))
        )
    return figures
