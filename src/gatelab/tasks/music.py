"""Polyphonic music: from the steps so far, the probability of each of 88 keys at the next one.

Step t is predicted from steps before t, the first from the zero state and a zero input. The measure is
the negative log-likelihood of the keys, summed over them, in nats per step, averaged over all steps, the
first included (Boulanger-Lewandowski et al. 2012; Chung et al. 2014, section 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gatelab.data import MusicData, marginal_nll, markov_nll
from gatelab.graph.cell import Cell
from gatelab.nn import Bernoulli, Recurrent
from gatelab.nn.init import Scheme
from gatelab.tasks.network import Network

KEYS = 88
INIT: Mapping[str, Scheme] = {
    "input": "glorot",
    "recurrent": "orthogonal",
    "peephole": 0.0,
    "bias": 0.0,
}
"""How units start on this task; Chung et al. do not say how theirs did."""


@dataclass(frozen=True)
class Batch:
    """Sequences side by side, longest first: what the network reads, and what it is to predict, [N, 88]."""

    inputs: PackedSequence
    targets: Tensor

    @property
    def steps(self) -> int:
        """Number of steps of all sequences, N."""
        return len(self.targets)


class _Split:
    """All sequences of a split below each other, each below a row of zeros, so that a batch is two look-ups.

    What is known before step t is the row above the row of step t.
    """

    def __init__(self, sequences: Sequence[NDArray[np.uint8]]) -> None:
        self.lengths = np.array([len(s) for s in sequences], np.int64)
        self.starts = np.cumsum(self.lengths + 1) - self.lengths - 1  # [sequences], their rows of zeros
        zeros = np.zeros((1, KEYS), np.uint8)
        self.rows = torch.from_numpy(np.concatenate([x for s in sequences for x in (zeros, s)])).float()

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Return sequences as rows: step after step, in each step those that are that long."""
        places = np.asarray(chosen)
        places = places[np.argsort(-self.lengths[places], kind="stable")]  # [B], longest first
        lengths = self.lengths[places]
        time, column = np.nonzero(np.arange(lengths[0])[:, None] < lengths)  # [N] each
        before = torch.from_numpy(self.starts[places][column] + time)
        inputs = PackedSequence(self.rows.index_select(0, before), torch.from_numpy(np.bincount(time)))
        return Batch(inputs, self.rows.index_select(0, before + 1))


class MusicTask:
    """Next-step prediction on one music set.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.data import load_music
    >>> from gatelab.tasks import MusicTask
    >>> task = MusicTask(load_music("chorales"))
    >>> network = task.network(gatelab.cells.get("gru"), hidden_size=8)
    >>> batch = task.batch("test", [0, 1])
    >>> task.nll(network, batch).shape == (batch.steps,)
    True
    """

    input_size = KEYS
    output_size = KEYS
    worst = 2 * KEYS * math.log(2)
    """NLL above which a training has diverged: twice that of a coin thrown for each key."""

    def __init__(self, data: MusicData) -> None:
        self.data = data
        splits = {"train": data.train, "valid": data.valid, "test": data.test}
        self._splits = {name: _Split(split) for name, split in splits.items()}

    def lengths(self, split: str) -> list[int]:
        """Return the number of steps of each sequence of ``train``, ``valid`` or ``test``."""
        lengths: list[int] = self._splits[split].lengths.tolist()
        return lengths

    def batch(self, split: str, chosen: Sequence[int]) -> Batch:
        """Return the chosen sequences of a split side by side."""
        return self._splits[split].batch(chosen)

    def network(self, cell: Cell, hidden_size: int) -> Network:
        """Return an untrained network with one layer of ``cell``."""
        recurrent = Recurrent(cell, KEYS, hidden_size, init=INIT)
        head = Bernoulli(hidden_size, KEYS)
        return Network(recurrent, head)

    def nll(self, network: Network, batch: Batch) -> Tensor:
        """Return the NLL of each step, [N], in nats."""
        return self.loss(network(batch.inputs), batch)

    def loss(self, answers: Tensor, batch: Batch) -> Tensor:
        """Return the NLL of each step, [N], in nats, under a network's answers [N, 88]."""
        return Bernoulli.nll(answers, batch.targets)

    def baselines(self) -> dict[str, float]:
        """Return the test NLL per step of each key's marginal and of its first-order Markov chain.

        The chain's is the mean over transitions; it is left out where no sequence has two steps.
        """
        found = {"marginal": marginal_nll(self.data.train, self.data.test)}
        if all(any(n > 1 for n in self.lengths(split)) for split in ("train", "test")):
            found["Markov"] = markov_nll(self.data.train, self.data.test)
        return found
