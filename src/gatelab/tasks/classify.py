"""One label for a whole sequence, such as its speaker, digit or sentiment: many-to-one.

The label is read from the states after the last step, in each direction.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.splits import SPLITS
from gatelab.nn import Categorical
from gatelab.runs.config import Body, Measure, Training
from gatelab.tasks.batch import Batch, Layout, averaged
from gatelab.tasks.options import Options
from gatelab.tasks.ragged import Posed, RaggedTask, majority
from gatelab.tasks.sources import labelled_parts

ACCURACY = Measure(name="accuracy", unit="%", better="higher", formula="percent")
F1 = Measure(name="F1", unit="%", better="higher", formula="f1")


class ClassifyTask(RaggedTask):
    """One of several classes for each sequence.

    Parameters
    ----------
    posed
        The data; targets are the class of each sequence. Where there are two classes, F1 is of the second.
    """

    kind = "classify"
    headline = ACCURACY.name
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=5.0, batch_size=16, max_epochs=60, patience=6
    )
    body = Body(bidirectional=True, dropout=0.5)
    rates = (math.log(2e-4), math.log(2e-3))

    def __init__(self, posed: Posed) -> None:
        super().__init__(posed, "categorical", "end")
        self.worst = 10 * math.log(len(posed.names))
        two = (F1,) if len(posed.names) == 2 else ()
        self.measures = (Measure(name="NLL", unit="nats per sequence"), ACCURACY, *two)
        self._labels = {s: np.asarray(posed.parts[s].targets, np.int64) for s in SPLITS}

    @classmethod
    def load(cls, load: str, told: Options) -> ClassifyTask:
        """Return the task on a set by its name, or on the user's own data.

        Named sets: ``fsdd`` (or ``fsdd-speakers``), ``japanese_vowels``, ``sst2``, ``rt_polarity``. Files:
        .ts, .npz with labels, a table or folder of labelled texts. Options, of .ts: ``fill``; of texts:
        ``embedding``, ``min_count``, ``lower``, and of tables ``text`` and ``target`` (columns).
        """
        return cls(labelled_parts(load, told))

    def _answered(self, split: str, layout: Layout, inputs: PackedSequence) -> Batch:
        targets = torch.from_numpy(self._labels[split][layout.places])
        return Batch(inputs, targets, torch.from_numpy(layout.places))

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each sequence's class, [B], in nats."""
        return Categorical.nll(answers, batch.targets)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return hits, and of two classes true positives, false ones and false negatives, a sequence each."""
        chosen = answers.argmax(-1)
        found = {ACCURACY.name: averaged(chosen == batch.targets)}
        if len(self.names) == 2:
            said, true = chosen == 1, batch.targets == 1
            found[F1.name] = torch.stack([said & true, said & ~true, ~said & true], 1).double()
        return found

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the measures of the classes' frequencies in training, and of always the most frequent."""
        nats, hits = majority(self._labels["train"], self._labels["test"], len(self.names))
        return {"majority": {"NLL": nats, ACCURACY.name: 100 * float(hits.mean())}}
