"""A mixture of Gaussians, such as for the next samples of a waveform."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from gatelab.nn.border import check_float, check_positive, check_sizes, check_values
from gatelab.nn.heads.scale import FLOOR, log_scale
from gatelab.nn.sampling import draw


class GaussianMixture(nn.Module):
    """A mixture of K diagonal Gaussians over D outputs.

    p(y) = Σ_k π_k Π_d N(y_d; μ_kd, σ_kd²), with π the softmax of K logits and σ above ``floor``
    (:func:`gatelab.nn.heads.scale.log_scale`). Sums over components are taken of logarithms, so the loss and
    its derivatives are finite in float32 as long as a target is nearer than 10¹⁸ σ to some mean.

    Answers are [..., K (1 + 2 D)]: K logits, K · D means, K · D log-scales.

    Parameters
    ----------
    input_size
        Numbers in a row of the layer below.
    output_size
        Outputs, D; 10 samples in Chung et al. 2014.
    components
        Gaussians, K; 20 in Chung et al. 2014.
    floor
        The least σ.

    Examples
    --------
    >>> import torch
    >>> from gatelab.nn import GaussianMixture
    >>> head = GaussianMixture(46, 10)
    >>> answers = head(torch.ones(5, 46))
    >>> answers.shape, head.nll(answers, torch.ones(5, 10)).shape
    (torch.Size([5, 420]), torch.Size([5]))
    """

    def __init__(self, input_size: int, output_size: int, components: int = 20, floor: float = FLOOR) -> None:
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size, components=components)
        check_positive(floor=floor)
        self.output_size, self.components, self.floor = output_size, components, float(floor)
        self.affine = nn.Linear(input_size, components * (1 + 2 * output_size))

    def forward(self, hidden: Tensor) -> Tensor:
        """Return logits, means and log-scales [..., K (1 + 2 D)] for hidden [..., inputs]."""
        check_float("hidden", hidden, self.affine.in_features)
        return self.shaped(self.affine(hidden))

    def shaped(self, linear: Tensor) -> Tensor:
        """Return answers for what the affine map gave, [..., K (1 + 2 D)]."""
        kept, free = torch.split(linear, self._widths(), -1)
        return torch.cat((kept, log_scale(free, self.floor)), -1)

    def parts(self, answers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits [..., K], means [..., K, D] and log-scales [..., K, D] of answers."""
        before, width = self._widths()
        check_float("answers", answers, before + width)
        linear, logs = torch.split(answers, [before, width], -1)
        shape = (*answers.shape[:-1], self.components, self.output_size)
        means = linear[..., self.components :].reshape(shape)
        return linear[..., : self.components], means, logs.reshape(shape)

    def nll(self, answers: Tensor, target: Tensor) -> Tensor:
        """Return −log p(target), [...], in nats, for targets [..., D]."""
        logits, means, logs = self.parts(answers)
        check_values(target, *answers.shape[:-1], self.output_size)
        z = (target.unsqueeze(-2) - means) * torch.exp(-logs)
        each = -(0.5 * z.square() + logs).sum(-1) + functional.log_softmax(logits, -1)
        return 0.5 * self.output_size * math.log(2 * math.pi) - torch.logsumexp(each, -1)

    def mean(self, answers: Tensor) -> Tensor:
        """Return the mixture's means [..., D]."""
        logits, means, _ = self.parts(answers)
        return (torch.softmax(logits, -1).unsqueeze(-1) * means).sum(-2)

    @torch.no_grad()
    def sample(
        self, answers: Tensor, generator: torch.Generator | None = None, temperature: float = 1.0
    ) -> Tensor:
        """Return outputs [..., D]: a component from logits / T, then a Gaussian of scale σ √T."""
        logits, means, logs = self.parts(answers)
        chosen = draw(logits, generator, temperature)[..., None, None].expand_as(means[..., :1, :])
        mean, log = means.gather(-2, chosen).squeeze(-2), logs.gather(-2, chosen).squeeze(-2)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return mean + log.exp() * math.sqrt(temperature) * noise

    def _widths(self) -> list[int]:
        """Return how many answers are linear, and how many are log-scales."""
        count = self.components * self.output_size
        return [self.components + count, count]
