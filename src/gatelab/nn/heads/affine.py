"""The affine map inside a head."""

from __future__ import annotations

from torch import nn

from gatelab.errors import ConfigError, ShapeError


def affine_of(head: nn.Module, input_size: int) -> nn.Linear:
    """Return the affine map that a head is, or that is all it does to a layer's output.

    Raises
    ------
    ConfigError, ShapeError
        Where the head is something else, or reads another number of inputs than ``input_size``.
    """
    found = getattr(head, "affine", head)
    if not isinstance(found, nn.Linear):
        raise ConfigError(f"head: wanted torch.nn.Linear or a head of gatelab.nn, got {type(head).__name__}")
    if found.in_features != input_size:
        raise ShapeError(
            f"head: wanted {input_size} inputs, the layer's outputs, got one of {found.in_features}"
        )
    return found
