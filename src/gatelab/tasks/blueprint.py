"""What a network is made of, as data: so that it can be made again where its task's data is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.graph.cell import Cell
from gatelab.nn import (
    CTC,
    AdaptiveSoftmax,
    Bernoulli,
    Categorical,
    Gaussian,
    GaussianMixture,
    Quantiles,
    Recurrent,
    SampledSoftmax,
    StudentT,
)
from gatelab.nn.init import Scheme
from gatelab.runs.config import Body, Frozen, Positive, Scaling, Size
from gatelab.tasks.network import EncoderDecoder, Network

SAMPLES = 512
"""Classes that a sampled softmax draws."""

HeadName = Literal[
    "adaptive", "bernoulli", "categorical", "ctc", "gaussian", "mixture", "quantiles", "sampled", "student",
    "value",
]  # fmt: skip


def _adaptive(inputs: int, outputs: int) -> AdaptiveSoftmax:
    """Return a softmax over a tenth of the classes, the frequent ones, with two clusters for the others."""
    cuts = sorted({max(1, outputs // 10), max(2, outputs // 3)} - {outputs})
    return AdaptiveSoftmax(inputs, outputs, cuts, shrink=min(4.0, inputs ** (1 / len(cuts))))


def _sampled(inputs: int, outputs: int) -> SampledSoftmax:
    return SampledSoftmax(inputs, outputs, min(SAMPLES, outputs))


HEADS: Mapping[HeadName, Callable[[int, int], nn.Module]] = MappingProxyType(
    {
        "adaptive": _adaptive,
        "bernoulli": Bernoulli,
        "categorical": Categorical,
        "ctc": CTC,
        "gaussian": Gaussian,
        "mixture": GaussianMixture,
        "quantiles": Quantiles,
        "sampled": _sampled,
        "student": StudentT,
        "value": nn.Linear,
    }
)
"""Heads by their names, each made of its inputs and outputs."""

INIT: Mapping[str, Mapping[str, Scheme] | None] = MappingProxyType(
    {
        "uniform": None,
        "orthogonal": {"input": "glorot", "recurrent": "orthogonal", "peephole": 0.0, "bias": 0.0},
    }
)
"""How units start, by name: as torch's layers do, or input matrices Glorot and recurrent ones orthogonal."""


class Blueprint(Frozen):
    """What stands around the recurrent layers, and how these start.

    Attributes
    ----------
    inputs
        Numbers that a step of a vector has; 0 where inputs are symbols.
    symbols, embedding
        Size of the vocabulary of symbols, and the numbers that each is embedded in; 0 for vectors that are 1
        at one place.
    head, outputs
        Name of the head, one of :data:`HEADS`, and what it answers: classes, labels or variables.
    reads
        Whether the head answers at every step or once a sequence; see :class:`gatelab.tasks.Network`.
    spread
        Standard deviation of embeddings at the start. 1 is torch's; at 0.1 a few updates outweigh what was
        drawn, which words that are seen a few times need.
    source_symbols
        Size of the vocabulary that an encoder reads before this network begins; 0 for no encoder.
    init
        How recurrent layers start, one of :data:`INIT`.
    """

    inputs: Size = 0
    symbols: Size = 0
    embedding: Size = 0
    head: HeadName
    outputs: Positive
    reads: Literal["steps", "end"] = "steps"
    spread: Scaling = 1.0
    source_symbols: Size = 0
    init: Literal["uniform", "orthogonal"] = "uniform"

    @property
    def width(self) -> int:
        """Numbers a step that the recurrent layers read."""
        return self.embedding or self.symbols or self.inputs

    def network(self, cell: Cell, hidden_size: int, body: Body) -> Network:
        """Return an untrained network of this cell and size."""
        stack = self._stack(cell, hidden_size, body)
        head = HEADS[self.head](hidden_size * stack.num_directions, self.outputs)
        if not self.source_symbols:
            return Network(stack, head, self._encoder(), self.reads, body.dropout)
        reader = self._stack(cell, hidden_size, body)
        read = self._embedding(self.source_symbols)
        return EncoderDecoder(reader, read, stack, head, self._encoder(), body.dropout)

    def _stack(self, cell: Cell, hidden_size: int, body: Body) -> Recurrent:
        return Recurrent(
            cell, self.width, hidden_size, body.layers, bidirectional=body.bidirectional,
            dropout=body.dropout, init=INIT[self.init],
        )  # fmt: skip

    def _encoder(self) -> nn.Module | None:
        if not self.symbols:
            return None
        return self._embedding(self.symbols) if self.embedding else OneHot(self.symbols)

    def _embedding(self, symbols: int) -> nn.Embedding:
        found = nn.Embedding(symbols, self.embedding)
        with torch.no_grad():
            found.weight.mul_(self.spread)
        return found


class OneHot(nn.Module):
    """Whole numbers below ``size`` as vectors that are 1 at one place, [...] → [..., size]."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors."""
        return functional.one_hot(ids, self.size).to(torch.get_default_dtype())
