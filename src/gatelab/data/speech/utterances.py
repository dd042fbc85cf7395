"""What a set of speech is: utterances with their labels, split, with the record of where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gatelab.data.speech.audio import Audio, Recording
from gatelab.data.speech.mfcc import HOP, WINDOW, frame_count
from gatelab.errors import DataError


@dataclass(frozen=True)
class Segment:
    """A stretch of an utterance: its label (a position in the set's symbols), begin and end in seconds."""

    label: int
    start: float
    stop: float


@dataclass(frozen=True, eq=False)
class Utterance:
    """One recording of speech and what is said in it.

    Attributes
    ----------
    id
        Its name in the set.
    sound
        The recording: in memory, or a file that is read when its samples are asked for.
    labels
        What is said, in order, as positions in the set's symbols: one digit, eight words, a string of phones.
    speaker
        Who speaks; empty where the set does not say.
    text
        The text, where there is one.
    segments
        Labels with their times, where they are known, in order.
    """

    id: str
    sound: Audio | Recording
    labels: tuple[int, ...]
    speaker: str = ""
    text: str = ""
    segments: tuple[Segment, ...] = ()

    @property
    def samples(self) -> NDArray[np.float32]:
        """Return its samples ``[frames]`` in [−1, 1]."""
        return self.sound.read()

    @property
    def rate(self) -> int:
        """Return its rate in Hz."""
        return self.sound.rate

    @property
    def seconds(self) -> float:
        """Return its length in seconds."""
        return self.sound.frames / self.sound.rate


@dataclass(frozen=True, eq=False)
class SpeechData:
    """One set of speech, split for training, validation and test.

    Attributes
    ----------
    name, title
        Its short name, and its name in tables and figures.
    rate
        Hz, of all utterances.
    symbols
        What the labels mean, in their order. CTC's blank is not among them: it belongs to the task.
    speakers
        The names of all speakers, in order; empty where the set does not say.
    train, valid, test
        Utterances.
    source
        Where the bytes came from, for the record of a run.
    digest
        SHA-256 of names and contents of all files that were read, 64 hexadecimal digits; the same of an
        archive and of the folder unpacked from it.
    left_out
        What its files hold that is in no split, by reason: how many utterances.
    """

    name: str
    title: str
    rate: int
    symbols: tuple[str, ...]
    speakers: tuple[str, ...]
    train: tuple[Utterance, ...]
    valid: tuple[Utterance, ...]
    test: tuple[Utterance, ...]
    source: str
    digest: str
    left_out: Mapping[str, int] = field(default_factory=dict)


def frame_labels(utterance: Utterance) -> NDArray[np.int64]:
    """Return a label for each frame of :func:`gatelab.data.speech.mfcc.mfcc`: of the segment at the frame's middle.

    Frame t, whose window of 25 ms begins at t · 10 ms, has the segment in which t · 10 ms + 12.5 ms lies.
    What comes after the last segment counts to it, and what is between two to the second.

    Returns
    -------
    NDArray
        ``[T]``, positions in the set's symbols; T as the MFCC of the utterance have.

    Raises
    ------
    DataError
        The utterance has no segments, or is shorter than a window.

    Examples
    --------
    >>> halves = (Segment(3, 0.0, 0.02), Segment(5, 0.02, 0.06))
    >>> sound = Recording("a", np.full(960, 0.1, np.float32), 16_000)
    >>> frame_labels(Utterance("a", sound, (3, 5), segments=halves))
    array([3, 5, 5, 5])
    """
    if not utterance.segments:
        raise DataError(f"{utterance.id}: wanted segments with times, came none; try festvox_ru or TIMIT")
    frames = frame_count(utterance.sound.frames, utterance.rate, utterance.id)
    middles = np.arange(frames) * HOP + WINDOW / 2
    stops = np.array([segment.stop for segment in utterance.segments[:-1]])
    labels = np.array([segment.label for segment in utterance.segments], dtype=np.int64)
    return labels[np.searchsorted(stops, middles, side="right")]
