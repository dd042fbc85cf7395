"""A run folder of the shape that real ones have, with numbers that are made up."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatelab.cells import get, hidden_size_for, parameter_count
from gatelab.graph.data import to_data
from gatelab.runs import (
    Comparison,
    Epoch,
    Outcome,
    Paper,
    Reported,
    RunRecord,
    Task,
    Training,
    Trial,
    Unit,
    create,
    read_run,
    write_json,
)

INPUTS, EPOCHS, BATCHES = 88, 60, 58
FLOOR = {"tanh": 9.05, "gru": 8.61, "lstm": 8.66}
ENVIRONMENT = {
    "began": "2026-03-01T09:30:00+00:00",
    "gatelab": "0.1.0",
    "torch": "2.13.0+cpu",
    "python": "3.11.9",
    "system": "Linux x86_64",
    "processor": "A made-up processor",
    "cores": 8,
    "threads_per_trial": 1,
}

Fabricate = Callable[..., Path]


def unit(name: str) -> Unit:
    cell = get(name)
    size = hidden_size_for(cell, INPUTS, 20_000)
    count = parameter_count(cell, INPUTS, size)
    whole = parameter_count(cell, INPUTS, size, output_size=INPUTS)
    return Unit(name=name, cell=to_data(cell), hidden_size=size, parameters=count, model_parameters=whole)


def plan(units: tuple[str | Unit, ...] = ("tanh", "gru", "lstm"), **changes: Any) -> Comparison:
    values: dict[str, Any] = {
        "task": Task(
            dataset="jsb", load="jsb", title="JSB Chorales", source="JSB_Chorales.mat", digest="ab" * 32,
            sequences=(229, 76, 77), steps=(13_807, 4_558, 4_721), input_size=INPUTS, output_size=INPUTS,
        ),
        "units": tuple(u if isinstance(u, Unit) else unit(u) for u in units),
        "budget": 20_000,
        "learning_rates": tuple(float(r) for r in np.exp(np.linspace(-11.5, -6.2, 10))),
        "repeats": 3,
        "training": Training(max_epochs=EPOCHS),
        "paper": Paper(
            key="chung2014",
            citation="Chung, Gulcehre, Cho, Bengio 2014. arXiv:1412.3555",
            table="tables 1 and 2",
            reported={
                "tanh": Reported(hidden_size=100, parameters="20.1 × 10³", train=8.82, test=9.10),
                "gru": Reported(hidden_size=46, parameters="20.2 × 10³", train=6.94, test=8.54),
                "lstm": Reported(hidden_size=36, parameters="19.8 × 10³", train=8.15, test=8.67),
            },
            differences=("The batch size is not given in the paper.", "Parameters hold for 88 inputs."),
        ),
    }  # fmt: skip
    return Comparison(**(values | changes))


def write_trial(folder: Path, config: Comparison, trial: Trial, ended: bool, diverged: bool) -> None:
    """Write a trial whose NLL falls the faster, the nearer its learning rate is to 10⁻³."""
    place = folder / "trials" / trial.name
    place.mkdir(parents=True)
    write_json(place / "trial.json", trial)
    random = np.random.default_rng([trial.seed, trial.number, len(trial.unit)])
    off = abs(math.log(trial.learning_rate / 1e-3))
    floor = FLOOR.get(trial.unit, 9.0) + 0.05 * off**2 + 0.02 * random.standard_normal()
    epochs = []
    for k in range(1, (7 if diverged else EPOCHS) + 1):
        valid = (
            floor + 50 * math.exp(-k / (1 + off)) + 1.5 * math.exp(-k / 15) + 0.01 * random.standard_normal()
        )
        updates = k * BATCHES
        train = valid - 0.3 * (1 - math.exp(-k / 20))
        epochs.append(Epoch(epoch=k, updates=updates, seconds=round(0.9 * k, 3), train=train, valid=valid))
    lines = "".join(json.dumps(e.model_dump()) + "\n" for e in epochs)
    (place / "metrics.jsonl").write_text(lines, encoding="utf-8")
    if ended:
        best = min(epochs, key=lambda e: e.valid)
        nll = {} if diverged else {"train": best.train - 0.2, "valid": best.valid, "test": best.valid + 0.04}
        outcome = Outcome(
            status="diverged" if diverged else "finished",
            reason="diverged: the training NLL became 131.2" if diverged else f"{EPOCHS} epochs",
            epochs=len(epochs), updates=epochs[-1].updates, seconds=epochs[-1].seconds,
            best_epoch=None if diverged else best.epoch, **nll,
        )  # fmt: skip
        write_json(place / "outcome.json", outcome)


@pytest.fixture
def comparison() -> Callable[..., Comparison]:
    """Return the function that makes a configuration, from units or their names and changed values."""
    return plan


@pytest.fixture
def fabricate(tmp_path: Path) -> Fabricate:
    """Return a function that writes a run folder; ``ended`` is how many trials of it have ended."""

    def write(config: Comparison | None = None, ended: int = 1000, where: Path = tmp_path) -> Path:
        config = config or plan()
        folder = create(where, config)
        if ended:
            write_json(folder / "environment.json", ENVIRONMENT)
            write_json(folder / "baselines.json", {"marginal": {"NLL": 11.060}, "Markov": {"NLL": 10.491}})
        done = 0
        for k, rate in enumerate(config.learning_rates):
            for u in config.units:
                if done <= ended and ended:  # the last one has only begun
                    trial = Trial(unit=u.name, stage="search", number=k, learning_rate=rate, seed=config.seed)
                    diverged = u.name == "tanh" and k == len(config.learning_rates) - 1
                    write_trial(folder, config, trial, done < ended, diverged)
                    done += 1
        run = read_run(folder)
        for k in range(config.repeats):
            for u in config.units:
                best = run.best(u.name)
                if best is not None and done < ended:
                    rate, seed = best.trial.learning_rate, config.seed + 1 + k
                    trial = Trial(unit=u.name, stage="repeat", number=k, learning_rate=rate, seed=seed)
                    write_trial(folder, config, trial, True, False)
                    done += 1
        return folder

    return write


@pytest.fixture
def run(fabricate: Fabricate) -> RunRecord:
    """Return a finished run of three units: ten candidates, one of them diverged, and three repeats."""
    return read_run(fabricate())
