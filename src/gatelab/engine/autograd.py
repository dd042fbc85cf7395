"""The reference engine as one differentiable function: forward and adjoint joined.

Back-propagation through time is the adjoint graph, run step by step from the last step to the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gatelab.engine.reference import Loop, Sizes, Trace, Values, forward, numbers, rules
from gatelab.engine.rows import Rows
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold, reached, row_wise, topological
from gatelab.graph.node import Node
from gatelab.graph.op import Op
from gatelab.passes.adjoint import Adjoint, adjoint


@dataclass(frozen=True, eq=False)
class Backward:
    """The adjoint of a cell, sorted into what is done before, in and after the backward loop.

    Attributes
    ----------
    adjoint
        The derivative of one step.
    kept
        Values of the forward pass that it reads.
    early
        Nodes that no cotangent enters: computed for all rows at once before the loop.
    late
        Nodes of the loop: those that the cotangents of the states before the step need.
    gathered
        Cotangents and nodes of the loop whose values are read after it.
    """

    adjoint: Adjoint
    kept: tuple[Node, ...]
    early: tuple[Node, ...]
    late: tuple[Node, ...]
    gathered: tuple[Node, ...]


@lru_cache(maxsize=1024)
def backward_of(cell: Cell) -> Backward:
    """Return the sorted adjoint of ``cell``."""
    derivative = adjoint(cell)
    nodes = topological(derivative.roots)
    after_cotangent = reached(nodes, {Op.COTANGENT})
    carried = set(topological(derivative.states.values()))
    values = set(cell.nodes)
    new = [n for n in nodes if n not in values and n.op is not Op.OUTER]
    read = {s for n in nodes if n not in values for s in n.sources if s in values}
    roots = {n for n in derivative.roots if n in values}
    late = [n for n in new if n in after_cotangent and n in carried and n.sources]
    inside = {*late, *derivative.cotangents}
    leaving = {s for n in nodes if n not in inside for s in n.sources} | set(derivative.roots)
    return Backward(
        adjoint=derivative,
        kept=tuple(n for n in cell.nodes if n in read | roots),
        early=tuple(n for n in new if n not in after_cotangent),
        late=tuple(late),
        gathered=tuple(n for n in [*derivative.cotangents, *late] if n in leaving),
    )


def backward(
    cell: Cell,
    sizes: Sizes,
    rows: Rows,
    kept: Values,
    output: Tensor | None,
    finals: tuple[Tensor | None, ...],
    with_input: bool = True,
) -> tuple[dict[Node | str, Tensor], tuple[Tensor, ...]]:
    """Return the derivatives of a loss, given those by outputs [N, H] and last states [B, width].

    1. Compute for all rows at once what no cotangent enters.
    2. From the last step to the first, find the cotangents of the states before the step; sequences
       join when their own last step is reached.
    3. Compute the derivatives by input and weights for all rows at once.

    Returns
    -------
    found
        ∂L/∂x [N, I] under the input's leaf, if asked for, and ∂L/∂weight under each weight's name, where
        they exist.
    states
        ∂L/∂(state before the first step), [B, width] each, in the rows' order.
    """
    plan, table = backward_of(cell), rules(sizes)
    early = fold([*plan.early], table, kept | numbers([*plan.early, *plan.late], sizes))
    loop = Loop(list(plan.late), early, rows, table)
    seeds, back = plan.adjoint.cotangents, plan.adjoint.states
    past: dict[Node, list[Tensor]] = {n: [] for n in plan.gathered}
    widths = [sizes[s.width or "H"] for s in cell.states]
    carried = tuple(sizes.like.new_zeros((0, w)) for w in widths)
    given = None if output is None else torch.split(output, list(rows.sizes))
    for t in reversed(range(rows.steps)):
        live = rows.sizes[t]
        carried = tuple(_joined(c, f, live, w) for c, f, w in zip(carried, finals, widths, strict=True))
        if given is not None:
            carried = (carried[0] + given[t], *carried[1:])
        values = loop.step(t, dict(zip(seeds, carried, strict=True)))
        for node, steps in past.items():
            steps.append(values[node])
        carried = tuple(
            values[back[s.name]].expand(live, w) if s.name in back else c.new_zeros(live, w)
            for s, c, w in zip(cell.states, carried, widths, strict=True)
        )
    all_rows = early | {n: torch.cat(steps[::-1]) for n, steps in past.items()}
    return _after(cell, plan.adjoint, all_rows, sizes, with_input), carried


def _joined(carried: Tensor, final: Tensor | None, live: int, width: int) -> Tensor:
    """Return the cotangents [live, width], those of sequences that end at this step put below."""
    if len(carried) == live:
        return carried
    joining = carried.new_zeros(live - len(carried), width) if final is None else final[len(carried) : live]
    return torch.cat([carried, joining])


def _after(
    cell: Cell, derivative: Adjoint, values: Values, sizes: Sizes, with_input: bool
) -> dict[Node | str, Tensor]:
    wanted = derivative.input if with_input else None
    roots = [*derivative.parameters.values(), *([] if wanted is None else [wanted])]
    values = fold(roots, rules(sizes), values | numbers(topological(roots), sizes))
    found: dict[Node | str, Tensor] = {}
    if wanted is not None:
        found[cell.input] = values[wanted]
    by_row = row_wise(roots)
    for name, node in derivative.parameters.items():
        value = values[node]
        if node.op is not Op.OUTER and node in by_row:
            value = value.sum(0)
        found[name] = value
    return found


class CellFunction(torch.autograd.Function):
    """A cell over a batch of rows: (x, *states, *weights, *masks) → (output, *last states)."""

    @staticmethod
    def forward(ctx: Any, cell: Cell, sizes: Sizes, rows: Rows, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Run the cell and keep what its adjoint reads."""
        trace = traced(cell, sizes, rows, tensors, backward_of(cell).kept)
        ctx.cell, ctx.sizes, ctx.rows, ctx.kept = cell, sizes, rows, tuple(trace.kept)
        ctx.count = len(tensors)
        ctx.save_for_backward(
            *tensors, *trace.kept.values()
        )  # freed after use; changes in place are found out
        ctx.set_materialize_grads(False)
        return (trace.output, *trace.finals)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor | None) -> tuple[Any, ...]:
        """Run the adjoint; where a derivative of it is asked for, differentiate the definition instead."""
        if torch.is_grad_enabled():
            return _differentiable(ctx, cotangents)
        cell: Cell = ctx.cell
        output, *finals = cotangents
        kept = dict(zip(ctx.kept, ctx.saved_tensors[ctx.count :], strict=True))
        with torch.no_grad():
            with_input = ctx.needs_input_grad[3]  # x, after cell, sizes and rows
            found, states = backward(cell, ctx.sizes, ctx.rows, kept, output, tuple(finals), with_input)
        weights = [found.get(p.name) for p in cell.parameters]
        starts = [s if yes else None for s, yes in zip(states, ctx.needs_input_grad[4:], strict=False)]
        answers = [found.get(cell.input), *starts, *weights, *[None] * len(cell.masks)]
        return (None, None, None, *answers)


def _differentiable(ctx: Any, cotangents: tuple[Tensor | None, ...]) -> tuple[Any, ...]:
    """Return the derivatives as a graph of torch's own, so that they can be differentiated again."""
    tensors = ctx.saved_tensors[: ctx.count]
    trace = traced(ctx.cell, ctx.sizes, ctx.rows, tensors)
    outputs = (trace.output, *trace.finals)
    return (None, None, None, *differentiated(outputs, tensors, cotangents, ctx.needs_input_grad[3:]))


def differentiated(
    outputs: Sequence[Tensor],
    tensors: Sequence[Tensor],
    cotangents: Sequence[Tensor | None],
    wanted: Sequence[bool],
    again: bool = True,
) -> tuple[Tensor | None, ...]:
    """Return the derivatives of ``outputs`` by the wanted ones of ``tensors``, as a graph with ``again``."""
    given = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if c is not None]
    given = [(o, c) for o, c in given if o.requires_grad]
    needed = [t for t, yes in zip(tensors, wanted, strict=True) if yes]
    results, seeds = [o for o, _ in given], [c for _, c in given]
    found = iter(torch.autograd.grad(results, needed, seeds, create_graph=again, allow_unused=True))
    return tuple(next(found) if yes else None for yes in wanted)


def traced(
    cell: Cell, sizes: Sizes, rows: Rows, tensors: Sequence[Tensor | None], keep: tuple[Node, ...] = ()
) -> Trace:
    """Run the reference on (x, *states, *weights, *masks), in this order; no state stands for zeros."""
    x, *rest = tensors
    assert x is not None
    widths = [sizes[s.width or "H"] for s in cell.states]
    starts, rest = rest[: len(cell.states)], rest[len(cell.states) :]
    states = tuple(
        sizes.like.new_zeros(rows.batch, w) if s is None else s for s, w in zip(starts, widths, strict=True)
    )
    leaves = {n: t for n, t in zip([*cell.parameters, *cell.masks], rest, strict=True) if t is not None}
    return forward(cell, sizes, rows, {cell.input: x, **leaves}, states, keep)


def leaves_of(cell: Cell, weights: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> list[Tensor]:
    """Return weights and masks in the order in which :class:`CellFunction` takes them."""
    return [*map(weights.__getitem__, cell.parameter_names), *map(masks.__getitem__, cell.mask_names)]
