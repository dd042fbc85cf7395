"""torchrecurrent, a collection of recurrent cells for torch: its LSTM with peepholes."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from importlib.metadata import version

import torch
from torch import Tensor

from gatelab.bench.peers.packing import Values, packed, unpacked
from gatelab.bench.peers.torch_step import TorchStep
from gatelab.bench.problem import Problem


def make(problem: Problem, variant: str) -> TorchStep:
    """Prepare a step; ragged batches stay padded."""
    name = problem.cell.name
    library = importlib.import_module("torchrecurrent")
    layer = library.PeepholeLSTM(problem.inputs, problem.hidden, recurrent_bias=False)
    cell = layer.cells[0]
    leaves: list[Tensor] = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.weight_ph]
    with torch.no_grad():
        for leaf, value in zip(leaves, packed(problem.weights, name), strict=True):
            leaf.copy_(torch.from_numpy(value))

    def unpack(gradients: Sequence[Values]) -> dict[str, Values]:
        return unpacked(gradients, name)

    return TorchStep(
        problem,
        lambda x, lengths: layer(x)[0],
        leaves,
        unpack,
        ragged=False,
        engine=f"torchrecurrent {version('torchrecurrent')}",
    )
