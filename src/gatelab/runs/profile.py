"""Where the time of a run went: what trials and the run's own process write down when they are timed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gatelab.runs.config import Frozen, UnitName
from gatelab.runs.folder import read_model, write_json
from gatelab.runs.tables import Trial

FILE = "profile.json"
PARTS = {
    "start-up": "start-up and imports",
    "data": "batches",
    "forward": "forward",
    "loss": "loss",
    "backward": "backward",
    "update": "noise, clipping, update",
    "evaluation": "evaluation",
    "files": "metrics, checkpoints, weights",
}
"""The parts of a training, and what they are called in a table."""

Seconds = Annotated[float, Field(ge=0)]


class Timing(Frozen):
    """Where the seconds of one trial went, by :data:`PARTS`, and the process that trained it."""

    process: int
    seconds: dict[str, Seconds]


class Profile(Frozen):
    """Where the seconds of a run's last timed session went.

    Attributes
    ----------
    workers
        Trainings at once.
    trials
        How many trials of each unit were trained.
    seconds
        Of each unit, the seconds in each part, summed over its trials.
    training
        Wall-clock seconds in which trials were trained.
    before, report
        Wall-clock seconds of the run's own process before the first trial, and for the report.
    """

    workers: int
    trials: dict[UnitName, int]
    seconds: dict[UnitName, dict[str, Seconds]]
    training: Seconds
    before: Seconds = 0.0
    report: Seconds = 0.0

    @property
    def idle(self) -> float:
        """Seconds, summed over workers, in which a worker had nothing to do while others trained."""
        busy = sum(sum(parts.values()) for parts in self.seconds.values())
        return max(0.0, self.workers * self.training - busy)


def summed(folder: Path, trials: Sequence[Trial], workers: int, training: float) -> Profile:
    """Return the profile of a session that trained these trials; those cut off have no timing."""
    seconds: dict[str, dict[str, float]] = {}
    counts: dict[str, int] = {}
    for trial in trials:
        path = folder / "trials" / trial.name / FILE
        if not path.exists():
            continue
        counts[trial.unit] = counts.get(trial.unit, 0) + 1
        parts = seconds.setdefault(trial.unit, dict.fromkeys(PARTS, 0.0))
        for part, spent in read_model(path, Timing).seconds.items():
            parts[part] = parts.get(part, 0.0) + spent
    return Profile(workers=workers, trials=counts, seconds=seconds, training=training)


def write_profile(folder: Path, profile: Profile) -> None:
    """Write the profile into the run's folder."""
    write_json(folder / FILE, profile)


def read_profile(folder: Path) -> Profile | None:
    """Return the profile in a run's folder; None where no session of it was timed."""
    path = folder / FILE
    return read_model(path, Profile) if path.exists() else None
