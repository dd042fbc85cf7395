"""Cross-entropy of rows of logits with its gradient, by the library."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import torch
from torch import Tensor

from gatelab.engine.choose import TYPES
from gatelab.engine.library import load
from gatelab.engine.pool import POOL

THREAD_WORK = 1 << 15  # logits that take some 20 µs; less is not worth waking a thread for


def can_run(logits: Tensor) -> bool:
    """Return whether the library can do it: on the CPU, in float32 and float64."""
    return logits.device.type == "cpu" and logits.dtype in TYPES


def cross_entropy(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of each row and softmax − onehot, for which the logits are read once.

    Parameters
    ----------
    logits
        [N, V]; V at least 1.
    target
        Classes, int64 [N], each 0 to V − 1: nobody looks at them once more.

    Returns
    -------
    losses
        [N], in nats.
    gradient
        [N, V], in the pool's memory, as fresh pages cost more than what is computed.

    Examples
    --------
    >>> losses, gradient = cross_entropy(torch.zeros(1, 4), torch.tensor([3]))
    >>> losses.exp().tolist(), gradient.tolist()
    ([4.0], [[0.25, 0.25, 0.25, -0.75]])
    """
    logits, target = logits.detach().resolve_neg().contiguous(), target.contiguous()
    rows, classes = logits.shape
    losses, gradient = logits.new_empty(rows), POOL.tensor((rows, classes), logits)
    threads = max(1, min(torch.get_num_threads(), logits.numel() // THREAD_WORK))
    _bound()(
        logits.data_ptr(), target.data_ptr(), losses.data_ptr(), gradient.data_ptr(),
        rows, classes, threads, int(logits.dtype is torch.float64),
    )  # fmt: skip
    return losses, gradient


@functools.cache
def _bound() -> Any:
    function = load().gatelab_cross_entropy
    function.restype = None
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    function.argtypes = [pointer, pointer, pointer, pointer, number, number, ctypes.c_int, ctypes.c_int]
    return function
