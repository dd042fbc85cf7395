"""The words in which a user writes a cell: products, activations, blends, reductions.

Every function takes and returns nodes; a plain number may stand wherever a node may.
"""

from __future__ import annotations

import operator
from functools import reduce

from gatelab.axes import Width
from gatelab.errors import CellError
from gatelab.graph.fold import depends_on
from gatelab.graph.node import Node, Operand, Role, Start, Weight, as_node, elementwise, make
from gatelab.graph.op import Op


def linear(*values: Node, name: str, bias: bool = True, blocks: bool = False) -> Node:
    """Return W x + U h + b: one weight matrix for each value, and one bias.

    Parameters
    ----------
    *values
        Values of the cell. One that does not depend on a state is multiplied by ``W_name``, one that
        does by ``U_name``; further ones of the same kind get the state's name or a number at the end.
    name
        Names the weights; use each name for one ``linear`` only.
    bias
        Whether ``b_name`` [H] is added.
    blocks
        Whether the result has one value a memory block, [B, K], instead of one a unit, [B, H].

    Returns
    -------
    Node
        [B, H], or [B, K] with ``blocks``.

    Raises
    ------
    CellError
        Where ``name`` is no identifier or no value is given.

    Examples
    --------
    >>> from gatelab import cell, linear, tanh
    >>> @cell
    ... def elman(x, h):
    ...     return tanh(linear(x, h, name="h"))
    >>> [p.name for p in elman.parameters]
    ['W_h', 'b_h', 'U_h']
    """
    _check_name(name)
    if not values:
        raise CellError(f"linear(name={name!r}) wants at least one value, such as x or h")
    rows: Width = "K" if blocks else "H"
    taken: set[str] = set()
    terms = [_product(as_node(value), name, rows, taken) for value in values]
    if bias:  # beside the input, so that what does not wait for the state stands together
        first = next((k for k, term in enumerate(terms) if depends_on(term, Op.STATE)), len(terms))
        terms.insert(first, vector(f"b_{name}", "bias", rows))
    return reduce(operator.add, terms)


def peephole(value: Node, name: str) -> Node:
    """Return V ⊙ value: the diagonal product by which a gate sees the memory cell.

    The weight is the vector ``V_name``, as wide as ``value``. Source: Gers and Schmidhuber 2000; Graves
    2013, arXiv:1308.0850.

    Examples
    --------
    >>> from gatelab import cell, linear, peephole, sigmoid
    >>> @cell
    ... def leaky(x, h):
    ...     return sigmoid(linear(x, name="h") + peephole(h, name="h"))
    >>> [p.name for p in leaky.parameters]
    ['W_h', 'b_h', 'V_h']
    """
    _check_name(name)
    value = as_node(value)
    if value.width is None:
        raise CellError(f"peephole(name={name!r}) wants a value of the cell, got a constant")
    return vector(f"V_{name}", "peephole", value.width) * value


def sigmoid(value: Operand) -> Node:
    """Return the logistic sigmoid 1 / (1 + e⁻ᵛ)."""
    return elementwise(Op.SIGMOID, value)


def tanh(value: Operand) -> Node:
    """Return the hyperbolic tangent."""
    return elementwise(Op.TANH, value)


def relu(value: Operand) -> Node:
    """Return max(value, 0)."""
    return elementwise(Op.RELU, value)


def exp(value: Operand) -> Node:
    """Return eᵛ."""
    return elementwise(Op.EXP, value)


def log(value: Operand) -> Node:
    """Return the natural logarithm."""
    return elementwise(Op.LOG, value)


def sqrt(value: Operand) -> Node:
    """Return the square root."""
    return elementwise(Op.SQRT, value)


def step(value: Operand) -> Node:
    """Return 1 where the value is positive, else 0; the derivative is taken as 0."""
    return elementwise(Op.STEP, value)


def maximum(left: Operand, right: Operand) -> Node:
    """Return the larger of two values, unit by unit."""
    return elementwise(Op.MAXIMUM, left, right)


def minimum(left: Operand, right: Operand) -> Node:
    """Return the smaller of two values, unit by unit."""
    return -maximum(-as_node(left), -as_node(right))


def mix(gate: Operand, new: Operand, old: Operand) -> Node:
    """Return gate ⊙ new + (1 − gate) ⊙ old: the convex blend of update gates.

    Examples
    --------
    >>> from gatelab import cell, linear, mix, sigmoid, tanh
    >>> @cell
    ... def minimal(x, h):
    ...     f = sigmoid(linear(x, h, name="f"))
    ...     return mix(f, tanh(linear(x, f * h, name="h")), h)
    """
    return elementwise(Op.MIX, gate, new, old)


def mean(value: Node) -> Node:
    """Return the mean over all units of the value, one number a sequence, [B, 1]."""
    if value.width in (None, "1"):
        return value
    return make(Op.SUM, (value,), None, "1") / make(Op.SIZE, (), value.width)


def layer_norm(value: Node, name: str, epsilon: float = 1e-5) -> Node:
    """Return γ ⊙ (value − mean) / √(variance + ε), mean and variance over the units.

    The gain is the vector ``G_name``, started at 1. Source: Ba, Kiros and Hinton 2016,
    arXiv:1607.06450, equation 4; the bias is left to the equation in which this stands.
    """
    _check_name(name)
    if value.width in (None, "1"):
        raise CellError(f"layer_norm(name={name!r}) wants a value with units, got one of width 1")
    centred = value - mean(value)
    scale = sqrt(mean(centred * centred) + epsilon)
    assert value.width is not None
    return vector(f"G_{name}", "gain", value.width, start=1.0) * (centred / scale)


def vector(name: str, role: Role, width: Width, start: Start = None) -> Node:
    """Return a trained vector [width]: a bias, a peephole or a gain."""
    return make(Op.PARAM, (), Weight(name, role, width, None, start), width)


def product(name: str, value: Node, rows: Width = "H", start: Start = None) -> Node:
    """Return P v for a trained matrix P of this name, [rows, width of v]."""
    if value.width is None:
        raise CellError(f"the weight {name} wants a value of the cell, got a constant")
    role: Role = "recurrent" if depends_on(value, Op.STATE) else "input"
    matrix = make(Op.PARAM, (), Weight(name, role, rows, value.width, start), rows)
    return make(Op.MATMUL, (matrix, value))


def _product(value: Node, name: str, rows: Width, taken: set[str]) -> Node:
    letter = "U" if depends_on(value, Op.STATE) else "W"
    weight = f"{letter}_{name}"
    if weight in taken and value.op is Op.STATE:
        weight = f"{weight}_{value.name}"
    number, stem = 2, weight
    while weight in taken:
        weight, number = f"{stem}_{number}", number + 1
    taken.add(weight)
    return product(weight, value, rows)


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.isidentifier():
        raise CellError(f"wanted a name made of letters, digits and _, such as 'z'; got {name!r}")
