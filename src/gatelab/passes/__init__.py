"""Graph to graph, or graph to numbers: derivative, simplification, edits, probes, costs.

Standard library only.
"""

from gatelab.passes.adjoint import Adjoint, adjoint
from gatelab.passes.edit import edit
from gatelab.passes.measure import Formula, measure
from gatelab.passes.probe import probe
from gatelab.passes.simplify import simplify, simplify_cell

__all__ = ["Adjoint", "Formula", "adjoint", "edit", "measure", "probe", "simplify", "simplify_cell"]
