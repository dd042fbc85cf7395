"""Heads: from a layer's output to a distribution, with its loss."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Bernoulli(nn.Module):
    """Independent Bernoulli variables: an affine map, whose outputs are log-odds.

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Variables, such as the 88 keys of a piano.

    Examples
    --------
    >>> import gatelab, torch
    >>> head = gatelab.nn.Bernoulli(46, 88)
    >>> head.nll(head(torch.zeros(5, 46)), torch.zeros(5, 88)).shape
    torch.Size([5])
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.affine = nn.Linear(input_size, output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return log-odds [..., outputs] for hidden [..., inputs]."""
        logits: Tensor = self.affine(hidden)
        return logits

    @staticmethod
    def nll(logits: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the variables, [...], in nats; ``target`` is 0 or 1."""
        return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
