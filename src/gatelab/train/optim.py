"""Optimisers of the papers for one long vector of weights; weight noise; the rescaled gradient.

The updates are those of torch.optim, number for number. They stand here because torch's own take a second to
make the first optimiser, for the sake of a compiler that is not used, and twice as long for a step.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from gatelab.runs import Training


class Optimizer(ABC):
    """Changes weights w by their gradient g, remembering what it needs.

    Parameters
    ----------
    weights
        A tensor with its gradient, of any shape.
    learning_rate
        η.
    names
        What is remembered for each weight, zero at first.

    Attributes
    ----------
    memory
        All that it remembers, by name.
    """

    def __init__(self, weights: Tensor, learning_rate: float, *names: str) -> None:
        self.weights, self.learning_rate = weights, learning_rate
        self.memory: dict[str, Tensor] = {n: torch.zeros_like(weights, requires_grad=False) for n in names}

    @torch.no_grad()
    def step(self) -> None:
        """Make one update."""
        assert self.weights.grad is not None
        self.update(self.weights, self.weights.grad)

    @abstractmethod
    def update(self, w: Tensor, g: Tensor) -> None:
        """Change ``w`` in place."""

    def load(self, memory: Mapping[str, Tensor]) -> None:
        """Take over a memory; raises a ValueError where it is that of another optimiser or network."""
        wanted = {name: tuple(tensor.shape) for name, tensor in self.memory.items()}
        came = {name: tuple(tensor.shape) for name, tensor in memory.items()}
        if came != wanted:
            raise ValueError(f"wanted an optimiser's memory of {wanted}, got {came}")
        for name, tensor in memory.items():
            self.memory[name].copy_(tensor)


class RMSprop(Optimizer):
    """v ← α v + (1 − α) g²;  w ← w − η g / (√v + ε).

    Source: Tieleman and Hinton 2012, Neural Networks for Machine Learning, lecture 6.5; ε = 1e-8 as in torch.
    """

    def __init__(self, weights: Tensor, learning_rate: float, decay: float) -> None:
        super().__init__(weights, learning_rate, "square")
        self.decay, self._root = decay, torch.empty_like(weights, requires_grad=False)

    def update(self, w: Tensor, g: Tensor) -> None:
        """Change ``w`` in place."""
        square = self.memory["square"].mul_(self.decay).addcmul_(g, g, value=1 - self.decay)
        w.addcdiv_(g, torch.sqrt(square, out=self._root).add_(1e-8), value=-self.learning_rate)


class SGD(Optimizer):
    """v ← μ v + g;  w ← w − η (g + μ v): Nesterov's momentum, none where μ = 0.

    Source: Sutskever, Martens, Dahl and Hinton 2013, On the importance of initialization and momentum in deep
    learning, in torch's form.
    """

    def __init__(self, weights: Tensor, learning_rate: float, momentum: float) -> None:
        super().__init__(weights, learning_rate, *["velocity"] * (momentum > 0))
        self.momentum = momentum

    def update(self, w: Tensor, g: Tensor) -> None:
        """Change ``w`` in place."""
        if self.momentum > 0:
            velocity = self.memory["velocity"].mul_(self.momentum).add_(g)
            g = g.add(velocity, alpha=self.momentum)
        w.add_(g, alpha=-self.learning_rate)


class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  w ← w − η m̂ / (√v̂ + ε).

    m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) at the t-th update; β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
    Source: Kingma and Ba 2015, arXiv:1412.6980.
    """

    def __init__(self, weights: Tensor, learning_rate: float) -> None:
        super().__init__(weights, learning_rate, "mean", "square")
        self.memory["updates"] = torch.zeros((), dtype=torch.int64)
        self._root = torch.empty_like(weights, requires_grad=False)

    def update(self, w: Tensor, g: Tensor) -> None:
        """Change ``w`` in place."""
        t = int(self.memory["updates"].add_(1))
        mean = self.memory["mean"].lerp_(g, 1 - 0.9)
        square = self.memory["square"].mul_(0.999).addcmul_(g, g, value=1 - 0.999)
        root = torch.sqrt(square, out=self._root).div_(math.sqrt(1 - 0.999**t)).add_(1e-8)
        w.addcdiv_(mean, root, value=-self.learning_rate / (1 - 0.9**t))


def optimizer_for(weights: Tensor, training: Training, learning_rate: float) -> Optimizer:
    """Return the optimiser that ``training`` names."""
    if training.optimizer == "rmsprop":
        return RMSprop(weights, learning_rate, training.decay)
    if training.optimizer == "sgd":
        return SGD(weights, learning_rate, training.momentum)
    return Adam(weights, learning_rate)


@contextmanager
def noisy(
    parameters: Sequence[Tensor], deviation: float, draw: Callable[[Tensor], Tensor] = torch.randn_like
) -> Iterator[None]:
    """Add N(0, deviation²) to every weight inside the block, and take exactly that away after it.

    The gradient is so taken at the noisy weights and applied to the clean ones; ``draw`` returns N(0, 1) of
    a tensor's shape. Source: Graves 2011, Practical Variational Inference for Neural Networks, as Chung et
    al. 2014 use it.
    """
    if deviation == 0:
        yield
        return
    weights = [p.detach() for p in parameters]
    clean = [w.clone() for w in weights]
    for weight in weights:
        weight.add_(draw(weight), alpha=deviation)
    try:
        yield
    finally:
        for weight, value in zip(weights, clean, strict=True):
            weight.copy_(value)


def rescale(parameters: Sequence[Tensor], max_norm: float | None) -> float:
    """Rescale the gradient to ``max_norm``, if any, where its norm is larger; return the norm it had."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.hypot(*(float(torch.linalg.vector_norm(g)) for g in gradients))
    if not math.isfinite(norm):  # squares above 3e38 are no numbers in single precision
        norm = math.hypot(*(float(torch.linalg.vector_norm(g, dtype=torch.float64)) for g in gradients))
    if max_norm is not None and norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / (norm + 1e-6))
    return norm
