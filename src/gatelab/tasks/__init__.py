"""What is asked of a network: data, head, loss and measure, one file a task."""

from gatelab.tasks.music import MusicTask
from gatelab.tasks.network import Network

__all__ = ["MusicTask", "Network"]
