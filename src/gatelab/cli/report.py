"""gatelab report, table: run folders as one self-contained HTML file, or as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatelab.errors import ConfigError


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; RUN/report.html by default.", show_default=False),
    ] = None,
) -> None:
    """Write one HTML file that shows runs, finished or not, and needs no network."""
    from gatelab.report import write_report

    typer.echo(f"report: {write_report(runs, output)}")


def table(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    measure: Annotated[
        str | None,
        typer.Option(
            help="Its name, such as perplexity; what each run compares by as a rule.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A .md or .csv file; the terminal as a rule.", show_default=False, dir_okay=False),
    ] = None,
) -> None:
    """Show several runs in one table: a row a run, a column a unit, with baselines and intervals."""
    from rich.console import Console

    from gatelab.cli.session import show_rows
    from gatelab.report.summary import as_csv, as_markdown, summary_table
    from gatelab.runs import read_run, write_atomic

    forms = {".md": as_markdown, ".csv": as_csv}
    if out is not None and out.suffix.lower() not in forms:
        raise ConfigError(f"--out: wanted a file that ends in .md or .csv, got {out.name}")
    found = summary_table([read_run(folder) for folder in runs], measure)
    if out is None:
        show_rows(Console(highlight=False, emoji=False), "Test, mean over seeds ± 95 % (seeds)", found)
        return
    write_atomic(out, forms[out.suffix.lower()](found))
    typer.echo(f"wrote {out}", err=True)
