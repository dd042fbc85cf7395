"""From files to what a network reads: as its task read them in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from gatelab.data.arrays.npz import read_sequences
from gatelab.data.arrays.ts import read_timeseries
from gatelab.data.pens.iam_ondb import read_strokes
from gatelab.data.pens.trajectories import PenScale, pen_features
from gatelab.data.pens.words import read_pen_word
from gatelab.data.scale import Scale
from gatelab.data.speech.audio import read_audio
from gatelab.data.speech.mfcc import mfcc, stacked
from gatelab.data.text.lines import read_lines
from gatelab.data.text.words import words
from gatelab.data.tree import read_file
from gatelab.errors import DataError
from gatelab.models.kept import LabelKept, PenScales, Scales

Named = Iterator[tuple[str, Tensor]]


def read_inputs(kept: LabelKept, path: Path, width: int) -> Named:
    """Yield the sequences of a file by their names, each as a network reads it: [T, I], or symbols [T].

    Parameters
    ----------
    kept
        How a task read files in training.
    path
        A sound file; a .npz or .ts file; a text of one sentence a line, of which an empty one has no symbols;
        or a file of a pen trajectory, plain or XML.
    width
        Numbers of a step, I; for symbols it means nothing.

    Raises
    ------
    DataError
        The file is damaged or of another kind, or its steps have another number of numbers.
    """
    yield from READERS[kept.inputs](kept, path, width)


def _sound(kept: LabelKept, path: Path, width: int) -> Named:
    sound = read_audio(path, rate=kept.rate)
    frames = mfcc(sound.samples, sound.rate, sound.name)
    yield path.name, _frames(kept, frames, path, width)


def _frames(kept: LabelKept, frames: np.ndarray, path: Path, width: int) -> Tensor:
    """Return frames on the model's scale, as many of them a step as it wants."""
    scaled = _scaled(kept, frames, path, width // kept.stack)
    return torch.from_numpy(stacked(scaled.numpy(), kept.stack))


def _values(kept: LabelKept, path: Path, width: int) -> Named:
    if path.suffix.lower() == ".ts":
        found = read_timeseries(read_file(path), str(path)).cases.x
    elif path.suffix.lower() == ".npz":
        found = read_sequences(path)
    else:
        raise DataError(f"{path}: wanted a file that ends in .npz or .ts, as the model reads arrays")
    for k, sequence in enumerate(found):
        yield f"{path.name}[{k}]", _frames(kept, sequence, path, width)


def _sentences(kept: LabelKept, path: Path, width: int) -> Named:
    lines = read_lines(path)
    if not lines:
        raise DataError(f"{path}: wanted a sentence a line, came an empty file; try to leave it out")
    for number, line in enumerate(lines, start=1):
        parts = (
            (line.lower() if kept.lower else line).split() if kept.parted else words(line, lower=kept.lower)
        )
        ids = np.asarray(kept.symbols.encode(parts), np.int64)
        yield f"{path.name}:{number}", torch.from_numpy(ids)


def _pen(kept: LabelKept, path: Path, width: int) -> Named:
    data = read_file(path)
    if path.suffix.lower() == ".xml":
        trajectory = read_strokes(data, str(path))
    else:
        trajectory, _ = read_pen_word(data, path.name, str(path))
    assert isinstance(kept.scale, PenScales)
    scale = PenScale(kept.scale.movement, kept.scale.time)
    with np.errstate(over="ignore"):  # what is too large is told below
        features = scale.apply(pen_features(trajectory, kept.every))
    yield path.name, _finite(features, path)


def _scaled(kept: LabelKept, values: np.ndarray, path: Path, width: int) -> Tensor:
    if values.shape[1] != width:
        raise DataError(
            f"{path}: wanted {width} numbers a step, as in training, came {values.shape[1]}; try its files"
        )
    if isinstance(kept.scale, Scales):
        mean, deviation = (np.asarray(v, np.float64) for v in (kept.scale.mean, kept.scale.deviation))
        with np.errstate(over="ignore"):  # what is too large is told below
            values = Scale(mean, deviation).apply(values)
    return _finite(values, path)


def _finite(values: np.ndarray, path: Path) -> Tensor:
    """Return what a network reads, float32; refuse what became infinite."""
    if not np.isfinite(values).all():
        raise DataError(f"{path}: wanted numbers of the size of those in training, came far larger ones")
    return torch.from_numpy(np.asarray(values, np.float32))


READERS: Mapping[str, Callable[[LabelKept, Path, int], Named]] = MappingProxyType(
    {"mfcc": _sound, "values": _values, "words": _sentences, "pen": _pen}
)
"""How files are read, by the kind of inputs that a model keeps."""
