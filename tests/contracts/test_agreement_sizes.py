"""The tile machine at sizes that fit no vector: each cell at five of 25 problems, in every variant there is.

The problems are an orthogonal array: each cell meets every size of every axis, all cells together every pair.
"""

from functools import lru_cache

import pytest
import torch

from gatelab import cells
from gatelab.engine.library import VARIANTS

SIZES = (1, 3, 17, 37, 130)
WRAPPED = [
    "lstm+layer-norm",
    "gru+layer-norm",
    "fgr+layer-norm",
    "lstm+zoneout=0.2",
    "gru+zoneout=0.3",
    "lstm+recurrent-dropout=0.25",
    "mut2+recurrent-dropout=0.5",
    "lstm-blocks+blocks=3",
    "lstm-blocks+blocks=4+layer-norm",
    "lstm-blocks+blocks=5+zoneout=0.2+recurrent-dropout=0.3",
    "gru-after+layer-norm+recurrent-dropout=0.5+zoneout=0.1",
]
CELLS = [*cells.CATALOGUE, *WRAPPED]
COMBINATIONS = [(name, k % 5, a) for k, name in enumerate(CELLS) for a in range(5)]


def wanted(problem, name, shift, a):
    """Return how to make a problem, with other types and threads, of one row of the array."""
    b = 2 * (shift - a) % 5  # a + 3 b = shift, modulo 5
    hidden, batch, steps, inputs = (SIZES[k % 5] for k in (a, b, a + b, a + 2 * b))
    cell = cells.get(name)
    hidden = -(-hidden // cell.block) * cell.block
    draw = torch.Generator().manual_seed(shift)
    lengths = torch.randint(1, steps + 1, (batch,), generator=draw).tolist() if a % 2 else [steps] * batch

    def make(dtype, threads):
        return problem(
            cell, inputs, hidden, lengths, dtype, seed=a, reverse=a >= 3, usual=True, threads=threads
        )

    return make


def both(p, results):
    """Return results and the derivatives of a random loss of them, in float64; zeros where nothing flows."""
    draw = torch.Generator().manual_seed(1)
    seeds = [torch.randn(r.shape, generator=draw, dtype=torch.float64).to(r.dtype) for r in results]
    leaves = [t for t in p.tensors if t.requires_grad]
    grads = torch.autograd.grad(results, leaves, seeds, allow_unused=True)
    grads = [torch.zeros_like(t) if g is None else g for g, t in zip(grads, leaves, strict=True)]
    return [t.detach().double() for t in (*results, *grads)]


@lru_cache(maxsize=4)
def definition(problem, name, shift, a):
    """Return what :func:`both` gives for the reference in float64, and how many results it has."""
    p = wanted(problem, name, shift, a)(torch.float64, 1)
    p.require_grad()
    results = p.reference()
    return both(p, results), len(results)


def errors(ours, theirs, count):
    """Return the largest error among ``count`` results, and among derivatives, each relative to its tensor.

    A derivative that is small because its summands cancel keeps their rounding: it is compared with at least
    a tenth of the largest derivative.
    """
    found = []
    for part in (slice(None, count), slice(count, None)):
        sizes = [float(b.abs().max()) for b in theirs[part]]
        least = 0.1 * max(sizes)
        gaps = [float((a - b).abs().max()) for a, b in zip(ours[part], theirs[part], strict=True)]
        found.append(max(g / max(s, least, 1e-30) for g, s in zip(gaps, sizes, strict=True)))
    return found


@pytest.mark.parametrize("variant", VARIANTS, indirect=True)
@pytest.mark.parametrize(("name", "shift", "a"), COMBINATIONS)
def test_outputs_and_all_gradients(problem, unwritten, variant, name, shift, a):
    make = wanted(problem, name, shift, a)
    exact, count = definition(problem, name, shift, a)
    threads = (1, 2) if a % 2 else (2, 1)
    for number, dtype, limit in zip(threads, (torch.float64, torch.float32), (1e-10, 2e-6), strict=True):
        q = make(dtype, number)
        q.require_grad()
        ours = max(errors(both(q, q.run("tile")), exact, count))
        if ours > limit and dtype == torch.float32:  # few units cancel, layer-norm divides by next to nothing
            limit = 6 * max(errors(both(q, q.reference()), exact, count))
        assert ours <= limit
