"""gatelab report: run folders as one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


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
