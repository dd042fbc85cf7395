"""Cross-entropy of rows of logits, whose gradient is made in the forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gatelab.engine import entropy
from gatelab.engine.choose import TYPES


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return −log softmax(logits)[target] of each row, in nats.

    Where a gradient is wanted, the forward pass reads the logits once and writes softmax − onehot, which the
    backward pass only scales, in place. A second pass backwards through the same graph, and a derivative of
    the gradient, are computed anew from the logits. On the CPU the kernel of the package does it.

    Parameters
    ----------
    logits
        [N, V]; −∞ for a class that cannot be.
    target
        Classes, int64 [N], each 0 to V − 1.

    Returns
    -------
    Tensor
        [N]; infinite where the target's logit is −∞ and another is not.

    Examples
    --------
    >>> import torch
    >>> cross_entropy(torch.zeros(2, 4), torch.tensor([3, 0])).exp().tolist()
    [4.0, 4.0]
    """
    wanted = torch.is_grad_enabled() and logits.requires_grad
    if not wanted or torch.compiler.is_compiling() or logits.dtype not in TYPES:
        return functional.cross_entropy(logits, target, reduction="none")
    losses: Tensor = _CrossEntropy.apply(logits, target)  # type: ignore[no-untyped-call]
    return losses


class _CrossEntropy(torch.autograd.Function):
    """The gradient by the logits is held until it is given away, which happens once."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(logits, target)
        by = entropy.cross_entropy if entropy.can_run(logits) else _by_torch
        losses, ctx.gradient = by(logits, target)
        return losses

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (given,) = outer
        gradient, ctx.gradient = ctx.gradient, None
        if gradient is None or torch.is_grad_enabled():  # a second time, or to be differentiated again
            logits, target = ctx.saved_tensors
            gradient = torch.softmax(logits, -1) - functional.one_hot(target, logits.shape[-1])
            return gradient * given.unsqueeze(-1), None
        gradient.mul_(given.unsqueeze(-1))
        unread = given == 0
        if bool(unread.any()):  # 0 even where logits are not numbers
            gradient.masked_fill_(unread.unsqueeze(-1), 0)
        return gradient, None


def _by_torch(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return losses [N] and gradient [N, V], wherever the logits are."""
    gradient, place = torch.softmax(logits, -1), target.unsqueeze(-1)
    likely = gradient.gather(-1, place)
    gradient.scatter_(-1, place, likely - 1)
    losses = -likely.squeeze(-1).log()
    small = ~(losses < 60)  # also where it is not a number: there the float that held p says too little
    if bool(small.any()):
        losses[small] = functional.cross_entropy(logits[small], target[small], reduction="none")
    return losses, gradient
