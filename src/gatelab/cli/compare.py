"""gatelab compare: which unit models these sequences best, at equal parameter counts?"""

from __future__ import annotations

from typing import Annotated

import typer

from gatelab.cli import options
from gatelab.errors import ConfigError


def compare(
    dataset: Annotated[
        str, typer.Argument(help="chorales, jsb, nottingham, muse, piano, or a file of such music.")
    ] = "chorales",
    cells: Annotated[
        str, typer.Option(help="Units, by name, with commas; see gatelab cells.")
    ] = "tanh,lstm,gru",
    parameters: Annotated[int, typer.Option(help="Parameters that each unit gets.")] = 20_000,
    count: Annotated[str, typer.Option(help="What is counted: recurrent layers, or all.")] = "recurrent",
    trials: options.Trials = 4,
    repeats: options.Repeats = 3,
    seed: options.Seed = 0,
    epochs: options.Epochs = 20,
    patience: options.Patience = 10,
    batch_size: options.BatchSize = 4,
    optimizer: Annotated[str, typer.Option(help="rmsprop, sgd (with --momentum) or adam.")] = "rmsprop",
    momentum: Annotated[float, typer.Option(help="Nesterov momentum of sgd.")] = 0.9,
    weight_noise: Annotated[float, typer.Option(help="Standard deviation of the noise on weights.")] = 0.075,
    workers: options.Workers = None,
    runs: options.Runs = None,
    profile: options.Profile = False,
) -> None:
    """Train units at equal parameter counts on a music set, and say which models it best.

    Every unit meets the same data in the same order, the same learning rates and the same limits. The
    defaults are a small budget, to see something within minutes; raise --trials, --epochs and --patience
    to the paper's.
    """
    from gatelab.cli.session import carry_out
    from gatelab.runs import Training, build
    from gatelab.search import comparison

    if count not in ("recurrent", "all"):
        raise ConfigError(f"--count: wanted recurrent or all, got {count!r}")
    training = build(
        Training,
        optimizer=optimizer,
        momentum=momentum if optimizer == "sgd" else 0.0,
        weight_noise=weight_noise,
        batch_size=batch_size,
        max_epochs=epochs,
        patience=patience,
    )
    plan = comparison(
        dataset,
        [c for c in cells.split(",") if c.strip()],
        parameters=parameters,
        count=count,  # type: ignore[arg-type]
        trials=trials,
        repeats=repeats,
        seed=seed,
        training=training,
    )
    carry_out(plan, runs, workers, profile)
