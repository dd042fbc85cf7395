"""Every cell on every engine, at odd sizes: outputs and gradients against torch.autograd's."""

import pytest
import torch

from edge_cells import EDGES, biased
from gatelab import cells

WRAPPED = [
    "lstm+layer-norm",
    "lstm-blocks+layer-norm",
    "fgr+layer-norm",
    "gru+recurrent-dropout=0.3",
    "lstm-blocks+recurrent-dropout=0.3",
    "lstm+zoneout=0.2",
    "gru-after+layer-norm+recurrent-dropout=0.5+zoneout=0.1",
]
CELLS = [*cells.CATALOGUE, *WRAPPED]
SIZES = {  # inputs, hidden, lengths
    "ones": (1, 2, (1,)),
    "one step": (3, 4, (1, 1, 1)),
    "ragged": (3, 4, (3, 9, 1, 5)),
    "long": (1, 2, (17,)),
    "wide": (17, 38, (3, 3)),
    "many": (3, 2, tuple(range(1, 8))),
}


def gradients(results, leaves, seed=1):
    """Return the derivatives of a random loss, zeros where there is no influence."""
    draw = torch.Generator().manual_seed(seed)
    loss = sum((r * torch.randn(r.shape, generator=draw, dtype=r.dtype)).sum() for r in results)
    found = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)]


def near(ours, theirs, limit=1e-10):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.isfinite(b).all()
        assert (a - b).abs().max() <= limit * max(1.0, b.abs().max())


def agree(problem, engine, pick=lambda results: results):
    leaves = problem.require_grad()
    ours, theirs = problem.run(engine), problem.reference()
    near(ours, theirs, 0 if engine == "reference" else 1e-10)
    near(gradients(pick(ours), leaves), gradients(pick(theirs), leaves))


@pytest.fixture(params=["tile", "reference"])
def engine(request, unwritten):
    return request.param


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", CELLS)
def test_outputs_and_all_gradients(problem, engine, name, size):
    inputs, hidden, lengths = SIZES[size]
    agree(problem(cells.get(name), inputs, hidden, lengths), engine)


@pytest.mark.parametrize("name", ["tanh", "mut1", "gru", "lstm", "lstm-np-o"])
@pytest.mark.parametrize("hidden", [1, 3, 17, 37])
def test_odd_hidden_sizes(problem, engine, name, hidden):
    agree(problem(cells.get(name), 3, hidden, (3, 1)), engine)


@pytest.mark.parametrize("name", ["gru", "lstm", "lstm-blocks+blocks=3"])
def test_rows_read_backwards(problem, engine, name):
    agree(problem(cells.get(name), 3, 6, (3, 17, 1), reverse=True), engine)


@pytest.mark.parametrize("name", ["gru", "lstm", "fgr", "lstm+zoneout"])
@pytest.mark.parametrize(
    "pick",
    [lambda r: r[:1], lambda r: r[1:], lambda r: r[-1:]],
    ids=["output", "last states", "last state"],
)
def test_a_loss_that_reads_some_results(problem, engine, name, pick):
    agree(problem(cells.get(name), 3, 4, (2, 5, 1)), engine, pick)


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_gradients_of_some_inputs_only(problem, engine, name):
    p = problem(cells.get(name), 3, 4, (2, 5, 1))
    for wanted in p.tensors:
        wanted.requires_grad_()
        near(gradients(p.run(engine), [wanted]), gradients(p.reference(), [wanted]))
        wanted.requires_grad_(False)


@pytest.mark.parametrize("name", CELLS)
def test_float32_is_near_float64(problem, engine, name):
    found = []
    for dtype in (torch.float32, torch.float64):
        p = problem(cells.get(name), 3, 4, (2, 5, 1), dtype)
        leaves, results = p.require_grad(), p.run(engine)
        assert {r.dtype for r in results} == {dtype}
        loss = sum(r.sum() for r in results)
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        found.append([t.double() for t in [*results, *grads] if t is not None])
    near(*found, limit=1e-3)


@pytest.mark.parametrize("edge", EDGES, ids=lambda c: c.name)
@pytest.mark.parametrize("lengths", [(1,), (3, 3), (2, 5, 1)], ids=str)
def test_edges(problem, engine, edge, lengths):
    p = problem(edge, 3, 4, lengths)
    leaves = p.require_grad()
    ours, theirs = p.run(engine), p.reference()
    near(ours, theirs, 0 if engine == "reference" else 1e-10)
    if any(r.requires_grad for r in theirs):
        near(gradients(ours, leaves), gradients(theirs, leaves))


def test_a_value_that_no_row_changes_enters_a_product(problem, engine):
    from gatelab.passes import edit

    product = next(n for n in biased.nodes if n.sources and n.sources[0].name == "W_a")
    agree(problem(edit(biased, {product: 0}), 3, 4, (2, 5, 1)), engine)
