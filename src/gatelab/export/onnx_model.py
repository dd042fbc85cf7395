"""ONNX models and files of layers of any cell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from gatelab.errors import ConfigError, ShapeError
from gatelab.export.network import Network
from gatelab.export.recognise import recognise
from gatelab.nn.heads.affine import affine_of
from gatelab.nn.stack import Stack
from gatelab.whole import write_whole

if TYPE_CHECKING:
    from onnx import ModelProto

LARGEST = (1 << 31) - (1 << 20)  # bytes: a protobuf message ends at 2 GiB
TYPES: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
}


def onnx_model(
    module: Stack,
    *,
    head: nn.Module | None = None,
    states: bool = False,
    lengths: bool = False,
    native: bool = True,
) -> ModelProto:
    """Return a network as an ONNX model, opset 17, checked by ``onnx.checker``.

    Time and batch axes are dynamic. Masks and dropout are what they are without training. A cell that is
    ONNX's own LSTM, GRU or RNN (told by its equations, :func:`recognise`) becomes that operator, any other
    one a ``Scan``. The metadata holds the cell as data (``gatelab.cell``, which
    ``gatelab.graph.data.from_data`` reads back), its name, its source and gatelab's version.

    Parameters
    ----------
    module
        :class:`gatelab.Recurrent`, or an LSTM, GRU or RNN of ``gatelab.nn``; float32 or float64.
    head
        An affine map of the output: ``torch.nn.Linear`` or :class:`gatelab.nn.Bernoulli`.
    states
        Whether the states before the first step are inputs; they are zeros otherwise.
    lengths
        Whether the length of each sequence is an input; all steps count otherwise.
    native
        Whether ONNX's own operators are used. In float64 they never are: onnxruntime has them for float32
        only.

    Returns
    -------
    onnx.ModelProto
        Inputs: ``input`` [T, B, I] ([B, T, I] where the module is ``batch_first``); with ``states``
        ``initial_STATE`` [L · directions, B, width] for each state, such as ``initial_h``; with ``lengths``
        ``lengths`` int64 [B]. Outputs: ``output`` [T, B, directions · H], ``final_STATE``, and with a head
        ``head`` [T, B, outputs]. Beyond a sequence's end ``output`` is 0, and ``head`` its bias.

    Raises
    ------
    ConfigError, ShapeError
        Where the module is none of gatelab's or of another type, the head does not fit, the weights are more
        than a file of ONNX holds, or the library onnx is missing.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.export import onnx_model
    >>> model = onnx_model(gatelab.Recurrent("gru", 3, 8, bidirectional=True), states=True)
    >>> [i.name for i in model.graph.input], [o.name for o in model.graph.output]
    (['input', 'initial_h'], ['output', 'final_h'])
    """
    affine = _checked(module, head)
    kind = TYPES[module._weight().dtype]
    operator = recognise(module.still) if native and kind == np.float32 else None
    return Network(module, operator, kind, states, lengths).model(affine)


def export_onnx(
    module: Stack,
    path: str | os.PathLike[str],
    *,
    head: nn.Module | None = None,
    states: bool = False,
    lengths: bool = False,
    native: bool = True,
) -> Path:
    """Write a network as an ONNX file, whole or not at all; see :func:`onnx_model`.

    Returns
    -------
    Path
        Of the file.

    Raises
    ------
    ConfigError
        Where the file cannot be written; what stood there before is untouched.
    """
    return write_onnx(onnx_model(module, head=head, states=states, lengths=lengths, native=native), path)


def write_onnx(model: ModelProto, path: str | os.PathLike[str]) -> Path:
    """Write a model as a file, whole or not at all; return its path.

    Raises
    ------
    ConfigError
        Where the file cannot be written; what stood there before is untouched.
    """
    target = Path(path)
    try:
        write_whole(target, model.SerializeToString())
    except OSError as error:
        raise ConfigError(f"cannot write {target}: {error.strerror}; try another folder") from None
    return target


def check_stack(module: Stack, beside: Sequence[Tensor] = ()) -> None:
    """Refuse layers that no ONNX file can hold, together with the weights beside them.

    Raises
    ------
    ConfigError
        As in :func:`onnx_model`.
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"ONNX models want the library onnx ({error}); pip install gatelab[onnx]") from None
    if not isinstance(module, Stack):
        raise ConfigError(f"wanted a layer of gatelab, such as Recurrent; got {type(module).__name__}")
    kind = module._weight().dtype
    if kind not in TYPES:
        raise ConfigError(f"ONNX: wanted weights in float32 or float64, got {kind}; try .float()")
    size = sum(p.numel() * p.element_size() for p in (*module.parameters(), *beside))
    if size > LARGEST:
        raise ConfigError(f"ONNX: wanted weights of less than 2 GiB, which a file holds, got {size:,} bytes")


def _checked(module: Stack, head: nn.Module | None) -> nn.Linear | None:
    check_stack(module, [] if head is None else list(head.parameters()))
    kind = module._weight().dtype
    affine = None if head is None else affine_of(head, module.num_directions * module.hidden_size)
    if affine is not None and affine.weight.dtype != kind:
        raise ShapeError(f"head: wanted {kind}, as the layers have it, got {affine.weight.dtype}")
    return affine
