"""One of V classes, such as the next character of a text: softmax."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ShapeError
from gatelab.nn.border import check_classes, check_float, check_sizes
from gatelab.nn.sampling import draw


class Categorical(nn.Module):
    """One of V classes: an affine map, whose outputs are log-probabilities up to a constant (logits).

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Classes, V.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import Categorical
    >>> head = Categorical(46, 87)
    >>> answers = head(torch.ones(5, 46))
    >>> head.nll(answers, torch.tensor([1, 0, 86, 3, 3])).shape
    torch.Size([5])
    """

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        self.affine = nn.Linear(input_size, output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits [..., V] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        logits: Tensor = self.affine(hidden)
        return logits

    @staticmethod
    def nll(answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) of each row, [...], in nats, for logits [..., V] and classes, int64 [...]."""
        check_float("answers", answers, "V")
        check_classes(target, answers.shape[:-1], answers.shape[-1])
        rows = functional.cross_entropy(answers.flatten(0, -2), target.flatten(), reduction="none")
        return rows.reshape(target.shape)

    @staticmethod
    def mean_nll(answers: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean of −log p(target) over the rows, in nats: the fused loss for training.

        With weights it is Σ w · nll / Σ w; a row of weight 0 does not count, whatever it holds.
        """
        losses = Categorical.nll(answers, target)
        if weights is None:
            return losses.mean()
        check_float("weights", weights)
        if weights.shape != target.shape:
            raise ShapeError(f"weights: wanted one a row, {tuple(target.shape)}, got {tuple(weights.shape)}")
        return torch.where(weights > 0, losses * weights, 0.0).sum() / weights.sum()

    @staticmethod
    def log_probabilities(answers: Tensor) -> Tensor:
        """Return log p of every class, [..., V]."""
        check_float("answers", answers, "V")
        return functional.log_softmax(answers, -1)

    @staticmethod
    def mode(answers: Tensor) -> Tensor:
        """Return the likeliest class of each row, int64 [...]."""
        check_float("answers", answers, "V")
        return answers.argmax(-1)

    @staticmethod
    def sample(
        answers: Tensor,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        top: int | None = None,
    ) -> Tensor:
        """Return a class for each row, int64 [...]; see :func:`gatelab.nn.sampling.draw`."""
        return draw(answers, generator, temperature, top)
