"""Many trainings: what is tried, and the processes that try it."""

from gatelab.search.compare import Listener, begin, work
from gatelab.search.plan import comparison
from gatelab.search.space import log_uniform

__all__ = ["Listener", "begin", "comparison", "log_uniform", "work"]
