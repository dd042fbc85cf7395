"""Layers from the weights of torch.nn's LSTM, GRU and RNN."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from gatelab.errors import ConfigError, DataError, ShapeError, near_misses
from gatelab.export.tensor_files import read_tensors
from gatelab.nn.native import GRU, LSTM, RNN
from gatelab.nn.stack import Stack

Source = Mapping[str, Tensor] | str | os.PathLike[str]


def from_torch(
    source: Source, *, prefix: str = "", nonlinearity: str = "tanh", batch_first: bool = False
) -> LSTM | GRU | RNN:
    """Return a layer with the weights of a ``torch.nn.LSTM``, ``GRU`` or ``RNN``.

    Kind, sizes, layers, directions and biases are read off the tensors.

    Parameters
    ----------
    source
        A ``state_dict``, or a ``.safetensors`` or ``.npz`` file with its tensors.
    prefix
        What stands before the names, such as ``"encoder.lstm."`` in the ``state_dict`` of a larger model;
        tensors with other prefixes are another part's.
    nonlinearity
        Of an RNN, whose weights do not tell: ``"tanh"`` or ``"relu"``.
    batch_first
        As in ``torch.nn.LSTM``.

    Raises
    ------
    DataError
        Where a tensor is missing, one too many, not finite, or the file is damaged.
    ShapeError
        Where a tensor does not fit the others, by its name.

    Examples
    --------
    >>> import torch
    >>> from gatelab.export import from_torch
    >>> from_torch(torch.nn.GRU(8, 16, num_layers=2, bidirectional=True).state_dict())
    GRU(gru-after, 8, 16, num_layers=2, bidirectional=True)
    """
    found = below(tensors_of(source), prefix)
    first, hidden = _matrix(found, prefix, "weight_ih_l0"), _matrix(found, prefix, "weight_hh_l0").shape[1]
    layers = 1 + max(int(m[1]) for k in found if (m := re.fullmatch(r"weight_ih_l(\d{1,4})", k)))
    kind = {4: LSTM, 3: GRU, 1: RNN}.get(first.shape[0] // hidden if first.shape[0] % hidden == 0 else 0)
    if kind is None:
        raise ShapeError(
            f"{prefix}weight_ih_l0: wanted 4, 3 or 1 times H = {hidden} rows (LSTM, GRU or RNN), "
            f"got {first.shape[0]}"
        )
    layer: LSTM | GRU | RNN = kind(
        first.shape[1], hidden, layers, bias="bias_ih_l0" in found, batch_first=batch_first,
        bidirectional="weight_ih_l0_reverse" in found, dtype=first.dtype,
        **({"nonlinearity": nonlinearity} if kind is RNN else {}),
    )  # fmt: skip
    fill(layer, found, prefix)
    return layer


def tensors_of(source: Source) -> dict[str, Tensor]:
    """Return the tensors of a mapping or of a file."""
    if isinstance(source, str | os.PathLike):
        return read_tensors(Path(source))
    if not isinstance(source, Mapping):
        raise ConfigError(f"wanted a state_dict or the path of a file, got {type(source).__name__}")
    for key, value in source.items():
        if not isinstance(value, Tensor):
            raise DataError(f"{key}: wanted a tensor, got {type(value).__name__}")
    return dict(source)


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors with this prefix, without it."""
    found = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    if not found:
        raise DataError(f"no tensor begins with {prefix!r}; there are {_listed(tensors)}")
    return found


def fill(layer: Stack, tensors: Mapping[str, Tensor], prefix: str = "") -> None:
    """Copy tensors into a layer's parameters of the same names; every one of both has to fit.

    Raises
    ------
    DataError, ShapeError
        As in :func:`from_torch`.
    """
    own = dict(layer.named_parameters())
    for key, parameter in own.items():
        came = tensor_at(tensors, prefix, key)
        if came.shape != parameter.shape or came.dtype != parameter.dtype:
            raise ShapeError(
                f"{prefix}{key}: wanted {list(parameter.shape)} of {parameter.dtype}, as the others ask for, "
                f"got {list(came.shape)} of {came.dtype}"
            )
    if more := [f"{prefix}{k}" for k in tensors if k not in own]:
        raise DataError(
            f"{_listed(more)} belong to no {type(layer).__name__}; leave them out, or name a prefix"
        )
    with torch.no_grad():
        for key, parameter in own.items():
            parameter.copy_(tensors[key])


def tensor_at(tensors: Mapping[str, Tensor], prefix: str, key: str) -> Tensor:
    """Return a tensor of finite floating-point numbers; refuse what is missing or is none."""
    if key not in tensors:
        raise DataError(f"{prefix}{key} is missing{near_misses(key, tensors)}; there are {_listed(tensors)}")
    found = tensors[key]
    if not found.is_floating_point() or not bool(torch.isfinite(found).all()):
        raise DataError(f"{prefix}{key}: wanted finite floating-point numbers, got others, {found.dtype}")
    return found


def _matrix(tensors: Mapping[str, Tensor], prefix: str, key: str) -> Tensor:
    found = tensor_at(tensors, prefix, key)
    if found.dim() != 2 or 0 in found.shape:
        raise ShapeError(f"{prefix}{key}: wanted a matrix, got {list(found.shape)}")
    return found


def _listed(names: Mapping[str, Tensor] | list[str]) -> str:
    """Return the first few names."""
    known = list(names)
    return ", ".join(known[:6]) + (f" and {len(known) - 6} more" if len(known) > 6 else "") or "none"
