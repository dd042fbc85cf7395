"""The plain recurrent network, with its activations."""

from __future__ import annotations

from gatelab.graph.language import linear, product, relu, sigmoid, vector
from gatelab.graph.language import tanh as hyperbolic_tangent
from gatelab.graph.node import Node
from gatelab.graph.trace import cell

ELMAN = "Elman 1990, doi:10.1207/s15516709cog1402_1"
LE = "Le, Jaitly and Hinton 2015, arXiv:1504.00941"


@cell(name="tanh", source=f"{ELMAN}; Chung et al. 2014, arXiv:1412.3555")
def tanh(x: Node, h: Node) -> Node:
    """Plain recurrent unit with tanh."""
    return hyperbolic_tangent(linear(x, h, name="h"))


@cell(name="relu", source=ELMAN)
def rectified(x: Node, h: Node) -> Node:
    """Plain recurrent unit with a rectifier."""
    return relu(linear(x, h, name="h"))


@cell(name="sigmoid", source=ELMAN)
def logistic(x: Node, h: Node) -> Node:
    """Plain recurrent unit with the logistic sigmoid."""
    return sigmoid(linear(x, h, name="h"))


@cell(name="irnn", source=LE)
def irnn(x: Node, h: Node) -> Node:
    """Rectifier whose recurrent matrix starts as the identity and whose bias starts at 0."""
    bias = vector("b_h", "bias", "H", start=0.0)
    return relu(product("W_h", x) + bias + product("U_h", h, start="identity"))


CELLS = (tanh, rectified, logistic, irnn)
