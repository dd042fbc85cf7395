"""Drawing symbols from logits, for generation."""

from __future__ import annotations

import torch
from torch import Tensor

from gatelab.errors import ConfigError
from gatelab.nn.border import check_float, check_positive, check_sizes


def draw(
    logits: Tensor,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    top: int | None = None,
) -> Tensor:
    """Draw a class for each row of logits.

    A class k is drawn with a probability proportional to exp(logits[k] / temperature), by the largest of the
    logits after Gumbel noise was added, so that no sum over classes is needed.

    Parameters
    ----------
    logits
        [..., V]; −∞ for a class that must not be drawn.
    generator
        Where randomness comes from; torch's own where it is None.
    temperature
        Above 0; below 1 likely classes become likelier.
    top
        Draw among the ``top`` likeliest classes only; among all where it is None.

    Returns
    -------
    Tensor
        int64 [...].

    Raises
    ------
    ShapeError, ConfigError
        Where an argument does not fit.

    Examples
    --------
    >>> import torch
    >>> draw(torch.tensor([[0.0, 90.0, 1.0], [2.0, 1.0, 0.0]]), top=1).tolist()
    [1, 0]
    """
    check_float("logits", logits, "V")
    check_positive(temperature=temperature)
    if top is None:
        return _noisy(logits, generator, temperature).argmax(-1)
    check_sizes(top=top)
    if top > logits.shape[-1]:
        raise ConfigError(f"top: wanted at most V = {logits.shape[-1]} (classes), got {top}")
    values, classes = logits.topk(top, -1)
    chosen = _noisy(values, generator, temperature).argmax(-1, keepdim=True)
    return classes.gather(-1, chosen).squeeze(-1)


def _noisy(logits: Tensor, generator: torch.Generator | None, temperature: float) -> Tensor:
    """Add Gumbel noise, −log of an exponential variable, which is kept above 0."""
    noise = torch.empty_like(logits).exponential_(generator=generator)
    return logits / temperature - noise.clamp_min(torch.finfo(logits.dtype).tiny).log()
