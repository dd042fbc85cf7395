"""From a function to a cell: names, states, and every mistake answered with its cell and its line."""

import functools

import numpy
import pytest
import torch

import gatelab
from gatelab import cell, linear, mean, mix, peephole, sigmoid, tanh
from gatelab.errors import CellError
from gatelab.graph import Op, make, trace

# ── mistakes: the line at fault ends in "# here" ──


def torch_function(x, h):
    return torch.tanh(linear(x, h, name="h"))  # here


def torch_tensor(x, h):
    return torch.ones(3) * h  # here


def method(x, h):
    return linear(x, h, name="h").tanh()  # here


def branch(x, h):
    z = sigmoid(linear(x, h, name="z"))
    if z > 0:  # here
        return z
    return h


def condition(x, h):
    if linear(x, h, name="z"):  # here
        return h
    return x


def negation(x, h):
    return h * (not h)  # here


def unpacked(x, h):
    a, b = h  # here
    return a + b


def indexed(x, h):
    return h[0] * 1  # here


def member(x, h):
    return h * (1 in h)  # here


def numpy_left(x, h):
    return numpy.ones(3) * h  # here


def numpy_right(x, h):
    return h + numpy.ones(3)  # here


def numpy_number(x, h):
    return numpy.float32(2.0) * h  # here


def none_operand(x, h):
    return h + None  # here


def truth(x, h):
    return mix(True, h, 0)  # here


def powered(x, h):
    return h**2  # here


def matrix_product(x, h):
    return x @ h  # here


def different_widths(x, h):
    return tanh(x + h)  # here


def bad_name(x, h):
    return linear(x, h, name="1st")  # here


def name_no_text(x, h):
    return linear(x, h, name=3)  # here


def nameless(x, h):
    return linear(x, h)  # here


def valueless(x, h):
    return linear(name="z")  # here


def number_in_product(x, h):
    return linear(x, 1.0, name="z")  # here


def number_in_peephole(x, h):
    return h + peephole(2.0, name="z")  # here


def not_finite(x, h):
    return h * float("nan")  # here


def narrow_norm(x, h):
    return gatelab.layer_norm(mean(h), name="n") * h  # here


def raising(x, h):
    z = sigmoid(h)
    raise RuntimeError("my own")  # here
    return z


def inner(v):
    return v**2


def raising_below(x, h):
    return inner(h)  # here


def endless(x, h):
    return endless(x, h)  # here


def division(x, h):
    return h * (1 / 0)  # here


WITH_LINE = [
    torch_function,
    torch_tensor,
    method,
    branch,
    condition,
    negation,
    unpacked,
    indexed,
    member,
    numpy_left,
    numpy_right,
    numpy_number,
    none_operand,
    truth,
    powered,
    matrix_product,
    different_widths,
    bad_name,
    name_no_text,
    nameless,
    valueless,
    number_in_product,
    number_in_peephole,
    not_finite,
    narrow_norm,
    raising,
    raising_below,
    endless,
    division,
]


@pytest.mark.parametrize("wrong", WITH_LINE, ids=lambda f: f.__name__)
def test_a_mistake_is_told_with_its_cell_and_its_line(wrong):
    with pytest.raises(CellError) as caught:
        cell(wrong)
    message = str(caught.value)
    assert message.startswith(f"cell {wrong.__name__!r}, line ")
    assert "test_trace.py" in message
    assert message.count("# here") == 1
    assert "\n" not in message


# ── mistakes of the whole: no line, but the cell ──


def no_return(x, h):
    linear(x, h, name="h")


def too_few(x, h, c):
    return h


def too_many(x, h):
    return h, h


def as_list(x, h, c):
    return [h, c]


def text(x, h):
    return "h"


def generator(x, h):
    yield h


def input_as_state(x, h):
    return x


def wide_for_narrow(x, h, c):
    return h, h


def used_twice(x, h):
    z = sigmoid(linear(x, h, name="z"))
    return tanh(linear(x, z * h, name="z"))


def two_weights_of_a_name(x, h):
    return linear(x, name="z") + linear(x, name="z", blocks=True)


def no_states(x):
    return x


def no_arguments():
    return 1


def default(x, h, k=2.0):
    return h * k


def keyword(x, h, *, c):
    return h, c


def several(x, *states):
    return states


def rest(x, h, **more):
    return h


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (no_return, "is a return missing"),
        (too_few, r"2 new state\(s\), \(h, c\) in this order; it returned 1"),
        (too_many, "it returned 2"),
        (as_list, "it returned 1"),
        (text, "new state h: wanted a value of the cell or a number, got str"),
        (generator, "got generator"),
        (input_as_state, "new state h has width I, wanted H"),
        (used_twice, "U_z is used in 2 equations"),
        (two_weights_of_a_name, "'W_z' is used for two different weights"),
        (no_states, "wants arguments"),
        (no_arguments, "wants arguments"),
        (default, "k=2.0 has a default"),
        (keyword, "wants arguments"),
        (several, "wants arguments"),
        (rest, "wants arguments"),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_a_mistake_of_the_whole_is_told_with_its_cell(wrong, said):
    with pytest.raises(CellError, match=said) as caught:
        cell(wrong)
    assert f"cell {wrong.__name__!r}" in str(caught.value)


@pytest.mark.parametrize("wrong", [int, 3, "gru", functools.partial(too_many), print, [].append], ids=str)
def test_only_plain_functions_are_cells(wrong):
    with pytest.raises(CellError, match="plain function"):
        cell(wrong)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"widths": {"q": "1"}}, "widths names 'q'; its states are h, c"),
        ({"widths": {"x": "H"}}, "widths names 'x'"),
        ({"widths": {"c": "I"}}, "wanted 'H', 'K' or '1', got 'I'"),
        ({"widths": {"c": 3}}, "got 3"),
        ({"widths": {"c": "1"}}, "new state c"),
        ({"block": 0}, "block of at least 1"),
        ({"block": 2.0}, "block of at least 1"),
        ({"block": True}, "block of at least 1"),
    ],
    ids=str,
)
def test_wrong_widths_and_blocks(extra, said):
    with pytest.raises(CellError, match=said) as caught:
        cell(**extra)(wide_for_narrow)
    assert "'wide_for_narrow'" in str(caught.value)


def test_the_profiler_is_given_back():
    import sys

    before = sys.getprofile()
    for wrong in (branch, no_return):
        with pytest.raises(CellError):
            cell(wrong)
    assert sys.getprofile() is before


# ── what a legal function makes ──


def test_names_of_locals_in_the_order_of_the_equations():
    @cell(source="here")
    def mine(x, h, c):
        """Say what.

        And more.
        """
        unused = tanh(x)  # noqa: F841
        number = 2.0
        z = sigmoid(linear(x, h, name="z"))
        late = tanh(linear(x, z * h, name="late"))
        c = number * z + c
        return late * c, c

    assert list(mine.names) == ["z", "late", "c"]
    assert mine.names["c"] is mine.results[1]
    assert [p.name for p in mine.parameters] == ["W_z", "b_z", "U_z", "W_late", "b_late", "U_late"]
    assert (mine.name, mine.source, mine.summary) == ("mine", "here", "Say what.")
    assert repr(mine) == "<Cell mine(x; h, c): 6 weights>"


def test_names_of_values_that_an_inner_function_reads():
    @cell
    def mine(x, h):
        z = sigmoid(linear(x, h, name="z"))
        return sum([z * k for k in (1, 2)]) + (lambda: z)()

    assert list(mine.names) == ["z"]


def test_a_decorated_function():
    def plain(function):
        @functools.wraps(function)
        def wrapper(*values):
            return function(*values)

        return wrapper

    @cell
    @plain
    def mine(x, h):
        z = sigmoid(linear(x, h, name="z"))
        return z * h

    assert list(mine.names) == ["z"]


def test_a_lambda_with_a_name():
    mine = cell(name="mine")(lambda x, h: tanh(linear(x, h, name="h")))
    assert mine == trace(lambda x, h: tanh(linear(x, h, name="h")), name="mine")


def test_states_of_other_widths():
    @cell(widths={"level": "1", "shared": "K"}, block=3)
    def mine(x, h, level, shared):
        shared = sigmoid(linear(x, shared, name="s", blocks=True))
        return tanh(linear(x, h, name="h")) * shared * level, mean(h), shared

    assert [s.width for s in mine.states] == [r.width for r in mine.results] == ["H", "1", "K"]
    assert {p.name: (p.weight.rows, p.weight.columns) for p in mine.parameters} == {
        "W_s": ("K", "I"),
        "b_s": ("K", None),
        "U_s": ("K", "K"),
        "W_h": ("H", "I"),
        "b_h": ("H", None),
        "U_h": ("H", "H"),
    }


def test_a_narrow_new_state_is_repeated():
    @cell
    def mine(x, h):
        return mean(h)

    assert (mine.output.op, mine.output.width) == (Op.SPREAD, "H")


def test_weights_are_named_by_what_they_join():
    @cell
    def mine(x, h, c):
        e = tanh(linear(x, name="e", bias=False))
        return tanh(linear(x, e, h, c, h * c, 2 * c, name="z")), peephole(c, name="p")

    names = {"W_e", "W_z", "W_z_2", "U_z", "U_z_c", "U_z_2", "U_z_3", "b_z", "V_p"}
    assert {p.name for p in mine.parameters} == names
    assert {p.name: p.weight.role for p in mine.parameters if p.name in ("W_z", "U_z", "b_z", "V_p")} == {
        "W_z": "input",
        "U_z": "recurrent",
        "b_z": "bias",
        "V_p": "peephole",
    }


def test_a_linear_called_twice_alike_is_one():
    @cell
    def mine(x, h):
        return linear(x, h, name="z") * sigmoid(linear(x, h, name="z"))

    assert len(mine.parameters) == 3


def test_equal_functions_make_equal_cells():
    def build():
        @cell
        def mine(x, h):
            z = sigmoid(linear(x, h, name="z"))
            return z * h

        return mine

    one, other = build(), build()
    assert one == other
    assert hash(one) == hash(other)
    assert {one: 1}[other] == 1
    assert one != cell(name="other")(lambda x, h: sigmoid(linear(x, h, name="z")) * h)


def test_functions_may_be_traced_inside_others():
    @cell
    def outer(x, h):
        before = sigmoid(linear(x, h, name="z"))
        trace(lambda x, h: tanh(linear(x, h, name="h")))
        after = before * h
        return after

    assert list(outer.names) == ["before", "after"]


def test_leaves_are_shared_between_cells():
    assert gatelab.cells.get("gru").states[0] is make(Op.STATE, (), "h", "H")
