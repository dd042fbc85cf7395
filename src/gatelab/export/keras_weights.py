"""Layers from the weights of Keras' LSTM, GRU and SimpleRNN.

Keras keeps a layer as ``kernel`` [I, gates · H], ``recurrent_kernel`` [H, gates · H] and ``bias``, with the
gates i, f, c, o of an LSTM and z, r, h of a GRU side by side. A GRU's bias is [2, 3 · H] where the reset gate
acts after the recurrent product (``reset_after=True``), else [3 · H]; its z keeps the old state.
Source: https://keras.io/api/layers/recurrent_layers/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gatelab.errors import ConfigError, DataError, ShapeError
from gatelab.export.torch_weights import Source, below, fill, tensor_at, tensors_of
from gatelab.nn.native import GRU, LSTM, RNN
from gatelab.nn.recurrent import Recurrent
from gatelab.nn.stack import Stack, suffixes


def from_keras(
    source: Source,
    layers: Sequence[str | tuple[str, str]] = ("",),
    *,
    reset_after: bool | None = None,
    activation: str = "tanh",
    batch_first: bool = True,
) -> Stack:
    """Return layers with the weights of Keras' LSTM, GRU or SimpleRNN.

    Activations are Keras' own, tanh and the logistic sigmoid. A GRU with ``reset_after=False`` becomes
    ``Recurrent("gru")``, all else an LSTM, GRU or RNN of ``gatelab.nn``.

    Parameters
    ----------
    source
        Tensors by name, or a ``.npz`` or ``.safetensors`` file with them, such as
        ``numpy.savez(path, **dict(zip(["kernel", "recurrent_kernel", "bias"], layer.get_weights())))``.
    layers
        What stands before ``kernel`` in the names of each layer, the lowest first: ``["lstm/", "lstm_1/"]``.
        A pair is a ``Bidirectional`` layer's forward and backward one, whose outputs are joined.
    reset_after
        Of a GRU without bias, which does not tell; for others it is read off the bias.
    activation
        Of a SimpleRNN: ``"tanh"`` or ``"relu"``.
    batch_first
        Whether input and output are [B, T, …], as in Keras.

    Raises
    ------
    DataError, ShapeError
        Where a tensor is missing or does not fit, by its name.
    ConfigError
        Where ``layers`` are of one and of two directions, or ``reset_after`` has to be said.

    Examples
    --------
    >>> import torch
    >>> from gatelab.export import from_keras
    >>> weights = {"kernel": torch.ones(3, 8), "recurrent_kernel": torch.ones(2, 8), "bias": torch.ones(8)}
    >>> from_keras(weights)
    LSTM(lstm-np, 3, 2, batch_first=True)
    """
    pairs = [(one,) if isinstance(one, str) else tuple(one) for one in layers]
    if not pairs or {len(p) for p in pairs} not in ({1}, {2}):
        raise ConfigError(f"layers: wanted a prefix for each layer, or a pair for each; got {layers!r:.80}")
    tensors = tensors_of(source)
    parts = [_part(tensors, prefix) for pair in pairs for prefix in pair]
    first = _same_kind(parts, len(pairs[0]))
    before = first.gates == 3 and not _is_after(first, reset_after)
    options: dict[str, Any] = {
        "bidirectional": len(pairs[0]) == 2,
        "batch_first": batch_first,
        "dtype": first.kernel.dtype,
    }
    if not before:
        options["bias"] = first.bias is not None
    if first.gates == 1:
        options["nonlinearity"] = activation
    made = Recurrent if before else {4: LSTM, 3: GRU, 1: RNN}[first.gates]
    sizes = first.kernel.shape[0], first.hidden, len(pairs)
    layer: Stack = made("gru", *sizes, **options) if before else made(*sizes, **options)
    named: dict[str, Tensor] = {}
    for part, (_, _, ending) in zip(parts, suffixes(sizes[2], options["bidirectional"]), strict=True):
        found = _reset_before(part) if before else _as_torch(part)
        named |= {key + ending: value for key, value in found.items()}
    fill(layer, named)
    return layer


@dataclass(frozen=True)
class _Part:
    """One direction of a layer, as Keras keeps it."""

    prefix: str
    kernel: Tensor  # [I, gates · H]
    recurrent: Tensor  # [H, gates · H]
    bias: Tensor | None  # [gates · H], or [2, gates · H] with reset_after

    @property
    def hidden(self) -> int:
        return self.recurrent.shape[0]

    @property
    def gates(self) -> int:
        return self.recurrent.shape[1] // self.hidden

    @property
    def kind(self) -> tuple[int, int, int | None, torch.dtype]:
        """What all parts of a stack share."""
        return self.hidden, self.gates, None if self.bias is None else self.bias.dim(), self.kernel.dtype


def _part(tensors: Mapping[str, Tensor], prefix: str) -> _Part:
    """Return one direction of a layer, its shapes checked."""
    found = below(tensors, prefix)
    kernel, recurrent = (tensor_at(found, prefix, key) for key in ("kernel", "recurrent_kernel"))
    bias = tensor_at(found, prefix, "bias") if "bias" in found else None
    if more := [f"{prefix}{k}" for k in found if k not in ("kernel", "recurrent_kernel", "bias")]:
        raise DataError(f"{more[0]} belongs to no layer of Keras; leave it out, or name the layers' prefixes")
    if (
        recurrent.dim() != 2
        or 0 in recurrent.shape
        or recurrent.shape[1] not in [gates * recurrent.shape[0] for gates in (4, 3, 1)]
    ):
        raise ShapeError(
            f"{prefix}recurrent_kernel: wanted [H, 4 · H] (LSTM), [H, 3 · H] (GRU) or [H, H] (SimpleRNN), "
            f"got {list(recurrent.shape)}"
        )
    columns = recurrent.shape[1]
    if kernel.dim() != 2 or kernel.shape[0] == 0 or kernel.shape[1] != columns:
        raise ShapeError(f"{prefix}kernel: wanted [I, {columns}], got {list(kernel.shape)}")
    part = _Part(prefix, kernel, recurrent, bias)
    if bias is not None and list(bias.shape) not in [[columns], *([[2, columns]] if part.gates == 3 else [])]:
        also = f" or [2, {columns}]" if part.gates == 3 else ""
        raise ShapeError(f"{prefix}bias: wanted [{columns}]{also}, got {list(bias.shape)}")
    for key, tensor in (("recurrent_kernel", recurrent), ("bias", bias)):
        if tensor is not None and tensor.dtype != kernel.dtype:
            raise ShapeError(
                f"{prefix}{key}: wanted {kernel.dtype}, as the kernel has it, got {tensor.dtype}"
            )
    return part


def _same_kind(parts: Sequence[_Part], directions: int) -> _Part:
    """Return the first part; refuse others that do not stand on it."""
    first = parts[0]
    for place, part in enumerate(parts):
        if part.kind != first.kind:
            raise ShapeError(
                f"{part.prefix}recurrent_kernel: wanted H, gates, bias and type of the first layer "
                f"({first.kind}), got {part.kind}; load layers of different kinds one by one"
            )
        wanted = first.kernel.shape[0] if place < directions else directions * first.hidden
        if part.kernel.shape[0] != wanted:
            raise ShapeError(
                f"{part.prefix}kernel: wanted {wanted} rows, the outputs below, got {part.kernel.shape[0]}"
            )
    return first


def _is_after(part: _Part, said: bool | None) -> bool:
    """Return whether a GRU resets after the product."""
    if part.bias is None:
        if said is None:
            raise ConfigError(
                "a GRU without bias does not tell where it resets; say reset_after=True or False"
            )
        return said
    after = part.bias.dim() == 2
    if said is not None and said != after:
        raise ConfigError(f"reset_after={said} was said, and {part.prefix}bias is one of reset_after={after}")
    return after


def _columns(tensor: Tensor, order: Sequence[int], count: int) -> Tensor:
    """Return the gates of the last axis in another order."""
    gates = tensor.chunk(count, dim=-1)
    return torch.cat([gates[k] for k in order], dim=-1)


def _as_torch(part: _Part) -> dict[str, Tensor]:
    """Return the weights as torch.nn lays them: a GRU's gates are r, z, n there."""
    order = (1, 0, 2) if part.gates == 3 else tuple(range(part.gates))
    found = {
        "weight_ih": _columns(part.kernel, order, part.gates).T,
        "weight_hh": _columns(part.recurrent, order, part.gates).T,
    }
    if part.bias is None:
        return found
    rows = _columns(part.bias, order, part.gates)
    first, second = (rows[0], rows[1]) if rows.dim() == 2 else (rows, torch.zeros_like(rows))
    return found | {"bias_ih": first, "bias_hh": second}


def _reset_before(part: _Part) -> dict[str, Tensor]:
    """Return the weights of ``gru``, whose z lets the new state in: σ(−v) = 1 − σ(v)."""
    bias = part.recurrent.new_zeros(part.recurrent.shape[1]) if part.bias is None else part.bias
    found: dict[str, Tensor] = {}
    parts = (t.chunk(part.gates, dim=-1) for t in (part.kernel, part.recurrent, bias))
    for gate, w, u, b in zip("zrh", *parts, strict=True):
        sign = -1 if gate == "z" else 1
        found |= {f"W_{gate}": sign * w.T, f"U_{gate}": sign * u.T, f"b_{gate}": sign * b}
    return found
