"""gatelab paper: a paper's study, its table beside ours."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gatelab.cli import options
from gatelab.errors import ConfigError, near_misses


def paper(
    name: Annotated[str, typer.Argument(help="chung2014.")],
    dataset: Annotated[
        str,
        typer.Option(
            help="jsb, nottingham, muse, piano; speech-500 or speech-8000, on a free data set or =PATH."
        ),
    ] = "jsb",
    sizes: Annotated[
        Literal["budget", "table"],
        typer.Option(
            help="Hidden sizes: solved for the paper's parameter count, or as its table 1 prints them."
        ),
    ] = "budget",
    trials: options.Trials = 10,
    repeats: options.Repeats = 4,
    seed: options.Seed = 0,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    workers: options.Workers = None,
    runs: options.Runs = None,
    profile: options.Profile = False,
) -> None:
    """Repeat a paper's study by its protocol, and put its table beside ours."""
    from gatelab.cli.session import carry_out
    from gatelab.papers import PAPERS

    if name not in PAPERS:
        raise ConfigError(f"unknown paper {name!r}{near_misses(name, PAPERS)}; known are {', '.join(PAPERS)}")
    chosen = PAPERS[name]
    changed = {"max_epochs": epochs, "patience": patience, "batch_size": batch_size}
    training = {k: v for k, v in changed.items() if v is not None}
    plan = chosen.plan(dataset, sizes=sizes, trials=trials, repeats=repeats, seed=seed, training=training)
    carry_out(plan, runs, workers, profile)
