"""What a trained network says of files: a class, a class a frame, or a string of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from gatelab.errors import ConfigError, RunError
from gatelab.models.folder import Model
from gatelab.models.inputs import read_inputs
from gatelab.nn import CTC

HOP = 0.01
"""Seconds from frame to frame of speech."""


@dataclass(frozen=True)
class Said:
    """What is said of one sequence.

    Attributes
    ----------
    name
        Its file, and its place in it.
    answer
        The class, or the labels in order; of frames, one a stretch.
    probability
        Of the class; None where it is not one.
    frames
        Of each label of a stretch its first and last frame; None where labels have no places.
    """

    name: str
    answer: tuple[str, ...]
    probability: float | None = None
    frames: tuple[tuple[int, int], ...] | None = None

    def row(self) -> dict[str, Any]:
        """Return this as JSON and CSV have it."""
        return {"name": self.name, "answer": " ".join(self.answer), "probability": self.probability}


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
        The model is of another kind.
    DataError
        A file cannot be read.
    """
    if model.kind not in ("classify", "frames", "transcribe"):
        raise ConfigError(
            f"a model of kind {model.kind} labels nothing; wanted classify, frames or transcribe"
        )
    names = model.card.kept.get("names")
    if not isinstance(names, list) or len(names) != model.card.blueprint.outputs:
        raise RunError(f"model.json: wanted {model.card.blueprint.outputs} names, came {str(names)[:60]}")
    for path in files:
        for name, inputs in read_inputs(model.card.kept, path):
            yield _say(model, name, inputs, [str(n) for n in names], beam)


@torch.no_grad()
def _say(model: Model, name: str, inputs: Tensor, names: Sequence[str], beam: int) -> Said:
    packed = pack_sequence([inputs])
    answers = model.network(packed)
    if model.kind == "classify":
        chances = answers.softmax(-1)[0]
        best = int(chances.argmax())
        return Said(name, (names[best],), float(chances[best]))
    if model.kind == "frames":
        return _stretches(name, answers.argmax(-1).tolist(), names)
    return Said(name, tuple(names[k - 1] for k in _read(answers, packed, beam)))


def _read(answers: Tensor, packed: PackedSequence, beam: int) -> list[int]:
    """Return labels, from 1, of one sequence."""
    whole = CTC.packed(answers, packed)
    if beam == 1:
        return [int(k) for k in CTC.best_path(whole)[0]]
    return list(CTC.beam(whole, width=beam)[0][0].labels)


def _stretches(name: str, frames: Sequence[int], names: Sequence[str]) -> Said:
    starts = [k for k, label in enumerate(frames) if k == 0 or label != frames[k - 1]]
    stops = [*[k - 1 for k in starts[1:]], len(frames) - 1]
    said = tuple(names[frames[k]] for k in starts)
    return Said(name, said, frames=tuple(zip(starts, stops, strict=True)))
