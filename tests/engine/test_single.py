"""One bound step, repeated, is the whole sequence."""

import numpy as np
import pytest
import torch

from gatelab import cells
from gatelab.engine.single import Single
from gatelab.passes import simplify_cell


@pytest.mark.parametrize("name", [n for n in cells.CATALOGUE if not cells.get(n).masks])
@pytest.mark.parametrize(("batch", "hidden"), [(1, 2), (3, 38), (6, 18)])
def test_steps_in_memory_that_stays(problem, name, batch, hidden):
    p = problem(simplify_cell(cells.get(name)), 3, hidden, (5,) * batch)
    x, states = np.zeros((batch, 3)), [s.numpy().copy() for s in p.states]
    single = Single(p.cell, p.sizes, p.weights, x, states)
    output, *finals = p.reference()
    for tensor in p.weights.values():
        tensor.fill_(float("nan"))  # the weights were copied
    addresses = [a.ctypes.data for a in (single.output, *states)]
    for row, wanted in zip(p.x.view(5, batch, 3), output.view(5, batch, hidden), strict=True):
        x[...] = row.numpy()
        single.run()
        torch.testing.assert_close(torch.from_numpy(single.output.copy()), wanted, rtol=1e-10, atol=1e-10)
    for state, wanted in zip(states, finals, strict=True):
        torch.testing.assert_close(torch.from_numpy(state), wanted, rtol=1e-10, atol=1e-10)
    assert [a.ctypes.data for a in (single.output, *states)] == addresses
