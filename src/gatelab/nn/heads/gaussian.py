"""Independent Gaussian outputs, for forecasts of D values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gatelab.errors import ConfigError
from gatelab.nn.border import check_positive, check_values
from gatelab.nn.heads.scale import LocationScale


class Gaussian(LocationScale):
    """D independent Gaussians: an affine map to D means and D log-scales, these above log(floor).

    Answers are [..., 2, D]: means, then log σ, as :func:`gatelab.nn.heads.scale.log_scale` bends it.

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
    >>> from gatelab.nn import Gaussian
    >>> head = Gaussian(32, 24)
    >>> answers = head(torch.ones(5, 32))
    >>> head.nll(answers, torch.ones(5, 24)).shape, head.quantile(answers, 0.9).shape
    (torch.Size([5]), torch.Size([5, 24]))
    """

    rows = 2

    @staticmethod
    def nll(answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the values, [...], in nats, for targets [..., D]."""
        means, logs = Gaussian.parts(answers)
        check_values(target, *means.shape)
        z = (target - means) * torch.exp(-logs)
        return (0.5 * z.square() + logs + 0.5 * math.log(2 * math.pi)).sum(-1)

    @staticmethod
    def quantile(answers: Tensor, q: float) -> Tensor:
        """Return the values [..., D] below which a target lies with probability ``q``, 0 < q < 1."""
        means, logs = Gaussian.parts(answers)
        if not 0 < q < 1:
            raise ConfigError(f"q: wanted a probability above 0 and below 1, got {q!r}")
        level = torch.tensor(q, dtype=torch.float64)
        return means + logs.exp() * float(torch.special.ndtri(level))

    @staticmethod
    @torch.no_grad()
    def sample(answers: Tensor, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Return values [..., D] drawn from the density to the power 1 / ``temperature``, of scale σ √T."""
        means, logs = Gaussian.parts(answers)
        check_positive(temperature=temperature)
        noise = torch.randn(means.shape, generator=generator, device=means.device, dtype=means.dtype)
        return means + logs.exp() * math.sqrt(temperature) * noise
