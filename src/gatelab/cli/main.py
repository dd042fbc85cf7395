"""The command line's door: the parser, the exit codes, and the one place that catches a GatelabError.

Exit codes: 0 done; 2 a mistake that the user can mend, told in one line; 1 our own mistake, with its trace;
130 stopped by Ctrl-C.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from gatelab.cli import bench, cells, compare, generate, paper, report, resume, study, train, use
from gatelab.errors import GatelabError

app = typer.Typer(
    name="gatelab",
    help="The laboratory for gated recurrent networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("compare")(compare.compare)
app.command("train")(train.train)
app.command("evaluate")(use.evaluate)
app.command("predict")(use.predict)
app.command("transcribe")(use.transcribe)
app.command("generate")(generate.generate)
app.command("translate")(use.translate)
app.command("forecast")(use.forecast)
app.command("export")(use.export)
app.command("paper")(paper.paper)
app.add_typer(cells.app, name="cells")
app.command("report")(report.report)
app.command("table")(report.table)
app.command("resume")(resume.resume)
app.add_typer(study.app, name="study")
app.add_typer(bench.app, name="bench")

INTERRUPTED = 130


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no σ gets a ?
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
    except GatelabError as error:
        _leave(str(error), 2)
    except typer.TyperException as error:
        _leave(error.format_message() if hasattr(error, "format_message") else str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        _leave("stopped", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: end in silence
        sys.exit(0)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _leave(f"cannot write the output: {error.strerror}; wanted a place with room", 2)
    if code == INTERRUPTED:  # typer's answer to Ctrl-C where no command has one of its own
        _leave("stopped", INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _leave(message: str, code: int) -> NoReturn:
    """Print a message on one line, whatever was quoted in it, and leave."""
    line = "".join(c if c.isprintable() else " " for c in " ".join(message.split()))
    with suppress(OSError):
        print(f"gatelab: {line}", file=sys.stderr)
    sys.exit(code)
