"""The three units that Jozefowicz' search found; the input is first brought to the hidden size."""

from __future__ import annotations

from gatelab.cells.lstm import JOZEFOWICZ
from gatelab.graph.language import linear, mix, sigmoid, tanh
from gatelab.graph.node import Node
from gatelab.graph.trace import cell


@cell(name="mut1", source=JOZEFOWICZ)
def mut1(x: Node, h: Node) -> Node:
    """Update gate from the input alone; the input enters the candidate through tanh."""
    e = linear(x, name="e", bias=False)
    z = sigmoid(linear(e, name="z"))
    r = sigmoid(linear(e, h, name="r"))
    candidate = tanh(linear(r * h, name="h") + tanh(e))
    return mix(z, candidate, h)


@cell(name="mut2", source=JOZEFOWICZ)
def mut2(x: Node, h: Node) -> Node:
    """The input enters the reset gate without a weight matrix."""
    e = linear(x, name="e", bias=False)
    z = sigmoid(linear(e, h, name="z"))
    r = sigmoid(e + linear(h, name="r"))
    candidate = tanh(linear(e, r * h, name="h"))
    return mix(z, candidate, h)


@cell(name="mut3", source=JOZEFOWICZ)
def mut3(x: Node, h: Node) -> Node:
    """The update gate sees the state through tanh."""
    e = linear(x, name="e", bias=False)
    z = sigmoid(linear(e, tanh(h), name="z"))
    r = sigmoid(linear(e, h, name="r"))
    candidate = tanh(linear(e, r * h, name="h"))
    return mix(z, candidate, h)


CELLS = (mut1, mut2, mut3)
