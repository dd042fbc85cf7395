"""The laboratory for gated recurrent networks."""

from gatelab import cells
from gatelab.graph.cell import Cell, cell
from gatelab.graph.language import linear, mix, peephole, relu, sigmoid, tanh
from gatelab.cells import hidden_size_for
