"""The one door to the engines: a cell over a batch of rows."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gatelab.engine.autograd import CellFunction, leaves_of, traced
from gatelab.engine.reference import Sizes
from gatelab.engine.rows import Rows
from gatelab.graph.cell import Cell


def run(
    cell: Cell,
    x: Tensor,
    states: tuple[Tensor, ...],
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    rows: Rows,
    hidden_size: int,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run ``cell`` over all rows, so that torch can differentiate the result.

    Parameters
    ----------
    x
        Input rows [N, I].
    states
        States before the first step, [B, width] each, in the rows' order.
    weights, masks
        By name; matrices [rows, columns], vectors [rows], masks [N, width].
    rows
        The layout of the batch.

    Returns
    -------
    output
        [N, H].
    finals
        The states after each sequence's last step, [B, width] each, in the rows' order.
    """
    sizes = Sizes(x.shape[-1], hidden_size, cell.block, x.new_empty(0))
    tensors = (x, *states, *leaves_of(cell, weights, masks))
    if torch.is_grad_enabled() and any(t.requires_grad for t in tensors):
        output, *finals = CellFunction.apply(cell, sizes, rows, *tensors)  # type: ignore[no-untyped-call]
        return output, tuple(finals)
    trace = traced(cell, sizes, rows, tensors)
    return trace.output, trace.finals
