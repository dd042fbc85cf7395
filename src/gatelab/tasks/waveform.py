"""Raw sound: from 20 samples a step, the density of the next 10.

The density is a mixture of 20 Gaussians with diagonal covariances; the measure is its NLL in nats per step,
of samples normalised by the training recordings' mean and deviation.

Source: Chung et al. 2014, arXiv:1412.3555, section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gatelab.data.speech.audio import Audio, open_folder
from gatelab.data.speech.sets import load_speech
from gatelab.data.speech.waveform import INPUTS, TARGETS, WaveformData, step_count, steps, waveform_data
from gatelab.data.splits import FRACTIONS, SPLITS
from gatelab.errors import DataError
from gatelab.runs.config import Measure, Training
from gatelab.tasks.batch import Batch
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.options import Options
from gatelab.tasks.task import About, Task


class WaveformTask(Task):
    """Prediction of the next samples of recordings, cut into sequences of equal length."""

    kind = "waveform"
    onward = True
    training = Training(
        optimizer="rmsprop", weight_noise=0.0, max_norm=1.0, batch_size=32, max_epochs=30, patience=5
    )
    blueprint = Blueprint(inputs=INPUTS, head="mixture", outputs=TARGETS)
    rates = (math.log(1e-4), math.log(5e-3))
    worst = 100.0

    def __init__(self, data: WaveformData) -> None:
        self.streams = any(isinstance(r, Audio) for r in data.train.recordings)
        self.data = data
        self.measures = (Measure(name="NLL", unit="nats per step"),)
        counts = " / ".join(str(len(getattr(data, s).recordings)) for s in SPLITS)
        notes = [f"split: {counts} recordings, a speaker in one part where they are known"]
        if data.train.every > 1:
            notes.append(f"one of {data.train.every} sequences is kept")
        self.about = About(f"{data.name}-{data.length}", data.title, data.source, data.digest, tuple(notes))

    @classmethod
    def load(cls, load: str, told: Options) -> WaveformTask:
        """Return the task on ``fsdd``, ``festvox_ru`` or a folder of WAV or FLAC files.

        Options: ``split``; ``length``, samples of a sequence, 500 as a rule; ``every``, to keep only one of
        so many sequences.
        """
        every = told.whole("every", 1, least=1)
        length = told.whole("length", 500, least=INPUTS + TARGETS)
        split = told.shares("split") or FRACTIONS
        path = Path(load).expanduser()
        if path.is_dir():
            sounds = open_folder(path)
            return cls(waveform_data(sounds, length, split, every=every, name=path.name, source=str(path)))
        if path.exists():
            raise DataError(f"{path}: wanted a folder of sound files, came a file; try the folder around it")
        speech = load_speech(load)
        spoken = [*speech.train, *speech.valid, *speech.test]
        names = [u.speaker or u.id for u in spoken] if len(set(speech.speakers)) >= 3 else None
        data = waveform_data(
            [u.sound for u in spoken], length, split, groups=names, every=every, name=speech.name,
            source=speech.source,
        )  # fmt: skip
        return cls(data)

    def kept(self) -> dict[str, Any]:
        """Return rate and scale of the samples."""
        return {"rate": self.data.rate, "scale": self.data.scale.to_data()}

    def lengths(self, split: str) -> list[int]:
        """Return the steps of each sequence of a split: all the same."""
        return [step_count(self.data.length)] * len(getattr(self.data, split))

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences side by side: inputs [T, B, 20], targets [T · B, 10]."""
        inputs, targets = getattr(self.data, split).batch(chosen)
        read, written = (torch.from_numpy(np.ascontiguousarray(x.swapaxes(0, 1))) for x in (inputs, targets))
        owner = torch.tensor(chosen).repeat(len(read))
        return Batch(read, written.flatten(0, 1), owner)

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each step's 10 samples, [N], in nats."""
        nll: Tensor = head.nll(answers, batch.targets)  # type: ignore[operator]
        return nll

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the NLL of one Gaussian for all samples, and of one around the last sample."""
        deviation = _step_deviation(self.data, "train")
        targets, last = map(np.concatenate, zip(*map(_predicted, self.data.test), strict=True))
        still = -_log_normal(targets - last, deviation).sum(1).mean()
        one = -_log_normal(targets, np.ones(TARGETS)).sum(1).mean()
        return {"Gaussian": {"NLL": float(one)}, "last sample": {"NLL": float(still)}}


def _predicted(sequence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples that each step predicts, [T, 10], and the last one that it sees, [T, 1]."""
    inputs, targets = steps(sequence)
    return targets.astype(np.float64), inputs[:, -1:].astype(np.float64)


def _step_deviation(data: WaveformData, split: str) -> np.ndarray:
    """Return how far, as a root mean square, each of the next 10 samples is from the last one."""
    squares, count = np.zeros(TARGETS), 0
    for targets, last in map(_predicted, getattr(data, split)):
        moved = targets - last
        squares, count = squares + (moved**2).sum(0), count + len(moved)
    return np.asarray(np.sqrt(squares / count))


def _log_normal(x: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    return np.asarray(-0.5 * (x / deviation) ** 2 - np.log(deviation) - 0.5 * math.log(2 * math.pi))
