"""What a cell costs: parameters, floating-point operations and bytes, as formulas in I and H.

Counted are, for one step of one sequence: two operations for each entry of a weight matrix in a product,
three for a blend, one for each other element-wise result, an exponential, a tanh or a σ included.
Bytes are those of weights read, input read, states read and written, at 4 bytes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from gatelab.axes import Width
from gatelab.graph.cell import Cell
from gatelab.graph.fold import fold
from gatelab.graph.node import Node, Weight
from gatelab.graph.op import BINARY, LEAVES, UNARY, Op

BYTES = 4


@dataclass(frozen=True)
class Formula:
    """A polynomial in the input size I and the hidden size H.

    ``terms`` holds (power of I, power of H) → factor.

    Examples
    --------
    >>> from gatelab.passes.measure import Formula
    >>> str(Formula({(1, 1): 4, (0, 2): 4, (0, 1): 7})), Formula({(1, 1): 4})(20, 195)
    ('4IH + 4H² + 7H', 15600)
    """

    terms: Mapping[tuple[int, int], Fraction | int]

    def __add__(self, other: Formula) -> Formula:
        keys = sorted({*self.terms, *other.terms}, reverse=True)
        summed = {k: Fraction(self.terms.get(k, 0)) + other.terms.get(k, 0) for k in keys}
        return Formula({k: v for k, v in summed.items() if v})

    def __mul__(self, other: Formula | int) -> Formula:
        if isinstance(other, int):
            return self * Formula({(0, 0): other})
        total = Formula({})
        for (i, h), a in self.terms.items():
            total += Formula({(i + j, h + k): a * b for (j, k), b in other.terms.items()})
        return total

    def __call__(self, input_size: int, hidden_size: int) -> int:
        """Return the value for these sizes; H must be a multiple of the block."""
        value = sum(Fraction(f) * input_size**i * hidden_size**h for (i, h), f in self.terms.items())
        assert value.denominator == 1, (self, input_size, hidden_size)
        return int(value)

    def __str__(self) -> str:
        parts = []
        for (i, h), factor in self.terms.items():
            letters = _power("I", i) + _power("H", h)
            parts.append(letters if factor == 1 and letters else f"{_factor(factor)}{letters}")
        return " + ".join(parts) or "0"


@dataclass(frozen=True)
class Cost:
    """What one step of one sequence costs; see the module for what is counted."""

    parameters: Formula
    flops: Formula
    activations: Formula  # exponentials, tanh and σ among the operations
    bytes: Formula


def measure(cell: Cell) -> Cost:
    """Return the cost of one step of ``cell``.

    Examples
    --------
    >>> import gatelab
    >>> from gatelab.passes import measure
    >>> cost = measure(gatelab.cells.get("lstm"))
    >>> str(cost.parameters), cost.parameters(20, 195)
    ('4IH + 4H² + 7H', 169065)
    """
    sizes = _Sizes(cell.block)
    parameters = _total(sizes.of_weight(p.weight) for p in cell.parameters)
    flops = fold(cell.results, {op: _bound(rule, sizes) for op, rule in FLOPS.items()})
    nodes = cell.nodes
    activations = [n for n in nodes if n.op in (Op.SIGMOID, Op.TANH, Op.EXP, Op.LOG, Op.SQRT)]
    moved = [sizes.of(cell.input.width)] + [sizes.of(s.width) * 2 for s in cell.states]
    return Cost(
        parameters=parameters,
        flops=_total(flops[n] for n in nodes),
        activations=_total(sizes.of(n.width) for n in activations),
        bytes=(parameters + _total(moved)) * BYTES,
    )


class _Sizes:
    """How many numbers a value or a weight holds."""

    def __init__(self, block: int) -> None:
        self.widths: dict[Width | None, Formula] = {
            "I": Formula({(1, 0): 1}),
            "H": Formula({(0, 1): 1}),
            "K": Formula({(0, 1): Fraction(1, block)}),
            "1": Formula({(0, 0): 1}),
            None: Formula({}),  # a number is computed once for all
        }

    def of(self, width: Width | None) -> Formula:
        return self.widths[width]

    def of_weight(self, weight: Weight) -> Formula:
        rows = self.of(weight.rows)
        return rows if weight.columns is None else rows * self.of(weight.columns)


def _total(formulas: Iterable[Formula]) -> Formula:
    total = Formula({})
    for formula in formulas:
        total += formula
    return total


def _bound(rule: Callable[[_Sizes, Node], Formula], sizes: _Sizes) -> Callable[..., Formula]:
    return lambda node, *_: rule(sizes, node)


def _free(sizes: _Sizes, node: Node) -> Formula:
    return Formula({})


def _each(sizes: _Sizes, node: Node) -> Formula:
    return sizes.of(node.width)


def _product(sizes: _Sizes, node: Node) -> Formula:
    return sizes.of_weight(node.sources[0].weight) * 2


def _outer(sizes: _Sizes, node: Node) -> Formula:
    return sizes.of(node.sources[0].width) * sizes.of(node.sources[1].width) * 2


def _sum(sizes: _Sizes, node: Node) -> Formula:
    return sizes.of(node.sources[0].width)


FLOPS: Mapping[Op, Callable[[_Sizes, Node], Formula]] = {
    **dict.fromkeys(LEAVES | {Op.SPREAD}, _free),
    **dict.fromkeys(UNARY | BINARY, _each),
    Op.MIX: lambda sizes, node: sizes.of(node.width) * 3,
    Op.MATMUL: _product,
    Op.MATMUL_T: _product,
    Op.OUTER: _outer,
    Op.SUM: _sum,
}

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def _power(letter: str, power: int) -> str:
    if power == 0:
        return ""
    return letter if power == 1 else letter + str(power).translate(_SUPERSCRIPT)


def _factor(factor: Fraction | int) -> str:
    fraction = Fraction(factor)
    return str(fraction) if fraction.denominator == 1 else f"({fraction})"
