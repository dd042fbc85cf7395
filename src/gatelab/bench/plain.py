"""The comparison's training as it is written without gatelab: torch, padded batches and a mask.

Nothing here is slower than it has to be in this manner: input products stand before the loop, gates share
a matrix, tanh is torch.nn.RNN.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from gatelab.bench.peers.loops import STEPS, looped
from gatelab.bench.peers.packing import PACKING

Songs = Sequence[NDArray[np.uint8]]
Batches = Callable[[Sequence[int], int], list[list[int]]]
"""(lengths, epoch) → the batches of an epoch, each a list of places."""
EVALUATED = 64
"""Sequences of a batch where no gradient is needed."""


class Loop(nn.Module):
    """A cell in a hand-written loop; ``cell`` is a key of ``STEPS``."""

    def __init__(self, cell: str, inputs: int, hidden: int) -> None:
        super().__init__()
        self.step, self.states, self.prepare = STEPS[cell]
        wide = {"W": (inputs,), "U": (hidden,), "b": (), "V": ()}
        shapes = [(len(gates) * hidden, *wide[letter]) for letter, gates in PACKING[cell]]
        bound = 1 / math.sqrt(hidden)
        self.packed = nn.ParameterList(nn.Parameter(torch.empty(s).uniform_(-bound, bound)) for s in shapes)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Return the outputs [T, B, H]."""
        W, U, b, *further = self.packed
        return looped(self.step, self.states, x, W, b, self.prepare(U, *further)), None


LAYERS: Mapping[str, Callable[[int, int], nn.Module]] = {
    "tanh": nn.RNN,
    "gru": lambda inputs, hidden: Loop("gru", inputs, hidden),
    "lstm": lambda inputs, hidden: Loop("lstm", inputs, hidden),
}
"""The units of the comparison, their equations exactly."""

NATIVE: Mapping[str, Callable[[int, int], nn.Module]] = {"tanh": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
"""What torch.nn has nearest to them: no peepholes, and the reset gate after the product."""


class Model(nn.Module):
    """A recurrent layer with an affine map to log-odds of the keys."""

    def __init__(self, layer: nn.Module, hidden: int, keys: int) -> None:
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(hidden, keys)

    def forward(self, x: Tensor) -> Tensor:
        """Return log-odds [T, B, keys]."""
        logits: Tensor = self.head(self.layer(x)[0])
        return logits


@dataclass(frozen=True)
class Batch:
    """Padded sequences: inputs and targets [T, B, keys], and 1 where a sequence has not ended [T, B]."""

    inputs: Tensor
    targets: Tensor
    mask: Tensor


class Split:
    """The sequences of a split, and each as it is known before each step."""

    def __init__(self, songs: Songs) -> None:
        self.targets = [torch.from_numpy(s).float() for s in songs]
        self.inputs = [torch.cat([torch.zeros(1, t.size(1)), t[:-1]]) for t in self.targets]
        self.lengths = [len(t) for t in self.targets]

    def batch(self, chosen: Sequence[int]) -> Batch:
        """Return sequences side by side."""
        inputs = pad_sequence([self.inputs[k] for k in chosen])
        targets = pad_sequence([self.targets[k] for k in chosen])
        lengths = torch.tensor([self.lengths[k] for k in chosen])
        mask = (torch.arange(len(inputs))[:, None] < lengths).float()
        return Batch(inputs, targets, mask)


def total_nll(model: Model, batch: Batch) -> Tensor:
    """Return −log p of all keys of all steps [nats]."""
    each = functional.binary_cross_entropy_with_logits(model(batch.inputs), batch.targets, reduction="none")
    return (each.sum(-1) * batch.mask).sum()


@torch.no_grad()
def evaluate(model: Model, split: Split) -> float:
    """Return the NLL per step of a split."""
    model.eval()
    order = sorted(range(len(split.lengths)), key=lambda k: split.lengths[k])
    batches = [order[k : k + EVALUATED] for k in range(0, len(order), EVALUATED)]
    return sum(float(total_nll(model, split.batch(b))) for b in batches) / sum(split.lengths)


@dataclass
class Settings:
    """What a training is told; names as in ``gatelab.runs.Training``."""

    learning_rate: float
    decay: float
    weight_noise: float
    max_norm: float
    max_epochs: int


@dataclass
class Trained:
    """When each epoch ended, validation included, and when all was done [s after the beginning]."""

    epochs: list[float] = field(default_factory=list)
    done: float = 0.0


def train(model: Model, splits: Mapping[str, Split], batches: Batches, settings: Settings) -> Trained:
    """Train a model as the comparison does, and note the time.

    RMSProp at noisy weights, the gradient's norm clipped, validation after each epoch, and in the end the
    NLL of all splits with the weights of the best epoch.
    """
    began, found = time.perf_counter(), Trained()
    optimizer = torch.optim.RMSprop(model.parameters(), settings.learning_rate, alpha=settings.decay)
    best, weights = math.inf, model.state_dict()
    for epoch in range(1, settings.max_epochs + 1):
        model.train()
        for batch in map(splits["train"].batch, batches(splits["train"].lengths, epoch)):
            optimizer.zero_grad()
            noise = list(_add_noise(model, settings.weight_noise))
            loss = total_nll(model, batch) / batch.mask.sum()
            loss.backward()  # type: ignore[no-untyped-call]
            with torch.no_grad():
                for parameter, added in zip(model.parameters(), noise, strict=True):
                    parameter.sub_(added)
            nn.utils.clip_grad_norm_(model.parameters(), settings.max_norm)
            optimizer.step()
        valid = evaluate(model, splits["valid"])
        if valid < best:
            best, weights = valid, copy.deepcopy(model.state_dict())
        found.epochs.append(time.perf_counter() - began)
    model.load_state_dict(weights)
    for split in splits.values():
        evaluate(model, split)
    found.done = time.perf_counter() - began
    return found


@torch.no_grad()
def _add_noise(model: Model, deviation: float) -> Iterator[Tensor]:
    """Add N(0, deviation²) to each weight and yield what was added."""
    for parameter in model.parameters():
        noise = deviation * torch.randn_like(parameter)
        parameter.add_(noise)
        yield noise
