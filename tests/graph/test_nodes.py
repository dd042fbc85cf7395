"""Nodes: interned, written with operators, and as wide as they should be."""

import copy
import gc
import pickle
import sys
import threading
from functools import partial

import pytest

from gatelab.errors import CellError
from gatelab.graph import Mask, Op, make
from gatelab.graph.language import linear, maximum, mean, mix, sigmoid, tanh
from gatelab.graph.node import _interned, constant, spread

X, H, C = make(Op.INPUT, (), "x", "I"), make(Op.STATE, (), "h", "H"), make(Op.STATE, (), "c", "H")
K, ONE = make(Op.STATE, (), "k", "K"), make(Op.STATE, (), "one", "1")


@pytest.fixture
def value():
    return sigmoid(linear(X, H, name="z")) * C + 1


def test_equal_nodes_are_one_object(value):
    assert sigmoid(linear(X, H, name="z")) * C + 1 is value
    assert H * C is not C * H
    assert constant(1) is constant(1.0)
    assert constant(0.0) is constant(-0.0)
    assert make(Op.STATE, (), "h", "K") is not H


def test_a_mask_is_one_object_by_what_it_says():
    masks = [make(Op.MASK, (), Mask("m", "dropout", r, "step", "H"), "H") for r in (0.5, 0.5, 0.25)]
    assert masks[0] is masks[1]
    assert masks[0] is not masks[2]


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))],
    ids=["copy", "deep", "pickle"],
)
def test_copies_are_the_node_itself(value, copied):
    assert copied(value) is value


def test_forgotten_nodes_leave_the_table():
    gc.collect()
    before = len(_interned)
    values = [H * k + C for k in range(100, 200)]
    assert len(_interned) >= before + 300
    del values
    gc.collect()
    assert len(_interned) == before


def test_threads_make_one_node(request):
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)
    found, start = [], threading.Barrier(8)

    def work():
        start.wait()
        found.append([tanh(H * float(k)) for k in range(2000)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(set(same)) == 1 for same in zip(*found, strict=True))


def test_attributes_cannot_be_changed():
    with pytest.raises(AttributeError):
        H.width = "K"


@pytest.mark.parametrize(
    ("made", "op", "sources"),
    [
        (H + C, Op.ADD, (H, C)),
        (1 + H, Op.ADD, (constant(1), H)),
        (1 - H, Op.SUB, (constant(1), H)),
        (H - 1, Op.SUB, (H, constant(1))),
        (2 * H, Op.MUL, (constant(2), H)),
        (1 / H, Op.DIV, (constant(1), H)),
        (H / C, Op.DIV, (H, C)),
        (-H, Op.NEG, (H,)),
        (mix(H, C, 0), Op.MIX, (H, C, constant(0))),
        (maximum(0, H), Op.MAXIMUM, (constant(0), H)),
    ],
    ids=lambda v: v.value if isinstance(v, Op) else "",
)
def test_operators(made, op, sources):
    assert (made.op, made.sources) == (op, sources)


@pytest.mark.parametrize(
    ("made", "width"),
    [
        (H * 2, "H"),
        (ONE * H, "H"),
        (H + K, "H"),
        (K + ONE, "K"),
        (ONE + X, "I"),
        (mix(ONE, K, H), "H"),
        (linear(X, name="z"), "H"),
        (linear(X, name="z", blocks=True), "K"),
        (mean(H), "1"),
        (constant(1) + 2, None),
        (spread(ONE, "K"), "K"),
    ],
    ids=str,
)
def test_the_wider_value_decides(made, width):
    assert made.width == width


@pytest.mark.parametrize("build", [lambda: X + H, lambda: H * X, lambda: K - X, lambda: mix(X, H, C),
                                   lambda: ONE + X + H], ids=list("abcde"))  # fmt: skip
def test_widths_that_do_not_fit_are_refused_with_the_cure(build):
    with pytest.raises(CellError, match=r"different widths: .*linear\(x, name=…\)"):
        build()


@pytest.mark.parametrize("width", ["K", "1", "I"])
def test_a_wide_value_is_not_repeated_to_a_narrow_one(width):
    with pytest.raises(CellError, match="'h' of width H cannot be repeated"):
        spread(H, width)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 10**400], ids=str)
def test_constants_are_finite(number):
    with pytest.raises(CellError, match="finite"):
        H + number


@pytest.mark.parametrize("operand", [True, None, "1", [1.0], 1j, object()], ids=str)
def test_foreign_operands_are_refused(operand):
    with pytest.raises((CellError, TypeError)):
        H + operand
    with pytest.raises(CellError, match="wanted a value of the cell or a number"):
        maximum(H, operand)


def test_a_shared_value_is_written_short():
    value = H
    for _ in range(200):
        value = value * value
    assert len(repr(value)) < 1000
    assert repr(H + 1) == "add(state('h'), const(1.0))"
