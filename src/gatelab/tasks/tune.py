"""A tune from a label: the label is told at the first step, the music follows, key by key and step by step.

One-to-many: the network reads one label and writes a sequence; from then on it reads what it wrote. In
training it reads the steps of the real tune, as in next-step prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from gatelab.data.baselines import marginal_nll, markov_nll
from gatelab.data.midi.tunes import TuneData, load_tunes
from gatelab.data.places import find
from gatelab.data.splits import SPLITS
from gatelab.runs.config import Training
from gatelab.tasks.batch import Batch
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.music import KEYS, RollTask
from gatelab.tasks.options import Options
from gatelab.tasks.task import About


class TuneTask(RollTask):
    """Music that a label begins.

    Parameters
    ----------
    data
        Tunes with their labels, such as metres.
    """

    kind = "tune"
    training = Training(
        optimizer="adam", weight_noise=0.0, max_norm=1.0, batch_size=8, max_epochs=30, patience=5
    )
    rates = (math.log(1e-3), math.log(1e-2))

    def __init__(self, data: TuneData) -> None:
        super().__init__({s: [t.roll for t in getattr(data, s)] for s in SPLITS})
        self.data, self.labels = data, len(data.classes)
        split = "split: by the folder's parts, or by tune, so that versions stay together"
        self.about = About(data.name, data.name, data.source, data.digest, (split,))
        self.blueprint = Blueprint(inputs=KEYS + self.labels, head="bernoulli", outputs=KEYS)
        self._labels = {s: torch.tensor([t.label for t in getattr(data, s)]) for s in SPLITS}

    @classmethod
    def load(cls, load: str, told: Options) -> TuneTask:
        """Return the task on ``nottingham-tunes``, or a folder or zip archive of MIDI files.

        Options: ``label``, metre or kind.
        """
        label = told.one_of("label", ("metre", "kind"), "metre")
        if load == "nottingham-tunes":
            home = "github.com/jukedeck/nottingham-dataset"
            load = str(find("Nottingham tunes", "poly_music", ["nottingham_midi_jukedeck.zip"], home))
        return cls(load_tunes(load, label=label))

    def kept(self) -> dict[str, Any]:
        """Return the labels."""
        return {"labels": list(self.data.classes)}

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen tunes side by side: [N, 88 + labels], the label at the first step only."""
        layout, before, targets = self._side_by_side(split, chosen)
        told = torch.zeros(len(before), self.labels)
        first = torch.from_numpy(layout.places)  # the first rows are the first steps
        told[torch.arange(len(first)), self._labels[split][first]] = 1
        inputs = PackedSequence(torch.cat([before, told], 1), layout.batch_sizes)
        return Batch(inputs, targets, layout.owner)

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the NLL of each key's marginal, over all tunes and by label, and of its Markov chain."""
        train, test = ([t.roll for t in getattr(self.data, s)] for s in ("train", "test"))
        return {
            "marginal": {"NLL": marginal_nll(train, test)},
            "marginal by label": {"NLL": self._by_label()},
            "Markov": {"NLL": markov_nll(train, test)},
        }

    def _by_label(self) -> float:
        nats, steps = 0.0, 0
        for label in range(self.labels):
            train, test = (
                [t.roll for t in getattr(self.data, s) if t.label == label] for s in ("train", "test")
            )
            if not test:
                continue
            count = sum(map(len, test))
            nats, steps = nats + count * marginal_nll(train, test), steps + count
        return nats / steps
