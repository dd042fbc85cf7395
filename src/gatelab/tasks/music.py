"""Polyphonic music: from the steps so far, the probability of each of 88 keys at the next one.

Step t is predicted from steps before t, the first from the zero state and a zero input. The measure is
the negative log-likelihood of the keys, summed over them, in nats per step, averaged over all steps, the
first included (Boulanger-Lewandowski et al. 2012; Chung et al. 2014, section 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gatelab.data import MUSIC, MusicData, load_music, marginal_nll, markov_nll
from gatelab.data.splits import SPLITS
from gatelab.nn import Bernoulli
from gatelab.runs.config import Training
from gatelab.tasks.batch import Batch, Layout, Table
from gatelab.tasks.blueprint import Blueprint
from gatelab.tasks.options import Options
from gatelab.tasks.task import About, Task

KEYS = 88


class RollTask(Task):
    """The keys of each step from the steps before it.

    Parameters
    ----------
    rolls
        Sequences ``[T, 88]`` of 0 and 1 of each split.
    """

    onward = True
    worst = 2 * KEYS * math.log(2)
    """NLL above which a training has diverged: twice that of a coin thrown for each key."""

    def __init__(self, rolls: Mapping[str, Iterable[NDArray[Any]]]) -> None:
        # A row of zeros stands before each sequence: what is known before step t is the row above its own.
        silence = np.zeros((1, KEYS), np.float32)
        self._tables = {s: Table([r.astype(np.float32) for r in rolls[s]], silence) for s in SPLITS}

    def lengths(self, split: str) -> list[int]:
        """Return the number of steps of each sequence of ``train``, ``valid`` or ``test``."""
        lengths: list[int] = self._tables[split].lengths.tolist()
        return lengths

    def _side_by_side(self, split: str, chosen: Sequence[int]) -> tuple[Layout, Tensor, Tensor]:
        """Return how the chosen sequences stand side by side, and of each row the step before and its own."""
        table = self._tables[split]
        layout = Layout.of(table.lengths, chosen)
        return layout, table.cut(layout), table.cut(layout, after=1)

    def losses(self, head: nn.Module, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each step, [N], in nats, under a network's answers [N, 88]."""
        return Bernoulli.nll(answers, batch.targets)


class MusicTask(RollTask):
    """Next-step prediction on one music set.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.data import load_music
    >>> from gatelab.tasks import MusicTask
    >>> task = MusicTask(load_music("chorales"))
    >>> network = task.network(gatelab.cells.get("gru"), hidden_size=8)
    >>> batch = task.batch("test", [0, 1])
    >>> task.losses(network.head, network(batch.inputs), batch).shape == (batch.terms,)
    True
    """

    kind = "music"
    training = Training(optimizer="rmsprop", weight_noise=0.075, batch_size=4, max_epochs=20)
    blueprint = Blueprint(inputs=KEYS, head="bernoulli", outputs=KEYS, init="orthogonal")

    def __init__(self, data: MusicData) -> None:
        super().__init__({split: getattr(data, split) for split in SPLITS})
        self.data = data
        known = data.name in MUSIC
        split = (
            "the set's own" if known else "by the file's parts, or by tune, so that versions stay together"
        )
        self.about = About(data.name, data.title, data.source, data.digest, (f"split: {split}",))
        place = Path(data.source)
        self.asked = data.name if known else str(place.resolve()) if place.exists() else ""

    @classmethod
    def load(cls, load: str, told: Options) -> MusicTask:
        """Return the task on a set by its name, or on a file by its path; there are no options."""
        return cls(load_music(load))

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side; targets are [N, 88]."""
        layout, before, targets = self._side_by_side(split, chosen)
        return Batch(PackedSequence(before, layout.batch_sizes), targets, layout.owner)

    def baselines(self) -> dict[str, dict[str, float]]:
        """Return the test NLL per step of each key's marginal and of its first-order Markov chain.

        The chain's is the mean over transitions; it is left out where no sequence has two steps.
        """
        found = {"marginal": marginal_nll(self.data.train, self.data.test)}
        if all(any(n > 1 for n in self.lengths(split)) for split in ("train", "test")):
            found["Markov"] = markov_nll(self.data.train, self.data.test)
        return {name: {self.headline: value} for name, value in found.items()}
