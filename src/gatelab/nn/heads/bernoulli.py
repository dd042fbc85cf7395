"""Independent Bernoulli variables, such as the keys of a piano."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.nn.border import check_float, check_positive, check_sizes, check_values


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
        check_sizes(input_size=input_size, output_size=output_size)
        self.affine = nn.Linear(input_size, output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return log-odds [..., outputs] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        logits: Tensor = self.affine(hidden)
        return logits

    @staticmethod
    def nll(logits: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the variables, [...], in nats; ``target`` is 0 or 1."""
        check_float("answers", logits, "outputs")
        check_values(target, *logits.shape)
        return functional.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)

    @staticmethod
    def mean(logits: Tensor) -> Tensor:
        """Return the probability that each variable is 1, [..., outputs]."""
        return torch.sigmoid(logits)

    @staticmethod
    @torch.no_grad()
    def sample(logits: Tensor, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Return 0 or 1 for each variable, [..., outputs], drawn with log-odds divided by ``temperature``."""
        check_float("answers", logits, "outputs")
        check_positive(temperature=temperature)
        drawn = torch.rand(logits.shape, generator=generator, device=logits.device, dtype=logits.dtype)
        return (drawn < torch.sigmoid(logits / temperature)).to(logits.dtype)
