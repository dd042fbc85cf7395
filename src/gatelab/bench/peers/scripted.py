"""The same loops in TorchScript, each compiled as a whole."""

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gatelab.bench.peers.loops import gru, gru_after, halves, loop_step, lstm, lstm_with_peepholes, plain
from gatelab.bench.peers.packing import packed
from gatelab.bench.peers.torch_step import TorchStep
from gatelab.bench.problem import Problem

# No `from __future__ import annotations`: TorchScript reads the annotations themselves.


def _inputs(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return torch.addmm(b, x.flatten(0, 1), W.t()).view(x.size(0), x.size(1), -1)


def _lstm(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    h, c = torch.zeros(x.size(1), U.size(1)), torch.zeros(x.size(1), U.size(1))
    below, outputs = U.t(), []
    for a in _inputs(x, W, b).unbind(0):
        h, c = lstm(a, h, c, below)
        outputs.append(h)
    return torch.stack(outputs)


def _lstm_with_peepholes(x: Tensor, W: Tensor, U: Tensor, b: Tensor, V: Tensor) -> Tensor:
    h, c = torch.zeros(x.size(1), U.size(1)), torch.zeros(x.size(1), U.size(1))
    below, outputs = U.t(), []
    Vi, Vf, Vo = V.chunk(3)
    for a in _inputs(x, W, b).unbind(0):
        h, c = lstm_with_peepholes(a, h, c, below, Vi, Vf, Vo)
        outputs.append(h)
    return torch.stack(outputs)


def _gru(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    h, outputs = torch.zeros(x.size(1), U.size(1)), []
    of_gates, of_candidate = halves(U)
    for a in _inputs(x, W, b).unbind(0):
        h = gru(a, h, of_gates, of_candidate)
        outputs.append(h)
    return torch.stack(outputs)


def _gru_after(x: Tensor, W: Tensor, U: Tensor, b: Tensor, d: Tensor) -> Tensor:
    h, outputs, below = torch.zeros(x.size(1), U.size(1)), [], U.t()
    for a in _inputs(x, W, b).unbind(0):
        h = gru_after(a, h, below, d)
        outputs.append(h)
    return torch.stack(outputs)


def _plain(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
    h, outputs, below = torch.zeros(x.size(1), U.size(1)), [], U.t()
    for a in _inputs(x, W, b).unbind(0):
        h = plain(a, h, below)
        outputs.append(h)
    return torch.stack(outputs)


LOOPS: Mapping[str, Callable[..., Tensor]] = {
    "lstm-np": _lstm,
    "lstm": _lstm_with_peepholes,
    "gru": _gru,
    "gru-after": _gru_after,
    "tanh": _plain,
}


def make(problem: Problem, variant: str) -> TorchStep:
    """Prepare a step; ragged batches stay padded. torch calls TorchScript deprecated, but still has it."""
    name = problem.cell.name
    leaves = [torch.from_numpy(w).requires_grad_() for w in packed(problem.weights, name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        loop: Callable[..., Tensor] = torch.jit.script(LOOPS[name])
    return loop_step(problem, lambda x: loop(x, *leaves), leaves)
