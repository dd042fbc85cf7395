"""What heads and decoders check before they compute: sizes, rows, answers and targets."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gatelab.errors import ConfigError, ShapeError

MOST = 2**31  # sizes are held in 32 bits


def check_sizes(least: int = 1, **sizes: int) -> None:
    """Refuse sizes that are not whole numbers from ``least`` on.

    Raises
    ------
    ConfigError
        Naming the size.

    Examples
    --------
    >>> check_sizes(input_size=3)
    """
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < MOST:
            raise ConfigError(
                f"{name}: wanted a whole number of at least {least} and below {MOST:,}, got {value!r}"
            )


def check_positive(**values: float) -> None:
    """Refuse numbers that are not finite and above 0, with a ConfigError."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise ConfigError(f"{name}: wanted a finite number above 0, got {value!r}")


def check_float(name: str, tensor: Tensor, *tail: int | str) -> None:
    """Refuse what is not a tensor of floating-point numbers [..., *tail]; a name stands for any size.

    Raises
    ------
    ShapeError
        Saying what was wanted and what came.
    """
    wanted = "[" + ", ".join(["...", *map(str, tail)]) + "]"
    if not isinstance(tensor, Tensor):
        raise ShapeError(f"{name}: wanted a tensor {wanted}, got {type(tensor).__name__}")
    if not tensor.is_floating_point():
        raise ShapeError(f"{name}: wanted floating-point numbers, got {tensor.dtype}; try .float()")
    ends = tensor.shape[tensor.dim() - len(tail) :]
    fits = tensor.dim() >= len(tail) and all(
        size > 0 if isinstance(want, str) else size == want for want, size in zip(tail, ends, strict=True)
    )
    if not fits:
        raise ShapeError(f"{name}: wanted {wanted}, got {tuple(tensor.shape)}")


def check_values(target: Tensor, *shape: int) -> None:
    """Refuse targets that are not floating-point numbers of exactly this shape, with a ShapeError."""
    check_float("target", target)
    if tuple(target.shape) != shape:
        raise ShapeError(f"target: wanted {shape}, as the answers have it, got {tuple(target.shape)}")


def check_classes(target: Tensor, rows: torch.Size, classes: int) -> None:
    """Refuse targets that are not a class 0 to ``classes`` − 1 for each row, int64.

    Raises
    ------
    ShapeError
        Naming the first class that does not exist.
    """
    if not isinstance(target, Tensor) or target.dtype != torch.int64:
        came = target.dtype if isinstance(target, Tensor) else type(target).__name__
        raise ShapeError(f"target: wanted classes as torch.int64, got {came}; try .long()")
    if target.shape != rows:
        raise ShapeError(f"target: wanted a class a row, {tuple(rows)}, got {tuple(target.shape)}")
    if target.numel():
        low, high = (int(end) for end in torch.aminmax(target))
        if low < 0 or high >= classes:
            raise ShapeError(
                f"target: wanted classes 0 to {classes - 1}, got {low if low < 0 else high}; "
                "leave rows of padding out, or give them a weight of 0"
            )
