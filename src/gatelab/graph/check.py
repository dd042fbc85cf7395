"""What may stand in a cell, checked at the border; inside, code relies on it."""

from __future__ import annotations

from gatelab.errors import CellError
from gatelab.graph.cell import Cell
from gatelab.graph.node import Mask, Node, Weight
from gatelab.graph.op import ADJOINT_ONLY, ARITY, LEAVES, PRODUCTS, Op


def check(cell: Cell) -> None:
    """Refuse a graph that is no legal cell.

    1. Every leaf is the cell's input, one of its states, a weight, a mask or a number.
    2. Every operation may stand in a cell, with its number of sources and fitting widths.
    3. A weight's name belongs to one weight, and a matrix is used once: weights are not tied by accident.
    4. There is a state, the names of leaves differ, and the block is a positive number.

    Raises
    ------
    CellError
        Naming the cell and what is wrong.
    """
    if not cell.states or len(cell.states) != len(cell.results):
        raise CellError(f"cell {cell.name!r} wants one new value for each of its {len(cell.states)} states")
    if not isinstance(cell.block, int) or cell.block < 1:
        raise CellError(f"cell {cell.name!r}: wanted a block of at least 1 unit, got {cell.block!r}")
    for node in cell.nodes:
        problem = _problem(cell, node)
        if problem:
            raise CellError(f"cell {cell.name!r}: {problem}")
    _check_weights(cell)
    for state, result in zip(cell.states, cell.results, strict=True):
        if result.width not in (None, state.width):
            raise CellError(
                f"cell {cell.name!r}: state {state.name} is {state.width} wide, its new value {result.width}"
            )


def _problem(cell: Cell, node: Node) -> str | None:
    if node.op in ADJOINT_ONLY:
        return f"{node.op.value} belongs to derivatives, not to equations"
    if len(node.sources) != ARITY[node.op]:
        return f"{node.op.value} wants {ARITY[node.op]} sources, got {len(node.sources)}"
    if node.op is Op.INPUT and node is not cell.input:
        return f"a foreign input {node.name!r}; its own is {cell.input.name!r}"
    if node.op is Op.STATE and node not in cell.states:
        return f"a foreign state {node.name!r}; its own are {', '.join(s.name for s in cell.states)}"
    if node.op in LEAVES:
        return None
    if node.op not in PRODUCTS and any(s.op is Op.PARAM and s.weight.columns for s in node.sources):
        return f"a weight matrix stands in {node.op.value}; it can only be multiplied with a value"
    return None


def _check_weights(cell: Cell) -> None:
    seen: dict[str, Weight | Mask] = {}
    for node in [*cell.parameters, *cell.masks]:
        attribute = node.attribute
        assert isinstance(attribute, Weight | Mask)
        if seen.setdefault(attribute.name, attribute) != attribute:
            raise CellError(
                f"cell {cell.name!r}: the name {attribute.name!r} is used for two different weights; "
                f"give each linear, peephole and layer_norm a name of its own"
            )
    users: dict[Node, int] = {}
    for node in cell.nodes:
        for source in {s for s in node.sources if s.op is Op.PARAM}:
            users[source] = users.get(source, 0) + 1
    for source, count in users.items():
        if count > 1:
            raise CellError(
                f"cell {cell.name!r}: the weight {source.name} is used in {count} equations; give each "
                f"linear, peephole and layer_norm a name of its own"
            )
