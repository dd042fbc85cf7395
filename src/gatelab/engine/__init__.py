"""From a graph to numbers: engines that run a cell over whole sequences, forward and backward."""

from gatelab.engine.choose import Choice, choose
from gatelab.engine.rows import Rows
from gatelab.engine.run import run

__all__ = ["Choice", "Rows", "choose", "run"]
