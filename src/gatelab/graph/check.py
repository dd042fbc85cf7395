"""What may stand in a cell, checked at the border; inside, code relies on it."""

from __future__ import annotations

from gatelab.errors import CellError
from gatelab.graph.cell import Cell
from gatelab.graph.node import NARROWER, STATE_WIDTHS, Mask, Node, Weight
from gatelab.graph.op import ADJOINT_ONLY, ARITY, LEAVES, PRODUCTS, Op

WIDER = frozenset((wide, narrow) for narrow, wide in NARROWER)


def check(cell: Cell) -> None:
    """Refuse a graph that is no legal cell.

    1. Every leaf is the cell's input, one of its states, a weight, a mask or a number, as wide as it says.
    2. Every operation may stand in a cell, with its number of sources and fitting widths.
    3. A weight's name belongs to one weight, and a matrix is used once: weights are not tied by accident.
    4. There is a state, the names of input and states differ, and the block is a positive number.
    5. What can be watched is computed on the way to the new states.

    Raises
    ------
    CellError
        Naming the cell and what is wrong.
    """
    if not cell.states or len(cell.states) != len(cell.results):
        raise CellError(f"cell {cell.name!r} wants one new value for each of its {len(cell.states)} states")
    if not isinstance(cell.block, int) or isinstance(cell.block, bool) or cell.block < 1:
        raise CellError(f"cell {cell.name!r}: wanted a block of at least 1 unit, got {cell.block!r}")
    _check_leaves(cell)
    own = {cell.input, *cell.states}
    for node in cell.nodes:
        problem = _problem(cell, own, node)
        if problem:
            raise CellError(f"cell {cell.name!r}: {problem}")
    inner = {n for n in cell.nodes if n.sources}
    for name, value in cell.names.items():
        if value not in inner:
            raise CellError(f"cell {cell.name!r}: the value named {name!r} does not enter a new state")
    _check_weights(cell)
    for state, result in zip(cell.states, cell.results, strict=True):
        if _is_matrix(result):
            raise CellError(f"cell {cell.name!r}: the new value of {state.name} is a weight matrix")
        if result.width not in (None, state.width):
            raise CellError(
                f"cell {cell.name!r}: state {state.name} is {state.width} wide, its new value {result.width}"
            )


def _check_leaves(cell: Cell) -> None:
    if cell.input.op is not Op.INPUT or cell.input.width != "I":
        raise CellError(f"cell {cell.name!r}: its input must be a leaf of width I, got {cell.input!r}")
    for state in cell.states:
        if state.op is not Op.STATE or state.width not in STATE_WIDTHS:
            raise CellError(f"cell {cell.name!r}: a state must be a leaf of width H, K or 1, got {state!r}")
    names = [leaf.name for leaf in (cell.input, *cell.states)]
    if len(set(names)) < len(names):
        raise CellError(
            f"cell {cell.name!r}: input and states want names of their own, got {', '.join(names)}"
        )


def _problem(cell: Cell, own: set[Node], node: Node) -> str | None:
    if node.op in ADJOINT_ONLY:
        return f"{node.op.value} belongs to derivatives, not to equations"
    if len(node.sources) != ARITY[node.op]:
        return f"{node.op.value} wants {ARITY[node.op]} sources, got {len(node.sources)}"
    if node.op is Op.INPUT and node not in own:
        return f"a foreign input {node.name!r}; its own is {cell.input.name!r}"
    if node.op is Op.STATE and node not in own:
        return f"a foreign state {node.name!r}; its own are {', '.join(s.name for s in cell.states)}"
    if node.op in LEAVES:
        return _leaf_problem(node)
    if node.op in PRODUCTS and not _is_matrix(node.sources[0]):
        return f"{node.op.value} wants a weight matrix and a value, got {node!r}"
    if any(_is_matrix(s) for s in node.sources[node.op in PRODUCTS :]):
        return f"a weight matrix stands in {node.op.value}; it can only be multiplied with a value"
    if node.op in (Op.SPREAD, Op.SUM):
        before, after = node.sources[0].width, node.width
        fits = {*NARROWER, *((None, wide) for _, wide in NARROWER)} if node.op is Op.SPREAD else WIDER
        return None if (before, after) in fits else f"{node.op.value} from width {before} to {after}"
    return None


def _leaf_problem(node: Node) -> str | None:
    a = node.attribute
    wanted = a.rows if isinstance(a, Weight) else a.width if isinstance(a, Mask) else node.width
    if node.op in (Op.CONST, Op.SIZE):
        wanted = None
    return None if node.width == wanted else f"{node.op.value} {a!r} is {wanted} wide, not {node.width}"


def _is_matrix(node: Node) -> bool:
    return node.op is Op.PARAM and node.weight.columns is not None


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
