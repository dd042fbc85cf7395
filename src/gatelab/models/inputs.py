"""From files to what a network reads: as its task read them in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatelab.data.arrays.npz import read_sequences
from gatelab.data.arrays.ts import read_timeseries
from gatelab.data.pens.trajectories import PenScale, pen_features
from gatelab.data.pens.words import read_pen_word
from gatelab.data.scale import Scale
from gatelab.data.speech.audio import read_audio
from gatelab.data.speech.mfcc import mfcc
from gatelab.data.text.lines import read_lines
from gatelab.data.text.vocabulary import Vocabulary
from gatelab.data.text.words import words
from gatelab.data.tree import read_file
from gatelab.errors import RunError

Named = Iterator[tuple[str, Tensor]]
Kept = Mapping[str, Any]


def read_inputs(kept: Kept, path: Path) -> Named:
    """Yield the sequences of a file by their names, each as a network reads it: [T, I], or symbols [T].

    Parameters
    ----------
    kept
        What a task kept of how it reads files; see :class:`gatelab.tasks.ragged.Posed`.
    path
        A sound file, a .npz or .ts file, a text of one sentence a line, or a file of a pen trajectory.

    Raises
    ------
    DataError
        The file is damaged or of another kind.
    RunError
        The model does not say how files are read.
    """
    kind = str(kept.get("inputs"))
    if kind not in READERS:
        raise RunError(f"model.json: wanted inputs to be one of {', '.join(READERS)}, came {kind!r}")
    try:
        yield from READERS[kind](kept, path)
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"model.json: what it keeps of {kind} inputs is damaged ({error!r})") from None


def _sound(kept: Kept, path: Path) -> Named:
    sound = read_audio(path, rate=kept["rate"])
    yield path.name, _scaled(kept, mfcc(sound.samples, sound.rate, sound.name))


def _values(kept: Kept, path: Path) -> Named:
    if path.suffix.lower() == ".ts":
        found = read_timeseries(read_file(path), str(path)).cases.x
    else:
        found = read_sequences(path)
    for k, sequence in enumerate(found):
        yield f"{path.name}[{k}]", _scaled(kept, sequence)


def _sentences(kept: Kept, path: Path) -> Named:
    vocabulary = Vocabulary.from_data(kept["vocabulary"])
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            ids = vocabulary.encode(words(line, lower=bool(kept["lower"])))
            yield f"{path.name}:{number}", torch.from_numpy(np.asarray(ids, np.int64))


def _pen(kept: Kept, path: Path) -> Named:
    trajectory, _ = read_pen_word(read_file(path), path.name, str(path))
    scale = PenScale(**kept["scale"])
    yield path.name, torch.from_numpy(scale.apply(pen_features(trajectory, kept["every"])))


def _scaled(kept: Kept, values: np.ndarray) -> Tensor:
    scale = Scale(*(np.asarray(kept["scale"][k], np.float64) for k in ("mean", "deviation")))
    return torch.from_numpy(scale.apply(values))


READERS: Mapping[str, Callable[[Kept, Path], Named]] = MappingProxyType(
    {"mfcc": _sound, "values": _values, "words": _sentences, "pen": _pen}
)
"""How files are read, by the kind of inputs that a model keeps."""
