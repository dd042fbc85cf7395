"""A loop in Python over torch, as a user writes it: input products before it, gates in one matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gatelab.bench.peers.packing import packed, unpacked
from gatelab.bench.peers.torch_step import TorchStep
from gatelab.bench.problem import Problem

# A step gets `a`, the input's part of all gates [B, G H], the states [B, H], and what is prepared before
# the loop; it returns the new states. TorchScript reads these functions, too.


def lstm(a: Tensor, h: Tensor, c: Tensor, U: Tensor) -> tuple[Tensor, Tensor]:
    """LSTM without peepholes; gates i, f, c, o."""
    i, f, g, o = torch.addmm(a, h, U).chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def lstm_with_peepholes(
    a: Tensor, h: Tensor, c: Tensor, U: Tensor, Vi: Tensor, Vf: Tensor, Vo: Tensor
) -> tuple[Tensor, Tensor]:
    """LSTM with peepholes; gates i, f, c, o."""
    i, f, g, o = torch.addmm(a, h, U).chunk(4, 1)
    c = torch.sigmoid(f + Vf * c) * c + torch.sigmoid(i + Vi * c) * torch.tanh(g)
    return torch.sigmoid(o + Vo * c) * torch.tanh(c), c


def gru(a: Tensor, h: Tensor, of_gates: Tensor, of_candidate: Tensor) -> Tensor:
    """GRU with the reset gate before the product; gates z, r, h."""
    size = h.size(1)
    z, r = torch.sigmoid(torch.addmm(a[:, : 2 * size], h, of_gates)).chunk(2, 1)
    candidate = torch.tanh(torch.addmm(a[:, 2 * size :], r * h, of_candidate))
    return torch.lerp(h, candidate, z)


def gru_after(a: Tensor, h: Tensor, U: Tensor, d: Tensor) -> Tensor:
    """GRU with the reset gate after the product and its bias d; gates r, z, h."""
    size = h.size(1)
    product = torch.mm(h, U)
    r, z = torch.sigmoid(a[:, : 2 * size] + product[:, : 2 * size]).chunk(2, 1)
    candidate = torch.tanh(a[:, 2 * size :] + r * (product[:, 2 * size :] + d))
    return torch.lerp(candidate, h, z)


def plain(a: Tensor, h: Tensor, U: Tensor) -> Tensor:
    """Plain recurrent unit with tanh."""
    return torch.tanh(torch.addmm(a, h, U))


def halves(U: Tensor) -> tuple[Tensor, Tensor]:
    """Return the recurrent matrices of the two gates and of the candidate, transposed."""
    size = U.size(1)
    return U[: 2 * size].t(), U[2 * size :].t()


Tensors = tuple[Tensor, ...]
STEPS: Mapping[str, tuple[Callable[..., Tensor | Tensors], int, Callable[..., Tensors]]] = {
    "lstm-np": (lstm, 2, lambda U: (U.t(),)),
    "lstm": (lstm_with_peepholes, 2, lambda U, V: (U.t(), *V.chunk(3))),
    "gru": (gru, 1, halves),
    "gru-after": (gru_after, 1, lambda U, d: (U.t(), d)),
    "tanh": (plain, 1, lambda U: (U.t(),)),
}
"""Cell → step, number of states, and what is prepared from U and further weights."""


def looped(
    step: Callable[..., Tensor | Tensors], states: int, x: Tensor, W: Tensor, b: Tensor, prepared: Tensors
) -> Tensor:
    """Return the outputs [T, B, H] of a loop over the steps of ``x`` [T, B, I]."""
    size = prepared[0].size(0)
    carried: Tensors = (x.new_zeros(x.size(1), size),) * states
    outputs = []
    for a in torch.addmm(b, x.flatten(0, 1), W.t()).view(x.size(0), x.size(1), -1).unbind(0):
        after = step(a, *carried, *prepared)
        carried = after if isinstance(after, tuple) else (after,)
        outputs.append(carried[0])
    return torch.stack(outputs)


def make(problem: Problem, variant: str) -> TorchStep:
    """Prepare a step: ``eager``, ``compile-step`` or ``compile-loop``. Ragged batches stay padded."""
    name = problem.cell.name
    leaves = [torch.from_numpy(w).requires_grad_() for w in packed(problem.weights, name)]
    step, states, prepare = STEPS[name]
    step = torch.compile(step, dynamic=False) if variant == "compile-step" else step
    W, U, b, *further = leaves

    def run(x: Tensor) -> Tensor:
        return looped(step, states, x, W, b, prepare(U, *further))

    return loop_step(problem, torch.compile(run, dynamic=False) if variant == "compile-loop" else run, leaves)


def loop_step(problem: Problem, run: Callable[[Tensor], Tensor], leaves: list[Tensor]) -> TorchStep:
    """Return the step of a loop ``run`` over packed weights ``leaves``."""
    name = problem.cell.name
    return TorchStep(problem, lambda x, _: run(x), leaves, lambda g: unpacked(g, name), ragged=False)
