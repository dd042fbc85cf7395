"""One training, from a task and a cell to a model's folder; it goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gatelab.errors import ConfigError, RunError
from gatelab.graph.cell import Cell
from gatelab.models.folder import Card, card_of, save
from gatelab.runs import Body, Epoch, Outcome, Training, Trial, build, locked
from gatelab.runs.tables import has_ended, read_trial
from gatelab.search.space import check_seed
from gatelab.tasks import Task
from gatelab.train import train
from gatelab.train.checkpoint import read_tensors

WORK = "training"
"""The folder, inside the model's, that holds metrics and checkpoints."""


@dataclass(frozen=True)
class Order:
    """What is to be trained.

    Attributes
    ----------
    task, cell, hidden_size
        The task, and the unit with its size.
    body, training
        What is to be changed of how the task does it.
    learning_rate
        η; None: the geometric mean of the task's bounds.
    seed
        Of the initial weights and all that is drawn.
    """

    task: Task
    cell: Cell
    hidden_size: int
    body: Body
    training: Training
    learning_rate: float
    seed: int = 0


def order(
    task: Task,
    cell: Cell,
    hidden_size: int,
    body: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    learning_rate: float | None = None,
    seed: int = 0,
) -> Order:
    """Return what is to be trained, with all that was not said as the task does it.

    Raises
    ------
    ConfigError
        A setting is impossible.
    """
    check_seed(seed)
    low, high = task.rates
    rate = 2.718281828459045 ** ((low + 2 * high) / 3) if learning_rate is None else learning_rate
    if not 0 < rate < float("inf"):
        raise ConfigError(f"learning rate: wanted a number above 0, got {learning_rate}")
    shape = build(Body, **(task.body.model_dump() | dict(body or {})))
    told = build(Training, **(task.training.model_dump() | dict(training or {})))
    task.network(cell, hidden_size, shape)  # says what is impossible, before anything is written
    return Order(task, cell, hidden_size, shape, told, float(f"{rate:.3g}"), seed)


def make(folder: Path, asked: Order, report: Callable[[Epoch], None] = lambda epoch: None) -> Outcome:
    """Train a network, or go on with its training, and write the model's folder.

    Raises
    ------
    RunError
        The folder holds another model's training, or the training diverged before its first epoch ended.
    """
    work = folder / WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make {work}: {(error.strerror or str(error)).lower()}") from None
    trial = Trial(
        unit=asked.cell.name, stage="search", number=0, learning_rate=asked.learning_rate, seed=asked.seed
    )
    with locked(work):
        ended = has_ended(work, trial)
        outcome = read_trial(work).outcome if ended else None
        if outcome is None:
            outcome = train(
                work, trial, asked.task, asked.cell, asked.hidden_size, asked.training, asked.body, report
            )
        if outcome.best_epoch is None:
            raise RunError(f"{folder}: {outcome.reason}; try a smaller learning rate")
        _write(folder, asked, outcome)
    return outcome


def _write(folder: Path, asked: Order, outcome: Outcome) -> None:
    network = asked.task.network(asked.cell, asked.hidden_size, asked.body)
    weights, _ = read_tensors(folder / WORK / "weights.safetensors")
    network.load_state_dict(weights)
    save(folder, _card(asked, outcome), network)


def _card(asked: Order, outcome: Outcome) -> Card:
    objective = asked.task.measures[0].name
    measures = {
        split: {objective: getattr(outcome, split), **outcome.measures.get(split, {})}
        for split in ("valid", "test")
    }
    return card_of(
        asked.cell,
        task=asked.task.record(),
        blueprint=asked.task.blueprint,
        hidden_size=asked.hidden_size,
        body=asked.body,
        kept=asked.task.kept(),
        training=asked.training,
        learning_rate=asked.learning_rate,
        seed=asked.seed,
        measures=measures,
    )
