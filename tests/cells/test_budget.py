"""Equal budgets: the counts of the papers, and the nearest size against trying all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab import cell, cells, hidden_size_for, parameter_count
from gatelab.errors import ConfigError

NAMES = ["tanh", "lstm", "gru", "lstm-blocks+blocks=3", "fgr", "mut1", "lstm+layer-norm"]


@pytest.mark.parametrize(
    ("name", "inputs", "units", "count"),
    [
        ("lstm", 20, 195, 169_065), ("gru", 20, 227, 168_888), ("tanh", 20, 400, 168_400),
        ("lstm", 100, 36, 19_836), ("gru", 100, 46, 20_286), ("tanh", 100, 100, 20_100),
    ],
)  # fmt: skip
def test_counts_of_chung_2014(name, inputs, units, count):
    assert parameter_count(name, inputs, units) == count


def test_sizes_of_chung_2014():
    assert [hidden_size_for(c, 100, 20_000) for c in ("lstm", "gru", "tanh")] == [36, 46, 100]
    assert [hidden_size_for(c, 20, 169_000) for c in ("lstm", "gru", "tanh")] == [195, 227, 401]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (3, False), (2, True)])
def test_the_count_is_the_number_of_elements(name, layers, bidirectional):
    from gatelab import Recurrent

    layer = Recurrent(name, 5, 6, layers, bidirectional=bidirectional)
    elements = sum(p.numel() for p in layer.parameters())
    assert parameter_count(name, 5, 6, layers, bidirectional) == elements
    outputs = 11 * (12 if bidirectional else 6) + 11
    assert parameter_count(name, 5, 6, layers, bidirectional, output_size=11) == elements + outputs


@given(
    name=st.sampled_from(NAMES),
    inputs=st.integers(1, 60),
    parameters=st.integers(1, 20_000),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    outputs=st.sampled_from([0, 1, 90]),
)
@settings(max_examples=100, deadline=None, database=None, derandomize=True)
def test_the_nearest_size_of_all(name, inputs, parameters, layers, bidirectional, outputs):
    block = cells.get(name).block
    counts = {}
    for size in range(block, 10**6, block):
        counts[size] = parameter_count(name, inputs, size, layers, bidirectional, outputs)
        if counts[size] >= parameters:
            break
    count = "all" if outputs else "recurrent"
    arguments = (name, inputs, parameters, layers, bidirectional, count, outputs)
    if counts[block] > 2 * parameters:
        with pytest.raises(ConfigError, match="impossible budget"):
            hidden_size_for(*arguments)
    else:
        nearest = min(counts, key=lambda size: (abs(counts[size] - parameters), size))
        assert hidden_size_for(*arguments) == nearest


def test_blocks_come_whole():
    assert hidden_size_for("lstm-blocks+blocks=7", 10, 5_000) % 7 == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parameters": 0}, "parameters: wanted a whole number of at least 1, got 0"),
        ({"parameters": -5}, "got -5"),
        ({"parameters": 20.5}, "got 20.5"),
        ({"parameters": True}, "got True"),
        ({"input_size": 0}, "input_size"),
        ({"num_layers": 0}, "num_layers"),
        ({"count": "some"}, "count must be"),
        ({"count": "all"}, "output_size"),
        ({"parameters": 3}, "impossible budget: lstm .* has 87 parameters"),
        ({"parameters": 10**30}, "need more than"),
        ({"cell": "lstn"}, "did you mean lstm"),
        ({"cell": cell(lambda x, h: h)}, "need more than"),
    ],
    ids=range(12),
)
def test_impossible_budgets(changes, said):
    with pytest.raises(ConfigError, match=said):
        hidden_size_for(**{"cell": "lstm", "input_size": 19, "parameters": 1000, **changes})


@pytest.mark.parametrize(
    "arguments",
    [("gru", 0, 5), ("gru", 5, -1), ("gru", 5, 2.5), ("gru", 5, 5, 0), ("lstm-blocks", 5, 7)],
    ids=str,
)
def test_impossible_sizes(arguments):
    with pytest.raises(ConfigError, match="wanted a"):
        parameter_count(*arguments)
