"""Softmax whose normalisation is estimated from few classes in training, for large vocabularies."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.border import check_classes, check_float, check_sizes
from gatelab.nn.heads.entropy import cross_entropy
from gatelab.nn.sampling import draw


class SampledSoftmax(nn.Module):
    """One of V classes; in training the sum over all classes is estimated by importance sampling.

    With S classes s drawn from proposals q, shared by all rows, the loss of a row with logits x and target t
    is log(exp x_t + Σ_{s ≠ t} exp(x_s) / (S q_s)) − x_t. The sum in the logarithm is an unbiased estimate of
    the softmax's; the loss approaches the true one, on average from below, as S grows. In evaluation all
    classes are summed.

    Answers are the hidden rows themselves: which logits are computed depends on what is drawn.

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Classes, V.
    samples
        Classes drawn for each call, S.
    counts
        How often each class occurs, [V], none of them 0: proposals are proportional to them. Where it is None
        they are log-uniform, q_k = log((k + 2) / (k + 1)) / log(V + 1), which suits classes sorted by
        frequency, the most frequent first.

    Source: Bengio and Senécal 2008, Adaptive importance sampling to accelerate training of a neural
    probabilistic language model; Jean, Cho, Memisevic, Bengio 2015.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import SampledSoftmax
    >>> head = SampledSoftmax(32, 10_000, samples=50)
    >>> answers = head(torch.ones(3, 32))
    >>> head.nll(answers, torch.tensor([7, 130, 999])).shape
    torch.Size([3])
    >>> head.eval().log_probabilities(answers).shape
    torch.Size([3, 10000])
    """

    log_proposals: Tensor
    ends: Tensor

    def __init__(self, input_size: int, output_size: int, samples: int, counts: Tensor | None = None) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size, samples=samples)
        self.samples = samples
        self.affine = nn.Linear(input_size, output_size)
        proposals = _log_uniform(output_size) if counts is None else _unigram(counts, output_size)
        self.register_buffer("log_proposals", proposals.log(), persistent=False)  # float64 [V]
        self.register_buffer("ends", proposals.cumsum(0), persistent=False)  # float64 [V]

    def forward(self, hidden: Tensor) -> Tensor:
        """Return hidden [..., inputs] as it is, checked."""
        check_float("hidden", hidden, self.affine.in_features)
        return hidden

    def nll(self, answers: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return −log p(target) of each row, [...], in nats; in training an estimate of it."""
        check_float("answers", answers, self.affine.in_features)
        check_classes(target, answers.shape[:-1], self.affine.out_features)
        rows, classes = answers.reshape(-1, self.affine.in_features), target.flatten()
        logits = self._drawn(rows, classes, generator) if self.training else self.affine(rows)
        wanted = torch.zeros_like(classes) if self.training else classes
        return cross_entropy(logits, wanted).reshape(target.shape)

    def propose(self, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``samples`` classes from the proposals, with replacement, int64 [S]."""
        ends = self.ends
        drawn = torch.rand(self.samples, generator=generator, device=ends.device, dtype=ends.dtype)
        return torch.searchsorted(ends, drawn * ends[-1], right=True).clamp_max(len(ends) - 1)

    def log_probabilities(self, answers: Tensor) -> Tensor:
        """Return log p of every class, [..., V]."""
        check_float("answers", answers, self.affine.in_features)
        return functional.log_softmax(self.affine(answers), -1)

    def mode(self, answers: Tensor) -> Tensor:
        """Return the likeliest class of each row, int64 [...]."""
        check_float("answers", answers, self.affine.in_features)
        found: Tensor = self.affine(answers).argmax(-1)
        return found

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

    def _drawn(self, rows: Tensor, classes: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return logits [N, 1 + S]: the target's, then those drawn less log(S q), −∞ for the target."""
        weight, bias = self.affine.weight, self.affine.bias
        drawn = self.propose(generator)
        own = (rows * weight.index_select(0, classes)).sum(-1) + bias.index_select(0, classes)
        others = functional.linear(rows, weight.index_select(0, drawn), bias.index_select(0, drawn))
        expected = self.log_proposals.index_select(0, drawn) + math.log(self.samples)
        others = others - expected.to(others.dtype)
        others = others.masked_fill(drawn == classes.unsqueeze(-1), -math.inf)
        return torch.cat((own.unsqueeze(-1), others), -1)


def _log_uniform(classes: int) -> Tensor:
    places = torch.arange(classes, dtype=torch.float64)
    return torch.log1p(1 / (places + 1)) / math.log(classes + 1)


def _unigram(counts: Tensor, classes: int) -> Tensor:
    if not isinstance(counts, Tensor) or tuple(counts.shape) != (classes,):
        came = tuple(counts.shape) if isinstance(counts, Tensor) else type(counts).__name__
        raise ShapeError(f"counts: wanted a tensor [V] = ({classes},), got {came}")
    found = counts.detach().to("cpu", torch.float64)
    if not bool(((found > 0) & found.isfinite()).all()):
        raise ConfigError(
            "counts: wanted finite numbers above 0; a class that is never drawn cannot be unlearned"
        )
    return found / found.sum()
