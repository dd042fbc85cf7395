"""One training, from a task and a cell to a model's folder; it goes on where it was stopped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gatelab.errors import ConfigError, RunError
from gatelab.graph.cell import Cell
from gatelab.graph.data import to_data
from gatelab.models.folder import Card, card_of, save
from gatelab.runs import Body, Epoch, Outcome, Training, Trial, build, locked, write_json
from gatelab.runs.folder import read_json
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
        η.
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

    Without a learning rate, it lies two thirds up the task's range, on a logarithmic scale.

    Raises
    ------
    ConfigError
        A setting is impossible.
    """
    check_seed(seed)
    low, high = task.rates
    rate = float(f"{math.exp((low + 2 * high) / 3):.3g}") if learning_rate is None else learning_rate
    if not 0 < rate < math.inf:
        raise ConfigError(f"learning rate: wanted a number above 0, got {learning_rate}")
    shape = build(Body, **(task.body.model_dump() | dict(body or {})))
    told = build(Training, **(task.training.model_dump() | dict(training or {})))
    with torch.random.fork_rng(devices=[]):
        task.network(cell, hidden_size, shape)  # says what is impossible, before anything is written
    return Order(task, cell, hidden_size, shape, told, rate, seed)


def make(folder: Path, asked: Order, report: Callable[[Epoch], None] = lambda epoch: None) -> Outcome:
    """Train a network, or go on with its training, and write the model's folder.

    Raises
    ------
    RunError
        The folder holds another training, or the training diverged before its first epoch ended.
    """
    work = folder / WORK
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot make {work}: {(error.strerror or str(error)).lower()}; try another folder"
        ) from None
    trial = Trial(
        unit=asked.cell.name, stage="search", number=0, learning_rate=asked.learning_rate, seed=asked.seed
    )
    with locked(work):
        _check_same(work / "order.json", _data(asked))
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


def _data(asked: Order) -> dict[str, Any]:
    """Return, as JSON holds it, all that decides the numbers of a training."""
    record = asked.task.record()
    return {
        "task": record.kind, "data": record.digest, "options": dict(record.options),
        "cell": to_data(asked.cell), "hidden_size": asked.hidden_size, "body": asked.body.model_dump(),
        "training": asked.training.model_dump(), "learning_rate": asked.learning_rate, "seed": asked.seed,
    }  # fmt: skip


def _check_same(path: Path, asked: Mapping[str, Any]) -> None:
    """Keep what is asked for; refuse a folder that was begun with something else."""
    if not path.exists():
        if (path.parent / "trial.json").exists():
            raise RunError(
                f"{path} is missing, so nobody knows what the training there was; try another folder with "
                "--out, or remove this one"
            )
        write_json(path, dict(asked))
        return
    before = read_json(path)
    known = before if isinstance(before, dict) else {}
    for name, value in asked.items():
        if known.get(name) != value:
            raise RunError(
                f"{path.parent.parent} holds a training with another {_difference(name, known, value)}; try "
                "another folder with --out, or remove this one"
            )


def _difference(name: str, known: Mapping[str, Any], value: Any) -> str:
    """Say in a few words what differs."""
    before = known.get(name)
    if name == "cell":
        return f"cell than {value['name']}"
    if isinstance(before, dict) and isinstance(value, dict):
        odd = next(k for k in {**value, **before} if before.get(k) != value.get(k))
        return f"{odd}: {before.get(odd)!r:.40}, not {value.get(odd)!r:.40}"
    return f"{name.replace('_', ' ')}: {before!r:.40}, not {value!r:.40}"


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
