"""Long short-term memory: with peepholes, without, in blocks, and Jozefowicz' variants."""

from __future__ import annotations

from dataclasses import replace

from gatelab.graph.cell import Cell
from gatelab.graph.language import linear, peephole, sigmoid, tanh
from gatelab.graph.node import Node, make
from gatelab.graph.op import Op
from gatelab.graph.trace import cell
from gatelab.passes.edit import edit

HOCHREITER = "Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735"
GRAVES = "Graves 2013, arXiv:1308.0850; Chung et al. 2014, arXiv:1412.3555, section 3.1"
GREFF = "Greff et al. 2015, arXiv:1503.04069"
JOZEFOWICZ = "Jozefowicz, Zaremba and Sutskever 2015, JMLR W&CP 37"


@cell(name="lstm", source=GRAVES)
def lstm(x: Node, h: Node, c: Node) -> tuple[Node, Node]:
    """LSTM with diagonal peepholes; the output gate sees the new memory cell."""
    i = sigmoid(linear(x, h, name="i") + peephole(c, name="i"))
    f = sigmoid(linear(x, h, name="f") + peephole(c, name="f"))
    g = tanh(linear(x, h, name="c"))
    c = f * c + i * g
    o = sigmoid(linear(x, h, name="o") + peephole(c, name="o"))
    return o * tanh(c), c


@cell(name="lstm-blocks", source=HOCHREITER, block=2)
def blocks(x: Node, h: Node, c: Node) -> tuple[Node, Node]:
    """LSTM with memory blocks: S cells share one input, forget and output gate."""
    i = sigmoid(linear(x, h, name="i", blocks=True))
    f = sigmoid(linear(x, h, name="f", blocks=True))
    g = tanh(linear(x, h, name="c"))
    c = f * c + i * g
    o = sigmoid(linear(x, h, name="o", blocks=True))
    return o * tanh(c), c


def without_peepholes(parent: Cell, name: str, source: str, summary: str) -> Cell:
    """Return ``parent`` with every peephole weight set to 0."""
    diagonal = [p for p in parent.parameters if p.weight.role == "peephole"]
    return edit(parent, dict.fromkeys(diagonal, 0), name=name, source=source, summary=summary)


def with_forget_bias(parent: Cell, name: str, bias: float, source: str, summary: str) -> Cell:
    """Return ``parent`` with the bias of its forget gate started at ``bias``."""
    (old,) = [p for p in parent.parameters if p.name == "b_f"]
    new = make(Op.PARAM, (), replace(old.weight, start=bias), old.width)
    return edit(parent, {old: new}, name=name, source=source, summary=summary)


plain = without_peepholes(lstm, "lstm-np", f"{JOZEFOWICZ}; {HOCHREITER}", "LSTM without peepholes.")


def _without(gate: str, word: str) -> Cell:
    return edit(
        plain, {gate: 1}, name=f"lstm-np-{gate}", source=JOZEFOWICZ,
        summary=f"LSTM without peepholes and without {word} gate: {gate} = 1.",
    )  # fmt: skip


no_input = _without("i", "input")
no_forget = _without("f", "forget")
no_output = _without("o", "output")
forget_bias = with_forget_bias(
    plain, "lstm-np-b", 1.0, JOZEFOWICZ, "LSTM without peepholes whose forget bias starts at 1."
)
printed = edit(
    plain, {"o": tanh(plain.names["o"].sources[0])}, name="lstm-np-printed", source=JOZEFOWICZ,
    summary="LSTM without peepholes with tanh in the output gate, as the paper prints it.",
)  # fmt: skip

CELLS = (lstm, plain, no_input, no_forget, no_output, forget_bias, printed, blocks)
