"""Independent Gaussian outputs, for forecasts of D values."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from gatelab.errors import ConfigError
from gatelab.nn.border import check_float, check_positive, check_sizes, check_values
from gatelab.nn.heads.scale import FLOOR, log_scale


class Gaussian(nn.Module):
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

    def __init__(self, input_size: int, output_size: int, floor: float = FLOOR) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        check_positive(floor=floor)
        self.output_size, self.floor = output_size, float(floor)
        self.affine = nn.Linear(input_size, 2 * output_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return means and log-scales [..., 2, D] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        return self.shaped(self.affine(hidden))

    def shaped(self, linear: Tensor) -> Tensor:
        """Return answers for what the affine map gave, [..., 2 · D]."""
        means, free = torch.unflatten(linear, -1, (2, self.output_size)).unbind(-2)
        return torch.stack((means, log_scale(free, self.floor)), -2)

    @staticmethod
    def nll(answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target) summed over the values, [...], in nats, for targets [..., D]."""
        means, logs = _parts(answers)
        check_values(target, *means.shape)
        z = (target - means) * torch.exp(-logs)
        return (0.5 * z.square() + logs + 0.5 * math.log(2 * math.pi)).sum(-1)

    @staticmethod
    def mean(answers: Tensor) -> Tensor:
        """Return the means [..., D], which are the modes, too."""
        return _parts(answers)[0]

    mode = mean

    @staticmethod
    def quantile(answers: Tensor, q: float) -> Tensor:
        """Return the values [..., D] below which a target lies with probability ``q``, 0 < q < 1."""
        means, logs = _parts(answers)
        if not 0 < q < 1:
            raise ConfigError(f"q: wanted a probability above 0 and below 1, got {q!r}")
        level = torch.tensor(q, dtype=torch.float64)
        return means + logs.exp() * float(torch.special.ndtri(level))

    @staticmethod
    @torch.no_grad()
    def sample(answers: Tensor, generator: torch.Generator | None = None, temperature: float = 1.0) -> Tensor:
        """Return values [..., D] drawn from the density to the power 1 / ``temperature``, of scale σ √T."""
        means, logs = _parts(answers)
        check_positive(temperature=temperature)
        noise = torch.randn(means.shape, generator=generator, device=means.device, dtype=means.dtype)
        return means + logs.exp() * math.sqrt(temperature) * noise


def _parts(answers: Tensor) -> tuple[Tensor, Tensor]:
    check_float("answers", answers, 2, "D")
    means, logs = answers.unbind(-2)
    return means, logs
