"""gatelab study run: a study from a file, or from the words of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatelab.cli import options
from gatelab.cli.study_crew import Hands, Ray, Share, Workers
from gatelab.cli.study_run import carry_out
from gatelab.cli.study_storage import Storage
from gatelab.errors import ConfigError

if TYPE_CHECKING:
    from gatelab.runs.study import StudyPlan

CELLS, TRIALS = "tanh,lstm,gru", 50


def run(
    what: Annotated[
        list[str], typer.Argument(help="A file of TOML that declares the study; or data, such as jsb.")
    ],
    name: Annotated[
        str | None, typer.Option(help="The study's; as a rule the data's.", show_default=False)
    ] = None,
    cells: Annotated[
        str | None, typer.Option(help="Units, by name, with commas; see gatelab cells.", show_default=CELLS)
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials of each cell on each task.", min=1, show_default=str(TRIALS))
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            help="What trials draw: NAME=log:LOW:HIGH, uniform:LOW:HIGH, one-minus-log:LOW:HIGH, or A,B,C; "
            "may be repeated. A learning rate within the task's bounds as a rule.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE for all trials; may be repeated.", show_default=False),
    ] = None,
    parameters: Annotated[
        int | None,
        typer.Option(
            help="Parameters that each cell gets; 20,000 where no size is drawn or set.",
            min=1,
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of everything that is drawn.", min=0, show_default="0")
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(help="none, or median: stop trials worse than most.", show_default="none"),
    ] = None,
    task: options.TaskKind = None,
    option: options.TaskOptions = None,
    epochs: options.Epochs = None,
    patience: options.Patience = None,
    workers: Workers = None,
    ray: Ray = None,
    share: Share = None,
    storage: Storage = None,
) -> None:
    """Begin a study, or go on with it; trials that ended are not run again.

    With more cells, tasks or trials than before, it grows by these.
    """
    said: dict[str, Any] = {
        "--name": name, "--cells": cells, "--trials": trials, "--space": space, "--set": settings,
        "--parameters": parameters, "--seed": seed, "--pruner": pruner, "--task": task, "--option": option,
        "--epochs": epochs, "--patience": patience,
    }  # fmt: skip
    hands = Hands(workers, ray, share)
    carry_out(_planned(what, said), storage, hands)


def _planned(what: list[str], said: dict[str, Any]) -> StudyPlan:
    """Return what a file declares, or the options."""
    from gatelab.search.declaration import from_words, read_declaration
    from gatelab.search.declare import declare

    if any(word.lower().endswith(".toml") for word in what):
        if len(what) > 1:
            raise ConfigError(f"wanted one file that declares a study, got {', '.join(what)}")
        if both := [key for key, value in said.items() if value]:
            raise ConfigError(f"{both[0]}: stands in the file where there is one; change {what[0]}")
        return read_declaration(Path(what[0]))
    space, fixed = from_words(said["--space"] or [], said["--set"] or [])
    if said["--parameters"] is not None:
        if twice := {"parameters", "hidden_size"} & {*space, *fixed}:
            raise ConfigError(f"--parameters: {twice.pop()} is drawn or set, too; wanted one of both")
        fixed["parameters"] = said["--parameters"]
    asked = options.given(max_epochs=said["--epochs"], patience=said["--patience"])
    if said["--task"] is not None:
        asked["task"] = said["--task"]
    asked["options"] = options.told(said["--option"])
    return declare(
        [{"data": data, **asked} for data in what],
        [c for c in (CELLS if said["--cells"] is None else said["--cells"]).split(",") if c.strip()],
        name=said["--name"], trials=said["--trials"] or TRIALS, space=space, settings=fixed,
        seed=said["--seed"] or 0, pruner=said["--pruner"] or "none",
    )  # fmt: skip
