"""From a graph to numbers: engines that run a cell over whole sequences, forward and backward."""

from gatelab.engine.choose import ENGINES, Choice, choose
from gatelab.engine.rows import Rows
from gatelab.engine.run import Outcome, run

__all__ = ["ENGINES", "Choice", "Outcome", "Rows", "choose", "run"]
