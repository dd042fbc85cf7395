"""The eight variants of the LSTM Search Space Odyssey, each an edit of the vanilla LSTM."""

from __future__ import annotations

from gatelab.cells.lstm import GREFF, lstm, without_peepholes
from gatelab.graph.cell import Cell
from gatelab.graph.language import product
from gatelab.graph.node import Node
from gatelab.graph.op import Op
from gatelab.passes.edit import edit


def _variant(name: str, replacements: dict[str | Node, Node | float], summary: str) -> Cell:
    return edit(lstm, replacements, name=name, source=GREFF, summary=summary)


def _without_tanh(value: Node) -> dict[str | Node, Node | float]:
    """Return the replacement of tanh(value) by the value."""
    (squashed,) = [n for n in lstm.nodes if n.op is Op.TANH and n.sources == (value,)]
    return {squashed: value}


def _full_gate_recurrence() -> Cell:
    """Let the three gates of the previous step feed all three gates, through nine matrices."""
    gates = ("i", "f", "o")
    summary = "Full gate recurrence: the gates of the previous step feed all three gates."
    cell = edit(lstm, {}, name="fgr", source=GREFF, summary=summary, memory={k: lstm.names[k] for k in gates})
    before = cell.states[-len(gates) :]
    for gate in gates:
        argument = cell.names[gate].sources[0]
        fed = sum((product(f"U_{gate}_{state.name}", state) for state in before), start=argument)
        cell = edit(cell, {argument: fed})
    return cell


nig = _variant("nig", {"i": 1}, "No input gate: i = 1.")
nfg = _variant("nfg", {"f": 1}, "No forget gate: f = 1.")
nog = _variant("nog", {"o": 1}, "No output gate: o = 1.")
niaf = _variant("niaf", _without_tanh(lstm.names["g"].sources[0]), "No input activation function.")
noaf = _variant("noaf", _without_tanh(lstm.names["c"]), "No output activation function.")
np = without_peepholes(lstm, "np", GREFF, "No peepholes.")
cifg = _variant("cifg", {"f": 1 - lstm.names["i"]}, "Coupled input and forget gate: f = 1 − i.")
fgr = _full_gate_recurrence()

CELLS = (nig, nfg, nog, niaf, noaf, np, cifg, fgr)
