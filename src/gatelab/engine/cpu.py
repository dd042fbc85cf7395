"""Programs run by the tile machine on torch tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gatelab.engine.bound import ALIGNED, Address, Bound, JobRecord, bound, machine
from gatelab.engine.pool import POOL, Lease
from gatelab.engine.reference import Sizes, rules
from gatelab.engine.rows import Rows
from gatelab.engine.split import Wish
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold
from gatelab.graph.node import Node

FEW_ROWS = 3  # with so few rows a thread, products with the input are computed for all steps at once


@dataclass(eq=False)
class Kept:
    """What a forward pass leaves for the backward pass: places, by name, in leased memory."""

    places: dict[str, Address]
    lease: Lease


def _run(
    bound: Bound,
    sizes: Sizes,
    rows: Rows,
    tensors: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    lent: Mapping[str, Address] | None = None,
    gradients: Mapping[str, Tensor] | None = None,
    finals: Sequence[Tensor] = (),
    begin: Mapping[str, Tensor | None] | None = None,
    keep: bool = False,
) -> Kept | None:
    """Run a program over one batch.

    Parameters
    ----------
    tensors
        The places that are not the engine's own, by name; those that are missing are read as zeros.
    lent
        Places in memory that the forward pass leased.
    gradients, finals
        Tensors to be written: derivatives by the weight's name; the states' last values.
    begin
        Places that begin with these values; None stands for zeros.
    keep
        Whether the values that the backward pass reads are to outlive the call.
    """
    count, batch, threads = int(rows.starts[-1]), rows.batch, torch.get_num_threads()
    wide = int(sizes.like.dtype is torch.float64)
    widths = (sizes.input, sizes.hidden, sizes.hidden // sizes.block, 1, sizes.block)
    layout = bound.layout(count, batch, widths, wide, keep)
    kept = None
    places: dict[str, Address] = dict(lent or {})
    if layout.kept:
        lease = POOL.lease(layout.kept_bytes)
        kept = Kept({n: (lease.address + at, stride) for n, (at, stride) in layout.kept.items()}, lease)
        places |= kept.places
    for name, tensor in tensors.items():
        places[name] = tensor.data_ptr(), tensor.stride(0)
    held = _fixed(bound, sizes, weights)
    for place, node in bound.program.planned.fixed_places.items():
        places[place.name] = held[node].data_ptr(), 0
    matrices = [_rows_contiguous(weights[name]) for name in bound.weights]
    wanted = gradients or {}
    program = bound.program
    arrays: list[Any] = [
        (ctypes.c_int32 * 5)(*widths),
        (ctypes.c_void_p * len(matrices))(*[w.data_ptr() for w in matrices]),
        (ctypes.c_int64 * len(matrices))(*[w.stride(0) for w in matrices]),
        (ctypes.c_void_p * len(program.vectors))(*[held[n].data_ptr() for n in program.vectors]),
        (ctypes.c_int32 * len(program.vectors))(*[widths[w] for w in bound.vector_widths]),
        (ctypes.c_double * len(program.numbers))(*bound.values(sizes, widths)),
        _written(wanted, program.gradients),
        _written(wanted, program.sums),
        (ctypes.c_void_p * len(finals))(*[f.data_ptr() for f in finals]),
    ]
    job = JobRecord(
        bound.reference, ctypes.addressof(arrays[0]), rows.starts.ctypes.data, rows.steps, None, None
    )
    for field, array in zip(JobRecord._fields_[6:14], arrays[1:], strict=True):
        setattr(job, field[0], ctypes.addressof(array))
    job.threads = threads
    key = (batch, *widths, wide, threads)
    if key not in bound.scratch:
        bound.scratch[key] = machine().bytes(ctypes.addressof(job), wide) + ALIGNED
    passing = POOL.lease(layout.passing_bytes + bound.scratch[key])
    try:
        for name, (at, stride) in layout.passing.items():
            places[name] = passing.address + at, stride
        for name, tensor_or_none in (begin or {}).items():
            _begin(places[name], batch, tensor_or_none, sizes.like)
        found = [places.get(name, (0, 0)) for name in bound.names]
        addresses = (ctypes.c_void_p * len(found))(*[a for a, _ in found])
        strides = (ctypes.c_int64 * len(found))(*[s for _, s in found])
        job.buffers, job.strides = ctypes.addressof(addresses), ctypes.addressof(strides)
        job.scratch = passing.address + layout.passing_bytes
        machine().run(ctypes.addressof(job), wide)
    finally:
        passing.release()
    return kept


def _written(tensors: Mapping[str, Tensor], names: Iterable[str]) -> ctypes.Array[ctypes.c_void_p]:
    found = [tensors[n].data_ptr() if n in tensors else 0 for n in names]
    return (ctypes.c_void_p * len(found))(*found)


def _begin(address: Address, batch: int, tensor: Tensor | None, like: Tensor) -> None:
    """Write the values with which a place of one step begins."""
    start, stride = address
    size = batch * stride * like.element_size()
    ctypes.memset(start, 0, size)
    if tensor is not None:
        memory = (ctypes.c_char * size).from_address(start)
        view = torch.frombuffer(memory, dtype=like.dtype).view(batch, stride)
        view[:, : tensor.shape[1]].copy_(tensor)


def _fixed(bound: Bound, sizes: Sizes, weights: Mapping[str, Tensor]) -> dict[Node, Tensor]:
    """Return the values that do not depend on the row, as contiguous tensors."""
    if bound.simple:
        return {n: weights[k].contiguous() for n, k in zip(bound.fixed, bound.fixed_names, strict=True)}
    leaves = {p: weights[p.name] for p in bound.program.planned.wish.cell.parameters}
    values = fold(bound.fixed, rules(sizes), leaves)
    return {n: values[n].expand(sizes[n.width or "1"]).contiguous() for n in bound.fixed}


def _rows_contiguous(matrix: Tensor) -> Tensor:
    return matrix if matrix.stride(-1) == 1 or matrix.shape[-1] == 1 else matrix.contiguous()


def forward(
    cell: Cell,
    sizes: Sizes,
    rows: Rows,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    outputs: tuple[int, ...] = (0,),
    training: bool = False,
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Kept | None]:
    """Run ``cell`` over all rows.

    Parameters
    ----------
    states
        Before the first step, [B, width] each, in the rows' order.
    outputs
        The states to give out for all rows.
    training
        Whether to keep what :func:`backward` reads.

    Returns
    -------
    outputs
        [N, width] each.
    finals
        The last states, [B, width] each, in the rows' order.
    kept
        For the backward pass; None where nothing is to be kept.
    """
    program = bound(Wish(cell, outputs, hoisted=_hoisted(rows), training=training), False)
    count = int(rows.starts[-1])
    widths = [sizes[s.width or "H"] for s in cell.states]
    given = tuple(POOL.tensor((count, widths[k]), sizes.like) for k in outputs)
    finals = tuple(sizes.like.new_empty(rows.batch, w) for w in widths)
    tensors = _tensors(program, x, states, masks, outputs, given)
    kept = _run(program, sizes, rows, tensors, weights, finals=finals, keep=training)
    return given, finals, kept


def backward(
    cell: Cell,
    sizes: Sizes,
    rows: Rows,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Mapping[str, Tensor],
    masks: Mapping[str, Tensor],
    given: Sequence[Tensor],
    kept: Kept | None,
    cotangents: Sequence[Tensor | None],
    ended: Sequence[Tensor | None],
    wanted: frozenset[str],
    with_input: bool,
    with_starts: bool,
    outputs: tuple[int, ...] = (0,),
) -> tuple[Tensor | None, list[Tensor | None], dict[str, Tensor]]:
    """Run the adjoint; its memory is that of ``kept``, which is used up.

    Returns
    -------
    to_input, to_starts, to_weights
        ∂L/∂x [N, I], ∂L/∂(states before the first step) [B, width] each, and ∂L/∂weight by name.
    """
    wish = Wish(
        cell, outputs, _hoisted(rows), True,
        given=tuple(k for k, c in zip(outputs, cotangents, strict=True) if c is not None),
        ended=tuple(k for k, c in enumerate(ended) if c is not None),
        with_input=with_input, with_starts=with_starts, weights=wanted,
    )  # fmt: skip
    like = sizes.like
    program = bound(wish, True)
    tensors = _tensors(program, x, states, masks, outputs, given)
    for k, cotangent in zip(outputs, cotangents, strict=True):
        if cotangent is not None:
            tensors[f"given {cell.states[k].name}"] = _rows_contiguous(cotangent)
    to_input = POOL.tensor((int(rows.starts[-1]), sizes.input), like) if "to input" in program.known else None
    if to_input is not None:
        tensors["to input"] = to_input
    to_starts: list[Tensor | None] = [None] * len(cell.states)
    begin: dict[str, Tensor | None] = {}
    for index, state in enumerate(cell.states):
        if f"carry {state.name}" in program.known:
            begin[f"carry {state.name}"] = ended[index]
        if f"to start {state.name}" in program.known:
            made = like.new_empty(rows.batch, sizes[state.width or "H"])
            tensors[f"to start {state.name}"] = to_starts[index] = made
    names = [*program.program.gradients, *program.program.sums]
    gradients = {n: torch.empty_like(weights[n], memory_format=torch.contiguous_format) for n in names}
    _run(program, sizes, rows, tensors, weights, {} if kept is None else kept.places, gradients, (), begin)
    return to_input, to_starts, gradients


def _hoisted(rows: Rows) -> bool:
    return rows.batch <= FEW_ROWS * torch.get_num_threads()


def _tensors(
    program: Bound,
    x: Tensor,
    states: Sequence[Tensor],
    masks: Mapping[str, Tensor],
    outputs: tuple[int, ...],
    given: Sequence[Tensor],
) -> dict[str, Tensor]:
    """Return the tensors that hold input, masks, states before the first step and outputs, by place."""
    cell = program.program.planned.wish.cell
    found = {"input": _rows_contiguous(x)}
    for node in cell.masks:
        found[f"mask {node.name}"] = masks[node.name].contiguous()
    for state, start in zip(cell.states, states, strict=False):
        if f"start {state.name}" in program.known:
            found[f"start {state.name}"] = _rows_contiguous(start)
    for k, tensor in zip(outputs, given, strict=True):
        found[f"state {cell.states[k].name}"] = tensor
    return found
