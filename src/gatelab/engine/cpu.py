"""Programs run by the tile machine on torch tensors."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gatelab.engine.bound import ALIGNED, Bound, JobRecord, Layout, bound, machine
from gatelab.engine.pool import POOL
from gatelab.engine.reference import Sizes, rules
from gatelab.engine.rows import Rows
from gatelab.engine.split import Wish
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold
from gatelab.graph.node import Node

FEW_ROWS = 3  # with so few rows a thread, products with the input are computed for all steps at once
THREAD_WORK = 1 << 21  # multiplications that take some 40 µs; below, two threads were no faster than one
CREW_WORK = 1 << 15  # in a phase of one step, some 1 µs: so often threads that share a row have to meet

BYTES = torch.empty(0, dtype=torch.uint8, device="cpu")  # the type of a block of memory


@dataclass(frozen=True, eq=False)
class Batch:
    """A cell and all that it is run on.

    Attributes
    ----------
    x
        Input rows [N, I].
    states
        Before the first step, [B, width] each, in the rows' order; None stands for zeros.
    weights, masks
        By name; matrices [rows, columns], vectors [rows], masks [N, width].
    outputs
        The states to give out for all rows.
    """

    cell: Cell
    sizes: Sizes
    rows: Rows
    x: Tensor
    states: Sequence[Tensor | None]
    weights: Mapping[str, Tensor]
    masks: Mapping[str, Tensor]
    outputs: tuple[int, ...] = (0,)

    @property
    def hoisted(self) -> bool:
        """Whether products with the input are computed for all steps at once."""
        return self.rows.batch <= FEW_ROWS * torch.get_num_threads()


@dataclass(eq=False)
class Kept:
    """What a forward pass leaves for the backward pass: a block of bytes, and where its places lie in it."""

    layout: Layout
    block: Tensor


def _run(
    bound: Bound,
    batch: Batch,
    tensors: Mapping[str, Tensor],
    lent: Kept | None = None,
    gradients: Mapping[str, Tensor] | None = None,
    finals: Sequence[Tensor] = (),
    begin: Sequence[tuple[str, Tensor | None]] = (),
    keep: bool = False,
) -> Kept | None:
    """Run a program over one batch.

    Parameters
    ----------
    tensors
        The places that are not the engine's own, by name; those that are missing are read as zeros.
    lent
        What the forward pass left.
    gradients, finals
        Tensors to be written: derivatives by the weight's name; the states' last values.
    begin
        Places that begin with these values; None stands for zeros.
    keep
        Whether the values that the backward pass reads are to outlive the call.
    """
    sizes, rows, weights = batch.sizes, batch.rows, batch.weights
    threads, like = torch.get_num_threads(), sizes.like
    wide = int(like.dtype is torch.float64)
    widths = (sizes.input, sizes.hidden, sizes.hidden // sizes.block, 1, sizes.block)
    layout = bound.layout(rows.count, rows.batch, widths, wide, keep, None if lent is None else lent.layout)
    kept = Kept(layout, POOL.tensor((max(ALIGNED, layout.kept_bytes),), BYTES)) if keep else None
    held = fixed_values(bound, sizes, weights)
    matrices = [_rows_contiguous(weights[name]) for name in bound.weights]
    found = gradients or {}
    lists, at = numbers(
        [w.data_ptr() for w in matrices],
        [w.stride(0) for w in matrices],
        [held[n].data_ptr() for n in bound.vectors],
        [found[n].data_ptr() if n in found else 0 for n in bound.gradients],
        [found[n].data_ptr() if n in found else 0 for n in bound.sums],
        [f.data_ptr() for f in finals],
    )
    fixed = bound.constant(sizes, widths)
    job = JobRecord(
        bound.address, fixed[0], rows.starts_address, rows.steps, None, None, at[0], at[1], at[2],
        fixed[1], fixed[2], at[3], at[4], at[5], None,
        threads, THREAD_WORK, CREW_WORK,
    )  # fmt: skip
    scratch = machine().bytes(ctypes.addressof(job), wide)  # asked each time: it takes a microsecond
    passing = POOL.lease(layout.passing_bytes + scratch + ALIGNED)
    try:
        memory = kept or lent
        bases = (0 if memory is None else memory.block.data_ptr(), passing.address, 0)
        addresses = [bases[side] + offset for side, offset, _ in layout.where]
        strides = [stride for _, _, stride in layout.where]
        for name, tensor in tensors.items():
            index = bound.index.get(name)
            if index is not None:
                addresses[index], strides[index] = tensor.data_ptr(), tensor.stride(0)
        for place, node in bound.fixed_places:
            addresses[bound.index[place.name]] = held[node].data_ptr()
        for name, start in begin:
            index = bound.index[name]
            _begin(addresses[index], strides[index], rows.batch, start, like)
        places, (job.buffers, job.strides) = numbers(addresses, strides)
        job.scratch = passing.address + layout.passing_bytes
        machine().run(ctypes.addressof(job), wide)
    finally:
        passing.release()
    del lists, places  # read until now
    return kept


def numbers(*lists: Sequence[int]) -> tuple[array[int], list[int]]:
    """Return lists as the library reads them, 64 bits a number, in one array; and where each begins."""
    whole, counts = array("q"), []
    for values in lists:
        counts.append(len(whole))
        whole.extend(values)
    first = whole.buffer_info()[0]
    return whole, [first + whole.itemsize * count for count in counts]


def _begin(start: int, stride: int, batch: int, tensor: Tensor | None, like: Tensor) -> None:
    """Write the values with which a place of one step begins."""
    size = batch * stride * like.element_size()
    ctypes.memset(start, 0, size)
    if tensor is not None:
        memory = (ctypes.c_char * size).from_address(start)
        view = torch.frombuffer(memory, dtype=like.dtype).view(batch, stride)
        view[:, : tensor.shape[1]].copy_(tensor)


def fixed_values(bound: Bound, sizes: Sizes, weights: Mapping[str, Tensor]) -> dict[Node, Tensor]:
    """Return the values that do not depend on the row, as contiguous tensors."""
    if bound.simple:
        return {n: _contiguous(weights[k]) for n, k in zip(bound.fixed, bound.fixed_names, strict=True)}
    leaves = {p: weights[p.name] for p in bound.cell.parameters}
    values = fold(bound.fixed, rules(sizes), leaves)
    return {n: values[n].expand(sizes[n.width or "1"]).contiguous() for n in bound.fixed}


def _contiguous(tensor: Tensor) -> Tensor:
    """Return a tensor whose numbers lie in memory one behind the other, not only marked as negated."""
    return tensor if tensor.is_contiguous() and not tensor.is_neg() else tensor.resolve_neg().contiguous()


def _rows_contiguous(matrix: Tensor) -> Tensor:
    if matrix.is_contiguous() and not matrix.is_neg():  # nearly always
        return matrix
    matrix = matrix.resolve_neg()
    return matrix if matrix.stride(-1) == 1 or matrix.shape[-1] == 1 else matrix.contiguous()


def forward(
    batch: Batch, training: bool = False
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Kept | None]:
    """Run a cell over all rows.

    Parameters
    ----------
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
    cell, sizes, rows = batch.cell, batch.sizes, batch.rows
    program = bound(Wish(cell, batch.outputs, hoisted=batch.hoisted, training=training), False)
    widths = [sizes[s.width or "H"] for s in cell.states]
    given = tuple(POOL.tensor((rows.count, widths[k]), sizes.like) for k in batch.outputs)
    finals = tuple(sizes.like.new_empty(rows.batch, w) for w in widths)
    kept = _run(program, batch, _tensors(program, batch, given), finals=finals, keep=training)
    return given, finals, kept


def backward(
    batch: Batch,
    given: Sequence[Tensor],
    kept: Kept,
    cotangents: Sequence[Tensor | None],
    ended: Sequence[Tensor | None],
    wanted: frozenset[str],
    with_input: bool,
    with_starts: bool,
    into: Mapping[str, Tensor] | None = None,
) -> tuple[Tensor | None, list[Tensor | None], dict[str, Tensor]]:
    """Run the adjoint; its memory is that of ``kept``, which is used up.

    Parameters
    ----------
    given, kept
        What :func:`forward` returned.
    cotangents, ended
        ∂L/∂output [N, width] and ∂L/∂(last state) [B, width]; None stands for zeros.
    wanted
        Names of the weights whose derivatives are asked for.
    with_input, with_starts
        Whether those of the input, and of the states before the first step, are.
    into
        Tensors for derivatives of weights, by name: written over, dense; others are made.

    Returns
    -------
    to_input, to_starts, to_weights
        ∂L/∂x [N, I], ∂L/∂(states before the first step) [B, width] each, and ∂L/∂weight by name.
    """
    wish = Wish(
        batch.cell, batch.outputs, batch.hoisted, True,
        given=tuple(k for k, c in zip(batch.outputs, cotangents, strict=True) if c is not None),
        ended=tuple(k for k, c in enumerate(ended) if c is not None),
        with_input=with_input, with_starts=with_starts, weights=wanted,
    )  # fmt: skip
    sizes, rows, like = batch.sizes, batch.rows, batch.sizes.like
    program = bound(wish, True)
    tensors = _tensors(program, batch, given)
    for k, cotangent in zip(batch.outputs, cotangents, strict=True):
        if cotangent is not None:
            tensors[program.states[k].given] = _rows_contiguous(cotangent)
    to_input = POOL.tensor((rows.count, sizes.input), like) if "to input" in program.index else None
    if to_input is not None:
        tensors["to input"] = to_input
    to_starts: list[Tensor | None] = [None] * len(batch.states)
    begin: list[tuple[str, Tensor | None]] = []
    for index, keys in enumerate(program.states):
        if keys.carry is not None:
            begin.append((keys.carry, ended[index]))
        if keys.to_start is not None:
            width = batch.cell.states[index].width
            to_starts[index] = tensors[keys.to_start] = like.new_empty(rows.batch, sizes[width or "H"])
    names = [*program.gradients, *program.sums]
    gradients = {n: _place(n, batch.weights, into) for n in names}
    _run(program, batch, tensors, kept, gradients, (), begin)
    return to_input, to_starts, gradients


def _place(name: str, weights: Mapping[str, Tensor], into: Mapping[str, Tensor] | None) -> Tensor:
    place = None if into is None else into.get(name)
    if place is not None:
        return place
    return torch.empty_like(weights[name], memory_format=torch.contiguous_format)


def _tensors(program: Bound, batch: Batch, given: Sequence[Tensor]) -> dict[str, Tensor]:
    """Return the tensors that hold input, masks, states before the first step and outputs, by place."""
    found = {"input": _rows_contiguous(batch.x)}
    for name, key in program.masks:
        found[key] = batch.masks[name].contiguous()
    for keys, start in zip(program.states, batch.states, strict=True):
        if keys.start is not None and start is not None:
            found[keys.start] = _rows_contiguous(start)
    for k, tensor in zip(batch.outputs, given, strict=True):
        found[program.states[k].state] = tensor
    return found
