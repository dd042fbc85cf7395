"""Simpler and equal: one example a rule; random graphs stand in contracts/test_rewrite.py."""

import pytest

from gatelab import cells
from gatelab.graph import Cell, Op, Weight, make
from gatelab.graph.language import (
    exp,
    linear,
    log,
    maximum,
    mean,
    mix,
    product,
    relu,
    sigmoid,
    sqrt,
    step,
    tanh,
)
from gatelab.graph.node import constant, spread
from gatelab.passes import edit, simplify, simplify_cell

X, H, C = make(Op.INPUT, (), "x", "I"), make(Op.STATE, (), "h", "H"), make(Op.STATE, (), "c", "H")
K, ONE = make(Op.STATE, (), "k", "K"), make(Op.STATE, (), "one", "1")
ZERO, UNIT = constant(0), constant(1)
MATRIX = make(Op.PARAM, (), Weight("U", "recurrent", "H", "H"), "H")


def number(value, width="H"):
    return make(Op.SPREAD, (constant(value),), None, width)


@pytest.mark.parametrize(
    ("value", "simple"),
    [
        (H + 0, H),
        (0 + H, H),
        (H + -C, H - C),
        (-H + C, C - H),
        (H - 0, H),
        (0 - H, -H),
        (H - H, ZERO),
        (H - -C, H + C),
        (H - (0 - C), H + C),
        (-H - -C, C - H),
        (H * 0, ZERO),
        (0 * H, ZERO),
        (1 * H, H),
        (H * 1, H),
        (-1 * H, -H),
        (H * -1, -H),
        (H / 1, H),
        (0 / H, ZERO),
        (-(-(H)), H),  # noqa: B002
        (mix(1, H, C), H),
        (mix(0, H, C), C),
        (mix(C, H, H), H),
        (maximum(H, H), H),
        (tanh(H * 0 + 0), ZERO),
        (constant(2) + 3, constant(5)),
        (constant(2) - 3, constant(-1)),
        (constant(2) * 3, constant(6)),
        (constant(3) / 2, constant(1.5)),
        (-constant(2), constant(-2)),
        (maximum(constant(2), 3), constant(3)),
        (mix(constant(0.5), 2, 4), constant(3)),
        (sigmoid(0), constant(0.5)),
        (sigmoid(-1000), ZERO),
        (relu(-2), ZERO),
        (relu(2), constant(2)),
        (exp(0), UNIT),
        (log(1), ZERO),
        (sqrt(4), constant(2)),
        (step(3), UNIT),
        (step(0), ZERO),
        (product("U", H * 0), ZERO),
        (product("U", H * 0 + 2), make(Op.MATMUL, (MATRIX, number(2)))),
        (make(Op.MATMUL_T, (MATRIX, 0 * H)), ZERO),
        (make(Op.OUTER, (H, 0 * H)), ZERO),
        (make(Op.OUTER, (H, 0 * H + 1)), make(Op.OUTER, (H, number(1)))),
        (spread(ONE * 0 + 1, "H") * H, H),
        (spread(spread(ONE, "K"), "H"), make(Op.SPREAD, (ONE,), None, "H")),
        (mean(H * 0), ZERO),
        (make(Op.SUM, (H * 0 + 1,), None, "1"), make(Op.SIZE, (), "H")),
        (make(Op.SUM, (H * 0 + 1,), None, "K"), make(Op.SIZE, (), "H") / make(Op.SIZE, (), "K")),
    ],
    ids=str,
)
def test_rules(value, simple):
    assert simplify([value])[value] is simple
    assert simplify([simple])[simple] is simple or simple.op in (Op.MATMUL, Op.OUTER)


@pytest.mark.parametrize(
    "value",
    [constant(1) / 0, exp(1000), log(0), log(-1), sqrt(-1), constant(1e200) * 1e200, 0 / constant(0), H / 0],
    ids=str,
)
def test_what_is_not_finite_stays(value):
    assert simplify([value])[value] is value


def test_an_ablation_takes_its_weights_with_it():
    lstm, nig = cells.get("lstm"), cells.get("nig")
    gone = {"W_i", "U_i", "b_i", "V_i"}
    assert {p.name for p in lstm.parameters} - {p.name for p in nig.parameters} == gone
    assert list(nig.names) == ["f", "g", "c", "o"]
    assert nig.names["c"] is lstm.names["f"] * lstm.states[1] + lstm.names["g"]


def test_names_of_numbers_are_dropped():
    z = sigmoid(linear(X, H, name="z"))
    r = 0 * z + 1
    simple = simplify_cell(Cell("mine", X, (H,), (z * r,), {"z": z, "r": r}))
    assert dict(simple.names) == {"z": z}


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_the_catalogue_is_simple(name):
    cell = cells.get(name)
    assert simplify_cell(cell) == cell
    assert edit(cell, {}) == cell
