"""The tile machine, small and quick: run once more under sanitizers by ``test_sanitizers.py``.

Every kind of phase, both types of floats, every variant, whole and ragged batches, one thread and two.
"""

import gc

import pytest
import torch

from gatelab import cell, cells, exp, linear, log, maximum, mean, mix, relu, sigmoid, sqrt, step, tanh
from gatelab.engine import bound, pool
from gatelab.engine.library import VARIANTS
from gatelab.engine.pool import POOL

WRAPPED = [
    "lstm+layer-norm",
    "lstm-blocks+blocks=3+layer-norm",
    "gru+recurrent-dropout=0.3",
    "lstm+zoneout=0.2",
]
LENGTHS = {"one row": (1,), "whole": (2, 2, 2), "ragged": (3, 1, 5, 5, 2, 1, 4)}


@cell(widths={"level": "1", "k": "K"}, block=2)
def everything(x, h, c, level, k):
    """All operations, all widths, a start that is read in a product, a number as a new state."""
    gate = sigmoid(linear(x, h, k, name="g", blocks=True))
    a = maximum(tanh(linear(x, c, name="a") * gate), relu(h - 0.1))
    b = exp(-a) / sqrt(1 + c * c) + log(2 + level * level) * step(linear(x, name="s"))
    new = mix(sigmoid(linear(a, gate, name="m")), a, b)
    return new, 0.5, mean(new * new) - 0.5 * level, gate * k


def agree(p, limit, watch=()):
    """Compare results and all derivatives with those of the reference in the same floats."""
    leaves = p.require_grad()
    found = []
    for results in (p.run("tile", watch), p.reference(watch)):
        loss = sum((r * torch.cos(torch.arange(r.numel(), dtype=r.dtype)).view_as(r)).sum() for r in results)
        grads = torch.autograd.grad(loss, leaves, allow_unused=True)
        found.append([*results, *(torch.zeros(1) if g is None else g for g in grads)])
    for ours, theirs in zip(*found, strict=True):
        assert (ours - theirs).abs().max() <= limit * max(1.0, theirs.abs().max())


@pytest.fixture(autouse=True)
def own_memory(unwritten, monkeypatch):
    """Lease exactly what is asked for, nothing twice, and demand that all of it comes back."""
    monkeypatch.setattr(pool, "_rounded", lambda size: size)
    monkeypatch.setattr(pool, "SLACK", -(1 << 60))
    monkeypatch.setattr(bound, "ALIGNED", 4096)  # bytes: behind a place lies NaN, not the next one
    bound.bound.cache_clear()
    POOL.clear()
    yield
    bound.bound.cache_clear()
    if POOL.leased:
        gc.collect()  # a cycle may hold a graph
    assert POOL.leased == 0


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("hidden", [3, 17])
@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_every_cell(problem, name, hidden, lengths):
    cell = cells.get(name)
    hidden = -(-hidden // cell.block) * cell.block
    dtype, limit = ((torch.float64, 1e-10), (torch.float32, 1e-3))[len(lengths) % 2]
    agree(problem(cell, 3, hidden, lengths, dtype, usual=True), limit)


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize(("dtype", "limit"), [(torch.float64, 1e-10), (torch.float32, 1e-3)], ids=str)
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_every_operation(problem, variant, lengths, dtype, limit, threads):
    for inputs, hidden in ((1, 2), (5, 18), (33, 70)):
        agree(problem(everything, inputs, hidden, lengths, dtype, usual=True, threads=threads), limit)


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
@pytest.mark.parametrize("hidden", [1, 15, 16, 17, 31, 33, 64, 97, 130])
def test_edges_of_vectors_tiles_and_panels(problem, variant, hidden):
    for batch in (1, 2, 3, 7, 13, 25):
        lengths = [1 + k % 3 for k in range(batch)]
        agree(problem(cells.get("gru"), hidden, hidden, lengths, usual=True, threads=2), 1e-10)


def test_more_rows_than_one_chunk_and_one_span(problem):
    agree(problem(cells.get("lstm"), 9, 7, [60, 57, 40, 39, 38, 7, 1], usual=True, threads=2), 1e-10)


@pytest.mark.parametrize("name", ["tanh", "lstm", "gru"])
def test_a_long_sequence_after_a_single_step(problem, name):
    """Weights are packed for many rows only: the second call wants more memory of its own than the first."""
    for lengths in ((1,), (30,), (1,)):
        agree(problem(cells.get(name), 70, 130, lengths, usual=True), 1e-10)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("watch", [("i",), ("f", "c", "g"), ("h", "c")])
def test_watched_values(problem, watch, threads):
    agree(problem(cells.get("lstm+zoneout=0.2"), 3, 5, (3, 1, 4), threads=threads), 1e-10, watch)


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("name", ["tanh", "gru", "lstm", "fgr", "lstm+zoneout=0.2"])
def test_a_pass_that_keeps_nothing(problem, name, lengths):
    p = problem(cells.get(name), 3, 17, lengths, threads=2)
    for ours, theirs in zip(p.run("tile"), p.reference(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["gru", "lstm", "lstm-blocks+layer-norm"])
def test_some_derivatives_only(problem, name):
    p = problem(cells.get(name), 3, 6, (2, 5, 1))
    for leaf in p.require_grad():
        for pick in (slice(1), slice(1, None)):
            (ours,) = torch.autograd.grad(sum(r.sum() for r in p.run("tile")[pick]), [leaf])
            (theirs,) = torch.autograd.grad(sum(r.sum() for r in p.reference()[pick]), [leaf])
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
def test_a_vector_has_as_many_numbers_as_the_variant_says(variant):
    singles, doubles = {"avx512": (16, 8), "avx2": (8, 4), "base": (4, 2)}[variant]
    assert bound.machine().lanes == [singles, doubles]
