"""Made-up studies: what a search over four hyper-parameters could have given, without a training.

The objective is a bowl in the logarithm of the learning rate, falls with the size, rises with the input noise
and hardly knows the momentum; some cells are worse than others. So tests know what figures have to show.
"""

import math

import numpy as np

from gatelab.runs import Measure, Paper, Task
from gatelab.runs.space import position
from gatelab.runs.study import StudyTrial, study_plan
from gatelab.runs.study_table import StudyRecord

SPACE = {
    "learning_rate": {"kind": "log-uniform", "low": 1e-6, "high": 1e-2},
    "hidden_size": {"kind": "log-uniform", "low": 20, "high": 200, "whole": True},
    "momentum": {"kind": "one-minus-log-uniform", "low": 0.0, "high": 0.99},
    "input_noise": {"kind": "uniform", "low": 0.0, "high": 1.0},
}
CELLS = ("lstm", "nig", "nfg", "nog", "niaf", "noaf", "np", "cifg", "fgr", "gru")
WORSE = {"nfg": 0.5, "noaf": 0.3, "nig": 0.1, "fgr": 0.05, "cifg": -0.02}
"""How much worse than the first cell these are, as parts of what can be learned."""
NLL = Measure(name="NLL", unit="nats per step")
ERROR = Measure(name="frame error", unit="%")
KINDS = {
    # name: kind, title, objective untrained and learned, measures, headline
    "jsb": ("music", "JSB Chorales", (12.0, 8.4), (NLL,), "NLL"),
    "speech": ("frames", "small speech, frame by frame", (4.1, 1.1), (NLL, ERROR), "frame error"),
    "pens": ("transcribe", "small handwriting", (30.0, 14.0), (NLL,), "NLL"),
}
OPTIMUM = 0.62
"""Where the best learning rate lies, as a part of its dimension."""
PAPER = Paper(
    key="greff2015", citation="Greff et al. 2015, LSTM: A Search Space Odyssey", table="Figure 3",
    differences=("Fewer trials a cell.", "Updates after every 8 sequences."),
)  # fmt: skip


def task_record(name, **changed):
    """Return what a study says of a task."""
    kind, title, _, measures, headline = KINDS[name]
    values = {
        "kind": kind, "dataset": name, "load": name, "title": title, "source": "made up", "digest": "0" * 64,
        "sequences": (200, 60, 60), "steps": (9000, 3000, 3000), "input_size": 88, "output_size": 88,
        "measures": measures, "headline": headline, "notes": ("Split by the set itself.",),
    }  # fmt: skip
    return Task(**(values | changed))


def made_plan(tasks=("jsb",), cells=CELLS[:3], trials=40, **changed):
    """Return the plan of a made-up study."""
    values = {
        "name": "odyssey-small",
        "tasks": tuple({"name": t, "record": task_record(t)} for t in tasks),
        "cells": tuple({"name": c, "cell": {}} for c in cells),
        "space": SPACE,
        "settings": {"optimizer": "sgd", "weight_noise": 0.0},
        "trials": trials,
        "paper": PAPER,
    }
    return study_plan(**(values | changed))


def made_study(tasks=("jsb",), cells=CELLS[:3], trials=40, ended=None, broken=True, epochs=30, **changed):
    """Return a made-up study.

    Parameters
    ----------
    ended
        How many trials have ended, in the plan's order; by default all.
    broken
        Whether some trials diverged, of which half left a value, and some failed.
    """
    plan = made_plan(tasks, cells, trials, **changed)
    keys = list(plan.keys())[:ended]
    trials_made = tuple(made_trial(plan, k, broken, epochs) for k in keys)
    machines = {
        f"machine-{k}": {"processor": "A made-up processor", "cores": 4, "torch": "2.13.0", "python": "3.12"}
        for k in range(2)
    }
    return StudyRecord(plan, trials_made, machines)


def made_trial(plan, key, broken=True, epochs=30):
    """Return one trial; the same for the same plan and key."""
    random = np.random.default_rng([hash_of(key.cell), hash_of(key.task), key.number])
    drawn = plan.drawn(key)
    places = {n: position(d, drawn[n]) for n, d in plan.space.items()}
    hidden, rate = drawn.get("hidden_size", 100), places.get("learning_rate", OPTIMUM)
    learned = part_learned(key.cell, places) + 0.02 * random.normal()
    high, low = KINDS[key.task][2]
    valid, test = (high + (low - high) * (learned + 0.01 * random.normal()) for _ in range(2))
    status = "finished"
    if broken and rate > 0.9:
        status = "diverged" if random.uniform() < 0.8 else "finished"
    if broken and random.uniform() < 0.01:
        status = "failed"
    seconds = 0.0006 * hidden**1.6 * epochs * random.uniform(0.9, 1.1)
    left = status == "finished" or (status == "diverged" and random.uniform() < 0.5)
    error = min(90.0, max(5.0, 25 + 40 * (1 - learned) + random.normal()))
    began = 1.7e9 + 40 * (key.number * 10 + hash_of(key.cell) % 10)
    return StudyTrial(
        task=key.task, cell=key.cell, number=key.number, status=status, settings=drawn,
        reason={"diverged": "the training NLL became 131.2", "failed": "it was lost with its worker"}.get(
            status, "no better validation for 10 epochs"
        ),
        hidden_size=hidden, parameters=4 * hidden * (hidden + 88 + 1), epochs=epochs if left else 1,
        best_epoch=epochs - 10 if left else None, updates=epochs * 25, seconds=seconds,
        cpu_seconds=seconds * 1.1, train=valid * 0.9 if left else None, valid=valid if left else None,
        test=test if left else None, curve=curve(high, valid, epochs, random) if left else (),
        measures={"test": {"frame error": error}, "valid": {"frame error": error}}
        if left and key.task == "speech" else {},
        worker=f"machine-{key.number % 2}", began=began, ended=began + seconds,
    )  # fmt: skip


def part_learned(cell, places):
    """Return how much of what can be learned a trial learns; 1 is all."""
    bowl = math.exp(-((places.get("learning_rate", OPTIMUM) - OPTIMUM) ** 2) / 0.12)
    size = 0.4 * places.get("hidden_size", 1.0)
    noise = 0.5 * places.get("input_noise", 0.0) ** 2
    momentum = 0.02 * places.get("momentum", 0.0)
    return bowl * (0.6 + size) * (1 - noise) + momentum * bowl - WORSE.get(cell, 0.0) * bowl


def curve(high, valid, epochs, random):
    """Return a training and a validation objective for each epoch."""
    falling = np.exp(-np.arange(epochs) / max(2.0, epochs / 6))
    values = valid + (high * 1.3 - valid) * falling + 0.01 * abs(random.normal(size=epochs))
    return tuple((round(0.9 * float(v), 5), round(float(v), 5)) for v in values)


def hash_of(text):
    """Return a number that follows from a text, the same in every process."""
    return int.from_bytes(text.encode()[:6], "big")
