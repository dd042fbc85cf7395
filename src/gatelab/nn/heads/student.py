"""Independent outputs with Student's t distribution, for forecasts whose errors have heavy tails."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.border import check_values
from gatelab.nn.heads.scale import LocationScale

LEAST = 2.01
"""Degrees of freedom are above this, so that every variance is finite."""


class StudentT(LocationScale):
    """D independent Student's t distributions, whose degrees of freedom are learned.

    Answers are [..., 3, D]: locations μ, log-scales log σ above log(floor), and degrees of freedom
    ν = 2.01 + softplus(free).

    Parameters are those of :class:`gatelab.nn.Gaussian`.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import StudentT
    >>> head = StudentT(32, 24)
    >>> head.nll(head(torch.ones(5, 32)), torch.ones(5, 24)).shape
    torch.Size([5])
    """

    rows = 3

    def other(self, free: Tensor) -> Tensor:
        """Return the degrees of freedom for what the affine map gave."""
        return LEAST + functional.softplus(free)

    @staticmethod
    def nll(answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the values, [...], in nats, for targets [..., D]."""
        places, logs, freedom = StudentT.parts(answers)
        check_values(target, *places.shape)
        z = (target - places) * torch.exp(-logs)
        spread = 0.5 * (freedom + 1) * torch.log1p(z.square() / freedom)
        return (spread + logs + _normaliser(freedom)).sum(-1)

    @staticmethod
    def quantile(answers: Tensor, q: float | Tensor) -> Tensor:
        """Return the values [..., D] below which a target lies with probability ``q``, 0 < q < 1.

        ``q`` is a number or [..., D]. The inverse distribution function is SciPy's: there is no derivative.
        """
        from scipy.special import stdtrit  # late: SciPy takes its time to load

        places, logs, freedom = (part.detach() for part in StudentT.parts(answers))
        level = torch.as_tensor(q, dtype=torch.float64, device="cpu")
        if not bool(((level > 0) & (level < 1)).all()):
            raise ConfigError(f"q: wanted probabilities above 0 and below 1, got {q!r:.60}")
        if level.dim() and level.shape != places.shape:
            raise ShapeError(f"q: wanted a number or {tuple(places.shape)}, got {tuple(level.shape)}")
        found = torch.as_tensor(stdtrit(freedom.cpu().double().numpy(), level.numpy()))
        return places + logs.exp() * found.to(places)

    @staticmethod
    @torch.no_grad()
    def sample(answers: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return values [..., D], drawn by the inverse distribution function; a generator of the CPU."""
        shape = StudentT.parts(answers)[0].shape
        level = torch.rand(shape, generator=generator, dtype=torch.float64)
        return StudentT.quantile(answers, level.clamp(2**-54, 1 - 2**-53))


def _normaliser(freedom: Tensor) -> Tensor:
    """Return log B(½, ν/2) + ½ log ν; in float64, as the two log-gammas grow like ν log ν and cancel."""
    half = 0.5 * freedom.double()
    value = torch.lgamma(half) - torch.lgamma(half + 0.5) + 0.5 * torch.log(2 * half * math.pi)
    return value.to(freedom.dtype)
