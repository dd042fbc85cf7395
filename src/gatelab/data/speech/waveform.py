"""Sequences of samples for the prediction of the next ones, after Chung et al. 2014.

Recordings are cut into sequences of a given number of samples (500 and 8,000 there). At each step a network
sees 20 consecutive samples and predicts the 10 that follow; then it moves on by 10. No sequence reaches from
one recording into the next, all of a recording is in one split, and samples are normalised by mean and
deviation of the training split.

Recordings may be larger than memory: a sequence is read from its file when it is asked for.

Source: J. Chung, C. Gulcehre, K. Cho and Y. Bengio, "Empirical Evaluation of Gated Recurrent Neural Networks
on Sequence Modeling", 2014, arXiv:1412.3555, section 4.1. The step's size from one window to the next is not
printed there; 10, so that each sample is predicted once, is ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.scale import Scale
from gatelab.data.speech.audio import Audio, Recording
from gatelab.data.splits import FRACTIONS, split_by_group
from gatelab.errors import DataError, ShapeError

INPUTS, TARGETS = 20, 10
"""Samples seen and samples predicted at a step."""
SHORT, LONG = 500, 8_000
"""The two lengths of the paper's sequences, in samples."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """Sequences of equal length, cut from recordings one after the other; a rest at the end is left out.

    Attributes
    ----------
    recordings
        Files or recordings in memory, all of one rate.
    length
        Samples of a sequence.
    scale
        By which samples are normalised; None: they stay as they are.
    every
        One of so many sequences, in their order, is kept.
    """

    recordings: tuple[Audio | Recording, ...]
    length: int
    scale: Scale | None = None
    every: int = 1

    def __post_init__(self) -> None:
        step_count(self.length)
        ends = list(accumulate(r.frames // self.length for r in self.recordings))
        object.__setattr__(self, "_ends", np.array([0, *ends]))

    def __len__(self) -> int:
        return -(-int(self._ends[-1]) // self.every)  # type: ignore[attr-defined]

    def __getitem__(self, index: int) -> NDArray[np.float32]:
        """Return one sequence, float32 ``[length]``."""
        if not 0 <= index < len(self):
            raise IndexError(f"wanted sequence {index}, there are {len(self)}")
        ends: NDArray[np.intp] = self._ends  # type: ignore[attr-defined]
        index *= self.every
        place = int(np.searchsorted(ends, index, side="right")) - 1
        start = (index - int(ends[place])) * self.length
        samples = self.recordings[place].read(start, start + self.length)
        return samples if self.scale is None else self.scale.apply(samples)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[index] for index in range(len(self)))

    def batch(self, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return inputs ``[B, T, 20]`` and targets ``[B, T, 10]`` of some sequences; see :func:`steps`."""
        return steps(np.stack([self[index] for index in indices]))

    @property
    def left_out(self) -> int:
        """Return how many samples at the ends of recordings are in no sequence."""
        return sum(r.frames % self.length for r in self.recordings)


@dataclass(frozen=True, eq=False)
class WaveformData:
    """Sequences of samples, split for training, validation and test.

    Attributes
    ----------
    name, title
        Its short name, and its name in tables and figures.
    rate, length
        Hz; samples of a sequence.
    train, valid, test
        Sequences, normalised by ``scale``.
    scale
        Mean and deviation of all samples of the training recordings.
    source
        Where the recordings came from.
    digest
        SHA-256 of the names, rates and samples of all recordings, 64 hexadecimal digits.
    """

    name: str
    title: str
    rate: int
    length: int
    train: Chunks
    valid: Chunks
    test: Chunks
    scale: Scale
    source: str
    digest: str


def waveform_data(
    recordings: Sequence[Audio | Recording],
    length: int = SHORT,
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    groups: Sequence[str] | None = None,
    every: int = 1,
    name: str = "waveform",
    source: str = "",
) -> WaveformData:
    """Return recordings as sequences for the prediction of the next samples.

    All files are read once, block by block, for the scale and the digest.

    Parameters
    ----------
    recordings
        Of one rate, such as ``open_folder`` returns.
    length
        Samples of a sequence, 30 or more: 500 make 48 steps, 8,000 make 798.
    fractions, seed
        Of the recordings, in train, valid and test; see :func:`gatelab.data.splits.split_by_group`.
    groups
        What must stay together (the speaker of each recording); None: each file name is a group of its own.
    every
        One of so many sequences of each split is kept; scale and digest are of all samples.
    name, source
        For the record of a run.

    Raises
    ------
    DataError
        The rates differ, there are too few recordings, or a split holds no sequence of this length.

    Examples
    --------
    >>> wave = np.sin(np.arange(5000) / 9).astype(np.float32)
    >>> data = waveform_data([Recording(f"{i}", wave[i:], 8000) for i in range(10)])
    >>> inputs, targets = data.train.batch([0, 3])
    >>> len(data.train), len(data.valid), inputs.shape, targets.shape
    (73, 9, (2, 48, 20), (2, 48, 10))
    """
    rates = sorted({recording.rate for recording in recordings})
    if len(rates) != 1:
        raise DataError(f"{name}: wanted recordings of one rate, came {rates} Hz; try to resample them")
    files = [_file_name(recording) for recording in recordings]
    split = split_by_group(groups or files, fractions, seed)
    train, valid, test = (
        Chunks(tuple(recordings[i] for i in part), length, every=every)
        for part in (split.train, split.valid, split.test)
    )
    for part, wanted in zip((train, valid, test), fractions, strict=True):
        if wanted and not len(part):
            raise DataError(f"{name}: a split holds no sequence of {length} samples; try a smaller length")
    scale = Scale.of(block for recording in train.recordings for block in recording.blocks())
    train, valid, test = (replace(part, scale=scale) for part in (train, valid, test))
    digest = _digest(recordings)
    return WaveformData(name, name, rates[0], length, train, valid, test, scale, source, digest)


def step_count(length: int) -> int:
    """Return the steps of a sequence of ``length`` samples: ⌊(length − 30) / 10⌋ + 1.

    >>> step_count(500), step_count(8_000)
    (48, 798)
    """
    if length < INPUTS + TARGETS:
        raise ShapeError(f"wanted sequences of at least {INPUTS + TARGETS} samples, came {length}")
    return (length - INPUTS - TARGETS) // TARGETS + 1


def steps(sequences: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what a network sees, and what it has to predict, at each step.

    Step t sees samples 10t … 10t + 19 and predicts 10t + 20 … 10t + 29.

    Parameters
    ----------
    sequences
        ``[..., length]``.

    Returns
    -------
    tuple
        Inputs ``[..., T, 20]`` and targets ``[..., T, 10]``; T is :func:`step_count`. Both are copies.

    Examples
    --------
    >>> inputs, targets = steps(np.arange(45))
    >>> inputs[1, [0, -1]], targets[1, [0, -1]], len(inputs)
    (array([10, 29]), array([30, 39]), 2)
    """
    count = step_count(sequences.shape[-1])
    windows = np.lib.stride_tricks.sliding_window_view(sequences, INPUTS + TARGETS, axis=-1)
    kept = windows[..., : (count - 1) * TARGETS + 1 : TARGETS, :]
    return kept[..., :INPUTS].copy(), kept[..., INPUTS:].copy()


def _file_name(recording: Audio | Recording) -> str:
    return recording.path.name if isinstance(recording, Audio) else recording.name


def _digest(recordings: Sequence[Audio | Recording]) -> str:
    total = hashlib.sha256()
    for recording in recordings:
        total.update(f"{_file_name(recording)}\0{recording.rate}\0{recording.frames}\0".encode())
        for block in recording.blocks():
            total.update(block.tobytes())
    return total.hexdigest()
