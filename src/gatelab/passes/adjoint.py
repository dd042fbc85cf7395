"""The derivative of a cell, again as a graph.

Reverse-mode differentiation: walking from the new states back to the leaves, each operation's rule
turns the cotangent of a value into the cotangents of its sources. The rules write nodes, so that the
result is a graph that shares the forward values and that every engine can run: back-propagation through
time is this graph, step by step, backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from gatelab.graph.cell import Cell
from gatelab.graph.fold import topological
from gatelab.graph.node import Node, constant, make, spread
from gatelab.graph.op import Op
from gatelab.passes.simplify import simplify


@dataclass(frozen=True)
class Adjoint:
    """The derivative of one step.

    Attributes
    ----------
    cotangents
        One leaf for each new state: ∂L/∂(new state), what the output and the next step say together.
    input
        ∂L/∂x of the step, [B, I]; None where x does not matter.
    states
        ∂L/∂(state before the step), by the state's name; absent where the state does not matter.
    parameters
        ∂L/∂(weight) by the weight's name: for a matrix an OUTER node or a sum of them, for a vector a
        value [B, width], both to be summed over sequences and steps; absent where the weight does not
        matter.
    """

    cotangents: tuple[Node, ...]
    input: Node | None
    states: Mapping[str, Node]
    parameters: Mapping[str, Node]

    @property
    def roots(self) -> list[Node]:
        """Every derivative, as one list."""
        inputs = [] if self.input is None else [self.input]
        return [*inputs, *self.states.values(), *self.parameters.values()]


def adjoint(cell: Cell) -> Adjoint:
    """Return the derivative of one step of ``cell`` as a simplified graph.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.passes import adjoint
    >>> back = adjoint(gatelab.cells.get("tanh"))
    >>> sorted(back.parameters), list(back.states)
    (['U_h', 'W_h', 'b_h'], ['h'])
    """
    seeds = tuple(make(Op.COTANGENT, (), s.name, s.width) for s in cell.states)
    wanted = [cell.input, *cell.states, *cell.parameters]
    found = differentiate(cell.results, seeds, wanted)
    simple = simplify(found.values())
    zero = constant(0)  # no influence after all, as where 0 is multiplied
    found = {leaf: simple[value] for leaf, value in found.items() if simple[value] is not zero}
    return Adjoint(
        cotangents=seeds,
        input=found.get(cell.input),
        states={s.name: found[s] for s in cell.states if s in found},
        parameters={p.name: found[p] for p in cell.parameters if p in found},
    )


def differentiate(results: Iterable[Node], seeds: Iterable[Node], wanted: Iterable[Node]) -> dict[Node, Node]:
    """Return the cotangent of each wanted leaf, given those of the results.

    1. Collect the nodes on which a wanted leaf has an influence.
    2. Give each result its seed.
    3. Walk from the results to the leaves; add what each node's rule sends to its sources.

    Leaves without influence are absent from the answer.
    """
    results, wanted = list(results), list(wanted)
    order = topological(results)
    active = set(wanted)
    for node in order:
        if any(s in active for s in node.sources) and node.op is not Op.STEP:
            active.add(node)
    parts: dict[Node, list[Node]] = {}
    for result, seed in zip(results, seeds, strict=True):
        if result in active:
            parts.setdefault(result, []).append(seed)
    for node in reversed(order):
        if node not in parts or not node.sources:
            continue
        cotangent = reduce(lambda a, b: a + b, parts[node])
        for source, part in zip(node.sources, DERIVATIVE[node.op](node, cotangent), strict=True):
            if part is not None and source in active:
                parts.setdefault(source, []).append(_fit(part, source))
    return {leaf: reduce(lambda a, b: a + b, parts[leaf]) for leaf in wanted if leaf in parts}


def _fit(part: Node, source: Node) -> Node:
    """Give a cotangent that came out as a number the width of what it belongs to."""
    return part if part.op is Op.OUTER else spread(part, source.width)


Parts = tuple[Node | None, ...]


def _maximum(node: Node, dy: Node) -> Parts:
    left, right = node.sources
    takes_left = make(Op.STEP, (left - right,))
    return dy * takes_left, dy * (1 - takes_left)


def _mix(node: Node, dy: Node) -> Parts:
    gate, new, old = node.sources
    return dy * (new - old), dy * gate, dy * (1 - gate)


def _matmul(node: Node, dy: Node) -> Parts:
    matrix, vector = node.sources
    return make(Op.OUTER, (dy, vector)), make(Op.MATMUL_T, (matrix, dy))


def _matmul_t(node: Node, dy: Node) -> Parts:
    matrix, vector = node.sources
    return make(Op.OUTER, (vector, dy)), make(Op.MATMUL, (matrix, dy))


def _spread(node: Node, dy: Node) -> Parts:
    return (make(Op.SUM, (dy,), None, node.sources[0].width),)


def _sum(node: Node, dy: Node) -> Parts:
    return (make(Op.SPREAD, (dy,), None, node.sources[0].width),)


def _none(node: Node, dy: Node) -> Parts:
    return (None,) * len(node.sources)


DERIVATIVE: Mapping[Op, Callable[[Node, Node], Parts]] = {
    Op.INPUT: _none,
    Op.STATE: _none,
    Op.PARAM: _none,
    Op.CONST: _none,
    Op.SIZE: _none,
    Op.MASK: _none,
    Op.COTANGENT: _none,
    Op.MATMUL: _matmul,
    Op.MATMUL_T: _matmul_t,
    Op.OUTER: _none,  # its derivative is that of a sum over the whole sequence; no cell holds one
    Op.ADD: lambda n, dy: (dy, dy),
    Op.SUB: lambda n, dy: (dy, -dy),
    Op.MUL: lambda n, dy: (dy * n.sources[1], dy * n.sources[0]),
    Op.DIV: lambda n, dy: (dy / n.sources[1], -(dy * n / n.sources[1])),
    Op.NEG: lambda n, dy: (-dy,),
    Op.MAXIMUM: _maximum,
    Op.MIX: _mix,
    Op.SIGMOID: lambda n, dy: (dy * (n * (1 - n)),),
    Op.TANH: lambda n, dy: (dy * (1 - n * n),),
    Op.RELU: lambda n, dy: (dy * make(Op.STEP, n.sources),),
    Op.EXP: lambda n, dy: (dy * n,),
    Op.LOG: lambda n, dy: (dy / n.sources[0],),
    Op.SQRT: lambda n, dy: (dy * 0.5 / n,),
    Op.STEP: _none,
    Op.SPREAD: _spread,
    Op.SUM: _sum,
}
