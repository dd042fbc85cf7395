"""What a cell is: operations, nodes, tracing, the walker, and the legality check.

Standard library only. A cell is a small graph of frozen, interned nodes; everything that is ever said
about it (values, derivatives, counts, equations) is a reading of that graph.
"""

from gatelab.graph.cell import Cell
from gatelab.graph.check import check
from gatelab.graph.data import from_data, to_data
from gatelab.graph.fold import fold, topological
from gatelab.graph.node import Mask, Node, Weight, make
from gatelab.graph.op import Op
from gatelab.graph.trace import cell, trace

__all__ = [
    "Cell",
    "Mask",
    "Node",
    "Op",
    "Weight",
    "cell",
    "check",
    "fold",
    "from_data",
    "make",
    "to_data",
    "topological",
    "trace",
]
