"""One of V classes, such as the next character of a text: softmax."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ShapeError
from gatelab.nn.border import check_classes, check_float, check_sizes
from gatelab.nn.heads.entropy import cross_entropy
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
        """Return −log p(target) of each row, [...], in nats, for logits [..., V] and classes int64 [...].

        The fused loss for training: see :func:`gatelab.nn.heads.entropy.cross_entropy`.
        """
        check_float("answers", answers, "V")
        check_classes(target, answers.shape[:-1], answers.shape[-1])
        rows = cross_entropy(answers.reshape(-1, answers.shape[-1]), target.flatten())
        return rows.reshape(target.shape)

    @staticmethod
    def mean_nll(answers: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean of −log p(target) over the rows, in nats.

        With weights [...], which have no gradient, it is Σ w · nll / Σ w. A row of weight 0 does not count,
        whatever its answers are; its target has to be a class all the same.

        Raises
        ------
        ShapeError
            Where there are no rows, or the weights are not one a row, at least 0, and one of them above it.
        """
        losses = Categorical.nll(answers, target)
        if weights is None:
            if not losses.numel():
                raise ShapeError("answers: wanted at least one row, of none there is no mean")
            return losses.mean()
        _check_weights(weights, target)
        shares = (weights / weights.sum()).to(losses.dtype)
        return torch.where(weights > 0, losses, 0).mul(shares).sum()

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
    @torch.no_grad()
    def sample(
        answers: Tensor,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        top: int | None = None,
    ) -> Tensor:
        """Return a class for each row, int64 [...]; see :func:`gatelab.nn.sampling.draw`."""
        return draw(answers, generator, temperature, top)


def _check_weights(weights: Tensor, target: Tensor) -> None:
    check_float("weights", weights)
    if weights.shape != target.shape:
        raise ShapeError(f"weights: wanted one a row, {tuple(target.shape)}, got {tuple(weights.shape)}")
    if weights.requires_grad:
        raise ShapeError("weights: wanted numbers without a gradient; try .detach()")
    sound = weights.isfinite() & (weights >= 0)
    if not bool(sound.all() & (weights > 0).any()):
        raise ShapeError("weights: wanted finite numbers of at least 0, and one of them above it")
