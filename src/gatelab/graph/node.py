"""Nodes: frozen, interned, and written with Python's operators.

Two nodes with the same operation, sources and attribute are the same object, so that equality is
identity and a common sub-expression is computed once.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from weakref import WeakValueDictionary

from gatelab.axes import Width
from gatelab.errors import CellError
from gatelab.graph.op import ARITY, BINARY, LEAVES, PRODUCTS, Op

Role = Literal["input", "recurrent", "peephole", "bias", "gain"]
Start = float | Literal["identity"] | None


@dataclass(frozen=True, slots=True)
class Weight:
    """A trained weight: matrix [rows, columns], or vector [rows] where ``columns`` is None.

    ``role`` says what it joins and so how it is initialised; ``start`` overrides that with a constant
    or with the identity matrix.
    """

    name: str
    role: Role
    rows: Width
    columns: Width | None = None
    start: Start = None


@dataclass(frozen=True, slots=True)
class Mask:
    """Random factors [B, width], drawn once a sequence or once a step.

    ``dropout``: 0 with probability ``rate``, else 1 / (1 - rate); without training it is 1.
    ``zoneout``: 1 with probability ``rate``, else 0; without training it is ``rate``.
    """

    name: str
    kind: Literal["dropout", "zoneout"]
    rate: float
    each: Literal["sequence", "step"]
    width: Width

    @property
    def expectation(self) -> float:
        """The value that stands for the mask when nothing is trained."""
        return 1.0 if self.kind == "dropout" else self.rate


Attribute = str | float | Weight | Mask | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Node:
    """One value of a cell: an operation on other values.

    Made by :func:`make` and by the operators ``+ - * /`` and unary ``-``, which repeat a narrower value
    to the wider one's units. ``width`` is None where any width fits (a constant).
    """

    op: Op
    sources: tuple[Node, ...]
    attribute: Attribute
    width: Width | None

    @property
    def weight(self) -> Weight:
        """The weight of a PARAM node."""
        assert isinstance(self.attribute, Weight), self
        return self.attribute

    @property
    def mask(self) -> Mask:
        """The mask of a MASK node."""
        assert isinstance(self.attribute, Mask), self
        return self.attribute

    @property
    def name(self) -> str:
        """The name of an INPUT, STATE, PARAM, MASK or COTANGENT node, else an empty string."""
        if isinstance(self.attribute, Weight | Mask):
            return self.attribute.name
        return self.attribute if isinstance(self.attribute, str) else ""

    @property
    def value(self) -> float:
        """The number of a CONST node."""
        assert isinstance(self.attribute, float), self
        return self.attribute

    def __add__(self, other: Operand) -> Node:
        return _binary(Op.ADD, self, other)

    def __radd__(self, other: Operand) -> Node:
        return _binary(Op.ADD, other, self)

    def __sub__(self, other: Operand) -> Node:
        return _binary(Op.SUB, self, other)

    def __rsub__(self, other: Operand) -> Node:
        return _binary(Op.SUB, other, self)

    def __mul__(self, other: Operand) -> Node:
        return _binary(Op.MUL, self, other)

    def __rmul__(self, other: Operand) -> Node:
        return _binary(Op.MUL, other, self)

    def __truediv__(self, other: Operand) -> Node:
        return _binary(Op.DIV, self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return _binary(Op.DIV, other, self)

    def __neg__(self) -> Node:
        return make(Op.NEG, (self,))

    def __bool__(self) -> NoReturn:
        raise CellError(
            "a cell cannot branch on a value (if, and, or, not): wanted one equation for all units and "
            "steps; try maximum, step or mix"
        )

    def __iter__(self) -> NoReturn:
        raise CellError("a value of a cell cannot be unpacked or indexed: its units are all treated alike")

    __array_ufunc__ = None  # so that a numpy array on the left is refused, not looped over

    def __repr__(self) -> str:
        return _written(self, depth=4)

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: object) -> Node:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return make, (self.op, self.sources, self.attribute, self.width)


Operand = Node | float | int

_interned: WeakValueDictionary[tuple[object, ...], Node] = WeakValueDictionary()
_interning = threading.RLock()  # two threads must not both make the one node


def make(
    op: Op, sources: tuple[Node, ...] = (), attribute: Attribute = None, width: Width | None = None
) -> Node:
    """Return the one node with this operation, these sources and this attribute.

    ``width`` is read for leaves, SPREAD and SUM only; all others find it from their sources.

    Raises
    ------
    CellError
        Where the sources' widths do not fit together.
    """
    assert len(sources) == ARITY[op], (op, sources)
    if op not in LEAVES and op not in (Op.SPREAD, Op.SUM):
        width = _width(op, sources)
    key = (op, sources, type(attribute), attribute, width)
    with _interning:
        node = _interned.get(key)
        if node is None:
            node = Node(op, sources, attribute, width)
            _interned[key] = node
    return node


def constant(value: float) -> Node:
    """Return a constant, of any width."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CellError(f"wanted a finite constant, got {number}")
    return make(Op.CONST, (), number + 0.0)  # + 0.0 makes -0.0 and 0.0 one node


def spread(node: Node, width: Width | None) -> Node:
    """Return ``node`` repeated to ``width``; itself where it has that width or fits any."""
    if width is None or node.width is None or node.width == width:
        return node
    if (node.width, width) not in NARROWER:
        raise CellError(f"a value {_said(node)} cannot be repeated to width {width}")
    return make(Op.SPREAD, (node,), None, width)


STATE_WIDTHS: tuple[Width, ...] = ("H", "K", "1")

NARROWER: frozenset[tuple[Width, Width]] = frozenset({("1", "H"), ("1", "K"), ("1", "I"), ("K", "H")})
"""Pairs (narrow, wide) in which the narrow value can be repeated to the wide one's units."""


def elementwise(op: Op, *operands: Operand) -> Node:
    """Return ``op`` of the operands, each repeated to the widest one's units."""
    nodes = [as_node(o) for o in operands]
    widest: Width | None = None
    for node in nodes:
        if widest is None or (widest, node.width) in NARROWER:
            widest = node.width
    fits = [(n.width, widest) in NARROWER for n in nodes]
    return make(op, tuple(spread(n, widest) if f else n for n, f in zip(nodes, fits, strict=True)))


def as_node(value: Operand) -> Node:
    """Return a node as it is and a number as a constant; refuse all else."""
    if isinstance(value, Node):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return constant(value)
    raise CellError(f"wanted a value of the cell or a number, got {type(value).__name__} {value!r:.40}")


def _binary(op: Op, left: Operand, right: Operand) -> Node:
    if not isinstance(left, Node | int | float) or not isinstance(right, Node | int | float):
        return NotImplemented
    return elementwise(op, left, right)


def _width(op: Op, sources: tuple[Node, ...]) -> Width | None:
    if op in PRODUCTS:
        return _product_width(op, *sources)
    if op is Op.OUTER:
        return sources[0].width
    widths = {s.width for s in sources if s.width is not None}
    if len(widths) > 1:
        raise CellError(
            f"{op.value} of values of different widths: {', '.join(_said(s) for s in sources)}; "
            f"try linear(x, name=…) to bring the input to the hidden size"
        )
    if op in BINARY or op is Op.MIX or sources:
        return widths.pop() if widths else None
    return None


def _product_width(op: Op, parameter: Node, vector: Node) -> Width:
    weight = parameter.weight
    assert weight.columns is not None, f"{weight.name} is a vector"
    enters, leaves = (weight.columns, weight.rows) if op is Op.MATMUL else (weight.rows, weight.columns)
    if vector.width != enters:
        raise CellError(f"{weight.name} wants a value of width {enters}, got one {_said(vector)}")
    return leaves


def _written(node: Node, depth: int) -> str:
    """Return the node as text; what lies deep is left out, for shared values would be written often."""
    parts = [] if node.attribute is None else [repr(node.attribute)]
    parts += [_written(s, depth - 1) for s in node.sources] if depth else ["…"] * bool(node.sources)
    return f"{node.op.value}({', '.join(parts)})"


def _said(node: Node) -> str:
    name = f"{node.name!r} " if node.name else ""
    return f"{name}of width {node.width or 'any'}"
