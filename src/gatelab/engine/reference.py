"""The definition: a cell's values in torch, operation by operation, for any float type and device.

What does not wait for the state is computed for all rows at once, the rest step by step. Every other
engine is tested against this one; its own derivative is tested against torch.autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from gatelab.axes import Width
from gatelab.engine.rows import Rows
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold, reached, row_wise
from gatelab.graph.node import Node
from gatelab.graph.op import Op

Values = dict[Node, Tensor]


@dataclass(frozen=True)
class Sizes:
    """How many numbers a width stands for, and the type in which numbers are held."""

    input: int
    hidden: int
    block: int
    like: Tensor

    def __getitem__(self, width: Width) -> int:
        return {"I": self.input, "H": self.hidden, "K": self.hidden // self.block, "1": 1}[width]


def rules(sizes: Sizes) -> dict[Op, Callable[..., Tensor]]:
    """Return the table of values for these sizes."""
    return {op: partial(rule, sizes) for op, rule in VALUES.items()}


@dataclass
class Trace:
    """What a forward pass leaves: outputs, last states, and values kept for the derivative.

    ``output`` is [N, H], ``finals`` one [B, width] a state in the rows' order, ``kept`` holds one
    tensor [N, width] (or a weight) a node.
    """

    output: Tensor
    finals: tuple[Tensor, ...]
    kept: Values


def forward(
    cell: Cell,
    sizes: Sizes,
    rows: Rows,
    leaves: Values,
    states: tuple[Tensor, ...],
    keep: Collection[Node] = (),
) -> Trace:
    """Run ``cell`` over all rows.

    1. Compute what does not depend on a state, for all rows at once.
    2. For each step compute the rest from the states [live, width] that the step before left; a
       sequence that has ended leaves its states behind.

    Parameters
    ----------
    leaves
        Values of the input [N, I], the weights and the masks [N, width].
    states
        Before the first step, [B, width] each, in the rows' order.
    keep
        Nodes whose values are to be returned for all rows.
    """
    table = rules(sizes)
    widths = [sizes[s.width or "H"] for s in cell.states]
    late = reached(cell.nodes, {Op.STATE})
    early = fold([n for n in cell.nodes if n not in late], table, leaves | numbers(cell.nodes, sizes))
    loop = Loop([n for n in cell.nodes if n in late and n.sources], early, rows, table)
    history: dict[Node, list[Tensor]] = {n: [] for n in keep if n in late}
    outputs: list[Tensor] = []
    ended: list[list[Tensor]] = [[] for _ in cell.states]
    for t, live in enumerate(rows.sizes):
        for state, past in zip(states, ended, strict=True):
            past.extend([state[live:]] * (len(state) > live))
        states = tuple(s[:live] for s in states)
        values = loop.step(t, dict(zip(cell.states, states, strict=True)))
        for node, past in history.items():
            past.append(values[node])
        states = tuple(values[r].expand(live, w) for r, w in zip(cell.results, widths, strict=True))
        outputs.append(states[0])
    finals = tuple(torch.cat([s, *reversed(e)]) if e else s for s, e in zip(states, ended, strict=True))
    kept = {n: torch.cat(history[n]) if n in late else early[n] for n in keep}
    return Trace(torch.cat(outputs), finals, kept)


class Loop:
    """The operations of one step, in order, with what was computed for all rows split into steps."""

    def __init__(
        self,
        nodes: list[Node],
        early: Mapping[Node, Tensor],
        rows: Rows,
        table: Mapping[Op, Callable[..., Tensor]],
    ) -> None:
        self.operations = [(n, partial(table[n.op], n), n.sources) for n in nodes]
        split = row_wise(early)
        self.fixed = {n: v for n, v in early.items() if n not in split}
        self.split = {n: torch.split(v, list(rows.sizes)) for n, v in early.items() if n in split}

    def step(self, t: int, values: Values) -> Values:
        """Return ``values``, which holds the leaves of step t, with everything that follows from them."""
        values.update(self.fixed)
        for node, parts in self.split.items():
            values[node] = parts[t]
        for node, rule, sources in self.operations:
            values[node] = rule(*[values[s] for s in sources])
        return values


def numbers(nodes: Iterable[Node], sizes: Sizes) -> Values:
    """Return the constants among the nodes."""
    return {n: sizes.like.new_tensor(n.value) for n in nodes if n.op is Op.CONST}


def _spread(sizes: Sizes, node: Node, value: Tensor) -> Tensor:
    width = sizes[node.width or "H"]
    if value.dim() == 0 or value.shape[-1] == 1:
        return value.expand(*(value.shape[:-1] if value.dim() else ()), width)
    return value.repeat_interleave(width // value.shape[-1], -1)


def _sum(sizes: Sizes, node: Node, value: Tensor) -> Tensor:
    source = sizes[node.sources[0].width or "H"]
    value = value.expand(source) if value.dim() == 0 else value
    width = sizes[node.width or "1"]
    return value.reshape(*value.shape[:-1], width, source // width).sum(-1)


def _matmul(sizes: Sizes, node: Node, matrix: Tensor, value: Tensor) -> Tensor:
    return functional.linear(value, matrix)


def _outer(sizes: Sizes, node: Node, left: Tensor, right: Tensor) -> Tensor:
    rows = max(left.shape[0] if left.dim() > 1 else 1, right.shape[0] if right.dim() > 1 else 1)
    return left.expand(rows, left.shape[-1]).mT @ right.expand(rows, right.shape[-1])


def _missing(sizes: Sizes, node: Node) -> Tensor:
    raise AssertionError(f"no value was given for {node}")


VALUES: Mapping[Op, Callable[..., Tensor]] = {
    Op.INPUT: _missing,
    Op.STATE: _missing,
    Op.PARAM: _missing,
    Op.MASK: _missing,
    Op.COTANGENT: _missing,
    Op.CONST: lambda s, n: s.like.new_tensor(n.value),
    Op.SIZE: lambda s, n: s.like.new_tensor(float(s[n.attribute])),
    Op.MATMUL: _matmul,
    Op.MATMUL_T: lambda s, n, matrix, value: value @ matrix,
    Op.OUTER: _outer,
    Op.ADD: lambda s, n, a, b: a + b,
    Op.SUB: lambda s, n, a, b: a - b,
    Op.MUL: lambda s, n, a, b: a * b,
    Op.DIV: lambda s, n, a, b: a / b,
    Op.NEG: lambda s, n, a: -a,
    Op.MAXIMUM: lambda s, n, a, b: torch.where(a > b, a, b),
    Op.MIX: lambda s, n, z, a, b: b + z * (a - b),
    Op.SIGMOID: lambda s, n, a: torch.sigmoid(a),
    Op.TANH: lambda s, n, a: torch.tanh(a),
    Op.RELU: lambda s, n, a: torch.relu(a),
    Op.EXP: lambda s, n, a: torch.exp(a),
    Op.LOG: lambda s, n, a: torch.log(a),
    Op.SQRT: lambda s, n, a: torch.sqrt(a),
    Op.STEP: lambda s, n, a: (a > 0).to(a.dtype),
    Op.SPREAD: _spread,
    Op.SUM: _sum,
}
"""Value of each operation: rule(sizes, node, *values of its sources)."""
