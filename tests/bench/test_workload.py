import pytest

from gatelab import cells
from gatelab.bench.problem import draw, product_flops
from gatelab.bench.workload import WORKLOADS, find
from gatelab.errors import ConfigError


@pytest.mark.parametrize(
    ("workload", "sizes"),
    [
        ("W1", {"lstm": 36, "lstm-np": 36, "gru": 46, "gru-after": 46, "tanh": 100}),
        ("W3", {"lstm": 195, "lstm-np": 195, "gru": 227, "gru-after": 227, "tanh": 400}),
        ("W4", {"lstm": 512, "fgr": 512}),
    ],
)
def test_hidden_sizes_are_the_papers(workload, sizes):
    assert {c: WORKLOADS[workload].hidden_size(cells.get(c)) for c in sizes} == sizes


@pytest.mark.parametrize("name", ["W1", "ragged", "music", "tiny"])
def test_problems_are_the_same_each_time(name):
    first, again = (draw(WORKLOADS[name], cells.get("lstm")) for _ in range(2))
    assert all((a.x == b.x).all() for a, b in zip(first.batches, again.batches, strict=True))
    assert all((first.weights[k] == again.weights[k]).all() for k in first.weights)
    for batch in first.batches:
        assert batch.x.shape == (max(batch.lengths), len(batch.lengths), first.inputs)
        assert batch.cotangent.shape == (*batch.x.shape[:2], first.hidden)
    assert first.batches[0].full == (name == "W1")


@pytest.mark.parametrize(("name", "pairs"), [("lstm", 4), ("lstm-np", 4), ("gru", 3), ("tanh", 1)])
def test_flops(name, pairs):
    assert product_flops(cells.get(name), 88, 46) == 6 * pairs * 46 * (88 + 46)
    problem = draw(WORKLOADS["W1"], cells.get(name))
    assert problem.flops == 100 * 16 * 6 * pairs * problem.hidden * (88 + problem.hidden)


def test_flops_of_other_cells_are_those_of_their_products():
    assert product_flops(cells.get("fgr"), 5, 4) == 6 * (4 * 4 * (5 + 4) + 9 * 16)
    assert product_flops(cells.get("lstm-blocks"), 5, 4) == 6 * (3 * 2 + 4) * (5 + 4)


def test_padding_costs_nothing():
    problem = draw(WORKLOADS["tiny"], cells.get("tanh"))
    lengths = problem.batches[0].lengths
    assert problem.rows == sum(lengths) < 7 * 3
    assert problem.flops == sum(lengths) * product_flops(problem.cell, 4, 6)


def test_workloads_by_name():
    assert [w.name for w in find(["w1", "LONG", "W1"])] == ["W1", "long"]
    assert "tiny" not in [w.name for w in find(["all"])]
    with pytest.raises(ConfigError, match="did you mean ragged"):
        find(["raged"])
