"""The one door to the engines: a cell over a batch of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gatelab.engine import cpu
from gatelab.engine.autograd import CellFunction, leaves_of, traced
from gatelab.engine.direct import run_direct, sink_for
from gatelab.engine.fused import TileFunction, fall_back, obstacle
from gatelab.engine.reference import Sizes
from gatelab.engine.rows import Rows
from gatelab.graph.cell import Cell
from gatelab.graph.node import make
from gatelab.graph.op import Op
from gatelab.passes.probe import probe


@dataclass(frozen=True)
class Outcome:
    """What a cell made of a batch.

    Attributes
    ----------
    output
        [N, H].
    finals
        The states after each sequence's last step, [B, width] each, in the rows' order.
    watched
        The values that were asked for, [N, width] each, by name.
    """

    output: Tensor
    finals: tuple[Tensor, ...]
    watched: Mapping[str, Tensor]


def run(
    cell: Cell,
    x: Tensor,
    states: Sequence[Tensor | None],
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    rows: Rows,
    hidden_size: int,
    engine: str = "tile",
    watch: Sequence[str] = (),
) -> Outcome:
    """Run ``cell`` over all rows, so that torch can differentiate the result.

    Parameters
    ----------
    cell
        Simplified (:func:`gatelab.passes.simplify_cell`), as every layer holds it.
    x, states, weights, masks
        As in :class:`gatelab.engine.cpu.Batch`.
    rows
        The layout of the batch.
    engine
        ``"tile"`` or ``"reference"``.
    watch
        Names of inner values to give out for all rows.
    """
    count = len(cell.states)
    watching, places = _watching(cell, watch)
    outputs = tuple(sorted({0, *places.values()}))
    sizes = Sizes(x.shape[-1], hidden_size, cell.block, x.new_empty(0))
    starts = (*states, *[None] * (len(watching.states) - count))
    leaves = leaves_of(watching, weights, masks)
    tensors = (x, *starts, *leaves)
    given_tensors = [x, *(s for s in states if s is not None), *leaves]
    if engine == "tile" and (reason := obstacle(given_tensors)):
        fall_back(reason)
        engine = "definition"
    differentiable = torch.is_grad_enabled() and any(t.requires_grad for t in given_tensors)
    batch = cpu.Batch(watching, sizes, rows, x, starts, weights, masks, outputs)
    if engine == "tile" and differentiable and (sink := sink_for(weights)) is not None:
        values = run_direct(batch, sink)
    elif engine == "tile" and differentiable:
        values = TileFunction.apply(batch, *tensors)  # type: ignore[no-untyped-call]
    elif engine == "tile":
        given, finals, _ = cpu.forward(batch)
        values = (*given, *finals)
    elif engine == "reference" and differentiable and not watch:
        values = CellFunction.apply(watching, sizes, rows, *tensors)  # type: ignore[no-untyped-call]
    else:
        trace = traced(watching, sizes, rows, tensors, tuple(watching.results[k] for k in outputs))
        given = tuple(trace.kept[watching.results[k]] for k in outputs)
        full = [sum(rows.sizes), -1]
        values = (trace.output, *(g.expand(*full) for g in given[1:]), *trace.finals)
    finals = tuple(values[len(outputs) :][:count])
    return Outcome(values[0], finals, {name: values[outputs.index(k)] for name, k in places.items()})


def _watching(cell: Cell, names: Sequence[str]) -> tuple[Cell, dict[str, int]]:
    """Return the cell with watched values as states of their own, and which state holds each.

    A value that is a state already is given out as it is.
    """
    if not names:
        return cell, {}
    found = probe(cell, names)
    new = [n for n in dict.fromkeys(found.values()) if n not in cell.results]
    leaves = tuple(make(Op.STATE, (), f"watched {k}", n.width or "H") for k, n in enumerate(new))
    wider = replace(cell, states=(*cell.states, *leaves), results=(*cell.results, *new))
    return wider, {name: wider.results.index(node) for name, node in found.items()}
