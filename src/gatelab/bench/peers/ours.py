"""gatelab itself: any cell, on the engine that it chooses or on the reference."""

from __future__ import annotations

import torch

from gatelab.bench.peers.torch_step import TorchStep
from gatelab.bench.problem import Problem
from gatelab.nn import Recurrent


def make(problem: Problem, variant: str, dtype: torch.dtype = torch.float32) -> TorchStep:
    """Prepare a step; ``variant`` is ``auto``, ``reference``, or ``padded``: auto without lengths."""
    engine = "auto" if variant == "padded" else variant
    layer = Recurrent(problem.cell, problem.inputs, problem.hidden, engine=engine, dtype=dtype)
    layer.eval()  # masks are their expectations: the same for every engine
    names = [p.name for p in layer.cell.parameters]
    with torch.no_grad():
        for name in names:
            getattr(layer, f"{name}_l0").copy_(torch.from_numpy(problem.weights[name]))
    leaves = [getattr(layer, f"{name}_l0") for name in names]

    def forward(x: torch.Tensor, lengths: tuple[int, ...] | None) -> torch.Tensor:
        output, _ = layer(x, lengths=lengths)
        assert isinstance(output, torch.Tensor)
        return output

    return TorchStep(
        problem,
        forward,
        leaves,
        lambda gradients: dict(zip(names, gradients, strict=True)),
        ragged=variant != "padded",
        engine=str(layer.engine),
        dtype=dtype,
    )
