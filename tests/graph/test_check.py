"""What is no legal cell, refused at the border."""

from dataclasses import replace

import pytest

from gatelab import cells
from gatelab.errors import CellError
from gatelab.graph import Cell, Mask, Op, Weight, check, make
from gatelab.graph.language import linear, product, tanh, vector

X, H, C = make(Op.INPUT, (), "x", "I"), make(Op.STATE, (), "h", "H"), make(Op.STATE, (), "c", "H")
MATRIX = make(Op.PARAM, (), Weight("U", "recurrent", "H", "H"), "H")
SEED = make(Op.COTANGENT, (), "h", "H")


def cell_of(*results, states=(H,), x=X, **extra):
    return Cell("mine", x, states, results, **extra)


def test_the_catalogue_is_legal():
    for cell in cells.CATALOGUE.values():
        check(cell)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (cell_of(states=()), "one new value for each of its 0 states"),
        (cell_of(H, H), "one new value for each of its 1 states"),
        (cell_of(C), "foreign state 'c'; its own are h"),
        (cell_of(make(Op.STATE, (), "h", "K")), "foreign state 'h'"),
        (cell_of(tanh(linear(make(Op.INPUT, (), "y", "I"), name="z"))), "foreign input 'y'"),
        (cell_of(H, x=C), "input must be a leaf of width I"),
        (cell_of(H, x=make(Op.INPUT, (), "x", "H")), "input must be a leaf of width I"),
        (cell_of(H, states=(X,)), "state must be a leaf"),
        (cell_of(H, states=(tanh(H),)), "state must be a leaf"),
        (cell_of(1 + 0 * H, states=(make(Op.STATE, (), "s", "I"),)), "width H, K or 1"),
        (cell_of(H, H, states=(H, H)), "names of their own, got x, h, h"),
        (cell_of(make(Op.STATE, (), "x", "H"), states=(make(Op.STATE, (), "x", "H"),)), "x, x"),
        (cell_of(SEED + H), "cotangent belongs to derivatives"),
        (cell_of(make(Op.MATMUL_T, (MATRIX, H))), "matmul_t belongs to derivatives"),
        (cell_of(make(Op.OUTER, (H, H))), "outer belongs to derivatives"),
        (cell_of(MATRIX + H), "weight matrix stands in add"),
        (cell_of(make(Op.MATMUL, (MATRIX, MATRIX))), "weight matrix stands in matmul"),
        (cell_of(MATRIX), "new value of h is a weight matrix"),
        (cell_of(make(Op.CONST, (), 1.0, "H")), "is None wide, not H"),
        (cell_of(H * make(Op.PARAM, (), Weight("b", "bias", "K"), "H")), "is K wide, not H"),
        (cell_of(H * make(Op.MASK, (), Mask("m", "dropout", 0.5, "step", "1"), "H")), "is 1 wide, not H"),
        (cell_of(make(Op.SPREAD, (C,), None, "K"), states=(make(Op.STATE, (), "k", "K"),)), "foreign"),
        (cell_of(make(Op.SPREAD, (H,), None, "K")), "spread from width H to K"),
        (cell_of(make(Op.SUM, (H,), None, "H")), "sum from width H to H"),
        (cell_of(make(Op.SUM, (make(Op.CONST, (), 1.0),), None, "1")), "sum from width None to 1"),
        (cell_of(product("U", H) + product("U", tanh(H))), "U is used in 2 equations"),
        (cell_of(vector("b", "bias", "H") + vector("b", "gain", "H") * H), "'b' is used for two different"),
        (cell_of(H, names={"z": tanh(H)}), "named 'z' does not enter"),
        (cell_of(H, names={"z": H}), "named 'z' does not enter"),
        (cell_of(H, block=-1), "block of at least 1"),
        (cell_of(H, block="2"), "block of at least 1"),
    ],
    ids=range(31),
)  # fmt: skip
def test_what_is_no_cell(wrong, said):
    with pytest.raises(CellError, match=said) as caught:
        check(wrong)
    assert "'mine'" in str(caught.value)


def test_a_result_of_another_width():
    gru = cells.get("gru")
    with pytest.raises(CellError, match="state h is H wide, its new value I"):
        check(replace(gru, results=(X,), names={}))
