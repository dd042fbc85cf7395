"""How a run is repeated: the commands for it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from gatelab.cells import get
from gatelab.errors import ConfigError
from gatelab.runs import Comparison


def repeat_commands(config: Comparison, folder: Path) -> list[str]:
    """Return commands: first the one that repeats exactly this configuration, then the one that began it.

    The second is left out where a unit is not in the catalogue.
    """
    name = shlex.quote(folder.resolve().name)
    commands = [f"mkdir again && cp {name}/config.json again/ && gatelab resume again"]
    try:
        for unit in config.units:
            get(unit.name)
    except ConfigError:
        return commands
    if config.paper is not None:
        commands.append(_paper(config, config.paper.key))
    elif config.sizes == "budget":
        commands.append(_compare(config))
    return commands


def _paper(config: Comparison, key: str) -> str:
    sizes = "budget" if config.sizes == "budget" else "table"
    return _joined(
        ["gatelab", "paper", key, "--dataset", config.task.load, "--sizes", sizes, *_limits(config)]
    )


def _compare(config: Comparison) -> str:
    task, training, body = config.task, config.training, config.body
    units = ",".join(unit.name for unit in config.units)
    words: list[object] = ["gatelab", "compare", task.load, "--cells", units, "--task", task.kind]
    for name, value in task.options.items():
        words += ["-o", f"{name}={_said(value)}"]
    words += ["--parameters", config.budget, "--count", config.count, "--layers", body.layers]
    words += ["--bidirectional" if body.bidirectional else "--no-bidirectional"]
    words += ["--dropout", f"{body.dropout:g}", *_limits(config), "--optimizer", training.optimizer]
    words += ["--weight-noise", f"{training.weight_noise:g}", "--input-noise", f"{training.input_noise:g}"]
    words += ["--momentum", f"{training.momentum:g}"] if training.optimizer == "sgd" else []
    return _joined(words)


def _said(value: str | float | bool) -> str:
    """Return an option's value as the command line reads it."""
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _limits(config: Comparison) -> list[object]:
    training = config.training
    return [
        "--trials", len(config.learning_rates), "--repeats", config.repeats, "--seed", config.seed,
        "--epochs", training.max_epochs, "--patience", training.patience, "--batch-size", training.batch_size,
    ]  # fmt: skip


def _joined(words: Sequence[object]) -> str:
    return " ".join(shlex.quote(str(word)) for word in words)
