"""torch.nn.LSTM, GRU and RNN; ragged batches as a PackedSequence, or padded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from gatelab.bench.peers.packing import Values, packed, unpacked
from gatelab.bench.peers.torch_step import TorchStep
from gatelab.bench.problem import Problem

MODULES: Mapping[str, Callable[[int, int], nn.Module]] = {
    "lstm-np": nn.LSTM,
    "gru-after": nn.GRU,
    "tanh": nn.RNN,
}


def make(problem: Problem, variant: str) -> TorchStep:
    """Prepare a step; ``variant`` is ``packed`` or ``padded``, and matters where lengths differ."""
    name = problem.cell.name
    module = MODULES[name](problem.inputs, problem.hidden)
    leaves: list[Tensor] = list(module.parameters())
    with torch.no_grad():
        for leaf, value in zip(leaves, _two_biases(packed(problem.weights, name)), strict=True):
            leaf.copy_(torch.from_numpy(value))

    def unpack(gradients: Sequence[Values]) -> dict[str, Values]:
        matrices, (first, second) = gradients[:2], gradients[2:]
        further = [second[-problem.hidden :]] if name == "gru-after" else []
        return unpacked([*matrices, first, *further], name)

    def forward(x: Tensor, lengths: tuple[int, ...] | None) -> Tensor:
        if lengths is None:
            output: Tensor = module(x)[0]
            return output
        rows = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        return pad_packed_sequence(module(rows)[0])[0]

    return TorchStep(problem, forward, leaves, unpack, ragged=variant == "packed")


def _two_biases(weights: Sequence[Values]) -> list[Values]:
    """Return W, U and two biases; the second is 0 but for what stands inside the reset gate's product."""
    W, U, bias, *further = weights
    second = np.zeros_like(bias)
    for inside in further:
        second[-len(inside) :] = inside
    return [W, U, bias, second]
