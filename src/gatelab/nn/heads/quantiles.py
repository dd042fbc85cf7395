"""Quantiles of D values, learned by the pinball loss, for forecasts without a family of distributions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.border import check_float, check_sizes, check_values

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


class Quantiles(nn.Module):
    """Quantiles of D values at fixed levels, which never cross.

    An affine map gives the lowest quantile and the distances from each to the next, through softplus; their
    running sums are the answers [..., Q, D]. The loss of a value y at level τ with quantile q is
    max(τ (y − q), (τ − 1)(y − q)) (Koenker and Bassett 1978).

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Values, D.
    levels
        The Q levels, rising, above 0 and below 1.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import Quantiles
    >>> head = Quantiles(32, 24, levels=(0.1, 0.5, 0.9))
    >>> answers = head(torch.ones(5, 32))
    >>> answers.shape, head.nll(answers, torch.ones(5, 24)).shape
    (torch.Size([5, 3, 24]), torch.Size([5]))
    """

    levels: Tensor

    def __init__(self, input_size: int, output_size: int, levels: Sequence[float] = LEVELS) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        chosen = _checked(levels)
        self.output_size = output_size
        self.affine = nn.Linear(input_size, len(chosen) * output_size)
        self.register_buffer("levels", torch.tensor(chosen), persistent=False)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return quantiles [..., Q, D], rising along Q, for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        return self.shaped(self.affine(hidden))

    def shaped(self, linear: Tensor) -> Tensor:
        """Return answers for what the affine map gave, [..., Q · D]."""
        free = torch.unflatten(linear, -1, (len(self.levels), self.output_size))
        steps = torch.cat((free[..., :1, :], functional.softplus(free[..., 1:, :])), -2)
        return steps.cumsum(-2)

    def nll(self, answers: Tensor, target: Tensor) -> Tensor:
        """Return the pinball loss, [...]: a mean over the levels, summed over the values of targets [..., D].

        It is no likelihood, but takes its place in training; twice this loss comes near the CRPS as levels
        get denser.
        """
        self._check(answers)
        check_values(target, *answers.shape[:-2], self.output_size)
        over = target.unsqueeze(-2) - answers
        level = self.levels.to(answers).unsqueeze(-1)
        return torch.maximum(level * over, (level - 1) * over).mean(-2).sum(-1)

    def quantile(self, answers: Tensor, q: float | Tensor) -> Tensor:
        """Return quantiles [..., D] at ``q``, a number or [..., D], straight lines between the levels.

        Raises
        ------
        ConfigError
            Where ``q`` lies outside the levels, of which the answers say nothing.
        """
        self._check(answers)
        shape = (*answers.shape[:-2], self.output_size)
        levels, wanted = self.levels.to(answers), torch.as_tensor(q, device=answers.device).to(answers.dtype)
        if wanted.dim() and wanted.shape != shape:
            raise ShapeError(f"q: wanted a number or {shape}, got {tuple(wanted.shape)}")
        if not bool(((wanted >= levels[0]) & (wanted <= levels[-1])).all()):
            low, high = float(self.levels[0]), float(self.levels[-1])
            raise ConfigError(f"q: wanted {low:g} to {high:g}, the outermost levels, got {q!r:.60}")
        if len(levels) == 1:
            return answers.squeeze(-2)
        right = torch.searchsorted(levels, wanted).clamp(1, len(levels) - 1)
        share = ((wanted - levels[right - 1]) / (levels[right] - levels[right - 1])).expand(shape)
        place = right.expand(shape).unsqueeze(-2)
        below, above = answers.gather(-2, place - 1).squeeze(-2), answers.gather(-2, place).squeeze(-2)
        return torch.lerp(below, above, share)

    def mean(self, answers: Tensor) -> Tensor:
        """Return the mean over the levels [..., D]: the mean of what is known of the distribution."""
        self._check(answers)
        return answers.mean(-2)

    @torch.no_grad()
    def sample(self, answers: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return values [..., D]; levels drawn outside the outermost ones give the outermost quantiles."""
        self._check(answers)
        shape = (*answers.shape[:-2], self.output_size)
        drawn = torch.rand(shape, generator=generator, device=answers.device, dtype=answers.dtype)
        levels = self.levels.to(answers)
        return self.quantile(answers, torch.clamp(drawn, levels[0], levels[-1]))

    def _check(self, answers: Tensor) -> None:
        check_float("answers", answers, len(self.levels), self.output_size)


def _checked(levels: Sequence[float]) -> tuple[float, ...]:
    chosen = tuple(float(level) for level in levels)
    rising = all(a < b for a, b in pairwise(chosen))
    if not chosen or not rising or not all(0 < level < 1 for level in chosen):
        raise ConfigError(f"levels: wanted rising numbers above 0 and below 1, got {tuple(levels)!r:.80}")
    return chosen
