"""Plans: how many phases, what is kept, and a sum over a block that is stored as it is."""

import pytest

from gatelab import cell, cells, layer_norm, linear, sigmoid, tanh
from gatelab.engine.split import Wish, backward_pass, forward_pass, kept
from gatelab.graph.node import spread
from gatelab.graph.op import Op


def passes(name, hoisted=False):
    known = cells.get(name)
    weights = frozenset(p.name for p in known.parameters)
    forward = forward_pass(Wish(known, hoisted=hoisted, training=True))
    return forward, backward_pass(Wish(known, hoisted=hoisted, training=True, given=(0,), weights=weights))


@pytest.mark.parametrize(
    ("name", "forward", "backward"), [("tanh", 1, 1), ("lstm", 1, 1), ("gru", 2, 2), ("gru-after", 1, 1)]
)
def test_phases_of_a_step(name, forward, backward):
    planned = passes(name, hoisted=True)
    assert [len(p.loop) for p in planned] == [forward, backward]
    assert [len(p.before) for p in planned] == [1, 0]
    assert [len(p.after) for p in planned] == [0, 1]  # the derivative by the input


def test_what_an_lstm_keeps():
    lstm = cells.get("lstm")
    assert {lstm.names[k] for k in "ifgo"} == set(kept(lstm))  # c is a state, tanh(c) is computed again
    assert not [n for n in kept(lstm) if n.op is Op.MATMUL]


@cell(block=2)
def straight(x, h, c):
    """The derivative by the blocks' sum is itself a sum over units, and the left side of an outer product."""
    return linear(x, name="x") + spread(linear(x, c, name="b", blocks=True), "H"), h


def test_a_sum_over_a_block_is_stored_as_it_is(problem, unwritten):
    import torch

    p = problem(straight, 3, 4, (3, 2, 1))
    leaves, found = p.require_grad(), []
    for results in (p.run("tile"), p.reference()):
        found.append(torch.autograd.grad(sum((r * r).sum() for r in results), leaves))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def some_derivatives(p, wanted, pick):
    """Compare the derivatives of the squares of the picked results by the weights that are named."""
    import torch

    leaves, found = [p.weights[name].requires_grad_() for name in wanted], []
    for results in (p.run("tile"), p.reference()):
        found.append(torch.autograd.grad((results[pick] ** 2).sum(), leaves, allow_unused=True))
    for ours, theirs in zip(*found, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@cell
def normed(x, h, c):
    """The derivative before U_n is a sum, and read by its product alone while U_n is frozen."""
    h = sigmoid(h) * linear(x, c, name="g")
    return h, layer_norm(linear(sigmoid(c), name="n"), name="n") + sigmoid(h)


def test_a_vector_that_is_a_sum_is_no_part_of_its_product_s_sum(problem, unwritten):
    for name in ("W_g", "b_g", "U_g"):
        some_derivatives(problem(normed, 3, 4, (3, 2, 1)), [name], 0)


@cell
def silent(x, h, c):
    return linear(x, name="o"), tanh(linear(x, c, name="c"))


def test_an_output_without_cotangent_before_a_product(problem, unwritten):
    some_derivatives(problem(silent, 3, 4, (3, 2, 1)), ["W_o", "b_o", "W_c", "U_c"], 2)


@cell
def wide(x, h):
    gates = [sigmoid(linear(x, h, name=f"g{k}")) for k in range(70)]
    total = linear(x, h, name="h")
    for k, gate in enumerate(gates):
        total = (
            total + 0.1 * linear(gate * h, name=f"u{k}", bias=False) + linear(gate, name=f"v{k}", bias=False)
        )
    return tanh(total)


def test_a_sum_of_more_products_than_the_machine_takes_at_once(problem, unwritten):
    p = problem(wide, 2, 3, (3, 1), usual=True)
    some_derivatives(p, ["W_g0", "U_g69", "U_h", "b_h", *[n for n in p.weights if n.endswith("69")][:3]], 0)
