"""gatelab study report: a study, or several of one space, as one page and as Markdown."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatelab import settings
from gatelab.cli.study_storage import Storage, open_store
from gatelab.errors import ConfigError

if TYPE_CHECKING:
    from gatelab.runs.study_table import StudyRecord


def report(
    studies: Annotated[
        list[str],
        typer.Argument(
            help="Names of studies, or their files NAME.study.json.gz. Several of one space, such as a "
            "paper's tasks that were run apart, make one report."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The page; NAME.html in the runs folder.", show_default=False),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write its tables as Markdown, too.", show_default=False)
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="The cell that the others are compared with; as a rule that of the paper's findings.",
            show_default=False,
        ),
    ] = None,
    storage: Storage = None,
) -> None:
    """Write what a study found, finished or not, as one page: tests, shares of variance, figures."""
    from gatelab.report.study import markdown_of, render_study
    from gatelab.report.study_numbers import study_numbers
    from gatelab.runs import write_atomic
    from gatelab.runs.study_table import merged

    for target, ending in ((out, ".html"), (markdown, ".md")):
        if target is not None and target.suffix != ending:
            raise ConfigError(f"wanted a file that ends in {ending}, got {target.name}")
    record = merged([read(study, storage) for study in studies])
    if not record.trials:
        raise ConfigError(f"no trial of {record.plan.name} has ended; there is nothing to report yet")
    numbers = study_numbers(record, reference)
    command = _command(studies, out, markdown, reference)
    page = out or settings.runs_folder() / f"{record.plan.name}.html"
    page.absolute().parent.mkdir(parents=True, exist_ok=True)
    write_atomic(page, render_study(numbers, command=command))
    typer.echo(f"report: {page}")
    if markdown is not None:
        write_atomic(markdown, markdown_of(numbers, command=command))
        typer.echo(f"tables: {markdown}")


def read(study: str, storage: str | None) -> StudyRecord:
    """Return a study of a storage, or of a file.

    Raises
    ------
    RunError
        There is none, or it is damaged.
    """
    from gatelab.runs.study_table import SUFFIX, read_study

    return read_study(Path(study)) if study.endswith(SUFFIX) else open_store(storage, study).record()


def _command(studies: list[str], out: Path | None, markdown: Path | None, reference: str | None) -> str:
    words = ["gatelab", "study", "report", *studies]
    for option, value in (("--reference", reference), ("--markdown", markdown), ("--out", out)):
        words += [] if value is None else [option, str(value)]
    return shlex.join(words)
