"""The catalogue and the grammar of its names."""

import inspect

import pytest

import gatelab
from gatelab import cells
from gatelab.errors import CellError, ConfigError, GatelabError
from gatelab.graph import check


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_every_cell_says_what_it_is_and_where_it_is_from(name):
    cell = cells.get(name)
    assert cell.name == name
    assert "20" in cell.source or "19" in cell.source
    assert cell.summary.endswith(".")
    assert cell.summary == inspect.cleandoc(cell.summary)


def test_no_two_cells_have_the_same_equations_by_accident():
    same = {}
    for cell in cells.CATALOGUE.values():
        same.setdefault((cell.results, cell.block), []).append(cell.name)
    assert sorted(names for names in same.values() if len(names) > 1) == [["lstm-np", "np"]]


@pytest.mark.parametrize("name", cells.CATALOGUE)
@pytest.mark.parametrize("wrapper", [w for w in cells.WRAPPERS if w != "blocks"])
def test_every_wrapper_goes_around_every_cell(name, wrapper):
    wrapped = cells.get(f"{name}+{wrapper}")
    check(wrapped)
    assert wrapped != cells.get(name)
    assert {p.name for p in cells.get(name).parameters} <= {p.name for p in wrapped.parameters}


def test_a_cell_is_returned_as_it_is():
    gru = cells.get("gru")
    assert cells.get(gru) is gru


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("gru", "gru"),
        (" gru ", "gru"),
        ("gru+zoneout", "gru+zoneout=0.1"),
        ("gru+zoneout=.2", "gru+zoneout=0.2"),
        ("gru+recurrent-dropout", "gru+recurrent-dropout=0.25"),
        ("gru+layer-norm+zoneout=0", "gru+layer-norm+zoneout=0"),
        ("lstm-blocks+blocks", "lstm-blocks+blocks=2"),
        ("lstm-blocks+blocks=4", "lstm-blocks+blocks=4"),
    ],
)
def test_names(text, name):
    assert cells.get(text).name == name
    assert cells.get(name) == cells.get(text)


def test_wrappers_are_applied_from_left_to_right():
    one, other = cells.get("lstm+layer-norm+zoneout"), cells.get("lstm+zoneout+layer-norm")
    assert one.results != other.results


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lsmt", "unknown cell 'lsmt'; did you mean .*lstm"),
        ("LSTM", "did you mean lstm"),
        ("", "unknown cell ''"),
        ("+zoneout", "unknown cell ''"),
        ("gru+", "unknown wrapper ''"),
        ("gru+zonout", "unknown wrapper 'zonout'; did you mean zoneout"),
        ("gru+layer-norm=1", "layer-norm takes no value"),
        ("gru+zoneout=a", "zoneout wants a number, such as zoneout=0.1; got 'a'"),
        ("gru+zoneout=1", "rate from 0 to below 1"),
        ("gru+zoneout=-0.1", "rate from 0 to below 1"),
        ("gru+zoneout=nan", "rate from 0 to below 1"),
        ("gru+recurrent-dropout=1.5", "rate from 0 to below 1"),
        ("gru+blocks=2", "no gates shared by a block"),
        ("lstm-blocks+blocks=0", "whole number of units"),
        ("lstm-blocks+blocks=1.5", "whole number of units"),
        ("lstm-blocks+blocks=inf", "whole number of units"),
        ("lstm-blocks+blocks=nan", "whole number of units"),
        ("gru+zoneout=0.1+zoneout=0.2", "'zoneout_h' is used for two"),
        ("gru+layer-norm+layer-norm", "G_"),
        (3, "wanted a cell or its name"),
        (None, "wanted a cell or its name"),
    ],
)
def test_wrong_names(text, said):
    with pytest.raises(ConfigError if "used" not in said and "G_" not in said else CellError, match=said):
        cells.get(text)


def test_errors_are_gatelabs():
    with pytest.raises(GatelabError):
        gatelab.hidden_size_for("nothing", 3, 100)


def test_the_catalogue_cannot_be_changed():
    with pytest.raises(TypeError):
        cells.CATALOGUE["mine"] = cells.get("gru")
