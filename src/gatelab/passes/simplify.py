"""The same values from fewer nodes: numbers folded, neutral elements and zeros removed.

Every rule keeps finite values to within rounding; ``0 · v`` becomes 0, so a removed gate takes its
weights with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold, rebuild
from gatelab.graph.node import Node, constant, make, spread
from gatelab.graph.op import UNARY, Op

SCALAR: Mapping[Op, Callable[..., float]] = {
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
    Op.MUL: lambda a, b: a * b,
    Op.DIV: lambda a, b: a / b,
    Op.NEG: lambda a: -a,
    Op.MAXIMUM: lambda a, b: a if a > b else b,
    Op.MIX: lambda z, a, b: z * a + (1 - z) * b,
    Op.SIGMOID: lambda a: 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a)),
    Op.TANH: math.tanh,
    Op.RELU: lambda a: a if a > 0 else 0.0,
    Op.EXP: math.exp,
    Op.LOG: math.log,
    Op.SQRT: math.sqrt,
    Op.STEP: lambda a: 1.0 if a > 0 else 0.0,
}
"""What each element-wise operation does to numbers."""


def simplify(roots: Iterable[Node]) -> dict[Node, Node]:
    """Return, for each node below the roots, an equal and simpler one.

    Examples
    --------
    >>> from gatelab.graph.node import make
    >>> from gatelab.graph import Op
    >>> from gatelab.passes import simplify
    >>> h = make(Op.STATE, (), "h", "H")
    >>> root = 1 * h + 0
    >>> simplify([root])[root] is h
    True
    """
    return fold(roots, RULES)


def simplify_cell(cell: Cell) -> Cell:
    """Return the cell with simplified equations; names of values that became numbers are dropped."""
    simple = simplify([*cell.results, *cell.names.values()])
    results = tuple(simple[r] for r in cell.results)
    return keep_names(replace(cell, results=results, names={k: simple[v] for k, v in cell.names.items()}))


def keep_names(cell: Cell) -> Cell:
    """Return the cell without names of values that its results do not need."""
    nodes = set(cell.nodes)
    names = {k: v for k, v in cell.names.items() if v in nodes and v.sources}
    return replace(cell, names=names)


def _is(node: Node, value: float) -> bool:
    return node.op is Op.CONST and node.value == value


def _folded(node: Node, *sources: Node) -> Node:
    """Compute an operation on numbers; keep it where the result is not finite."""
    if all(s.op is Op.CONST for s in sources):
        try:
            value = SCALAR[node.op](*[s.value for s in sources])
        except (ArithmeticError, ValueError):
            value = math.nan
        if math.isfinite(value):
            return constant(value)
    return rebuild(node, *sources)


def _add(node: Node, a: Node, b: Node) -> Node:
    if _is(a, 0):
        return b
    if _is(b, 0):
        return a
    if b.op is Op.NEG:
        return _sub(node, a, b.sources[0])
    if a.op is Op.NEG:
        return _sub(node, b, a.sources[0])
    return _folded(make(Op.ADD, (a, b)), a, b)  # the node may be a subtraction of a negative


def _sub(node: Node, a: Node, b: Node) -> Node:
    if _is(b, 0):
        return a
    if _is(a, 0):
        return _neg(node, b)
    if a is b:
        return constant(0)
    if b.op is Op.NEG:
        return _add(node, a, b.sources[0])
    return _folded(make(Op.SUB, (a, b)), a, b)


def _mul(node: Node, a: Node, b: Node) -> Node:
    if _is(a, 0) or _is(b, 0):
        return constant(0)
    if _is(a, 1):
        return b
    if _is(b, 1):
        return a
    if _is(a, -1):
        return _neg(node, b)
    if _is(b, -1):
        return _neg(node, a)
    return _folded(node, a, b)


def _div(node: Node, a: Node, b: Node) -> Node:
    if _is(b, 1):
        return a
    if _is(a, 0) and not _is(b, 0):
        return constant(0)
    return _folded(node, a, b)


def _neg(node: Node, a: Node) -> Node:
    if a.op is Op.NEG:
        return a.sources[0]
    return _folded(make(Op.NEG, (a,)), a)


def _mix(node: Node, z: Node, a: Node, b: Node) -> Node:
    if _is(z, 1) or a is b:
        return a
    if _is(z, 0):
        return b
    return _folded(node, z, a, b)


def _maximum(node: Node, a: Node, b: Node) -> Node:
    return a if a is b else _folded(node, a, b)


def _product(node: Node, matrix: Node, value: Node) -> Node:
    if _is(value, 0):
        return constant(0)
    if value.width is None:  # a number entering a product needs its width again
        value = make(Op.SPREAD, (value,), None, node.sources[1].width)
    return rebuild(node, matrix, value)


def _outer(node: Node, left: Node, right: Node) -> Node:
    if _is(left, 0) or _is(right, 0):
        return constant(0)
    widened = [
        s if s.width is not None else make(Op.SPREAD, (s,), None, before.width)
        for s, before in zip((left, right), node.sources, strict=True)
    ]
    return rebuild(node, *widened)


def _spread(node: Node, a: Node) -> Node:
    if a.width is None:
        return a
    if a.op is Op.SPREAD:
        return spread(a.sources[0], node.width)
    return rebuild(node, a)


def _sum(node: Node, a: Node) -> Node:
    if _is(a, 0):
        return a
    if a.width is None:
        summed = make(Op.SIZE, (), node.sources[0].width)
        count = summed if node.width == "1" else summed / make(Op.SIZE, (), node.width)
        return _mul(make(Op.MUL, (a, count)), a, count)
    return rebuild(node, a)


RULES: Mapping[Op, Callable[..., Node]] = {
    **dict.fromkeys([Op.INPUT, Op.STATE, Op.PARAM, Op.CONST, Op.SIZE, Op.MASK, Op.COTANGENT], rebuild),
    **dict.fromkeys(UNARY - {Op.NEG}, _folded),
    Op.NEG: _neg,
    Op.MATMUL: _product,
    Op.MATMUL_T: _product,
    Op.OUTER: _outer,
    Op.ADD: _add,
    Op.SUB: _sub,
    Op.MUL: _mul,
    Op.DIV: _div,
    Op.MAXIMUM: _maximum,
    Op.MIX: _mix,
    Op.SPREAD: _spread,
    Op.SUM: _sum,
}
