"""A study as one HTML file that needs nothing but a browser, and as Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gatelab.report import study_conduct as conduct
from gatelab.report import study_tables as tables
from gatelab.report.frame import Figure, fill, listed
from gatelab.report.numbers import Table
from gatelab.report.study_answer import study_answers
from gatelab.report.study_claims import MARGIN, judged, summed
from gatelab.report.study_figures import TaskFigures, ranks_figure, task_figures
from gatelab.report.study_numbers import StudyNumbers, TaskNumbers, study_numbers
from gatelab.report.summary import as_markdown
from gatelab.runs import write_atomic
from gatelab.runs.findings import Finding
from gatelab.runs.study_table import SUFFIX, StudyRecord

__all__ = ["markdown_of", "render_study", "study_markdown", "write_study_report", "write_study_reports"]


@dataclass(frozen=True)
class TaskSection:
    """What the page shows of a task."""

    place: str
    name: str
    title: str
    measure: str
    result: Table
    comparison: Table
    importance: Table
    interactions: Table
    protocol: Table
    figures: TaskFigures


def write_study_report(
    record: StudyRecord,
    target: Path,
    *,
    reference: str | None = None,
    findings: Sequence[Finding] | None = None,
    command: str | None = None,
) -> Path:
    """Write one self-contained HTML file that shows a study, finished or not, and return its path.

    Parameters
    ----------
    target
        The file.
    reference
        The cell that all others are compared with; None takes that of the plan's findings, if they name one,
        and else compares none.
    findings
        A paper's, which are judged; None takes the plan's.
    command
        What draws the report again.

    Raises
    ------
    ConfigError
        The study has no cell of the reference's name.
    RunError
        The file cannot be written.
    """
    (written,) = write_study_reports(
        record, [Path(target)], reference=reference, findings=findings, command=command
    )
    return written


def write_study_reports(
    record: StudyRecord,
    targets: Sequence[Path],
    *,
    reference: str | None = None,
    findings: Sequence[Finding] | None = None,
    command: str | None = None,
) -> Sequence[Path]:
    """Write a study's reports of one computation: each a page or, where the file ends in .md, Markdown.

    Parameters and errors are those of :func:`write_study_report`.
    """
    numbers = study_numbers(record, reference)
    again = command or redraw_command(numbers)
    for target in targets:
        target.absolute().parent.mkdir(parents=True, exist_ok=True)
        made = markdown_of if target.suffix.lower() == ".md" else render_study
        write_atomic(target, made(numbers, findings, again))
    return targets


def render_study(numbers: StudyNumbers, findings: Sequence[Finding] | None = None, command: str = "") -> str:
    """Return the page of a study."""
    record, plan = numbers.record, numbers.record.plan
    sections = [_section(numbers, task, f"task{k}") for k, task in enumerate(numbers.tasks)]
    across: list[tuple[str, str, str, Table, list[Figure]]] = []
    if numbers.ranks is not None:
        note, shown = tables.rank_note(numbers), tables.rank_rows(numbers)
        across.append(("over-tasks", "Over all tasks", note, shown, ranks_figure(numbers)))
    claims = judged(numbers, plan.findings if findings is None else findings)
    parts = [("asked", "What was asked"), *([("claims", "Findings of the paper")] if claims else [])]
    parts += [(s.place, s.name) for s in sections]
    parts += [(place, name) for place, name, *_ in across]
    parts += [("conduct", "How it was carried out"), ("again", "How to draw it again")]
    return fill(
        "study.html",
        title_of(numbers),
        [f for s in sections for f in s.figures.all] + [f for a in across for f in a[-1]],
        plan=plan,
        share=numbers.share,
        reference=numbers.reference,
        answers=study_answers(numbers),
        missing=conduct.missing_lines(record),
        parts=parts,
        asked=conduct.plan_rows(record),
        space=tables.space_rows(numbers),
        claims=tables.claim_rows(claims),
        overview=tables.claim_overview(claims),
        claimed=summed(claims),
        margin=MARGIN,
        tasks=sections,
        across=across,
        conduct=conduct.conduct_rows(record),
        time=conduct.time_rows(record),
        projection=conduct.projection(record),
        reasons=conduct.reason_rows(record),
        machines=conduct.machine_rows(record),
        command=command,
    )


def study_markdown(
    record: StudyRecord,
    *,
    reference: str | None = None,
    findings: Sequence[Finding] | None = None,
    command: str | None = None,
) -> str:
    """Return the summary of a study as Markdown: the answers, the tables, and how it was carried out.

    Parameters and errors are those of :func:`write_study_report`.
    """
    return markdown_of(study_numbers(record, reference), findings, command)


def markdown_of(
    numbers: StudyNumbers, findings: Sequence[Finding] | None = None, command: str | None = None
) -> str:
    """Return the Markdown of a study whose numbers are there."""
    record = numbers.record
    parts = [f"# {title_of(numbers)}", *study_answers(numbers)]
    if missing := conduct.missing_lines(record):
        parts.append("This study is not finished. " + " ".join(missing))
    parts += [
        "## What was asked",
        as_markdown(conduct.plan_rows(record)),
        as_markdown(tables.space_rows(numbers)),
    ]
    if paper := record.plan.paper:
        parts += [f"- {line}" for line in paper.differences]
    if claims := judged(numbers, record.plan.findings if findings is None else findings):
        parts += [
            "## Findings of the paper",
            summed(claims),
            as_markdown(tables.claim_overview(claims)),
            as_markdown(tables.claim_rows(claims)),
        ]
    for task in numbers.tasks:
        parts += [
            f"## {task.trials.name}: {task.trials.task.title}",
            as_markdown(tables.result_rows(numbers, task)),
        ]
        for shown in (_comparison(numbers, task), _importance(numbers, task)):
            if shown.rows:
                parts.append(as_markdown(shown))
    if numbers.ranks is not None:
        parts += ["## Over all tasks", as_markdown(tables.rank_rows(numbers)), tables.rank_note(numbers)]
    parts += ["## How it was carried out", as_markdown(conduct.conduct_rows(record))]
    parts += [as_markdown(conduct.time_rows(record)), *conduct.projection(record)]
    parts += ["## How to draw it again", f"    {command or redraw_command(numbers)}"]
    return "\n\n".join(p.strip("\n") for p in parts) + "\n"


def title_of(numbers: StudyNumbers) -> str:
    """Return what the study is about."""
    plan = numbers.record.plan
    cells = [c.name for c in plan.cells]
    said = listed(cells) if len(cells) < 4 else f"{len(cells)} cells"
    return f"{said} on {listed(t.name for t in plan.tasks)}, {plan.trials:,} trials each"


def redraw_command(numbers: StudyNumbers) -> str:
    """Return the command that draws the report again from the study's table."""
    words = ["gatelab", "study", "report", f"{numbers.record.plan.name}{SUFFIX}"]
    if numbers.reference is not None:
        words += ["--reference", numbers.reference]
    return shlex.join(words)


def _section(numbers: StudyNumbers, task: TaskNumbers, place: str) -> TaskSection:
    return TaskSection(
        place=place,
        name=task.trials.name,
        title=task.trials.task.title,
        measure=task.trials.title,
        result=tables.result_rows(numbers, task),
        comparison=_comparison(numbers, task),
        importance=_importance(numbers, task),
        interactions=tables.interaction_rows(task),
        protocol=conduct.protocol_rows(numbers.record.plan.task(task.trials.name)),
        figures=task_figures(numbers, task, place),
    )


def _comparison(numbers: StudyNumbers, task: TaskNumbers) -> Table:
    return tables.comparison_rows(numbers, task)


def _importance(numbers: StudyNumbers, task: TaskNumbers) -> Table:
    return tables.importance_rows(numbers, task)
