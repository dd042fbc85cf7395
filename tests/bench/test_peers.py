"""Every peer that is installed computes what the definition does, in every cell that it has."""

import importlib.util

import numpy as np
import pytest
import torch

from gatelab import cells
from gatelab.bench.answers import LIMIT, distance
from gatelab.bench.peers import PEERS, find
from gatelab.bench.peers.ours import make
from gatelab.bench.peers.packing import PACKING, packed, unpacked
from gatelab.bench.problem import draw
from gatelab.bench.workload import Workload
from gatelab.errors import ConfigError

RAGGED = Workload("ragged", 7, 3, 4, 6, "", lengths="uniform", batches=2)
CASES = [
    (peer.name, cell)
    for peer in PEERS.values()
    for cell in sorted(set((peer.cells or {"gru": "gru", "fgr": "fgr"}).values()))
]


def truth(problem):
    return make(problem, "reference", torch.float64).answers()


@pytest.mark.parametrize(("name", "cell"), CASES)
def test_outputs_and_gradients(name, cell):
    peer = PEERS[name]
    if not importlib.util.find_spec(peer.needs):
        pytest.skip(f"{peer.needs} is not installed")
    if name.startswith("compile"):
        pytest.skip("compiles for a minute; the runner verifies it")
    problem = draw(RAGGED, cells.get(cell))
    step = peer.make(problem)
    step()
    right = truth(problem)
    far, where = distance(step.answers(), right)
    assert far < LIMIT, where
    assert set(right[0]) == {"output", "x", *problem.weights}


def test_a_peer_that_differs_is_far():
    problem = draw(RAGGED, cells.get("tanh"))
    right = truth(problem)
    for name in right[1]:
        wrong = [right[0], {**right[1], name: right[1][name] * 1.001}]
        far, where = distance(wrong, right)
        assert where == name
        assert far == pytest.approx(1e-3)
    assert distance([{}, {}], right)[0] == float("inf")
    assert distance([{**b, "x": b["x"] * np.nan} for b in right], right) == (float("inf"), "x")


def test_nothing_of_the_padding_counts():
    problem = draw(RAGGED, cells.get("gru"))
    for batch, answers in zip(problem.batches, truth(problem), strict=True):
        for k, length in enumerate(batch.lengths):
            for value in (batch.x, batch.cotangent, answers["output"], answers["x"]):
                assert not value[length:, k].any()
                assert value[:length, k].any()


@pytest.mark.parametrize("cell", PACKING)
def test_packing_and_back(cell):
    weights = draw(RAGGED, cells.get(cell)).weights
    again = unpacked(packed(weights, cell), cell)
    assert again.keys() == weights.keys()
    assert all((again[k] == weights[k]).all() for k in weights)


def test_peers_by_name():
    assert [p.name for p in find(["jax", "nn"])] == ["jax", "nn"]
    assert {p.name for p in find([], slow=True)} - {p.name for p in find([])} == {
        "reference",
        "compile-step",
        "compile-loop",
    }
    with pytest.raises(ConfigError, match="did you mean eager"):
        find(["eagre"])
    assert PEERS["nn"].computes("gru") == "gru-after"
    assert PEERS["jax"].computes("fgr") is None
