"""Plans for people."""

import pytest

from gatelab import cells
from gatelab.engine.describe import describe
from gatelab.passes import simplify_cell

WRAPPED = ["lstm+layer-norm", "gru+zoneout=0.1", "lstm+recurrent-dropout=0.2", "lstm-blocks+layer-norm"]


def lines_of(name, columns=80):
    return describe(simplify_cell(cells.get(name)), columns)


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_lines_fit(name, columns):
    lines = lines_of(name, columns)
    assert max(map(len, lines)) <= columns
    assert not [line for line in lines if "·" in line or line != line.rstrip()]


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_every_weight_has_its_derivative(name):
    text = "\n".join(lines_of(name))
    for weight in cells.get(name).parameter_names:
        assert f"∂{weight}" in text


def test_a_value_of_the_step_before_is_marked():
    text = "\n".join(lines_of("gru"))
    assert "W_h x + U_h (r ⊙ h₋) + b_h" in text
    assert "∂h ← U_rᵀ δr₊ + U_zᵀ δz₊" in text


def test_two_derivatives_of_one_gate_have_two_names():
    """With layer normalisation W_o x and U_o h₋ each have their own."""
    text = "\n".join(lines_of("lstm-blocks+layer-norm"))
    assert "∂W_o = Σ δW_o × x" in text
    assert "∂U_o = Σ δU_o × h₋" in text


def test_what_goes_from_step_to_step_has_one_name():
    lines = lines_of("gru-after")
    reads = next(line for line in lines if "given h" in line)
    writes = next(line for line in lines if "in the memory of" in line)
    assert "carry h" in reads
    assert "carry h" in writes
