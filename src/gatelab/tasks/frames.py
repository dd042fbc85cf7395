"""A label for every frame, such as the phone that is spoken: synchronous many-to-many.

Source: Graves and Schmidhuber 2005, Framewise phoneme classification with bidirectional LSTM; Greff et al.
2015, arXiv:1503.04069.
"""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.splits import SPLITS
from gatelab.nn import Categorical
from gatelab.runs.config import Body, Measure, Training
from gatelab.tasks.batch import Batch, Layout, Table, averaged
from gatelab.tasks.options import Options
from gatelab.tasks.ragged import Posed, RaggedTask, majority
from gatelab.tasks.sources import frame_parts

ERROR = Measure(name="frame error", unit="%", formula="percent")


class FrameTask(RaggedTask):
    """One of several classes at each frame.

    Parameters
    ----------
    posed
        The data; targets are classes ``[T]`` of each sequence.
    """

    kind = "frames"
    measures = (Measure(name="NLL", unit="nats per frame"), ERROR)
    headline = ERROR.name
    training = Training(
        optimizer="adam", weight_noise=0.0, input_noise=0.5, max_norm=5.0, batch_size=4, max_epochs=40,
        patience=6,
    )  # fmt: skip
    body = Body(bidirectional=True, dropout=0.3)
    rates = (math.log(5e-4), math.log(4e-3))

    def __init__(self, posed: Posed) -> None:
        super().__init__(posed, "categorical")
        self.worst = 4 * math.log(len(posed.names))
        self._targets = {s: Table([np.asarray(t, np.int64) for t in posed.parts[s].targets]) for s in SPLITS}

    @classmethod
    def load(cls, load: str, told: Options) -> FrameTask:
        """Return the task on sequences with a label a step: ``festvox_ru``, a TIMIT or Kaldi folder, .npz.

        Option, of a Kaldi folder: ``alignment``, the path of its alignment archive.
        """
        return cls(frame_parts(load, told))

    def _answered(self, split: str, layout: Layout, inputs: PackedSequence) -> Batch:
        return Batch(inputs, self._targets[split].cut(layout), layout.owner)

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each frame, [N], in nats."""
        return Categorical.nll(answers, batch.targets)

    def counts(self, head: nn.Module, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Return whether each frame is wrong, and 1."""
        return {ERROR.name: averaged(answers.argmax(-1) != batch.targets)}

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the measures of the classes' frequencies in training, and of always the most frequent."""
        train, test = (self._targets[s].rows.numpy() for s in ("train", "test"))
        nats, hits = majority(train, test, len(self.names))
        return {"majority": {"NLL": nats, ERROR.name: 100 * float((~hits).mean())}}
