"""Independent outputs with Student's t distribution, for forecasts whose errors have heavy tails."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.border import check_float, check_positive, check_sizes, check_values
from gatelab.nn.heads.scale import FLOOR, log_scale

LEAST = 2.01
"""Degrees of freedom are above this, so that every variance is finite."""


class StudentT(nn.Module):
    """D independent Student's t distributions, whose degrees of freedom are learned.

    Answers are [..., 3, D]: locations μ, log-scales log σ above log(floor), and degrees of freedom
    ν = 2.01 + softplus(free).

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Values, D.
    floor
        The least σ.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import StudentT
    >>> head = StudentT(32, 24)
    >>> head.nll(head(torch.ones(5, 32)), torch.ones(5, 24)).shape
    torch.Size([5])
    """

    def __init__(self, input_size: int, output_size: int, floor: float = FLOOR) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        check_positive(floor=floor)
        self.output_size, self.floor = output_size, float(floor)
        self.affine = nn.Linear(input_size, 3 * output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return locations, log-scales and degrees of freedom [..., 3, D] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        return self.shaped(self.affine(hidden))

    def shaped(self, linear: Tensor) -> Tensor:
        """Return answers for what the affine map gave, [..., 3 · D]."""
        places, free, tails = torch.unflatten(linear, -1, (3, self.output_size)).unbind(-2)
        return torch.stack((places, log_scale(free, self.floor), LEAST + functional.softplus(tails)), -2)

    @staticmethod
    def nll(answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the values, [...], in nats, for targets [..., D]."""
        places, logs, freedom = _parts(answers)
        check_values(target, *places.shape)
        z = (target - places) * torch.exp(-logs)
        spread = 0.5 * (freedom + 1) * torch.log1p(z.square() / freedom)
        return (spread + logs + _normaliser(freedom)).sum(-1)

    @staticmethod
    def mean(answers: Tensor) -> Tensor:
        """Return the locations [..., D], which are means, medians and modes."""
        return _parts(answers)[0]

    mode = mean

    @staticmethod
    def quantile(answers: Tensor, q: float | Tensor) -> Tensor:
        """Return the values [..., D] below which a target lies with probability ``q``, 0 < q < 1.

        ``q`` is a number or [..., D]. The inverse distribution function is SciPy's: there is no derivative.
        """
        from scipy.special import stdtrit  # late: SciPy takes its time to load

        places, logs, freedom = (part.detach() for part in _parts(answers))
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
        shape = _parts(answers)[0].shape
        level = torch.rand(shape, generator=generator, dtype=torch.float64)
        return StudentT.quantile(answers, level.clamp(2**-54, 1 - 2**-53))


def _parts(answers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    check_float("answers", answers, 3, "D")
    places, logs, freedom = answers.unbind(-2)
    return places, logs, freedom


def _normaliser(freedom: Tensor) -> Tensor:
    """Return log B(½, ν/2) + ½ log ν; in float64, as the two log-gammas grow like ν log ν and cancel."""
    half = 0.5 * freedom.double()
    value = torch.lgamma(half) - torch.lgamma(half + 0.5) + 0.5 * torch.log(2 * half * math.pi)
    return value.to(freedom.dtype)
