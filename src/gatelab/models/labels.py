"""What a trained network says of files: a class, a class a frame, or a string of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from gatelab.data.speech.mfcc import HOP, WINDOW
from gatelab.errors import ConfigError, DataError
from gatelab.models.folder import Model
from gatelab.models.inputs import read_inputs
from gatelab.models.kept import LabelKept
from gatelab.nn import CTC


@dataclass(frozen=True)
class Said:
    """What is said of one sequence.

    Attributes
    ----------
    name
        Its file, and its place in it.
    labels
        The class, or the labels in order; of frames, one a stretch of equal ones; none of an empty sentence.
    probability
        Of the class; None where it is not one.
    frames
        Of each stretch its first and last frame, from 0; None where labels have no places.
    seconds
        Of each stretch where its first window begins and its last one ends; None where frames are not sound.
    between
        What stands between labels when they are written: nothing between characters.
    """

    name: str
    labels: tuple[str, ...]
    probability: float | None = None
    frames: tuple[tuple[int, int], ...] | None = None
    seconds: tuple[tuple[float, float], ...] | None = None
    between: str = " "

    def rows(self) -> list[dict[str, Any]]:
        """Return this as CSV and JSON have it: one row, or of frames one a stretch with its place."""
        if self.frames is None:
            row: dict[str, Any] = {"name": self.name, "answer": self.between.join(self.labels)}
            return [row if self.probability is None else row | {"probability": self.probability}]
        rows: list[dict[str, Any]] = [
            {"name": self.name, "answer": label, "first": first, "last": last}
            for label, (first, last) in zip(self.labels, self.frames, strict=True)
        ]
        for row, (start, end) in zip(rows, self.seconds or (), strict=False):
            row |= {"start": start, "end": end}
        return rows


def label(model: Model, files: Sequence[Path], beam: int = 1) -> Iterator[Said]:
    """Yield what a model says of the sequences in files, in their order.

    Parameters
    ----------
    model
        A trained network of the kind ``classify``, ``frames`` or ``transcribe``.
    files
        Files of the kind that the model was trained on; see :func:`gatelab.models.inputs.read_inputs`.
    beam
        Of transcriptions: prefixes that the search keeps; 1 takes the best path.

    Raises
    ------
    ConfigError
        The model is of another kind, or a beam is asked for what is no transcription.
    DataError
        A file cannot be read.
    """
    kept = model.kept
    if not isinstance(kept, LabelKept):
        raise ConfigError(
            f"a model of kind {model.kind} labels nothing; wanted classify, frames or transcribe"
        )
    if beam < 1 or (beam > 1 and model.kind != "transcribe"):
        raise ConfigError(f"beam: wanted 1, as of every model that does not transcribe, got {beam}")
    for path in files:
        for name, inputs in read_inputs(kept, path, model.card.blueprint.inputs):
            yield _say(model, kept, name, inputs, beam)


@torch.no_grad()
def _say(model: Model, kept: LabelKept, name: str, inputs: Tensor, beam: int) -> Said:
    if not len(inputs):
        return Said(name, ())
    packed = pack_sequence([inputs])
    answers = model.network(packed)
    if not bool(answers.isfinite().all()):
        raise DataError(f"{name}: the network's answers are not finite; try inputs like those of training")
    if model.kind == "classify":
        chances = answers.softmax(-1)[0]
        best = int(chances.argmax())
        return Said(name, (kept.names[best],), float(chances[best]))
    if model.kind == "frames":
        return _stretches(name, answers.argmax(-1).tolist(), kept)
    labels = tuple(kept.names[k - 1] for k in _read(answers, packed, beam))
    return Said(name, labels, between="" if model.card.task.headline == "character error" else " ")


def _read(answers: Tensor, packed: PackedSequence, beam: int) -> list[int]:
    """Return labels, from 1, of one sequence."""
    whole = CTC.packed(answers, packed)
    if beam == 1:
        return [int(k) for k in CTC.best_path(whole)[0]]
    return list(CTC.beam(whole, width=beam)[0][0].labels)


def _stretches(name: str, frames: Sequence[int], kept: LabelKept) -> Said:
    starts = [k for k, label in enumerate(frames) if k == 0 or label != frames[k - 1]]
    stops = [*[k - 1 for k in starts[1:]], len(frames) - 1]
    labels = tuple(kept.names[frames[k]] for k in starts)
    places = tuple(zip(starts, stops, strict=True))
    seconds = tuple((round(a * HOP, 3), round(b * HOP + WINDOW, 3)) for a, b in places)
    return Said(name, labels, frames=places, seconds=seconds if kept.inputs == "mfcc" else None)
