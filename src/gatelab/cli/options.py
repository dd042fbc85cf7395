"""Options that several verbs share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Trials = Annotated[
    int, typer.Option(help="Learning rates to try, the same for all units.", min=1, max=10_000)
]
Repeats = Annotated[
    int, typer.Option(help="How often each unit's best trial is trained again, for the spread.")
]
Seed = Annotated[
    int, typer.Option(help="Seed of everything that is drawn; repeats take the next ones.", min=0)
]
Epochs = Annotated[int, typer.Option(help="Most epochs of a training.")]
Patience = Annotated[
    int, typer.Option(help="Epochs without a better validation after which a training ends.")
]
BatchSize = Annotated[int, typer.Option(help="Sequences a batch.")]
Workers = Annotated[
    int | None,
    typer.Option(help="Trainings at once, one thread each; all cores by default.", min=1, show_default=False),
]
Runs = Annotated[
    Path | None,
    typer.Option(help="Where run folders are made; default $GATELAB_RUNS, else ./runs.", show_default=False),
]
Profile = Annotated[
    bool, typer.Option("--profile", help="Print where the time went, and keep it in the run's folder.")
]
