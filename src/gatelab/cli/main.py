"""The command line's door: the parser, the exit codes, and the one place that catches a GatelabError.

Exit codes: 0 done; 2 a mistake that the user can mend, told in one line; 1 our own mistake, with its trace;
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from gatelab.cli import cells, compare, paper, report, resume
from gatelab.errors import GatelabError

app = typer.Typer(
    name="gatelab",
    help="The laboratory for gated recurrent networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("compare")(compare.compare)
app.command("paper")(paper.paper)
app.add_typer(cells.app, name="cells")
app.command("report")(report.report)
app.command("resume")(resume.resume)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gatelab {version('gatelab')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True)] = False,
) -> None:
    """The laboratory for gated recurrent networks."""


def run() -> None:
    """Run the command line and leave with its exit code."""
    try:
        app()
    except GatelabError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"gatelab: {error}", markup=False)
        sys.exit(2)
    except KeyboardInterrupt:
        Console(stderr=True).print("gatelab: stopped; go on with: gatelab resume RUN", markup=False)
        sys.exit(130)
