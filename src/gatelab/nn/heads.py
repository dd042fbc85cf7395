"""Heads: from a layer's output to a distribution, with its loss."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError


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


def affine_of(head: nn.Module, input_size: int) -> nn.Linear:
    """Return the affine map that a head is, or that is all it does to a layer's output.

    Raises
    ------
    ConfigError, ShapeError
        Where the head is something else, or reads another number of inputs than ``input_size``.
    """
    found = head.affine if isinstance(head, Bernoulli) else head
    if not isinstance(found, nn.Linear):
        raise ConfigError(f"head: wanted torch.nn.Linear or gatelab.nn.Bernoulli, got {type(head).__name__}")
    if found.in_features != input_size:
        raise ShapeError(
            f"head: wanted {input_size} inputs, the layer's outputs, got one of {found.in_features}"
        )
    return found
