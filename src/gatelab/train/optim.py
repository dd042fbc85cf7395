"""Optimisers of the papers, from torch; weight noise; the rescaled gradient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from gatelab.runs import Training


def optimizer_for(
    parameters: Sequence[Tensor], training: Training, learning_rate: float
) -> torch.optim.Optimizer:
    """Return the optimiser that ``training`` names."""
    if training.optimizer == "rmsprop":
        return torch.optim.RMSprop(parameters, learning_rate, alpha=training.decay, foreach=True)
    if training.optimizer == "sgd":
        return torch.optim.SGD(
            parameters,
            learning_rate,
            momentum=training.momentum,
            nesterov=training.momentum > 0,
            foreach=True,
        )
    return torch.optim.Adam(parameters, learning_rate, foreach=True)


@contextmanager
def noisy(parameters: Sequence[Tensor], deviation: float) -> Iterator[None]:
    """Add N(0, deviation²) to every weight inside the block, and take exactly that away after it.

    The gradient is so taken at the noisy weights and applied to the clean ones. Source: Graves 2011,
    Practical Variational Inference for Neural Networks, as Chung et al. 2014 use it.
    """
    if deviation == 0:
        yield
        return
    weights = [p.detach() for p in parameters]
    clean = [w.clone() for w in weights]
    torch._foreach_add_(weights, [torch.randn_like(w) for w in weights], alpha=deviation)
    try:
        yield
    finally:
        torch._foreach_copy_(weights, clean)


def rescale(parameters: Sequence[Tensor], max_norm: float) -> float:
    """Rescale the gradient to ``max_norm`` where its norm is larger; return the norm it had."""
    return float(torch.nn.utils.clip_grad_norm_(parameters, max_norm, foreach=True))
