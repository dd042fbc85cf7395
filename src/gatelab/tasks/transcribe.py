"""The labels of a sequence without their places in time, such as the letters of a written word: CTC.

Source: Graves, Fernández, Gomez and Schmidhuber 2006, Connectionist temporal classification.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.splits import SPLITS
from gatelab.errors import DataError
from gatelab.nn import CTC
from gatelab.runs.config import Body, Measure, Training
from gatelab.stats.edits import edit_counts
from gatelab.tasks.batch import Batch, Layout
from gatelab.tasks.options import Options
from gatelab.tasks.ragged import Posed, RaggedTask
from gatelab.tasks.sources import transcript_parts

SPEECH = Training(
    optimizer="adam", weight_noise=0.0, input_noise=0.5, max_norm=5.0, batch_size=4, max_epochs=100,
    patience=30,
)  # fmt: skip
"""How networks that hear are trained: sets are small, and it takes epochs until labels find their places."""


class TranscribeTask(RaggedTask):
    """A string of labels for each sequence.

    Parameters
    ----------
    posed
        The data; targets are labels ``[L]``, from 0, of each sequence.
    what
        What a label is, for the measures: ``"character"``, ``"phone"``, ``"word"``.
    """

    kind = "transcribe"
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=5.0, batch_size=16, max_epochs=40, patience=8,
        annealing=0.9, anneal_after=10,
    )  # fmt: skip
    body = Body(bidirectional=True, dropout=0.3)
    rates = (math.log(5e-4), math.log(1e-2))

    def __init__(self, posed: Posed, what: str) -> None:
        super().__init__(posed, "ctc")
        self.about = replace(posed.about, notes=(*posed.about.notes, *_left_out(posed, what)))
        error = Measure(name=f"{what} error", unit="%", formula="percent")
        self.measures = (Measure(name="CTC loss", unit=f"nats per {what}"), error)
        self.headline = error.name
        if posed.kept.get("inputs") == "mfcc":
            self.training = SPEECH
        self._strings = {  # 0 is the blank
            s: [torch.from_numpy(np.asarray(t, np.int64) + 1) for t in posed.parts[s].targets] for s in SPLITS
        }

    @classmethod
    def load(cls, load: str, told: Options) -> TranscribeTask:
        """Return the task on a set by its name, or on the user's own data.

        Named sets: ``gw_online_handwriting``, ``yesno``, ``festvox_ru`` (phones). Folders: IAM-OnDB, pen
        trajectories in the manner of the first, TIMIT, Kaldi. Options: of pens ``every``, the points of which
        one is kept; of speech ``stack``, the frames that become one step (3, or 8 where labels are words).
        """
        return cls(*transcript_parts(load, told))

    def _answered(self, split: str, layout: Layout, inputs: PackedSequence) -> Batch:
        strings = [self._strings[split][k] for k in layout.places]
        return Batch(inputs, (strings, inputs), torch.from_numpy(layout.places))

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return −log p(labels) of each sequence, [B], in nats; infinite where no path spells them."""
        strings, inputs = batch.targets
        return CTC.nll(CTC.packed(answers, inputs), strings)

    def loss(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the nats of all sequences that have a path, divided by their labels."""
        losses = self.losses(head, answers, batch)
        possible = losses.isfinite()
        count = sum(len(s) for s, p in zip(batch.targets[0], possible.tolist(), strict=True) if p)
        return losses[possible].sum() / max(1, count)

    def per_sequence(self, batch: Batch) -> float:
        """Return how many labels a sequence of the batch has on average."""
        return sum(len(s) for s in batch.targets[0]) / batch.sequences

    def objective(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return nats and labels of each sequence, [B, 2]; one without a path counts for neither."""
        losses = self.losses(head, answers, batch).double()
        counts = torch.tensor([len(s) for s in batch.targets[0]], dtype=torch.float64)
        return torch.where(losses.isfinite()[:, None], torch.stack([losses, counts], 1), 0.0)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return edits between the best path's labels and the right ones, and the number of these."""
        strings, inputs = batch.targets
        read = CTC.best_path(CTC.packed(answers, inputs))
        return {self.headline: torch.from_numpy(_edits(read, strings))}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the error of an answer of the most frequent label, once a sequence, and of an empty one."""
        often = torch.cat(self._strings["train"]).bincount().argmax()[None]
        asked = self._strings["test"]
        edits, labels = _edits([often] * len(asked), asked).sum(0)
        return {
            "empty": {self.headline: 100.0},
            "most frequent": {self.headline: float(100 * edits / labels)},
        }


def _left_out(posed: Posed, what: str) -> tuple[str, ...]:
    """Say how many sequences have too few steps to spell their labels; refuse a part that has no other.

    A path needs a step for each label, and a blank between two equal ones.
    """
    notes = []
    for split, name in zip(SPLITS, ("training", "validation", "test"), strict=True):
        part = posed.parts[split]
        pairs = zip(part.inputs, map(np.asarray, part.targets), strict=True)
        short = sum(len(x) < len(y) + int((y[1:] == y[:-1]).sum()) for x, y in pairs)
        if short == len(part.inputs):
            raise DataError(
                f"{posed.about.source}: {split}: wanted sequences of at least a step a {what}, "
                f"came {short} that are all shorter; try longer ones, or of sound a smaller stack"
            )
        if short:
            notes.append(f"{short:,} sequences of {name} have fewer steps than {what}s and count for no loss")
    return tuple(notes)


def _edits(read: Sequence[Tensor], strings: Sequence[Tensor]) -> np.ndarray:
    """Return edits and labels of each sequence, [B, 2]."""
    return np.asarray(edit_counts([s.tolist() for s in strings], [r.tolist() for r in read]), np.float64)
