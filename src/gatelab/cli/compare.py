"""gatelab compare: which unit models these sequences best, at equal parameter counts?"""

from __future__ import annotations

from typing import Annotated

import typer

from gatelab.cli import options
from gatelab.errors import ConfigError


def compare(
    dataset: Annotated[
        str,
        typer.Argument(help="A known set, such as jsb, warpeace or sst2, or your own file or folder."),
    ] = "chorales",
    cells: Annotated[
        str, typer.Option(help="Units, by name, with commas; see gatelab cells.")
    ] = "tanh,lstm,gru",
    parameters: Annotated[int, typer.Option(help="Parameters that each unit gets.")] = 20_000,
    count: Annotated[str, typer.Option(help="What is counted: recurrent layers, or all.")] = "recurrent",
    task: options.TaskKind = None,
    option: options.TaskOptions = None,
    target: options.Target = None,
    split: options.Split = None,
    layers: options.Layers = None,
    bidirectional: options.Bidirectional = None,
    dropout: options.Dropout = None,
    trials: options.Trials = 4,
    repeats: options.Repeats = 3,
    seed: options.Seed = 0,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    optimizer: options.OptimizerName = None,
    momentum: options.Momentum = None,
    weight_noise: options.WeightNoise = None,
    input_noise: options.InputNoise = None,
    workers: options.Workers = None,
    runs: options.Runs = None,
    profile: options.Profile = False,
) -> None:
    """Train units at equal parameter counts on a task, and say which does it best.

    Every unit meets the same data in the same order, the same learning rates and the same limits. What is not
    said is as the task does it, and a small budget, to see something within minutes; raise --trials, --epochs
    and --patience to a paper's.
    """
    from gatelab.cli.session import carry_out
    from gatelab.search import comparison
    from gatelab.tasks.guess import guess

    if count not in ("recurrent", "all"):
        raise ConfigError(f"--count: wanted recurrent or all, got {count!r}")
    if task is None:
        found = guess(dataset)
        typer.echo(f"found {found.found}; so the task is {found.kind} (--task chooses another)")
    plan = comparison(
        dataset,
        [c for c in cells.split(",") if c.strip()],
        task=task,
        options=options.told(option, target=target, split=split),
        body=options.given(layers=layers, bidirectional=bidirectional, dropout=dropout),
        parameters=parameters,
        count=count,  # type: ignore[arg-type]
        trials=trials,
        repeats=repeats,
        seed=seed,
        training=options.training(
            max_epochs=epochs, patience=patience, batch_size=batch_size, optimizer=optimizer,
            momentum=momentum, weight_noise=weight_noise, input_noise=input_noise,
        ),
    )  # fmt: skip
    carry_out(plan, runs, workers, profile)
