"""The definition: one operation, one step, one sequence at a time."""

import pytest
import torch

from gatelab import (
    cell,
    cells,
    exp,
    linear,
    log,
    maximum,
    mean,
    minimum,
    mix,
    relu,
    sigmoid,
    sqrt,
    step,
    tanh,
)
from gatelab.engine import run
from gatelab.engine.autograd import backward_of
from gatelab.graph import Op, make

LENGTHS = (4, 1, 6, 3)


def one_by_one(p):
    """Return the results of each sequence, run alone."""
    from gatelab.engine import Rows

    order, found = p.rows.order, []
    for place in range(p.rows.batch):
        mine = (p.rows.place == place).nonzero().flatten()
        masks = {k: m[mine] for k, m in p.masks.items()}
        states = tuple(s[place : place + 1] for s in p.states)
        alone = Rows.full(len(mine), 1)
        found.append(run(p.cell, p.x[mine], states, p.weights, masks, alone, p.hidden, "reference"))
    assert order is not None
    return found


@pytest.mark.parametrize(
    "name", ["lstm", "gru", "lstm-blocks", "lstm+layer-norm", "lstm+zoneout+recurrent-dropout"]
)
def test_a_batch_is_its_sequences(problem, name):
    p = problem(cells.get(name), 3, 4, LENGTHS)
    output, *finals = p.run()
    for place, alone in enumerate(one_by_one(p)):
        torch.testing.assert_close(output[p.rows.place == place], alone.output)
        for ours, wanted in zip(finals, alone.finals, strict=True):
            torch.testing.assert_close(ours[place : place + 1], wanted)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", ["lstm", "gru+layer-norm", "lstm-blocks", "lstm+zoneout"])
def test_the_type_is_kept(problem, name, dtype):
    p = problem(cells.get(name), 3, 4, LENGTHS, dtype)
    leaves = p.require_grad()
    results = p.run()
    sum(r.sum() for r in results).backward()
    assert {t.dtype for t in results} == {dtype} == {t.grad.dtype for t in leaves}
    assert all(t.isfinite().all() for t in results)


def test_kept_values_are_those_of_the_steps(problem):
    p = problem(cells.get("gru"), 3, 4, LENGTHS)
    gru, w = p.cell, p.weights
    from_input = next(n for n in gru.nodes if n.op is Op.MATMUL and n.sources[0].name == "W_z")
    kept = p.values([gru.names["z"], gru.output, from_input, gru.states[0]])
    torch.testing.assert_close(kept[from_input], p.x @ w["W_z"].T)
    torch.testing.assert_close(kept[gru.output], p.reference()[0])
    before = kept[gru.states[0]]
    torch.testing.assert_close(before[: p.rows.sizes[0]], p.states[0])
    torch.testing.assert_close(before[p.rows.sizes[0] :], kept[gru.output][kept_rows(p.rows)])
    z = torch.sigmoid(p.x @ w["W_z"].T + before @ w["U_z"].T + w["b_z"])
    torch.testing.assert_close(kept[gru.names["z"]], z)


def kept_rows(rows):
    """Return, for each row after the first step, the row of the same sequence one step before."""
    starts = [sum(rows.sizes[:t]) for t in range(rows.steps)]
    return torch.tensor([starts[t - 1] + b for t in range(1, rows.steps) for b in range(rows.sizes[t])])


H = torch.tensor([[-2.0, -0.5, 0.25, 3.0]])
C = torch.tensor([[1.0, -0.5, 0.5, 2.0]])


@pytest.mark.parametrize(
    ("ours", "wanted"),
    [
        (lambda h, c: h + c, H + C),
        (lambda h, c: h - c, H - C),
        (lambda h, c: h * c, H * C),
        (lambda h, c: h / c, H / C),
        (lambda h, c: 2 / c, 2 / C),
        (lambda h, c: -h, -H),
        (lambda h, c: maximum(h, c), torch.maximum(H, C)),
        (lambda h, c: minimum(h, c), torch.minimum(H, C)),
        (lambda h, c: maximum(h, 0.1), H.clamp(min=0.1)),
        (lambda h, c: minimum(0.1, h), H.clamp(max=0.1)),
        (lambda h, c: mix(sigmoid(h), h, c), torch.sigmoid(H) * H + (1 - torch.sigmoid(H)) * C),
        (lambda h, c: mix(0.25, 1, h), 0.25 + 0.75 * H),
        (lambda h, c: sigmoid(h), torch.sigmoid(H)),
        (lambda h, c: tanh(h), torch.tanh(H)),
        (lambda h, c: relu(h), torch.relu(H)),
        (lambda h, c: exp(h), torch.exp(H)),
        (lambda h, c: log(h * h), torch.log(H * H)),
        (lambda h, c: sqrt(h * h), H.abs()),
        (lambda h, c: step(h), torch.tensor([[0.0, 0.0, 1.0, 1.0]])),
        (lambda h, c: step(h * 0), torch.zeros(1, 4)),
        (lambda h, c: mean(h), H.mean(-1, keepdim=True).expand(1, 4)),
        (lambda h, c: mean(h * c) * c, (H * C).mean() * C),
        (lambda h, c: mean(mean(h)), H.mean(-1, keepdim=True).expand(1, 4)),
        (lambda h, c: 3, torch.full((1, 4), 3.0)),
        (lambda h, c: sigmoid(0.0) + tanh(0), torch.full((1, 4), 0.5)),
        (lambda h, c: c, C),
    ],
)  # fmt: skip
def test_operations(problem, ours, wanted):
    p = problem(cell(name="mine")(lambda x, h, c: (ours(h, c), c)), 2, 4, (1,), torch.float32)
    p.states = (H, C)
    torch.testing.assert_close(p.run()[0], wanted)


def test_reductions_and_repetition_over_blocks(problem):
    @cell(widths={"k": "K"}, block=2)
    def mine(x, h, k):
        return h * k, mean(h) + k

    p = problem(mine, 2, 4, (1,), torch.float32)
    p.states = (H, torch.tensor([[2.0, 3.0]]))
    assert p.run()[0].tolist() == [[-4.0, -1.0, 0.75, 9.0]]
    torch.testing.assert_close(p.run()[2], H.mean() + p.states[1])


def test_a_carried_state_and_a_number_reach_the_end(problem):
    p = problem(cell(name="mine")(lambda x, h, c: (c, 2.0)), 2, 3, (3, 1))
    output, h, c = p.run()
    assert torch.equal(output, torch.cat([p.states[1], torch.full((2, 3), 2.0)]))
    assert torch.equal(h, torch.stack([torch.full((3,), 2.0).double(), p.states[1][1]]))
    assert torch.equal(c, torch.full((2, 3), 2.0).double())


# ── as a function of torch ──


def test_without_gradients_nothing_is_kept(problem):
    p = problem(cells.get("lstm"), 3, 4, LENGTHS)
    assert all(r.grad_fn is None for r in p.run())
    p.require_grad()
    with torch.no_grad():
        assert all(r.grad_fn is None for r in p.run())


def test_it_is_differentiated_twice(problem):
    p = problem(cells.get("gru"), 3, 4, LENGTHS)
    p.require_grad()
    (first,) = torch.autograd.grad(p.run()[0].square().sum(), [p.x], create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), [p.x])
    assert second.isfinite().all()
    assert second.any()


def test_values_are_freed_after_use(problem):
    p = problem(cells.get("gru"), 3, 4, LENGTHS)
    p.require_grad()
    loss = p.run()[0].sum()
    loss.backward(retain_graph=True)
    first = p.x.grad.clone()
    loss.backward()
    torch.testing.assert_close(p.x.grad, 2 * first)
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_a_weight_changed_in_place_is_found_out(problem):
    p = problem(cells.get("gru"), 3, 4, LENGTHS)
    p.require_grad()
    loss = p.run()[0].sum()
    with torch.no_grad():
        p.weights["U_h"].add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_gradcheck(problem):
    p = problem(cells.get("lstm"), 2, 3, (3, 1))
    leaves = p.require_grad()
    names = list(p.weights)

    def results(x, h, c, *weights):
        p.x, p.states, p.weights = x, (h, c), dict(zip(names, weights, strict=True))
        return p.run()

    assert torch.autograd.gradcheck(results, leaves)


def test_equal_cells_share_their_derivative():
    gru = cells.get("gru")
    other = cell(name="gru")(lambda x, h: gru.output)
    assert other == gru
    assert other.names != gru.names
    assert backward_of(other) is backward_of(gru)


def test_names_may_put_weights_in_another_order(problem):
    gru = cells.get("gru")
    other = cell(name="gru")(lambda x, h: gru.output)
    p = problem(gru, 3, 4, LENGTHS)
    leaves = p.require_grad()
    grads = []
    for p.cell in (gru, other):
        grads.append(torch.autograd.grad(p.run()[0].sum(), leaves))
    for a, b in zip(*grads, strict=True):
        assert torch.equal(a, b)


def test_the_adjoint_reads_the_values_that_the_cell_computed():
    for name in cells.CATALOGUE:
        one = backward_of(cells.get(name))
        assert not [n for n in one.early if n.op in (Op.SIGMOID, Op.TANH, Op.MATMUL)]


def test_an_unused_state(problem):
    @cell
    def mine(x, h, c):
        return tanh(linear(x, h, name="h")), h

    p = problem(mine, 3, 4, LENGTHS)
    p.require_grad()
    p.run()[0].sum().backward()
    assert p.states[1].grad is None or not p.states[1].grad.any()
    assert make(Op.STATE, (), "c", "H") not in mine.nodes
