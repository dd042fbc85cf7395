"""The gated recurrent unit, with the reset gate before or after the recurrent product."""

from __future__ import annotations

from gatelab.graph.language import linear, mix, sigmoid, tanh
from gatelab.graph.node import Node
from gatelab.graph.trace import cell

CHO = "Cho et al. 2014, arXiv:1406.1078; Chung et al. 2014, arXiv:1412.3555, section 3.2"


@cell(name="gru", source=CHO)
def gru(x: Node, h: Node) -> Node:
    """Gated recurrent unit; the reset gate acts before the recurrent product."""
    z = sigmoid(linear(x, h, name="z"))
    r = sigmoid(linear(x, h, name="r"))
    candidate = tanh(linear(x, r * h, name="h"))
    return mix(z, candidate, h)


@cell(name="gru-after", source="Cho et al. 2014, arXiv:1406.1078v1; the form of cuDNN and torch.nn.GRU")
def gru_after(x: Node, h: Node) -> Node:
    """Gated recurrent unit; the reset gate acts after the recurrent product, and z keeps the old state."""
    r = sigmoid(linear(x, h, name="r"))
    z = sigmoid(linear(x, h, name="z"))
    candidate = tanh(linear(x, name="h") + r * linear(h, name="n"))
    return mix(z, h, candidate)


CELLS = (gru, gru_after)
