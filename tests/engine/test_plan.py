"""Plans: how many phases, what is kept, and a sum over a block that is stored as it is."""

import pytest

from gatelab import cell, cells, linear
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
