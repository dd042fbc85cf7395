"""A step of a peer that computes with torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gatelab.bench.answers import Answers
from gatelab.bench.peers.packing import Values
from gatelab.bench.problem import Batch, Problem

Forward = Callable[[Tensor, tuple[int, ...] | None], Tensor]
"""(input [T, B, I], lengths where they differ and the peer is to know them) → output [T, B, H]."""
Unpack = Callable[[Sequence[Values]], Mapping[str, Values]]


class TorchStep:
    """Forward, and the derivatives by input and weights, over all batches.

    Parameters
    ----------
    forward
        From input to output.
    leaves
        The weights as the peer holds them.
    unpack
        From the derivatives by ``leaves`` to those by the cell's weights, by name.
    ragged
        Whether ``forward`` is told lengths.
    """

    def __init__(
        self,
        problem: Problem,
        forward: Forward,
        leaves: Sequence[Tensor],
        unpack: Unpack,
        ragged: bool,
        engine: str = "",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.forward, self.leaves, self.unpack, self.engine = forward, list(leaves), unpack, engine
        self.batches = [
            (
                torch.tensor(b.x, dtype=dtype, requires_grad=True),
                torch.tensor(b.cotangent, dtype=dtype),
                b.lengths if ragged and not b.full else None,
            )
            for b in problem.batches
        ]
        self._live = [_live(b) for b in problem.batches]

    def __call__(self) -> None:
        """Run the step."""
        for x, cotangent, lengths in self.batches:
            torch.autograd.grad(self.forward(x, lengths), [x, *self.leaves], cotangent)

    def answers(self) -> list[Answers]:
        """Run the step and return what it gives."""
        found: list[Answers] = []
        for (x, cotangent, lengths), live in zip(self.batches, self._live, strict=True):
            output = self.forward(x, lengths)
            by_x, *by_leaves = torch.autograd.grad(output, [x, *self.leaves], cotangent)
            named = self.unpack([g.double().numpy() for g in by_leaves])
            found.append({"output": output.detach().double().numpy() * live, "x": by_x.numpy(), **named})
        return found


def _live(batch: Batch) -> NDArray[np.bool_]:
    """Return where sequences have not ended, [T, B, 1]."""
    steps = np.arange(max(batch.lengths))[:, None]
    return (steps < np.array(batch.lengths)[None, :])[:, :, None]
