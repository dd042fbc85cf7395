"""What a training leaves behind: everything in a folder, so that it can go on and be used; or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from safetensors.torch import save
from torch import nn

from gatelab.runs import Epoch, Outcome, Trial, write_atomic, write_json
from gatelab.runs.folder import append_line
from gatelab.runs.tables import read_epochs
from gatelab.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from gatelab.train.evaluate import Scores
from gatelab.train.flat import Flat
from gatelab.train.optim import Optimizer


class Record(Protocol):
    """Who keeps what a training says."""

    def begin(self, flat: Flat, optimizer: Optimizer) -> Progress:
        """Return where the training goes on, its weights and the optimiser's memory being put there."""

    def epoch(self, epoch: Epoch, flat: Flat, optimizer: Optimizer, progress: Progress) -> None:
        """Keep an epoch, and what is needed to go on after it."""

    def best(self, network: nn.Module, scores: Scores) -> None:
        """Keep the network with the weights of its best epoch, and its numbers on test."""

    def end(self, outcome: Outcome) -> None:
        """Keep how it ended."""


class Nowhere:
    """Keeps nothing: for trainings of which the outcome alone is wanted."""

    def begin(self, flat: Flat, optimizer: Optimizer) -> Progress:
        """Begin at the beginning."""
        return Progress()

    def epoch(self, epoch: Epoch, flat: Flat, optimizer: Optimizer, progress: Progress) -> None:
        """Do nothing."""

    def best(self, network: nn.Module, scores: Scores) -> None:
        """Do nothing."""

    def end(self, outcome: Outcome) -> None:
        """Do nothing."""


class Folder:
    """Keeps a trial in its folder, as :mod:`gatelab.runs.folder` draws it."""

    def __init__(self, place: Path, trial: Trial) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        write_json(place / "trial.json", trial)

    def begin(self, flat: Flat, optimizer: Optimizer) -> Progress:
        """Go on from the checkpoint; metrics that are newer than it are dropped, they will come again."""
        checkpoint = self.place / "checkpoint.safetensors"
        progress = load_checkpoint(checkpoint, flat, optimizer) if checkpoint.exists() else Progress()
        metrics = self.place / "metrics.jsonl"
        if metrics.exists():
            kept = [
                json.dumps(e.model_dump()) + "\n" for e in read_epochs(metrics) if e.epoch <= progress.epoch
            ]
            write_atomic(metrics, "".join(kept))
        return progress

    def epoch(self, epoch: Epoch, flat: Flat, optimizer: Optimizer, progress: Progress) -> None:
        """Add a line of metrics and replace the checkpoint."""
        append_line(self.place / "metrics.jsonl", json.dumps(epoch.model_dump()))
        save_checkpoint(self.place / "checkpoint.safetensors", flat, optimizer, progress)

    def best(self, network: nn.Module, scores: Scores) -> None:
        """Write scores and weights."""
        write_json(self.place / "scores.json", scores.listed())
        own = {k: v.clone() for k, v in network.state_dict().items()}  # safetensors wants no shared memory
        write_atomic(self.place / "weights.safetensors", save(own))

    def end(self, outcome: Outcome) -> None:
        """Write the outcome; the checkpoint is not needed any more."""
        write_json(self.place / "outcome.json", outcome)
        (self.place / "checkpoint.safetensors").unlink(missing_ok=True)
