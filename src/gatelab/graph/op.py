"""The operations of which every cell, and the derivative of every cell, is made.

A reading (values, derivative, cost, equation …) is a table with one rule for each of them; a contract
test demands that no table forgets one.
"""

from __future__ import annotations

from enum import Enum, unique


@unique
class Op(Enum):
    """One operation. Values are vectors per sequence, [B, width], unless said otherwise."""

    # leaves
    INPUT = "input"  # x of this step
    STATE = "state"  # a state as the previous step left it
    PARAM = "param"  # a trained weight: matrix [rows, columns] or vector [rows]
    CONST = "const"  # a number, of any width
    SIZE = "size"  # the number of units of a width, as a number
    MASK = "mask"  # random factors, drawn once a sequence or once a step
    COTANGENT = "cotangent"  # ∂L/∂(new state), in adjoint graphs only

    # products with a weight matrix
    MATMUL = "matmul"  # (P, v): P v
    MATMUL_T = "matmul_t"  # (P, v): Pᵀ v
    OUTER = "outer"  # (u, v): u vᵀ, summed over sequences and steps; adjoint graphs only

    # element by element
    ADD = "add"
    SUB = "sub"
    MUL = "mul"
    DIV = "div"
    NEG = "neg"
    MAXIMUM = "maximum"  # at a tie the second argument is taken, its derivative too
    MIX = "mix"  # (z, a, b): z a + (1 - z) b
    SIGMOID = "sigmoid"
    TANH = "tanh"
    RELU = "relu"
    EXP = "exp"
    LOG = "log"
    SQRT = "sqrt"
    STEP = "step"  # 1 where positive, else 0; its derivative is taken as 0

    # between widths
    SPREAD = "spread"  # a narrow value repeated: 1 → all units, a block's value → its units
    SUM = "sum"  # the adjoint of SPREAD: summed over all units, or over each block's


LEAVES = frozenset({Op.INPUT, Op.STATE, Op.PARAM, Op.CONST, Op.SIZE, Op.MASK, Op.COTANGENT})
PRODUCTS = frozenset({Op.MATMUL, Op.MATMUL_T})
UNARY = frozenset({Op.NEG, Op.SIGMOID, Op.TANH, Op.RELU, Op.EXP, Op.LOG, Op.SQRT, Op.STEP})
BINARY = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAXIMUM})
ELEMENTWISE = UNARY | BINARY | {Op.MIX}
ADJOINT_ONLY = frozenset({Op.COTANGENT, Op.MATMUL_T, Op.OUTER})

ARITY = (
    dict.fromkeys(LEAVES, 0)
    | dict.fromkeys(UNARY, 1)
    | dict.fromkeys(BINARY, 2)
    | {Op.MIX: 3, Op.MATMUL: 2, Op.MATMUL_T: 2, Op.OUTER: 2, Op.SPREAD: 1, Op.SUM: 1}
)
