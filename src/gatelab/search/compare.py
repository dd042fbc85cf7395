"""A comparison from beginning to end: choose each unit's learning rate, then repeat its best trial."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import torch

from gatelab.errors import ConfigError
from gatelab.runs import (
    Comparison,
    Epoch,
    Outcome,
    RunRecord,
    Trial,
    create,
    locked,
    open_run,
    read_run,
    write_json,
)
from gatelab.runs.folder import append_line, read_json
from gatelab.runs.profile import summed, write_profile
from gatelab.runs.tables import has_ended
from gatelab.search.local import Workers, cores
from gatelab.tasks import reopen


class Listener(Protocol):
    """Who is told how a comparison goes."""

    def planned(self, trials: Sequence[Trial], ended: int) -> None:
        """Hear which trials will be run, and how many of their stage had ended before."""

    def told(self, trial: Trial, news: Epoch | Outcome) -> None:
        """Hear of an epoch's end or a trial's."""


def begin(parent: Path, config: Comparison) -> Path:
    """Make the run's folder below ``parent``, or find it there, and return it."""
    return create(parent, config)


def work(folder: Path, listener: Listener, workers: int | None = None, timed: bool = False) -> RunRecord:
    """Do everything of the run in ``folder`` that has not been done, and return it.

    1. Compute the baselines.
    2. Train every unit with every learning rate.
    3. Train each unit's best trial again from ``repeats`` further seeds, the same for all units.

    A trial that was cut off goes on from its last checkpoint; one that ended is not run again. Where it is
    ``timed``, the run's folder says in the end where the time went.
    """
    config = open_run(folder)
    if workers is not None and workers < 1:
        raise ConfigError(f"workers: wanted at least 1, got {workers}")
    with locked(folder):
        for stray in folder.rglob(".*.tmp"):  # of a process that was killed while it wrote
            stray.unlink()
        if not (folder / "environment.json").exists():
            write_json(folder / "environment.json", environment())
        elif changed_environment(folder):
            append_line(folder / "later_environments.jsonl", json.dumps(environment()))
        if not (folder / "baselines.json").exists():
            write_json(folder / "baselines.json", reopen(config.task).baselines())
        trained: list[Trial] = []
        with Workers(folder, workers or cores(), timed) as crew:
            for plan in (searches, repetitions):
                trained += _run_missing(crew, plan(read_run(folder)), listener)
        if timed and trained:
            count = min(workers or cores(), len(trained))
            write_profile(folder, summed(folder, trained, count, crew.seconds))
        return read_run(folder)


def searches(run: RunRecord) -> list[Trial]:
    """Return the trials in which learning rates are chosen; all start from the same seed."""
    config = run.config
    return [
        Trial(unit=unit.name, stage="search", number=k, learning_rate=rate, seed=config.seed)
        for k, rate in enumerate(config.learning_rates)
        for unit in config.units
    ]


def repetitions(run: RunRecord) -> list[Trial]:
    """Return the repeats of each unit's best trial, the k-th of every unit from the same seed."""
    config, trials = run.config, []
    for k in range(config.repeats):
        for unit in config.units:
            best = run.best(unit.name)
            if best is not None:
                rate, seed = best.trial.learning_rate, config.seed + 1 + k
                trials.append(Trial(unit=unit.name, stage="repeat", number=k, learning_rate=rate, seed=seed))
    return trials


def _run_missing(crew: Workers, trials: list[Trial], listener: Listener) -> list[Trial]:
    missing = [t for t in trials if not has_ended(crew.folder / "trials" / t.name, t)]
    listener.planned(missing, len(trials) - len(missing))
    if missing:
        crew.run(missing, listener.told)
    return missing


def changed_environment(folder: Path) -> list[str]:
    """Return what differs from the machine and versions that the run began with, such as ``torch``.

    Numbers are the same only where nothing does; a run that goes on elsewhere records where.
    """
    path, now = folder / "environment.json", environment()
    if not path.exists():
        return []
    before = read_json(path)
    deciding = ("gatelab", "torch", "numpy", "python", "system", "processor")
    return [k for k in deciding if not isinstance(before, dict) or before.get(k) != now[k]]


def environment() -> dict[str, str | int]:
    """Return the machine and the versions that a run's numbers depend on."""
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "gatelab": version("gatelab"),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": cores(),
        "threads_per_trial": 1,
        "host_cores": os.cpu_count() or 1,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
