"""gatelab resume: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatelab.cli import options


def resume(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    workers: options.Workers = None,
    profile: options.Profile = False,
) -> None:
    """Go on with a run where it was stopped; trials that ended are not run again.

    The numbers are those that the run would have ended with undisturbed.
    """
    from gatelab.cli.session import go_on

    go_on(run, workers, profile)
