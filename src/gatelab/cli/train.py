"""gatelab train: one network on a task, as a folder to use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatelab.cli import options


def train(
    dataset: Annotated[
        str, typer.Argument(help="A known set, such as jsb, warpeace or sst2, or your own file or folder.")
    ],
    cell: Annotated[str, typer.Option(help="The unit, by name; see gatelab cells.")] = "lstm",
    hidden: Annotated[int, typer.Option(help="Hidden units a layer.", min=1)] = 128,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="In the task's range, as a rule.", show_default=False),
    ] = None,
    task: options.TaskKind = None,
    option: options.TaskOptions = None,
    target: options.Target = None,
    split: options.Split = None,
    layers: options.Layers = None,
    bidirectional: options.Bidirectional = None,
    dropout: options.Dropout = None,
    seed: options.Seed = 0,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    optimizer: options.OptimizerName = None,
    momentum: options.Momentum = None,
    weight_noise: options.WeightNoise = None,
    input_noise: options.InputNoise = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The model's folder; models/TASK-CELL-HIDDEN as a rule.", show_default=False),
    ] = None,
) -> None:
    """Train one network and keep it: weights, equations, vocabulary and measures, in a folder.

    The same command goes on with a training that was stopped.
    """
    from rich.console import Console

    from gatelab.cells import get
    from gatelab.models.make import make, order
    from gatelab.tasks import open_task
    from gatelab.tasks.guess import guess

    console = Console(highlight=False, emoji=False)
    found = guess(dataset) if task is None else None
    posed = open_task(
        dataset, found.kind if found else task, options.told(option, target=target, split=split)
    )
    asked = order(
        posed,
        get(cell),
        hidden,
        body=options.given(layers=layers, bidirectional=bidirectional, dropout=dropout),
        training=options.training(
            max_epochs=epochs, patience=patience, batch_size=batch_size, optimizer=optimizer,
            momentum=momentum, weight_noise=weight_noise, input_noise=input_noise,
        ),
        learning_rate=learning_rate,
        seed=seed,
    )  # fmt: skip
    folder = out or Path("models") / f"{posed.about.name}-{asked.cell.name}-{hidden}"
    record = posed.record()
    recurrent, whole = posed.counted(asked.cell, hidden, asked.body)
    if found:
        console.print(f"found {found.found} (--task chooses another task)", markup=False)
    console.print(
        f"{record.title}: task {record.kind}{''.join(f'; {note}' for note in record.notes)}\n"
        f"{' / '.join(f'{n:,}' for n in record.sequences)} sequences, "
        f"{' / '.join(f'{n:,}' for n in record.steps)} steps (train / validation / test)\n"
        f"{asked.cell.name}, {hidden} units, {asked.body.layers} layer(s): {recurrent:,} recurrent "
        f"parameters of {whole:,}; {asked.training.optimizer}, learning rate {asked.learning_rate:g}, "
        f"at most {asked.training.max_epochs} epochs",
        markup=False,
    )
    measure = record.objective
    try:
        with console.status("training"):
            outcome = make(
                folder,
                asked,
                lambda epoch: console.print(
                    f"epoch {epoch.epoch}: {measure.name} train {epoch.train:.4f}, validation "
                    f"{epoch.valid:.4f} {measure.unit}; {epoch.seconds:.0f} s",
                    markup=False,
                ),
            )
    except KeyboardInterrupt:
        print(f"gatelab: stopped; the same command goes on with {folder}", file=sys.stderr)
        sys.exit(130)
    from gatelab.cli.use import show_measures

    console.print(f"{outcome.reason}; best epoch {outcome.best_epoch}", markup=False)
    show_measures(console, folder)
    console.print(f"model: {folder}", markup=False, soft_wrap=True)
