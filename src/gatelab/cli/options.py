"""Options that several verbs share, each written once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gatelab.errors import ConfigError

Trials = Annotated[
    int, typer.Option(help="Learning rates to try, the same for all units.", min=1, max=10_000)
]
Repeats = Annotated[
    int, typer.Option(help="How often each unit's best trial is trained again, for the spread.")
]
Seed = Annotated[
    int, typer.Option(help="Seed of everything that is drawn; repeats take the next ones.", min=0)
]
Epochs = Annotated[int | None, typer.Option(help="Most epochs of a training.", show_default=False)]
Patience = Annotated[
    int | None,
    typer.Option(help="Epochs without a better validation after which a training ends.", show_default=False),
]
BatchSize = Annotated[int | None, typer.Option(help="Sequences a batch.", show_default=False)]
OptimizerName = Annotated[
    str | None, typer.Option(help="rmsprop, sgd (with --momentum) or adam.", show_default=False)
]
Momentum = Annotated[
    float | None, typer.Option(help="Nesterov momentum of sgd, 0.9 as a rule.", show_default=False)
]
WeightNoise = Annotated[
    float | None, typer.Option(help="Standard deviation of the noise on weights.", show_default=False)
]
InputNoise = Annotated[
    float | None,
    typer.Option(help="Standard deviation of the noise on inputs that are vectors.", show_default=False),
]
TaskKind = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="music, language, classify, frames, transcribe, waveform, tune, translate, forecast or "
        "synthetic; as a rule what the data suggests.",
        show_default=False,
    ),
]
TaskOptions = Annotated[
    list[str] | None,
    typer.Option("--option", "-o", help="NAME=VALUE for the task, such as unroll=50; may be repeated."),
]
Target = Annotated[
    str | None,
    typer.Option(help="The column that is forecast, or that holds the labels.", show_default=False),
]
Split = Annotated[
    str | None,
    typer.Option(help="Shares of training, validation and test, such as 70/15/15.", show_default=False),
]
Layers = Annotated[int | None, typer.Option(help="Recurrent layers.", show_default=False)]
Bidirectional = Annotated[
    bool | None, typer.Option(help="Whether layers read in both directions.", show_default=False)
]
Dropout = Annotated[
    float | None, typer.Option(help="Share left out between layers in training.", show_default=False)
]
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


def given(**values: Any) -> dict[str, Any]:
    """Return the values that were given."""
    return {name: value for name, value in values.items() if value is not None}


def told(words: Sequence[str] | None, **named: str | None) -> dict[str, str]:
    """Return what was told a task as NAME=VALUE, and by options of their own.

    Raises
    ------
    ConfigError
        Where a word is not of this form.
    """
    pairs = [word.partition("=") for word in words or ()]
    for name, equals, _ in pairs:
        if not (name and equals):
            raise ConfigError(f"--option: wanted NAME=VALUE, such as unroll=50, got {name!r}")
    return {name: value for name, _, value in pairs} | given(**named)


def training(**values: Any) -> dict[str, Any]:
    """Return what was given of a training; momentum is that of sgd alone."""
    found = given(**values)
    if found.get("optimizer") == "sgd":
        return {"momentum": 0.9} | found
    if "momentum" in found:
        raise ConfigError("--momentum: belongs to --optimizer sgd")
    return found
