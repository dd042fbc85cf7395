"""The laboratory for gated recurrent networks.

Write a cell as its equations, run it forward and backward over whole sequences, and compare it with
others at equal parameter counts::

    from gatelab import cell, linear, mix, sigmoid, tanh

    @cell
    def mine(x, h):
        z = sigmoid(linear(x, h, name="z"))
        return mix(z, tanh(linear(x, z * h, name="h")), h)

    layer = gatelab.Recurrent(mine, input_size=88, hidden_size=46)
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gatelab import cells
from gatelab.cells import hidden_size_for, parameter_count
from gatelab.errors import GatelabError
from gatelab.graph.cell import Cell
from gatelab.graph.language import (
    exp,
    layer_norm,
    linear,
    log,
    maximum,
    mean,
    minimum,
    mix,
    peephole,
    relu,
    sigmoid,
    sqrt,
    step,
    tanh,
)
from gatelab.graph.trace import cell

if TYPE_CHECKING:
    from gatelab import nn
    from gatelab.models import Classifier, Forecaster, Labeller, load, stream
    from gatelab.nn import Recurrent

__version__ = version("gatelab")
__all__ = [
    "Cell",
    "Classifier",
    "Forecaster",
    "GatelabError",
    "Labeller",
    "Recurrent",
    "cell",
    "cells",
    "exp",
    "hidden_size_for",
    "layer_norm",
    "linear",
    "load",
    "log",
    "maximum",
    "mean",
    "minimum",
    "mix",
    "nn",
    "parameter_count",
    "peephole",
    "relu",
    "sigmoid",
    "sqrt",
    "step",
    "stream",
    "tanh",
]


def __getattr__(name: str) -> Any:
    """Load torch only when something that needs it is asked for."""
    if name in ("Classifier", "Forecaster", "Labeller", "load", "stream"):
        return getattr(importlib.import_module("gatelab.models"), name)
    if name in ("nn", "Recurrent"):
        nn = importlib.import_module("gatelab.nn")
        return nn if name == "nn" else nn.Recurrent
    raise AttributeError(f"module 'gatelab' has no attribute {name!r}")
