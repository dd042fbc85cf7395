"""Music in files, as a trained network hears it: what it expects at each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gatelab.data.midi.rolls import MidiRoll, read_midi
from gatelab.data.notes import LOWEST
from gatelab.data.tree import read_file
from gatelab.models.compose import label_of
from gatelab.models.folder import Model
from gatelab.models.kept import TuneKept
from gatelab.nn import Bernoulli
from gatelab.tasks.music import KEYS


@dataclass(frozen=True)
class Expected:
    """What a model of music expects in one file, in the file's own key.

    Attributes
    ----------
    name
        The file.
    roll
        ``[T, 88]`` of 0 and 1, uint8: what is played.
    chances
        ``[T, 88]``, float32: the probability that each key sounds, given all steps before.
    nll
        ``[T]``, float32: −log probability of each step [nats].
    """

    name: str
    roll: NDArray[np.uint8]
    chances: NDArray[np.float32]
    nll: NDArray[np.float32]

    @property
    def likely(self) -> NDArray[np.uint8]:
        """Keys with a probability of at least a half, ``[T, 88]``."""
        return (self.chances >= 0.5).astype(np.uint8)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a step, as CSV and JSON have it; keys are MIDI notes, 60 is middle C."""
        return [
            {
                "name": self.name,
                "step": step,
                "played": _keys(played),
                "expected": _keys(likely),
                "NLL": float(cost),
            }
            for step, (played, likely, cost) in enumerate(zip(self.roll, self.likely, self.nll, strict=True))
        ]


def expected(model: Model, files: Sequence[Path], label: str = "") -> Iterator[Expected]:
    """Yield what a model of music or tunes expects of MIDI files, step by step.

    Raises
    ------
    ConfigError
        The model hears no music, or has no such label.
    DataError
        A file is no MIDI file, or damaged.
    """
    begun = label_of(model, label)
    for path in files:
        yield _expected(model, path, begun)


@torch.no_grad()
def _expected(model: Model, path: Path, label: str) -> Expected:
    music = read_roll(path)
    played = torch.from_numpy(music.roll).float()
    inputs = torch.zeros(len(played), model.card.blueprint.inputs)
    inputs[1:, :KEYS] = played[:-1]
    if isinstance(model.kept, TuneKept):
        inputs[0, KEYS + model.kept.labels.index(label)] = 1
    answers, _ = model.network.carried(inputs[:, None])
    answers = answers.reshape(len(played), KEYS)
    return Expected(
        path.name,
        in_key(music.roll, -music.transposed),
        in_key(answers.sigmoid().numpy(), -music.transposed),
        Bernoulli.nll(answers, played).numpy(),
    )


def read_roll(path: Path) -> MidiRoll:
    """Return a MIDI file on the grid that models of music are trained on: eighths, transposed to C.

    Raises
    ------
    DataError
        It cannot be read, or is no sound MIDI file.
    """
    return read_midi(read_file(path), str(path))


def in_key(roll: NDArray[Any], semitones: int) -> NDArray[Any]:
    """Return a roll ``[T, 88]`` so many semitones higher; what leaves the keyboard is lost.

    >>> in_key(np.eye(88, dtype=np.uint8)[[40]], -3).argmax().item()
    37
    """
    moved = np.zeros_like(roll)
    low, high = max(semitones, 0), KEYS + min(semitones, 0)
    moved[:, low:high] = roll[:, low - semitones : high - semitones]
    return moved


def _keys(step: NDArray[np.uint8]) -> str:
    return " ".join(str(key + LOWEST) for key in step.nonzero()[0])
