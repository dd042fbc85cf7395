"""Layers of random weights, and what tests compare of them."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

import gatelab
from gatelab.engine import cpu

cpu.THREAD_WORK = cpu.CREW_WORK = 1  # all threads take part, however small a layer is


def layer_of(name: str = "gru", inputs: int = 5, hidden: int = 6, seed: int = 0, **options: Any) -> Any:
    """Return a layer in float64 on the tile machine."""
    torch.manual_seed(seed)
    return gatelab.Recurrent(name, inputs, hidden, engine="tile", **options).double()


def normal(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return numbers drawn from N(0, 1)."""
    return torch.randn(*shape, dtype=dtype)


def results_of(layer: Any, *given: Any, **named: Any) -> list[Tensor]:
    """Return outputs and derivatives of a call, the weights' last."""
    layer.zero_grad()
    output, state = layer(*given, **named)
    states = state if isinstance(state, tuple) else (state,)
    (output.square().sum() + sum(s.sum() for s in states)).backward()
    return [output.detach(), *(s.detach() for s in states), *(p.grad.clone() for p in layer.parameters())]


def twin(layer: Any) -> Any:
    """Return the same layer on the reference engine."""
    other = copy.deepcopy(layer)
    other.wanted_engine = "reference"
    return other


def same(ours: Iterable[Any], theirs: Iterable[Any], limit: float = 1e-10) -> None:
    """Assert that tensors are equal within a relative and absolute limit."""
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=limit, atol=limit)
