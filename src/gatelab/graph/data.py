"""A cell as plain data, and back: how run folders keep it and other machines read it.

The data is a list of nodes, sources first, each by its operation's name; reading it runs no code and
ends in the legality check.
"""

from __future__ import annotations

import copyreg
import math
from collections.abc import Callable, Mapping
from typing import Any, cast

from gatelab.axes import Width
from gatelab.errors import CellError
from gatelab.graph.cell import Cell
from gatelab.graph.check import check
from gatelab.graph.fold import topological
from gatelab.graph.node import Attribute, Mask, Node, Weight, make
from gatelab.graph.op import ARITY, PRODUCTS, Op

FORMAT = 1
LARGEST = 100_000  # nodes; far above any cell, far below what would exhaust memory


def to_data(cell: Cell) -> dict[str, Any]:
    """Return the cell as nested lists and dictionaries of text and numbers, ready for JSON.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.graph.data import from_data, to_data
    >>> gru = gatelab.cells.get("gru")
    >>> from_data(to_data(gru)) == gru
    True
    """
    order = topological([cell.input, *cell.states, *cell.results, *cell.names.values()])
    number = {node: k for k, node in enumerate(order)}
    return {
        "format": FORMAT,
        "name": cell.name,
        "source": cell.source,
        "summary": cell.summary,
        "block": cell.block,
        "nodes": [[n.op.value, [number[s] for s in n.sources], _attribute(n), n.width] for n in order],
        "input": number[cell.input],
        "states": [number[s] for s in cell.states],
        "results": [number[r] for r in cell.results],
        "names": {k: number[v] for k, v in cell.names.items()},
    }


def from_data(data: Mapping[str, Any]) -> Cell:
    """Return the cell that :func:`to_data` wrote.

    Raises
    ------
    CellError
        Where the data is of another version, or is not a legal cell.
    """
    try:
        cell = _read(data)
        check(cell)
    except CellError:
        raise
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        raise CellError(f"the cell as data is damaged: {type(error).__name__} {error!s:.80}") from error
    return cell


def _read(data: Mapping[str, Any]) -> Cell:
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        came = data.get("format") if isinstance(data, Mapping) else type(data).__name__
        raise CellError(f"wanted a cell as data of format {FORMAT}, got {came!r}")
    if len(data["nodes"]) > LARGEST:
        raise CellError(f"a cell of {len(data['nodes'])} nodes; at most {LARGEST} are read")
    nodes: list[Node] = []
    for op_name, sources, attribute, width in data["nodes"]:
        op = Op(op_name)
        if len(sources) != ARITY[op]:
            raise CellError(f"node {len(nodes)} of the cell as data has {len(sources)} sources")
        if op in PRODUCTS and not (
            _at(nodes, sources[0]).op is Op.PARAM and nodes[sources[0]].weight.columns
        ):
            raise CellError(f"node {len(nodes)} of the cell as data multiplies with what is no matrix")
        node = make(op, tuple(_at(nodes, s) for s in sources), _READ.get(op, _none)(attribute), _width(width))
        nodes.append(node)
    return Cell(
        name=_text(data["name"]),
        input=_at(nodes, data["input"]),
        states=tuple(_at(nodes, k) for k in data["states"]),
        results=tuple(_at(nodes, k) for k in data["results"]),
        names={_text(k): _at(nodes, v) for k, v in data["names"].items()},
        source=_text(data["source"]),
        summary=_text(data["summary"]),
        block=data["block"],
    )


def _at(nodes: list[Node], place: Any) -> Node:
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(nodes):
        raise ValueError(f"no node {place!r:.20} among the {len(nodes)} so far")
    return nodes[place]


def _attribute(node: Node) -> Any:
    a = node.attribute
    if isinstance(a, Weight):
        return [a.name, a.role, a.rows, a.columns, a.start]
    if isinstance(a, Mask):
        return [a.name, a.kind, a.rate, a.each, a.width]
    return a


def _weight(came: Any) -> Weight:
    name, role, rows, columns, start = came
    if role not in ("input", "recurrent", "peephole", "bias", "gain"):
        raise ValueError(f"role {role!r}")
    if start is not None and start != "identity":
        start = _number(start)
        if abs(start) > 1e38:
            raise ValueError(f"a weight that starts at {start:g}, which float32 does not hold")
    rows, columns = _width(rows), _width(columns)
    if rows is None:
        raise ValueError("a weight without rows")
    if columns is None and start == "identity":
        raise ValueError("a vector that starts as the identity")
    return Weight(_identifier(name), role, rows, columns, start)


def _mask(came: Any) -> Mask:
    name, kind, rate, each, width = came
    if kind not in ("dropout", "zoneout") or each not in ("sequence", "step") or not 0 <= _number(rate) < 1:
        raise ValueError(f"mask {came!r}")
    width = _width(width)
    if width is None:
        raise ValueError("a mask without width")
    return Mask(_identifier(name), kind, float(rate), each, width)


def _number(came: Any) -> float:
    if isinstance(came, bool) or not isinstance(came, int | float):
        raise ValueError(f"wanted a number, got {came!r}")
    if not math.isfinite(came):
        raise ValueError(f"wanted a finite number, got {came!r}")
    return float(came) + 0.0  # + 0.0 makes -0.0 and 0.0 one node


def _text(came: Any) -> str:
    if not isinstance(came, str):
        raise ValueError(f"wanted text, got {came!r}")
    return came


def _identifier(came: Any) -> str:
    if not _text(came).isidentifier():
        raise ValueError(f"wanted a name, got {came!r}")
    return cast(str, came)


def _width(came: Any) -> Width | None:
    if came not in ("I", "H", "K", "1", None):
        raise ValueError(f"width {came!r}")
    return cast("Width | None", came)


def _units(came: Any) -> Width:
    width = _width(came)
    if width is None:
        raise ValueError("the size of a number")
    return width


def _none(came: Any) -> None:
    if came is not None:
        raise ValueError(f"attribute {came!r} where none belongs")


_READ: dict[Op, Callable[[Any], Attribute]] = {
    Op.INPUT: _identifier,
    Op.STATE: _identifier,
    Op.PARAM: _weight,
    Op.CONST: _number,
    Op.SIZE: _units,
    Op.MASK: _mask,
    Op.COTANGENT: _identifier,
}


def _flat(cell: Cell) -> tuple[Callable[[Mapping[str, Any]], Cell], tuple[dict[str, Any]]]:
    return from_data, (to_data(cell),)


copyreg.pickle(Cell, _flat)  # as data, so that no graph is too deep for it
