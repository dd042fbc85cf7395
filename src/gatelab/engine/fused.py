"""The tile machine as one differentiable function."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor

from gatelab.engine import cpu
from gatelab.engine.autograd import differentiated, traced
from gatelab.engine.choose import TYPES
from gatelab.engine.reference import Sizes
from gatelab.engine.rows import Rows
from gatelab.errors import EngineWarning
from gatelab.graph.cell import Cell


class TileFunction(torch.autograd.Function):
    """A cell over a batch of rows: (x, *states, *weights, *masks) → (*outputs, *last states).

    The batch holds the same tensors by their names.
    """

    @staticmethod
    def forward(ctx: Any, batch: cpu.Batch, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        """Run the cell and keep what its adjoint reads."""
        given, finals, kept = cpu.forward(batch, True)
        assert kept is not None
        # Not the batch itself: hooks on saved tensors may put them elsewhere.
        ctx.cell, ctx.sizes, ctx.rows, ctx.outputs = batch.cell, batch.sizes, batch.rows, batch.outputs
        ctx.count, ctx.layout, ctx.used = len(tensors), kept.layout, False
        # Freed after use; changes in place are found out; hooks on saved tensors see all that is kept.
        ctx.save_for_backward(*tensors, *given, kept.block)
        ctx.set_materialize_grads(False)
        return (*given, *finals)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        """Run the adjoint; where a derivative of it is asked for, differentiate the definition instead.

        The definition also serves cotangents that have no memory, such as a whole batch of them.
        """
        saved = ctx.saved_tensors
        tensors, given, kept = saved[: ctx.count], saved[ctx.count : -1], cpu.Kept(ctx.layout, saved[-1])
        wanted = ctx.needs_input_grad[1:]  # behind the batch
        cell: Cell = ctx.cell
        twice = "a derivative of the derivative was asked for" if torch.is_grad_enabled() else ""
        if reason := twice or _unreadable([c for c in cotangents if c is not None]):
            fall_back(reason)
            return (None, *_again(ctx, tensors, cotangents, wanted))
        with torch.no_grad():
            batch = _batch(cell, ctx.sizes, ctx.rows, ctx.outputs, tensors)
            if ctx.used:  # the memory was used up by the first of several backward passes
                given, _, again = cpu.forward(batch, True)
                assert again is not None
                kept = again
            ctx.used = True
            first = 1 + len(cell.states)
            to_input, to_starts, to_weights = cpu.backward(
                batch, given, kept, cotangents[: len(ctx.outputs)], cotangents[len(ctx.outputs) :],
                wanted=frozenset(compress(cell.parameter_names, wanted[first:])),
                with_input=wanted[0], with_starts=any(wanted[1:first]),
            )  # fmt: skip
        found = [to_input, *to_starts, *map(to_weights.get, cell.parameter_names)]
        return (None, *found, *[None] * len(cell.masks))


def fall_back(reason: str) -> None:
    """Say that the reference engine takes over, and why."""
    warnings.warn(
        f"the reference engine takes over: {reason}; results are the same, only slower. Say "
        "engine='reference' to choose it yourself",
        EngineWarning,
        stacklevel=_levels_to_the_caller(),
    )


def _levels_to_the_caller() -> int:
    """Return how far up the stack the first line is that is neither gatelab's nor torch's."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in (
        "gatelab",
        "torch",
    ):
        level, frame = level + 1, frame.f_back
    return level


def _batch(
    cell: Cell, sizes: Sizes, rows: Rows, outputs: tuple[int, ...], tensors: Sequence[Tensor]
) -> cpu.Batch:
    """Give (x, *states, *weights, *masks) their names."""
    x, *rest = tensors
    states, rest = rest[: len(cell.states)], rest[len(cell.states) :]
    count = len(cell.parameters)
    weights = dict(zip(cell.parameter_names, rest[:count], strict=True))
    masks = dict(zip(cell.mask_names, rest[count:], strict=True))
    return cpu.Batch(cell, sizes, rows, x, states, weights, masks, outputs)


def _again(
    ctx: Any, tensors: tuple[Tensor, ...], cotangents: tuple[Tensor | None, ...], wanted: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return the derivatives by torch's own operations, as a graph where derivatives are recorded."""
    keep = tuple(ctx.cell.results[k] for k in ctx.outputs)
    recorded = torch.is_grad_enabled()
    with torch.enable_grad():
        trace = traced(ctx.cell, ctx.sizes, ctx.rows, tensors, keep)
        outputs = [trace.output if k == 0 else trace.kept[ctx.cell.results[k]] for k in ctx.outputs]
        return differentiated((*outputs, *trace.finals), tensors, cotangents, wanted, recorded)


def obstacle(tensors: Sequence[Tensor]) -> str:
    """Return why a call has to be made of torch's own operations, or nothing."""
    if torch.autograd.forward_ad._current_level >= 0:
        return "torch.autograd.forward_ad differentiates only torch's own operations"
    if torch.is_autocast_enabled("cpu"):
        return "torch.autocast chooses types for torch's own operations"
    kind = tensors[0].dtype
    for tensor in tensors:
        if tensor.dtype is not kind:
            return "input, states and weights have different types"
        if not tensor.is_cpu:
            return "a tensor is not on the CPU"
    if kind not in TYPES:
        return f"the tile machine computes in float32 and float64, and this is {kind}"
    return _unreadable(tensors)


def _unreadable(tensors: Sequence[Tensor]) -> str:
    """Return why the tensors' numbers may not lie in memory, or nothing."""
    if torch._C._are_functorch_transforms_active():
        return "torch.func transforms only what is made of torch's own operations"
    if any(map(torch._C._functorch.is_legacy_batchedtensor, tensors)):
        return "is_grads_batched takes torch's own operations"
    if torch._C._len_torch_dispatch_stack() or not all(map(_is_plain, {*map(type, tensors)})):
        return (
            "a mode or a subclass of torch's dispatcher, such as FakeTensor, sees only torch's own operations"
        )
    return ""


def _is_plain(kind: type[Tensor]) -> bool:
    """Return whether tensors of this class are torch's own, or work as these do."""
    plain: Any = Tensor.__torch_dispatch__
    return kind.__torch_dispatch__ is plain
