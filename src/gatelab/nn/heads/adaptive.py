"""Adaptive softmax, for large vocabularies: frequent classes are cheap."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gatelab.errors import ConfigError
from gatelab.nn.border import check_classes, check_float, check_sizes
from gatelab.nn.sampling import draw


class AdaptiveSoftmax(nn.Module):
    """One of V classes, the frequent ones first, in clusters that are opened only where they are needed.

    Answers are the hidden rows themselves: which logits are computed depends on the target.

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Classes, V, sorted by frequency, the most frequent first.
    cutoffs
        Where clusters end, rising, from 1 to V − 1, such as (2_000, 10_000).
    shrink
        How many times narrower each cluster's rows are than those of the one before it.

    Source: Grave, Joulin, Cissé, Grangier, Jégou 2017, Efficient softmax approximation for GPUs; torch's
    ``AdaptiveLogSoftmaxWithLoss``.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import AdaptiveSoftmax
    >>> head = AdaptiveSoftmax(32, 1000, cutoffs=(100, 400))
    >>> head.nll(head(torch.ones(3, 32)), torch.tensor([7, 130, 999])).shape
    torch.Size([3])
    """

    def __init__(
        self, input_size: int, output_size: int, cutoffs: Sequence[int], shrink: float = 4.0
    ) -> None:
        super().__init__()
        check_sizes(input_size=input_size)
        check_sizes(2, output_size=output_size)
        ends = [*cutoffs, output_size]
        whole = all(isinstance(end, int) and not isinstance(end, bool) for end in ends)
        if not cutoffs or not whole or cutoffs[0] < 1 or sorted(set(ends)) != ends:
            raise ConfigError(
                f"cutoffs: wanted rising whole numbers, 1 to {output_size - 1}, got {tuple(cutoffs)!r:.80}"
            )
        if not 1 <= shrink < float("inf") or int(input_size // shrink ** len(cutoffs)) < 1:
            raise ConfigError(
                f"shrink: wanted at least 1, and rows of {input_size} numbers to be left with one after "
                f"{len(cutoffs)} clusters, got {shrink!r}; try a smaller one"
            )
        self.input_size, self.output_size = input_size, output_size
        self.softmax = nn.AdaptiveLogSoftmaxWithLoss(input_size, output_size, list(cutoffs), div_value=shrink)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return hidden [..., inputs] as it is, checked."""
        check_float("hidden", hidden, self.input_size)
        return hidden

    def nll(self, answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) of each row, [...], in nats, for classes int64 [...]."""
        check_float("answers", answers, self.input_size)
        check_classes(target, answers.shape[:-1], self.output_size)
        found = self.softmax(answers.reshape(-1, self.input_size), target.flatten())
        losses: Tensor = -found.output
        return losses.reshape(target.shape)

    def log_probabilities(self, answers: Tensor) -> Tensor:
        """Return log p of every class, [..., V]."""
        check_float("answers", answers, self.input_size)
        rows: Tensor = self.softmax.log_prob(answers.reshape(-1, self.input_size))
        return rows.reshape(*answers.shape[:-1], self.output_size)

    def mode(self, answers: Tensor) -> Tensor:
        """Return the likeliest class of each row, int64 [...]."""
        check_float("answers", answers, self.input_size)
        found: Tensor = self.softmax.predict(answers.reshape(-1, self.input_size))
        return found.reshape(answers.shape[:-1])

    @torch.no_grad()
    def sample(
        self,
        answers: Tensor,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        top: int | None = None,
    ) -> Tensor:
        """Return a class for each row, int64 [...]; see :func:`gatelab.nn.sampling.draw`."""
        return draw(self.log_probabilities(answers), generator, temperature, top)
