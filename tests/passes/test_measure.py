"""Costs: formulas against counted weights and operations counted by hand."""

from fractions import Fraction

import pytest

from gatelab import cell, cells, linear, mean, sigmoid, tanh
from gatelab.graph import Op
from gatelab.passes import Formula, measure

COUNTED = [
    "lstm+layer-norm",
    "fgr+layer-norm",
    "gru+zoneout",
    "lstm-blocks+blocks=4",
    "lstm-blocks+layer-norm",
]


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *COUNTED])
@pytest.mark.parametrize(("inputs", "hidden"), [(1, 4), (7, 12)])
def test_parameters_are_the_numbers_that_weights_hold(name, inputs, hidden):
    cell = cells.get(name)
    sizes = {"I": inputs, "H": hidden, "K": hidden // cell.block, "1": 1, None: 1}
    counted = sum(sizes[p.weight.rows] * sizes[p.weight.columns] for p in cell.parameters)
    assert measure(cell).parameters(inputs, hidden) == counted


@pytest.mark.parametrize(
    ("name", "parameters", "flops", "activations"),
    [
        # tanh: two sums, one activation
        ("tanh", "IH + H² + H", "2IH + 2H² + 3H", "H"),
        # LSTM: four gates of two sums, three peepholes of ×+, five activations, c and h
        ("lstm", "4IH + 4H² + 7H", "8IH + 8H² + 23H", "5H"),
        # GRU: three gates of two sums, three activations, r ⊙ h, and the blend at three a unit
        ("gru", "3IH + 3H² + 3H", "6IH + 6H² + 13H", "3H"),
        ("lstm-blocks", "(5/2)IH + (5/2)H² + (5/2)H", "5IH + 5H² + (25/2)H", "(7/2)H"),
    ],
)
def test_formulas(name, parameters, flops, activations):
    cost = measure(cells.get(name))
    assert (str(cost.parameters), str(cost.flops), str(cost.activations)) == (parameters, flops, activations)


def test_bytes_are_weights_input_and_states_read_and_written():
    lstm = measure(cells.get("lstm"))
    assert lstm.bytes(20, 195) == 4 * (169_065 + 20 + 4 * 195)


def test_narrow_values_and_reductions():
    @cell(widths={"level": "1"})
    def mine(x, h, level):
        return tanh(h) * sigmoid(level), mean(h)

    cost = measure(mine)  # tanh H, sigmoid 1, product H; sum H, division 1
    assert (str(cost.flops), str(cost.activations), str(cost.parameters)) == ("3H + 2", "H + 1", "0")


def test_a_shared_value_is_counted_once():
    @cell
    def mine(x, h):
        z = linear(x, h, name="z")
        return tanh(z) * tanh(z)

    assert str(measure(mine).flops) == "2IH + 2H² + 4H"


def test_numbers_and_spread_are_free():
    @cell(widths={"level": "1"})
    def mine(x, h, level):
        return h * level, 0.5

    assert str(measure(mine).flops) == "H"
    assert Op.SPREAD in {n.op for n in mine.nodes}


def test_formulas_are_polynomials():
    a, b = Formula({(1, 0): 2}), Formula({(0, 1): Fraction(1, 2), (0, 0): 1})
    assert str(a + b) == "2I + (1/2)H + 1"
    assert str(a * b) == "IH + 2I"
    assert str(b * 2) == "H + 2"
    assert (a + Formula({(1, 0): -2})).terms == {}
    assert (a * b)(3, 4) == 18
    assert str(Formula({(2, 10): 3})) == "3I²H¹⁰"
