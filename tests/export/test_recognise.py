"""ONNX's own cells are told by their equations, however these are written."""

import pytest

from gatelab import cell, linear, mix, peephole, relu, sigmoid, tanh
from gatelab.export import recognise
from gatelab.export.recognise import Gate
from gatelab.passes.simplify import simplify_cell


@cell
def turned(one, two, three):
    """An LSTM with other names and another order, one peephole, and no bias in the forget gate."""
    u = tanh(linear(two, name="candidate") + linear(one, name="extra", bias=False))
    a = sigmoid(linear(one, two, name="a"))
    b = sigmoid(
        linear(two, name="b", bias=False) + peephole(three, name="b") + linear(one, name="d", bias=False)
    )
    memory = u * a + three * b
    return tanh(memory) * sigmoid(linear(one, two, name="out")), memory


def test_an_lstm_by_any_name():
    native = recognise(simplify_cell(turned))
    assert native.operator == "LSTM"
    assert native.activations == ("Sigmoid", "Tanh", "Tanh")
    i, o, f, c = native.gates
    assert i == Gate("W_a", "U_a", ("b_a", None))
    assert o == Gate("W_out", "U_out", ("b_out", None))
    assert f == Gate("W_d", "U_b", (None, None), "V_b")
    assert c == Gate("W_extra", "U_candidate", ("b_candidate", None))


@cell
def keeping(x, h):
    z = sigmoid(linear(x, h, name="z"))
    r = sigmoid(linear(x, h, name="r"))
    return mix(z, h, relu(linear(x, h * r, name="n")))


@cell
def letting(x, h):
    z = sigmoid(linear(x, h, name="z"))
    r = sigmoid(linear(x, h, name="r"))
    return mix(z, tanh(linear(h, name="n") * r + linear(x, name="n2", bias=False)), h)


@pytest.mark.parametrize(("which", "negated", "after"), [(keeping, False, 0), (letting, True, 1)])
def test_grus_of_all_four_kinds(which, negated, after):
    native = recognise(which)
    assert native.operator == "GRU"
    assert (native.gates[0].negated, native.linear_before_reset) == (negated, after)


@cell
def twice(x, h):
    return tanh(linear(x, name="a") + linear(h, name="b"))


def test_two_biases():
    assert recognise(twice).gates[0].biases == ("b_a", "b_b")


@cell
def three_biases(x, h):
    return tanh(linear(x, name="a") + linear(h, name="b") + linear(x, name="c"))


@cell
def unlike_gates(x, h):
    z, r = sigmoid(linear(x, h, name="z")), tanh(linear(x, h, name="r"))
    return mix(z, tanh(linear(x, r * h, name="h")), h)


@cell
def tanh_update(x, h):
    z, r = tanh(linear(x, h, name="z")), tanh(linear(x, h, name="r"))
    return mix(z, tanh(linear(x, r * h, name="h")), h)


@cell
def old_memory(x, h, c):
    i, f, o = (sigmoid(linear(x, h, name=k) + peephole(c, name=k)) for k in "ifo")
    memory = f * c + i * tanh(linear(x, h, name="c"))
    return o * tanh(memory), memory


@cell
def output_of_old_memory(x, h, c):
    i, f, o = (sigmoid(linear(x, h, name=k)) for k in "ifo")
    memory = f * c + i * tanh(linear(x, h, name="c"))
    return o * tanh(c), memory


@cell
def crossed(x, h, c):
    i, f, o = (sigmoid(linear(x, c, name=k)) for k in "ifo")
    memory = f * c + i * tanh(linear(x, h, name="c"))
    return o * tanh(memory), memory


@pytest.mark.parametrize(
    "other",
    [three_biases, unlike_gates, tanh_update, old_memory, output_of_old_memory, crossed],
    ids=lambda c: c.name,
)
def test_near_misses(other):
    assert recognise(other) is None
