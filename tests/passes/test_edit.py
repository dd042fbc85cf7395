"""Edits: what is replaced, what goes with it, and what is refused."""

import pytest

import gatelab
from gatelab import cell, cells, linear, mean, sigmoid, tanh
from gatelab.errors import CellError
from gatelab.graph import Op, make
from gatelab.graph.language import vector
from gatelab.passes import edit

LSTM, GRU = cells.get("lstm"), cells.get("gru")


def test_by_name_and_by_value_are_the_same():
    assert edit(LSTM, {"i": 1}) == edit(LSTM, {LSTM.names["i"]: 1.0})


def test_the_parent_is_as_it_was_and_gives_what_is_not_said():
    before = dict(LSTM.names)
    variant = edit(LSTM, {"i": 1})
    assert (variant.name, variant.source, variant.summary) == (LSTM.name, LSTM.source, LSTM.summary)
    assert dict(LSTM.names) == before
    said = edit(LSTM, {"i": 1}, name="mine", source="here", summary="Mine.")
    assert (said.name, said.source, said.summary) == ("mine", "here", "Mine.")


def test_edits_can_be_nested():
    one = edit(edit(LSTM, {"i": 1}), {"o": 1})
    assert one == edit(LSTM, {"i": 1, "o": 1})
    assert list(one.names) == ["f", "g", "c"]


def test_what_is_put_in_is_taken_as_it_is():
    swapped = edit(GRU, {"z": GRU.names["r"], "r": GRU.names["z"]})
    assert swapped.names["z"] is GRU.names["r"]
    assert {p.name for p in swapped.parameters} == {p.name for p in GRU.parameters}


def test_a_replacement_may_hold_what_it_replaces():
    half = edit(GRU, {"z": 0.5 * GRU.names["z"]})
    assert half.names["z"] is 0.5 * GRU.names["z"]


def test_a_narrow_replacement_is_repeated():
    variant = edit(GRU, {"z": sigmoid(mean(GRU.states[0]))})
    assert variant.output.sources[0].op is Op.SPREAD


def test_a_number_can_stand_for_what_enters_a_product():
    mut1 = cells.get("mut1")
    variant = edit(mut1, {"e": 1})
    assert "W_e" not in {p.name for p in variant.parameters}
    assert {p.name for p in variant.parameters} >= {"W_z", "W_r"}
    assert "U_h" not in {p.name for p in edit(GRU, {"r": 0}).parameters}


def test_a_number_can_stand_for_what_is_averaged():
    @cell
    def normal(x, h):
        z = linear(x, h, name="z")
        return gatelab.layer_norm(z, name="z")

    assert [p.name for p in edit(normal, {"z": 2}).parameters] == ["G_z"]


def test_memory_is_a_further_state():
    before = make(Op.STATE, (), "z", "H")
    variant = edit(GRU, {"r": before}, memory={"z": GRU.names["z"]})
    assert [s.name for s in variant.states] == ["h", "z"]
    assert variant.results[1] is GRU.names["z"]


@pytest.mark.parametrize(
    ("replaced", "said"),
    [
        (
            {"candidat": 0},
            r"no value named 'candidat'; did you mean candidate\? \(it names z, r, candidate\)",
        ),
        ({"h": 0}, "no value named 'h'"),
        ({"": 0}, "no value named ''"),
        ({LSTM.names["f"]: 0}, "holds no value"),
        ({"z": GRU.input}, "'x' of width I cannot be repeated to width H"),
        ({"z": "r"}, "wanted a value of the cell or a number, got str"),
        ({"z": True}, "got bool"),
        ({"z": float("nan")}, "finite"),
        ({"z": 10**400}, "finite"),
        ({"z": LSTM.states[1]}, "foreign state 'c'"),
        ({"z": vector("b_h", "gain", "H")}, "'b_h' is used for two different weights"),
    ],
    ids=range(11),
)
def test_what_is_refused(replaced, said):
    with pytest.raises(CellError, match=said) as caught:
        edit(GRU, replaced)
    assert "'gru'" in str(caught.value)


@pytest.mark.parametrize("name", ["h", "x"])
def test_memory_wants_a_name_of_its_own(name):
    with pytest.raises(CellError, match="names of their own"):
        edit(GRU, {}, memory={name: GRU.names["z"]})


def test_a_cell_without_names_says_so():
    plain = cell(name="plain")(lambda x, h: tanh(linear(x, h, name="h")))
    with pytest.raises(CellError, match="it names none"):
        edit(plain, {"z": 1})
