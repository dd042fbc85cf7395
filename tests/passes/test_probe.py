"""Probes: values by name."""

import pytest

from gatelab import cell, cells, linear, sigmoid, tanh
from gatelab.errors import CellError
from gatelab.passes import probe

LSTM = cells.get("lstm")


def test_gates_and_new_states():
    found = probe(LSTM, ["o", "i", "h", "c"])
    assert list(found) == ["o", "i", "h", "c"]
    assert found["i"] is LSTM.names["i"]
    assert (found["h"], found["c"]) == LSTM.results
    assert probe(LSTM, []) == {}


def test_a_name_of_a_state_is_its_new_value():
    @cell
    def mine(x, h):
        h = sigmoid(linear(x, h, name="z"))
        return tanh(h)

    assert probe(mine, ["h"])["h"] is mine.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("I", "did you mean i"),
        ("candidate", "has no value named 'candidate' "),
        ("x", "it names i, f, g, c, o"),
    ],
)
def test_unknown_names_list_near_misses(name, said):
    with pytest.raises(CellError, match=said):
        probe(LSTM, ["i", name])
