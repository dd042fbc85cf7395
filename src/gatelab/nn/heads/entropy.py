"""Cross-entropy of rows of logits, whose gradient is made in the forward pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gatelab.engine.pool import POOL


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return −log softmax(logits)[target] of each row, in nats.

    Where a gradient is wanted, the forward pass reads the logits once and writes softmax − onehot, which the
    backward pass only scales, in place. A second pass backwards through the same graph, and a derivative of
    the gradient, are computed anew from the logits.

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
    if not wanted or logits.dtype not in (torch.float32, torch.float64):
        return functional.cross_entropy(logits, target, reduction="none")
    losses: Tensor = _CrossEntropy.apply(logits, target)  # type: ignore[no-untyped-call]
    return losses


class _CrossEntropy(torch.autograd.Function):
    """The gradient by the logits is held until it is given away, which happens once."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        gradient = _buffer(logits)
        torch.softmax(logits, -1, out=gradient)
        place = target.unsqueeze(-1)
        likely = gradient.gather(-1, place)
        gradient.scatter_(-1, place, likely - 1)
        ctx.save_for_backward(logits, target)
        ctx.gradient = gradient
        return _losses(likely.squeeze(-1), logits, target)

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


def _buffer(like: Tensor) -> Tensor:
    """Return memory as large as ``like``; on the CPU of the pool, as fresh pages cost more than the loss."""
    return POOL.tensor(like.shape, like) if like.device.type == "cpu" else torch.empty_like(like)


def _losses(likely: Tensor, logits: Tensor, target: Tensor) -> Tensor:
    """Return −log p, [N]; from the logits where p is too small for a float, or not a number."""
    losses = -likely.log()
    small = ~(likely > 1e6 * torch.finfo(likely.dtype).tiny)
    if bool(small.any()):
        again = functional.cross_entropy(logits[small], target[small], reduction="none")
        losses[small] = again
    return losses
