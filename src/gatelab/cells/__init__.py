"""The catalogue: equations with their sources, and the sizes at which they are equally large."""

from gatelab.cells.budget import hidden_size_for, parameter_count
from gatelab.cells.catalogue import CATALOGUE, WRAPPERS, get

__all__ = ["CATALOGUE", "WRAPPERS", "get", "hidden_size_for", "parameter_count"]
