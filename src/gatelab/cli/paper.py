"""gatelab paper: a paper's study, its table beside ours."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gatelab.cli import options
from gatelab.errors import ConfigError, near_misses


def paper(
    name: Annotated[str, typer.Argument(help="chung2014.")],
    dataset: Annotated[str, typer.Option(help="jsb, nottingham, muse or piano.")] = "jsb",
    sizes: Annotated[
        Literal["budget", "table"],
        typer.Option(
            help="Hidden sizes: solved for the paper's parameter count, or as its table 1 prints them."
        ),
    ] = "budget",
    trials: options.Trials = 10,
    repeats: options.Repeats = 4,
    seed: options.Seed = 0,
    epochs: Annotated[int | None, typer.Option(help="Most epochs of a training.", show_default="200")] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Epochs without a better validation that end it.", show_default="20"),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sequences a batch.", show_default="4")] = None,
    workers: options.Workers = None,
    runs: options.Runs = None,
    profile: options.Profile = False,
) -> None:
    """Repeat a paper's study by its protocol, and put its table beside ours."""
    from gatelab.cli.session import carry_out
    from gatelab.papers import PAPERS
    from gatelab.runs import Training, build

    if name not in PAPERS:
        raise ConfigError(f"unknown paper {name!r}{near_misses(name, PAPERS)}; known are {', '.join(PAPERS)}")
    chosen = PAPERS[name]
    changed = {"max_epochs": epochs, "patience": patience, "batch_size": batch_size}
    values = chosen.TRAINING.model_dump() | {k: v for k, v in changed.items() if v is not None}
    plan = chosen.plan(
        dataset, sizes=sizes, trials=trials, repeats=repeats, seed=seed, training=build(Training, **values)
    )
    carry_out(plan, runs, workers, profile)
