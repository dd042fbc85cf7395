"""The tile machine as one differentiable function."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor

from gatelab.engine import cpu
from gatelab.engine.autograd import differentiated, traced
from gatelab.engine.reference import Sizes
from gatelab.engine.rows import Rows
from gatelab.errors import EngineWarning
from gatelab.graph.cell import Cell


class TileFunction(torch.autograd.Function):
    """A cell over a batch of rows: (x, *states, *weights, *masks) → (*outputs, *last states)."""

    @staticmethod
    def forward(
        ctx: Any, cell: Cell, sizes: Sizes, rows: Rows, outputs: tuple[int, ...], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        """Run the cell and keep what its adjoint reads."""
        x, states, weights, masks = _parts(cell, tensors)
        given, finals, ctx.kept = cpu.forward(cell, sizes, rows, x, states, weights, masks, outputs, True)
        ctx.cell, ctx.sizes, ctx.rows, ctx.outputs = cell, sizes, rows, outputs
        ctx.count = len(tensors)
        ctx.save_for_backward(*tensors, *given)  # freed after use; changes in place are found out
        ctx.set_materialize_grads(False)
        return (*given, *finals)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        """Run the adjoint; where a derivative of it is asked for, differentiate the definition instead."""
        saved = ctx.saved_tensors
        tensors, given = saved[: ctx.count], saved[ctx.count :]
        wanted = ctx.needs_input_grad[4:]  # behind cell, sizes, rows and outputs
        cell: Cell = ctx.cell
        if torch.is_grad_enabled():
            fall_back("a derivative of the derivative was asked for")
            return (None, None, None, None, *_again(ctx, tensors, cotangents, wanted))
        with torch.no_grad():
            x, states, weights, masks = _parts(cell, tensors)
            kept, ctx.kept = ctx.kept, None
            if kept is None:  # the memory was used up by the first of several backward passes
                given, _, kept = cpu.forward(
                    cell, ctx.sizes, ctx.rows, x, states, weights, masks, ctx.outputs, True
                )
            first = 1 + len(cell.states)
            to_input, to_starts, to_weights = cpu.backward(
                cell, ctx.sizes, ctx.rows, x, states, weights, masks, given, kept,
                cotangents[: len(ctx.outputs)], cotangents[len(ctx.outputs) :],
                wanted=frozenset(compress(cell.parameter_names, wanted[first:])),
                with_input=wanted[0], with_starts=any(wanted[1:first]), outputs=ctx.outputs,
            )  # fmt: skip
        found = [to_input, *to_starts, *map(to_weights.get, cell.parameter_names)]
        return (None, None, None, None, *found, *[None] * len(cell.masks))


def fall_back(reason: str) -> None:
    """Say that the reference engine takes over, and why."""
    warnings.warn(
        f"the reference engine takes over: {reason}; results are the same, only slower. Say "
        "engine='reference' to choose it yourself",
        EngineWarning,
        stacklevel=2,
    )


def _parts(
    cell: Cell, tensors: Sequence[Tensor]
) -> tuple[Tensor, Sequence[Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Part (x, *states, *weights, *masks) into input, states, weights and masks by name."""
    x, *rest = tensors
    states, rest = rest[: len(cell.states)], rest[len(cell.states) :]
    count = len(cell.parameters)
    weights = dict(zip(cell.parameter_names, rest[:count], strict=True))
    masks = dict(zip(cell.mask_names, rest[count:], strict=True))
    return x, states, weights, masks


def _again(
    ctx: Any, tensors: tuple[Tensor, ...], cotangents: tuple[Tensor | None, ...], wanted: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """Return the derivatives as a graph of torch's own."""
    keep = tuple(ctx.cell.results[k] for k in ctx.outputs)
    trace = traced(ctx.cell, ctx.sizes, ctx.rows, tensors, keep)
    outputs = [trace.output if k == 0 else trace.kept[ctx.cell.results[k]] for k in ctx.outputs]
    return differentiated((*outputs, *trace.finals), tensors, cotangents, wanted)
